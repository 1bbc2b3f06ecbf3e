//! A change with its confidence interval, beside others on the same scale.

use std::fmt::Write;

use super::mark::Tone;
use super::svg::{escaped, percent};

/// A dot for the change, a line for its interval, and where no change is. An end that is not known reaches the
/// edge, as does one that lies beyond it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IntervalBar {
    /// The change; 0 is none. Nothing draws the middle line only.
    pub change: Option<f64>,
    /// Lower end of the interval.
    pub low: Option<f64>,
    /// Upper end of the interval.
    pub high: Option<f64>,
    /// What the edges stand for: minus this on the left, plus this on the right; the same for all that compare.
    pub reach: f64,
    /// What it means.
    pub tone: Tone,
    /// Whether it is certain enough to be called better or worse: filled, else hollow.
    pub is_certain: bool,
    /// In words, for those who do not see it.
    pub text: String,
}

impl IntervalBar {
    /// The drawing, as wide as it may be and 18 pixels high.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let reach = if self.reach.is_finite() && self.reach > 0.0 { self.reach } else { 1.0 };
        let place = |value: f64| ((value / reach).clamp(-1.0, 1.0) + 1.0) / 2.0;
        let mut out = format!(
            "<svg class=\"interval {}\" width=\"100%\" height=\"18\" role=\"img\" aria-label=\"{}\">\
             <line class=\"none\" x1=\"50%\" x2=\"50%\" y2=\"18\"/>",
            self.tone.class(),
            escaped(&self.text, 200)
        );
        if let Some(change) = self.change.filter(|change| change.is_finite()) {
            let end =
                |end: Option<f64>, edge: f64| end.filter(|end| end.is_finite()).map_or(edge, place);
            let (low, high) = (percent(end(self.low, 0.0)), percent(end(self.high, 1.0)));
            let class = if self.is_certain { "dot" } else { "dot hollow" };
            let _ = write!(
                out,
                "<line class=\"range\" x1=\"{low}\" x2=\"{high}\" y1=\"9\" y2=\"9\"/>\
                 <circle class=\"{class}\" cx=\"{}\" cy=\"9\" r=\"4\"/>",
                percent(place(change))
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
    fn ends_are_where_they_belong() {
        let check = |change: Option<f64>, low: Option<f64>, high: Option<f64>, parts: &[&str]| {
            let bar = IntervalBar { change, low, high, reach: 0.5, ..IntervalBar::default() };
            let svg = bar.to_svg();
            for part in parts {
                assert!(svg.contains(part), "{part} in {svg}");
            }
            assert!(!svg.contains("NaN") && !svg.contains("inf%"));
        };
        check(
            Some(0.25),
            Some(0.0),
            Some(9.0),
            &["x1=\"50%\" x2=\"100%\" y1", "cx=\"75%\"", "dot hollow"],
        );
        check(Some(-0.5), None, None, &["x1=\"0%\" x2=\"100%\" y1", "cx=\"0%\""]);
        check(Some(f64::NAN), None, None, &["class=\"none\""]);
        assert!(!IntervalBar::default().to_svg().contains("circle"));
    }
}
