//! Runs of the same plan: each by itself, and how far they lie apart.

use maud::{Markup, PreEscaped, html};
use proofload_core::result::{RepeatRow, Repeats, SpreadRow};

use super::phases::failed_cell;
use super::text::{
    and_more, cell, count, grade_badge, label, ms_cell, name, rate, scroll, seconds, when,
};
use super::view::View;
use crate::chart::RunDots;

/// Runs that are shown.
const MAX_RUNS: usize = 200;
/// Measures of phases that are shown.
const MAX_ROWS: usize = 300;

/// The section with the runs that the result is of; empty where it is of one.
#[must_use]
pub fn repeats(view: &View<'_>) -> Markup {
    let Some(repeats) = &view.result.repeats else { return html! {} };
    let counted = repeats.runs.iter().filter(|run| run.completed).count() as u64;
    html! {
        section #repeats aria-labelledby="repeats-h" {
            h2 #repeats-h { "Runs" }
            p.note {
                "The plan was run " (count(repeats.runs.len() as u64)) " times. Everything on this page is of "
                @if counted == repeats.runs.len() as u64 { "all runs" } @else { "the runs that came to their end" }
                " together, unless it says otherwise."
            }
            (scroll("Runs", &runs(view, repeats)))
            (and_more(repeats.runs.len(), MAX_RUNS, "runs"))
            h3 { "Between runs" }
            p.note {
                "A ring is a run, the bar all runs together, the line the 95% confidence interval of that: it comes from how "
                "the runs differ, and is never narrower than independent requests would make it. An end that the runs do not bound is open. The deviation "
                "is what to expect from one run to the next although nothing was changed."
            }
            (scroll("Between runs", &spread(repeats)))
            (and_more(repeats.spread.len(), MAX_ROWS, "rows"))
        }
    }
}

fn runs(view: &View<'_>, repeats: &Repeats) -> Markup {
    html! {
        table.sortable {
            thead { tr {
                th scope="col" { "Run" } th scope="col" { "Grade" } th scope="col" { "Began" }
                @for heading in ["Length", "Requests", "Rate", "Failed", "p50", "p95", "p99", "Max"] {
                    th.n scope="col" { (heading) }
                }
            } }
            tbody {
                @for run in repeats.runs.iter().take(MAX_RUNS) {
                    tr {
                        th scope="row" data-s=(run.number) { (link(view, run)) (remarks(run)) }
                        td data-s=(run.grade.map_or(-1, |grade| grade as i32)) { (grade_badge(run.grade)) }
                        td.nowrap { (when(&run.started)) }
                        (cell(&seconds(run.duration_seconds), Some(run.duration_seconds)))
                        (cell(&count(run.total_requests), Some(run.total_requests as f64)))
                        (cell(&rate(run.requests_per_second), run.requests_per_second))
                        (failed_cell(run.failed, run.total_requests))
                        (ms_cell(run.median_latency_ms)) (ms_cell(run.p95_latency_ms))
                        (ms_cell(run.p99_latency_ms)) (ms_cell(run.max_latency_ms))
                    }
                }
            }
        }
    }
}

/// The number, leading to the run's own report where that lies beside this page.
fn link(view: &View<'_>, run: &RepeatRow) -> Markup {
    let place = if run.report.is_empty() { &run.file } else { &run.report };
    html! {
        @if view.is_beside_results && is_plain(place) { a href=(place) { (run.number) } } @else { (run.number) }
    }
}

/// A name of a file in the same folder: a result that comes from elsewhere leads nowhere else.
fn is_plain(place: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !place.is_empty() && !place.starts_with('.') && place.chars().all(plain)
}

fn remarks(run: &RepeatRow) -> Markup {
    html! {
        @if !run.completed { span.remark { "stopped, not counted" } }
        @if !run.trustworthy { span.remark.o-missed { "suspect" } }
    }
}

fn spread(repeats: &Repeats) -> Markup {
    let mut before = "";
    let rows = repeats.spread.iter().take(MAX_ROWS).map(|row| {
        let is_first = row.phase != before;
        before = &row.phase;
        (is_first, row)
    });
    let rows: Vec<_> = rows.collect();
    html! {
        table.expect {
            thead { tr {
                th scope="col" { "Phase" } th scope="col" { "Measure" } th.n scope="col" { "Together" }
                th.pic scope="col" { span.vh { "Picture" } }
                th.n scope="col" { "Least" } th.n scope="col" { "Median" } th.n scope="col" { "Most" } th.n scope="col" { "Deviation" }
            } }
            tbody {
                @for (is_first, row) in rows {
                    tr class=[is_first.then_some("first")] {
                        td { @if is_first { (name(&row.phase)) } @else { span.vh { (name(&row.phase)) } } }
                        th scope="row" { (label(&row.measure, 60)) }
                        td.n { (label(&row.pooled_text, 40)) @if !row.interval_text.is_empty() { span.remark { (label(&row.interval_text, 60)) } } }
                        td.pic { (PreEscaped(picture(row).to_svg())) }
                        td.n { (label(&row.least_text, 40)) }
                        td.n { (label(&row.median_text, 40)) }
                        td.n { (label(&row.most_text, 40)) }
                        td.n { @if row.deviation_text.is_empty() { "–" } @else { (label(&row.deviation_text, 40)) } }
                    }
                }
            }
        }
    }
}

fn picture(row: &SpreadRow) -> RunDots {
    RunDots {
        values: row.values.clone(),
        pooled: row.pooled,
        low: row.low,
        high: row.high,
        text: format!("{}: runs from {} to {}", row.measure, row.least_text, row.most_text),
    }
}

#[cfg(test)]
mod tests {
    use super::is_plain;

    #[test]
    fn links_stay_in_the_folder() {
        let check = |place: &str, expect: bool| assert_eq!(is_plain(place), expect, "{place}");
        check("run-12.html", true);
        check("../x.html", false);
        check("javascript:alert(1)", false);
        check("//host/x", false);
        check("..", false);
        check("", false);
    }
}
