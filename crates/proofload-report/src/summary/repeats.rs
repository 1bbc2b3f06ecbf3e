//! Runs of the same plan: each in a line, and how far they lie apart.

use proofload_core::result::{RepeatRow, Repeats, RunResult};
use proofload_core::units::human_rate;

use super::{MAX_ROWS, and_more, errors_cell, grade_tone, heading, ms_cell, wrapped};
use crate::repeats::remark;
use crate::style::{Style, Tone};
use crate::text::{Column, Line, Table};

pub(super) fn lines(style: &Style, result: &RunResult) -> Vec<Line> {
    let Some(repeats) = &result.repeats else { return Vec::new() };
    let mut lines = runs(style, repeats);
    lines.push(Line::new(style));
    lines.extend(spread(style, repeats));
    if let Some(text) = remark(repeats) {
        let mut intro = Line::new(style);
        intro.push(&format!("  {} ", style.symbols().fair), Tone::Fair);
        lines.extend(wrapped(style, intro, &text, Tone::Plain, 4));
    }
    lines
}

fn runs(style: &Style, repeats: &Repeats) -> Vec<Line> {
    let columns = [
        Column::name("run"),
        Column::number("req/s", 1),
        Column::number("errors", 2),
        Column::number("p50", 3),
        Column::number("p95", 0),
        Column::number("p99", 1),
        Column::words("grade", 0),
    ];
    let mut table = Table::new(style, &columns);
    for run in repeats.runs.iter().take(MAX_ROWS) {
        let rate = run.requests_per_second.map(human_rate).unwrap_or_default();
        table.row(vec![
            (run.number.to_string(), Tone::Bold),
            (rate, Tone::Plain),
            errors_cell(run.failed, run.total_requests),
            ms_cell(run.median_latency_ms),
            ms_cell(run.p95_latency_ms),
            ms_cell(run.p99_latency_ms),
            outcome(run),
        ]);
    }
    let mut lines = vec![heading(style, "Runs", "")];
    lines.extend(table.lines());
    lines.extend(and_more(style, repeats.runs.len().saturating_sub(MAX_ROWS), "runs"));
    lines
}

fn outcome(run: &RepeatRow) -> (String, Tone) {
    let word = run.grade.map_or("no grade", |grade| grade.name());
    if !run.completed {
        ("stopped, not counted".to_owned(), Tone::LoudFair)
    } else if run.trustworthy {
        (word.to_owned(), run.grade.map_or(Tone::Plain, grade_tone))
    } else {
        (format!("{word}, SUSPECT"), Tone::LoudBad)
    }
}

fn spread(style: &Style, repeats: &Repeats) -> Vec<Line> {
    let columns = [
        Column::name("phase"),
        Column::words("measure", 0),
        Column::number("together", 0),
        Column::number("95% interval", 1),
        Column::number("least", 3),
        Column::number("most", 3),
        Column::number("deviation", 2),
    ];
    let mut table = Table::new(style, &columns);
    let mut before = "";
    for row in &repeats.spread {
        let name = if row.phase == before { "" } else { &row.phase };
        before = &row.phase;
        table.row(vec![
            (name.to_owned(), Tone::Bold),
            (row.measure.clone(), Tone::Plain),
            (row.pooled_text.clone(), Tone::Bold),
            (row.interval_text.clone(), Tone::Plain),
            (row.least_text.clone(), Tone::Dim),
            (row.most_text.clone(), Tone::Dim),
            (row.deviation_text.clone(), Tone::Plain),
        ]);
    }
    let mut lines =
        vec![heading(style, "Between runs", "intervals and deviation by how the runs differ")];
    lines.extend(table.lines());
    lines
}
