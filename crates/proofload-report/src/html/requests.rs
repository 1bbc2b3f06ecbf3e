//! The requests of the plan: over all phases, and phase by phase.

use std::collections::HashMap;

use maud::{Markup, html};
use proofload_core::metrics::Histogram;
use proofload_core::result::RequestRow;

use super::phases::failed_cell;
use super::text::{and_more, cell, count, label, ms_cell, name, rate, ratio, scroll};
use super::view::{MAX_PHASES, View};

/// Rows of a table.
const MAX_ROWS: usize = 200;
/// Rows of all tables of phases together.
const MAX_ROWS_OF_PHASES: usize = 1000;

/// A request's figures, of one phase or of several.
struct Row<'a> {
    name: &'a str,
    user: &'a str,
    requests: u64,
    failed: u64,
    per_second: Option<f64>,
    response: Histogram,
    hit_rate: Option<f64>,
}

/// The section with the requests; empty if none was made.
#[must_use]
pub fn requests(view: &View<'_>) -> Markup {
    let all = over_all_phases(view);
    if all.is_empty() {
        return html! {};
    }
    let phases: Vec<_> = view.phases().take(MAX_PHASES).collect();
    let mut left = MAX_ROWS_OF_PHASES;
    html! {
        section #requests aria-labelledby="requests-h" {
            h2 #requests-h { "Requests" }
            div.all-phases { (table("Requests of all phases", &all)) (and_more(all.len(), MAX_ROWS, "requests")) }
            @if phases.len() > 1 {
                @for (number, phase) in &phases {
                    @let shown = left.min(MAX_ROWS).min(phase.requests.len());
                    @let rows: Vec<Row<'_>> = phase.requests.iter().take(shown).map(of_phase).collect();
                    @if shown > 0 {
                        @let () = left -= shown;
                        details.by-phase data-phase=(number) {
                            summary { (name(&phase.scenario)) span.vh { ": requests" } }
                            (table(&format!("Requests of {}", label(&phase.scenario, 80)), &rows))
                            (and_more(phase.requests.len(), shown, "requests"))
                        }
                    }
                }
            }
        }
    }
}

fn of_phase(row: &RequestRow) -> Row<'_> {
    Row {
        name: &row.name,
        user: &row.user,
        requests: row.total_requests,
        failed: row.failed,
        per_second: row.requests_per_second,
        response: row.response_histogram.clone(),
        hit_rate: row.cache_hit_rate,
    }
}

/// The same request of all phases in one row, in the order of the plan.
fn over_all_phases<'a>(view: &View<'a>) -> Vec<Row<'a>> {
    let mut rows: Vec<Row<'a>> = Vec::new();
    let mut places: HashMap<(&str, &str, &str, &str), usize> = HashMap::new();
    // Rates over all phases are over the time of those in which the request was made.
    let mut seconds: Vec<f64> = Vec::new();
    let mut phases_of: Vec<u32> = Vec::new();
    for (_, phase) in view.phases() {
        for row in &phase.requests {
            let key =
                (row.user.as_str(), row.task.as_str(), row.name.as_str(), row.method.as_str());
            let Some(&at) = places.get(&key) else {
                places.insert(key, rows.len());
                rows.push(of_phase(row));
                seconds.push(phase.elapsed_seconds);
                phases_of.push(1);
                continue;
            };
            let known = &mut rows[at];
            known.requests = known.requests.saturating_add(row.total_requests);
            known.failed = known.failed.saturating_add(row.failed);
            known.response.merge(&row.response_histogram);
            seconds[at] += phase.elapsed_seconds;
            phases_of[at] += 1;
            // How many answers said so is not in the rows: a rate over phases cannot be told.
            known.hit_rate = None;
        }
    }
    for ((row, seconds), phases) in rows.iter_mut().zip(seconds).zip(phases_of) {
        if phases > 1 {
            row.per_second = (seconds > 0.0).then(|| row.requests as f64 / seconds);
        }
    }
    rows
}

fn table(caption: &str, rows: &[Row<'_>]) -> Markup {
    let rows = &rows[..rows.len().min(MAX_ROWS)];
    let has_hits = rows.iter().any(|row| row.hit_rate.is_some());
    let mut users: Vec<&str> = rows.iter().map(|row| row.user).collect();
    users.dedup();
    let table = html! {
        table.sortable.wide {
            thead { tr {
                th scope="col" { "Request" }
                @if users.len() > 1 { th scope="col" { "User" } }
                @for heading in ["Requests", "Rate", "Failed", "p50", "p95", "p99", "Max"] { th.n scope="col" { (heading) } }
                @if has_hits { th.n scope="col" { "Cache hits" } }
            } }
            tbody {
                @for row in rows {
                    tr {
                        th.name scope="row" { (name(row.name)) }
                        @if users.len() > 1 { td { (name(row.user)) } }
                        (cell(&count(row.requests), Some(row.requests as f64)))
                        (cell(&rate(row.per_second), row.per_second))
                        (failed_cell(row.failed, row.requests))
                        @for q in [0.5, 0.95, 0.99, 1.0] {
                            (ms_cell(row.response.value_at_quantile(q).map(|ns| ns as f64 / 1e6)))
                        }
                        @if has_hits { (cell(&ratio(row.hit_rate), row.hit_rate)) }
                    }
                }
            }
        }
    };
    scroll(caption, &table)
}
