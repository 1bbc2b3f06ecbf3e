//! Where results go, and showing them again.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::Zoned;
use proofload_core::result::RunResult;
use proofload_core::verdict::ExitCode;
use proofload_output::journal;
use proofload_report::html::{self, HtmlOptions, Overlay};

use super::args::OutputArgs;
use super::console::Console;
use super::failure::Failure;
use super::files::{self, RunFolder};
use super::outputs::Out;

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
    File(PathBuf),
}

impl Destination {
    /// Chooses where the result goes and makes sure that it can be written there, before any load is
    /// put on: an hour of measurement must not end with a folder that does not exist.
    pub(super) fn prepare(asked: Option<&Path>) -> Result<Self, Failure> {
        let path = match asked {
            Some(path) if path.as_os_str() == "-" => return Ok(Self::Stdout),
            Some(path) => path.to_owned(),
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
        let draft = files::draft_of(&path);
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
        Ok(Self::File(path))
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
            Self::File(path) => (path, files::write(path, json.as_bytes())),
        };
        match written {
            Ok(()) => Ok(Some(path)),
            Err(error) => Err(unwritten(path, &error)),
        }
    }
}

/// Everywhere that the result of a run is going to be written.
#[derive(Debug)]
pub(super) struct Places {
    folder: Option<RunFolder>,
    /// Where the user asked for it.
    asked: Destination,
    /// What else is wanted.
    outs: Vec<Out>,
}

impl Places {
    /// Chooses where the result goes and makes sure that it can be written there.
    pub(super) fn prepare(
        output: &OutputArgs,
        keeps_result: bool,
        name: &str,
        now: &Zoned,
        console: &Console,
    ) -> Result<Self, Failure> {
        let asked = Destination::prepare(output.flags.output_file.as_deref())?;
        let root = output.flags.results.as_deref();
        if root.is_none() && !keeps_result {
            let outs = prepared(&output.flags.out, None)?;
            return Ok(Self { folder: None, asked, outs });
        }
        let place = root.unwrap_or(Path::new(files::RESULTS));
        let folder = match RunFolder::create(place, name, now) {
            Ok(folder) => Some(folder),
            // Somebody who said where the result goes may well run in a folder that is read-only.
            Err(error) if root.is_none() && !matches!(asked, Destination::None) => {
                let place = place.display();
                console.notice(&format!(
                    "{place} cannot be written ({error}): no report and no journal of this run"
                ));
                None
            }
            Err(error) => {
                return Err(Failure::output(format!(
                    "results cannot be written to {}: {error}\n  --results DIR puts them elsewhere",
                    place.display()
                )));
            }
        };
        let outs = prepared(&output.flags.out, folder.as_ref().map(RunFolder::path))?;
        Ok(Self { folder, asked, outs })
    }

    /// The folder of the run.
    pub(super) fn folder(&self) -> Option<&Path> {
        self.folder.as_ref().map(RunFolder::path)
    }

    /// The result is safe: what was kept against a crash may go.
    pub(super) fn discard_journal(&self) {
        if let Some(folder) = self.folder() {
            // One that stays does no harm.
            let _ = journal::discard(folder);
        }
    }

    /// Writes the result. What fails does not keep the rest from being written.
    ///
    /// # Errors
    /// When the result cannot be put into words, which a bug would be.
    pub(super) fn write(
        &self,
        result: &RunResult,
        code: ExitCode,
        overlay: Option<&Overlay>,
        console: &Console,
    ) -> Result<Written, Failure> {
        let json = result.to_json().map_err(Failure::internal)?;
        let mut written = Written::default();
        if let Some(folder) = self.folder() {
            written.file = written.keep(put(folder.join("result.json"), &json));
            let options =
                HtmlOptions { result_href: Some("result.json"), overlay, ..HtmlOptions::new(code) };
            let page = html::page(result, &options);
            written.report = written.keep(put(folder.join("report.html"), &page));
        }
        let asked = self.asked.write(&json, console).map(|path| path.map(Path::to_owned));
        written.file = written.keep(asked).flatten().or(written.file.take());
        for out in &self.outs {
            written.keep(out.write(result, code, self.folder()));
        }
        Ok(written)
    }
}

/// What was written of a result.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// The result.
    pub(super) file: Option<PathBuf>,
    /// The page.
    pub(super) report: Option<PathBuf>,
    /// The first thing that could not be written.
    pub(super) failure: Option<Failure>,
}

impl Written {
    /// What was written, or nothing: the first failure is kept.
    pub(super) fn keep<T>(&mut self, written: Result<T, Failure>) -> Option<T> {
        match written {
            Ok(done) => Some(done),
            Err(failure) => {
                self.failure.get_or_insert(failure);
                None
            }
        }
    }
}

/// Writes a file of a result.
pub(super) fn put(path: PathBuf, text: &str) -> Result<PathBuf, Failure> {
    match files::write(&path, text.as_bytes()) {
        Ok(()) => Ok(path),
        Err(error) => Err(unwritten(&path, &error)),
    }
}

/// Makes sure that all of them can be written.
fn prepared(outs: &[Out], folder: Option<&Path>) -> Result<Vec<Out>, Failure> {
    outs.iter().try_for_each(|out| out.prepare(folder))?;
    Ok(outs.to_vec())
}

fn unwritten(path: &Path, error: &io::Error) -> Failure {
    Failure::output(format!("the result could not be written to {}: {error}", path.display()))
}

fn write_device(path: &Path, json: &str) -> io::Result<()> {
    fs::OpenOptions::new().write(true).open(path)?.write_all(json.as_bytes())
}
