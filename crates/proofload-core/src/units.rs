//! Quantities as people write and read them: durations, ratios, rates and byte sizes.
//!
//! Parsing is exact decimal arithmetic (`"1.5s"` is 1,500,000,000 ns, not a rounded float) and
//! every error says what was expected. Plans, thresholds and command-line flags all parse here, so
//! that a quantity means the same wherever it is written. The `human_*` functions are the opposite
//! direction, for tables and messages: three significant digits and a unit.

use std::fmt;
use std::time::Duration;

/// Why a quantity could not be read. The text that was read is quoted, and the form that was
/// expected is given with an example.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// Nothing but blanks.
    #[error("empty, expected {expected}")]
    Empty {
        /// The expected form, with examples.
        expected: &'static str,
    },
    /// A number was expected where none stands.
    #[error("`{text}` does not start with a number, expected {expected}")]
    NotANumber {
        /// The text from where the number was expected.
        text: String,
        /// The expected form, with examples.
        expected: &'static str,
    },
    /// A number without its unit.
    #[error("`{text}` has no unit, expected {expected}")]
    MissingUnit {
        /// The text that was read.
        text: String,
        /// The expected form, with examples.
        expected: &'static str,
    },
    /// A unit that is not known.
    #[error("unknown unit `{unit}` in `{text}`, expected {expected}")]
    UnknownUnit {
        /// The unit that was read.
        unit: String,
        /// The text that was read.
        text: String,
        /// The expected form, with examples.
        expected: &'static str,
    },
    /// A number that does not fit or is outside of what makes sense.
    #[error("`{text}` is out of range, expected {expected}")]
    OutOfRange {
        /// The text that was read.
        text: String,
        /// The expected form, with examples.
        expected: &'static str,
    },
}

const DURATION_FORM: &str = "a duration like \"300ms\", \"1.5s\", \"10m\" or \"1h30m\"";
const RATIO_FORM: &str = "a share like \"99%\", \"0.5 %\" or 0.99 (between 0 and 1)";
const PERCENT_FORM: &str = "a percentage like \"20%\" or \"0.5 %\"";
const RATE_FORM: &str = "a rate like \"1000/s\", \"60/m\" or \"5/h\"";
const BYTES_FORM: &str = "a size like \"512\", \"10MB\" or \"64KiB\"";
const NUMBER_FORM: &str = "a number like 250 or 0.5";

/// A unit of time, for callers that allow a number without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimeUnit {
    /// 1e-9 s.
    Nanoseconds,
    /// 1e-6 s.
    Microseconds,
    /// 1e-3 s; what a bare number means in k6.
    Milliseconds,
    /// 1 s.
    Seconds,
    /// 60 s.
    Minutes,
    /// 3,600 s.
    Hours,
    /// 86,400 s.
    Days,
}

impl TimeUnit {
    /// How many nanoseconds one of this unit has.
    #[must_use]
    pub const fn nanoseconds(self) -> u64 {
        match self {
            Self::Nanoseconds => 1,
            Self::Microseconds => 1_000,
            Self::Milliseconds => 1_000_000,
            Self::Seconds => 1_000_000_000,
            Self::Minutes => 60_000_000_000,
            Self::Hours => 3_600_000_000_000,
            Self::Days => 86_400_000_000_000,
        }
    }

    /// The unit with this abbreviation (`ns`, `us` or `µs`, `ms`, `s`, `m` or `min`, `h`, `d`).
    #[must_use]
    pub fn from_abbreviation(text: &str) -> Option<Self> {
        Some(match text {
            "ns" => Self::Nanoseconds,
            // The micro sign U+00B5 and the Greek letter U+03BC look the same.
            "us" | "\u{b5}s" | "\u{3bc}s" => Self::Microseconds,
            "ms" => Self::Milliseconds,
            "s" | "sec" => Self::Seconds,
            "m" | "min" => Self::Minutes,
            "h" => Self::Hours,
            "d" => Self::Days,
            _ => return None,
        })
    }
}

/// More decimals than any unit has; 10^18 fits a u64, so scaling cannot overflow.
const MAX_DECIMALS: u32 = 18;

/// A non-negative decimal number as it was written: `mantissa / 10^decimals`.
#[derive(Clone, Copy, Debug)]
struct Decimal {
    mantissa: u64,
    decimals: u32,
}

