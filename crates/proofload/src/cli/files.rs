//! Writing files: whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::Zoned;

/// Where runs leave their folders when nobody says where.
pub(super) const RESULTS: &str = "proofload-results";

/// Writes a file by a draft beside it and a rename: whoever reads it sees the old one or the new one.
///
/// # Errors
/// Where that fails the old file, if there is one, stays as it was, and no draft is left.
pub(super) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let draft = draft_of(path);
    let written = File::create(&draft).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    let done = written.and_then(|()| fs::rename(&draft, path));
    if done.is_err() {
        let _ = fs::remove_file(&draft);
    }
    done
}

/// The name under which a file is written before it gets its own.
pub(super) fn draft_of(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.draft", std::process::id()));
    path.with_file_name(name)
}

/// A folder of its own for what a run leaves behind. If that is nothing, the folder goes as well.
#[derive(Debug)]
pub(super) struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// Makes `ROOT/NAME-YYYYMMDD-HHMMSS`, or the same with a number where two runs begin in one
    /// second.
    ///
    /// # Errors
    /// When nothing can be made there: before any load is put on, because an hour of measurement must
    /// not end with a folder that cannot be written.
    pub(super) fn create(root: &Path, name: &str, now: &Zoned) -> io::Result<Self> {
        if let Some(file) = root.ancestors().find(|above| above.is_file()) {
            return Err(io::Error::other(format!("`{}` is not a folder", file.display())));
        }
        fs::create_dir_all(root)?;
        let stem = format!("{}-{}", plain(name), now.strftime("%Y%m%d-%H%M%S"));
        for number in 1.. {
            let name = if number == 1 { stem.clone() } else { format!("{stem}-{number}") };
            let path = root.join(name);
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Self { path }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        // Only empty folders can be removed like this.
        let _ = fs::remove_dir(&self.path);
        if let Some(root) = self.path.parent() {
            let _ = fs::remove_dir(root);
        }
    }
}

/// The results of a repeated run in its folder, in the order of their numbers: `run-1.json` and so on.
///
/// # Errors
/// When the folder cannot be read.
pub(super) fn repeats(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let number = name.strip_prefix("run-").and_then(|rest| rest.strip_suffix(".json"));
        if let Some(number) = number.and_then(|number| number.parse::<u32>().ok()) {
            found.push((number, path));
        }
    }
    found.sort();
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

/// A name as part of a file's name.
pub(super) fn plain(name: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() || c == '-' { c } else { '-' };
    let words: String = name.to_lowercase().chars().map(plain).take(60).collect();
    match words.trim_matches('-') {
        "" => "run".to_owned(),
        words => words.to_owned(),
    }
}
