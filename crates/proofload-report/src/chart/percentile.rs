//! The percentile curve: how slow the slowest are, from the median to one in a hundred thousand.

use std::fmt::Write;

use maud::Markup;
use proofload_core::metrics::Histogram;

use super::colour::{Colour, Line};
use super::figure::{Entry, Figure};
use super::frame::{Frame, hover, hover_series, levels};
use super::mark::Level;
use super::path::{self, units_x, units_y};
use super::scale::{Scale, ScaleKind, Tick};
use super::unit::Unit;

/// Nines at the right end of the axis: 99.999 %.
const NINES: f64 = 5.0;
/// Points of a curve.
const POINTS: usize = 160;
/// Curves that are drawn.
const MAX_CURVES: usize = 8;
/// Percentiles with a tick, a row in the table, and how they are written.
const NAMED: [(f64, &str); 7] = [
    (0.0, "min"),
    (0.5, "p50"),
    (0.9, "p90"),
    (0.99, "p99"),
    (0.999, "p99.9"),
    (0.9999, "p99.99"),
    (0.99999, "p99.999"),
];

/// A distribution and how it is drawn.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curve {
    /// What it is.
    pub name: String,
    /// Its colour.
    pub colour: Colour,
    /// How it is drawn.
    pub line: Line,
    /// The times.
    pub samples: Histogram,
}

/// Percentile curves. The x axis counts nines: each step to the right leaves out nine tenths of what is left,
/// up to 99.999 %. A curve ends where it has fewer than one sample beyond.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PercentileChart {
    /// What is shown.
    pub title: String,
    /// A remark below the title. May be empty.
    pub note: String,
    /// What is drawn.
    pub curves: Vec<Curve>,
    /// How times are spread.
    pub scale: ScaleKind,
    /// Times in milliseconds that the y axis holds at least: the same for charts that stand side by side.
    pub range_ms: Option<(f64, f64)>,
    /// Height of the plot in CSS pixels, at least 60.
    pub height: u32,
    /// Targets and limits in milliseconds.
    pub levels: Vec<Level>,
}

/// Where a quantile is on the axis, 0…1.
fn place(q: f64) -> f64 {
    (-(1.0 - q).log10() / NINES).clamp(0.0, 1.0)
}

/// The quantile at a place.
fn quantile(place: f64) -> f64 {
    1.0 - 10_f64.powf(-place * NINES)
}

/// Where a curve of so many samples ends.
fn end_of(samples: &Histogram) -> f64 {
    ((samples.count().max(1) as f64).log10() / NINES).clamp(0.0, 1.0)
}

/// `99.95%`, with as many decimals as it takes.
fn percent_text(q: f64) -> String {
    let decimals = ((-(1.0 - q).log10()) - 1.0).ceil().clamp(0.0, 4.0) as usize;
    format!("{:.decimals$}%", q * 100.0)
}

impl PercentileChart {
    /// The drawing. `id` becomes the id of the outer element and must be unique in the page.
    #[must_use]
    pub fn to_svg(&self, id: &str) -> String {
        let curves = self.shown();
        let ends = curves.iter().flat_map(|curve| [curve.samples.min(), curve.samples.max()]);
        let values = ends
            .flatten()
            .map(|ns| ns.max(1000) as f64 / 1e6)
            .chain(self.range_ms.into_iter().flat_map(|(low, high)| [low, high]));
        let scale = Scale::new(self.scale, Unit::Milliseconds, values);
        let mut plot = String::new();
        for curve in &curves {
            let _ = write!(
                plot,
                "<g class=\"{} {}\"{}><path class=\"line\" d=\"{}\"/></g>",
                curve.colour.class(),
                curve.line.class(),
                hover_series(
                    &curve.name,
                    (0..POINTS).map(|point| value_at(curve, place_of(point)))
                ),
                path_of(curve, &scale).data(),
            );
        }
        let height = self.height.max(60);
        let tick = |(q, name): (f64, &str)| Tick { at: place(q), text: name.to_owned() };
        let points = (0..POINTS).map(|point| {
            let place = place_of(point);
            (place, percent_text(quantile(place)))
        });
        let frame = Frame {
            title: &self.title,
            summary: &self.summary(),
            height,
            // There is no room for the minimum beside the median.
            x: NAMED.into_iter().skip(1).map(tick).collect(),
            y: scale.ticks(Unit::Milliseconds),
            below: String::new(),
            above: levels(&self.levels, &scale, height, |_| 0.0),
            hover: if curves.is_empty() {
                String::new()
            } else {
                hover(points) + " data-axis=\"percentile\""
            },
            is_log: scale.is_log(),
        };
        frame.draw(id, &plot)
    }

