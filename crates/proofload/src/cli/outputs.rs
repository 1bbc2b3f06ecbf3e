//! `--out`: where a run goes besides its result, while it runs and at its end.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use proofload_core::event::RunEvent;
use proofload_core::result::RunResult;
use proofload_core::verdict::ExitCode;
use proofload_output::journal::{Header, Journal};
use proofload_output::{Hub, OutputReport};

use super::console::Console;
use super::failure::Failure;
use super::files;
use super::formats::Format;
use super::live::{Listener, Underway};
use super::output::Destination;

/// How long outputs may take at the end to pass on what they hold back.
const PATIENCE: Duration = Duration::from_secs(5);

/// One `--out KIND[=WHERE]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Out {
    kind: Format,
    place: Option<PathBuf>,
}

impl FromStr for Out {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, place) = match text.split_once('=') {
            Some((_, "")) => return Err(format!("`{text}` names no place behind `=`")),
            Some((kind, place)) => (kind, Some(PathBuf::from(place))),
            None => (text, None),
        };
        let known = Format::ALL.iter().find(|(word, _)| *word == kind);
        let Some(&(_, kind)) = known else {
            let words: Vec<_> = Format::ALL.iter().map(|(word, _)| *word).collect();
            return Err(format!("`{kind}` is no output; known are {}", words.join(", ")));
        };
        Ok(Self { kind, place })
    }
}

impl Out {
    /// Where it goes; without a place of its own into the folder of the run, or here.
    fn path(&self, folder: Option<&Path>) -> PathBuf {
        match (&self.place, folder) {
            (Some(place), _) => place.clone(),
            (None, Some(folder)) => folder.join(self.kind.default_name()),
            (None, None) => PathBuf::from(self.kind.default_name()),
        }
    }

    /// Makes sure that it can be written, before any load is put on.
    pub(super) fn prepare(&self, folder: Option<&Path>) -> Result<(), Failure> {
        let paths = self.kind.paths(&self.path(folder));
        paths.iter().try_for_each(|path| Destination::prepare(Some(path)).map(drop))
    }

    /// Writes the file, or files.
    pub(super) fn write(
        &self,
        result: &RunResult,
        code: ExitCode,
        folder: Option<&Path>,
    ) -> Result<(), Failure> {
        for file in self.kind.render(result, code, &self.path(folder))? {
            files::write(&file.path, file.text.as_bytes()).map_err(|error| {
                Failure::output(format!("{} could not be written: {error}", file.path.display()))
            })?;
        }
        Ok(())
    }
}

/// The outputs that follow a run while it is under way.
#[derive(Debug)]
pub(super) struct LiveOutputs {
    hub: Hub,
}

impl LiveOutputs {
    /// The outputs of a run that has begun. One that cannot begin is told of and left out: the load is
    /// on already.
    pub(super) fn begin(shards: u32, run: &Underway<'_>, console: &Console) -> Self {
        let mut hub = Hub::new(shards);
        if let Some(folder) = run.folder {
            let redactor = console.redactor().clone();
            let header =
                Header::new(run.plan, run.info.clone(), run.environment.clone(), &redactor);
            let added = Journal::create(folder, header, redactor)
                .and_then(|journal| hub.add(Box::new(journal)));
            if let Err(error) = added {
                console.notice(&format!("a crash would lose this run, it has no journal: {error}"));
            }
        }
        Self { hub }
    }

    /// Waits a little for what they hold back. What is wrong with them, for the result.
    pub(super) fn settle(&self) -> Vec<String> {
        self.hub.settle(PATIENCE);
        self.hub.reports().iter().filter_map(OutputReport::notice).collect()
    }

    /// Tells them what came out.
    pub(super) fn finish(self, result: &RunResult) {
        // What is wrong has been told by `settle`; the end adds nothing that can still be written down.
        let _ = self.hub.finish(Some(result), PATIENCE);
    }
}

impl Listener for LiveOutputs {
    fn hear(&mut self, event: &RunEvent) {
        self.hub.tell(event);
    }

    fn tick(&mut self) -> Vec<String> {
        self.hub.complaints().map(|complaint| complaint.to_string()).collect()
    }
}
