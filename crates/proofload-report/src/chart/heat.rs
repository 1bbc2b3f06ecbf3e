//! A heat map: how often which time was seen, over time.

use std::fmt::Write;

use maud::{Markup, PreEscaped, html};
use proofload_core::metrics::Histogram;

use super::axis::XAxis;
use super::figure::Figure;
use super::frame::{Frame, bands, hover, hover_series, marks, shades};
use super::mark::{Band, Mark};
use super::path::{HEIGHT, Path, units_x};
use super::scale::{Scale, ScaleKind};
use super::unit::Unit;

/// Columns that are drawn; of more, neighbours become one.
const MAX_COLUMNS: usize = 240;
/// Rows, from the shortest to the longest time.
const ROWS: usize = 32;
/// Shades, from rare to frequent: classes `h1` … `h8`.
const SHADES: usize = 8;

/// The samples of a stretch of time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HeatColumn {
    /// Where it begins, in seconds.
    pub start_seconds: f64,
    /// How long it is, in seconds.
    pub length_seconds: f64,
    /// The times that were measured in it.
    pub samples: Histogram,
}

/// Times over time. The y axis is logarithmic; the stronger the colour of a cell, the more samples a second fell into it, on a
/// logarithmic scale, so that a single slow answer is seen beside thousands of quick ones.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HeatMap {
    /// What is shown.
    pub title: String,
    /// A remark below the title. May be empty.
    pub note: String,
    /// What it is drawn along; elapsed seconds.
    pub x: XAxis,
    /// Stretches of time, ascending and without overlap.
    pub columns: Vec<HeatColumn>,
    /// Height of the plot in CSS pixels, at least 60.
    pub height: u32,
    /// Stretches of the x axis.
    pub bands: Vec<Band>,
    /// Events.
    pub marks: Vec<Mark>,
}

/// A rectangle of cells of one shade.
struct Cells {
    shade: usize,
    x: (i32, i32),
    rows: (usize, usize),
}

impl HeatMap {
    /// The drawing. `id` becomes the id of the outer element and must be unique in the page.
    #[must_use]
    pub fn to_svg(&self, id: &str) -> String {
        self.svg(id, &self.merged())
    }

    /// The drawing with caption, legend, summary and table. The figure has `id`, the drawing `id-svg`.
    #[must_use]
    pub fn figure(&self, id: &str) -> Markup {
        let columns = self.merged();
        let row = |column: &HeatColumn| {
            let at = |q: f64| quantile_text(&column.samples, q);
            let count = Unit::Count.text(column.samples.count() as f64);
            vec![self.x.text(column.start_seconds), count, at(0.5), at(0.95), at(0.99), at(1.0)]
        };
        let figure = Figure {
            title: &self.title,
            note: &self.note,
            legend: Vec::new(),
            svg: self.svg(&format!("{id}-svg"), &columns) + &legend().into_string(),
            summary: summary(&columns),
            headings: ["Time", "Requests", "p50", "p95", "p99", "max"].map(str::to_owned).to_vec(),
            rows: columns.iter().map(row).collect(),
        };
        figure.render(id)
    }

    /// The columns with samples, few enough to be drawn.
    fn merged(&self) -> Vec<HeatColumn> {
        let used = self.columns.iter().filter(|column| {
            !column.samples.is_empty()
                && column.length_seconds > 0.0
                && column.start_seconds.is_finite()
        });
        let used: Vec<&HeatColumn> = used.collect();
        let each = used.len().div_ceil(MAX_COLUMNS).max(1);
        let merge = |group: &[&HeatColumn]| {
            let mut merged = group[0].clone();
            for column in &group[1..] {
                merged.samples.merge(&column.samples);
                merged.length_seconds =
                    column.start_seconds + column.length_seconds - merged.start_seconds;
            }
            merged
        };
        used.chunks(each).map(merge).collect()
    }

