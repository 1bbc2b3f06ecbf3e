//! The summary in a terminal.

use proofload_core::result::{PercentileRow, PhaseResult, RunResult};
use proofload_core::verdict::{ExitCode, Grade};
use proofload_report::Style;
use proofload_report::summary::{SummaryOptions, summary};
use proptest::prelude::*;
use unicode_width::UnicodeWidthStr;

use crate::scenes;

fn shown(result: &RunResult, style: Style) -> String {
    let options = SummaryOptions {
        style,
        exit_code: scenes::exit_code(result),
        result_path: Some("result.json"),
        report_path: None,
    };
    summary(result, &options)
}

/// That no line is too wide and nothing a terminal would act upon is left.
fn assert_fits(text: &str, style: Style) {
    for line in text.lines() {
        assert!(line.width() <= style.width, "{} > {}: {line}", line.width(), style.width);
        assert!(!line.contains(char::is_control), "{line:?}");
        assert!(style.unicode || line.is_ascii(), "{line:?}");
        assert_eq!(line.trim_end(), line);
    }
}

#[test]
fn what_people_read() {
    for (name, result) in scenes::all() {
        insta::assert_snapshot!(*name, shown(result, Style::plain()));
    }
}

#[test]
fn in_ascii_on_a_narrow_terminal() {
    let style = Style { color: false, unicode: false, width: 60 };
    let (_, result) = scenes::all().iter().find(|(name, _)| *name == "failing").unwrap();
    insta::assert_snapshot!(shown(result, style));
}

#[test]
fn every_width_is_kept() {
    for (_, result) in scenes::all() {
        for width in [40, 41, 57, 80, 133, 200] {
            let style = Style { color: false, unicode: width % 2 == 0, width };
            assert_fits(&shown(result, style), style);
        }
    }
}

#[test]
fn paths_beside_the_grade_are_whole_where_the_terminal_is_as_wide() {
    let path = "proofload-results/story-20261121-092120/after/result.json";
    for width in [70, 80, 100] {
        let options = SummaryOptions {
            style: Style::plain().with_width(width),
            exit_code: ExitCode::Passed,
            result_path: Some(path),
            report_path: None,
        };
        let text = summary(&scenes::all()[0].1, &options);
        assert!(text.contains(path), "{width}: {text}");
    }
}

#[test]
fn colours_are_closed_on_every_line() {
    let colours = Style { color: true, ..Style::plain() };
    for (_, result) in scenes::all() {
        let colourful = shown(result, colours);
        let mut bare = String::new();
        for line in colourful.split_inclusive('\n') {
            let mut is_open = false;
            for (at, part) in line.split('\u{1b}').enumerate() {
                let text = if at == 0 {
                    part
                } else {
                    let (code, text) = part.split_once('m').unwrap();
                    is_open = code != "[0";
                    text
                };
                bare.push_str(text);
            }
            assert!(!is_open, "{line:?}");
        }
        assert_eq!(bare, shown(result, Style::plain()));
    }
}

#[test]
fn nothing_at_all_is_no_reason_to_panic() {
    let style = Style::plain();
    assert_fits(&shown(&RunResult::default(), style), style);
}

/// Any number that JSON can hold.
fn number() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), 1e-6..1e3_f64, 0.0..1e12_f64, -1e9..0.0_f64, any::<f64>()]
        .prop_filter("JSON has no such number", |number| number.is_finite())
}

fn any_phase() -> impl Strategy<Value = PhaseResult> {
    let counts = (any::<[u64; 6]>(), any::<bool>(), any::<u32>());
    let numbers = proptest::collection::vec(proptest::option::of(number()), 12);
    (any::<String>(), counts, numbers).prop_map(|(name, (counts, was_run, users), numbers)| {
        let [total, failed, hits, known, low, high] = counts;
        let mut phase = PhaseResult {
            scenario: name.clone(),
            total_requests: total,
            failed,
            cached_responses: hits,
            cache_known_responses: known,
            bytes_received: high,
            connections_opened: low,
            was_run,
            users_max: users,
            median_latency_ms: numbers[0],
            p95_latency_ms: numbers[1],
            p99_latency_ms: numbers[2],
            max_latency_ms: numbers[3],
            requests_per_second: numbers[4],
            grade: (total % 2 == 0).then_some(Grade::Fair),
            ..PhaseResult::default()
        };
        phase.generator.cpu_share = numbers[5];
        phase.generator.cpu_share_peak = numbers[6];
        phase.response_time.max_ms = numbers[7];
        phase.service_time.max_ms = numbers[8];
        phase.histograms.response_successful.record_many(low, total >> 2);
        phase.histograms.response_failed.record_many(high, failed >> 2);
        phase.histograms.service.record_many(high, 1);
        let row = PercentileRow { value_ms: numbers[9].unwrap_or(0.0), ..PercentileRow::default() };
        phase.response_time.percentiles.insert("p95".to_owned(), row.clone());
        phase.timings.insert("wait".to_owned(), phase.response_time.clone());
        phase.generator.start_lag.percentiles.insert("p99".to_owned(), row);
        phase.checks.push(proofload_core::result::CheckRow {
            name: name.clone(),
            passes: total,
            fails: failed,
            rate: None,
        });
        phase
            .trust
            .reasons
            .push(proofload_core::result::DoubtRow { id: String::new(), text: name });
        phase
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_result_fits(
        phases in proptest::collection::vec(any_phase(), 0..4),
        duration in number(),
        text: String,
        width in 40_usize..200,
        unicode: bool,
    ) {
        let mut result = RunResult { test_results: phases, ..RunResult::default() };
        result.run.duration_seconds = duration;
        (result.run.name, result.run.target) = (text.clone(), text);
        let style = Style { color: false, unicode, width };
        assert_fits(&shown(&result, style), style);
    }
}
