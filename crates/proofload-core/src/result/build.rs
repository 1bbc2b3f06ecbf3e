//! Builds a result from totals and the facts of the plan.

use super::model::{
    Distribution, GeneratorResult, Histograms, IterationResult, PhaseResult, RunInfo, RunResult,
    Summary,
};
use super::rows::{
    check_row, distribution, distribution_with, error_rows, expectation_row, ladder_row, mark_row,
    ms, request_row, threshold_row, timeline_row, trust_result,
};
use super::steps::{PlannedStep, planned_steps, step_rows};
use crate::cost::CostModel;
use crate::metrics::{PhaseTotals, RequestStats};
use crate::plan::{Phase, Plan};
use crate::record::RunRecord;
use crate::stats::QuantileIntervals;
use crate::verdict::measured::{per_second, share};
use crate::verdict::{
    Expectation, GradingRule, Percentile, PhaseFigures, PhaseToJudge, PhaseVerdict, Threshold,
    Verdict,
};
use std::collections::BTreeMap;

/// The facts of a phase that its totals do not know.
#[derive(Clone, Debug, Default)]
pub struct PhaseFacts<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its index in the plan, as in snapshots.
    pub index: u32,
    /// What is expected.
    pub expectations: &'a [Expectation],
    /// Measures that come from monitors, in the base unit of their bounds.
    pub monitors: BTreeMap<String, f64>,
    /// Its steps; empty where the load does not rise in steps.
    pub steps: Vec<PlannedStep>,
}

/// Everything that a result is made of.
#[derive(Clone, Debug)]
pub struct ResultInput<'a> {
    /// When the run ended, RFC 3339. Core has no clock.
    pub timestamp: String,
    /// What was run; the target already without credentials.
    pub run: RunInfo,
    /// Where the load generator ran.
    pub environment: BTreeMap<String, String>,
    /// The phases of the plan, in order, those never started included.
    pub phases: Vec<PhaseFacts<'a>>,
    /// What was measured, and what happened.
    pub record: &'a RunRecord,
    /// Conditions over the whole run. Rates are computed over `run.duration_seconds`, without the time
    /// in which the load was paused.
    pub thresholds: &'a [Threshold],
    /// How grades are computed.
    pub rule: GradingRule,
    /// What answers cost.
    pub cost: Option<&'a CostModel>,
    /// How much is computed.
    pub detail: Detail,
}

/// How much of a result is computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// Everything.
    #[default]
    Full,
    /// All but confidence intervals by resampling, which take longer than all the rest: for results
    /// that are built every second.
    Quick,
}

impl<'a> ResultInput<'a> {
    /// The input for a run of `plan`, its facts taken from it. The run's end is the timestamp.
    #[must_use]
    pub fn of_plan(
        plan: &'a Plan,
        record: &'a RunRecord,
        run: RunInfo,
        environment: BTreeMap<String, String>,
    ) -> Self {
        let facts = |(index, phase): (usize, &'a Phase)| PhaseFacts {
            name: &phase.name,
            index: index as u32,
            expectations: &phase.expect,
            monitors: BTreeMap::new(),
            steps: planned_steps(phase),
        };
        Self {
            timestamp: run.ended.clone(),
            run,
            environment,
            phases: plan.phases.iter().enumerate().map(facts).collect(),
            record,
            thresholds: &plan.thresholds,
            rule: plan.grading.clone(),
            cost: plan.cost.as_ref(),
            detail: Detail::Full,
        }
    }
}

