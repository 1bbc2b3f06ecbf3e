//! A bound on a measure: an operator and a value with its unit.

use super::measure::{Direction, Quantity};
use super::{Comparison, ExpressionError, Measure};
use crate::units::{self, TimeUnit, UnitError};
use std::fmt;

/// A bound on a measured value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bound {
    /// How the measured value is compared with `value`.
    pub comparison: Comparison,
    /// In the base unit of `quantity`.
    pub value: f64,
    /// The measure's quantity; for a monitor that of the unit which was written.
    pub quantity: Quantity,
}

impl Bound {
    /// Reads a bound: `"<300ms"`, `"> 99 %"`, `">50/s"`. Without an operator it means at most for
    /// times, error rates and the like, and at least for success, throughput and hit rates.
    ///
    /// # Errors
    /// When it is not an operator followed by a value of the measure's unit.
    pub fn parse(text: &str, measure: &Measure) -> Result<Self, ExpressionError> {
        let start = text.len() - text.trim_start().len();
        let (comparison, value_at) = match Comparison::at_front(&text[start..]) {
            Some((comparison, length)) => (comparison, start + length),
            None => (Self::bare_comparison(measure), start),
        };
        let value_text = &text[value_at..];
        let (value, quantity) = parse_value(value_text, measure.quantity()).map_err(|error| {
            let blanks = value_text.len() - value_text.trim_start().len();
            let message = format!("`{measure}`: {error}");
            ExpressionError::new(text, value_at + blanks..text.len(), message)
        })?;
        Ok(Self { comparison, value, quantity })
    }

    /// A bare number of a plan (`p95 = 300`, `error_rate = 0.01`), with the operator that an absent
    /// one means. Times are in milliseconds, shares between 0 and 1, rates a second.
    ///
    /// # Errors
    /// When the number is negative, not finite, or a share above 1.
    pub fn from_number(number: f64, measure: &Measure) -> Result<Self, ExpressionError> {
        let quantity = measure.quantity();
        let is_share = quantity == Quantity::Ratio;
        if !number.is_finite() || number < 0.0 || (is_share && number > 1.0) {
            let text = number.to_string();
            let message = if is_share {
                format!("`{measure}` is a share between 0 and 1, or a text like \"99%\"")
            } else {
                format!("`{measure}` cannot be {number}")
            };
            return Err(ExpressionError::new(&text, 0..text.len(), message));
        }
        let value = if quantity == Quantity::Duration { number * 1e6 } else { number };
        Ok(Self { comparison: Self::bare_comparison(measure), value, quantity })
    }

    fn bare_comparison(measure: &Measure) -> Comparison {
        match measure.direction() {
            Direction::LowerIsBetter => Comparison::LessOrEqual,
            Direction::HigherIsBetter => Comparison::GreaterOrEqual,
        }
    }

    /// Whether a measured value (in the base unit) keeps the bound.
    #[must_use]
    pub fn holds(&self, measured: f64) -> bool {
        self.comparison.holds(measured, self.value)
    }

    /// Whether every value that keeps this bound keeps the other one too, as far as both point the
    /// same way; true where they cannot be compared.
    pub(super) fn is_within(&self, other: &Self) -> bool {
        use Comparison::{Greater, GreaterOrEqual, Less, LessOrEqual};
        match (self.comparison, other.comparison) {
            (Less | LessOrEqual, Less | LessOrEqual) => self.value <= other.value,
            (Greater | GreaterOrEqual, Greater | GreaterOrEqual) => self.value >= other.value,
            _ => true,
        }
    }
}

/// As it is written, with the value for people: `< 300 ms`.
impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.comparison, self.quantity.human(self.value))
    }
}

/// Reads a value of a quantity; the result is in its base unit.
fn parse_value(text: &str, quantity: Quantity) -> Result<(f64, Quantity), UnitError> {
    let value = match quantity {
        Quantity::Duration => units::parse_duration(text)?.as_nanos() as f64,
        Quantity::Ratio => units::parse_ratio(text)?,
        Quantity::Rate => match units::parse_number(text) {
            Ok(number) => number,
            Err(_) => units::parse_rate(text)?.as_per_second(),
        },
        Quantity::Count => units::parse_number(text)?,
        Quantity::Bytes => units::parse_bytes(text)? as f64,
        Quantity::BytesRate => {
            let text = text.trim();
            units::parse_bytes(text.strip_suffix("/s").unwrap_or(text))? as f64
        }
        Quantity::Any => return parse_any(text),
    };
    Ok((value, quantity))
}

/// Of a monitor, whatever unit fits: a number, a percentage, a time, a size or a rate.
fn parse_any(text: &str) -> Result<(f64, Quantity), UnitError> {
    if let Ok(number) = units::parse_number(text) {
        return Ok((number, Quantity::Any));
    }
    if let Ok(ratio) = units::parse_percent(text) {
        return Ok((ratio, Quantity::Ratio));
    }
    if let Ok(duration) = units::parse_duration(text) {
        return Ok((duration.as_nanos() as f64, Quantity::Duration));
    }
    if text.trim().ends_with("B/s") {
        return parse_value(text, Quantity::BytesRate);
    }
    if let Ok(rate) = units::parse_rate(text) {
        return Ok((rate.as_per_second(), Quantity::Rate));
    }
    Ok((units::parse_bytes(text)? as f64, Quantity::Bytes))
}

