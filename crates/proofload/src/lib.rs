//! Load testing with a verdict you can trust.
//!
//! This crate is the `proofload` command ([`cli`]). The parts it is made of are libraries of their own:
//! `proofload-core` (plans, schedules, metrics, verdicts), `proofload-engine` (runs a plan) and
//! `proofload-report` (renders results).

pub mod cli;