impl Decimal {
    /// Reads a number (`12`, `1.5`, `.5`, `1_000`) from the front; gives the rest too.
    fn take<'a>(
        text: &'a str,
        whole: &str,
        expected: &'static str,
    ) -> Result<(Self, &'a str), UnitError> {
        let out_of_range = || UnitError::OutOfRange { text: whole.to_owned(), expected };
        let (mut mantissa, mut decimals) = (0_u64, 0_u32);
        let (mut digits, mut after_point) = (0_usize, false);
        let mut end = text.len();
        for (at, c) in text.char_indices() {
            match c {
                '0'..='9' => {
                    let digit = u64::from(c as u8 - b'0');
                    mantissa = mantissa
                        .checked_mul(10)
                        .and_then(|m| m.checked_add(digit))
                        .ok_or_else(out_of_range)?;
                    digits += 1;
                    decimals += u32::from(after_point);
                    // Leading zeros do not overflow the mantissa, so this needs a bound of its own.
                    if decimals > MAX_DECIMALS {
                        return Err(out_of_range());
                    }
                }
                '_' if digits > 0 => {}
                '.' if !after_point => after_point = true,
                _ => {
                    end = at;
                    break;
                }
            }
        }
        if digits == 0 {
            return Err(UnitError::NotANumber { text: text.to_owned(), expected });
        }
        Ok((Self { mantissa, decimals }, &text[end..]))
    }

    /// The number times `factor`, rounded down to a whole number.
    fn scaled(self, factor: u64) -> Option<u64> {
        let scaled = u128::from(self.mantissa) * u128::from(factor) / 10_u128.pow(self.decimals);
        u64::try_from(scaled).ok()
    }

    /// The nearest float. One division of exact numbers, hence correctly rounded below 2^53.
    fn divided_by(self, divisor: f64) -> f64 {
        self.mantissa as f64 / (10_f64.powi(self.decimals as i32) * divisor)
    }
}

/// Splits off the unit: everything up to the next digit, without surrounding blanks.
fn take_unit(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(text.len());
    let (unit, rest) = text.split_at(end);
    (unit.trim(), rest)
}

/// Parses a duration: one or more numbers with units, largest first by habit (`"300ms"`,
/// `"1.5s"`, `"1h30m"`). A lone `0` needs no unit; any other number does.
///
/// # Errors
/// Says what is wrong and which form is expected.
pub fn parse_duration(text: &str) -> Result<Duration, UnitError> {
    parse_duration_ns(text, None).map(Duration::from_nanos)
}

/// Like [`parse_duration`], but a number without a unit is in `bare` units (k6: milliseconds).
///
/// # Errors
/// Says what is wrong and which form is expected.
pub fn parse_duration_or_bare(text: &str, bare: TimeUnit) -> Result<Duration, UnitError> {
    parse_duration_ns(text, Some(bare)).map(Duration::from_nanos)
}

fn parse_duration_ns(text: &str, bare: Option<TimeUnit>) -> Result<u64, UnitError> {
    let expected = DURATION_FORM;
    let whole = text.trim();
    let out_of_range = || UnitError::OutOfRange { text: whole.to_owned(), expected };
    if whole.is_empty() {
        return Err(UnitError::Empty { expected });
    }
    let (mut rest, mut total_ns, mut parts) = (whole, 0_u64, 0_u32);
    while !rest.is_empty() {
        let (number, after) = Decimal::take(rest, whole, expected)?;
        let (unit, after) = take_unit(after);
        let unit = if unit.is_empty() {
            match bare {
                Some(unit) if parts == 0 => unit,
                None if parts == 0 && number.mantissa == 0 => TimeUnit::Seconds,
                _ => return Err(UnitError::MissingUnit { text: whole.to_owned(), expected }),
            }
        } else {
            TimeUnit::from_abbreviation(unit).ok_or_else(|| UnitError::UnknownUnit {
                unit: unit.to_owned(),
                text: whole.to_owned(),
                expected,
            })?
        };
        let ns = number.scaled(unit.nanoseconds()).ok_or_else(out_of_range)?;
        total_ns = total_ns.checked_add(ns).ok_or_else(out_of_range)?;
        rest = after;
        parts += 1;
    }
    Ok(total_ns)
}

