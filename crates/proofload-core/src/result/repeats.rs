//! The result of a plan that was run several times: one document, of all runs together.
//!
//! Its figures are those of the requests of all runs: histograms are merged, counts and times add up. Intervals
//! come from how the runs differ ([`PooledPhase`]); where only the requests within runs could be asked, there is
//! none. The grade is the worst of all runs and of them together, as the exit code is that of the worst run.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::build::{Detail, ResultInput, build};
use super::digest::RunDigest;
use super::model::{
    Distribution, DoubtRow, PercentileRow, PhaseResult, RunInfo, RunResult, TrustResult,
};
use super::rows::ms;
use super::steps::StepRow;
use super::{Comparison, RequestName};
use crate::compare::{PooledPhase, RunEvidence, Spread, spread};
use crate::plan::Plan;
use crate::record::RunRecord;
use crate::stats::LEVEL;
use crate::units::human_ratio;
use crate::verdict::{ExitCode, Grade, Measure, Percentile, Quantity, Statistic, Timing};

/// Blocks of time that are kept of each phase of each run.
const MAX_BLOCKS: usize = 16;
/// How intervals of repeated runs are computed.
const METHOD: &str = "between_runs";
/// What stands there where there is no interval.
const NO_METHOD: &str = "none";

/// The runs of a result, where there are several.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Repeats {
    /// The runs, in the order in which they were run.
    pub runs: Vec<RepeatRow>,
    /// How far the runs lie apart.
    pub spread: Vec<SpreadRow>,
    /// The grade of all runs together; that of the summary is no better than the worst run's.
    pub pooled_grade: Option<Grade>,
    /// What comparisons need of each run that came to its end.
    #[schemars(with = "Vec<serde_json::Value>")]
    pub evidence: Vec<RunEvidence>,
}

/// One of several runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RepeatRow {
    /// Its number, from 1.
    pub number: u32,
    /// Name of its own result, in the folder of the runs.
    pub file: String,
    /// Name of its own report there; empty if there is none.
    pub report: String,
    /// Start, RFC 3339.
    pub started: String,
    /// From start to end.
    pub duration_seconds: f64,
    /// Its grade; `null` if nothing was expected.
    pub grade: Option<Grade>,
    /// The exit code that it would have had alone.
    pub exit_code: u8,
    /// Whether nothing speaks against its measurement.
    pub trustworthy: bool,
    /// Whether it came to its end; the figures of all runs together are without it if not.
    pub completed: bool,
    /// Finished requests.
    pub total_requests: u64,
    /// Of these, failures.
    pub failed: u64,
    /// Requests a second over all its phases.
    pub requests_per_second: Option<f64>,
    /// Median response time of all its phases together.
    pub median_latency_ms: Option<f64>,
    /// 95th percentile.
    pub p95_latency_ms: Option<f64>,
    /// 99th percentile.
    pub p99_latency_ms: Option<f64>,
    /// Largest response time.
    pub max_latency_ms: Option<f64>,
}

/// A measure of a phase over several runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SpreadRow {
    /// Name of the phase.
    pub phase: String,
    /// The measure.
    pub measure: String,
    /// Unit of the values, as in expectations.
    pub unit: String,
    /// What it was in each run that came to its end; `null` without data.
    pub values: Vec<Option<f64>>,
    /// Over the requests of all runs.
    pub pooled: Option<f64>,
    /// Lower end of the 95 % confidence interval of that, by how the runs differ; `null` if they do not bound it.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// The middle run's value; the lower of two in the middle.
    pub median: f64,
    /// Standard deviation between runs: as a part of the value, or of shares in shares; `null` for one run.
    pub deviation: Option<f64>,
    /// `pooled` for people.
    pub pooled_text: String,
    /// The interval for people; empty without both ends.
    pub interval_text: String,
    /// The middle run's value for people.
    pub median_text: String,
    /// The smallest value for people.
    pub least_text: String,
    /// The largest value for people.
    pub most_text: String,
    /// The deviation for people; empty for one run.
    pub deviation_text: String,
}

