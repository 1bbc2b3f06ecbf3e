//! Where results go, and showing them again.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use jiff::Zoned;
use proofload_core::verdict::ExitCode;
use proofload_report::json;

use super::args::ReportArgs;
use super::console::Console;
use super::execute;
use super::failure::Failure;

/// Where results go when nobody says where.
const FOLDER: &str = "proofload-results";

/// Where a result is going to be written.
#[derive(Debug)]
pub(super) enum Destination {
    /// Nowhere.
    None,
    /// Standard output.
    Stdout,
    /// Something that is not a file, such as a pipe or `/dev/null`: it is written to, never replaced.
    Device(PathBuf),
    /// A file. Nothing is seen of it before it is complete.
    File {
        /// Its final name.
        path: PathBuf,
        /// Beside it, so that the final step is a rename within one file system.
        draft: PathBuf,
    },
}

impl Destination {
    /// Chooses where the result goes and makes sure that it can be written there, before any load is
    /// put on: an hour of measurement must not end with a folder that does not exist.
    pub(super) fn prepare(
        asked: Option<&Path>,
        keeps_result: bool,
        name: &str,
        now: &Zoned,
    ) -> Result<Self, Failure> {
        let path = match asked {
            Some(path) if path.as_os_str() == "-" => return Ok(Self::Stdout),
            Some(path) => path.to_owned(),
            None if keeps_result => default_path(name, now),
            None => return Ok(Self::None),
        };
        let wrong = |why: &str| Failure::output(format!("`{}` {why}", path.display()));
        if path.is_dir() {
            return Err(wrong("is a folder; name a file for the result"));
        }
        if path.file_name().is_none() || path.as_os_str().as_encoded_bytes().ends_with(b"/") {
            return Err(wrong("names no file; name one for the result"));
        }
        // A link stays, and what it leads to is written.
        let path = if path.is_symlink() { fs::canonicalize(&path).unwrap_or(path) } else { path };
        if fs::metadata(&path).is_ok_and(|found| !found.is_file()) {
            return Ok(Self::Device(path));
        }
        let mut draft_name = path.file_name().unwrap_or_default().to_owned();
        draft_name.push(format!(".{}.draft", std::process::id()));
        let draft = path.with_file_name(draft_name);
        let cannot = |error: io::Error| {
            Failure::output(format!("the result cannot be written to {}: {error}", path.display()))
        };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            if let Some(file) = folder.ancestors().find(|above| above.is_file()) {
                return Err(cannot(io::Error::other(format!(
                    "`{}` is not a folder",
                    file.display()
                ))));
            }
            fs::create_dir_all(folder).map_err(cannot)?;
        }
        // Only to see that it can be done: a run that never comes to its end leaves nothing behind.
        File::create(&draft).and_then(|_| fs::remove_file(&draft)).map_err(cannot)?;
        Ok(Self::File { path, draft })
    }

    /// Writes the result. Where that fails the old file, if there is one, stays as it was.
    pub(super) fn write(&self, json: &str, console: &Console) -> Result<Option<&Path>, Failure> {
        let (path, written) = match self {
            Self::None => return Ok(None),
            Self::Stdout => {
                console.print_result(json);
                return Ok(None);
            }
            Self::Device(path) => (path, write_device(path, json)),
            Self::File { path, draft } => (path, write_file(path, draft, json)),
        };
        match written {
            Ok(()) => Ok(Some(path)),
            Err(error) => {
                let path = path.display();
                let message = format!("the result could not be written to {path}: {error}");
                Err(Failure::output(message))
            }
        }
    }
}

impl Drop for Destination {
    fn drop(&mut self) {
        if let Self::File { draft, .. } = self {
            // Gone already if everything went well.
            let _ = fs::remove_file(draft);
        }
    }
}

fn write_device(path: &Path, json: &str) -> io::Result<()> {
    fs::OpenOptions::new().write(true).open(path)?.write_all(json.as_bytes())
}

fn write_file(path: &Path, draft: &Path, json: &str) -> io::Result<()> {
    let mut file = File::create(draft)?;
    file.write_all(json.as_bytes())?;
    file.sync_all()?;
    fs::rename(draft, path)
}

fn default_path(name: &str, now: &Zoned) -> PathBuf {
    let plain = |c: char| if c.is_alphanumeric() || c == '-' { c } else { '-' };
    let words: String = name.to_lowercase().chars().map(plain).take(60).collect();
    let words = words.trim_matches('-');
    let words = if words.is_empty() { "run" } else { words };
    let time = now.strftime("%Y%m%d-%H%M%S");
    let path = Path::new(FOLDER).join(format!("{words}-{time}.json"));
    if !path.exists() {
        return path;
    }
    // Two runs in one second.
    Path::new(FOLDER).join(format!("{words}-{time}-{}.json", std::process::id()))
}

/// `proofload report`: shows a result again.
pub(super) fn report(args: &ReportArgs, console: &Console) -> Result<ExitCode, Failure> {
    let name = args.result.display();
    let mut bytes = Vec::new();
    let read = if args.result.as_os_str() == "-" {
        io::stdin().read_to_end(&mut bytes).map(drop)
    } else {
        fs::read(&args.result).map(|read| bytes = read)
    };
    read.map_err(|error| Failure::input(format!("{name} cannot be read: {error}")))?;
    let result =
        json::from_bytes(&bytes).map_err(|error| Failure::input(format!("{name}: {error}")))?;
    execute::show(&result, execute::code_of(&result), Some(&args.result), console);
    Ok(ExitCode::Passed)
}
