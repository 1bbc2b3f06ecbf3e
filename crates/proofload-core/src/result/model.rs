//! The serialised result of a run: `result.json`.
//!
//! Times are in milliseconds with nanosecond precision, shares between 0 and 1, rates a second; the
//! unit is part of each key. A figure without data is `null`, never 0: no request means no success
//! rate. Keys are only added within a version; what changes its meaning gets a new version.

use super::Comparison;
use super::repeats::Repeats;
use super::steps::StepRow;
use super::versioned::{Versioned, read};
use crate::cost::CostResult;
use crate::improvement::Improvement;
use crate::metrics::Histogram;
use crate::verdict::Grade;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Everything measured and judged in a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunResult {
    /// Version of this format.
    pub schema: u32,
    /// When the run ended, RFC 3339.
    #[serde(default)]
    pub timestamp: String,
    /// What was run.
    #[serde(default)]
    pub run: RunInfo,
    /// One entry for each phase, in the order of the plan.
    #[serde(default)]
    pub test_results: Vec<PhaseResult>,
    /// The whole run in a few figures.
    #[serde(default)]
    pub summary: Summary,
    /// k6 thresholds over the whole run.
    #[serde(default)]
    pub thresholds: Vec<ThresholdRow>,
    /// Where the load generator ran: operating system, processors, versions.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// The course of the run, in at most some hundred points.
    #[serde(default)]
    pub timeline: Vec<TimelineRow>,
    /// What happened at moments of it: alerts, changes of the load, notices.
    #[serde(default)]
    pub marks: Vec<MarkRow>,
    /// Marks that were too many to be kept.
    #[serde(default)]
    pub marks_dropped: u64,
    /// What the run has cost, with the cache and without it; `null` if the plan names no price.
    #[serde(default)]
    pub cost: Option<CostResult>,
    /// How it compares with a baseline or with other runs; `null` if it was not compared.
    #[serde(default)]
    pub comparison: Option<Comparison>,
    /// The runs that this is the result of, where a plan was run several times; `null` for one run.
    #[serde(default)]
    pub repeats: Option<Repeats>,
    /// What a change of the service has brought, by this run and one before it; `null` if nobody asked.
    #[serde(default)]
    pub improvement: Option<Improvement>,
}

/// What was run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RunInfo {
    /// Name of the plan.
    pub name: String,
    /// Target without credentials.
    pub target: String,
    /// Digest of what the plan puts on the target, as `sha256:` and 64 hexadecimal digits: two runs
    /// with the same one are comparable. Empty in results of builds that did not write it.
    pub plan_hash: String,
    /// Start, RFC 3339.
    pub started: String,
    /// End, RFC 3339.
    pub ended: String,
    /// From start to end.
    pub duration_seconds: f64,
    /// Whether the user stopped it before its end.
    pub interrupted: bool,
    /// Whether the run was cut off by a crash, or a part of the load generators was lost.
    pub incomplete: bool,
    /// Version of Proofload.
    pub tool_version: String,
}

/// The whole run in a few figures.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Summary {
    /// Phases in the plan.
    pub total_scenarios: u64,
    /// Phases that were run, made requests, and are not POOR.
    pub scenarios_passed: u64,
    /// Cached answers of all phases divided by the answers that say whether they are.
    pub average_cache_hit_rate: Option<f64>,
    /// The grade; `null` if nothing was expected.
    pub grade: Option<Grade>,
    /// Finished requests of all phases.
    pub total_requests: u64,
    /// Failed requests of all phases.
    pub failed: u64,
    /// Targets of all expectations and thresholds.
    pub targets: u32,
    /// Targets met.
    pub targets_met: u32,
    /// Limits of all expectations and thresholds.
    pub limits: u32,
    /// Limits kept.
    pub limits_met: u32,
    /// Whether nothing speaks against the measurement.
    pub trustworthy: bool,
}