impl Repeats {
    /// The runs whose grade is worse than that of all together.
    pub fn worse_alone(&self) -> impl Iterator<Item = &RepeatRow> {
        self.runs.iter().filter(|run| run.grade > self.pooled_grade)
    }
}

/// Runs of a plan, of which one result is to be made. It grows with the runs: at any moment there is a result of
/// those that are over.
#[derive(Clone, Debug, Default)]
pub struct Pool {
    record: RunRecord,
    info: RunInfo,
    environment: BTreeMap<String, String>,
    rows: Vec<RepeatRow>,
    evidence: Vec<RunEvidence>,
    /// What speaks against each phase, with the number of the run.
    doubts: Vec<Vec<DoubtRow>>,
    /// The worst grade of each phase.
    grades: Vec<Option<Grade>>,
    /// Steps of each phase: those that were begun in any run, completed if they were in all.
    steps: Vec<Vec<StepRow>>,
    /// Sum and number of what monitors said, by phase.
    monitors: Vec<BTreeMap<String, (f64, u32)>>,
}

/// A run that is over.
#[derive(Clone, Copy, Debug)]
pub struct Repeated<'a> {
    /// What was measured.
    pub record: &'a RunRecord,
    /// Its result.
    pub result: &'a RunResult,
    /// Its exit code.
    pub code: ExitCode,
    /// Name of its result file.
    pub file: &'a str,
    /// Name of its report; empty if there is none.
    pub report: &'a str,
}

impl Pool {
    /// Adds a run. One that was stopped is counted only where no other was.
    pub fn add(&mut self, run: Repeated<'_>) {
        let result = run.result;
        let number = self.rows.len() as u32 + 1;
        let completed = !result.run.interrupted && !result.run.incomplete;
        self.rows.push(row(number, completed, &run));
        let started = std::mem::take(&mut self.info);
        self.info = RunInfo {
            started: if number == 1 { result.run.started.clone() } else { started.started },
            duration_seconds: started.duration_seconds + result.run.duration_seconds,
            interrupted: started.interrupted || result.run.interrupted,
            incomplete: started.incomplete || result.run.incomplete,
            ..result.run.clone()
        };
        if number == 1 {
            self.environment.clone_from(&result.environment);
        }
        if !completed && !self.evidence.is_empty() {
            self.info.duration_seconds = started.duration_seconds;
            return;
        }
        self.record.add_repeat(number, run.record);
        self.evidence.push(RunEvidence::of(result).with_blocks_at_most(MAX_BLOCKS));
        let phases = result.test_results.len();
        self.doubts.resize(phases, Vec::new());
        self.grades.resize(phases, None);
        self.steps.resize(phases, Vec::new());
        self.monitors.resize(phases, BTreeMap::new());
        for (at, phase) in result.test_results.iter().enumerate() {
            self.grades[at] = Grade::worse(self.grades[at], phase.grade);
            let told = |doubt: &DoubtRow| DoubtRow {
                id: doubt.id.clone(),
                text: format!("run {number}: {}", doubt.text),
            };
            self.doubts[at].extend(phase.trust.reasons.iter().map(told));
            add_steps(&mut self.steps[at], &phase.steps, self.evidence.len());
            for (name, value) in &phase.monitors {
                let sum = self.monitors[at].entry(name.clone()).or_default();
                *sum = (sum.0 + value, sum.1 + 1);
            }
        }
    }

    /// Whether no run is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The runs as one side of a comparison.
    #[must_use]
    pub fn evidence(&self) -> &[RunEvidence] {
        &self.evidence
    }

