//! What several runs say of one measure: a dot for each, and what they say together.

use std::fmt::Write;

use super::svg::{escaped, percent};

/// Dots that are drawn.
const MAX_DOTS: usize = 200;
/// Part of the width that is left free at each edge.
const MARGIN: f64 = 0.06;

/// A dot for each run, a thick line for all together, and the line of its interval. The edges are the least and the
/// most of what is drawn, so that each measure has a scale of its own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunDots {
    /// What each run says; nothing where it says nothing.
    pub values: Vec<Option<f64>>,
    /// What all together say.
    pub pooled: Option<f64>,
    /// Lower end of the interval of that; one that is not known reaches the edge.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// In words, for those who do not see it.
    pub text: String,
}

impl RunDots {
    /// The drawing, as wide as it may be and 18 pixels high.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let finite = |value: Option<f64>| value.filter(|value| value.is_finite());
        let dots = || self.values.iter().filter_map(|value| finite(*value));
        let (low, high, pooled) = (finite(self.low), finite(self.high), finite(self.pooled));
        let drawn = || dots().chain(low).chain(high).chain(pooled);
        let (least, most) =
            (drawn().fold(f64::INFINITY, f64::min), drawn().fold(f64::NEG_INFINITY, f64::max));
        let span = most - least;
        let place = |value: f64| {
            let share = if span > 0.0 && span.is_finite() { (value - least) / span } else { 0.5 };
            percent(MARGIN + share * (1.0 - 2.0 * MARGIN))
        };
        let mut out = format!(
            "<svg class=\"interval t-info\" width=\"100%\" height=\"18\" role=\"img\" aria-label=\"{}\">",
            escaped(&self.text, 200)
        );
        if let Some(pooled) = pooled {
            let ends = (low.map_or(percent(0.0), place), high.map_or(percent(1.0), place));
            // Without any interval there is nothing to draw.
            if low.is_some() || high.is_some() {
                let _ = write!(
                    out,
                    "<line class=\"range\" x1=\"{}\" x2=\"{}\" y1=\"9\" y2=\"9\"/>",
                    ends.0, ends.1
                );
            }
            let at = place(pooled);
            let _ =
                write!(out, "<line class=\"limit\" x1=\"{at}\" x2=\"{at}\" y1=\"2\" y2=\"16\"/>");
        }
        for value in dots().take(MAX_DOTS) {
            let _ = write!(
                out,
                "<circle class=\"dot hollow\" cx=\"{}\" cy=\"9\" r=\"3.5\"/>",
                place(value)
            );
        }
        out.push_str("</svg>");
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_between_the_edges() {
        let check = |dots: &RunDots, parts: &[&str]| {
            let svg = dots.to_svg();
            for part in parts {
                assert!(svg.contains(part), "{part} in {svg}");
            }
            assert!(!svg.contains("NaN") && !svg.contains("inf%"), "{svg}");
        };
        let dots = RunDots {
            values: vec![Some(10.0), None, Some(20.0), Some(f64::NAN)],
            pooled: Some(15.0),
            low: Some(10.0),
            high: None,
            ..RunDots::default()
        };
        check(
            &dots,
            &["cx=\"6%\"", "cx=\"94%\"", "x1=\"6%\" x2=\"100%\"", "class=\"limit\" x1=\"50%\""],
        );
        check(&RunDots { values: vec![Some(3.0); 4], ..RunDots::default() }, &["cx=\"50%\""]);
        assert!(!RunDots::default().to_svg().contains("circle"));
    }
}
