//! The course of the run: everything that has a time, on one time axis.

use maud::{Markup, PreEscaped, html};
use proofload_core::result::{BoundRow, TimelineRow};

use super::text::label;
use super::view::{View, end_of};
use crate::chart::{
    Colour, HeatColumn, HeatMap, Level, Line, ScaleKind, Series, TimeChart, Tone, Unit,
};

/// Monitors that are drawn.
const MAX_MONITORS: usize = 24;

/// The section with phases, throughput, users, errors, latency, heat map, traffic and monitors over time.
#[must_use]
pub fn course(view: &View<'_>) -> Markup {
    let points = Points::of(view);
    if points.rows.is_empty() && view.result.test_results.iter().all(|phase| !phase.was_run) {
        return html! {};
    }
    if view.result.repeats.is_some() {
        return of_repeats(view);
    }
    html! {
        section #course aria-labelledby="course-h" {
            h2 #course-h { "Over time" }
            (PreEscaped(view.strip().to_svg("phase-strip")))
            (throughput_chart(view).figure("throughput"))
            (users_chart(view).figure("users"))
            @if let Some(chart) = error_chart(view, &points) { (chart.figure("error-rate")) }
            (latency_chart(view).figure("latency"))
            (heat_map(view).figure("heat"))
            @if let Some(chart) = backlog_chart(view, &points) { (chart.figure("backlog")) }
            @if let Some(chart) = traffic_chart(view, &points) { (chart.figure("traffic")) }
            @for (number, chart) in monitor_charts(view, &points).iter().enumerate() {
                (chart.figure(&format!("monitor-{number}")))
            }
        }
    }
}

/// Several runs have no course in common, but their answers can be laid on one another.
fn of_repeats(view: &View<'_>) -> Markup {
    html! {
        section #course aria-labelledby="course-h" {
            h2 #course-h { "Over time" }
            p.note { "All runs on one another, by the time since each began. The course of one run is in its own report." }
            (PreEscaped(view.strip().to_svg("phase-strip")))
            (heat_map(view).figure("heat"))
        }
    }
}

/// The points of the timeline with a gap between phases.
pub(super) struct Points<'a> {
    pub(super) at: Vec<f64>,
    pub(super) rows: Vec<Option<&'a TimelineRow>>,
}

impl<'a> Points<'a> {
    pub(super) fn of(view: &View<'a>) -> Self {
        let (mut at, mut rows) = (Vec::new(), Vec::new());
        let mut last: Option<&TimelineRow> = None;
        for row in &view.result.timeline {
            if let Some(last) = last {
                let end = last.start_seconds + last.length_seconds;
                let pause = row.start_seconds - end;
                if last.phase != row.phase || pause > last.length_seconds.max(row.length_seconds) {
                    at.push((end + row.start_seconds) / 2.0);
                    rows.push(None);
                }
            }
            at.push(row.start_seconds + row.length_seconds / 2.0);
            rows.push(Some(row));
            last = Some(row);
        }
        Self { at, rows }
    }

    /// A series of what `of` gives for each point.
    pub(super) fn series(
        &self,
        name: &str,
        (colour, line): (Colour, Line),
        of: impl Fn(&TimelineRow) -> Option<f64>,
    ) -> Series {
        let values = self.rows.iter().map(|row| row.and_then(&of)).collect();
        Series { name: name.to_owned(), colour, line, values }
    }

    /// A series of rates of what `of` counts. The last interval of a phase is often but a moment long, in which
    /// a handful of requests would look like a flood: such a point shows the rate of itself and its neighbour.
    pub(super) fn rates(
        &self,
        name: &str,
        look: (Colour, Line),
        of: impl Fn(&TimelineRow) -> Option<f64>,
    ) -> Series {
        let mut series = self.series(name, look, |row| rate_of(&of, &[row]));
        for at in 1..self.rows.len() {
            let (Some(before), Some(row)) = (self.rows[at - 1], self.rows[at]) else { continue };
            if row.length_seconds < before.length_seconds / 2.0 {
                series.values[at] = rate_of(&of, &[before, row]);
            }
        }
        series
    }