/// Everything measured and judged in a phase.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PhaseResult {
    /// Name of the phase.
    pub scenario: String,
    /// Finished requests.
    pub total_requests: u64,
    /// Of these, successes.
    pub successful: u64,
    /// Of these, failures.
    pub failed: u64,
    /// `successful / total_requests`.
    pub success_rate: Option<f64>,
    /// Answers that came from a cache.
    pub cached_responses: u64,
    /// Answers that say whether they came from a cache.
    pub cache_known_responses: u64,
    /// `cached_responses / cache_known_responses`.
    pub cache_hit_rate: Option<f64>,
    /// Mean response time of all requests.
    pub avg_latency_ms: Option<f64>,
    /// Median response time of all requests.
    pub median_latency_ms: Option<f64>,
    /// 95th percentile of the response time of all requests.
    pub p95_latency_ms: Option<f64>,
    /// 99th percentile of the response time of all requests.
    pub p99_latency_ms: Option<f64>,
    /// Smallest response time of all requests.
    pub min_latency_ms: Option<f64>,
    /// Largest response time of all requests.
    pub max_latency_ms: Option<f64>,
    /// Standard deviation of the response time of all requests.
    pub stdev_latency_ms: Option<f64>,
    /// `total_requests / elapsed_seconds`.
    pub requests_per_second: Option<f64>,
    /// The grade; `null` if nothing was expected or the phase was never started.
    pub grade: Option<Grade>,
    /// Whether it was run, made requests, and is not POOR.
    pub passed: bool,
    /// Whether it was started.
    pub was_run: bool,
    /// Start, from the start of the run.
    pub start_seconds: f64,
    /// When it was over, from the start of the run, pauses and requests in flight at its end included;
    /// `null` if it never was.
    pub end_seconds: Option<f64>,
    /// Time that was measured, the denominator of rates.
    pub elapsed_seconds: f64,
    /// Why it ended before its load was done: the limit that was found, or the one that broke;
    /// `null` if it ran to its end.
    pub ended_early: Option<String>,
    /// What was expected, and how it came out.
    pub expectations: Vec<ExpectationRow>,
    /// The steps that were begun; empty where the load does not rise in steps.
    pub steps: Vec<StepRow>,
    /// Whether the measurement can be trusted.
    pub trust: TrustResult,
    /// From the intended start to the end of the answer, successes and failures.
    pub response_time: Distribution,
    /// The same of successes only.
    pub response_time_successful: Distribution,
    /// The same of failures only.
    pub response_time_failed: Distribution,
    /// From the actual start to the end of the answer; equals the response time in closed load.
    pub service_time: Distribution,
    /// Parts of requests: `dns`, `connect`, `tls`, `send`, `wait`, `receive`. The first three of
    /// those requests only that made one.
    pub timings: BTreeMap<String, Distribution>,
    /// One entry for each request of the plan.
    pub requests: Vec<RequestRow>,
    /// Failures by kind.
    pub errors: Vec<ErrorRow>,
    /// Failures of which no sample was kept.
    pub error_samples_dropped: u64,
    /// Answers by HTTP status.
    pub status_codes: BTreeMap<u16, u64>,
    /// Bytes sent.
    pub bytes_sent: u64,
    /// Bytes received.
    pub bytes_received: u64,
    /// Connections opened.
    pub connections_opened: u64,
    /// Requests sent again because a kept-alive connection had been closed.
    pub reconnects: u64,
    /// Checks by name.
    pub checks: Vec<CheckRow>,
    /// Iterations of virtual users.
    pub iterations: IterationResult,
    /// Most virtual users active; with several load generators an upper bound.
    pub users_max: u32,
    /// Measures of monitors, in the unit that the monitor documents.
    pub monitors: BTreeMap<String, f64>,
    /// The load generator's own health.
    pub generator: GeneratorResult,
    /// Samples that could not be recorded.
    pub samples_dropped: u64,
    /// Intervals of load generators that never arrived.
    pub intervals_missing: u64,
    /// How often a series was counted in `(other)` because there were too many.
    pub series_overflowed: u64,
    /// The distributions in full, to merge or compare results later.
    pub histograms: Histograms,
}

/// A distribution of times.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Distribution {
    /// Samples.
    pub count: u64,
    /// Mean.
    pub avg_ms: Option<f64>,
    /// Smallest.
    pub min_ms: Option<f64>,
    /// Largest.
    pub max_ms: Option<f64>,
    /// Standard deviation.
    pub stdev_ms: Option<f64>,
    /// Nearest-rank percentiles by name: `p50`, `p99.9`. Empty without samples.
    pub percentiles: BTreeMap<String, PercentileRow>,
}

/// A percentile with its confidence interval.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PercentileRow {
    /// The percentile.
    pub value_ms: f64,
    /// Lower end of the confidence interval; `null` if the samples do not bound it.
    pub low_ms: Option<f64>,
    /// Upper end of the confidence interval; `null` if the samples do not bound it.
    pub high_ms: Option<f64>,
    /// Confidence level of the interval, 0…1.
    pub level: f64,
    /// How the interval was computed: `block_bootstrap` or `order_statistics`.
    pub method: String,
}

