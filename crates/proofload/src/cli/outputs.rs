//! `--out`: where a run goes besides its result, while it runs and at its end.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use proofload_core::event::RunEvent;
use proofload_core::plan::Plan;
use proofload_core::redact::is_secret_name;
use proofload_core::result::{RunInfo, RunResult};
use proofload_core::verdict::ExitCode;
use proofload_output::journal::{Header, Journal};
use proofload_output::{Context, Hub, KINDS, OpenError, Output, OutputReport, by_name};

use super::console::Console;
use super::failure::Failure;
use super::formats::{Format, Rendered};
use super::live::{Listener, Underway};
use super::output::Destination;

/// How long outputs may take at the end to pass on what they hold back.
const PATIENCE: Duration = Duration::from_secs(5);

/// The live output that is a file.
const NDJSON: &str = "ndjson";

/// One `--out KIND[=WHERE]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Out {
    kind: Kind,
    place: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The result in another format, at the end.
    File(Format),
    /// Something that follows the run while it is under way, by its word.
    Live(&'static str),
}

impl FromStr for Out {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, place) = match text.split_once('=') {
            Some((_, "")) => return Err(format!("`{text}` names no place behind `=`")),
            Some((kind, place)) => (kind, Some(PathBuf::from(place))),
            None => (text, None),
        };
        let file = Format::ALL.iter().find(|(word, _)| *word == kind);
        let live = KINDS.iter().find(|(word, _)| *word == kind);
        let kind = match (file, live) {
            (Some((_, format)), _) => Kind::File(*format),
            (None, Some((word, _))) => Kind::Live(word),
            (None, None) => {
                let words = Format::ALL.iter().map(|(word, _)| *word);
                let words: Vec<_> = words.chain(KINDS.iter().map(|(word, _)| *word)).collect();
                return Err(format!("`{kind}` is no output; known are {}", words.join(", ")));
            }
        };
        Ok(Self { kind, place })
    }
}

impl Out {
    /// A summary in Markdown, in the folder of the run.
    pub(super) fn markdown() -> Self {
        Self { kind: Kind::File(Format::Markdown), place: None }
    }

    /// The report, in this file.
    pub(super) fn html(place: PathBuf) -> Self {
        Self { kind: Kind::File(Format::Html), place: Some(place) }
    }

    /// The format, if it is one that is written at the end.
    pub(super) fn format(&self) -> Option<Format> {
        match self.kind {
            Kind::File(format) => Some(format),
            Kind::Live(_) => None,
        }
    }

    /// The same for one of several runs; nothing if it is written once, after all of them. A file gets the run's
    /// name, in front of its ending or in the folder of the runs, so that the next run does not replace it.
    pub(super) fn of_run(&self, name: &str, folder: Option<&Path>) -> Option<Self> {
        let Kind::Live(kind) = self.kind else { return None };
        if kind != NDJSON {
            return Some(self.clone());
        }
        let named = |place: &PathBuf| {
            let file = place.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let (stem, ending) = file.split_once('.').unwrap_or((&file, NDJSON));
            place.with_file_name(format!("{stem}-{name}.{ending}"))
        };
        let in_folder = || folder.map(|folder| folder.join(format!("{name}.{NDJSON}")));
        Some(Self { kind: self.kind, place: self.place.as_ref().map(named).or_else(in_folder) })
    }

    /// Where a file goes; without a place of its own into the folder of the run, or here.
    pub(super) fn path(&self, format: Format, folder: Option<&Path>) -> PathBuf {
        match (&self.place, folder) {
            (Some(place), _) => place.clone(),
            (None, Some(folder)) => folder.join(format.default_name()),
            (None, None) => PathBuf::from(format.default_name()),
        }
    }

    /// Makes sure that it can be written, before any load is put on. What follows the run is opened
    /// later, by [`open`].
    pub(super) fn prepare(&self, folder: Option<&Path>) -> Result<(), Failure> {
        let paths = match (self.kind, &self.place) {
            (Kind::File(format), _) => format.paths(&self.path(format, folder)),
            (Kind::Live(NDJSON), Some(place)) => vec![place.clone()],
            (Kind::Live(_), _) => Vec::new(),
        };
        paths.iter().try_for_each(|path| Destination::prepare(Some(path)).map(drop))
    }

    /// Writes the file, or files.
    pub(super) fn write(
        &self,
        result: &RunResult,
        code: ExitCode,
        folder: Option<&Path>,
    ) -> Result<(), Failure> {
        let Kind::File(format) = self.kind else { return Ok(()) };
        let files = format.render(result, code, &self.path(format, folder))?;
        files.iter().try_for_each(Rendered::write)
    }
}

/// Opens what follows the run while it is under way, the webhook of the plan's alerts included. What
/// cannot be opened keeps the load from being put on.
pub(super) fn open(
    outs: &[Out],
    plan: &Plan,
    run: &RunInfo,
    folder: Option<&Path>,
    console: &Console,
) -> Result<Vec<Box<dyn Output>>, Failure> {
    if let Some(webhook) = &plan.alerts.webhook {
        console.hide(webhook);
    }
    let redactor = console.redactor().clone();
    let environment = |name: &str| {
        let value = std::env::var(name).ok()?;
        if is_secret_name(name) || name.ends_with("_HEADERS") {
            console.hide(&value);
        }
        Some(value)
    };
    let context = Context { plan, run, folder, redactor: &redactor, environment: &environment };
    let mut all: Vec<Box<dyn Output>> = proofload_output::webhook(&context).into_iter().collect();
    for out in outs {
        let Kind::Live(kind) = out.kind else { continue };
        let place = out.place.as_deref().map(Path::to_string_lossy);
        all.push(by_name(kind, place.as_deref(), &context).map_err(|error| match error {
            error @ (OpenError::File { .. } | OpenError::Scrape(_)) => Failure::output(error),
            error => Failure::usage(error),
        })?);
    }
    Ok(all)
}

/// The outputs that follow a run while it is under way.
#[derive(Debug)]
pub(super) struct LiveOutputs {
    hub: Hub,
    /// What the result says of them.
    noticed: Vec<String>,
}

impl LiveOutputs {
    /// The outputs of a run that has begun. One that cannot begin is told of and left out: the load is
    /// on already.
    pub(super) fn begin(
        shards: u32,
        run: &Underway<'_>,
        opened: Vec<Box<dyn Output>>,
        console: &Console,
    ) -> Self {
        let mut hub = Hub::new(shards);
        for output in opened {
            let name = output.name();
            if let Err(error) = hub.add(output) {
                console.notice(&format!("{name}: there is no thread for it: {error}"));
            }
        }
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
        Self { hub, noticed: Vec::new() }
    }

    /// Waits a little for what they hold back. What is wrong with them, for the result.
    pub(super) fn settle(&mut self) -> Vec<String> {
        self.hub.settle(PATIENCE);
        self.noticed = self.hub.reports().iter().filter_map(OutputReport::notice).collect();
        self.noticed.clone()
    }

    /// Tells them what came out, and the user what went wrong with that: the result is made by then.
    pub(super) fn finish(self, result: &RunResult, console: &Console) {
        let reports = self.hub.finish(Some(result), PATIENCE);
        let notices = reports.iter().filter_map(OutputReport::notice);
        for notice in notices.filter(|notice| !self.noticed.contains(notice)) {
            console.notice(&notice);
        }
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
