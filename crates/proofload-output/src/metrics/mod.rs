//! A run as metrics: what Prometheus, remote write and OTLP are given.
//!
//! Everything counts from the start of the run. Names and labels are listed in `docs/outputs.md`.

mod collect;

use std::time::Duration;

pub use collect::Collector;

/// Upper bounds of the buckets of a time, in seconds; the last bucket is everything.
pub const BUCKETS_SECONDS: [f64; 15] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];
/// Rows of all metrics together; further ones are left out and counted.
pub const MAX_ROWS: usize = 20_000;

/// What sort of number a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only goes up.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Times by bucket.
    Histogram,
}

/// A metric with all its rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// As in Prometheus, unit and `_total` included.
    pub name: &'static str,
    /// What it is.
    pub help: &'static str,
    /// What sort of number.
    pub kind: Kind,
    /// One for each set of labels.
    pub rows: Vec<Row>,
}

/// A value with its labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// In the order in which they are written; names are those of Prometheus.
    pub labels: Vec<(&'static str, String)>,
    /// The value.
    pub value: Value,
}

/// The value of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Of a counter or gauge.
    Number(f64),
    /// Of a histogram.
    Buckets {
        /// Times in each bucket of [`BUCKETS_SECONDS`] or one below, in that order.
        at_or_below: Vec<u64>,
        /// All times.
        count: u64,
        /// Their sum.
        sum: Duration,
    },
}

impl Metric {
    /// How many numbers it is made of on the wire.
    #[must_use]
    pub fn samples(&self) -> u64 {
        self.rows.iter().map(|row| row.value.samples()).sum()
    }
}

impl Value {
    fn samples(&self) -> u64 {
        match self {
            Self::Number(_) => 1,
            // The buckets, the last one, the sum and the count.
            Self::Buckets { at_or_below, .. } => at_or_below.len() as u64 + 3,
        }
    }
}
