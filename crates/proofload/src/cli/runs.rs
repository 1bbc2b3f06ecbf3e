//! What runs have left in a folder of results, and a look into it.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use proofload_core::result::RunDigest;

use super::files;

/// The result of a run in its folder.
const RESULT: &str = "result.json";
/// Largest file that is read; results are much smaller.
const MAX_BYTES: u64 = 256 << 20;

/// Something in a folder of results.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) path: PathBuf,
    pub(super) name: String,
    pub(super) kept: Kept,
}

/// What it holds, as far as names tell.
#[derive(Debug)]
pub(super) enum Kept {
    /// A run, by its result.
    Run(PathBuf),
    /// Repeated runs: all together, if that was written, and each.
    Repeats { together: Option<PathBuf>, runs: Vec<PathBuf> },
    /// A suite, by the results of its tests.
    Suite(Vec<PathBuf>),
    /// It is a file that may be a result.
    File,
    /// Nothing that is known.
    Nothing,
}

/// Everything in a folder of results.
///
/// # Errors
/// When the folder cannot be read.
pub(super) fn entries(root: &Path) -> io::Result<Vec<Entry>> {
    let entry = |entry: io::Result<fs::DirEntry>| {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let kept = kept(&path);
        Ok(Entry { path, name, kept })
    };
    fs::read_dir(root)?.map(entry).collect()
}

fn kept(path: &Path) -> Kept {
    if !path.is_dir() {
        let is_json = path.extension().is_some_and(|extension| extension == "json");
        return if is_json { Kept::File } else { Kept::Nothing };
    }
    let result_in = |folder: &Path| Some(folder.join(RESULT)).filter(|result| result.is_file());
    let together = result_in(path);
    // Repeated runs are numbered from 1: other folders are not read.
    if path.join("run-1.json").is_file() {
        return Kept::Repeats { together, runs: files::repeats(path).unwrap_or_default() };
    }
    if let Some(result) = together {
        return Kept::Run(result);
    }
    let below = fs::read_dir(path).into_iter().flatten().flatten();
    let tests: Vec<PathBuf> = below.filter_map(|test| result_in(&test.path())).collect();
    if tests.is_empty() { Kept::Nothing } else { Kept::Suite(tests) }
}

/// The bytes of a result.
///
/// # Errors
/// Why not, in words.
pub(super) fn bytes(file: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = File::open(file).and_then(|open| open.take(MAX_BYTES + 1).read_to_end(&mut bytes));
    read.map_err(|error| error.to_string())?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err("too large for a result".to_owned());
    }
    Ok(bytes)
}

/// A look into a result, without most of what is in it.
///
/// # Errors
/// Why not, in words.
pub(super) fn digest(file: &Path) -> Result<RunDigest, String> {
    let bytes = bytes(file)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| "not text".to_owned())?;
    RunDigest::from_json(text).map_err(|error| error.to_string())
}
