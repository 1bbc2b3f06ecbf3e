//! A result as far as measures can be computed from it: what a history or a suite asks of a run.
//!
//! Of a result file only these keys are read. Per-request rows, blocks of time and samples of errors, which are most
//! of it, are skipped, so that thousands of files can be looked at.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Comparison;
use super::model::{
    CheckRow, Distribution, DoubtRow, GeneratorResult, IterationResult, PhaseResult, ResultError,
    RunInfo, RunResult, Summary, TrustResult,
};
use super::versioned::{Versioned, read};
use crate::metrics::Histogram;
use crate::verdict::measured::{per_second, share};
use crate::verdict::{ExitCode, Grade, Measure, RunEnd, Statistic, Timing, statistic_of};

/// A run.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct RunDigest {
    /// Version of the file's format.
    pub schema: u32,
    /// When the run ended, RFC 3339.
    #[serde(default)]
    pub timestamp: String,
    /// What was run.
    #[serde(default)]
    pub run: RunInfo,
    /// The whole run in a few figures.
    #[serde(default)]
    pub summary: Summary,
    /// The phases.
    #[serde(default, rename = "test_results")]
    pub phases: Vec<PhaseDigest>,
    /// How it compares with a baseline.
    #[serde(default)]
    pub comparison: Option<Comparison>,
}

/// A phase of a run; keys as in [`PhaseResult`].
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct PhaseDigest {
    /// Name of the phase.
    pub scenario: String,
    /// Whether it was started.
    pub was_run: bool,
    /// The grade.
    pub grade: Option<Grade>,
    /// Doubts about the measurement.
    pub trust: TrustResult,
    /// Finished requests.
    pub total_requests: u64,
    /// Of these, successes.
    pub successful: u64,
    /// Of these, failures.
    pub failed: u64,
    /// Answers from a cache.
    pub cached_responses: u64,
    /// Answers that say whether they are.
    pub cache_known_responses: u64,
    /// Time that was measured.
    pub elapsed_seconds: f64,
    /// Bytes sent.
    pub bytes_sent: u64,
    /// Bytes received.
    pub bytes_received: u64,
    /// Service times.
    pub service_time: Distribution,
    /// Parts of requests.
    pub timings: BTreeMap<String, Distribution>,
    /// Iterations.
    pub iterations: IterationResult,
    /// Checks.
    pub checks: Vec<CheckRow>,
    /// The load generator's health.
    pub generator: GeneratorResult,
    /// Measures of monitors.
    pub monitors: BTreeMap<String, f64>,
    /// Response times in full.
    pub histograms: ResponseHistograms,
}

/// Response times in full.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ResponseHistograms {
    /// Of successes.
    pub response_successful: Histogram,
    /// Of failures.
    pub response_failed: Histogram,
}

impl Versioned for RunDigest {
    const KEY: &'static str = RunResult::KEY;
    const KNOWN: u32 = RunResult::KNOWN;

    fn version(&self) -> u32 {
        self.schema
    }
}

impl RunDigest {
    /// Reads a result file, skipping most of it.
    ///
    /// # Errors
    /// When it is not the result of a run, or one of a later version.
    pub fn from_json(text: &str) -> Result<Self, ResultError> {
        read(text)
    }

    /// The exit code of the run, as far as its result knows: without `--strict`.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        let code = ExitCode::of_run(RunEnd {
            grade: self.summary.grade,
            is_trustworthy: self.summary.trustworthy,
            is_strict: false,
            is_interrupted: self.run.interrupted,
            is_incomplete: self.run.incomplete,
        });
        let comparison = self.comparison.as_ref();
        code.with_regression(comparison.is_some_and(|comparison| comparison.has_regressed))
    }

    /// The phase of this name, if it was run.
    #[must_use]
    pub fn phase(&self, name: &str) -> Option<&PhaseDigest> {
        self.phases.iter().find(|phase| phase.scenario == name && phase.was_run)
    }

    /// The value of a measure over all phases that were run together, in its base unit: response times are
    /// merged, counts and times summed up. `None` without data, and for times of which a result has no full
    /// distribution (service time, parts of requests) unless only one phase has them.
    #[must_use]
    pub fn value(&self, measure: &Measure) -> Option<f64> {
        let run: Vec<&PhaseDigest> = self.phases.iter().filter(|phase| phase.was_run).collect();
        value_of(&run, measure)
    }
}

impl PhaseDigest {
    /// The value of a measure in its base unit; `None` without data.
    #[must_use]
    pub fn value(&self, measure: &Measure) -> Option<f64> {
        if self.was_run { value_of(&[self], measure) } else { None }
    }

    /// What speaks against the measurement.
    #[must_use]
    pub fn doubts(&self) -> &[DoubtRow] {
        &self.trust.reasons
    }
}

