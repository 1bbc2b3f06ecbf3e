//! Whether the load generator was up to its task.

use maud::{Markup, html};
use proofload_core::result::PhaseResult;

use super::course::Points;
use super::text::{Outcome, cell, count, ms_cell, name, ratio, scroll};
use super::view::{MAX_PHASES, View};
use crate::chart::{Colour, Level, Line, TimeChart, Tone, Unit};

/// Busier than this, answers wait in the generator.
const SATURATED: f64 = 0.9;

/// The section about the load generator; empty if nothing was run.
#[must_use]
pub fn quality(view: &View<'_>) -> Markup {
    let phases: Vec<_> = view.phases().take(MAX_PHASES).collect();
    if phases.is_empty() {
        return html! {};
    }
    let points = Points::of(view);
    html! {
        section #quality aria-labelledby="quality-h" {
            h2 #quality-h { "Load generator" }
            p.note { "Where the generator is the bottleneck, it measures itself: that is why it is measured too." }
            @if let Some(chart) = cpu_chart(view, &points) { (chart.figure("generator-cpu")) }
            @if let Some(chart) = lag_chart(view, &points) { (chart.figure("generator-lag")) }
            (table(view, &phases))
        }
    }
}

fn cpu_chart(view: &View<'_>, points: &Points<'_>) -> Option<TimeChart> {
    let cpu = points.rates("busy", (Colour::Violet, Line::Area), |row| {
        Some(row.generator_cpu_share? * row.length_seconds)
    });
    let has = cpu.values.iter().any(Option::is_some);
    let chart =
        points.chart(view, "Processor time of the generator's workers", Unit::Share, vec![cpu]);
    let level =
        Level { value: SATURATED, text: "saturated".to_owned(), tone: Tone::Bad, span: None };
    has.then_some(TimeChart { height: 80, at_least: Some(1.0), levels: vec![level], ..chart })
}

fn lag_chart(view: &View<'_>, points: &Points<'_>) -> Option<TimeChart> {
    let lag = points.series("p99", (Colour::Violet, Line::Solid), |row| row.start_lag_p99_ms);
    let has = lag.values.iter().any(Option::is_some);
    let title = "How late arrivals were started (p99)";
    let chart = points.chart(view, title, Unit::Milliseconds, vec![lag]);
    has.then_some(TimeChart { height: 80, at_least: Some(1.0), ..chart })
}

fn table(view: &View<'_>, phases: &[(usize, &PhaseResult)]) -> Markup {
    let table = html! {
        table {
            thead { tr {
                @if view.has_phases() { th scope="col" { "Phase" } }
                th scope="col" { "Measurement" }
                @for heading in ["Busy", "Peak", "Saturated", "Start lag p99", "Timer lag p99", "Not started", "Connections", "Lost samples"] { th.n scope="col" { (heading) } }
            } }
            tbody { @for (number, phase) in phases {
                tr data-phase=(number) {
                    @if view.has_phases() { th scope="row" { (name(&phase.scenario)) } }
                    td {
                        @if phase.trust.trustworthy { (Outcome::Good.mark("good")) " trustworthy" }
                        @else { (Outcome::Broken.mark("bad")) " suspect" }
                    }
                    (generator_cells(phase))
                }
            } }
        }
    };
    scroll("Load generator by phase", &table)
}

fn generator_cells(phase: &PhaseResult) -> Markup {
    let generator = &phase.generator;
    let whole = |share: Option<f64>| ratio(share.map(|share| (share * 1000.0).round() / 1000.0));
    let p99 = |times: &proofload_core::result::Distribution| {
        times.percentiles.get("p99").map(|row| row.value_ms)
    };
    let lost = phase.samples_dropped.saturating_add(phase.intervals_missing);
    html! {
        (cell(&whole(generator.cpu_share), None)) (cell(&whole(generator.cpu_share_peak), None))
        (cell(&whole(generator.saturated_share), None))
        (ms_cell(p99(&generator.start_lag))) (ms_cell(p99(&generator.timer_lag)))
        (cell(&count(phase.iterations.dropped), None))
        (cell(&count(generator.open_connections_max.into()), None)) (cell(&count(lost), None))
    }
}
