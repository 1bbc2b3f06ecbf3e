//! Runs over time: one measure of each, and where its level changed.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::result::RunDigest;
use crate::stats::change_points::change_points;
use crate::verdict::{Direction, Grade, Measure, Percentile, Quantity, Statistic, Timing};

/// Files that are named where they could not be read; the rest is only counted.
const MAX_SKIPPED: usize = 20;

/// Runs in the order of time, and the changes of a measure.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct History {
    /// Version of this format.
    pub history_schema: u32,
    /// The measure.
    pub measure: String,
    /// Unit of its values, as in results of runs.
    pub unit: String,
    /// Phase that it is measured in; `null` for all phases of a run together.
    pub phase: Option<String>,
    /// The runs, oldest first.
    pub runs: Vec<HistoryRun>,
    /// Changes of level, those of one plan after those of another, oldest first.
    pub changes: Vec<HistoryChange>,
    /// Files that are not results of runs, the first of them.
    pub skipped: Vec<SkippedFile>,
    /// How many there are in all.
    pub skipped_files: u64,
}

/// A run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct HistoryRun {
    /// When it started, RFC 3339.
    pub started: String,
    /// Name of its plan.
    pub plan: String,
    /// Target without credentials.
    pub target: String,
    /// Its grade.
    pub grade: Option<Grade>,
    /// Its exit code, without `--strict`.
    pub exit_code: u8,
    /// Whether nothing speaks against the measurement.
    pub trustworthy: bool,
    /// Whether it was stopped before its end, or a part of the load generators was lost.
    pub incomplete: bool,
    /// Finished requests.
    pub total_requests: u64,
    /// Share of failed requests.
    pub error_rate: Option<f64>,
    /// Requests a second.
    pub requests_per_second: Option<f64>,
    /// 95th percentile of the response time.
    pub p95_latency_ms: Option<f64>,
    /// Value of the measure.
    pub value: Option<f64>,
    /// The same for people.
    pub value_text: String,
    /// Whether it counts for changes of level: complete, trustworthy, with a value, and (where all phases are taken
    /// together) of the same phases as the plan's last run.
    pub counts: bool,
    /// The result file.
    pub file: String,
}

/// A change of level of the measure between two runs of a plan.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct HistoryChange {
    /// Name of the plan.
    pub plan: String,
    /// Index in `runs` of the first run after the change.
    pub run: usize,
    /// When that run started, RFC 3339.
    pub started: String,
    /// Median of the measure since the change before.
    pub before: f64,
    /// Median of the measure up to the next change.
    pub after: f64,
    /// Both for people.
    pub before_text: String,
    /// Both for people.
    pub after_text: String,
    /// `after / before - 1`; `null` if there was nothing before.
    pub change: Option<f64>,
    /// Probability of such a change without any reason.
    pub p_value: f64,
    /// Whether it is a change for the better.
    pub is_better: bool,
}

/// A file that is not the result of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SkippedFile {
    /// Its path.
    pub file: String,
    /// Why it was skipped.
    pub reason: String,
}

impl History {
    /// Version of the format that this build writes.
    pub const SCHEMA: u32 = 1;

    /// From the runs, each with the path of its file, in any order. Runs that started at the same time keep theirs.
    #[must_use]
    pub fn new(
        measure: &Measure,
        phase: Option<&str>,
        mut runs: Vec<(String, RunDigest)>,
        mut skipped: Vec<SkippedFile>,
    ) -> Self {
        // RFC 3339 in UTC: the order of texts is that of times.
        runs.sort_by(|(_, a), (_, b)| a.run.started.cmp(&b.run.started));
        let values: Vec<Option<f64>> =
            runs.iter().map(|(_, digest)| value(digest, measure, phase)).collect();
        let mut rows: Vec<HistoryRun> = runs
            .iter()
            .zip(&values)
            .map(|((file, digest), value)| row(file, digest, measure.quantity(), *value))
            .collect();
        if phase.is_none() {
            leave_out_other_phases(&mut rows, &runs);
        }
        let changes = plans(&rows)
            .into_iter()
            .flat_map(|plan| changes(plan, &rows, &values, measure))
            .collect();
        let skipped_files = skipped.len() as u64;
        skipped.truncate(MAX_SKIPPED);
        Self {
            history_schema: Self::SCHEMA,
            measure: measure.to_string(),
            unit: measure.quantity().unit().to_owned(),
            phase: phase.map(str::to_owned),
            runs: rows,
            changes,
            skipped,
            skipped_files,
        }
    }

