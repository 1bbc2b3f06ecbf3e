//! A phase whose load rises in steps, step by step.
//!
//! A step is what a service gets used to and then holds or does not hold, so its first part, the same
//! that rules which end a phase leave out ([`Phase::STEP_WARM_UP`]), is not looked at. Its figures come
//! from the phase's blocks of time, of which those count that lie within the rest of the step as a
//! whole: with blocks of a second, as in phases of about a minute, that costs at most two seconds a step.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::model::ExpectationRow;
use super::rows::{expectation_row, ms};
use crate::metrics::{BlockedHistogram, Histogram, PhaseTotals};
use crate::plan::{Load, Phase};
use crate::verdict::measured::{per_second, share, statistic_of};
use crate::verdict::{Expectation, Measure, Percentile, Timing};

/// A step as the plan has it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PlannedStep {
    /// Users, in the closed model.
    pub users: Option<u32>,
    /// Iterations that start a second, in the open model.
    pub rate: Option<f64>,
    /// When it begins, from the start of the phase.
    pub begins: Duration,
    /// When it ends.
    pub ends: Duration,
}

/// What was measured in a step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct StepRow {
    /// Users of the step; `null` in the open model.
    pub users: Option<u32>,
    /// Iterations that start a second; `null` in the closed model.
    pub rate: Option<f64>,
    /// When it began, from the start of the phase.
    pub start_seconds: f64,
    /// Whether the load stayed on it for as long as planned.
    pub completed: bool,
    /// Time that is looked at: without the warm-up.
    pub measured_seconds: f64,
    /// Requests that ended in it.
    pub total_requests: u64,
    /// Of these, failures.
    pub failed: u64,
    /// `(total_requests - failed) / total_requests`.
    pub success_rate: Option<f64>,
    /// Mean response time of all requests.
    pub avg_latency_ms: Option<f64>,
    /// Median response time of all requests.
    pub median_latency_ms: Option<f64>,
    /// 95th percentile of the response time of all requests.
    pub p95_latency_ms: Option<f64>,
    /// 99th percentile of the response time of all requests.
    pub p99_latency_ms: Option<f64>,
    /// Largest response time of all requests.
    pub max_latency_ms: Option<f64>,
    /// `total_requests / measured_seconds`.
    pub requests_per_second: Option<f64>,
    /// What is expected of the phase, asked of this step alone: its response times, its shares of failures and
    /// successes, and its rate. Other measures are not known by step. Empty where nothing was measured.
    pub expectations: Vec<ExpectationRow>,
}

/// The steps of a phase; none where its load does not rise in steps.
#[must_use]
pub fn planned_steps(phase: &Phase) -> Vec<PlannedStep> {
    if phase.step_every.is_none() {
        return Vec::new();
    }
    let stages: Vec<(PlannedStep, Duration)> = match &phase.load {
        Load::Users(load) => {
            let step = |users| PlannedStep { users: Some(users), ..PlannedStep::default() };
            load.stages.iter().map(|stage| (step(stage.users), stage.over)).collect()
        }
        Load::Arrivals(load) => {
            let step = |rate| PlannedStep { rate: Some(rate), ..PlannedStep::default() };
            load.stages.iter().map(|stage| (step(stage.per_second), stage.over)).collect()
        }
        Load::SharedIterations { .. } => Vec::new(),
    };
    let mut ends = Duration::ZERO;
    let mut steps = Vec::new();
    for (step, over) in stages {
        let begins = ends;
        ends += over;
        // A stage without length is the jump to the next step.
        if !over.is_zero() {
            steps.push(PlannedStep { begins, ends, ..step });
        }
    }
    steps
}

/// What was measured in the steps that were begun.
pub(super) fn step_rows(
    steps: &[PlannedStep],
    totals: &PhaseTotals,
    expectations: &[Expectation],
) -> Vec<StepRow> {
    let measured = Duration::from_nanos(totals.measured_ns());
    let begun = steps.iter().take_while(|step| step.begins < measured);
    begun.map(|step| row(step, measured, &totals.response_blocks, expectations)).collect()
}

fn row(
    step: &PlannedStep,
    measured: Duration,
    blocks: &BlockedHistogram,
    expectations: &[Expectation],
) -> StepRow {
    let from = step.begins + (step.ends - step.begins) / Phase::STEP_WARM_UP;
    let block = Duration::from_nanos(blocks.block_ns());
    let is_inside = |at: usize| {
        let begins = block.saturating_mul(u32::try_from(at).unwrap_or(u32::MAX));
        begins >= from && begins.saturating_add(block) <= step.ends
    };
    let (mut response, mut failed, mut count) = (Histogram::new(), 0_u64, 0);
    for at in (0..blocks.blocks().len()).filter(|&at| is_inside(at)) {
        response.merge(&blocks.blocks()[at]);
        failed = failed.saturating_add(blocks.failed()[at]);
        count += 1;
    }
    let percentile =
        |of: Percentile| response.value_at_quantile(of.quantile()).map(|ns| ms(ns as f64));
    let seconds = (block * count).as_secs_f64();
    StepRow {
        users: step.users,
        rate: step.rate,
        start_seconds: step.begins.as_secs_f64(),
        // The last interval ends a little before or after the step does.
        completed: measured + block / 2 >= step.ends,
        measured_seconds: seconds,
        total_requests: response.count(),
        failed,
        success_rate: share(response.count().saturating_sub(failed), response.count()),
        avg_latency_ms: response.mean().map(ms),
        median_latency_ms: percentile(Percentile::P50),
        p95_latency_ms: percentile(Percentile::P95),
        p99_latency_ms: percentile(Percentile::P99),
        max_latency_ms: response.max().map(|ns| ms(ns as f64)),
        requests_per_second: per_second(response.count(), seconds).filter(|_| count > 0),
        expectations: judged(expectations, &response, failed, seconds),
    }
}

