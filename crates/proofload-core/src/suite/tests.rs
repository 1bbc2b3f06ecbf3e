//! What proves a requirement and what does not.

use super::*;
use crate::metrics::Histogram;
use crate::plan::Inputs;
use crate::result::{PhaseDigest, ResponseHistograms, TrustResult};
use crate::suite::{SuiteTest, TestKind, TestWork};

const SUITE: &str = r#"
[[test]]
name = "first"
kind = "load"
plan = "a.toml"
[[test]]
name = "second"
kind = "webhook"
plan = "b.toml"
[[requirement]]
id = "slow"
by = { test = "first", expect = { p95 = "<500ms" } }
[[requirement]]
id = "fast"
by = { test = "first", phase = "peak", expect = { p95 = "<50ms", success_rate = ">99%" } }
[[requirement]]
id = "both"
by = [{ test = "first", expect = { max = "<2s" } }, { test = "second" }]
[[requirement]]
id = "data"
by = { test = "first", phase = "peak", expect = { cache_hit_rate = ">80%" } }
[[requirement]]
id = "nobody"
"#;

fn suite() -> Suite {
    Suite::parse("suite.toml", SUITE, &Inputs::NONE).unwrap_or_else(|errors| panic!("{errors}"))
}

/// A phase of ten requests that took so many milliseconds each.
fn phase(name: &str, ms: u64) -> PhaseDigest {
    let mut response = Histogram::new();
    response.record_many(ms * 1_000_000, 10);
    PhaseDigest {
        scenario: name.to_owned(),
        was_run: true,
        grade: Some(Grade::Good),
        trust: TrustResult { trustworthy: true, reasons: Vec::new() },
        total_requests: 10,
        successful: 10,
        elapsed_seconds: 1.0,
        histograms: ResponseHistograms {
            response_successful: response,
            response_failed: Histogram::new(),
        },
        ..PhaseDigest::default()
    }
}

fn outcome(grade: Grade, phases: Vec<PhaseDigest>) -> TestOutcome {
    let exit_code = ExitCode::of_run(crate::verdict::RunEnd {
        grade: Some(grade),
        is_trustworthy: true,
        ..Default::default()
    });
    let row = TestRow {
        state: TestState::Finished,
        exit_code: Some(exit_code.code()),
        grade: Some(grade),
        trustworthy: true,
        ..TestRow::default()
    };
    TestOutcome { row, digest: Some(RunDigest { phases, ..RunDigest::default() }) }
}

fn good() -> [TestOutcome; 2] {
    let first = outcome(Grade::Excellent, vec![phase("normal", 100), phase("peak", 20)]);
    [first, outcome(Grade::Good, vec![phase("only", 30)])]
}

fn built(outcomes: &[TestOutcome], interrupted: bool, is_strict: bool) -> (SuiteResult, ExitCode) {
    SuiteResult::build(&SuiteInput {
        suite: &suite(),
        timestamp: String::new(),
        info: SuiteInfo { interrupted, ..SuiteInfo::default() },
        outcomes,
        is_strict,
    })
}

/// Each requirement as `id: verdict (reason)`.
fn matrix(outcomes: &[TestOutcome]) -> Vec<String> {
    let (result, _) = built(outcomes, false, false);
    let line = |row: &RequirementRow| {
        let reason = row.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
        format!("{}: {}{reason}", row.id, row.verdict.word())
    };
    result.requirements.iter().map(line).collect()
}

#[test]
fn what_is_measured_and_kept_is_proven() {
    let expect = [
        "slow: proven",
        "fast: proven",
        "both: proven",
        "data: unproven (there is no data on it)",
        "nobody: unproven (no test proves it)",
    ];
    assert_eq!(matrix(&good()), expect);
    let (result, code) = built(&good(), false, false);
    assert_eq!(code, ExitCode::Passed);
    let fast = &result.requirements[1];
    assert_eq!(fast.proofs[0].measured, Some(20.0));
    assert_eq!(fast.proofs[0].measured_text, "20.0 ms");
    assert_eq!(fast.proofs[0].bound.as_ref().unwrap().text, "< 50.0 ms");
    let summary = &result.summary;
    assert_eq!((summary.proven, summary.failed, summary.unproven), (3, 0, 2));
    assert_eq!(summary.grade, Some(Grade::Good));
    assert_eq!(SuiteResult::from_json(&result.to_json().unwrap()).unwrap(), result);
}

#[test]
fn a_broken_bound_fails_the_suite_whatever_the_tests_say() {
    let mut outcomes = good();
    outcomes[0] = outcome(Grade::Excellent, vec![phase("normal", 100), phase("peak", 60)]);
    assert_eq!(matrix(&outcomes)[..2], ["slow: proven", "fast: failed"]);
    let (result, code) = built(&outcomes, false, false);
    assert_eq!((result.summary.grade, code), (Some(Grade::Poor), ExitCode::Poor));
}

