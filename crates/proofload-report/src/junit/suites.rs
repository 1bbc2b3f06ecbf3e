//! What becomes a test suite and what a test case.

use proofload_core::result::{
    CheckRow, Comparison, ExpectationRow, GoalOutcome, PhaseResult, Repeats, RunResult,
    ThresholdRow,
};
use proofload_core::units::{human_count, human_ratio};
use proofload_core::verdict::Grade;

use crate::instant;

/// A test suite: a phase, or the run as a whole.
#[derive(Debug, Default)]
pub(super) struct Suite {
    pub(super) name: String,
    /// The plan; groups suites of several plans in one view.
    pub(super) package: String,
    /// `classname` of its cases. Test views split it at its last dot.
    pub(super) class: String,
    pub(super) host: String,
    /// Start, UTC, `2026-11-21T09:30:00`.
    pub(super) timestamp: String,
    pub(super) properties: Vec<(String, String)>,
    pub(super) cases: Vec<Case>,
    pub(super) output: String,
}

impl Suite {
    /// The sum of its cases, as test views add it up themselves.
    pub(super) fn seconds(&self) -> f64 {
        self.cases.iter().map(|case| case.seconds).sum()
    }
}

#[derive(Debug)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) seconds: f64,
    pub(super) outcome: Outcome,
}

impl Case {
    pub(super) fn new(name: impl Into<String>, outcome: Outcome) -> Self {
        Self { name: name.into(), seconds: 0.0, outcome }
    }
}

#[derive(Debug)]
pub(super) enum Outcome {
    Passed,
    /// Nothing is broken, but somebody should know.
    Skipped(String),
    /// The verdict speaks against it.
    Failed {
        kind: &'static str,
        message: String,
        detail: String,
    },
    /// There can be no verdict.
    Errored {
        kind: &'static str,
        message: String,
        detail: String,
    },
}

impl Outcome {
    pub(super) fn failed(kind: &'static str, message: String) -> Self {
        Self::Failed { kind, detail: message.clone(), message }
    }

    pub(super) fn errored(kind: &'static str, message: String, detail: String) -> Self {
        Self::Errored { kind, message, detail }
    }

    pub(super) fn is_failed(&self) -> bool {
        matches!(self, Self::Failed { .. })
    }

    pub(super) fn is_errored(&self) -> bool {
        matches!(self, Self::Errored { .. })
    }

    pub(super) fn is_skipped(&self) -> bool {
        matches!(self, Self::Skipped(_))
    }
}

/// The phases in their order, then the run, then its comparison with others.
pub(super) fn of(result: &RunResult) -> Vec<Suite> {
    let phases = result.test_results.iter().map(|phase| of_phase(result, phase));
    let comparison = result.comparison.iter().map(|found| of_comparison(result, found));
    let repeats = result.repeats.iter().map(|repeats| of_repeats(result, repeats));
    phases.chain([of_run(result)]).chain(repeats).chain(comparison).collect()
}

fn suite(result: &RunResult, name: &str, start_seconds: f64) -> Suite {
    // The dot divides package and class.
    let part = |text: &str| text.replace('.', "_");
    let host = result.environment.get("hostname").filter(|name| !name.trim().is_empty());
    let host = host.map_or("localhost", String::as_str);
    Suite {
        name: name.to_owned(),
        package: part(&result.run.name),
        class: format!("{}.{}", part(&result.run.name), part(name)),
        host: host.to_owned(),
        timestamp: instant::utc_second(&result.run.started, start_seconds),
        ..Suite::default()
    }
}

/// A case for each of several runs: one alone makes the exit code.
fn of_repeats(result: &RunResult, repeats: &Repeats) -> Suite {
    let mut suite = suite(result, "runs", 0.0);
    for run in &repeats.runs {
        let outcome = match run.grade {
            _ if !run.completed => Outcome::Skipped("it was stopped before its end".to_owned()),
            Some(grade @ (Grade::Fair | Grade::Poor)) => {
                Outcome::failed("grade", format!("run {} alone is {grade}", run.number))
            }
            _ => Outcome::Passed,
        };
        let case = Case::new(format!("run {}", run.number), outcome);
        suite.cases.push(Case { seconds: run.duration_seconds, ..case });
    }
    suite
}

