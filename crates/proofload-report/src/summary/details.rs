//! What `--verbose` shows beside the summary: every request of every phase, and where its time went.

use proofload_core::result::{Distribution, PhaseResult, RequestRow, RunResult};
use proofload_core::units::{human_count, human_rate, human_ratio};

use super::{errors_cell, heading, ms_cell};
use crate::style::{Style, Tone};
use crate::text::{Column, Line, Table};

/// The parts of a request in the order in which they happen, and what they are.
const PARTS: [(&str, &str); 6] = [
    ("dns", "looking the name up"),
    ("connect", "connecting"),
    ("tls", "TLS handshake"),
    ("send", "sending"),
    ("wait", "waiting for the first byte"),
    ("receive", "receiving"),
];

/// For each phase that was run: a table of all its requests, then where their time went. Lines end with a line
/// break; none is wider than the style allows.
#[must_use]
pub fn details(result: &RunResult, style: &Style) -> String {
    let mut out = String::new();
    for phase in result.test_results.iter().filter(|phase| phase.was_run) {
        for section in [requests(style, phase), failures(style, phase), parts(style, phase)] {
            if section.is_empty() {
                continue;
            }
            out.push('\n');
            for line in section {
                out.push_str(&line.render());
                out.push('\n');
            }
        }
    }
    out
}

fn requests(style: &Style, phase: &PhaseResult) -> Vec<Line> {
    let columns = [
        Column::name("request"),
        Column::number("requests", 1),
        Column::number("per second", 5),
        Column::number("errors", 0),
        Column::number("avg", 4),
        Column::number("p50", 3),
        Column::number("p90", 8),
        Column::number("p95", 2),
        Column::number("p99", 6),
        Column::number("max", 7),
        Column::words("statuses", 9),
    ];
    if phase.requests.is_empty() {
        return Vec::new();
    }
    let mut table = Table::new(style, &columns);
    for row in &phase.requests {
        let times = &row.response_time;
        table.row(vec![
            (row.name.clone(), Tone::Plain),
            (human_count(row.total_requests), Tone::Plain),
            (row.requests_per_second.map_or_else(String::new, human_rate), Tone::Plain),
            errors_cell(row.failed, row.total_requests),
            ms_cell(times.avg_ms),
            percentile(times, "p50"),
            percentile(times, "p90"),
            percentile(times, "p95"),
            percentile(times, "p99"),
            ms_cell(times.max_ms),
            (statuses(row), Tone::Dim),
        ]);
    }
    let mut lines = vec![heading(style, "Requests of phase", &phase.scenario)];
    lines.extend(table.lines());
    lines
}

/// `200 × 1,000, 503 × 7`
fn statuses(row: &RequestRow) -> String {
    let times = |(status, count): (&u16, &u64)| format!("{status} × {}", human_count(*count));
    row.status_codes.iter().map(times).collect::<Vec<_>>().join(", ")
}

/// Errors of each request by kind.
fn failures(style: &Style, phase: &PhaseResult) -> Vec<Line> {
    let columns = [Column::name("request"), Column::words("error", 0), Column::number("count", 0)];
    let mut table = Table::new(style, &columns);
    let mut is_empty = true;
    for row in &phase.requests {
        for (kind, count) in &row.errors {
            is_empty = false;
            let words = phase.errors.iter().find(|known| known.kind == *kind);
            let words = words.map_or(kind.as_str(), |known| known.description.as_str());
            table.row(vec![
                (row.name.clone(), Tone::Plain),
                (words.to_owned(), Tone::Bad),
                (human_count(*count), Tone::Bad),
            ]);
        }
    }
    if is_empty {
        return Vec::new();
    }
    let mut lines = vec![heading(style, "Errors of phase", &phase.scenario)];
    lines.extend(table.lines());
    lines
}

fn parts(style: &Style, phase: &PhaseResult) -> Vec<Line> {
    let columns = [
        Column::name("part"),
        Column::number("share", 0),
        Column::number("times", 3),
        Column::number("avg", 1),
        Column::number("p50", 4),
        Column::number("p95", 0),
        Column::number("p99", 2),
        Column::number("max", 2),
    ];
    let total = |times: &Distribution| times.avg_ms.unwrap_or(0.0) * times.count as f64;
    let all: f64 = PARTS.iter().filter_map(|(key, _)| phase.timings.get(*key)).map(total).sum();
    if all <= 0.0 {
        return Vec::new();
    }
    let mut table = Table::new(style, &columns);
    for (key, words) in PARTS {
        let Some(times) = phase.timings.get(key).filter(|times| times.count > 0) else { continue };
        table.row(vec![
            (words.to_owned(), Tone::Plain),
            (human_ratio(total(times) / all), Tone::Plain),
            (human_count(times.count), Tone::Dim),
            ms_cell(times.avg_ms),
            percentile(times, "p50"),
            percentile(times, "p95"),
            percentile(times, "p99"),
            ms_cell(times.max_ms),
        ]);
    }
    let mut lines = vec![heading(style, "Where the time went in phase", &phase.scenario)];
    lines.extend(table.lines());
    lines
}

fn percentile(times: &Distribution, name: &str) -> (String, Tone) {
    ms_cell(times.percentiles.get(name).map(|row| row.value_ms))
}