/// What is expected of the phase and known of a step.
fn judged(
    expectations: &[Expectation],
    response: &Histogram,
    failed: u64,
    seconds: f64,
) -> Vec<ExpectationRow> {
    let total = response.count();
    let value = |measure: &Measure| match measure {
        Measure::Time(Timing::Response, statistic) => statistic_of(response, *statistic),
        Measure::ErrorRate => share(failed, total),
        Measure::SuccessRate => share(total.saturating_sub(failed), total),
        Measure::RequestsPerSecond => per_second(total, seconds),
        _ => None,
    };
    let known = expectations.iter().filter(|_| total > 0);
    let known = known.filter_map(|expectation| Some((expectation, value(expectation.measure())?)));
    known.map(|(expectation, value)| expectation_row(&expectation.judge(Some(value)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Inputs, Overrides, Plan};
    use crate::record::RunRecord;
    use crate::verdict::testing::{sample, snapshot_of, totals_of};

    fn steps(load: &str) -> Vec<PlannedStep> {
        let text = format!(
            "target = \"http://127.0.0.1:1\"\n[[user]]\nname = \"u\"\n[[user.task]]\nget = \"/\"\n\
             [[phase]]\nname = \"p\"\n{load}\n"
        );
        let plan = Plan::parse("plan.toml", &text, &Overrides::default(), &Inputs::NONE);
        planned_steps(&plan.unwrap_or_else(|errors| panic!("{errors}")).phases[0])
    }

    #[test]
    fn steps_are_those_of_the_plan() {
        let second = Duration::from_secs;
        let found = steps("step = { levels = [10, 20, 50], every = \"5s\" }");
        let shape: Vec<_> = found.iter().map(|s| (s.users, s.rate, s.begins, s.ends)).collect();
        let expect = [(10, 0), (20, 5), (50, 10)]
            .map(|(users, at)| (Some(users), None, second(at), second(at + 5)));
        assert_eq!(shape, expect);
        let found = steps("step = { rate = \"10/s\", every = \"2s\" }\nmax = \"20/s\"");
        assert_eq!(found.iter().map(|s| s.rate).collect::<Vec<_>>(), [Some(10.0), Some(20.0)]);
        assert_eq!(steps("users = 10\nduration = \"10s\""), []);
    }

    /// A second of a phase in which answers took so many milliseconds.
    fn second(at: u64, ms: &[u64]) -> crate::metrics::IntervalSnapshot {
        let samples: Vec<_> = ms.iter().map(|ms| sample(ms * 1_000_000)).collect();
        let mut snapshot = snapshot_of("read", at, 1, &samples);
        snapshot.sequence = at;
        snapshot.start_ns = at * 1_000_000_000;
        snapshot.length_ns = 1_000_000_000;
        snapshot
    }

    #[test]
    fn a_step_is_measured_without_its_warm_up_and_without_its_neighbours() {
        // Ten answers a second, of (second + 1) × 10 ms; the third step is cut off after its second second.
        let seconds: Vec<_> = (0..12).map(|at| second(at, &[(at + 1) * 10; 10])).collect();
        let totals = totals_of(&seconds);
        let mut record = RunRecord::default();
        record.totals = totals.clone();
        let planned = steps("step = { levels = [1, 2, 3, 4], every = \"5s\" }");
        let p99 = Measure::parse("p99").unwrap();
        let hits = Measure::parse("cache_hit_rate").unwrap();
        let bound = |text: &str, measure: &Measure| crate::verdict::Bound::parse(text, measure);
        let expected = [
            Expectation::bare(p99.clone(), bound("<95ms", &p99).unwrap()),
            Expectation::bare(hits.clone(), bound(">80%", &hits).unwrap()),
        ];
        let rows = step_rows(&planned, totals.phase(0).unwrap(), &expected);
        let shape: Vec<_> = rows
            .iter()
            .map(|row| (row.users, row.completed, row.total_requests, row.max_latency_ms))
            .collect();
        let expect = [
            (Some(1), true, 40, Some(50.0)),
            (Some(2), true, 40, Some(100.0)),
            (Some(3), false, 10, Some(120.0)),
        ];
        assert_eq!(shape, expect);
        // What is not known by step is not judged.
        let met: Vec<_> = rows
            .iter()
            .map(|row| row.expectations.iter().map(|row| row.limit_met).collect::<Vec<_>>())
            .collect();
        assert_eq!(met, [[Some(true)], [Some(false)], [Some(false)]]);
        assert_eq!(rows[1].requests_per_second, Some(10.0));
        assert_eq!(rows[1].measured_seconds, 4.0);
        assert_eq!(rows[1].success_rate, Some(1.0));
        assert!(
            rows[1].p99_latency_ms.unwrap() > 99.0 && rows[1].median_latency_ms.unwrap() < 91.0
        );
    }
}
