//! A run: its start, its handle, its outcome.
//!
//! [`start`] opens the workload on every worker and hands the run over to the [`dispatcher`], a
//! thread that owns all of its state. Everybody else has a [`RunHandle`]: the console, the live page,
//! a test. What happens is told by [`RunEvent`](proofload_core::event::RunEvent)s.

mod controls;
mod dispatcher;
mod handle;
mod health;
mod judge;
#[cfg(test)]
mod memory_tests;
mod outcome;
mod recent;
mod wheel;

pub use controls::{Controls, ScaleError};
pub(crate) use dispatcher::Message;
pub use handle::{RunHandle, RunOptions, StartError, start};
pub use health::{HealthError, check_health};
pub use outcome::{PhaseEnd, RunFacts, RunOutcome};