#[test]
fn what_nobody_can_trust_proves_nothing_and_disproves_nothing() {
    let mut outcomes = good();
    let digest = outcomes[0].digest.as_mut().unwrap();
    digest.phases[1] = phase("peak", 6000);
    digest.phases[1].trust = TrustResult {
        trustworthy: false,
        reasons: vec![DoubtRow { id: String::new(), text: "it was busy".to_owned() }],
    };
    outcomes[0].row.trustworthy = false;
    let rows = matrix(&outcomes);
    for row in &rows[..4] {
        assert!(
            row.contains("unproven (the measurement is not trustworthy: it was busy)"),
            "{row}"
        );
    }
    assert_eq!(built(&outcomes, false, false).1, ExitCode::Passed);
    assert_eq!(built(&outcomes, false, true).1, ExitCode::NotTrustworthy);
}

#[test]
fn what_was_not_run_to_its_end_proves_nothing() {
    let check = |change: &dyn Fn(&mut TestOutcome), expect: &str| {
        let mut outcomes = good();
        change(&mut outcomes[0]);
        let row = &matrix(&outcomes)[0];
        assert!(row.contains(expect), "{row}");
        assert!(row.starts_with("slow: unproven"), "{row}");
    };
    let not_run = |outcome: &mut TestOutcome| {
        outcome.row.state = TestState::NotRun;
        outcome.row.reason = Some("not asked for".to_owned());
        outcome.digest = None;
    };
    check(&not_run, "the test was not run: not asked for");
    check(&|outcome| outcome.row.state = TestState::Interrupted, "the test was interrupted");
    check(&|outcome| outcome.row.state = TestState::Failed, "the test could not be run");
    check(&|outcome| outcome.row.exit_code = Some(4), "generators was lost");
    let half = |outcome: &mut TestOutcome| {
        outcome.digest.as_mut().unwrap().phases[1].was_run = false;
    };
    check(&half, "not every phase was run");
    let mut outcomes = good();
    half(&mut outcomes[0]);
    assert_eq!(matrix(&outcomes)[1], "fast: unproven (the phase was not run)");
}

#[test]
fn the_limits_of_a_test_are_a_proof_too() {
    let mut outcomes = good();
    outcomes[1] = outcome(Grade::Poor, vec![phase("only", 30)]);
    assert_eq!(matrix(&outcomes)[2], "both: failed");
    outcomes[1].row.grade = None;
    assert_eq!(matrix(&outcomes)[2], "both: unproven (nothing was expected of it)");
    // A comparison has a grade, but measures nothing itself.
    outcomes[1] = TestOutcome { digest: None, ..outcome(Grade::Good, Vec::new()) };
    assert_eq!(matrix(&outcomes)[2], "both: proven");
}

#[test]
fn the_order_of_exit_codes() {
    let check = |codes: [u8; 2], interrupted: bool, is_strict: bool, expect: u8| {
        let mut outcomes = good();
        for (outcome, code) in outcomes.iter_mut().zip(codes) {
            outcome.row.exit_code = Some(code);
            outcome.row.grade = match code {
                1 => Some(Grade::Fair),
                2 => Some(Grade::Poor),
                _ => Some(Grade::Good),
            };
            if code >= 64 {
                outcome.row.state = TestState::Failed;
            }
        }
        let (_, code) = built(&outcomes, interrupted, is_strict);
        assert_eq!(code.code(), expect, "{codes:?}");
    };
    check([0, 0], false, false, 0);
    check([0, 1], false, false, 1);
    check([2, 1], false, false, 2);
    check([2, 4], false, false, 4);
    check([0, 1], false, true, 3);
    check([69, 2], false, false, 69);
    check([69, 74], false, false, 74);
    check([69, 70], false, false, 70);
    check([65, 4], false, false, 65);
    check([70, 2], true, false, 130);
}

#[test]
fn a_comparison_brings_its_test_with_it() {
    let mut suite = suite();
    suite.tests.push(SuiteTest {
        name: "no worse".into(),
        kind: TestKind::Baseline,
        work: TestWork::Baseline { of: 1, file: "b.toml".to_owned(), allowed: Vec::new() },
        kind_at: suite.tests[0].kind_at,
    });
    assert_eq!(suite.selection(&[]), [true, true, true]);
    assert_eq!(suite.selection(&[TestKind::Load]), [true, false, false]);
    assert_eq!(suite.selection(&[TestKind::Baseline]), [false, true, true]);
    assert_eq!(suite.selection(&[TestKind::Redis]), [false, false, false]);
}
