//! Takes the events of a run somewhere: the journal, files, metrics systems, webhooks.
//!
//! - [`hub`]: every output has a thread and a bounded queue of its own; a slow, dead or broken one is
//!   reported and never waited for;
//! - [`output`]: what an output is, and what can go wrong with one;
//! - [`journal`]: what has been measured, on disk while the run is under way;
//! - [`metrics`]: a run as metrics, for those that follow;
//! - [`sinks`]: NDJSON, Prometheus (to be scraped and written to), OTLP, the webhook of alerts;
//! - [`kinds`]: all of them by the words of the command line.

pub mod hub;
pub mod journal;
pub mod kinds;
pub mod metrics;
pub mod output;
mod shipper;
pub mod sinks;
#[cfg(test)]
mod testing;

pub use hub::{Complaint, Hub, OutputReport, OutputState};
pub use kinds::{Context, KINDS, OpenError, by_name, webhook};
pub use output::{Interest, Output, OutputError, Trouble};
