//! A suite as test suites: its tests, and its requirements.

use proofload_core::suite::{
    ProofRow, ProofVerdict, RequirementRow, SuiteResult, TestRow, TestState,
};
use proofload_core::units::human_count;

use super::suites::{Case, Outcome, Suite};
use crate::instant;

/// One for the tests, and one for the requirements where there are any.
pub(super) fn of(result: &SuiteResult) -> Vec<Suite> {
    let suite = |name: &str, cases: Vec<Case>| {
        let package = result.suite.name.replace('.', "_");
        Suite {
            name: name.to_owned(),
            class: format!("{package}.{name}"),
            package,
            host: "localhost".to_owned(),
            timestamp: instant::utc_second(&result.suite.started, 0.0),
            cases,
            ..Suite::default()
        }
    };
    let mut tests = suite("tests", result.tests.iter().map(test).collect());
    tests.properties = vec![
        ("suite".to_owned(), result.suite.name.clone()),
        ("file".to_owned(), result.suite.file.clone()),
        ("proofload".to_owned(), result.suite.tool_version.clone()),
    ];
    let requirements = suite("requirements", result.requirements.iter().map(requirement).collect());
    [tests, requirements].into_iter().filter(|suite| !suite.cases.is_empty()).collect()
}

fn test(row: &TestRow) -> Case {
    let reason = || row.reason.clone().unwrap_or_default();
    let grade = row.grade.map_or("no grade", |grade| grade.name());
    let outcome = match (row.state, row.exit_code) {
        (TestState::NotRun, _) => Outcome::Skipped(reason()),
        (TestState::Failed, _) => Outcome::errored("not_started", reason(), String::new()),
        (TestState::Interrupted, _) => {
            Outcome::errored("interrupted", "the test was interrupted".to_owned(), String::new())
        }
        (TestState::Finished, Some(1 | 2)) => Outcome::failed(
            "grade",
            format!(
                "{grade}: {} of {} limits kept, {} of {} targets met, {} of {} requests failed",
                row.limits_met,
                row.limits,
                row.targets_met,
                row.targets,
                human_count(row.failed),
                human_count(row.total_requests)
            ),
        ),
        (TestState::Finished, _) if !row.trustworthy => {
            let message = "the measurement is not trustworthy".to_owned();
            Outcome::errored("suspect", message, String::new())
        }
        (TestState::Finished, Some(code)) if code != 0 => {
            Outcome::errored("exit_code", format!("exit code {code}"), String::new())
        }
        (TestState::Finished, _) => Outcome::Passed,
    };
    Case {
        seconds: row.duration_seconds,
        ..Case::new(format!("{} ({})", row.name, row.kind), outcome)
    }
}

fn requirement(row: &RequirementRow) -> Case {
    let proofs: Vec<String> = row.proofs.iter().map(proof).collect();
    let outcome = match row.verdict {
        ProofVerdict::Proven => Outcome::Passed,
        ProofVerdict::Unproven => {
            let reason = row.reason.as_deref().unwrap_or("nobody has shown it");
            Outcome::Skipped(format!("unproven: {reason}"))
        }
        ProofVerdict::Failed => {
            let failed = row.proofs.iter().filter(|row| row.verdict == ProofVerdict::Failed);
            let failed: Vec<String> = failed.map(proof).collect();
            let message = failed.join("; ");
            Outcome::Failed { kind: "requirement", message, detail: proofs.join("\n") }
        }
    };
    Case::new(format!("{} {}", row.id, row.text).trim(), outcome)
}

/// `p95 of Webhook load, Normal load: measured 182 ms, must be < 100 ms (failed)`
fn proof(row: &ProofRow) -> String {
    let place = match &row.phase {
        Some(phase) => format!("{}, {phase}", row.test),
        None => row.test.clone(),
    };
    let word = row.verdict.word();
    match &row.bound {
        Some(bound) => format!(
            "{} of {place}: measured {}, must be {} ({word})",
            row.measure, row.measured_text, bound.text
        ),
        None => format!("the limits of {place} ({word})"),
    }
}