/// Judges the run and writes down everything.
#[must_use]
pub fn build(input: &ResultInput<'_>) -> (RunResult, Verdict) {
    let phases: Vec<PhaseToJudge<'_>> = input
        .phases
        .iter()
        .map(|facts| PhaseToJudge {
            name: facts.name,
            figures: input.record.totals.phase(facts.index).map(PhaseFigures::new),
            expectations: facts.expectations,
            monitors: facts.monitors.clone(),
        })
        .collect();
    let paused_ns: u64 = input.record.totals.phases().map(|(_, totals)| totals.paused_ns).sum();
    let run_seconds = (input.run.duration_seconds - paused_ns as f64 / 1e9).max(0.0);
    let verdict = Verdict::of(&phases, input.thresholds, run_seconds, &input.rule);
    let test_results: Vec<PhaseResult> = input
        .phases
        .iter()
        .zip(&phases)
        .zip(&verdict.phases)
        .map(|((facts, phase), verdict)| {
            phase_result(input, facts, phase.figures.as_ref(), verdict)
        })
        .collect();
    let cost = input.cost.map(|cost| cost.of(&test_results));
    let result = RunResult {
        schema: RunResult::SCHEMA,
        timestamp: input.timestamp.clone(),
        run: input.run.clone(),
        summary: summary(&test_results, &verdict),
        test_results,
        thresholds: verdict.thresholds.iter().map(threshold_row).collect(),
        environment: input.environment.clone(),
        timeline: input.record.timeline.points().iter().map(timeline_row).collect(),
        marks: input.record.marks.all().iter().map(mark_row).collect(),
        marks_dropped: input.record.marks.dropped(),
        cost,
        comparison: None,
        repeats: None,
        improvement: None,
    };
    (result, verdict)
}

fn summary(phases: &[PhaseResult], verdict: &Verdict) -> Summary {
    let sum = |of: fn(&PhaseResult) -> u64| phases.iter().map(of).sum::<u64>();
    let hits = sum(|phase| phase.cached_responses);
    Summary {
        total_scenarios: phases.len() as u64,
        scenarios_passed: verdict.phases_passed() as u64,
        average_cache_hit_rate: share(hits, sum(|phase| phase.cache_known_responses)),
        grade: verdict.grade,
        total_requests: sum(|phase| phase.total_requests),
        failed: sum(|phase| phase.failed),
        targets: verdict.tally.targets,
        targets_met: verdict.tally.targets_met,
        limits: verdict.tally.limits,
        limits_met: verdict.tally.limits_met,
        trustworthy: verdict.is_trustworthy(),
    }
}

fn phase_result(
    input: &ResultInput<'_>,
    facts: &PhaseFacts<'_>,
    figures: Option<&PhaseFigures<'_>>,
    verdict: &PhaseVerdict,
) -> PhaseResult {
    let record = input.record.phase(facts.index as usize);
    let ladder = input.rule.ladder.as_ref().zip(verdict.ladder);
    let ladder = ladder.map(|(ladder, outcome)| ladder_row(ladder, outcome));
    let judged = PhaseResult {
        scenario: facts.name.to_owned(),
        grade: verdict.grade,
        passed: verdict.has_passed(),
        was_run: verdict.was_run,
        start_seconds: record.map_or(0.0, |phase| phase.began.as_secs_f64()),
        end_seconds: record.and_then(|phase| Some(phase.ended?.as_secs_f64())),
        ended_early: record.and_then(|phase| phase.early.clone()),
        expectations: verdict.expectations.iter().map(expectation_row).chain(ladder).collect(),
        trust: trust_result(&verdict.trust),
        monitors: facts.monitors.clone(),
        ..PhaseResult::default()
    };
    match figures {
        Some(figures) => PhaseResult {
            steps: step_rows(&facts.steps, figures.totals(), facts.expectations),
            ..measured(judged, figures, input.detail)
        },
        None => judged,
    }
}

