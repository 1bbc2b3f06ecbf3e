//! A worker: one thread, one runtime, its share of the users. Workers share nothing but the plan.
//!
//! The dispatcher sends [`Command`]s and gets [`Report`]s. While a phase runs, the worker's
//! [`driver`] follows the schedule, the [`pool`] keeps the users, and once a second a snapshot of
//! what was recorded goes to the dispatcher.

mod budget;
mod control;
mod driver;
mod pool;
mod recorder;
mod stop;
mod thread;
mod timer;
mod user;

pub(crate) use budget::Budget;
pub(crate) use control::Change;
pub(crate) use recorder::nanos;
pub use recorder::{Example, Recorder};
pub use stop::Stop;
pub(crate) use thread::{Command, PhaseOrder, Report, Worker, WorkerSetup};