fn of_phase(result: &RunResult, phase: &PhaseResult) -> Suite {
    let mut suite = suite(result, &phase.scenario, phase.start_seconds);
    suite.cases.push(Case { seconds: phase.elapsed_seconds, ..Case::new("requests", ran(phase)) });
    if phase.was_run {
        suite.properties = properties(phase);
        suite.cases.push(trust(phase));
        suite.cases.extend(phase.expectations.iter().map(expectation));
        suite.cases.extend(checks(&phase.checks));
        suite.output = errors(phase);
    } else {
        let never = || Outcome::Skipped("the phase was not run".to_owned());
        let rows = phase.expectations.iter();
        suite.cases.extend(rows.map(|row| Case::new(expectation_name(row), never())));
    }
    suite
}

/// Whether there is anything to judge.
fn ran(phase: &PhaseResult) -> Outcome {
    if !phase.was_run {
        Outcome::Skipped("the phase was not run".to_owned())
    } else if phase.total_requests == 0 {
        Outcome::failed("no_requests", "the phase made no request".to_owned())
    } else {
        Outcome::Passed
    }
}

fn properties(phase: &PhaseResult) -> Vec<(String, String)> {
    let number = |value: Option<f64>| value.map(|value| value.to_string());
    let all = [
        ("grade", phase.grade.map(|grade| grade.name().to_owned())),
        ("total_requests", Some(phase.total_requests.to_string())),
        ("failed", Some(phase.failed.to_string())),
        ("success_rate", number(phase.success_rate)),
        ("requests_per_second", number(phase.requests_per_second)),
        ("avg_latency_ms", number(phase.avg_latency_ms)),
        ("median_latency_ms", number(phase.median_latency_ms)),
        ("p95_latency_ms", number(phase.p95_latency_ms)),
        ("p99_latency_ms", number(phase.p99_latency_ms)),
        ("max_latency_ms", number(phase.max_latency_ms)),
        ("cache_hit_rate", number(phase.cache_hit_rate)),
        ("users_max", Some(phase.users_max.to_string())),
        ("ended_early", phase.ended_early.clone()),
    ];
    let present = all.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    let monitors = phase.monitors.iter().filter(|(name, _)| !name.is_empty());
    present.chain(monitors.map(|(name, value)| (name.clone(), value.to_string()))).collect()
}

fn trust(phase: &PhaseResult) -> Case {
    let outcome = if phase.trust.trustworthy {
        Outcome::Passed
    } else {
        let reasons: Vec<&str> = phase.trust.reasons.iter().map(|row| row.text.as_str()).collect();
        let message = "the measurement is not trustworthy".to_owned();
        Outcome::errored("suspect", message, reasons.join("\n"))
    };
    Case::new("measurement is trustworthy", outcome)
}

/// Only the measure: a test view keeps the history of a case by its name, and a bound may be moved.
fn expectation_name(row: &ExpectationRow) -> String {
    format!("expect {}", row.measure)
}

fn expectation(row: &ExpectationRow) -> Case {
    let bound = |of: &Option<proofload_core::result::BoundRow>| {
        of.as_ref().map_or(String::new(), |bound| bound.text.clone())
    };
    let (measure, measured) = (&row.measure, &row.measured_text);
    let outcome = match (row.limit_met, row.target_met) {
        (Some(false), _) => {
            let message = format!("{measure} is {measured}, limit {}", bound(&row.limit));
            let mut detail = format!("measured: {measured}\nlimit:    {}", bound(&row.limit));
            if row.target.is_some() {
                detail.push_str(&format!("\ntarget:   {}", bound(&row.target)));
            }
            Outcome::Failed { kind: "limit", message, detail }
        }
        (_, Some(false)) => {
            let target = bound(&row.target);
            Outcome::Skipped(format!("target missed: {measure} is {measured}, target {target}"))
        }
        _ => Outcome::Passed,
    };
    Case::new(expectation_name(row), outcome)
}

fn checks(rows: &[CheckRow]) -> impl Iterator<Item = Case> {
    rows.iter().map(|row| {
        let outcome = match (row.passes, row.fails) {
            (_, 0) => Outcome::Passed,
            (0, fails) => {
                Outcome::failed("check", format!("never held: failed {} times", human_count(fails)))
            }
            (passes, fails) => Outcome::Skipped(format!(
                "failed {} of {} times, held {}",
                human_count(fails),
                human_count(passes.saturating_add(fails)),
                human_ratio(row.rate.unwrap_or(0.0)),
            )),
        };
        Case::new(format!("check {}", row.name), outcome)
    })
}