fn value_of(phases: &[&PhaseDigest], measure: &Measure) -> Option<f64> {
    let sum = |of: fn(&PhaseDigest) -> u64| {
        phases.iter().fold(0_u64, |sum, phase| sum.saturating_add(of(phase)))
    };
    let seconds: f64 = phases.iter().map(|phase| phase.elapsed_seconds).sum();
    if phases.is_empty() {
        return None;
    }
    match measure {
        Measure::SuccessRate => share(sum(|p| p.successful), sum(|p| p.total_requests)),
        Measure::ErrorRate => share(sum(|p| p.failed), sum(|p| p.total_requests)),
        Measure::CacheHitRate => {
            share(sum(|p| p.cached_responses), sum(|p| p.cache_known_responses))
        }
        Measure::Checks => {
            let checks = || phases.iter().flat_map(|phase| &phase.checks);
            let passes = checks().fold(0_u64, |sum, check| sum.saturating_add(check.passes));
            let fails = checks().fold(0_u64, |sum, check| sum.saturating_add(check.fails));
            share(passes, passes.saturating_add(fails))
        }
        Measure::Time(Timing::Response, statistic) => {
            let mut merged = Histogram::new();
            for phase in phases {
                merged.merge(&phase.histograms.response_successful);
                merged.merge(&phase.histograms.response_failed);
            }
            statistic_of(&merged, *statistic)
        }
        Measure::Time(timing, statistic) => {
            let used: Vec<&Distribution> = phases
                .iter()
                .filter_map(|phase| phase.times(*timing))
                .filter(|times| times.count > 0)
                .collect();
            match used[..] {
                [times] => times.statistic(*statistic),
                _ => None,
            }
        }
        Measure::RequestsPerSecond => per_second(sum(|p| p.total_requests), seconds),
        Measure::Requests => Some(sum(|p| p.total_requests) as f64),
        Measure::Failed => Some(sum(|p| p.failed) as f64),
        Measure::Iterations => Some(sum(|p| p.iterations.completed) as f64),
        Measure::IterationsPerSecond => per_second(sum(|p| p.iterations.completed), seconds),
        Measure::DroppedIterations => Some(sum(|p| p.iterations.dropped) as f64),
        Measure::BytesSent => Some(sum(|p| p.bytes_sent) as f64),
        Measure::BytesReceived => Some(sum(|p| p.bytes_received) as f64),
        Measure::BytesSentPerSecond => per_second(sum(|p| p.bytes_sent), seconds),
        Measure::BytesReceivedPerSecond => per_second(sum(|p| p.bytes_received), seconds),
        Measure::Monitor(name) => {
            let values = phases.iter().filter_map(|phase| phase.monitors.get(name).copied());
            values.reduce(f64::max)
        }
    }
}

impl PhaseDigest {
    fn times(&self, timing: Timing) -> Option<&Distribution> {
        match timing {
            Timing::Response => None,
            Timing::Service => Some(&self.service_time),
            Timing::Iteration => Some(&self.iterations.duration),
            Timing::StartLag => Some(&self.generator.start_lag),
            Timing::Dns
            | Timing::Connect
            | Timing::Tls
            | Timing::Send
            | Timing::Wait
            | Timing::Receive => self.timings.get(timing.prefix().trim_end_matches('_')),
        }
    }
}

impl Distribution {
    /// A figure of it in nanoseconds; percentiles only as far as they are stored.
    fn statistic(&self, statistic: Statistic) -> Option<f64> {
        let ms = match statistic {
            Statistic::Average => self.avg_ms,
            Statistic::Min => self.min_ms,
            Statistic::Max => self.max_ms,
            Statistic::Stdev => self.stdev_ms,
            Statistic::Percentile(percentile) => {
                self.percentiles.get(&percentile.to_string()).map(|row| row.value_ms)
            }
        };
        ms.map(|ms| ms * 1e6)
    }
}

impl From<&RunResult> for RunDigest {
    fn from(result: &RunResult) -> Self {
        Self {
            comparison: result.comparison.clone(),
            schema: result.schema,
            timestamp: result.timestamp.clone(),
            run: result.run.clone(),
            summary: result.summary.clone(),
            phases: result.test_results.iter().map(PhaseDigest::from).collect(),
        }
    }
}