    /// The drawing with caption, legend, summary and table. The figure has `id`, the drawing `id-svg`.
    #[must_use]
    pub fn figure(&self, id: &str) -> Markup {
        let curves = self.shown();
        let row = |(q, name): (f64, &str)| {
            let values = curves.iter().map(|curve| value_at(curve, place(q)));
            std::iter::once(name.to_owned()).chain(values).collect::<Vec<_>>()
        };
        let maxima = curves.iter().map(|curve| {
            let max = curve.samples.max().map(|ns| Unit::Milliseconds.text(ns as f64 / 1e6));
            max.unwrap_or_default()
        });
        let mut rows: Vec<_> = NAMED.into_iter().map(row).collect();
        rows.push(std::iter::once("max".to_owned()).chain(maxima).collect());
        let entry = |curve: &&Curve| Entry {
            name: curve.name.clone(),
            colour: curve.colour,
            line: curve.line,
        };
        Figure {
            title: &self.title,
            note: &self.note,
            legend: if curves.len() > 1 { curves.iter().map(entry).collect() } else { Vec::new() },
            svg: self.to_svg(&format!("{id}-svg")),
            summary: self.summary(),
            headings: std::iter::once("Percentile".to_owned())
                .chain(curves.iter().map(|curve| curve.name.clone()))
                .collect(),
            rows: if curves.is_empty() { Vec::new() } else { rows },
        }
        .render(id)
    }

    /// Curves with samples.
    fn shown(&self) -> Vec<&Curve> {
        self.curves.iter().filter(|curve| !curve.samples.is_empty()).take(MAX_CURVES).collect()
    }

    fn summary(&self) -> String {
        let part = |curve: &&Curve| {
            let at = |q: f64| value_at(curve, place(q));
            format!("{}: half within {}, 99% within {}", curve.name, at(0.5), at(0.99))
        };
        let parts: Vec<String> = self.shown().iter().map(part).collect();
        if parts.is_empty() { "No data.".to_owned() } else { parts.join("; ") + "." }
    }
}

fn place_of(point: usize) -> f64 {
    point as f64 / (POINTS - 1) as f64
}

/// What is written for a curve at a place; a dash where it has ended.
fn value_at(curve: &Curve, place: f64) -> String {
    let is_there = place <= end_of(&curve.samples) + 1e-9;
    let ns = curve.samples.value_at_quantile(quantile(place)).filter(|_| is_there);
    ns.map_or_else(|| "–".to_owned(), |ns| Unit::Milliseconds.text(ns as f64 / 1e6))
}

fn path_of(curve: &Curve, scale: &Scale) -> path::Path {
    let end = end_of(&curve.samples);
    let places = (0..POINTS).map(place_of).filter(|&place| place < end).chain([end]);
    let point = |place: f64| {
        let ns = curve.samples.value_at_quantile(quantile(place))?;
        Some((units_x(place), units_y(scale.place((ns as f64 / 1e6).max(0.001))?)))
    };
    path::line(&places.map(point).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(samples: Histogram) -> PercentileChart {
        let curve = Curve { name: "response".to_owned(), samples, ..Curve::default() };
        PercentileChart {
            title: "Percentiles".to_owned(),
            curves: vec![curve],
            height: 200,
            ..Default::default()
        }
    }

    #[test]
    fn nines_are_evenly_spread() {
        let check = |q: f64, expect: f64| assert!((place(q) - expect).abs() < 1e-9);
        check(0.0, 0.0);
        check(0.9, 0.2);
        check(0.99999, 1.0);
        check(1.0, 1.0);
        assert_eq!(percent_text(0.5), "50%");
        assert_eq!(percent_text(0.9995), "99.950%");
    }

    #[test]
    fn a_curve_ends_where_its_samples_do() {
        let hundred = chart((1..=100).map(|ms| ms * 1_000_000).collect());
        let curve = &hundred.curves[0];
        assert_eq!(value_at(curve, place(0.5)), "50.0 ms");
        assert_eq!(value_at(curve, place(0.99)), "99.0 ms");
        assert_eq!(value_at(curve, place(0.999)), "–");
        let table = hundred.figure("p").into_string();
        assert!(
            table.contains("<tr><th scope=row>p99<td>99.0 ms<tr><th scope=row>p99.9<td>–"),
            "{table}"
        );
        assert!(table.contains("<th scope=row>max<td>100 ms"), "{table}");
    }

    #[test]
    fn no_samples_no_curve() {
        assert!(chart(Histogram::new()).to_svg("p").contains("No data."));
        let zero = chart([0].into_iter().collect()).to_svg("p");
        assert!(!zero.contains("NaN") && !zero.contains("inf"));
    }
}
