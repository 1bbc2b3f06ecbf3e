//! The table of requests, over all phases.

use proofload_core::metrics::Histogram;
use proofload_core::result::PhaseResult;
use proofload_core::units::{human_count, human_ns};

use super::{MAX_ROWS, and_more, errors_cell, heading};
use crate::style::{Style, Tone};
use crate::text::{Column, Line, Table};

const COLUMNS: [Column; 8] = [
    Column::name("request"),
    Column::number("requests", 1),
    Column::number("errors", 0),
    Column::number("avg", 6),
    Column::number("p50", 3),
    Column::number("p95", 2),
    Column::number("p99", 4),
    Column::number("max", 5),
];

/// One request, in all phases together.
#[derive(Debug, Default)]
struct Total<'a> {
    name: &'a str,
    requests: u64,
    failed: u64,
    response: Histogram,
}

pub(super) fn lines(style: &Style, phases: &[&PhaseResult]) -> Vec<Line> {
    let mut totals = totals(phases);
    // One request in one phase: the table of phases has said it all.
    if totals.is_empty() || (totals.len() == 1 && phases.len() == 1) {
        return Vec::new();
    }
    let more = totals.len().saturating_sub(MAX_ROWS);
    if more > 0 {
        totals.sort_by_key(|total| std::cmp::Reverse(total.requests));
        totals.truncate(MAX_ROWS);
    }
    let mut table = Table::new(style, &COLUMNS);
    for total in &totals {
        let time = |ns: Option<f64>| match ns {
            Some(ns) => (human_ns(ns), Tone::Plain),
            None => ("–".to_owned(), Tone::Dim),
        };
        let response = &total.response;
        let at = |q: f64| time(response.value_at_quantile(q).map(|ns| ns as f64));
        table.row(vec![
            (total.name.to_owned(), Tone::Plain),
            (human_count(total.requests), Tone::Plain),
            errors_cell(total.failed, total.requests),
            time(response.mean()),
            at(0.5),
            at(0.95),
            at(0.99),
            time(response.max().map(|ns| ns as f64)),
        ]);
    }
    let remark = if more > 0 { "most frequent first" } else { "" };
    let mut lines = vec![heading(style, "Requests", remark)];
    lines.extend(table.lines());
    lines.extend(and_more(style, more, "requests in the result file"));
    lines
}

/// Requests of the same name are one, in the order in which they first appear.
fn totals<'a>(phases: &[&'a PhaseResult]) -> Vec<Total<'a>> {
    let mut totals: Vec<Total<'a>> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for row in phases.iter().flat_map(|phase| &phase.requests) {
        let at = *places.entry(row.name.as_str()).or_insert_with(|| {
            totals.push(Total { name: &row.name, ..Total::default() });
            totals.len() - 1
        });
        let total = &mut totals[at];
        total.requests = total.requests.saturating_add(row.total_requests);
        total.failed = total.failed.saturating_add(row.failed);
        total.response.merge(&row.response_histogram);
    }
    totals
}
