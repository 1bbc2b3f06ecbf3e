//! Where the time went: the parts of requests, and waiting before the actual start.

use proofload_core::result::{Distribution, PhaseResult};

use super::{MAX_ROWS, and_more, heading, ms_cell, ms_text};
use crate::style::{Style, Tone};
use crate::text::{Column, Line, Table};

/// The parts in the order in which they happen. The longest as a rule, waiting, goes last where
/// there is no room.
const PARTS: [(&str, Column); 6] = [
    ("dns", Column::number("DNS", 5)),
    ("connect", Column::number("connect", 2)),
    ("tls", Column::number("TLS", 3)),
    ("send", Column::number("send", 6)),
    ("wait", Column::number("wait", 1)),
    ("receive", Column::number("receive", 4)),
];
/// Times that differ by less are the same.
const NOTABLE: f64 = 0.02;

/// Average and p95 of each part, for those that occurred.
pub(super) fn parts(style: &Style, phases: &[&PhaseResult]) -> Vec<Line> {
    let of = |phase: &PhaseResult, part: &str| -> String {
        let occurred = phase.timings.get(part).filter(|times| times.count > 0);
        occurred.map_or_else(String::new, |times| {
            format!("{} / {}", ms_text(times.avg_ms), ms_text(percentile(times, "p95")))
        })
    };
    let columns: Vec<Column> =
        std::iter::once(Column::name("phase")).chain(PARTS.map(|(_, column)| column)).collect();
    let mut table = Table::new(style, &columns);
    let measured: Vec<_> =
        phases.iter().filter(|phase| phase.timings.values().any(|times| times.count > 0)).collect();
    if measured.is_empty() {
        return Vec::new();
    }
    let more = measured.len().saturating_sub(MAX_ROWS);
    for phase in measured.into_iter().take(MAX_ROWS) {
        let mut row = vec![(phase.scenario.clone(), Tone::Plain)];
        row.extend(PARTS.iter().map(|(part, _)| (of(phase, part), Tone::Plain)));
        table.row(row);
    }
    let mut lines =
        vec![heading(style, "Parts of a request", "average / p95, where they occurred")];
    lines.extend(table.lines());
    lines.extend(and_more(style, more, "phases in the result file"));
    lines
}

/// Response and service time of the phases in which they differ.
pub(super) fn service(style: &Style, phases: &[&PhaseResult]) -> Vec<Line> {
    let differing: Vec<_> = phases
        .iter()
        .filter(|phase| !phase.histograms.service.is_empty())
        .filter(|phase| differ(&phase.response_time, &phase.service_time))
        .collect();
    if differing.is_empty() {
        return Vec::new();
    }
    let columns = [
        Column::name("phase"),
        Column::words("time", 0),
        Column::number("p50", 1),
        Column::number("p95", 0),
        Column::number("p99", 2),
        Column::number("max", 3),
    ];
    let mut table = Table::new(style, &columns);
    let more = differing.len().saturating_sub(MAX_ROWS);
    for phase in differing.into_iter().take(MAX_ROWS) {
        let mut row = |name: &str, what: &str, times: &Distribution| {
            table.row(vec![
                (name.to_owned(), Tone::Plain),
                (what.to_owned(), Tone::Dim),
                ms_cell(percentile(times, "p50")),
                ms_cell(percentile(times, "p95")),
                ms_cell(percentile(times, "p99")),
                ms_cell(times.max_ms),
            ]);
        };
        row(&phase.scenario, "response", &phase.response_time);
        row("", "service", &phase.service_time);
    }
    let remark = "response: from the intended start; service: from the actual start";
    let mut lines = vec![heading(style, "Response and service time", remark)];
    lines.extend(table.lines());
    lines.extend(and_more(style, more, "phases in the result file"));
    lines
}

fn percentile(times: &Distribution, name: &str) -> Option<f64> {
    times.percentiles.get(name).map(|row| row.value_ms)
}

fn differ(response: &Distribution, service: &Distribution) -> bool {
    let names = ["p50", "p95", "p99"];
    let pairs = names.iter().map(|name| (percentile(response, name), percentile(service, name)));
    pairs.chain([(response.max_ms, service.max_ms)]).any(|pair| match pair {
        (Some(response), Some(service)) => (response - service).abs() > NOTABLE * response.abs(),
        _ => false,
    })
}
