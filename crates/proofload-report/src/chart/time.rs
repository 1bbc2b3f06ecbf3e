//! Lines and areas over time, or over runs.

use std::fmt::Write;

use maud::Markup;

use super::axis::XAxis;
use super::colour::{Colour, Line};
use super::figure::{Entry, Figure};
use super::frame::{Frame, bands, hover, hover_series, levels, marks, shades};
use super::mark::{Band, Level, Mark};
use super::path::{self, Path, units_x, units_y};
use super::scale::{Scale, ScaleKind};
use super::unit::Unit;

/// Points of a series that are drawn; of more, neighbours become one, which has the highest of their values.
pub const MAX_POINTS: usize = 600;
/// Series that are drawn; more are left out and counted in the summary.
pub const MAX_SERIES: usize = 8;

/// Values over the points of a chart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// What it is.
    pub name: String,
    /// Its colour.
    pub colour: Colour,
    /// How it is drawn.
    pub line: Line,
    /// One value for each point of [`TimeChart::at`]; none, or not finite, is a gap.
    pub values: Vec<Option<f64>>,
}

/// Series over a common x axis.
#[derive(Clone, Debug, PartialEq)]
pub struct TimeChart {
    /// What is shown.
    pub title: String,
    /// A remark below the title: how to read it. May be empty.
    pub note: String,
    /// What it is drawn along.
    pub x: XAxis,
    /// Where the points are on the x axis, ascending.
    pub at: Vec<f64>,
    /// What is drawn, the last on top.
    pub series: Vec<Series>,
    /// What the values are.
    pub unit: Unit,
    /// How they are spread.
    pub scale: ScaleKind,
    /// Whether each series stands on those before it.
    pub is_stacked: bool,
    /// The least that the y axis goes up to, so that a small wave does not look like a storm.
    pub at_least: Option<f64>,
    /// Height of the plot in CSS pixels, at least 40.
    pub height: u32,
    /// Stretches of the x axis.
    pub bands: Vec<Band>,
    /// Events.
    pub marks: Vec<Mark>,
    /// Values that divide good from bad, drawn where they are on the axis.
    pub levels: Vec<Level>,
    /// Whether pointers are told values: more attributes.
    pub has_hover: bool,
    /// Whether the figure has the values as a table, for those who do not see it.
    pub has_table: bool,
}

impl Default for TimeChart {
    fn default() -> Self {
        Self {
            title: String::new(),
            note: String::new(),
            x: XAxis::default(),
            at: Vec::new(),
            series: Vec::new(),
            unit: Unit::default(),
            scale: ScaleKind::default(),
            is_stacked: false,
            at_least: None,
            height: 180,
            bands: Vec::new(),
            marks: Vec::new(),
            levels: Vec::new(),
            has_hover: true,
            has_table: true,
        }
    }
}

/// Points and series after thinning, with values that are all finite.
struct Data<'a> {
    at: Vec<f64>,
    series: Vec<(&'a Series, Vec<Option<f64>>)>,
}

impl TimeChart {
    /// The drawing. `id` becomes the id of the outer element and must be unique in the page.
    #[must_use]
    pub fn to_svg(&self, id: &str) -> String {
        self.svg(id, &self.data())
    }

    /// The drawing with caption, legend, summary and table. The figure has `id`, the drawing `id-svg`.
    #[must_use]
    pub fn figure(&self, id: &str) -> Markup {
        let data = self.data();
        let heading = |(series, _): &(&Series, _)| series.name.clone();
        let table = data.at.iter().enumerate().filter(|_| self.has_table);
        let rows = table.map(|(point, &at)| {
            let values = data.series.iter().map(|(_, values)| self.value_text(values[point]));
            std::iter::once(self.x.text(at)).chain(values).collect()
        });
        Figure {
            title: &self.title,
            note: &self.note,
            legend: self.legend(&data),
            svg: self.svg(&format!("{id}-svg"), &data),
            summary: self.summary(&data),
            headings: std::iter::once(self.x.heading().to_owned())
                .chain(data.series.iter().map(heading))
                .collect(),
            rows: rows.collect(),
        }
        .render(id)
    }