/// One request of the plan.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RequestRow {
    /// Name of the request.
    pub name: String,
    /// Kind of user.
    pub user: String,
    /// Task.
    pub task: String,
    /// HTTP method, or the command of another protocol.
    pub method: String,
    /// URL template.
    pub url: String,
    /// k6's group.
    pub group: String,
    /// Finished requests.
    pub total_requests: u64,
    /// Of these, failures.
    pub failed: u64,
    /// `(total_requests - failed) / total_requests`.
    pub success_rate: Option<f64>,
    /// `total_requests` divided by the phase's `elapsed_seconds`.
    pub requests_per_second: Option<f64>,
    /// `cached / answers that say so`.
    pub cache_hit_rate: Option<f64>,
    /// Response time of all requests.
    pub response_time: Distribution,
    /// Service time of all requests.
    pub service_time: Distribution,
    /// Failures by kind.
    pub errors: BTreeMap<String, u64>,
    /// Answers by HTTP status.
    pub status_codes: BTreeMap<u16, u64>,
    /// Bytes sent.
    pub bytes_sent: u64,
    /// Bytes received.
    pub bytes_received: u64,
    /// Checks on the answer.
    pub checks: Vec<CheckRow>,
    /// Response times in full: base64 of the binary form.
    #[schemars(with = "String")]
    pub response_histogram: Histogram,
}

/// Failures of one kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ErrorRow {
    /// Identifier of the kind.
    pub kind: String,
    /// The kind in words.
    pub description: String,
    /// How many.
    pub count: u64,
    /// The earliest ones.
    pub samples: Vec<ErrorSampleRow>,
}

/// One failure.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ErrorSampleRow {
    /// When, from the start of the phase.
    pub at_seconds: f64,
    /// Name of the request.
    pub request: String,
    /// What went wrong.
    pub message: String,
    /// HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// How long the request took.
    pub elapsed_ms: f64,
}

/// A check.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CheckRow {
    /// Its name.
    pub name: String,
    /// Times it held.
    pub passes: u64,
    /// Times it did not.
    pub fails: u64,
    /// `passes / (passes + fails)`.
    pub rate: Option<f64>,
}

/// An expectation and how it came out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ExpectationRow {
    /// The measure.
    pub measure: String,
    /// Unit of `measured` and the bounds' values: `ms`, `ratio`, `1/s`, `count`, `bytes`,
    /// `bytes/s`, or nothing for a monitor's own.
    pub unit: String,
    /// What was measured; `null` without data.
    pub measured: Option<f64>,
    /// The same for people.
    pub measured_text: String,
    /// What one wants.
    pub target: Option<BoundRow>,
    /// What one cannot accept.
    pub limit: Option<BoundRow>,
    /// Whether the target is met.
    pub target_met: Option<bool>,
    /// Whether the limit is kept.
    pub limit_met: Option<bool>,
}

/// A bound.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct BoundRow {
    /// `<`, `<=`, `>`, `>=`, `==` or `!=`.
    pub comparison: String,
    /// In the unit of the row.
    pub value: f64,
    /// The bound for people.
    pub text: String,
}

/// What was measured in a stretch of a phase.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TimelineRow {
    /// The phase, as an index into `test_results`.
    pub phase: usize,
    /// When it began, from the start of the run.
    pub start_seconds: f64,
    /// How much time was measured in it, the denominator of rates.
    pub length_seconds: f64,
    /// Most users there were at the end of an interval.
    pub users: u32,
    /// Requests that ended in it.
    pub requests: u64,
    /// Of these, failures.
    pub failed: u64,
    /// Median response time of all requests.
    pub p50_ms: Option<f64>,
    /// 95th percentile of the response time of all requests.
    pub p95_ms: Option<f64>,
    /// 99th percentile of the response time of all requests.
    pub p99_ms: Option<f64>,
    /// Mean response time of all requests.
    pub avg_ms: Option<f64>,
    /// Largest response time of all requests.
    pub max_ms: Option<f64>,
    /// Bytes sent.
    pub bytes_sent: u64,
    /// Bytes received.
    pub bytes_received: u64,
    /// Iterations that ran to their end.
    pub iterations: u64,
    /// Iterations of open load that were not started.
    pub iterations_dropped: u64,
    /// Arrivals of open load that found every user at work and had to wait.
    pub iterations_queued: u64,
    /// 99th percentile of how late the load generator started iterations of open load.
    pub start_lag_p99_ms: Option<f64>,
    /// Processor time of workers divided by time that passed, 0…1.
    pub generator_cpu_share: Option<f64>,
    /// Measures of monitors, in the unit that the monitor documents.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub monitors: BTreeMap<String, f64>,
}