/// Parses a share of a whole: `"99%"`, `"0.5 %"` or `"0.99"`. The result is between 0 and 1; a
/// number above 1 without `%` is refused, because `99` may mean either.
///
/// # Errors
/// Says what is wrong and which form is expected.
pub fn parse_ratio(text: &str) -> Result<f64, UnitError> {
    let (number, unit) = number_and_unit(text, RATIO_FORM)?;
    let ratio = match unit {
        "" => number.divided_by(1.0),
        "%" => number.divided_by(100.0),
        unit => return Err(unknown_unit(unit, text, RATIO_FORM)),
    };
    if ratio <= 1.0 { Ok(ratio) } else { Err(out_of_range(text, RATIO_FORM)) }
}

/// Parses a percentage that may exceed 100 (`"20%"`, `"150 %"`) into a factor (0.2, 1.5). The
/// percent sign is needed.
///
/// # Errors
/// Says what is wrong and which form is expected.
pub fn parse_percent(text: &str) -> Result<f64, UnitError> {
    let (number, unit) = number_and_unit(text, PERCENT_FORM)?;
    match unit {
        "%" => Ok(number.divided_by(100.0)),
        "" => Err(UnitError::MissingUnit { text: text.trim().to_owned(), expected: PERCENT_FORM }),
        unit => Err(unknown_unit(unit, text, PERCENT_FORM)),
    }
}

/// Parses a plain non-negative number (`"250"`, `"0.5"`, `"1_000"`).
///
/// # Errors
/// Says what is wrong and which form is expected.
pub fn parse_number(text: &str) -> Result<f64, UnitError> {
    let (number, unit) = number_and_unit(text, NUMBER_FORM)?;
    if unit.is_empty() {
        Ok(number.divided_by(1.0))
    } else {
        Err(unknown_unit(unit, text, NUMBER_FORM))
    }
}

/// Parses a rate: a number a second, minute, hour, day or any other duration (`"1000/s"`,
/// `"60/m"`, `"5/h"`, `"10/30s"`).
///
/// # Errors
/// Says what is wrong and which form is expected.
pub fn parse_rate(text: &str) -> Result<Rate, UnitError> {
    let expected = RATE_FORM;
    let (number, unit) = number_and_unit(text, expected)?;
    if unit.is_empty() {
        return Err(UnitError::MissingUnit { text: text.trim().to_owned(), expected });
    }
    let Some(per) = unit.strip_prefix('/') else {
        return Err(unknown_unit(unit, text, expected));
    };
    let per = per.trim();
    let period_ns = match TimeUnit::from_abbreviation(per) {
        Some(unit) => unit.nanoseconds(),
        None => parse_duration_ns(per, None).map_err(|_| unknown_unit(unit, text, expected))?,
    };
    if period_ns == 0 {
        return Err(out_of_range(text, expected));
    }
    Ok(Rate::per_second(number.divided_by(1.0) * 1e9 / period_ns as f64))
}

/// Parses a byte size: decimal (`kB`, `MB`, `GB`, `TB`) or binary (`KiB`, `MiB`, `GiB`, `TiB`)
/// units; a bare number is bytes.
///
/// # Errors
/// Says what is wrong and which form is expected.
pub fn parse_bytes(text: &str) -> Result<u64, UnitError> {
    let (number, unit) = number_and_unit(text, BYTES_FORM)?;
    let factor = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" => 1_000,
        "m" | "mb" => 1_000_000,
        "g" | "gb" => 1_000_000_000,
        "t" | "tb" => 1_000_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        "tib" => 1 << 40,
        _ => return Err(unknown_unit(unit, text, BYTES_FORM)),
    };
    number.scaled(factor).ok_or_else(|| out_of_range(text, BYTES_FORM))
}

/// One number and all that follows it, trimmed.
fn number_and_unit<'a>(
    text: &'a str,
    expected: &'static str,
) -> Result<(Decimal, &'a str), UnitError> {
    let whole = text.trim();
    if whole.is_empty() {
        return Err(UnitError::Empty { expected });
    }
    let (number, rest) = Decimal::take(whole, whole, expected)?;
    Ok((number, rest.trim()))
}

fn unknown_unit(unit: &str, text: &str, expected: &'static str) -> UnitError {
    UnitError::UnknownUnit { unit: unit.to_owned(), text: text.trim().to_owned(), expected }
}

fn out_of_range(text: &str, expected: &'static str) -> UnitError {
    UnitError::OutOfRange { text: text.trim().to_owned(), expected }
}