    /// The names of the plans, those that were run last first.
    #[must_use]
    pub fn plans(&self) -> Vec<&str> {
        plans(&self.runs)
    }
}

/// A plan may be run in parts (`--phase`, tests of a suite). All phases together are comparable only where they are
/// the same: those of the last run that counts.
fn leave_out_other_phases(rows: &mut [HistoryRun], runs: &[(String, RunDigest)]) {
    let phases = |at: usize| -> Vec<&str> {
        let run = runs[at].1.phases.iter().filter(|phase| phase.was_run);
        run.map(|phase| phase.scenario.as_str()).collect()
    };
    let mut last: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (at, row) in rows.iter_mut().enumerate().rev().filter(|(_, row)| row.counts) {
        let of_last = last.entry(row.plan.clone()).or_insert_with(|| phases(at));
        row.counts = *of_last == phases(at);
    }
}

fn plans(runs: &[HistoryRun]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for run in runs.iter().rev() {
        if !names.contains(&run.plan.as_str()) {
            names.push(&run.plan);
        }
    }
    names
}

fn value(digest: &RunDigest, measure: &Measure, phase: Option<&str>) -> Option<f64> {
    let value = match phase {
        Some(phase) => digest.phase(phase)?.value(measure),
        None => digest.value(measure),
    };
    value.filter(|value| value.is_finite())
}

fn row(file: &str, digest: &RunDigest, quantity: Quantity, value: Option<f64>) -> HistoryRun {
    let p95 = Measure::Time(Timing::Response, Statistic::Percentile(Percentile::P95));
    let incomplete = digest.run.interrupted || digest.run.incomplete;
    let trustworthy = digest.summary.trustworthy;
    HistoryRun {
        started: digest.run.started.clone(),
        plan: digest.run.name.clone(),
        target: digest.run.target.clone(),
        grade: digest.summary.grade,
        exit_code: digest.exit_code().code(),
        trustworthy,
        incomplete,
        total_requests: digest.summary.total_requests,
        error_rate: digest.value(&Measure::ErrorRate),
        requests_per_second: digest.value(&Measure::RequestsPerSecond),
        p95_latency_ms: digest.value(&p95).map(|ns| ns / 1e6),
        value: value.map(|value| quantity.in_unit(value)),
        value_text: value.map(|value| quantity.human(value)).unwrap_or_default(),
        counts: value.is_some() && trustworthy && !incomplete,
        file: file.to_owned(),
    }
}