    /// The result of all runs so far, which were runs of `plan`.
    #[must_use]
    pub fn result(&self, plan: &Plan, comparison: Option<Comparison>) -> RunResult {
        let (info, environment) = (self.info.clone(), self.environment.clone());
        let mut input = ResultInput::of_plan(plan, &self.record, info, environment);
        // Intervals are of another kind here.
        input.detail = Detail::Quick;
        for (facts, monitors) in input.phases.iter_mut().zip(&self.monitors) {
            let mean = |(sum, count): &(f64, u32)| sum / f64::from(*count);
            facts.monitors = monitors.iter().map(|(name, sum)| (name.clone(), mean(sum))).collect();
        }
        let (mut result, _) = build(&input);
        for (at, phase) in result.test_results.iter_mut().enumerate() {
            self.correct(at, phase);
        }
        let pooled_grade = result.summary.grade;
        let summary = &mut result.summary;
        summary.grade =
            self.rows.iter().fold(pooled_grade, |worst, row| Grade::worse(worst, row.grade));
        summary.trustworthy = self.rows.iter().all(|row| row.trustworthy);
        summary.scenarios_passed =
            result.test_results.iter().filter(|phase| phase.passed).count() as u64;
        result.comparison = comparison;
        result.repeats = Some(Repeats {
            runs: self.rows.clone(),
            spread: spread(&self.evidence).iter().map(|row| self.spread_row(row)).collect(),
            pooled_grade,
            evidence: self.evidence.clone(),
        });
        result
    }

    /// What is otherwise for several runs than for one: grade, doubts, steps, intervals.
    fn correct(&self, at: usize, phase: &mut PhaseResult) {
        phase.grade = Grade::worse(phase.grade, self.grades.get(at).copied().flatten());
        phase.passed &= phase.grade != Some(Grade::Poor);
        let reasons = self.doubts.get(at).cloned().unwrap_or_default();
        phase.trust = TrustResult { trustworthy: reasons.is_empty(), reasons };
        let begun = self.steps.get(at).map_or(&[][..], Vec::as_slice);
        phase.steps.truncate(begun.len());
        for (step, in_runs) in phase.steps.iter_mut().zip(begun) {
            step.completed = in_runs.completed;
            step.measured_seconds = in_runs.measured_seconds;
        }
        let pooled = PooledPhase::of(&self.evidence, &phase.scenario);
        intervals(&mut phase.response_time, pooled.as_ref(), None);
        for row in &mut phase.requests {
            let name = RequestName {
                name: row.name.clone(),
                user: row.user.clone(),
                task: row.task.clone(),
            };
            intervals(&mut row.response_time, pooled.as_ref(), Some(&name));
            without_intervals(&mut row.service_time);
        }
        let others = [
            &mut phase.response_time_successful,
            &mut phase.response_time_failed,
            &mut phase.service_time,
            &mut phase.iterations.duration,
            &mut phase.generator.start_lag,
            &mut phase.generator.timer_lag,
        ];
        others.into_iter().chain(phase.timings.values_mut()).for_each(without_intervals);
    }

    fn spread_row(&self, of: &Spread) -> SpreadRow {
        let quantity = of.measure.quantity();
        let text = |value: f64| quantity.human(value);
        let pooled = PooledPhase::of(&self.evidence, &of.phase)
            .and_then(|phase| phase.value(&of.measure, None));
        let in_unit = |value: f64| quantity.in_unit(value);
        let ends = pooled.and_then(|pooled| pooled.low.zip(pooled.high));
        SpreadRow {
            phase: of.phase.clone(),
            measure: of.measure.to_string(),
            unit: quantity.unit().to_owned(),
            values: of.values.iter().map(|value| value.map(in_unit)).collect(),
            pooled: pooled.map(|pooled| in_unit(pooled.value)),
            low: pooled.and_then(|pooled| pooled.low).map(in_unit),
            high: pooled.and_then(|pooled| pooled.high).map(in_unit),
            median: in_unit(of.median),
            deviation: of.deviation,
            pooled_text: pooled.map_or_else(String::new, |pooled| text(pooled.value)),
            interval_text: ends
                .map_or_else(String::new, |(low, high)| format!("{} … {}", text(low), text(high))),
            median_text: text(of.median),
            least_text: text(of.least),
            most_text: text(of.most),
            deviation_text: of.deviation.map_or_else(String::new, |deviation| match quantity {
                Quantity::Ratio => format!("{:.2} points", deviation * 100.0),
                _ => human_ratio(deviation),
            }),
        }
    }
}

