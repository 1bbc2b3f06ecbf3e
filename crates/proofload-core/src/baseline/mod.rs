//! Baselines: what later runs are compared with, as a small file for version control.
//!
//! The file is TOML. Its head is for people: where it comes from and the key figures of each phase, so that
//! a change of the baseline can be read in a review. Its last table holds what comparisons are computed
//! from, the distributions in compressed form with their blocks of time; the figures of the head are not
//! read back.

mod data;
mod figures;
mod file;

pub use file::{Baseline, BaselineError};
