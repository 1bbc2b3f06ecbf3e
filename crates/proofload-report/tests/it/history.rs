//! Runs over time in a terminal.

use proofload_core::history::{History, HistoryChange, HistoryRun, SkippedFile};
use proofload_core::verdict::Grade;
use proofload_report::Style;
use proofload_report::history::history;
use unicode_width::UnicodeWidthStr;

/// Thirty runs of two plans; the first became slower, then faster.
fn found() -> History {
    let ms = |number: usize| match number {
        0..12 => 100 + number % 4,
        12..22 => 140 + number % 3,
        _ => 90 + number % 5,
    };
    let mut runs: Vec<HistoryRun> = (0..30)
        .map(|number| HistoryRun {
            started: format!("2026-11-{:02}T03:00:00Z", number + 1),
            plan: "Normal load 負荷".to_owned(),
            target: "http://127.0.0.1:8000/".to_owned(),
            grade: Some(if number < 12 { Grade::Good } else { Grade::Poor }),
            exit_code: if number < 12 { 0 } else { 2 },
            trustworthy: number != 17,
            incomplete: number == 18,
            total_requests: 45_133,
            error_rate: Some(if number == 20 { 0.012 } else { 0.0 }),
            requests_per_second: Some(752.0),
            p95_latency_ms: Some(ms(number) as f64),
            value: Some(ms(number) as f64 * 1.5),
            value_text: format!("{}.0 ms", ms(number) * 3 / 2),
            counts: number != 17 && number != 18,
            file: String::new(),
        })
        .collect();
    for number in [4, 9] {
        let other = HistoryRun { plan: "other".to_owned(), ..runs[number].clone() };
        runs.push(HistoryRun {
            grade: None,
            value_text: "5.00 ms".to_owned(),
            value: Some(5.0),
            ..other
        });
    }
    let change = |run: usize, before: f64, after: f64| HistoryChange {
        plan: "Normal load 負荷".to_owned(),
        run,
        started: format!("2026-11-{:02}T03:00:00Z", run + 1),
        before,
        after,
        before_text: format!("{before} ms"),
        after_text: format!("{after} ms"),
        change: Some(after / before - 1.0),
        p_value: 0.001,
        is_better: after < before,
    };
    let skipped = |name: &str| SkippedFile {
        file: format!("proofload-results/{name}"),
        reason: "this is not a result of Proofload: EOF while parsing a value at line 1 column 0"
            .to_owned(),
    };
    History {
        measure: "p99".to_owned(),
        unit: "ms".to_owned(),
        phase: Some("Peak".to_owned()),
        runs,
        changes: vec![change(12, 152.0, 211.0), change(22, 211.0, 138.0)],
        skipped: ["a", "b", "c", "d", "e", "f", "g"].map(skipped).to_vec(),
        skipped_files: 1_207,
        ..History::default()
    }
}

fn shown(found: &History, style: Style) -> String {
    history(found, &style, &|time| time[..10].to_owned())
}

#[test]
fn what_people_read() {
    insta::assert_snapshot!(shown(&found(), Style::plain()));
}

#[test]
fn in_ascii_on_a_narrow_terminal() {
    insta::assert_snapshot!(shown(&found(), Style { color: false, unicode: false, width: 60 }));
}

#[test]
fn every_width_is_kept() {
    for width in [40, 57, 80, 133, 200] {
        let style = Style { color: false, unicode: width % 2 == 0, width };
        for line in shown(&found(), style).lines() {
            assert!(line.width() <= width, "{} > {width}: {line}", line.width());
            assert!(style.unicode || line.is_ascii(), "{line:?}");
        }
    }
}

#[test]
fn nothing_at_all_and_odd_values_are_no_reason_to_panic() {
    assert!(shown(&History::default(), Style::plain()).contains("no runs found"));
    let mut odd = found();
    for (number, run) in odd.runs.iter_mut().enumerate() {
        run.value = [None, Some(0.0), Some(1e300), Some(-1e300), Some(f64::MAX)][number % 5];
    }
    odd.changes[0].run = usize::MAX;
    assert!(!shown(&odd, Style::plain()).is_empty());
}