/// Failures by kind with a sample each.
fn errors(phase: &PhaseResult) -> String {
    let mut text = String::new();
    for row in &phase.errors {
        text.push_str(&format!(
            "{} x {} ({})\n",
            human_count(row.count),
            row.description,
            row.kind
        ));
        if let Some(sample) = row.samples.first() {
            text.push_str(&format!("  e.g. {}: {}\n", sample.request, sample.message));
        }
    }
    text
}

/// Thresholds and what concerns the whole run.
fn of_run(result: &RunResult) -> Suite {
    let mut suite = suite(result, "run", 0.0);
    let run = &result.run;
    let facts = [
        ("plan", &run.name),
        ("target", &run.target),
        ("started", &run.started),
        ("ended", &run.ended),
        ("proofload", &run.tool_version),
    ];
    let facts = facts.into_iter().map(|(name, value)| (name.to_owned(), value.clone()));
    let environment = result.environment.iter().map(|(name, value)| (name.clone(), value.clone()));
    suite.properties = facts.chain(environment).filter(|(name, _)| !name.is_empty()).collect();
    suite.cases.push(Case::new("run is complete", complete(result)));
    suite.cases.push(Case::new("grade", grade(result)));
    suite.cases.extend(result.thresholds.iter().map(threshold));
    suite
}

fn complete(result: &RunResult) -> Outcome {
    if result.run.incomplete {
        let message = "the run is incomplete: cut off, or a load generator was lost".to_owned();
        Outcome::errored("incomplete", message, String::new())
    } else if result.run.interrupted {
        let message = "the run was interrupted".to_owned();
        Outcome::errored("interrupted", message, String::new())
    } else {
        Outcome::Passed
    }
}

fn grade(result: &RunResult) -> Outcome {
    let summary = &result.summary;
    match summary.grade {
        None => Outcome::Skipped("nothing was expected".to_owned()),
        Some(Grade::Excellent | Grade::Good) => Outcome::Passed,
        Some(grade) => Outcome::failed(
            "grade",
            format!(
                "{grade}: {} of {} limits kept, {} of {} targets met",
                summary.limits_met, summary.limits, summary.targets_met, summary.targets
            ),
        ),
    }
}

fn threshold(row: &ThresholdRow) -> Case {
    let outcome = if row.met {
        Outcome::Passed
    } else {
        let measured = &row.measured_text;
        Outcome::failed("threshold", format!("{} is {measured}, not {}", row.metric, row.condition))
    };
    Case::new(format!("threshold {} {}", row.metric, row.condition), outcome)
}

/// Rules of what counts as a regression, and what was wanted of the change.
fn of_comparison(result: &RunResult, comparison: &Comparison) -> Suite {
    let mut suite = suite(result, "comparison", 0.0);
    let sides = [("old", &comparison.old), ("new", &comparison.new)];
    suite.properties = sides
        .into_iter()
        .map(|(name, side)| (name.to_owned(), format!("{}, {} runs", side.label, side.runs.len())))
        .collect();
    suite.cases.extend(comparison.rules.iter().map(|rule| {
        let outcome = if rule.fired {
            let message = format!("{} became worse than {}", rule.text, rule.limit);
            Outcome::Failed { kind: "regression", message, detail: rule.places.join("\n") }
        } else if rule.undecided.is_empty() {
            Outcome::Passed
        } else {
            Outcome::Skipped(format!("may be chance: {}", rule.undecided.join("; ")))
        };
        Case::new(format!("rule {} {}", rule.text, rule.limit), outcome)
    }));
    suite.cases.extend(comparison.goals.iter().map(|goal| {
        let outcome = match goal.outcome {
            GoalOutcome::Reached => Outcome::Passed,
            other => Outcome::Skipped(format!("{}: measured {}", other.words(), goal.measured)),
        };
        Case::new(format!("goal {} {} ({})", goal.measure, goal.goal, goal.phase), outcome)
    }));
    suite.output = comparison.warnings.join("\n");
    suite
}
