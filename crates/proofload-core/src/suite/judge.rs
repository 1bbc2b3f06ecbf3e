//! From the outcomes of tests to the requirement matrix, the overall grade and the exit code.

use super::model::{Proof, Requirement, Suite};
use super::result::{
    ProofRow, ProofVerdict, RequirementRow, SuiteInfo, SuiteResult, SuiteSummary, TestRow,
    TestState,
};
use crate::result::{BoundRow, DoubtRow, RunDigest};
use crate::verdict::{Bound, ExitCode, Grade, Measure};

/// How a test came out.
#[derive(Clone, Debug, Default)]
pub struct TestOutcome {
    /// Its row in the result.
    pub row: TestRow,
    /// What it measured; `None` where nothing was measured, as in a comparison.
    pub digest: Option<RunDigest>,
}

/// Everything that the result of a suite is made of.
#[derive(Clone, Debug)]
pub struct SuiteInput<'a> {
    /// The suite.
    pub suite: &'a Suite,
    /// When it ended, RFC 3339. Core has no clock.
    pub timestamp: String,
    /// What was run.
    pub info: SuiteInfo,
    /// One for each test of the suite, in its order.
    pub outcomes: &'a [TestOutcome],
    /// Whether what is not trustworthy or unproven makes the suite fail (`--strict`).
    pub is_strict: bool,
}

impl SuiteResult {
    /// Judges every requirement and grades the whole.
    #[must_use]
    pub fn build(input: &SuiteInput<'_>) -> (Self, ExitCode) {
        let requirements: Vec<RequirementRow> = input
            .suite
            .requirements
            .iter()
            .map(|requirement| judge(requirement, input.suite, input.outcomes))
            .collect();
        let tests: Vec<TestRow> =
            input.outcomes.iter().map(|outcome| outcome.row.clone()).collect();
        let mut summary = summary(&tests, &requirements);
        let code = exit_code(input, &tests, &summary);
        summary.exit_code = code.code();
        let result = Self {
            suite_schema: Self::SCHEMA,
            timestamp: input.timestamp.clone(),
            suite: input.info.clone(),
            tests,
            requirements,
            summary,
        };
        (result, code)
    }
}

fn summary(tests: &[TestRow], requirements: &[RequirementRow]) -> SuiteSummary {
    let in_state = |state: TestState| tests.iter().filter(move |test| test.state == state);
    let with = |verdict: ProofVerdict| {
        requirements.iter().filter(|requirement| requirement.verdict == verdict).count() as u64
    };
    let failed_to_start = in_state(TestState::Failed).count() as u64;
    let measured = || in_state(TestState::Finished).chain(in_state(TestState::Interrupted));
    let mut grade = measured().filter_map(|test| test.grade).max();
    if failed_to_start > 0 || with(ProofVerdict::Failed) > 0 {
        grade = Some(Grade::Poor);
    }
    SuiteSummary {
        grade,
        exit_code: 0,
        total_tests: tests.len() as u64,
        tests_run: in_state(TestState::Finished).count() as u64,
        tests_passed: in_state(TestState::Finished)
            .filter(|test| test.grade != Some(Grade::Poor))
            .count() as u64,
        tests_failed_to_start: failed_to_start,
        requirements: requirements.len() as u64,
        proven: with(ProofVerdict::Proven),
        failed: with(ProofVerdict::Failed),
        unproven: with(ProofVerdict::Unproven),
        trustworthy: measured().all(|test| test.trustworthy),
    }
}

/// What makes the suite's own verdict meaningless goes first, the worst of it before the rest; then the grade.
const PRECEDENCE: [ExitCode; 7] = [
    ExitCode::Interrupted,
    ExitCode::Internal,
    ExitCode::CannotWrite,
    ExitCode::TargetUnreachable,
    ExitCode::BadInput,
    ExitCode::Usage,
    ExitCode::Incomplete,
];

fn exit_code(input: &SuiteInput<'_>, tests: &[TestRow], summary: &SuiteSummary) -> ExitCode {
    if input.info.interrupted {
        return ExitCode::Interrupted;
    }
    let has = |code: ExitCode| tests.iter().any(|test| test.exit_code == Some(code.code()));
    if let Some(code) = PRECEDENCE.into_iter().find(|code| has(*code)) {
        return code;
    }
    if input.is_strict && (!summary.trustworthy || summary.unproven > 0) {
        return ExitCode::NotTrustworthy;
    }
    match summary.grade {
        None | Some(Grade::Excellent | Grade::Good) => ExitCode::Passed,
        Some(Grade::Fair) => ExitCode::Fair,
        Some(Grade::Poor) => ExitCode::Poor,
    }
}

fn judge(requirement: &Requirement, suite: &Suite, outcomes: &[TestOutcome]) -> RequirementRow {
    let mut proofs = Vec::new();
    for proof in &requirement.by {
        proofs.extend(rows(proof, suite, outcomes.get(proof.test)));
    }
    let is_any = |verdict: ProofVerdict| proofs.iter().any(|row| row.verdict == verdict);
    let verdict = if is_any(ProofVerdict::Failed) {
        ProofVerdict::Failed
    } else if proofs.is_empty() || is_any(ProofVerdict::Unproven) {
        ProofVerdict::Unproven
    } else {
        ProofVerdict::Proven
    };
    let reason = (verdict == ProofVerdict::Unproven).then(|| {
        let first = proofs.iter().find_map(|row| row.reason.clone());
        first.unwrap_or_else(|| "no test proves it".to_owned())
    });
    RequirementRow {
        id: requirement.id.to_string(),
        text: requirement.text.to_string(),
        verdict,
        reason,
        proofs,
    }
}