    /// Whether `of` is more than zero anywhere.
    fn has(&self, of: impl Fn(&TimelineRow) -> u64) -> bool {
        self.rows.iter().flatten().any(|row| of(row) > 0)
    }

    /// A chart of some series on the view's time axis.
    pub(super) fn chart(
        &self,
        view: &View<'_>,
        title: &str,
        unit: Unit,
        series: Vec<Series>,
    ) -> TimeChart {
        TimeChart {
            title: title.to_owned(),
            x: view.x.clone(),
            at: self.at.clone(),
            series,
            unit,
            bands: view.bands.clone(),
            marks: view.marks.clone(),
            ..TimeChart::default()
        }
    }
}

/// What is counted in some points together, a second.
fn rate_of(of: impl Fn(&TimelineRow) -> Option<f64>, rows: &[&TimelineRow]) -> Option<f64> {
    let seconds: f64 = rows.iter().map(|row| row.length_seconds).sum();
    let amount: f64 = rows.iter().map(|row| of(row)).sum::<Option<f64>>()?;
    (seconds > 0.0).then(|| amount / seconds)
}

/// Finished requests a second, failures on top.
#[must_use]
pub fn throughput_chart(view: &View<'_>) -> TimeChart {
    let points = Points::of(view);
    let ok = points.rates("successful", (Colour::Blue, Line::Area), |row| {
        Some(row.requests.saturating_sub(row.failed) as f64)
    });
    let failed = points.rates("failed", (Colour::Red, Line::Area), |row| Some(row.failed as f64));
    let series = if points.has(|row| row.failed) { vec![ok, failed] } else { vec![ok] };
    let chart = points.chart(view, "Throughput", Unit::PerSecond, series);
    TimeChart { note: "Requests finished a second".to_owned(), is_stacked: true, ..chart }
}

/// Virtual users.
#[must_use]
pub fn users_chart(view: &View<'_>) -> TimeChart {
    let points = Points::of(view);
    let users =
        points.series("users", (Colour::Orange, Line::Area), |row| Some(f64::from(row.users)));
    let chart = points.chart(view, "Virtual users", Unit::Count, vec![users]);
    TimeChart { height: 80, ..chart }
}

/// The share of failures, if there was any.
pub(super) fn error_chart(view: &View<'_>, points: &Points<'_>) -> Option<TimeChart> {
    let errors = points.series("error rate", (Colour::Red, Line::Area), |row| {
        (row.requests > 0).then(|| row.failed as f64 / row.requests as f64)
    });
    let chart = points.chart(view, "Error rate", Unit::Share, vec![errors]);
    let levels = levels_of(view, "error_rate");
    let at_least = Some(0.01);
    points.has(|row| row.failed).then_some(TimeChart { height: 100, at_least, levels, ..chart })
}

/// Response times: percentiles of each point, and the slowest.
#[must_use]
pub fn latency_chart(view: &View<'_>) -> TimeChart {
    let points = Points::of(view);
    let series = vec![
        points.series("max", (Colour::Grey, Line::Dotted), |row| row.max_ms),
        points.series("p99", (Colour::Violet, Line::Dashed), |row| row.p99_ms),
        points.series("p95", (Colour::Blue, Line::Strong), |row| row.p95_ms),
        points.series("p50", (Colour::Sky, Line::Solid), |row| row.p50_ms),
    ];
    let levels = [levels_of(view, "p95"), levels_of(view, "p99")].concat();
    let chart = points.chart(view, "Response time", Unit::Milliseconds, series);
    TimeChart {
        note: "From the intended start to the end of the answer; percentiles of each point, never averaged"
            .to_owned(),
        scale: ScaleKind::Auto,
        height: 240,
        levels,
        ..chart
    }
}

