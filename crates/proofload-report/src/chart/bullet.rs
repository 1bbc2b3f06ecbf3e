//! A measured value beside what was wanted of it.

use std::fmt::Write;

use super::mark::Tone;
use super::svg::{escaped, percent};

/// A value that divides good from bad.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BulletBound {
    /// In the unit of the measured value.
    pub value: f64,
    /// Whether larger values are the good ones.
    pub is_floor: bool,
}

/// A bar for the measured value with a line at the target and a thicker one at the limit. What is beyond the
/// limit is shaded. The bar begins at zero, or, for shares that ought to be nearly one, where it can be told
/// from its bounds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bullet {
    /// What was measured; none draws the bounds only.
    pub measured: Option<f64>,
    /// What one wants.
    pub target: Option<BulletBound>,
    /// What one cannot accept.
    pub limit: Option<BulletBound>,
    /// How it came out.
    pub tone: Tone,
    /// Whether the value is a share of a whole: the axis ends at 1.
    pub is_share: bool,
    /// In words, for those who do not see it.
    pub text: String,
}

impl Bullet {
    /// The drawing, as wide as it may be and 18 pixels high.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let bounds = [self.target, self.limit].into_iter().flatten();
        let values: Vec<f64> = bounds
            .map(|bound| bound.value)
            .chain(self.measured)
            .filter(|value| value.is_finite())
            .collect();
        let (low, high) = self.ends(&values);
        let place = |value: f64| {
            let at = (value - low) / (high - low);
            if at.is_finite() { at.clamp(0.0, 1.0) } else { 0.0 }
        };
        let mut out = format!(
            "<svg class=\"bullet {}\" width=\"100%\" height=\"18\" role=\"img\" aria-label=\"{}\">\
             <rect class=\"track\" y=\"3\" width=\"100%\" height=\"12\"/>",
            self.tone.class(),
            escaped(&self.text, 200)
        );
        if let Some(limit) = self.limit.filter(|limit| limit.value.is_finite()) {
            let at = place(limit.value);
            let (x, width) = if limit.is_floor { (0.0, at) } else { (at, 1.0 - at) };
            let _ = write!(
                out,
                "<rect class=\"beyond\" x=\"{}\" y=\"3\" width=\"{}\" height=\"12\"/>",
                percent(x),
                percent(width)
            );
        }
        if let Some(measured) = self.measured.filter(|value| value.is_finite()) {
            let width = percent(place(measured).max(0.004));
            let _ = write!(out, "<rect class=\"bar\" y=\"6\" width=\"{width}\" height=\"6\"/>");
        }
        for (bound, class, y) in [(self.target, "target", 2), (self.limit, "limit", 0)] {
            if let Some(bound) = bound.filter(|bound| bound.value.is_finite()) {
                let at = percent(place(bound.value));
                let _ = write!(
                    out,
                    "<line class=\"{class}\" x1=\"{at}\" x2=\"{at}\" y1=\"{y}\" y2=\"{}\"/>",
                    18 - y
                );
            }
        }
        out.push_str("</svg>");
        out
    }

    /// Where the axis begins and ends.
    fn ends(&self, values: &[f64]) -> (f64, f64) {
        let high = values.iter().copied().fold(0.0, f64::max);
        let low = values.iter().copied().fold(0.0, f64::min);
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        if self.is_share && high <= 1.0 && least >= 0.8 {
            // 99.5 % and 99 % are the same from zero.
            let room = (1.0 - least).max(0.001) * 1.5;
            return (1.0 - room, 1.0);
        }
        if self.is_share && (0.8..=1.0).contains(&high) && low >= 0.0 {
            return (0.0, 1.0);
        }
        // A value far beyond its bounds must not press them into one line.
        let bounds = [self.target, self.limit].into_iter().flatten().map(|bound| bound.value);
        let bound = bounds.filter(|value| value.is_finite()).fold(0.0, f64::max);
        let high = if bound > 0.0 { high.min(bound * 4.0) } else { high };
        if high > low { (low, low + (high - low) * 1.15) } else { (0.0, 1.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bullet(measured: f64, target: f64, limit: f64, is_floor: bool, is_share: bool) -> Bullet {
        let bound = |value| Some(BulletBound { value, is_floor });
        Bullet {
            measured: Some(measured),
            target: bound(target),
            limit: bound(limit),
            is_share,
            ..Bullet::default()
        }
    }

    #[test]
    fn the_axis_holds_what_matters() {
        let check = |bullet: &Bullet, low: f64, high: f64| {
            let values: Vec<f64> = [bullet.target, bullet.limit]
                .into_iter()
                .flatten()
                .map(|bound| bound.value)
                .chain(bullet.measured)
                .collect();
            let ends = bullet.ends(&values);
            assert!((ends.0 - low).abs() < 1e-9 && (ends.1 - high).abs() < 1e-9, "{ends:?}");
        };
        check(&bullet(50.0, 100.0, 200.0, false, false), 0.0, 230.0);
        check(&bullet(5e6, 100.0, 200.0, false, false), 0.0, 920.0);
        check(&bullet(0.999, 0.99, 0.95, true, true), 0.925, 1.0);
        check(&bullet(0.4, 0.99, 0.95, true, true), 0.0, 1.0);
        check(&bullet(0.0, 0.0, 0.0, false, false), 0.0, 1.0);
    }

    #[test]
    fn numbers_that_are_none_draw_nothing() {
        let svg = bullet(f64::NAN, f64::INFINITY, 5.0, false, false).to_svg();
        assert!(
            !svg.contains("NaN") && !svg.contains("\"inf") && !svg.contains("class=\"bar\""),
            "{svg}"
        );
        assert!(svg.contains("class=\"limit\"") && !svg.contains("class=\"target\""), "{svg}");
    }
}
