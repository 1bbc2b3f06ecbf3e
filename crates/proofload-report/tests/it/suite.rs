//! The end of a suite in a terminal.

use proofload_core::result::BoundRow;
use proofload_core::suite::{
    ProofRow, ProofVerdict, RequirementRow, SuiteInfo, SuiteResult, SuiteSummary, TestRow,
    TestState,
};
use proofload_core::verdict::{ExitCode, Grade};
use proofload_report::suite::{suite_summary, test_line};
use proofload_report::summary::SummaryOptions;
use proofload_report::{Style, junit_suite, markdown_suite};
use unicode_width::UnicodeWidthStr;

fn test(name: &str, kind: &str, state: TestState, grade: Option<Grade>, code: u8) -> TestRow {
    let was_run = state == TestState::Finished;
    TestRow {
        name: name.to_owned(),
        kind: kind.to_owned(),
        state,
        grade,
        exit_code: (state != TestState::NotRun).then_some(code),
        trustworthy: name != "Bursts",
        duration_seconds: if was_run { 12.3 } else { 0.0 },
        total_requests: if was_run { 45_133 } else { 0 },
        failed: u64::from(code == 2) * 512,
        p95_latency_ms: was_run.then_some(181.7),
        ..TestRow::default()
    }
}

fn proof(measure: &str, measured: &str, bound: &str, verdict: ProofVerdict) -> ProofRow {
    let row = BoundRow { text: bound.to_owned(), ..BoundRow::default() };
    ProofRow {
        test: "Webhook load".to_owned(),
        phase: (measure == "p95").then(|| "Normal load".to_owned()),
        measure: measure.to_owned(),
        measured_text: measured.to_owned(),
        bound: (!bound.is_empty()).then_some(row),
        verdict,
        ..ProofRow::default()
    }
}

fn requirement(id: &str, text: &str, reason: &str, proofs: Vec<ProofRow>) -> RequirementRow {
    let verdict = match (proofs.iter().map(|row| row.verdict).max(), reason) {
        (Some(verdict), "") => verdict,
        _ => ProofVerdict::Unproven,
    };
    let reason = (!reason.is_empty()).then(|| reason.to_owned());
    RequirementRow { id: id.to_owned(), text: text.to_owned(), verdict, reason, proofs }
}

pub(crate) fn result() -> SuiteResult {
    use ProofVerdict::{Failed, Proven, Unproven};
    let refused = Some("http://127.0.0.1:8000/ is not ready: connection refused".to_owned());
    SuiteResult {
        suite_schema: SuiteResult::SCHEMA,
        suite: SuiteInfo {
            name: "Reality Checker".to_owned(),
            duration_seconds: 33.6,
            only: vec!["webhook".to_owned(), "load".to_owned()],
            interrupted: true,
            ..SuiteInfo::default()
        },
        tests: vec![
            test("Webhook load", "webhook", TestState::Finished, Some(Grade::Excellent), 0),
            test("Bursts", "webhook", TestState::Finished, Some(Grade::Excellent), 0),
            test("Pages", "load", TestState::Finished, Some(Grade::Fair), 1),
            test("Search", "load", TestState::Finished, Some(Grade::Poor), 2),
            TestRow { reason: refused, ..test("Login", "load", TestState::Failed, None, 69) },
            test("Store", "redis", TestState::NotRun, None, 0),
        ],
        requirements: vec![
            requirement(
                "2.1",
                "No webhook takes longer than 2 s",
                "",
                vec![
                    proof("p95", "10.2 ms", "< 2.00 s", Proven),
                    proof("success_rate", "100%", "> 99%", Proven),
                ],
            ),
            requirement(
                "2.2",
                "Webhooks are answered within 5 ms",
                "",
                vec![
                    proof("avg", "8.31 ms", "< 5.00 ms", Failed),
                    proof("", "EXCELLENT", "", Proven),
                ],
            ),
            requirement(
                "4.1.17",
                "Webhook response times are tracked, with a breakdown of where the time goes, on every \
                 instance and for every kind of message",
                "the measurement is not trustworthy: iterations started late: 5.77 ms at p99, where the \
                 response time is 51.7 ms",
                vec![proof("wait_p95", "8.54 ms", "< 500 ms", Unproven)],
            ),
            requirement("5.2", "", "no test proves it", Vec::new()),
        ],
        summary: SuiteSummary {
            grade: Some(Grade::Poor),
            exit_code: 130,
            total_tests: 6,
            tests_run: 4,
            tests_passed: 3,
            tests_failed_to_start: 1,
            requirements: 4,
            proven: 1,
            failed: 1,
            unproven: 2,
            trustworthy: false,
        },
        ..SuiteResult::default()
    }
}

fn shown(style: Style) -> String {
    let result = result();
    let lines: String = result.tests.iter().map(|row| test_line(row, &style)).collect();
    let options = SummaryOptions {
        style,
        exit_code: ExitCode::Interrupted,
        result_path: Some("proofload-results/reality-checker/suite.json"),
        report_path: None,
    };
    lines + &suite_summary(&result, &options)
}

#[test]
fn what_people_read() {
    insta::assert_snapshot!(shown(Style::plain()));
}

#[test]
fn what_test_views_and_reviewers_read() {
    insta::assert_snapshot!("suite_junit", junit_suite(&result()));
    insta::assert_snapshot!("suite_markdown", markdown_suite(&result()));
}

#[test]
fn in_ascii_on_a_narrow_terminal() {
    insta::assert_snapshot!(shown(Style { color: false, unicode: false, width: 60 }));
}

#[test]
fn every_width_is_kept() {
    for width in [40, 57, 80, 133] {
        let style = Style { color: false, unicode: width % 2 == 0, width };
        for line in shown(style).lines() {
            assert!(line.width() <= width, "{} > {width}: {line}", line.width());
            assert!(style.unicode || line.is_ascii(), "{line:?}");
        }
    }
}

#[test]
fn nothing_at_all_is_no_reason_to_panic() {
    let options = SummaryOptions {
        style: Style::plain(),
        exit_code: ExitCode::Passed,
        result_path: None,
        report_path: None,
    };
    assert!(suite_summary(&SuiteResult::default(), &options).contains("NO GRADE"));
}