/// Something that happened at a moment of the run, or lasted for a while.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct MarkRow {
    /// When it happened or began, from the start of the run.
    pub at_seconds: f64,
    /// When it was over; `null` for a moment, or if it lasted to the end.
    pub until_seconds: Option<f64>,
    /// `alert`, `control`, `fault` or `notice`.
    pub kind: String,
    /// `info`, `warning` or `critical`.
    pub level: String,
    /// What happened.
    pub text: String,
}

/// A k6 threshold and how it came out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ThresholdRow {
    /// The metric with its selector, as written.
    pub metric: String,
    /// The condition, as written.
    pub condition: String,
    /// Unit of `measured`.
    pub unit: String,
    /// What was measured; `null` without data.
    pub measured: Option<f64>,
    /// The same for people.
    pub measured_text: String,
    /// Whether the condition holds.
    pub met: bool,
}

/// Whether a measurement can be trusted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TrustResult {
    /// Whether nothing speaks against it.
    pub trustworthy: bool,
    /// What does.
    pub reasons: Vec<DoubtRow>,
}

/// A reason not to trust a measurement.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct DoubtRow {
    /// Identifier.
    pub id: String,
    /// In words.
    pub text: String,
}

/// Iterations of virtual users.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct IterationResult {
    /// Ran to their end.
    pub completed: u64,
    /// Of these, something failed.
    pub failed: u64,
    /// Cut short by the end of the phase.
    pub interrupted: u64,
    /// Not started, because all users were busy (open load).
    pub dropped: u64,
    /// How long completed iterations took.
    pub duration: Distribution,
}

/// The load generator's own health.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct GeneratorResult {
    /// Processor time of workers divided by time that passed, 0…1.
    pub cpu_share: Option<f64>,
    /// The busiest worker in its busiest interval.
    pub cpu_share_peak: Option<f64>,
    /// Share of the workers' time in intervals in which they were saturated.
    pub saturated_share: Option<f64>,
    /// Most connections open; with several workers the sum of their most.
    pub open_connections_max: u32,
    /// How late iterations of open load started.
    pub start_lag: Distribution,
    /// How late timers fired.
    pub timer_lag: Distribution,
    /// Times the clock jumped.
    pub clock_jumps: u64,
}

/// Distributions in full, base64 of the versioned binary form.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Histograms {
    /// Response times of successes.
    #[schemars(with = "String")]
    pub response_successful: Histogram,
    /// Response times of failures.
    #[schemars(with = "String")]
    pub response_failed: Histogram,
    /// Service times; empty in closed load, where they equal the response times.
    #[schemars(with = "String")]
    pub service: Histogram,
    /// Length of a block.
    pub block_seconds: f64,
    /// Response times of all requests by block of time, from the start of the phase.
    #[schemars(with = "Vec<String>")]
    pub response_blocks: Vec<Histogram>,
    /// How many requests of each block failed.
    pub failed_per_block: Vec<u64>,
}

/// Why a text is not a result.
#[derive(Debug, thiserror::Error)]
pub enum ResultError {
    /// Not JSON, or not of this form.
    #[error("this is not a result of Proofload: {0}")]
    Malformed(#[from] serde_json::Error),
    /// Written by a later Proofload.
    #[error(
        "this result has schema {found}, this build reads up to {known}: use a newer Proofload"
    )]
    TooNew {
        /// Version of the file.
        found: u32,
        /// Version of this build.
        known: u32,
    },
}

impl Versioned for RunResult {
    const KEY: &'static str = "schema";
    const KNOWN: u32 = Self::SCHEMA;

    fn version(&self) -> u32 {
        self.schema
    }
}

impl RunResult {
    /// Version of the format that this build writes.
    pub const SCHEMA: u32 = 1;

    /// Indented JSON with a final line break.
    ///
    /// # Errors
    /// When a number is not finite, which a bug would be.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// Reads a result; unknown keys are ignored, absent ones have their default.
    ///
    /// # Errors
    /// When it is not a result, or one of a later version.
    pub fn from_json(text: &str) -> Result<Self, ResultError> {
        read(text)
    }

    /// JSON Schema of the format.
    #[must_use]
    pub fn json_schema() -> serde_json::Value {
        schemars::schema_for!(Self).to_value()
    }
}
