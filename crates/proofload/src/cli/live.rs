//! What is seen while a run is under way. Progress goes to standard error: standard output is for
//! results.

use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use proofload_core::plan::Plan;
use proofload_engine::Stop;
use proofload_engine::run::{RunHandle, RunOutcome};
use proofload_report::progress::{Mode, Progress, Redraw};

use super::args::OutputArgs;
use super::console::Console;

/// How often the clock on the screen moves on.
const REDRAW_EVERY: Duration = Duration::from_millis(250);

/// Follows a run to its end, with progress unless nobody wants to see it.
pub(super) fn follow(
    run: RunHandle,
    plan: &Plan,
    output: &OutputArgs,
    console: &Console,
) -> RunOutcome {
    if !output.quiet {
        show(&run, plan, console);
    }
    run.wait()
}

fn show(run: &RunHandle, plan: &Plan, console: &Console) {
    let mode =
        if console.is_live() { Mode::Live } else { Mode::Plain { every: Mode::PLAIN_EVERY } };
    let mut progress = Progress::new(plan, console.error_style(), mode);
    let mut redraw = Redraw::new();
    let started = Instant::now();
    loop {
        let event = run.next_event(REDRAW_EVERY);
        let now = started.elapsed();
        let permanent = match event {
            Ok(event) => progress.on_event(&event, now),
            Err(RecvTimeoutError::Timeout) => Vec::new(),
            Err(RecvTimeoutError::Disconnected) => break,
        };
        if let Some(columns) = console.columns() {
            progress.resize(columns);
        }
        let frame = if console.is_live() {
            redraw.frame(&permanent, &progress.view(now))
        } else {
            // A file or a pipe has no cursor: lines, one after the other.
            permanent.iter().map(|line| format!("{line}\n")).collect()
        };
        if !frame.is_empty() {
            console.print_error(&frame);
        }
    }
    console.print_error(&redraw.frame(&[], &[]));
}

/// Says what a signal has brought about.
pub(super) fn told_to_stop(stop: Stop) {
    let text = match stop {
        Stop::Gracefully => "stopping: requests in flight may finish; once more stops at once",
        _ => "stopping now",
    };
    Console::new().notice(text);
}
