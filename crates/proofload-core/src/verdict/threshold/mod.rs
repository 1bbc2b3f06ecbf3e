//! Thresholds in k6's grammar: `"http_req_duration{task:send}" = ["p(99)<1s"]`.
//!
//! Metric names, aggregations, operators and tag selectors are those of k6 1.1; units on values
//! are allowed beyond k6, and a bare number of a time is milliseconds as there. Selectors match
//! the static tags of a series, and those dynamic ones that the statistics keep.

mod metric;
mod parse;

pub use metric::{Aggregation, Metric, MetricKind};

use super::{Comparison, Quantity};
use std::fmt;
use std::time::Duration;

/// One condition on a metric, as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    /// The metric.
    pub metric: Metric,
    /// Which part of the metric; all parts must match.
    pub selector: Vec<TagMatch>,
    /// Which figure of it.
    pub aggregation: Aggregation,
    /// How it is compared.
    pub comparison: Comparison,
    /// With what, in the base unit of [`Threshold::quantity`].
    pub value: f64,
    /// Stop the run when the condition does not hold.
    pub abort_on_fail: bool,
    /// How long into the run `abort_on_fail` begins to look.
    pub delay_abort_eval: Duration,
    /// The metric with its selector, as written.
    pub metric_text: String,
    /// The condition, as written.
    pub condition_text: String,
}

/// One part of a tag selector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TagMatch {
    /// `phase:` or `scenario:`
    Phase(String),
    /// `user:`
    User(String),
    /// `task:`
    Task(String),
    /// `name:`
    Name(String),
    /// `method:`
    Method(String),
    /// `url:` (the template)
    Url(String),
    /// `group:`
    Group(String),
    /// `status:`, on counts of requests
    Status(u16),
    /// `expected_response:`, on response times and counts of requests
    ExpectedResponse(bool),
    /// `error:`, by the identifier of the kind, on counts of requests
    Error(crate::metrics::ErrorKind),
    /// `check:`, on checks
    Check(String),
}

impl Threshold {
    /// The quantity of the value that is compared.
    #[must_use]
    pub fn quantity(&self) -> Quantity {
        self.metric.quantity(self.aggregation)
    }

    /// The same with k6's `abortOnFail` and `delayAbortEval`.
    #[must_use]
    pub fn with_abort(mut self, abort_on_fail: bool, delay_abort_eval: Duration) -> Self {
        self.abort_on_fail = abort_on_fail;
        self.delay_abort_eval = delay_abort_eval;
        self
    }
}

/// `http_req_duration{task:send}: p(99)<1s`, as written.
impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.metric_text, self.condition_text)
    }
}
