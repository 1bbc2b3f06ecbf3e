//! The last minutes as pictures.

use std::time::Duration;

use proofload_core::units::{human_count, human_ns, human_rate};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::symbols::Marker;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Axis, Chart, Dataset, GraphType};

use super::{framed, header, styled};
use crate::history::Sample;
use crate::screen::Screen;

/// The least that a chart shows, in seconds.
const LEAST_SECONDS: f64 = 60.0;
/// Narrower screens have one chart in a row.
const TWO_IN_A_ROW: u16 = 80;
/// Lower charts say nothing.
const LEAST_HEIGHT: u16 = 7;
/// Columns beside the plot: frame, padding, labels.
const BESIDE: u16 = 14;

/// A line of a chart.
struct Curve {
    name: &'static str,
    style: Style,
    points: Vec<(f64, f64)>,
}

/// What a chart is of.
struct Picture<'a> {
    title: &'a str,
    curves: Vec<Curve>,
    label: fn(f64) -> String,
    /// The least that the y axis reaches up to.
    least: f64,
}

pub(super) fn draw(screen: &Screen, frame: &mut Frame<'_>, area: Rect, now: Duration) {
    let columns: u16 = if area.width >= TWO_IN_A_ROW { 2 } else { 1 };
    let rows: u16 = if area.height >= 2 * LEAST_HEIGHT { 2 } else { 1 };
    let width = area.width / columns;
    // Two dots a column.
    let seconds = (2.0 * f64::from(width.saturating_sub(BESIDE))).max(LEAST_SECONDS);
    let end = now.as_secs_f64().max(LEAST_SECONDS);
    let bounds = [(end - seconds).max(0.0), end.max(seconds.min(end.max(LEAST_SECONDS)))];
    let lines = Layout::vertical(vec![Constraint::Fill(1); rows.into()]).split(area);
    let pictures = [throughput, response, users, errors];
    for (row, line) in lines.iter().enumerate() {
        let cells = Layout::horizontal(vec![Constraint::Fill(1); columns.into()]).split(*line);
        for (column, cell) in cells.iter().enumerate() {
            let picture = pictures[row * usize::from(columns) + column](screen, bounds[0]);
            draw_one(screen, frame, *cell, &picture, bounds);
        }
    }
}

fn curve(
    screen: &Screen,
    from: f64,
    (name, style): (&'static str, Style),
    value: impl Fn(&Sample) -> Option<f64>,
) -> Curve {
    let samples = screen.history.since(from);
    let points = samples.filter_map(|sample| Some((sample.at, value(sample)?))).collect();
    Curve { name, style, points }
}

fn throughput(screen: &Screen, from: f64) -> Picture<'static> {
    let style = screen.theme.good();
    let curve = curve(screen, from, ("", style), |sample| Some(sample.per_second));
    Picture { title: "Throughput", curves: vec![curve], label: human_rate, least: 10.0 }
}

fn response(screen: &Screen, from: f64) -> Picture<'static> {
    let styles = screen.theme.series();
    let of = |at: usize, name| {
        curve(screen, from, (name, styles[at]), move |s| s.percentiles.map(|p| p[at]))
    };
    let curves = vec![of(2, "p99"), of(1, "p95"), of(0, "p50")];
    Picture { title: "Response time", curves, label: human_ns, least: 1e6 }
}

fn users(screen: &Screen, from: f64) -> Picture<'static> {
    let style = screen.theme.accent();
    let curve = curve(screen, from, ("", style), |sample| Some(sample.users.into()));
    let label = |value: f64| human_count(value.round() as u64);
    Picture { title: "Users", curves: vec![curve], label, least: 10.0 }
}

fn errors(screen: &Screen, from: f64) -> Picture<'static> {
    let style = screen.theme.bad();
    let curve = curve(screen, from, ("", style), |sample| Some(sample.failed_per_second));
    Picture { title: "Errors", curves: vec![curve], label: human_rate, least: 10.0 }
}

fn draw_one(
    screen: &Screen,
    frame: &mut Frame<'_>,
    area: Rect,
    picture: &Picture<'_>,
    bounds: [f64; 2],
) {
    let theme = screen.theme;
    let values = picture.curves.iter().flat_map(|curve| &curve.points).map(|point| point.1);
    let top = round_up(values.fold(picture.least, f64::max));
    let mut title = vec![styled(format!(" {} ", picture.title), theme.bold())];
    for curve in &picture.curves {
        let Some(last) = curve.points.last() else { continue };
        let name = if curve.name.is_empty() { String::new() } else { format!("{} ", curve.name) };
        title.push(styled(format!("{name}{} ", (picture.label)(last.1)), curve.style));
    }
    let datasets = picture.curves.iter().map(|curve| {
        Dataset::default()
            .marker(Marker::Braille)
            .graph_type(GraphType::Line)
            .style(curve.style)
            .data(&curve.points)
    });
    let time = |seconds: f64| {
        let text = header::clock(Duration::from_secs_f64(seconds.max(0.0)));
        Span::styled(text, theme.dim())
    };
    let x_labels = [bounds[0], f64::midpoint(bounds[0], bounds[1]), bounds[1]].map(time);
    let label = |value: f64| Span::styled((picture.label)(value), theme.dim());
    let y_labels = match area.height {
        ..9 => vec![label(0.0), label(top)],
        _ => vec![label(0.0), label(top / 2.0), label(top)],
    };
    let chart = Chart::new(datasets.collect())
        .block(framed(screen, Line::from(title)))
        .x_axis(Axis::default().bounds(bounds).labels(x_labels).style(theme.dim()))
        .y_axis(Axis::default().bounds([0.0, top]).labels(y_labels).style(theme.dim()))
        .legend_position(None);
    frame.render_widget(chart, area);
}

/// The next of 1, 2, 4, 5, 6, 8 and 10 times a power of ten: ends of axes that halve well.
fn round_up(value: f64) -> f64 {
    if !value.is_finite() || value <= 0.0 {
        return 1.0;
    }
    let power = 10.0_f64.powf(value.log10().floor());
    let steps = [1.0, 2.0, 4.0, 5.0, 6.0, 8.0, 10.0];
    steps.into_iter().map(|step| step * power).find(|&step| step >= value).unwrap_or(10.0 * power)
}

#[cfg(test)]
mod tests {
    use super::round_up;

    #[test]
    fn axes_end_at_round_numbers() {
        for (value, expect) in
            [(0.0, 1.0), (1.0, 1.0), (1.1, 2.0), (3.7, 4.0), (47.0, 50.0), (999.0, 1_000.0)]
        {
            assert!((round_up(value) - expect).abs() < 1e-9, "{value}");
        }
    }
}