fn row(number: u32, completed: bool, run: &Repeated<'_>) -> RepeatRow {
    let (result, digest) = (run.result, RunDigest::from(run.result));
    let time = |statistic| digest.value(&Measure::Time(Timing::Response, statistic)).map(ms);
    RepeatRow {
        number,
        file: run.file.to_owned(),
        report: run.report.to_owned(),
        started: result.run.started.clone(),
        duration_seconds: result.run.duration_seconds,
        grade: result.summary.grade,
        exit_code: run.code.code(),
        trustworthy: result.summary.trustworthy,
        completed,
        total_requests: result.summary.total_requests,
        failed: result.summary.failed,
        requests_per_second: digest.value(&Measure::RequestsPerSecond),
        median_latency_ms: time(Statistic::Percentile(Percentile::P50)),
        p95_latency_ms: time(Statistic::Percentile(Percentile::P95)),
        p99_latency_ms: time(Statistic::Percentile(Percentile::P99)),
        max_latency_ms: time(Statistic::Max),
    }
}

/// Joins the steps of another run, the `runs`th, to those of the runs before.
fn add_steps(all: &mut Vec<StepRow>, steps: &[StepRow], runs: usize) {
    for (at, step) in steps.iter().enumerate() {
        match all.get_mut(at) {
            Some(known) => {
                known.completed &= step.completed;
                known.measured_seconds += step.measured_seconds;
            }
            None => all.push(StepRow { completed: step.completed && runs == 1, ..step.clone() }),
        }
    }
    all.iter_mut().skip(steps.len()).for_each(|step| step.completed = false);
}

/// Gives percentiles the interval that the difference between the runs allows.
fn intervals(times: &mut Distribution, phase: Option<&PooledPhase>, request: Option<&RequestName>) {
    for (name, row) in &mut times.percentiles {
        let measure = Measure::parse(name).ok();
        let found = phase.zip(measure).and_then(|(phase, measure)| phase.value(&measure, request));
        row.low_ms = found.and_then(|found| found.low).map(ms);
        row.high_ms = found.and_then(|found| found.high).map(ms);
        row.level = LEVEL;
        METHOD.clone_into(&mut row.method);
    }
}

