//! Small pictures made of characters: bars, sparklines, the histogram of a distribution.

mod bar;
mod latency;

pub(crate) use bar::{bar, sparkline};
pub(crate) use latency::latency_bars;