    /// The values that are drawn.
    fn data(&self) -> Data<'_> {
        let each = self.at.len().div_ceil(MAX_POINTS).max(1);
        let at = self.at.iter().step_by(each).copied().collect::<Vec<_>>();
        let thinned = |series: &Series| {
            (0..at.len()).map(|point| highest(&series.values, point * each, each)).collect()
        };
        let series = self.series.iter().take(MAX_SERIES).map(|s| (s, thinned(s))).collect();
        Data { at, series }
    }

    fn value_text(&self, value: Option<f64>) -> String {
        value.map_or_else(|| "–".to_owned(), |value| self.unit.text(value))
    }

    fn svg(&self, id: &str, data: &Data<'_>) -> String {
        let tops = if self.is_stacked { stacked(data) } else { Vec::new() };
        let shown = |number: usize| tops.get(number).unwrap_or(&data.series[number].1);
        let all = (0..data.series.len()).flat_map(|number| shown(number).iter().flatten().copied());
        let scale = Scale::new(self.scale, self.unit, all.chain(self.at_least));
        let places: Vec<Option<f64>> = data.at.iter().map(|&at| self.x.place(at)).collect();
        let mut plot = String::new();
        for (number, (series, values)) in data.series.iter().enumerate() {
            let below = number.checked_sub(1).filter(|_| self.is_stacked).map(shown);
            self.draw_series(&mut plot, series, values, (shown(number), below), &places, &scale);
        }
        let points = places.iter().zip(&data.at).filter(|_| self.has_hover);
        let points = points.filter_map(|(place, &at)| Some((((*place)?), self.x.text(at))));
        let height = self.height.max(40);
        let frame = Frame {
            title: &self.title,
            summary: &self.summary(data),
            height,
            x: self.x.ticks(),
            y: scale.ticks(self.unit),
            below: bands(&self.bands, &self.x) + &shades(&self.marks, &self.x),
            above: levels(&self.levels, &scale, height, |at| self.x.clamped(at))
                + &marks(&self.marks, &self.x),
            hover: hover(points),
            is_log: scale.is_log(),
        };
        frame.draw(id, &plot)
    }

    /// One series: its area, its line, its values for pointers.
    fn draw_series(
        &self,
        out: &mut String,
        series: &Series,
        values: &[Option<f64>],
        (tops, below): (&[Option<f64>], Option<&Vec<Option<f64>>>),
        places: &[Option<f64>],
        scale: &Scale,
    ) {
        let point = |number: usize, value: f64| -> Option<(i32, i32)> {
            Some((units_x((*places.get(number)?)?), units_y(scale.place(value)?)))
        };
        let line: Vec<_> = tops.iter().enumerate().map(|(at, top)| point(at, (*top)?)).collect();
        let hover = if self.has_hover {
            let inside = values.iter().zip(places).filter(|(_, place)| place.is_some());
            hover_series(&series.name, inside.map(|(value, _)| self.value_text(*value)))
        } else {
            String::new()
        };
        let _ =
            write!(out, "<g class=\"{} {}\"{hover}>", series.colour.class(), series.line.class());
        if self.is_stacked || series.line == Line::Area {
            // The bottom of a logarithmic axis is not zero, but it is the lowest there is.
            let floor = units_y(scale.place(0.0).unwrap_or(0.0));
            let bottom = |at: usize| {
                let value = below.and_then(|below| below[at]);
                value.and_then(|value| point(at, value)).map_or(floor, |(_, y)| y)
            };
            let area: Vec<_> =
                line.iter().enumerate().map(|(at, p)| p.map(|(x, y)| (x, y, bottom(at)))).collect();
            let path = path::area(&area);
            if !path.is_empty() {
                let _ = write!(out, "<path class=\"fill\" d=\"{}\"/>", path.data());
            }
        }
        // A line around nothing, where series stand on each other, would hide the one below.
        let path = if below.is_some() { Path::default() } else { path::line(&line) };
        if !path.is_empty() {
            let _ = write!(out, "<path class=\"line\" d=\"{}\"/>", path.data());
        }
        out.push_str("</g>");
    }

    fn legend(&self, data: &Data<'_>) -> Vec<Entry> {
        if data.series.len() < 2 {
            return Vec::new();
        }
        let entry = |(series, _): &(&Series, _)| Entry {
            name: series.name.clone(),
            colour: series.colour,
            line: if self.is_stacked { Line::Area } else { series.line },
        };
        data.series.iter().map(entry).collect()
    }

    /// What there is to see, in words: the range of each series, and when it was highest.
    fn summary(&self, data: &Data<'_>) -> String {
        let mut parts: Vec<String> = Vec::new();
        for (series, values) in &data.series {
            let known = || values.iter().enumerate().filter_map(|(at, v)| Some((at, (*v)?)));
            let Some((peak_at, peak)) =
                known().reduce(|peak, next| if next.1 > peak.1 { next } else { peak })
            else {
                parts.push(format!("{}: no data", series.name));
                continue;
            };
            let low = known().map(|(_, value)| value).fold(peak, f64::min);
            let (low_text, peak_text) = (self.unit.text(low), self.unit.text(peak));
            if low_text == peak_text {
                parts.push(format!("{}: {peak_text} throughout", series.name));
            } else {
                let at = data.at.get(peak_at).map_or_else(String::new, |&at| self.x.text(at));
                parts.push(format!("{}: {low_text} to {peak_text}, highest at {at}", series.name));
            }
        }
        let more = self.series.len().saturating_sub(MAX_SERIES);
        if more > 0 {
            parts.push(format!("{more} more series not shown"));
        }
        if parts.is_empty() { "No data.".to_owned() } else { parts.join("; ") + "." }
    }
}

/// The highest finite value of some neighbours.
fn highest(values: &[Option<f64>], from: usize, count: usize) -> Option<f64> {
    let end = from.saturating_add(count).min(values.len());
    let finite = values.get(from..end)?.iter().flatten().copied().filter(|v| v.is_finite());
    finite.reduce(f64::max)
}

/// The upper edge of each series when they stand on each other; a gap where it has no value itself.
fn stacked(data: &Data<'_>) -> Vec<Vec<Option<f64>>> {
    let mut sums = vec![0.0; data.at.len()];
    let mut tops = Vec::with_capacity(data.series.len());
    for (_, values) in &data.series {
        let top = |(sum, value): (&mut f64, &Option<f64>)| {
            *sum += value.as_ref()?.max(0.0);
            sum.is_finite().then_some(*sum)
        };
        tops.push(sums.iter_mut().zip(values).map(top).collect());
    }
    tops
}

#[cfg(test)]
#[path = "time_tests.rs"]
mod tests;
