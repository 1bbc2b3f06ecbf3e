//! Takes the events of a run somewhere: the journal, files, metrics systems, webhooks.
//!
//! - [`hub`]: every output has a thread and a bounded queue of its own; a slow, dead or broken one is
//!   reported and never waited for;
//! - [`output`]: what an output is, and what can go wrong with one;
//! - [`journal`]: what has been measured, on disk while the run is under way.

pub mod hub;
pub mod journal;
pub mod output;
#[cfg(test)]
mod testing;

pub use hub::{Complaint, Hub, OutputReport, OutputState};
pub use output::{Interest, Output, OutputError, Trouble};
