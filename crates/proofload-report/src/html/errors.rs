//! What went wrong: failures by kind with samples, answers by status, checks.

use std::collections::BTreeMap;

use maud::{Markup, html};
use proofload_core::result::{ErrorRow, ErrorSampleRow};

use super::text::{and_more, cell, count, message, ms, name, ratio, scroll};
use super::view::View;
use crate::chart::elapsed_text;

/// Kinds, checks or statuses that are shown.
const MAX_ROWS: usize = 100;
/// Samples of a kind that are shown.
const MAX_SAMPLES: usize = 10;

/// Failures of one kind in all phases.
struct Kind<'a> {
    words: &'a str,
    count: u64,
    samples: Vec<(&'a str, f64, &'a ErrorSampleRow)>,
}

/// The section with failures by kind; empty if there were none.
#[must_use]
pub fn errors(view: &View<'_>) -> Markup {
    let kinds = kinds(view);
    if kinds.is_empty() {
        return html! {};
    }
    let total: u64 = view.result.test_results.iter().map(|phase| phase.total_requests).sum();
    let dropped: u64 =
        view.result.test_results.iter().map(|phase| phase.error_samples_dropped).sum();
    html! {
        section #errors aria-labelledby="errors-h" {
            h2 #errors-h { "Errors" }
            @for kind in kinds.iter().take(MAX_ROWS) {
                details.error open[kinds.len() <= 3] {
                    summary {
                        strong.o-broken { (count(kind.count)) } " " (message(kind.words))
                        @if total > 0 { span.remark { (ratio(Some(kind.count as f64 / total as f64))) " of all requests" } }
                    }
                    (samples(view, kind))
                }
            }
            (and_more(kinds.len(), MAX_ROWS, "kinds"))
            @if dropped > 0 { p.note { "Samples are the first of their kind; " (count(dropped)) " failures left none." } }
        }
    }
}

fn kinds<'a>(view: &View<'a>) -> Vec<Kind<'a>> {
    let mut kinds: Vec<(&str, Kind<'a>)> = Vec::new();
    for (_, phase) in view.phases() {
        for row in &phase.errors {
            let ErrorRow { kind, description, count, samples } = row;
            let samples = samples.iter().map(|sample| {
                (phase.scenario.as_str(), phase.start_seconds + sample.at_seconds, sample)
            });
            if let Some((_, known)) = kinds.iter_mut().find(|(id, _)| id == kind) {
                known.count = known.count.saturating_add(*count);
                known.samples.extend(samples);
            } else {
                let words = if description.is_empty() { kind } else { description };
                kinds.push((kind, Kind { words, count: *count, samples: samples.collect() }));
            }
        }
    }
    kinds.sort_by_key(|(_, kind)| std::cmp::Reverse(kind.count));
    kinds.into_iter().map(|(_, kind)| kind).collect()
}

fn samples(view: &View<'_>, kind: &Kind<'_>) -> Markup {
    if kind.samples.is_empty() {
        return html! { p.note { "No sample was kept." } };
    }
    let table = html! {
        table {
            thead { tr {
                th.n scope="col" { "Time" }
                @if view.has_phases() { th scope="col" { "Phase" } }
                th scope="col" { "Request" } th.n scope="col" { "Status" } th.n scope="col" { "Took" } th scope="col" { "Message" }
            } }
            tbody {
                @for (phase, at, sample) in kind.samples.iter().take(MAX_SAMPLES) {
                    tr {
                        td.n { (elapsed_text(*at)) }
                        @if view.has_phases() { td { (name(phase)) } }
                        td.name { (name(&sample.request)) }
                        td.n { @match sample.status { Some(status) => (status), None => "–" } }
                        td.n { (ms(Some(sample.elapsed_ms))) }
                        td.name { (message(&sample.message)) }
                    }
                }
            }
        }
    };
    html! { (scroll("Samples", &table)) (and_more(kind.samples.len(), MAX_SAMPLES, "samples")) }
}

/// The section with answers by status; empty without answers.
#[must_use]
pub fn statuses(view: &View<'_>) -> Markup {
    let mut all: BTreeMap<u16, u64> = BTreeMap::new();
    for (_, phase) in view.phases() {
        for (&status, &count) in &phase.status_codes {
            let known = all.entry(status).or_default();
            *known = known.saturating_add(count);
        }
    }
    let total = all.values().fold(0_u64, |sum, &count| sum.saturating_add(count));
    if total == 0 {
        return html! {};
    }
    let table = html! {
        table.narrow {
            thead { tr { th scope="col" { "Status" } th.n scope="col" { "Answers" } th.n scope="col" { "Share" } } }
            tbody {
                @for (status, answers) in all.iter().take(MAX_ROWS) {
                    tr {
                        th scope="row" class=[(*status >= 400).then_some("o-broken")] { @if *status == 0 { "none" } @else { (status) } }
                        (cell(&count(*answers), Some(*answers as f64)))
                        (cell(&ratio(Some(*answers as f64 / total as f64)), None))
                    }
                }
            }
        }
    };
    html! {
        section #statuses aria-labelledby="statuses-h" {
            h2 #statuses-h { "Status codes" }
            (scroll("Status codes", &table))
        }
    }
}

/// The section with checks over all phases, those that failed first; empty if there are none.
#[must_use]
pub fn checks(view: &View<'_>) -> Markup {
    let mut all: Vec<(&str, u64, u64)> = Vec::new();
    for (_, phase) in view.phases() {
        for row in &phase.checks {
            if let Some(known) = all.iter_mut().find(|(name, ..)| *name == row.name) {
                known.1 = known.1.saturating_add(row.passes);
                known.2 = known.2.saturating_add(row.fails);
            } else if all.len() < 10 * MAX_ROWS {
                all.push((&row.name, row.passes, row.fails));
            }
        }
    }
    if all.is_empty() {
        return html! {};
    }
    all.sort_by_key(|(_, _, fails)| std::cmp::Reverse(*fails));
    let table = html! {
        table.sortable {
            thead { tr { th scope="col" { "Check" } th.n scope="col" { "Held" } th.n scope="col" { "Failed" } th.n scope="col" { "Share" } } }
            tbody {
                @for (check, passes, fails) in all.iter().take(MAX_ROWS) {
                    @let total = passes.saturating_add(*fails);
                    @let share = (total > 0).then(|| *passes as f64 / total as f64);
                    tr {
                        th.name scope="row" { (name(check)) }
                        (cell(&count(*passes), Some(*passes as f64)))
                        td class=(if *fails > 0 { "n o-broken" } else { "n" }) data-s=(fails) { (count(*fails)) }
                        (cell(&ratio(share), share))
                    }
                }
            }
        }
    };
    html! {
        section #checks aria-labelledby="checks-h" {
            h2 #checks-h { "Checks" }
            (scroll("Checks", &table))
            (and_more(all.len(), MAX_ROWS, "checks"))
        }
    }
}
