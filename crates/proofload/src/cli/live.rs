//! Who follows a run while it is under way. Progress goes to standard error: standard output is for
//! results.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use proofload_core::event::RunEvent;
use proofload_core::plan::Plan;
use proofload_core::result::RunInfo;
use proofload_engine::Stop;
use proofload_engine::run::{Controls, RunHandle, RunOutcome};
use proofload_report::progress::{Mode, Progress, Redraw};

use super::console::Console;

/// How often the clock on the screen moves on.
const TICK: Duration = Duration::from_millis(250);

/// Somebody who follows a run while it is under way, on the thread that drives the command. Must not
/// take long: what does belongs on a thread of its own.
pub(super) trait Listener {
    /// The run has begun.
    fn begin(&mut self, _run: &Underway<'_>) {}

    /// Something happened.
    fn hear(&mut self, event: &RunEvent);

    /// Time has passed; called a few times a second, whether or not something happened. Gives back
    /// what all others and the user should know.
    fn tick(&mut self) -> Vec<String> {
        Vec::new()
    }

    /// The run is over; no event follows.
    fn end(&mut self) {}

    /// What it has measured of the service meanwhile; asked once, after the end.
    fn monitored(&mut self) -> Vec<Monitored> {
        Vec::new()
    }
}

/// A measure of the system under test in a phase, from a monitor.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Monitored {
    /// The phase's place in the plan.
    pub(super) phase: usize,
    /// The measure: one of those that expectations know, such as `db_connections`.
    pub(super) measure: String,
    /// Its value in the phase.
    pub(super) value: f64,
}

/// A run that has begun.
#[derive(Debug)]
pub(super) struct Underway<'a> {
    /// What is run, with everything filled in.
    pub(super) plan: &'a Arc<Plan>,
    /// What is known of the run so far; its end is not.
    pub(super) info: &'a RunInfo,
    /// Where it runs.
    pub(super) environment: &'a BTreeMap<String, String>,
    /// Stops, pauses and scales the run.
    pub(super) controls: Controls,
    /// Where what it leaves behind goes.
    pub(super) folder: Option<&'a Path>,
}

/// Follows a run to its end.
pub(super) fn follow(run: RunHandle, listeners: &mut [&mut dyn Listener]) -> RunOutcome {
    let mut notices = Vec::new();
    loop {
        match run.next_event(TICK) {
            Ok(event) => listeners.iter_mut().for_each(|listener| listener.hear(&event)),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        let news: Vec<_> = listeners.iter_mut().flat_map(|listener| listener.tick()).collect();
        for text in news {
            let event = RunEvent::Notice(text.clone());
            listeners.iter_mut().for_each(|listener| listener.hear(&event));
            notices.push(text);
        }
    }
    listeners.iter_mut().for_each(|listener| listener.end());
    let mut outcome = run.wait();
    notices.iter().for_each(|text| outcome.record.note(text));
    outcome
}

/// The lines on standard error.
pub(super) struct ProgressLines<'a> {
    console: &'a Console,
    progress: Progress,
    redraw: Redraw,
    started: Instant,
    permanent: Vec<String>,
    /// Whether something else is on the terminal now.
    is_hidden: Box<dyn Fn() -> bool + 'a>,
}

/// Lines that wait for the terminal, at most; older ones are left out.
const WAITING_LINES: usize = 200;

impl<'a> ProgressLines<'a> {
    pub(super) fn new(plan: &Plan, console: &'a Console) -> Self {
        let mode =
            if console.is_live() { Mode::Live } else { Mode::Plain { every: Mode::PLAIN_EVERY } };
        Self {
            console,
            progress: Progress::new(plan, console.error_style(), mode),
            redraw: Redraw::new(),
            started: Instant::now(),
            permanent: Vec::new(),
            is_hidden: Box::new(|| false),
        }
    }

    /// Shows nothing while `is_hidden`.
    pub(super) fn behind(self, is_hidden: impl Fn() -> bool + 'a) -> Self {
        Self { is_hidden: Box::new(is_hidden), ..self }
    }
}

impl Listener for ProgressLines<'_> {
    fn hear(&mut self, event: &RunEvent) {
        self.permanent.extend(self.progress.on_event(event, self.started.elapsed()));
    }

    fn tick(&mut self) -> Vec<String> {
        if (self.is_hidden)() {
            let too_many = self.permanent.len().saturating_sub(WAITING_LINES);
            self.permanent.drain(..too_many);
            return Vec::new();
        }
        if let Some(columns) = self.console.columns() {
            self.progress.resize(columns);
        }
        let permanent = std::mem::take(&mut self.permanent);
        let frame = if self.console.is_live() {
            self.redraw.frame(&permanent, &self.progress.view(self.started.elapsed()))
        } else {
            // A file or a pipe has no cursor: lines, one after the other.
            permanent.iter().map(|line| format!("{line}\n")).collect()
        };
        if !frame.is_empty() {
            self.console.print_error(&frame);
        }
        Vec::new()
    }

    fn end(&mut self) {
        self.tick();
        self.console.print_error(&self.redraw.frame(&[], &[]));
    }
}

/// Says what a signal has brought about.
pub(super) fn told_to_stop(stop: Stop) {
    // The view would be spoilt; it shows that it ends.
    if proofload_tui::is_open() {
        return;
    }
    let text = match stop {
        Stop::Gracefully => "stopping: requests in flight may finish; once more stops at once",
        _ => "stopping now",
    };
    Console::new().notice(text);
}