/// Target and limit of a measure, each over the phase that it counts in.
fn levels_of(view: &View<'_>, measure: &str) -> Vec<Level> {
    let mut levels = Vec::new();
    for (_, phase) in view.phases() {
        let span = Some((phase.start_seconds, end_of(phase)));
        for row in phase.expectations.iter().filter(|row| row.measure == measure) {
            let mut add = |word: &str, bound: Option<&BoundRow>, tone| {
                let Some(bound) = bound else { return };
                let text = format!("{word} {measure} {}", label(&bound.text, 20));
                levels.push(Level { value: bound.value, text, tone, span });
            };
            add("limit", row.limit.as_ref(), Tone::Bad);
            // A bare expectation is both.
            let value = |bound: &BoundRow| bound.value;
            if row.target.as_ref().map(value) != row.limit.as_ref().map(value) {
                add("target", row.target.as_ref(), Tone::Warn);
            }
        }
    }
    levels
}

/// Response times of all phases, by blocks of time.
#[must_use]
pub fn heat_map(view: &View<'_>) -> HeatMap {
    let columns = view.phases().flat_map(|(_, phase)| {
        let length_seconds = phase.histograms.block_seconds;
        let end = phase.elapsed_seconds;
        phase.histograms.response_blocks.iter().enumerate().map(move |(number, samples)| {
            let start = number as f64 * length_seconds;
            HeatColumn {
                start_seconds: phase.start_seconds + start,
                // The last block may reach beyond the phase.
                length_seconds: length_seconds.min((end - start).max(length_seconds * 0.05)),
                samples: samples.clone(),
            }
        })
    });
    HeatMap {
        title: "Response time, every answer".to_owned(),
        note: "The stronger the colour, the more answers took this long; one slow answer is visible beside thousands"
            .to_owned(),
        x: view.x.clone(),
        columns: columns.collect(),
        height: 200,
        bands: view.bands.clone(),
        marks: view.marks.clone(),
    }
}

/// Arrivals that had to wait, and those that were never started.
pub(super) fn backlog_chart(view: &View<'_>, points: &Points<'_>) -> Option<TimeChart> {
    let mut series = Vec::new();
    if points.has(|row| row.iterations_queued) {
        series.push(points.rates("had to wait", (Colour::Orange, Line::Solid), |row| {
            Some(row.iterations_queued as f64)
        }));
    }
    if points.has(|row| row.iterations_dropped) {
        series.push(points.rates("never started", (Colour::Red, Line::Dashed), |row| {
            Some(row.iterations_dropped as f64)
        }));
    }
    let has = !series.is_empty();
    let chart = points.chart(view, "Arrivals that found every user busy", Unit::PerSecond, series);
    has.then_some(TimeChart { height: 100, ..chart })
}

/// Bytes a second.
pub(super) fn traffic_chart(view: &View<'_>, points: &Points<'_>) -> Option<TimeChart> {
    let has = points.has(|row| row.bytes_received) || points.has(|row| row.bytes_sent);
    let series = vec![
        points
            .rates("received", (Colour::Green, Line::Solid), |row| Some(row.bytes_received as f64)),
        points.rates("sent", (Colour::Pink, Line::Dashed), |row| Some(row.bytes_sent as f64)),
    ];
    let chart = points.chart(view, "Network", Unit::BytesPerSecond, series);
    has.then_some(TimeChart { height: 100, ..chart })
}

/// One chart for each monitor that the timeline has.
pub(super) fn monitor_charts(view: &View<'_>, points: &Points<'_>) -> Vec<TimeChart> {
    let mut names: Vec<&str> = Vec::new();
    for row in points.rows.iter().flatten() {
        for name in row.monitors.keys() {
            if !names.contains(&name.as_str()) && names.len() < MAX_MONITORS {
                names.push(name);
            }
        }
    }
    let chart = |name: &&str| {
        let values = points
            .series(name, (Colour::Green, Line::Solid), |row| row.monitors.get(*name).copied());
        let levels = levels_of(view, name);
        let title = format!("Monitor: {}", label(name, 60));
        let chart = points.chart(view, &title, Unit::Number, vec![values]);
        TimeChart { height: 100, levels, ..chart }
    };
    names.iter().map(chart).collect()
}
