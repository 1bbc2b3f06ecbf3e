//! The pure part of Proofload: no clock, no files, no network. Time is an argument.

pub mod alert;
pub mod baseline;
pub mod compare;
pub mod cost;
pub mod event;
pub mod history;
pub mod improvement;
pub mod inspect;
pub mod metrics;
pub mod plan;
pub mod record;
pub mod redact;
pub mod result;
pub mod schedule;
pub mod stats;
pub mod suite;
pub mod template;
pub mod units;
pub mod verdict;