/// Reads the value of a k6 threshold: bare numbers are milliseconds for times and may be negative
/// or have an exponent, as in k6; units are allowed beyond k6.
pub(super) fn parse_threshold_value(text: &str, quantity: Quantity) -> Result<f64, UnitError> {
    let is_plain =
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE_".contains(&b));
    if is_plain && let Ok(number) = text.replace('_', "").parse::<f64>() {
        let factor = if quantity == Quantity::Duration { 1e6 } else { 1.0 };
        return Ok(number * factor);
    }
    match quantity {
        Quantity::Duration => {
            let duration = units::parse_duration_or_bare(text, TimeUnit::Milliseconds)?;
            Ok(duration.as_nanos() as f64)
        }
        quantity => parse_value(text, quantity).map(|(value, _)| value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(measure: &str, text: &str) -> Result<Bound, ExpressionError> {
        Bound::parse(text, &Measure::parse(measure).unwrap())
    }

    #[test]
    fn bounds_are_read_with_the_unit_of_their_measure() {
        let check = |measure: &str, text: &str, comparison: Comparison, value: f64| {
            let bound = bound(measure, text).unwrap();
            assert_eq!((bound.comparison, bound.value), (comparison, value), "{measure} {text}");
        };
        check("p95", "<300ms", Comparison::Less, 300e6);
        check("p95", " <= 0.3 s ", Comparison::LessOrEqual, 300e6);
        check("p95", "300ms", Comparison::LessOrEqual, 300e6);
        check("success_rate", ">99%", Comparison::Greater, 0.99);
        check("success_rate", "99%", Comparison::GreaterOrEqual, 0.99);
        check("error_rate", "< 0.5 %", Comparison::Less, 0.005);
        check("error_rate", "1%", Comparison::LessOrEqual, 0.01);
        check("error_rate", "==0", Comparison::Equal, 0.0);
        check("rps", ">50/s", Comparison::Greater, 50.0);
        check("rps", "600/m", Comparison::GreaterOrEqual, 10.0);
        check("rps", "1000", Comparison::GreaterOrEqual, 1000.0);
        check("cache_hit_rate", "70%", Comparison::GreaterOrEqual, 0.7);
        check("requests", "!= 0", Comparison::NotEqual, 0.0);
        check("dropped_iterations", "0", Comparison::LessOrEqual, 0.0);
        check("data_received", ">10MB", Comparison::Greater, 1e7);
        check("data_received_rate", ">1MB/s", Comparison::Greater, 1e6);
        check("cpu", "<80%", Comparison::Less, 0.8);
        check("memory", "<512MiB", Comparison::Less, 536_870_912.0);
        check("db_connections", "80", Comparison::LessOrEqual, 80.0);
        check("db_connection_wait", "<5ms", Comparison::Less, 5e6);
        check("disk_read", "<5MB/s", Comparison::Less, 5e6);
    }

    #[test]
    fn errors_say_where_and_what() {
        let check = |measure: &str, text: &str, column: usize, message: &str| {
            let error = bound(measure, text).unwrap_err();
            assert_eq!(error.column(), column, "{error}");
            assert!(error.message.contains(message), "{error}");
        };
        check("p95", "< 300", 3, "`p95`: `300` has no unit");
        check("p95", "<300mb", 2, "unknown unit `mb`");
        check("p95", "=300ms", 1, "does not start with a number");
        check("p95", "", 1, "empty");
        check("success_rate", ">99", 2, "`99` is out of range, expected a share");
        check("rps", ">fast", 2, "does not start with a number");
        check("requests", ">5s", 2, "unknown unit `s`");
    }

    #[test]
    fn numbers_of_a_plan() {
        let from = |measure: &str, number: f64| {
            Bound::from_number(number, &Measure::parse(measure).unwrap())
        };
        assert_eq!(from("p95", 300.0), bound("p95", "300ms"));
        assert_eq!(from("error_rate", 0.01), bound("error_rate", "1%"));
        assert_eq!(from("rps", 50.0), bound("rps", "50/s"));
        assert!(from("success_rate", 99.0).is_err());
        assert!(from("p95", -1.0).is_err());
        assert!(from("p95", f64::NAN).is_err());
    }

    #[test]
    fn bounds_are_shown_for_people() {
        assert_eq!(bound("p95", "<300ms").unwrap().to_string(), "< 300 ms");
        assert_eq!(bound("error_rate", "0.5%").unwrap().to_string(), "<= 0.5%");
        assert_eq!(bound("rps", "1000").unwrap().to_string(), ">= 1,000/s");
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(
            measure in "(p95|success_rate|rps|requests|cpu|data_sent_rate)",
            text in "[<>=! ]{0,3}[0-9.µ]{0,6} ?(ms|%|/s|MB|µs|B/s|h)?",
        ) {
            if let Err(error) = bound(&measure, &text) {
                proptest::prop_assert!(error.text.get(error.range.clone()).is_some(), "{:?}", error);
            }
        }
    }
}
