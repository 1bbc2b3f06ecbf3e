//! The thread of one output.

use std::any::Any;
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::SyncSender;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Complaint;
use super::queue::{Next, Queue};
use super::report::{OutputReport, OutputState};
use crate::output::{Output, OutputError, Trouble};

/// How often an output is given the time of day.
const TICK: Duration = Duration::from_secs(1);

/// How an output is doing, seen from outside of its thread.
#[derive(Debug, Default)]
pub(super) struct Status(Mutex<OutputReport>);

impl Status {
    fn get(&self) -> MutexGuard<'_, OutputReport> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nobody waits for it any more.
    pub(super) fn leave_behind(&self) {
        self.get().state = OutputState::LeftBehind;
    }

    pub(super) fn report(&self, name: String, dropped: u64) -> OutputReport {
        OutputReport { name, dropped, ..self.get().clone() }
    }
}

/// What has been complained of by one output.
struct Complainer<'a> {
    name: String,
    to: &'a SyncSender<Complaint>,
    told: HashSet<Trouble>,
    /// Since when it fails, while it does.
    failing_since: Option<Instant>,
}

impl Complainer<'_> {
    fn say(&self, text: String) {
        // Nobody listens to so many: they hear of it in the report.
        let _ = self.to.try_send(Complaint { output: self.name.clone(), text });
    }

    /// Tells of trouble, once for each sort.
    fn failed(&mut self, error: &OutputError, lost: u64, what: &str) {
        self.failing_since.get_or_insert_with(Instant::now);
        if !self.told.insert(error.trouble) {
            return;
        }
        let next = if error.is_final { "given up" } else { "goes on trying" };
        let lost = if lost > 0 { format!("; {lost} {what} lost so far") } else { String::new() };
        self.say(format!("{error}; {next}{lost}"));
    }

    /// Tells that trouble that was told of has passed, once.
    fn worked(&mut self, lost: u64, what: &str) {
        let Some(since) = self.failing_since.take() else { return };
        let seconds = since.elapsed().as_secs();
        let lost = if lost > 0 { format!("; {lost} {what} lost") } else { "; nothing lost".into() };
        if self.told.insert(WORKS_AGAIN) {
            self.say(format!("works again after {seconds} s{lost}"));
        }
    }
}

/// A sort of trouble that cannot be: it marks that the end of trouble has been told.
const WORKS_AGAIN: Trouble = Trouble::Status(0);

/// Serves an output until the run is over, it gives up, or it panics.
pub(super) fn serve(
    mut output: Box<dyn Output>,
    queue: &Queue,
    status: &Status,
    to: &SyncSender<Complaint>,
) {
    let name = output.name();
    let mut complainer = Complainer { name, to, told: HashSet::new(), failing_since: None };
    let ended = catch_unwind(AssertUnwindSafe(|| {
        attend(&mut *output, queue, status, &mut complainer);
        // What an output does when it is dropped may panic, too.
        drop(output);
    }));
    if let Err(panic) = ended {
        let text = format!("a bug of ours: {}", message(&*panic));
        let mut report = status.get();
        (report.state, report.last_error) = (OutputState::Panicked, Some(text.clone()));
        drop(report);
        complainer.say(format!("{text}; it hears nothing more, the run goes on"));
    }
    queue.close();
}

fn attend(output: &mut dyn Output, queue: &Queue, status: &Status, complainer: &mut Complainer) {
    let mut ticked = Instant::now();
    loop {
        let rest = TICK.saturating_sub(ticked.elapsed());
        let next = queue.next(rest);
        let is_over = matches!(next, Next::Finish(_));
        let mut done = match next {
            Next::Event(event) => Some(output.hear(&event)),
            Next::Idle => None,
            Next::Finish(result) => Some(output.finish(result.as_deref())),
            Next::Closed => return,
        };
        if !is_over && ticked.elapsed() >= TICK {
            ticked = Instant::now();
            let ticked = output.tick();
            done = Some(done.unwrap_or(Ok(())).and(ticked));
        }
        let Some(done) = done else { continue };
        let (lost, what) = (output.lost(), output.lost_what());
        let mut report = status.get();
        (report.lost, report.lost_what) = (lost, what);
        match &done {
            Ok(()) => report.state = OutputState::Working,
            Err(error) => {
                let gave_up = error.is_final && !is_over;
                let state = if gave_up { OutputState::GaveUp } else { OutputState::Failing };
                (report.state, report.last_error) = (state, Some(error.text.clone()));
            }
        }
        drop(report);
        match &done {
            Ok(()) => complainer.worked(lost, what),
            Err(error) => complainer.failed(error, lost, what),
        }
        if is_over || done.is_err_and(|error| error.is_final) {
            return;
        }
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}