impl From<&PhaseResult> for PhaseDigest {
    fn from(phase: &PhaseResult) -> Self {
        Self {
            scenario: phase.scenario.clone(),
            was_run: phase.was_run,
            grade: phase.grade,
            trust: phase.trust.clone(),
            total_requests: phase.total_requests,
            successful: phase.successful,
            failed: phase.failed,
            cached_responses: phase.cached_responses,
            cache_known_responses: phase.cache_known_responses,
            elapsed_seconds: phase.elapsed_seconds,
            bytes_sent: phase.bytes_sent,
            bytes_received: phase.bytes_received,
            service_time: phase.service_time.clone(),
            timings: phase.timings.clone(),
            iterations: phase.iterations.clone(),
            checks: phase.checks.clone(),
            generator: phase.generator.clone(),
            monitors: phase.monitors.clone(),
            histograms: ResponseHistograms {
                response_successful: phase.histograms.response_successful.clone(),
                response_failed: phase.histograms.response_failed.clone(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{ErrorKind, PhaseTotals};
    use crate::record::RunRecord;
    use crate::result::{Detail, PhaseFacts, ResultInput, build};
    use crate::verdict::testing::{sample, snapshot_of, totals_of};
    use crate::verdict::{GradingRule, PhaseFigures};

    const MEASURES: &[&str] = &[
        "success_rate",
        "error_rate",
        "cache_hit_rate",
        "checks",
        "avg",
        "min",
        "max",
        "stdev",
        "p50",
        "p95",
        "p97.3",
        "p99.9",
        "service_p95",
        "wait_avg",
        "receive_p99",
        "rps",
        "requests",
        "failed",
        "iterations",
        "iteration_p95",
        "iterations_per_second",
        "dropped_iterations",
        "bytes_sent",
        "bytes_received_rate",
        "cpu",
    ];

    /// Two phases of 100 requests each, of 1…100 ms and of 101…200 ms.
    fn digest() -> (RunDigest, [PhaseTotals; 2]) {
        let mut snapshots = Vec::new();
        for phase in 0..2_u64 {
            let ms = |ms: u64| (ms + 100 * phase) * 1_000_000;
            let mut samples: Vec<_> = (1..=100).map(|at| sample(ms(at))).collect();
            samples[3].cached = Some(true);
            samples[4].cached = Some(phase == 0);
            samples[99].error = Some(ErrorKind::Http5xx);
            let mut snapshot = snapshot_of("read", 0, 10, &samples);
            snapshot.phase = phase as u32;
            snapshot.series[0].stats.record_check(0, phase == 0);
            snapshot.iterations.record(ms(50), false);
            snapshots.push(snapshot);
        }
        let totals = totals_of(&snapshots);
        let monitors = BTreeMap::from([("cpu".to_owned(), 0.5)]);
        let facts = |name, index| PhaseFacts {
            name,
            index,
            monitors: monitors.clone(),
            ..PhaseFacts::default()
        };
        let mut record = RunRecord::default();
        record.totals = totals.clone();
        let input = ResultInput {
            timestamp: String::new(),
            run: RunInfo::default(),
            environment: BTreeMap::new(),
            phases: vec![facts("first", 0), facts("second", 1)],
            record: &record,
            thresholds: &[],
            rule: GradingRule::default(),
            cost: None,
            detail: Detail::Full,
        };
        let (result, _) = build(&input);
        let digest = RunDigest::from_json(&result.to_json().unwrap()).unwrap();
        assert_eq!(digest, RunDigest::from(&result));
        (digest, [totals.phase(0).unwrap().clone(), totals.phase(1).unwrap().clone()])
    }

    #[test]
    fn a_measure_of_a_result_is_the_measure_of_the_run() {
        let (digest, totals) = digest();
        let monitors = BTreeMap::from([("cpu".to_owned(), 0.5)]);
        for (name, totals) in ["first", "second"].into_iter().zip(&totals) {
            let figures = PhaseFigures::new(totals);
            for text in MEASURES {
                let measure = Measure::parse(text).unwrap();
                let (read, was) = (
                    digest.phase(name).unwrap().value(&measure),
                    figures.value(&measure, &monitors),
                );
                let (read, was) = (read.unwrap(), was.unwrap());
                // Means are stored to the nanosecond.
                assert!(
                    (read - was).abs() <= 1.0_f64.min(was.abs() * 1e-6),
                    "{text}: {read}, {was}"
                );
            }
        }
    }

    #[test]
    fn phases_together_are_merged_not_averaged() {
        let (digest, _) = digest();
        let check = |measure: &str, expect: Option<f64>| {
            let value = digest.value(&Measure::parse(measure).unwrap());
            match (value, expect) {
                (Some(value), Some(expect)) => {
                    assert!((value / expect - 1.0).abs() < 0.001, "{measure}: {value}");
                }
                _ => assert_eq!(value, expect, "{measure}"),
            }
        };
        check("p95", Some(190e6));
        check("p50", Some(100e6));
        check("max", Some(200e6));
        check("rps", Some(10.0));
        check("requests", Some(200.0));
        check("cache_hit_rate", Some(0.75));
        check("checks", Some(0.5));
        check("cpu", Some(0.5));
        // The distributions of two phases are not stored in full.
        check("wait_p95", None);
        check("tls_avg", None);
        assert_eq!(RunDigest::default().value(&Measure::Requests), None);
    }

    #[test]
    fn foreign_files_are_told() {
        let check = |text: &str, expect: &str| {
            let message = RunDigest::from_json(text).unwrap_err().to_string();
            assert!(message.contains(expect), "{message}");
        };
        check("{}", "not a result");
        check("{\"schema\": 99}", "schema 99");
        check("[1]", "not a result");
        check("{\"suite_schema\": 1}", "not a result");
    }
}
