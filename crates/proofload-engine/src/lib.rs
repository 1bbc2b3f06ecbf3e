//! Runs a Proofload plan: one dispatcher, share-nothing workers, virtual users, protocols.

pub mod http;
pub mod run;
pub mod system;
mod worker;
pub mod workload;

pub use worker::{Example, Recorder, Stop};