    fn svg(&self, id: &str, columns: &[HeatColumn]) -> String {
        let ends = columns.iter().flat_map(|column| [column.samples.min(), column.samples.max()]);
        let scale = Scale::new(
            ScaleKind::Log,
            Unit::Milliseconds,
            ends.flatten().map(|ns| ns.max(1000) as f64 / 1e6),
        );
        let counts: Vec<[u64; ROWS]> =
            columns.iter().map(|c| rows_of(&c.samples, &scale)).collect();
        let rate = |column: &HeatColumn, count: u64| count as f64 / column.length_seconds;
        let highest = columns
            .iter()
            .zip(&counts)
            .flat_map(|(column, rows)| rows.iter().map(move |&count| rate(column, count)))
            .fold(0.0, f64::max);
        let lowest = columns.iter().map(|column| rate(column, 1)).fold(highest, f64::min);
        let mut cells = Vec::new();
        for (column, rows) in columns.iter().zip(&counts) {
            let left = units_x(self.x.clamped(column.start_seconds));
            let right = units_x(self.x.clamped(column.start_seconds + column.length_seconds));
            let shades = rows.map(|count| shade(rate(column, count), lowest, highest));
            cells.extend(runs(&shades, (left, right.max(left + 1))));
        }
        let frame = Frame {
            title: &self.title,
            summary: &summary(columns),
            height: self.height.max(60),
            x: self.x.ticks(),
            y: scale.ticks(Unit::Milliseconds),
            below: bands(&self.bands, &self.x) + &shades(&self.marks, &self.x),
            above: marks(&self.marks, &self.x),
            hover: hover(columns.iter().filter_map(|column| {
                Some((self.x.place(column.start_seconds)?, self.x.text(column.start_seconds)))
            })),
            is_log: scale.is_log(),
        };
        frame.draw(id, &self.plot(columns, &cells))
    }

    /// Cells, one path for each shade, and what pointers are told.
    fn plot(&self, columns: &[HeatColumn], cells: &[Cells]) -> String {
        let mut plot = String::new();
        for shade in 1..=SHADES {
            let mut path = Path::default();
            for cells in cells.iter().filter(|cells| cells.shade == shade) {
                let (top, bottom) = (row_top(cells.rows.1), row_top(cells.rows.0) + row_height());
                path.rect(cells.x.0, top, cells.x.1 - cells.x.0, bottom - top);
            }
            if !path.is_empty() {
                let _ = write!(plot, "<path class=\"h{shade}\" d=\"{}\"/>", path.data());
            }
        }
        let inside = || columns.iter().filter(|c| self.x.place(c.start_seconds).is_some());
        for (name, q) in [("p50", 0.5), ("p99", 0.99), ("max", 1.0)] {
            let values = inside().map(|column| quantile_text(&column.samples, q));
            let _ = write!(plot, "<g{}></g>", hover_series(name, values));
        }
        let values = inside().map(|column| Unit::Count.text(column.samples.count() as f64));
        let _ = write!(plot, "<g{}></g>", hover_series("requests", values));
        plot
    }
}

fn row_height() -> i32 {
    (HEIGHT / ROWS as f64).ceil() as i32
}

/// Upper edge of a row, counted from the bottom.
fn row_top(row: usize) -> i32 {
    ((ROWS - 1 - row) as f64 * HEIGHT / ROWS as f64).round() as i32
}

fn quantile_text(samples: &Histogram, q: f64) -> String {
    let ns = samples.value_at_quantile(q);
    ns.map_or_else(|| "–".to_owned(), |ns| Unit::Milliseconds.text(ns as f64 / 1e6))
}

/// Samples in each row, the shortest times first.
fn rows_of(samples: &Histogram, scale: &Scale) -> [u64; ROWS] {
    let mut rows = [0_u64; ROWS];
    for bucket in samples.buckets() {
        let middle_ms = (bucket.low_ns as f64 + bucket.high_ns as f64) / 2e6;
        if let Some(place) = scale.place(middle_ms.max(0.001)) {
            let row = ((place * ROWS as f64) as usize).min(ROWS - 1);
            rows[row] = rows[row].saturating_add(bucket.count);
        }
    }
    rows
}

