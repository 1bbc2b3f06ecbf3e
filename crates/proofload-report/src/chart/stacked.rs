//! One bar made of parts.

use std::fmt::Write;

use super::colour::Colour;
use super::svg::{escaped, percent};

/// A part of a whole.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Part {
    /// What it is.
    pub name: String,
    /// How much; negative and not finite count as nothing.
    pub value: f64,
    /// Its colour.
    pub colour: Colour,
}

/// Parts beside each other; the longest possible bar is `whole`, so that bars below each other compare.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StackedBar {
    /// The parts from left to right.
    pub parts: Vec<Part>,
    /// What the full width stands for; 0 is the sum of the parts.
    pub whole: f64,
    /// In words, for those who do not see it.
    pub text: String,
}

impl StackedBar {
    /// The drawing, as wide as it may be and 20 pixels high.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let amount = |part: &Part| if part.value.is_finite() { part.value.max(0.0) } else { 0.0 };
        let sum: f64 = self.parts.iter().map(amount).sum();
        let whole = if self.whole.is_finite() { self.whole.max(sum) } else { sum };
        let mut out = format!(
            "<svg class=\"stack\" width=\"100%\" height=\"20\" role=\"img\" aria-label=\"{}\">",
            escaped(&self.text, 400)
        );
        let mut at = 0.0;
        for part in &self.parts {
            let share = if whole > 0.0 { amount(part) / whole } else { 0.0 };
            if share > 0.0 {
                let _ = write!(
                    out,
                    "<rect class=\"{}\" x=\"{}\" width=\"{}\" height=\"20\"><title>{}</title></rect>",
                    part.colour.class(),
                    percent(at),
                    percent(share.max(0.002)),
                    escaped(&part.name, 80)
                );
            }
            at += share;
        }
        out.push_str("</svg>");
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up() {
        let part = |name: &str, value| Part { name: name.to_owned(), value, colour: Colour::Blue };
        let bar = StackedBar {
            parts: vec![part("a", 1.0), part("b", f64::NAN), part("<c>", 3.0)],
            ..StackedBar::default()
        };
        let svg = bar.to_svg();
        assert!(svg.contains("x=\"0%\" width=\"25%\""), "{svg}");
        assert!(svg.contains("x=\"25%\" width=\"75%\" height=\"20\"><title>&lt;c&gt;"), "{svg}");
        let half = StackedBar { whole: 8.0, ..bar }.to_svg();
        assert!(half.contains("x=\"12.5%\" width=\"37.5%\""), "{half}");
        assert!(!StackedBar::default().to_svg().contains("rect"));
    }
}