/// The changes of the runs of one plan.
fn changes(
    plan: &str,
    rows: &[HistoryRun],
    values: &[Option<f64>],
    measure: &Measure,
) -> Vec<HistoryChange> {
    let counted: Vec<(usize, f64)> = rows
        .iter()
        .zip(values)
        .enumerate()
        .filter(|(_, (row, _))| row.plan == plan && row.counts)
        .filter_map(|(index, (_, value))| Some((index, (*value)?)))
        .collect();
    let series: Vec<f64> = counted.iter().map(|(_, value)| *value).collect();
    let quantity = measure.quantity();
    change_points(&series)
        .into_iter()
        .map(|point| {
            let run = counted[point.at].0;
            let is_lower = point.after < point.before;
            HistoryChange {
                plan: plan.to_owned(),
                run,
                started: rows[run].started.clone(),
                before: quantity.in_unit(point.before),
                after: quantity.in_unit(point.after),
                before_text: quantity.human(point.before),
                after_text: quantity.human(point.after),
                change: (point.before != 0.0).then(|| point.after / point.before - 1.0),
                p_value: point.p_value,
                is_better: is_lower == (measure.direction() == Direction::LowerIsBetter),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Histogram;
    use crate::result::{PhaseDigest, ResponseHistograms, RunInfo, Summary};

    /// The run of the given number, whose only phase answered in so many milliseconds.
    fn run(number: usize, plan: &str, ms: u64) -> (String, RunDigest) {
        let phase = PhaseDigest {
            scenario: "load".to_owned(),
            was_run: true,
            total_requests: 10,
            successful: 10,
            elapsed_seconds: 2.0,
            histograms: ResponseHistograms {
                response_successful: Histogram::from_iter([ms * 1_000_000; 10]),
                response_failed: Histogram::new(),
            },
            ..PhaseDigest::default()
        };
        let digest = RunDigest {
            run: RunInfo {
                name: plan.to_owned(),
                started: format!("2026-11-{:02}T00:00:00.000Z", number + 1),
                ..RunInfo::default()
            },
            summary: Summary { trustworthy: true, total_requests: 10, ..Summary::default() },
            phases: vec![phase],
            ..RunDigest::default()
        };
        (format!("{number}/result.json"), digest)
    }

    fn history(measure: &str, phase: Option<&str>, runs: Vec<(String, RunDigest)>) -> History {
        History::new(&Measure::parse(measure).unwrap(), phase, runs, Vec::new())
    }

    /// Twenty runs of a plan that became slower with the twelfth, between runs of another one.
    fn slower() -> Vec<(String, RunDigest)> {
        let ms = |number: usize| if number < 11 { 100 } else { 130 } + (number % 3) as u64;
        let mut runs: Vec<_> = (0..20).map(|number| run(number, "shop", ms(number))).collect();
        runs.extend((0..20).map(|number| run(number, "other", 50)));
        runs.reverse();
        runs
    }

    #[test]
    fn a_change_is_told_of_its_plan_and_at_its_time() {
        let history = history("p95", Some("load"), slower());
        assert_eq!(history.runs.len(), 40);
        assert!(history.runs.is_sorted_by_key(|run| &run.started));
        let [change] = &history.changes[..] else { panic!("{:?}", history.changes) };
        assert_eq!(
            (change.plan.as_str(), change.started.as_str()),
            ("shop", "2026-11-12T00:00:00.000Z")
        );
        assert_eq!(history.runs[change.run].started, change.started);
        assert_eq!(history.runs[change.run].plan, "shop");
        assert!(!change.is_better);
        assert!((change.change.unwrap() - 0.3).abs() < 0.02, "{change:?}");
        assert_eq!((change.before_text.as_str(), change.after_text.as_str()), ("101 ms", "131 ms"));
    }

    #[test]
    fn which_way_is_better_depends_on_the_measure() {
        let faster = |number: usize| if number < 10 { 4.0 } else { 2.0 };
        let runs = (0..20).map(|number| {
            let (file, mut digest) = run(number, "shop", 100);
            digest.phases[0].elapsed_seconds = faster(number);
            (file, digest)
        });
        let history = history("rps", None, runs.collect());
        assert!(history.changes[0].is_better, "{:?}", history.changes);
    }

    #[test]
    fn what_cannot_be_relied_on_is_listed_but_does_not_count() {
        let mut runs = slower();
        for (_, digest) in runs.iter_mut().filter(|(_, digest)| digest.run.name == "shop") {
            digest.summary.trustworthy = digest.run.started.as_str() < "2026-11-12";
        }
        runs[5].1.run.interrupted = true;
        let history = history("p95", None, runs);
        assert_eq!((history.runs.len(), history.changes.len()), (40, 0));
        let counted = history.runs.iter().filter(|run| run.counts).count();
        assert_eq!(counted, 11 + 19);
    }

    #[test]
    fn runs_of_other_phases_are_not_compared() {
        let part = |runs: &mut Vec<(String, RunDigest)>, before: &str| {
            for (_, digest) in runs.iter_mut().filter(|(_, run)| run.run.started.as_str() < before)
            {
                digest.phases[0].scenario = "other load".to_owned();
            }
        };
        let mut runs = slower();
        part(&mut runs, "2026-11-12");
        let found = history("p95", None, runs);
        assert_eq!(found.changes, []);
        assert_eq!(found.runs.iter().filter(|run| run.counts).count(), 9 + 9);
        let mut runs = slower();
        part(&mut runs, "2026-11-03");
        let found = history("p95", None, runs);
        assert_eq!(found.changes.len(), 1);
    }

    #[test]
    fn runs_without_the_phase_have_no_value() {
        let history = history("p95", Some("nowhere"), slower());
        assert!(history.runs.iter().all(|run| run.value.is_none() && !run.counts));
        assert_eq!(history.changes, []);
        assert_eq!(history.plans(), ["shop", "other"]);
    }

    #[test]
    fn skipped_files_are_counted_and_some_are_named() {
        let skipped = |number| SkippedFile { file: format!("{number}"), reason: String::new() };
        let measure = Measure::parse("p95").unwrap();
        let history = History::new(&measure, None, Vec::new(), (0..500).map(skipped).collect());
        assert_eq!((history.skipped.len(), history.skipped_files), (MAX_SKIPPED, 500));
    }
}
