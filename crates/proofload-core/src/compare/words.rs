//! Changes for people.

use super::measured::as_change;
use crate::result::ChangeScale;

/// `+12.3%`, `−3.1%`, `+0.50 points`: with its sign, three digits of what is large, two decimals of
/// what is small.
pub(super) fn change(change: f64, scale: ChangeScale) -> String {
    let percent = change * 100.0;
    let decimals = match (scale, percent.abs()) {
        (ChangeScale::Points, _) => 2,
        (ChangeScale::Relative, size) if size >= 99.95 => 0,
        (ChangeScale::Relative, _) => 1,
    };
    let sign = if percent < 0.0 { '\u{2212}' } else { '+' };
    let number = format!("{:.decimals$}", percent.abs());
    let is_nothing = number.bytes().all(|byte| byte == b'0' || byte == b'.');
    let sign = if is_nothing { '±' } else { sign };
    match scale {
        ChangeScale::Relative => format!("{sign}{number}%"),
        ChangeScale::Points => format!("{sign}{number} points"),
    }
}

/// `−2.1% … +4.0%` of an interval on the scale; `?` for an end that is not bounded.
pub(super) fn interval(low: f64, high: f64, scale: ChangeScale) -> String {
    let text = |end: f64| {
        if end.is_finite() { change(as_change(end, scale), scale) } else { "?".to_owned() }
    };
    let (low, high) = (text(low), text(high));
    match scale {
        ChangeScale::Relative => format!("{low} … {high}"),
        ChangeScale::Points => format!("{} … {high}", low.trim_end_matches(" points")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_have_a_sign_and_few_digits() {
        let check = |value: f64, scale: ChangeScale, text: &str| {
            assert_eq!(change(value, scale), text);
        };
        check(0.1234, ChangeScale::Relative, "+12.3%");
        check(-0.031, ChangeScale::Relative, "−3.1%");
        check(12.0, ChangeScale::Relative, "+1200%");
        check(0.0004, ChangeScale::Relative, "±0.0%");
        check(-0.0004, ChangeScale::Relative, "±0.0%");
        check(0.005, ChangeScale::Points, "+0.50 points");
        check(-0.25, ChangeScale::Points, "−25.00 points");
        assert_eq!(interval(-0.01, 0.02, ChangeScale::Points), "−1.00 … +2.00 points");
        assert_eq!(
            interval(0.1_f64.ln_1p(), 0.2_f64.ln_1p(), ChangeScale::Relative),
            "+10.0% … +20.0%"
        );
    }
}