/// Takes intervals away that take the requests of several runs for independent.
fn without_intervals(times: &mut Distribution) {
    for row in times.percentiles.values_mut() {
        *row = PercentileRow {
            value_ms: row.value_ms,
            level: LEVEL,
            method: NO_METHOD.to_owned(),
            ..PercentileRow::default()
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Inputs, Overrides};
    use crate::verdict::testing::{sample, snapshot_of};

    const PLAN: &str = "target = \"http://127.0.0.1:1\"\n[[user]]\nname = \"u\"\n[[user.task]]\nget = \"/\"\n\
                        [[phase]]\nname = \"p\"\nusers = 4\nduration = \"10s\"\nexpect = { p95 = \"<50ms\" }\n";

    fn plan() -> Plan {
        Plan::parse("plan.toml", PLAN, &Overrides::default(), &Inputs::NONE).expect("a plan")
    }

    /// A run of ten seconds with a hundred answers of so many milliseconds.
    fn run(plan: &Plan, ms: u64, stopped: bool) -> (RunRecord, RunResult) {
        let mut snapshot = snapshot_of("read", 0, 10, &vec![sample(ms * 1_000_000); 100]);
        snapshot.users_active = 4;
        let mut record = RunRecord::default();
        record.begin_phase(0, std::time::Duration::ZERO, 1);
        record.add(&snapshot).expect("a snapshot");
        record.note("something");
        record.end_phase(0, std::time::Duration::from_secs(10), None);
        let info = RunInfo { duration_seconds: 10.0, interrupted: stopped, ..RunInfo::default() };
        let (result, _) = build(&ResultInput::of_plan(plan, &record, info, BTreeMap::new()));
        (record, result)
    }

    fn pooled(plan: &Plan, runs: &[(u64, bool)]) -> RunResult {
        let mut pool = Pool::default();
        for &(ms, stopped) in runs {
            let (record, result) = run(plan, ms, stopped);
            let code = if stopped { ExitCode::Interrupted } else { ExitCode::Passed };
            let (record, result) = (&record, &result);
            pool.add(Repeated { record, result, code, file: "run.json", report: "" });
        }
        pool.result(plan, None)
    }

    #[test]
    fn runs_together_are_one_result_with_rates_of_a_run() {
        let plan = plan();
        let result = pooled(&plan, &[(10, false), (20, false), (30, false)]);
        let phase = &result.test_results[0];
        assert_eq!((phase.total_requests, phase.elapsed_seconds), (300, 30.0));
        assert_eq!((phase.requests_per_second, phase.users_max), (Some(10.0), 4));
        assert!((phase.median_latency_ms.unwrap() / 20.0 - 1.0).abs() < 0.001);
        assert_eq!(result.summary.grade, Some(Grade::Excellent));
        let repeats = result.repeats.as_ref().unwrap();
        assert_eq!(repeats.runs.len(), 3);
        assert_eq!(repeats.spread[0].values.len(), 3);
        assert_eq!(result.marks[1].text, "run 2: something");
        assert_eq!(RunEvidence::all_of(&result).len(), 3);
        assert_eq!(RunResult::from_json(&result.to_json().unwrap()).unwrap(), result);
    }

    #[test]
    fn intervals_come_from_how_the_runs_differ() {
        let plan = plan();
        let width = |runs: &[(u64, bool)]| {
            let result = pooled(&plan, runs);
            let p50 = result.test_results[0].response_time.percentiles["p50"].clone();
            assert_eq!(p50.method, METHOD);
            p50.low_ms.zip(p50.high_ms).map_or(f64::INFINITY, |(low, high)| high - low)
        };
        assert!(width(&[(20, false); 5]) < 0.1);
        assert!(width(&[(18, false), (19, false), (20, false), (21, false), (22, false)]) > 1.0);
        let alone = pooled(&plan, &[(20, false)]);
        let service = &alone.test_results[0].service_time.percentiles["p50"];
        assert_eq!(
            (service.low_ms, service.high_ms, service.method.as_str()),
            (None, None, "none")
        );
    }

    #[test]
    fn the_worst_run_counts_and_is_named() {
        // Together the slow run is beyond the 95th percentile.
        let mut runs = vec![(10, false); 30];
        runs[3] = (900, false);
        let result = pooled(&plan(), &runs);
        let repeats = result.repeats.as_ref().unwrap();
        assert_eq!(repeats.pooled_grade, Some(Grade::Excellent));
        assert_eq!(result.summary.grade, Some(Grade::Poor));
        assert_eq!(result.test_results[0].grade, Some(Grade::Poor));
        assert_eq!(result.summary.scenarios_passed, 0);
        assert_eq!(repeats.worse_alone().map(|run| run.number).collect::<Vec<_>>(), [4]);
    }

    #[test]
    fn a_run_that_was_stopped_is_listed_and_not_counted() {
        let result = pooled(&plan(), &[(10, false), (900, true)]);
        assert_eq!((result.summary.total_requests, result.run.interrupted), (100, true));
        let repeats = result.repeats.as_ref().unwrap();
        assert_eq!(repeats.runs.iter().map(|run| run.completed).collect::<Vec<_>>(), [true, false]);
        // Unless there is no other.
        assert_eq!(pooled(&plan(), &[(900, true)]).summary.total_requests, 100);
    }
}
