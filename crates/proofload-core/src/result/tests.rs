//! What stands in a result, by snapshot and by rule.

use super::*;
use crate::metrics::{ErrorKind, ErrorSample, Histogram};
use crate::plan::{Inputs, Overrides};
use crate::verdict::testing::{sample, snapshot_of, totals_of};
use crate::verdict::{Bound, Grade, Measure};
use std::time::Duration;

fn expectation(measure: &str, target: &str, limit: &str) -> Expectation {
    let measure = Measure::parse(measure).unwrap();
    let bound = |text: &str| Some(Bound::parse(text, &measure).unwrap());
    let (target, limit) = (bound(target), bound(limit));
    Expectation::two_level(measure, target, limit).unwrap()
}

/// "Baseline": 20 requests of 1…20 ms in 2 s, one of them failed; "Empty": started, no request;
/// "Never": not started.
fn record() -> RunRecord {
    let mut samples: Vec<_> = (1..=20).map(|ms| sample(ms * 1_000_000)).collect();
    for (index, sample) in samples.iter_mut().enumerate().take(10) {
        sample.cached = Some(index < 6);
    }
    samples[0].connect_ns = Some(300_000);
    samples[0].new_connection = true;
    samples[19].error = Some(ErrorKind::Http5xx);
    samples[19].status = 503;
    let mut baseline = snapshot_of("read", 0, 2, &samples);
    baseline.series[0].stats.record_check(0, true);
    baseline.series[0].stats.record_check(0, false);
    baseline.iterations.record(50_000_000, false);
    baseline.users_active = 5;
    baseline.generator.record_interval(500_000_000, 2_000_000_000);
    baseline.generator.open_connections = 5;
    baseline.errors.add(ErrorSample {
        at_ns: 1_500_000_000,
        kind: ErrorKind::Http5xx,
        request: "GET /read".to_owned(),
        message: "503 Service Unavailable".to_owned(),
        status: 503,
        elapsed_ns: 20_000_000,
    });
    let mut empty = snapshot_of("read", 0, 1, &[]);
    empty.phase = 1;
    let mut record = RunRecord::default();
    for (phase, snapshot) in [baseline, empty].iter().enumerate() {
        let began = Duration::from_secs(2 * phase as u64);
        record.begin_phase(phase, began, 1);
        record.add(snapshot).unwrap();
        record.end_phase(phase, began + Duration::from_secs(1), None);
    }
    record.note("the service was warm");
    record
}

fn built() -> (RunResult, Verdict) {
    let record = record();
    let expectations = [
        expectation("p95", "<15ms", "<100ms"),
        expectation("success_rate", ">=95%", ">=90%"),
        expectation("cache_hit_rate", "50%", "40%"),
        expectation("cpu", "<80%", "<90%"),
    ];
    let thresholds = [
        Threshold::parse("http_req_duration{task:read}", "p(99)<1s").unwrap(),
        Threshold::parse("http_req_failed", "rate<0.1").unwrap(),
    ];
    let facts = |name, index| PhaseFacts { name, index, ..PhaseFacts::default() };
    let input = ResultInput {
        timestamp: "2026-01-02T03:04:05Z".to_owned(),
        run: RunInfo {
            name: "dchat".to_owned(),
            target: "http://127.0.0.1:8000".to_owned(),
            duration_seconds: 3.0,
            tool_version: "0.1.0".to_owned(),
            ..RunInfo::default()
        },
        environment: BTreeMap::from([("os".to_owned(), "linux".to_owned())]),
        phases: vec![
            PhaseFacts {
                expectations: &expectations,
                monitors: BTreeMap::from([("cpu".to_owned(), 0.42)]),
                ..facts("Baseline", 0)
            },
            facts("Empty", 1),
            facts("Never", 2),
        ],
        record: &record,
        thresholds: &thresholds,
        rule: GradingRule::default(),
        cost: None,
        detail: Detail::Full,
    };
    build(&input)
}

#[test]
fn the_json_of_a_run() {
    insta::assert_snapshot!(built().0.to_json().unwrap());
}

#[test]
fn the_json_schema() {
    let schema = serde_json::to_string_pretty(&RunResult::json_schema()).unwrap();
    insta::assert_snapshot!(schema);
}