/// How often something happens, as a number a second.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Rate {
    per_second: f64,
}

impl Rate {
    /// A rate of this many a second.
    #[must_use]
    pub const fn per_second(per_second: f64) -> Self {
        Self { per_second }
    }

    /// How many a second.
    #[must_use]
    pub const fn as_per_second(self) -> f64 {
        self.per_second
    }
}

/// As a plan writes it, in the largest unit that needs no fraction below one: `1000/s`, `5/h`.
impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (factor, unit) = match self.per_second {
            r if r == 0.0 || r >= 1.0 => (1.0, "s"),
            r if r * 60.0 >= 1.0 => (60.0, "m"),
            _ => (3600.0, "h"),
        };
        // Six decimals hide that e.g. 5/3600*3600 is not exactly 5.
        write!(f, "{}/{unit}", trim_zeros(format!("{:.6}", self.per_second * factor)))
    }
}

fn trim_zeros(number: String) -> String {
    if number.contains('.') {
        number.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        number
    }
}

/// A duration as a plan writes it, exact, and read back to the same value by [`parse_duration`]:
/// `"300ms"`, `"1h30m"`, `"0s"`.
#[must_use]
pub fn duration_text(duration: Duration) -> String {
    const UNITS: [(u64, &str); 7] = [
        (86_400_000_000_000, "d"),
        (3_600_000_000_000, "h"),
        (60_000_000_000, "m"),
        (1_000_000_000, "s"),
        (1_000_000, "ms"),
        (1_000, "us"),
        (1, "ns"),
    ];
    let mut rest = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    // Below a minute one decimal number reads better than "1s500ms".
    if rest > 0 && rest < 60_000_000_000 {
        let (ns, unit) = UNITS.into_iter().find(|&(ns, _)| rest >= ns).unwrap_or((1, "ns"));
        let (whole, fraction) = (rest / ns, rest % ns);
        if fraction == 0 {
            return format!("{whole}{unit}");
        }
        let width = ns.ilog10() as usize;
        return format!("{}{unit}", trim_zeros(format!("{whole}.{fraction:0width$}")));
    }
    let mut text = String::new();
    // A day is written in hours ("24h"), as plans do.
    for (ns, unit) in UNITS.into_iter().skip(1) {
        if rest >= ns {
            text.push_str(&format!("{}{unit}", rest / ns));
            rest %= ns;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// Three significant digits, never in scientific notation: `1.24`, `31.2`, `312`, `1,235`.
fn three_digits(value: f64) -> String {
    // Compared after rounding, so that 9.999 becomes "10.0" and not "10.00".
    match value {
        v if v < 9.995 => format!("{v:.2}"),
        v if v < 99.95 => format!("{v:.1}"),
        v => human_count(v.round().max(0.0) as u64),
    }
}

/// A time for people, from nanoseconds: `312 µs`, `12.3 ms`, `1.24 s`, `2 min 05 s`, `1 h 30 min`.
/// Not-a-number and negative values give `–`.
#[must_use]
pub fn human_ns(ns: f64) -> String {
    if !ns.is_finite() || ns < 0.0 {
        return "–".to_owned();
    }
    match ns {
        0.0 => "0 s".to_owned(),
        n if n < 999.5 => format!("{} ns", n.round()),
        n if n < 999.5e3 => format!("{} µs", three_digits(n / 1e3)),
        n if n < 999.5e6 => format!("{} ms", three_digits(n / 1e6)),
        n if n < 59.95e9 => format!("{} s", three_digits(n / 1e9)),
        n => {
            let seconds = (n / 1e9).round() as u64;
            if seconds < 3600 {
                format!("{} min {:02} s", seconds / 60, seconds % 60)
            } else {
                let minutes = seconds.saturating_add(30) / 60;
                format!("{} h {:02} min", human_count(minutes / 60), minutes % 60)
            }
        }
    }
}

/// A duration for people, see [`human_ns`].
#[must_use]
pub fn human_duration(duration: Duration) -> String {
    human_ns(duration.as_nanos() as f64)
}

/// A count with thousands separators: `1,234,567`.
#[must_use]
pub fn human_count(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A byte size for people, in decimal units: `512 B`, `12.3 MB`.
#[must_use]
pub fn human_bytes(bytes: f64) -> String {
    if !bytes.is_finite() || bytes < 0.0 {
        return "–".to_owned();
    }
    let units = ["kB", "MB", "GB", "TB", "PB"];
    if bytes < 999.5 {
        return format!("{} B", bytes.round());
    }
    let (mut value, mut index) = (bytes / 1e3, 0);
    while value >= 999.5 && index + 1 < units.len() {
        value /= 1e3;
        index += 1;
    }
    format!("{} {}", three_digits(value), units[index])
}

/// A share for people: `99.12%`. What is not quite all (or none) is never shown as 100% (or 0%):
/// decimals are added until it differs.
#[must_use]
pub fn human_ratio(ratio: f64) -> String {
    if !ratio.is_finite() {
        return "–".to_owned();
    }
    let percent = ratio * 100.0;
    let is_exact = ratio == 0.0 || ratio == 1.0;
    for decimals in 2..=6 {
        let text = format!("{percent:.decimals$}");
        let shown = text.parse::<f64>().unwrap_or(percent);
        if is_exact || (shown != 0.0 && shown != 100.0) {
            return format!("{}%", trim_zeros(text));
        }
    }
    if percent > 50.0 { ">99.999999%".to_owned() } else { "<0.000001%".to_owned() }
}

/// A rate for people, from a number a second: `1,235/s`, `12.3/s`, `3.00/min`.
#[must_use]
pub fn human_rate(per_second: f64) -> String {
    if !per_second.is_finite() || per_second < 0.0 {
        return "–".to_owned();
    }
    match per_second {
        0.0 => "0/s".to_owned(),
        r if r >= 0.995 => format!("{}/s", three_digits(r)),
        r if r * 60.0 >= 0.995 => format!("{}/min", three_digits(r * 60.0)),
        r => format!("{}/h", three_digits(r * 3600.0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_exact() {
        let check = |text: &str, ns: u64| {
            assert_eq!(parse_duration(text), Ok(Duration::from_nanos(ns)), "{text}");
        };
        check("300ms", 300_000_000);
        check("1.5s", 1_500_000_000);
        check("10m", 600_000_000_000);
        check("1h30m", 5_400_000_000_000);
        check("1h 30 min", 5_400_000_000_000);
        check("2us", 2_000);
        check("2µs", 2_000);
        check("2μs", 2_000);
        check("24h", 86_400_000_000_000);
        check("1d", 86_400_000_000_000);
        check("0", 0);
        check(" 0.1 s ", 100_000_000);
        check("0.000000001s", 1);
        check("1_000ms", 1_000_000_000);
    }

    #[test]
    fn a_bare_number_needs_a_caller_that_allows_it() {
        assert_eq!(
            parse_duration_or_bare("250", TimeUnit::Milliseconds),
            Ok(Duration::from_millis(250))
        );
        assert_eq!(
            parse_duration_or_bare("1s", TimeUnit::Milliseconds),
            Ok(Duration::from_secs(1))
        );
        assert_eq!(
            parse_duration("250").unwrap_err().to_string(),
            "`250` has no unit, expected a duration like \"300ms\", \"1.5s\", \"10m\" or \"1h30m\""
        );
        assert!(parse_duration_or_bare("1s5", TimeUnit::Milliseconds).is_err());
    }

    #[test]
    fn errors_say_what_was_expected() {
        let check = |error: UnitError, text: &str| {
            let message = error.to_string();
            assert!(message.starts_with(text), "{message}");
            assert!(message.contains("expected a "), "{message}");
        };
        check(parse_duration("").unwrap_err(), "empty");
        check(parse_duration("soon").unwrap_err(), "`soon` does not start with a number");
        check(parse_duration("-1s").unwrap_err(), "`-1s` does not start with a number");
        check(parse_duration("3 weeks").unwrap_err(), "unknown unit `weeks` in `3 weeks`");
        check(parse_duration("1s-2s").unwrap_err(), "unknown unit `s-` in `1s-2s`");
        check(parse_duration("999999999999h").unwrap_err(), "`999999999999h` is out of range");
        check(parse_duration("99999999999999999999999s").unwrap_err(), "`999999");
        check(parse_duration(&format!("0.{}1s", "0".repeat(60))).unwrap_err(), "`0.000");
        check(parse_ratio("99").unwrap_err(), "`99` is out of range");
        check(parse_ratio("101%").unwrap_err(), "`101%` is out of range");
        check(parse_ratio("5ms").unwrap_err(), "unknown unit `ms` in `5ms`");
        check(parse_percent("20").unwrap_err(), "`20` has no unit");
        check(parse_rate("1000").unwrap_err(), "`1000` has no unit");
        check(parse_rate("1000/year").unwrap_err(), "unknown unit `/year`");
        check(parse_rate("1000/0s").unwrap_err(), "`1000/0s` is out of range");
        check(parse_bytes("10XB").unwrap_err(), "unknown unit `XB` in `10XB`");
        check(parse_number("5s").unwrap_err(), "unknown unit `s` in `5s`");
    }

    #[test]
    fn ratios_rates_and_sizes() {
        assert_eq!(parse_ratio("99%"), Ok(0.99));
        assert_eq!(parse_ratio("99.9%"), Ok(0.999));
        assert_eq!(parse_ratio("0.5 %"), Ok(0.005));
        assert_eq!(parse_ratio("0.01"), Ok(0.01));
        assert_eq!(parse_ratio("1"), Ok(1.0));
        assert_eq!(parse_percent("150 %"), Ok(1.5));
        assert_eq!(parse_number("1_000.5"), Ok(1000.5));
        assert_eq!(parse_rate("1000/s"), Ok(Rate::per_second(1000.0)));
        assert_eq!(parse_rate("60/m"), Ok(Rate::per_second(1.0)));
        assert_eq!(parse_rate("10 / 5s"), Ok(Rate::per_second(2.0)));
        assert_eq!(parse_rate("5/h").map(|r| r.to_string()), Ok("5/h".to_owned()));
        assert_eq!(parse_bytes("10MB"), Ok(10_000_000));
        assert_eq!(parse_bytes("64KiB"), Ok(65_536));
        assert_eq!(parse_bytes("1.5 kB"), Ok(1_500));
        assert_eq!(parse_bytes("512"), Ok(512));
    }

    #[test]
    fn written_durations_read_back() {
        let check = |ns: u64, text: &str| {
            assert_eq!(duration_text(Duration::from_nanos(ns)), text);
            assert_eq!(parse_duration(text), Ok(Duration::from_nanos(ns)));
        };
        check(0, "0s");
        check(1, "1ns");
        check(300_000_000, "300ms");
        check(1_500_000_000, "1.5s");
        check(1_000_000_001, "1.000000001s");
        check(90_000_000_000, "1m30s");
        check(5_400_000_000_000, "1h30m");
        check(86_400_000_000_000, "24h");
        check(60_000_000_007, "1m7ns");
    }

    #[test]
    fn times_for_people() {
        let check = |ns: f64, text: &str| assert_eq!(human_ns(ns), text);
        check(f64::MAX, "5,124,095,576,030,431 h 00 min");
        check(0.0, "0 s");
        check(7.0, "7 ns");
        check(312_000.0, "312 µs");
        check(999_600.0, "1.00 ms");
        check(9_999_000.0, "10.0 ms");
        check(12_345_678.0, "12.3 ms");
        check(1_240_000_000.0, "1.24 s");
        check(59_960_000_000.0, "1 min 00 s");
        check(125_000_000_000.0, "2 min 05 s");
        check(5_400_000_000_000.0, "1 h 30 min");
        check(7_199_000_000_000.0, "2 h 00 min");
        check(f64::NAN, "–");
    }

    #[test]
    fn counts_sizes_shares_and_rates_for_people() {
        assert_eq!(human_count(0), "0");
        assert_eq!(human_count(999), "999");
        assert_eq!(human_count(1_234), "1,234");
        assert_eq!(human_count(u64::MAX), "18,446,744,073,709,551,615");
        assert_eq!(human_bytes(512.0), "512 B");
        assert_eq!(human_bytes(12_300_000.0), "12.3 MB");
        assert_eq!(human_bytes(999_900.0), "1.00 MB");
        assert_eq!(human_ratio(0.9912), "99.12%");
        assert_eq!(human_ratio(1.0), "100%");
        assert_eq!(human_ratio(0.0), "0%");
        assert_eq!(human_ratio(0.999_999), "99.9999%");
        assert_eq!(human_ratio(1e-12), "<0.000001%");
        assert_eq!(human_rate(1_234.6), "1,235/s");
        assert_eq!(human_rate(0.05), "3.00/min");
        assert_eq!(human_rate(0.0), "0/s");
    }
}
