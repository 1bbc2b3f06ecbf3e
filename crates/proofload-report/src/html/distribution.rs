//! How response times are distributed: a curve for each phase, and its percentiles with their confidence.

use maud::{Markup, html};
use proofload_core::metrics::Histogram;
use proofload_core::result::{Distribution, PhaseResult};

use super::text::{and_more, cell, count, label, ms, ms_cell, name, scroll};
use super::view::View;
use crate::chart::{Colour, Curve, Level, Line, PercentileChart, ScaleKind, Tone};

/// Phases with a curve of their own.
const MAX_CURVES: usize = 12;
/// Percentiles in the table.
const PERCENTILES: [&str; 6] = ["p50", "p90", "p95", "p99", "p99.9", "p99.99"];

/// The section with the percentile curves of all phases, on the same scale.
#[must_use]
pub fn distribution(view: &View<'_>) -> Markup {
    let phases: Vec<_> = view.phases().filter(|(_, phase)| phase.total_requests > 0).collect();
    if phases.is_empty() {
        return html! {};
    }
    let shown = || phases.iter().take(MAX_CURVES);
    let slowest = shown().filter_map(|(_, phase)| phase.max_latency_ms).fold(0.0, f64::max);
    let middle = shown().filter_map(|(_, phase)| phase.median_latency_ms).fold(slowest, f64::min);
    let fastest = shown().filter_map(|(_, phase)| phase.min_latency_ms).fold(slowest, f64::min);
    // One scale for all, or they could not be compared.
    let scale = if slowest > middle * 30.0 { ScaleKind::Log } else { ScaleKind::Linear };
    let range_ms = (fastest.max(0.001), slowest);
    html! {
        section #distribution aria-labelledby="distribution-h" {
            h2 #distribution-h { "Distribution" }
            p.note { "Each step to the right leaves out nine tenths of what is left: at p99.9, one answer in a thousand is slower. A curve ends where there is less than one answer beyond." }
            div class={ "multiples " (if phases.len() == 1 { "one" } else { "many" }) } {
                @for (number, phase) in shown() {
                    div data-phase=(number) {
                        (curve(view, phase, scale, range_ms).figure(&format!("percentiles-{number}")))
                    }
                }
            }
            (and_more(phases.len(), MAX_CURVES, "curves"))
            (table(view, &phases))
        }
    }
}

/// Response and service time of a phase, and its response time in an earlier run.
fn curve(
    view: &View<'_>,
    phase: &PhaseResult,
    scale: ScaleKind,
    range_ms: (f64, f64),
) -> PercentileChart {
    let histograms = &phase.histograms;
    let mut response = histograms.response_successful.clone();
    response.merge(&histograms.response_failed);
    let curve = |name: &str, colour, line, samples: Histogram| Curve {
        name: name.to_owned(),
        colour,
        line,
        samples,
    };
    let mut curves = Vec::new();
    let earlier = view.overlay.and_then(|overlay| {
        let of_phase = overlay.phases.iter().find(|(name, _)| *name == phase.scenario);
        of_phase
            .map(|(_, samples)| curve(&overlay.name, Colour::Grey, Line::Dotted, samples.clone()))
    });
    curves.extend(earlier);
    let has_service = !histograms.service.is_empty() && histograms.service != response;
    if has_service {
        let service = histograms.service.clone();
        curves.push(curve("service time", Colour::Orange, Line::Dashed, service));
    }
    curves.push(curve("response time", Colour::Blue, Line::Strong, response));
    PercentileChart {
        title: if view.has_phases() {
            label(&phase.scenario, 80)
        } else {
            "Percentiles of the response time".to_owned()
        },
        note: String::new(),
        curves,
        scale,
        range_ms: Some(range_ms),
        height: if view.has_phases() { 170 } else { 240 },
        levels: levels(phase),
    }
}

/// Limits on percentiles, as lines across.
fn levels(phase: &PhaseResult) -> Vec<Level> {
    let rows =
        phase.expectations.iter().filter(|row| row.unit == "ms" && row.measure.starts_with('p'));
    rows.filter_map(|row| {
        let limit = row.limit.as_ref()?;
        let text = format!("limit {} {}", row.measure, limit.text);
        Some(Level { value: limit.value, text, tone: Tone::Bad, span: None })
    })
    .take(3)
    .collect()
}

/// Whether a distribution has samples and says something else than another.
fn differs(times: &Distribution, other: &Distribution) -> bool {
    let figures = |times: &Distribution| (ms(times.avg_ms), ms(times.max_ms));
    times.count > 0 && (times.count != other.count || figures(times) != figures(other))
}

/// Percentiles with the ends of their confidence intervals.
fn table(view: &View<'_>, phases: &[(usize, &PhaseResult)]) -> Markup {
    let table = html! {
        table {
            thead { tr {
                th scope="col" { "Times" } th.n scope="col" { "Samples" } th.n scope="col" { "Mean" }
                @for percentile in PERCENTILES { th.n scope="col" { (percentile) } }
                th.n scope="col" { "Max" }
            } }
            tbody {
                @for (number, phase) in phases.iter().take(MAX_CURVES) {
                    @let rows = [
                        ("response time", &phase.response_time), ("service time", &phase.service_time),
                        ("of successes", &phase.response_time_successful), ("of failures", &phase.response_time_failed),
                    ];
                    @for (at, (what, times)) in rows.iter().enumerate() {
                        @if at == 0 || differs(times, &phase.response_time) {
                            tr data-phase=(number) class=[(at == 0).then_some("first")] {
                                th scope="row" { @if view.has_phases() && at == 0 { (name(&phase.scenario)) ", " } (what) }
                                (cell(&count(times.count), None)) (ms_cell(times.avg_ms))
                                @for percentile in PERCENTILES {
                                    @let row = times.percentiles.get(percentile);
                                    td.n {
                                        (ms(row.map(|row| row.value_ms)))
                                        @if let Some((Some(low), Some(high))) = row.map(|row| (row.low_ms, row.high_ms)) {
                                            @if at == 0 && high > low { span.remark { (ms(Some(low))) " – " (ms(Some(high))) } }
                                        }
                                    }
                                }
                                (ms_cell(times.max_ms))
                            }
                        }
                    }
                }
            }
        }
    };
    html! {
        (scroll("Percentiles", &table))
        p.note {
            "Small figures are the ends of 95% confidence intervals"
            @if view.result.repeats.is_some() { ", by how the runs differ" }
            "."
        }
    }
}