/// Adds what was measured to what was judged.
fn measured(judged: PhaseResult, figures: &PhaseFigures<'_>, detail: Detail) -> PhaseResult {
    let (totals, requests, response) = (figures.totals(), figures.requests(), figures.response());
    let seconds = totals.elapsed_seconds();
    let intervals = match detail {
        Detail::Full => QuantileIntervals::new(response, &totals.response_blocks),
        Detail::Quick => QuantileIntervals::without_blocks(response),
    };
    let response_time = distribution_with(response, &intervals);
    let percentile = |percentile: Percentile| {
        response.value_at_quantile(percentile.quantile()).map(|ns| ms(ns as f64))
    };
    let rows = totals.series().filter(|(_, stats)| !stats.is_empty());
    PhaseResult {
        total_requests: requests.requests(),
        successful: requests.successful(),
        failed: requests.failed(),
        success_rate: share(requests.successful(), requests.requests()),
        cached_responses: requests.cache_hits,
        cache_known_responses: requests.cache_known,
        cache_hit_rate: share(requests.cache_hits, requests.cache_known),
        avg_latency_ms: response_time.avg_ms,
        median_latency_ms: percentile(Percentile::P50),
        p95_latency_ms: percentile(Percentile::P95),
        p99_latency_ms: percentile(Percentile::P99),
        min_latency_ms: response_time.min_ms,
        max_latency_ms: response_time.max_ms,
        stdev_latency_ms: response_time.stdev_ms,
        requests_per_second: per_second(requests.requests(), seconds),
        elapsed_seconds: seconds,
        response_time,
        response_time_successful: distribution(&requests.response_ok),
        response_time_failed: distribution(&requests.response_failed),
        service_time: distribution(figures.service()),
        timings: timings(requests),
        requests: rows.map(|(meta, stats)| request_row(meta, stats, seconds)).collect(),
        errors: error_rows(totals, requests),
        error_samples_dropped: totals.errors.dropped(),
        status_codes: requests.statuses.iter().collect(),
        bytes_sent: requests.bytes_sent,
        bytes_received: requests.bytes_received,
        connections_opened: requests.new_connections,
        reconnects: requests.reconnects,
        checks: totals.checks().iter().map(|(name, count)| check_row(name, *count)).collect(),
        iterations: iterations(totals),
        users_max: totals.users_max(),
        generator: generator(totals),
        samples_dropped: totals.samples_dropped,
        intervals_missing: totals.snapshots_missing(),
        series_overflowed: totals.series_overflowed,
        histograms: histograms(totals, requests),
        ..judged
    }
}

fn timings(requests: &RequestStats) -> BTreeMap<String, Distribution> {
    let parts = [
        ("dns", &requests.dns),
        ("connect", &requests.connect),
        ("tls", &requests.tls),
        ("send", &requests.send),
        ("wait", &requests.wait),
        ("receive", &requests.receive),
    ];
    let used = parts.into_iter().filter(|(_, histogram)| !histogram.is_empty());
    used.map(|(name, histogram)| (name.to_owned(), distribution(histogram))).collect()
}

fn iterations(totals: &PhaseTotals) -> IterationResult {
    let iterations = &totals.iterations;
    IterationResult {
        completed: iterations.completed,
        failed: iterations.failed,
        interrupted: iterations.interrupted,
        dropped: iterations.dropped,
        duration: distribution(&iterations.duration),
    }
}

fn generator(totals: &PhaseTotals) -> GeneratorResult {
    let generator = &totals.generator;
    let peak = f64::from(generator.peak_busy_permille) / 1000.0;
    GeneratorResult {
        cpu_share: generator.busy_share(),
        cpu_share_peak: generator.busy_share().map(|_| peak),
        saturated_share: generator.saturated_share(),
        open_connections_max: totals.open_connections_max(),
        start_lag: distribution(&totals.iterations.start_lag),
        timer_lag: distribution(&generator.timer_lag),
        clock_jumps: generator.clock_jumps,
    }
}

fn histograms(totals: &PhaseTotals, requests: &RequestStats) -> Histograms {
    Histograms {
        response_successful: requests.response_ok.clone(),
        response_failed: requests.response_failed.clone(),
        service: requests.service.clone(),
        block_seconds: totals.response_blocks.block_ns() as f64 / 1e9,
        response_blocks: totals.response_blocks.blocks().to_vec(),
        failed_per_block: totals.response_blocks.failed().to_vec(),
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
