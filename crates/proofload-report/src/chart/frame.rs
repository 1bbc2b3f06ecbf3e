//! What all drawings with axes share: the outer `<svg>`, ticks, the grid, bands, levels and marks.

use std::fmt::Write;

use super::axis::XAxis;
use super::mark::{Band, Level, MAX_LEVELS, MAX_MARKS, Mark, Tone};
use super::path::{HEIGHT, WIDTH, units_x};
use super::scale::{Scale, Tick};
use super::svg::{escaped, percent};

/// Bands drawn in one chart.
const MAX_BANDS: usize = 200;
/// Marks nearer to each other than this have one sign.
const MARK_ROOM: f64 = 0.022;

/// A level over less of the width has no room for its text.
const ROOM_FOR_TEXT: f64 = 0.16;

/// A drawing without its data.
#[derive(Debug, Default)]
pub(super) struct Frame<'a> {
    pub(super) title: &'a str,
    /// In words, for those who do not see it.
    pub(super) summary: &'a str,
    /// Of the plot, in CSS pixels.
    pub(super) height: u32,
    pub(super) x: Vec<Tick>,
    pub(super) y: Vec<Tick>,
    /// Drawn behind the data.
    pub(super) below: String,
    /// Drawn over the data.
    pub(super) above: String,
    /// Attributes for pointers.
    pub(super) hover: String,
    /// Whether the y axis is logarithmic, which is said.
    pub(super) is_log: bool,
}

impl Frame<'_> {
    /// The whole drawing; `plot` is drawn in a box of [`WIDTH`] × [`HEIGHT`] units.
    pub(super) fn draw(&self, id: &str, plot: &str) -> String {
        let mut out = String::with_capacity(plot.len() + self.hover.len() + 4096);
        let (id, height) = (escaped(id, 80), self.height);
        // Writing to a string does not fail, here and below.
        let _ = write!(
            out,
            "<svg class=\"chart\" id=\"{id}\" height=\"{height}\" role=\"img\" aria-label=\"{}\" \
             aria-describedby=\"{id}-d\"{}><desc id=\"{id}-d\">{}</desc>",
            escaped(self.title, 200),
            self.hover,
            escaped(self.summary, 600),
        );
        out.push_str(&self.below);
        self.axes(&mut out);
        let _ = write!(
            out,
            "<svg class=\"plot\" width=\"100%\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
             preserveAspectRatio=\"none\">{plot}</svg>"
        );
        out.push_str(&self.above);
        if !self.hover.is_empty() {
            out.push_str("<rect class=\"hit\" width=\"100%\" height=\"100%\"/>");
        }
        out.push_str("</svg>");
        out
    }

    fn axes(&self, out: &mut String) {
        let height = f64::from(self.height);
        out.push_str("<g class=\"axis\">");
        if self.is_log {
            let _ =
                write!(out, "<text class=\"y log\" x=\"-8\" y=\"{}\">log</text>", height + 17.0);
        }
        for tick in &self.y {
            let y = (1.0 - tick.at) * height;
            let _ = write!(
                out,
                "<line x2=\"100%\" y1=\"{y:.1}\" y2=\"{y:.1}\"/><text class=\"y\" x=\"-8\" y=\"{:.1}\">{}</text>",
                y + 4.0,
                escaped(&tick.text, 20),
            );
        }
        for (number, tick) in self.x.iter().enumerate() {
            let anchor = match tick.at {
                at if at > 0.97 => " e",
                at if at < 0.03 => " s",
                _ => "",
            };
            // Every other one gives way on a small screen.
            let minor = if number % 2 == 1 { " m" } else { "" };
            let _ = write!(
                out,
                "<text class=\"x{anchor}{minor}\" x=\"{}\" y=\"{}\">{}</text>",
                percent(tick.at),
                height + 17.0,
                escaped(&tick.text, 20),
            );
        }
        out.push_str("</g>");
    }
}

/// Every other band shaded, and a line where one begins.
pub(super) fn bands(bands: &[Band], x: &XAxis) -> String {
    let mut out = String::new();
    for (number, band) in bands.iter().take(MAX_BANDS).enumerate() {
        let (start, end) = (x.clamped(band.start), x.clamped(band.end));
        let class = if number % 2 == 1 { "band odd" } else { "band" };
        let _ = write!(
            out,
            "<rect class=\"{class}\" data-phase=\"{}\" x=\"{}\" width=\"{}\" height=\"100%\"/>",
            band.phase,
            percent(start),
            percent((end - start).max(0.0)),
        );
        if start > 0.0 {
            let at = percent(start);
            let _ = write!(out, "<line class=\"edge\" x1=\"{at}\" x2=\"{at}\" y2=\"100%\"/>");
        }
    }
    out
}

