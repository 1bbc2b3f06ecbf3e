//! What is seen while a run is under way.

use proofload_core::plan::Plan;
use proofload_engine::Stop;
use proofload_engine::run::{RunHandle, RunOutcome};

use super::args::OutputArgs;
use super::console::Console;

/// Follows a run to its end.
pub(super) fn follow(
    run: RunHandle,
    _plan: &Plan,
    _output: &OutputArgs,
    _console: &Console,
) -> RunOutcome {
    run.wait()
}

/// Says what a signal has brought about.
pub(super) fn told_to_stop(stop: Stop) {
    let text = match stop {
        Stop::Gracefully => "stopping: requests in flight may finish; once more stops at once",
        _ => "stopping now",
    };
    Console::new().notice(text);
}