/// 0 for nothing, else 1 to [`SHADES`].
fn shade(rate: f64, lowest: f64, highest: f64) -> usize {
    if rate <= 0.0 {
        return 0;
    }
    let share = (rate / lowest).ln() / (highest / lowest).ln();
    let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 1.0 };
    1 + (share * (SHADES - 1) as f64).round() as usize
}

/// Neighbouring rows of one shade as one rectangle.
fn runs(shades: &[usize; ROWS], x: (i32, i32)) -> Vec<Cells> {
    let mut cells: Vec<Cells> = Vec::new();
    for (row, &shade) in shades.iter().enumerate().filter(|&(_, &shade)| shade > 0) {
        match cells.last_mut() {
            Some(last) if last.shade == shade && last.rows.1 + 1 == row => last.rows.1 = row,
            _ => cells.push(Cells { shade, x, rows: (row, row) }),
        }
    }
    cells
}

fn summary(columns: &[HeatColumn]) -> String {
    let slowest = columns.iter().max_by_key(|column| column.samples.max());
    let Some(slowest) = slowest else { return "No data.".to_owned() };
    let mut all = Histogram::new();
    columns.iter().for_each(|column| all.merge(&column.samples));
    format!(
        "Half of all answers came within {}, 99% within {}; the slowest took {}, in the stretch from {}.",
        quantile_text(&all, 0.5),
        quantile_text(&all, 0.99),
        quantile_text(&slowest.samples, 1.0),
        super::elapsed_text(slowest.start_seconds),
    )
}

/// From rare to frequent.
fn legend() -> Markup {
    let mut shades = String::new();
    for shade in 1..=SHADES {
        let x = (shade - 1) * 16;
        let _ = write!(shades, "<rect class=\"h{shade}\" x=\"{x}\" width=\"16\" height=\"10\"/>");
    }
    html! {
        p.legend aria-hidden="true" {
            "rare "
            svg.ramp width=(SHADES * 16) height="10" { (PreEscaped(shades)) }
            " frequent"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(columns: Vec<HeatColumn>) -> HeatMap {
        let x = XAxis::Elapsed { start_seconds: 0.0, end_seconds: 10.0 };
        HeatMap { title: "Heat".to_owned(), x, columns, height: 200, ..HeatMap::default() }
    }

    fn column(start_seconds: f64, times_ms: &[u64]) -> HeatColumn {
        let samples = times_ms.iter().map(|ms| ms * 1_000_000).collect();
        HeatColumn { start_seconds, length_seconds: 1.0, samples }
    }

    #[test]
    fn a_small_one() {
        let columns = vec![column(0.0, &[1, 1, 1, 2]), column(1.0, &[]), column(2.0, &[1, 100])];
        insta::assert_snapshot!(map(columns).to_svg("heat").replace("><", ">\n<"));
    }

    #[test]
    fn every_sample_is_in_a_row() {
        let samples: Histogram = [1, 1_000, 1_000_000, u64::MAX].into_iter().collect();
        let ends = [samples.min(), samples.max()].into_iter().flatten().map(|ns| ns as f64 / 1e6);
        let scale = Scale::new(ScaleKind::Log, Unit::Milliseconds, ends);
        assert_eq!(rows_of(&samples, &scale).iter().sum::<u64>(), 4);
    }

    #[test]
    fn shades_go_from_rare_to_frequent() {
        let check = |rate: f64, expect: usize| assert_eq!(shade(rate, 1.0, 1000.0), expect);
        check(0.0, 0);
        check(1.0, 1);
        check(30.0, 4);
        check(1000.0, 8);
        assert_eq!(shade(1.0, 1.0, 1.0), 8);
    }

    #[test]
    fn its_size_is_bounded() {
        let columns =
            (0..20_000).map(|at| column(f64::from(at) / 2000.0, &[1, 5, 9, 700])).collect();
        let svg = map(columns).to_svg("heat");
        assert!(svg.len() < 60_000, "{}", svg.len());
        assert!(map(Vec::new()).to_svg("heat").contains("No data."));
    }
}
