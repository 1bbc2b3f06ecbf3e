//! Bars and sparklines.

use crate::style::Style;

/// The filled part of a bar, to an eighth of a column; `share` is clamped to 0…1. What is not
/// nothing is never shown as nothing.
pub(crate) fn bar(share: f64, width: usize, style: &Style) -> String {
    let blocks = style.symbols().blocks;
    let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
    let steps = blocks.len();
    let mut filled = (share * (width * steps) as f64).round() as usize;
    if share > 0.0 {
        filled = filled.max(1);
    }
    let mut text = blocks[steps - 1].repeat((filled / steps).min(width));
    if !filled.is_multiple_of(steps) {
        text.push_str(blocks[filled % steps - 1]);
    }
    text
}

/// The last values that fit, each as a height relative to the largest of them; the smallest height
/// is zero. Not-a-number counts as zero.
pub(crate) fn sparkline(values: &[f64], width: usize, style: &Style) -> String {
    let sparks = style.symbols().sparks;
    let shown = &values[values.len().saturating_sub(width)..];
    let largest = shown.iter().copied().filter(|v| v.is_finite()).fold(0.0, f64::max);
    let height = |value: f64| {
        if value.is_nan() || largest <= 0.0 {
            return 0;
        }
        let share = (value / largest).clamp(0.0, 1.0);
        (share * (sparks.len() - 1) as f64).round() as usize
    };
    shown.iter().map(|&value| sparks[height(value)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASCII: Style = Style { color: false, unicode: false, width: 80 };

    #[test]
    fn bars() {
        let check = |share: f64, unicode: &str, ascii: &str| {
            assert_eq!(bar(share, 4, &Style::plain()), unicode, "{share}");
            assert_eq!(bar(share, 4, &ASCII), ascii, "{share}");
        };
        check(0.0, "", "");
        check(1e-9, "▏", "#");
        check(0.125, "▌", "#");
        check(0.5, "██", "##");
        check(0.99, "████", "####");
        check(0.97, "███▉", "####");
        check(1.0, "████", "####");
        check(7.0, "████", "####");
        check(-1.0, "", "");
        check(f64::NAN, "", "");
    }

    #[test]
    fn sparklines() {
        let check = |values: &[f64], unicode: &str, ascii: &str| {
            assert_eq!(sparkline(values, 4, &Style::plain()), unicode);
            assert_eq!(sparkline(values, 4, &ASCII), ascii);
        };
        check(&[], "", "");
        check(&[0.0, 0.0], "▁▁", "__");
        check(&[0.0, 1.0, 2.0], "▁▅█", "_=#");
        check(&[9.0, 0.0, 1.0, 2.0, 2.0], "▁▅██", "_=##");
        check(&[f64::NAN, 5.0, f64::INFINITY], "▁██", "_##");
    }
}
