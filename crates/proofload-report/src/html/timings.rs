//! Where the time of a request goes.

use maud::{Markup, PreEscaped, html};
use proofload_core::result::PhaseResult;

use super::text::{cell, count, ms, ms_cell, name, scroll};
use super::view::{MAX_PHASES, View};
use crate::chart::{Colour, Part, StackedBar};

/// Identifier, words, colour.
const PARTS: [(&str, &str, Colour); 6] = [
    ("dns", "DNS lookup", Colour::Grey),
    ("connect", "connect", Colour::Pink),
    ("tls", "TLS", Colour::Violet),
    ("send", "send", Colour::Green),
    ("wait", "wait for the answer", Colour::Blue),
    ("receive", "receive", Colour::Orange),
];

/// The section with the parts of requests; empty if none was measured.
#[must_use]
pub fn timings(view: &View<'_>) -> Markup {
    let phases: Vec<_> =
        view.phases().filter(|(_, phase)| !phase.timings.is_empty()).take(MAX_PHASES).collect();
    if phases.is_empty() {
        return html! {};
    }
    let whole = phases
        .iter()
        .map(|(_, phase)| parts(phase).iter().map(|p| p.value).sum())
        .fold(0.0, f64::max);
    let used: Vec<_> = PARTS
        .iter()
        .filter(|(id, ..)| phases.iter().any(|(_, p)| p.timings.contains_key(*id)))
        .collect();
    html! {
        section #timings aria-labelledby="timings-h" {
            h2 #timings-h { "Where the time goes" }
            p.note { "Mean time a request spends in each part; connections are opened by few requests and spread over all." }
            ul.legend { @for (_, words, colour) in &used { li { (key(*colour)) " " (words) } } }
            dl.stacks {
                @for (number, phase) in &phases {
                    div data-phase=(number) {
                        @let parts = parts(phase);
                        @let sum: f64 = parts.iter().map(|part| part.value).sum();
                        dt { @if view.has_phases() { (name(&phase.scenario)) " " } span.remark { (ms(Some(sum))) } }
                        dd { (PreEscaped(bar(parts, whole).to_svg())) }
                    }
                }
            }
            (table(view, &phases))
        }
    }
}

fn key(colour: Colour) -> Markup {
    html! { svg.swatch width="12" height="12" aria-hidden="true" { rect class=(colour.class()) width="12" height="12" {} } }
}

/// Mean milliseconds of each part, over all requests.
fn parts(phase: &PhaseResult) -> Vec<Part> {
    let requests = phase.total_requests.max(1) as f64;
    let part = |(id, words, colour): &(&str, &str, Colour)| {
        let times = phase.timings.get(*id)?;
        let value = times.avg_ms? * times.count as f64 / requests;
        Some(Part { name: format!("{words} {}", ms(Some(value))), value, colour: *colour })
    };
    PARTS.iter().filter_map(part).collect()
}

fn bar(parts: Vec<Part>, whole: f64) -> StackedBar {
    let text = parts.iter().map(|part| part.name.as_str()).collect::<Vec<_>>().join(", ");
    StackedBar { parts, whole, text }
}

/// The parts of those requests that had them.
fn table(view: &View<'_>, phases: &[(usize, &PhaseResult)]) -> Markup {
    let table = html! {
        table {
            thead { tr {
                @if view.has_phases() { th scope="col" { "Phase" } }
                th scope="col" { "Part" }
                @for heading in ["Requests", "Mean", "p50", "p95", "p99", "Max"] { th.n scope="col" { (heading) } }
            } }
            tbody {
                @for (number, phase) in phases {
                    @let used = PARTS.iter().filter_map(|(id, words, _)| Some((words, phase.timings.get(*id)?)));
                    @for (at, (words, times)) in used.enumerate() {
                        tr data-phase=(number) class=[(at == 0).then_some("first")] {
                            @if view.has_phases() { td { @if at == 0 { (name(&phase.scenario)) } @else { span.vh { (name(&phase.scenario)) } } } }
                            th scope="row" { (words) }
                            (cell(&count(times.count), None)) (ms_cell(times.avg_ms))
                            @for percentile in ["p50", "p95", "p99"] { (ms_cell(times.percentiles.get(percentile).map(|row| row.value_ms))) }
                            (ms_cell(times.max_ms))
                        }
                    }
                }
            }
        }
    };
    html! { details { summary { "Percentiles of each part" } (scroll("Parts of requests", &table)) } }
}
