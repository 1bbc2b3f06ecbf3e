//! The phases in a table.

use maud::{Markup, html};

use super::text::{
    and_more, cell, count, grade_badge, message, ms_cell, name, rate, ratio, scroll, seconds,
};
use super::view::{MAX_PHASES, View};
use crate::chart::elapsed_text;

/// The section with one row for each phase of the plan.
#[must_use]
pub fn phases(view: &View<'_>) -> Markup {
    let all = &view.result.test_results;
    if all.is_empty() {
        return html! {};
    }
    let table = html! {
        table.sortable {
            thead { tr {
                th scope="col" { "Phase" } th scope="col" { "Grade" }
                @for heading in ["Began", "Length", "Users", "Requests", "Rate", "Failed", "p50", "p95", "p99", "Max"] {
                    th.n scope="col" { (heading) }
                }
            } }
            tbody {
                @for (number, phase) in all.iter().enumerate().take(MAX_PHASES) {
                    tr data-phase=(number) {
                        th scope="row" {
                            (name(&phase.scenario))
                            @if let Some(why) = &phase.ended_early { span.remark { "ended early: " (message(why)) } }
                        }
                        @if phase.was_run {
                            td data-s=(phase.grade.map_or(-1, |grade| grade as i32)) { (grade_badge(phase.grade)) }
                            (cell(&elapsed_text(phase.start_seconds.round()), Some(phase.start_seconds)))
                            (cell(&seconds(phase.elapsed_seconds), Some(phase.elapsed_seconds)))
                            (cell(&count(phase.users_max.into()), Some(phase.users_max.into())))
                            (cell(&count(phase.total_requests), Some(phase.total_requests as f64)))
                            (cell(&rate(phase.requests_per_second), phase.requests_per_second))
                            (failed_cell(phase.failed, phase.total_requests))
                            (ms_cell(phase.median_latency_ms)) (ms_cell(phase.p95_latency_ms))
                            (ms_cell(phase.p99_latency_ms)) (ms_cell(phase.max_latency_ms))
                        } @else {
                            td { span.badge.g-none { "not run" } }
                            @for _ in 0..10 { td.n { "–" } }
                        }
                    }
                }
            }
        }
    };
    html! {
        section #phases aria-labelledby="phases-h" {
            h2 #phases-h { "Phases" }
            (scroll("Phases", &table))
            (and_more(all.len(), MAX_PHASES, "phases"))
        }
    }
}

/// The share of failures, quiet where there are none.
pub(super) fn failed_cell(failed: u64, total: u64) -> Markup {
    let share = (total > 0).then(|| failed as f64 / total as f64);
    let class = if failed > 0 { "n o-broken" } else { "n" };
    html! { td class=(class) data-s=[share] title=[(failed > 0).then(|| count(failed))] { (ratio(share)) } }
}