/// One row for each bound of a proof; one for all limits of the test where it has none.
fn rows(proof: &Proof, suite: &Suite, outcome: Option<&TestOutcome>) -> Vec<ProofRow> {
    let row = ProofRow {
        test: suite.tests.get(proof.test).map(|test| test.name.to_string()).unwrap_or_default(),
        phase: proof.phase.as_ref().map(ToString::to_string),
        ..ProofRow::default()
    };
    let doubt = match outcome {
        Some(outcome) => why_nothing_is_shown(proof, outcome),
        None => Some("the test was not run".to_owned()),
    };
    let digest = outcome.and_then(|outcome| outcome.digest.as_ref());
    if proof.expect.is_empty() {
        let grade = match (&proof.phase, digest) {
            (Some(phase), Some(digest)) => digest.phase(phase).and_then(|phase| phase.grade),
            _ => outcome.and_then(|outcome| outcome.row.grade),
        };
        let why = outcome.and_then(|outcome| outcome.row.reason.clone());
        return vec![by_grade(row, grade, doubt, why)];
    }
    proof
        .expect
        .iter()
        .map(|(measure, bound)| {
            let measured = digest.and_then(|digest| match &proof.phase {
                Some(phase) => digest.phase(phase)?.value(measure),
                None => digest.value(measure),
            });
            by_bound(row.clone(), measure, bound, measured, doubt.clone())
        })
        .collect()
}

/// Why a test, or the phase of it that a proof names, neither proves nor disproves anything.
fn why_nothing_is_shown(proof: &Proof, outcome: &TestOutcome) -> Option<String> {
    let row = &outcome.row;
    match row.state {
        TestState::Finished => {}
        TestState::Interrupted => return Some("the test was interrupted".to_owned()),
        TestState::Failed => return Some("the test could not be run".to_owned()),
        TestState::NotRun => {
            let why = row.reason.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
            return Some(format!("the test was not run{why}"));
        }
    }
    if row.exit_code == Some(ExitCode::Incomplete.code()) {
        return Some("a part of the load generators was lost".to_owned());
    }
    let Some(digest) = &outcome.digest else {
        return (!row.trustworthy).then(|| "the measurement is not trustworthy".to_owned());
    };
    let suspect = |reasons: &[DoubtRow]| {
        let why = reasons.first().map(|doubt| format!(": {}", doubt.text)).unwrap_or_default();
        format!("the measurement is not trustworthy{why}")
    };
    match &proof.phase {
        Some(name) => match digest.phase(name) {
            None => Some("the phase was not run".to_owned()),
            Some(phase) => (!phase.trust.trustworthy).then(|| suspect(phase.doubts())),
        },
        None => {
            if digest.phases.iter().any(|phase| !phase.was_run) {
                return Some("not every phase was run".to_owned());
            }
            let doubtful = digest.phases.iter().find(|phase| !phase.trust.trustworthy);
            doubtful.map(|phase| suspect(phase.doubts()))
        }
    }
}

fn by_grade(
    row: ProofRow,
    grade: Option<Grade>,
    doubt: Option<String>,
    why: Option<String>,
) -> ProofRow {
    let (verdict, reason) = match (doubt, grade) {
        (Some(doubt), _) => (ProofVerdict::Unproven, Some(doubt)),
        (None, None) => {
            let why = why.unwrap_or_else(|| "nothing was expected of it".to_owned());
            (ProofVerdict::Unproven, Some(why))
        }
        (None, Some(Grade::Poor)) => (ProofVerdict::Failed, None),
        (None, Some(_)) => (ProofVerdict::Proven, None),
    };
    let measured_text = grade.map_or_else(String::new, |grade| grade.to_string());
    ProofRow { measured_text, verdict, reason, ..row }
}

fn by_bound(
    row: ProofRow,
    measure: &Measure,
    bound: &Bound,
    measured: Option<f64>,
    doubt: Option<String>,
) -> ProofRow {
    let measured = measured.filter(|value| value.is_finite());
    let (verdict, reason) = match (doubt, measured) {
        (Some(doubt), _) => (ProofVerdict::Unproven, Some(doubt)),
        (None, None) => (ProofVerdict::Unproven, Some("there is no data on it".to_owned())),
        (None, Some(value)) if bound.holds(value) => (ProofVerdict::Proven, None),
        (None, Some(_)) => (ProofVerdict::Failed, None),
    };
    ProofRow {
        measure: measure.to_string(),
        unit: bound.quantity.unit().to_owned(),
        measured: measured.map(|value| bound.quantity.in_unit(value)),
        measured_text: measured.map_or_else(String::new, |value| bound.quantity.human(value)),
        bound: Some(BoundRow::from(bound)),
        verdict,
        reason,
        ..row
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