/// How long events lasted, behind the data.
pub(super) fn shades(marks: &[Mark], x: &XAxis) -> String {
    let mut out = String::new();
    for mark in marks.iter().take(MAX_MARKS) {
        let Some(until) = mark.until.filter(|until| until.is_finite()) else { continue };
        let (start, end) = (x.clamped(mark.at), x.clamped(until));
        let _ = write!(
            out,
            "<rect class=\"shade {}\" x=\"{}\" width=\"{}\" height=\"100%\"/>",
            mark.tone.class(),
            percent(start),
            percent((end - start).max(0.0)),
        );
    }
    out
}

/// Events: a line from top to bottom with a sign above.
pub(super) fn marks(marks: &[Mark], x: &XAxis) -> String {
    let mut out = String::new();
    let mut last_sign = f64::NEG_INFINITY;
    for mark in marks.iter().take(MAX_MARKS) {
        let Some(start) = x.place(mark.at) else { continue };
        let at = percent(start);
        let _ = write!(
            out,
            "<g class=\"mark {}\"><title>{}</title>",
            mark.tone.class(),
            escaped(&mark.text, 200)
        );
        let _ = write!(out, "<line x1=\"{at}\" x2=\"{at}\" y1=\"-2\" y2=\"100%\"/>");
        if start - last_sign >= MARK_ROOM && !mark.sign.is_empty() {
            last_sign = start;
            let _ = write!(out, "<text x=\"{at}\" y=\"-4\">{}</text>", escaped(&mark.sign, 3));
        }
        out.push_str("</g>");
    }
    out
}

/// Lines across at values that divide good from bad. `place` tells where a value of the x axis is.
pub(super) fn levels(
    levels: &[Level],
    scale: &Scale,
    height: u32,
    place: impl Fn(f64) -> f64,
) -> String {
    let mut out = String::new();
    let (low, high) = scale.ends();
    for level in levels.iter().take(MAX_LEVELS).filter(|level| (low..=high).contains(&level.value))
    {
        let Some(up) = scale.place(level.value) else { continue };
        let (start, end) = level.span.map_or((0.0, 1.0), |(start, end)| (place(start), place(end)));
        let y = (1.0 - up) * f64::from(height);
        // Below the line where there is no room above; limits on the right, the others on the left, as the
        // two are often close.
        let text_y = if y < 14.0 { y + 12.0 } else { y - 4.0 };
        let (text_x, class) = if level.tone == Tone::Bad { (end, "e") } else { (start, "s") };
        let text = escaped(&level.text, 40);
        let _ = write!(
            out,
            "<g class=\"level {}\"><title>{text}</title>\
             <line x1=\"{}\" x2=\"{}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>",
            level.tone.class(),
            percent(start),
            percent(end),
        );
        if end - start >= ROOM_FOR_TEXT {
            // On a small screen only those that count nearly everywhere keep theirs.
            let minor = if end - start < 0.6 { " m" } else { "" };
            let _ = write!(
                out,
                "<text class=\"{class}{minor}\" x=\"{}\" y=\"{text_y:.1}\">{text}</text>",
                percent(text_x)
            );
        }
        out.push_str("</g>");
    }
    out
}

/// Where points are, and what they are called, for pointers.
pub(super) fn hover(points: impl Iterator<Item = (f64, String)>) -> String {
    let (mut places, mut labels) = (String::new(), String::new());
    for (fraction, label) in points {
        if !places.is_empty() {
            places.push(' ');
            labels.push('|');
        }
        let _ = write!(places, "{}", units_x(fraction));
        labels.push_str(&escaped(&label.replace('|', "/"), 60));
    }
    if places.is_empty() {
        return String::new();
    }
    format!(" data-x=\"{places}\" data-l=\"{labels}\"")
}

/// The name of a series and its values, for pointers.
pub(super) fn hover_series(name: &str, values: impl Iterator<Item = String>) -> String {
    let mut out = format!(" data-n=\"{}\" data-v=\"", escaped(name, 60));
    for (number, value) in values.enumerate() {
        if number > 0 {
            out.push('|');
        }
        out.push_str(&value);
    }
    out.push('"');
    out
}
