//! The pure part of Proofload: no clock, no files, no network. Time is an argument.

pub mod metrics;
pub mod schedule;
pub mod units;