#[test]
fn a_result_reads_back_to_the_same() {
    let (result, _) = built();
    let text = result.to_json().unwrap();
    let read = RunResult::from_json(&text).unwrap();
    assert_eq!(read, result);
    let histograms = &read.test_results[0].histograms;
    assert_eq!(histograms.response_successful.count(), 19);
    assert_eq!(histograms.response_failed, Histogram::from_iter([20_000_000]));
    let mut all = histograms.response_successful.clone();
    all.merge(&histograms.response_failed);
    assert_eq!(all, read.test_results[0].requests[0].response_histogram);
}

#[test]
fn a_ladder_is_shown_as_what_it_wants_and_what_it_accepts() {
    let text = "target = \"http://h\"\n[grading]\nladder = { measure = \"avg\", excellent = \"<3s\", good = \"<5s\", \
                fair = \"<10s\" }\n[[user]]\n[[user.task]]\nget = \"/\"\n[[phase]]\nname = \"a\"\nusers = 1\nduration = \"9s\"";
    let plan = Plan::parse("plan.toml", text, &Overrides::default(), &Inputs::NONE).unwrap();
    let check = |seconds: u64, grade: Grade, met: (bool, bool)| {
        let mut record = RunRecord::default();
        record.totals =
            totals_of(&[snapshot_of("read", 0, 60, &[sample(seconds * 1_000_000_000)])]);
        let input = ResultInput::of_plan(&plan, &record, RunInfo::default(), BTreeMap::new());
        let (result, _) = build(&input);
        assert_eq!(result.summary.grade, Some(grade));
        let [row] = result.test_results[0].expectations.as_slice() else { panic!("one row") };
        assert_eq!((row.target_met, row.limit_met), (Some(met.0), Some(met.1)), "{row:?}");
        assert_eq!((row.measure.as_str(), result.summary.targets), ("avg", 0));
    };
    check(1, Grade::Excellent, (true, true));
    check(4, Grade::Good, (false, true));
    check(7, Grade::Fair, (false, true));
    check(20, Grade::Poor, (false, false));
}

#[test]
fn foreign_results_are_refused_or_read_leniently() {
    let check = |text: &str, message: &str| {
        let error = RunResult::from_json(text).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    };
    check("", "not a result");
    check("{}", "missing field `schema`");
    check(r#"{"schema": 99}"#, "use a newer Proofload");
    check(r#"{"schema": 1, "test_results": 5}"#, "not a result");
    let sparse = RunResult::from_json(
        r#"{"schema": 1, "later": {}, "test_results": [{"scenario": "a", "total_requests": 5}]}"#,
    )
    .unwrap();
    assert_eq!(sparse.test_results[0].total_requests, 5);
    assert_eq!(sparse.test_results[0].success_rate, None);
}

#[test]
fn an_empty_phase_has_no_rates_and_does_not_pass() {
    let (result, verdict) = built();
    let empty = &result.test_results[1];
    assert_eq!(
        (empty.success_rate, empty.avg_latency_ms, empty.p95_latency_ms),
        (None, None, None)
    );
    assert_eq!(empty.requests_per_second, Some(0.0));
    assert_eq!((empty.grade, empty.passed, empty.was_run), (Some(Grade::Poor), false, true));
    let never = &result.test_results[2];
    assert_eq!((never.grade, never.passed, never.was_run), (None, false, false));
    assert_eq!(verdict.grade, Some(Grade::Poor));
    assert_eq!((result.summary.total_scenarios, result.summary.scenarios_passed), (3, 1));
}

#[test]
fn the_keys_of_the_source_document_are_there() {
    let json: serde_json::Value = serde_json::from_str(&built().0.to_json().unwrap()).unwrap();
    let phase = json["test_results"][0].as_object().unwrap();
    for key in [
        "scenario",
        "total_requests",
        "successful",
        "failed",
        "success_rate",
        "cached_responses",
        "cache_hit_rate",
        "avg_latency_ms",
        "median_latency_ms",
        "p95_latency_ms",
        "p99_latency_ms",
    ] {
        assert!(phase[key].is_number() || phase[key].is_string(), "{key}");
    }
    let summary = json["summary"].as_object().unwrap();
    for key in ["total_scenarios", "scenarios_passed", "average_cache_hit_rate"] {
        assert!(summary[key].is_number(), "{key}");
    }
    assert_eq!(summary["grade"], "POOR");
    assert_eq!(json["timestamp"], "2026-01-02T03:04:05Z");
    assert_eq!(json["schema"], 1);
}
