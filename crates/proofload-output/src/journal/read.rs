//! Reading a journal that a run has left behind.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use proofload_core::plan::PlanErrors;
use proofload_core::record::RunRecord;
use proofload_core::result::{ResultInput, RunInfo, RunResult, build};
use serde::Deserialize;

use super::line::Line;
use super::{Header, path_in};

/// A line that is longer is no line of ours.
const MAX_LINE_BYTES: u64 = 512 << 20;
/// Lines that could not be read and are told one by one; further ones are counted.
const MAX_SKIPPED: usize = 20;
/// What is said of a phase that the journal does not see the end of.
const CUT_OFF: &str = "the run was cut off";

/// Why there is nothing to be read.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file is not there or cannot be read.
    #[error("{} cannot be read: {error}", path.display())]
    File {
        /// The journal.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// It does not begin as a journal does.
    #[error("{} is no journal of Proofload: {why}", path.display())]
    NoJournal {
        /// The file.
        path: PathBuf,
        /// What is wrong with its first line.
        why: String,
    },
    /// Another build has written it.
    #[error(
        "{} has version {found} of the journal, this build reads version {}: use the Proofload that wrote it",
        path.display(), Header::VERSION
    )]
    Version {
        /// The journal.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// The plan in it is not understood.
    #[error("the plan in the journal cannot be read: {0}")]
    Plan(String),
}

impl From<PlanErrors> for JournalError {
    fn from(errors: PlanErrors) -> Self {
        Self::Plan(errors.to_string())
    }
}

/// A line that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedLine {
    /// Its number, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub why: String,
}

/// What a journal holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Recovered {
    /// Its first line.
    pub header: Header,
    /// What was measured.
    pub record: RunRecord,
    /// Whether the run came to its end; else it was cut off.
    pub complete: bool,
    /// Whether the last line is torn, as it is when the process died while writing it.
    pub torn: bool,
    /// How many other lines could not be read.
    pub lines_skipped: u64,
    /// The first of them.
    pub skipped: Vec<SkippedLine>,
}

/// Reads the journal in the folder of a run.
///
/// Lines that cannot be read are left out and told of; a torn last line is what a crash leaves.
///
/// # Errors
/// When there is no journal, or one of another version.
pub fn read(folder: &Path) -> Result<Recovered, JournalError> {
    let path = path_in(folder);
    let cannot = |error| JournalError::File { path: path.clone(), error };
    let mut lines = Lines { from: BufReader::new(File::open(&path).map_err(cannot)?), number: 0 };
    let first = lines.next_line().map_err(cannot)?.unwrap_or_default();
    let mut recovered = Recovered {
        header: header(&path, &first)?,
        record: RunRecord::default(),
        complete: false,
        torn: false,
        lines_skipped: 0,
        skipped: Vec::new(),
    };
    while let Some(bytes) = lines.next_line().map_err(cannot)? {
        recovered.take(&bytes, lines.number);
    }
    recovered.tell_of_skipped();
    if !recovered.complete {
        recovered.cut_off();
    }
    Ok(recovered)
}

/// The lines of a file, of bounded length.
struct Lines<R> {
    from: R,
    number: u64,
}

impl<R: BufRead> Lines<R> {
    /// The next line with its line break, if it has one.
    fn next_line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut bytes = Vec::new();
        self.from.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut bytes)?;
        self.number += 1;
        Ok((!bytes.is_empty()).then_some(bytes))
    }
}

fn header(path: &Path, line: &[u8]) -> Result<Header, JournalError> {
    #[derive(Deserialize)]
    struct First {
        header: Version,
    }
    #[derive(Deserialize)]
    struct Version {
        version: u32,
    }
    let wrong = |why: String| JournalError::NoJournal { path: path.to_owned(), why };
    // The version first: what else is in it, is up to the version.
    let First { header: Version { version: found } } =
        serde_json::from_slice(line).map_err(|error| wrong(error.to_string()))?;
    if found != Header::VERSION {
        return Err(JournalError::Version { path: path.to_owned(), found });
    }
    match serde_json::from_slice(line) {
        Ok(Line::Header(header)) => Ok(*header),
        Ok(_) => Err(wrong("it has no header".to_owned())),
        Err(error) => Err(wrong(error.to_string())),
    }
}

impl Recovered {
    fn take(&mut self, bytes: &[u8], number: u64) {
        match serde_json::from_slice(bytes) {
            Ok(Line::Checkpoint(record)) => self.record = *record,
            Ok(Line::End {}) => self.complete = true,
            Ok(Line::Header(_)) => self.skip(number, "a second header".to_owned()),
            Ok(line) => {
                if let Some(event) = line.into_event() {
                    self.record.hear(&event);
                }
            }
            Err(_) if !bytes.ends_with(b"\n") => self.torn = true,
            Err(error) => self.skip(number, error.to_string()),
        }
    }

    fn skip(&mut self, line: u64, why: String) {
        self.lines_skipped += 1;
        if self.skipped.len() < MAX_SKIPPED {
            self.skipped.push(SkippedLine { line, why });
        }
    }

    /// Puts lines that could not be read where the user sees them: among the notices of the run.
    fn tell_of_skipped(&mut self) {
        let Some(first) = self.skipped.first() else { return };
        let (line, why) = (first.line, &first.why);
        let text = format!(
            "{} lines of the journal could not be read and are missing, first line {line}: {why}",
            self.lines_skipped
        );
        self.record.note(&text);
    }

    /// Ends the phase that was running.
    fn cut_off(&mut self) {
        let at = self.record.elapsed();
        let running: Vec<usize> =
            self.record.phases.iter().filter(|p| p.ended.is_none()).map(|p| p.index).collect();
        for index in running {
            drop(self.record.end_phase(index, at, Some(CUT_OFF.to_owned())));
        }
    }

    /// The facts of the run, as far as the journal goes.
    #[must_use]
    pub fn run_info(&self) -> RunInfo {
        let run = self.header.run.clone();
        let length = self.record.elapsed();
        let ended = run.started.parse::<Timestamp>().ok().and_then(|started| {
            let ended = started.checked_add(SignedDuration::try_from(length).ok()?).ok()?;
            Some(ended.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
        });
        RunInfo {
            ended: ended.unwrap_or_default(),
            duration_seconds: length.as_secs_f64(),
            incomplete: run.incomplete || !self.complete,
            ..run
        }
    }

    /// The result of the run, judged by its plan, as far as the journal goes. Marked
    /// [incomplete](RunInfo::incomplete) if the run was cut off.
    ///
    /// # Errors
    /// When the plan in the journal cannot be read.
    pub fn result(&self) -> Result<RunResult, JournalError> {
        let plan = self.header.outline()?;
        let environment = self.header.environment.clone();
        let input = ResultInput::of_plan(&plan, &self.record, self.run_info(), environment);
        Ok(build(&input).0)
    }
}
