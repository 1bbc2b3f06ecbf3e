//! What the live page takes from the course of a run: the same charts, one by one, without their tables.

use super::course::{
    Points, backlog_chart, error_chart, latency_chart, monitor_charts, throughput_chart,
    traffic_chart, users_chart,
};
use super::view::View;
use crate::chart::{PhaseStrip, TimeChart};

/// The charts of a run over time, each with a name that is unique among them. They come without the tables of
/// their values, which are most of a figure's size: a page that is drawn every second has the latest values
/// elsewhere.
#[must_use]
pub fn live_charts(view: &View<'_>) -> Vec<(String, TimeChart)> {
    let points = Points::of(view);
    if points.rows.is_empty() {
        return Vec::new();
    }
    let named = |name: &str, chart: TimeChart| Some((name.to_owned(), chart));
    let charts = [
        named("throughput", throughput_chart(view)),
        named("latency", latency_chart(view)),
        named("users", users_chart(view)),
        error_chart(view, &points).and_then(|chart| named("error-rate", chart)),
        backlog_chart(view, &points).and_then(|chart| named("backlog", chart)),
        traffic_chart(view, &points).and_then(|chart| named("traffic", chart)),
    ];
    let monitors = monitor_charts(view, &points).into_iter().enumerate();
    let monitors = monitors.map(|(number, chart)| (format!("monitor-{number}"), chart));
    let plain = |(name, chart)| (name, TimeChart { has_table: false, ..chart });
    charts.into_iter().flatten().chain(monitors).map(plain).collect()
}

/// The phases on the axis of the charts.
#[must_use]
pub fn phase_strip(view: &View<'_>) -> PhaseStrip {
    view.strip()
}
