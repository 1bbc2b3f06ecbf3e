//! Amounts of money, exact to a billionth.

use std::fmt;

/// Billionths in one unit of the currency.
const UNIT: u128 = 1_000_000_000;
/// Digits of a billionth.
const DECIMALS: usize = 9;

/// An amount that is not negative, in billionths of the currency's unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Money(u128);

/// Why a text is not an amount.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not a decimal number without a sign.
    #[error("`{0}` is not an amount")]
    NotANumber(String),
    /// Finer than a billionth.
    #[error("`{0}` has more than nine digits after the point")]
    TooFine(String),
    /// More than [`Money::MAX`].
    #[error("`{0}` is more than a billion")]
    TooLarge(String),
}

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The largest amount that can be written in a plan: a billion.
    pub const MAX: Self = Self(UNIT * 1_000_000_000);

    /// Reads a decimal number such as `0.06`; thousands may be set off by `_`.
    ///
    /// # Errors
    /// When it is not one, or cannot be held exactly.
    pub fn parse(text: &str) -> Result<Self, MoneyError> {
        let plain = text.trim().replace('_', "");
        let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, ""));
        let is_number = |digits: &str| digits.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !is_number(whole) || !is_number(fraction) {
            return Err(MoneyError::NotANumber(text.trim().to_owned()));
        }
        let fraction = fraction.trim_end_matches('0');
        if fraction.len() > DECIMALS {
            return Err(MoneyError::TooFine(text.trim().to_owned()));
        }
        let amount = format!("{whole}{fraction:0<DECIMALS$}").parse::<u128>();
        match amount {
            Ok(amount) if amount <= Self::MAX.0 => Ok(Self(amount)),
            _ => Err(MoneyError::TooLarge(text.trim().to_owned())),
        }
    }

    /// The amount nearest to a number of units; negative and impossible numbers are nothing.
    #[must_use]
    pub fn from_units(units: f64) -> Self {
        // Casting saturates, and turns what is not a number into 0.
        Self((units * UNIT as f64).round() as u128)
    }

    /// In units of the currency: the floating-point number nearest to the amount, whose shortest decimal text
    /// is the amount itself up to 15 digits.
    #[must_use]
    pub fn units(self) -> f64 {
        self.0 as f64 / UNIT as f64
    }

    /// So many times the amount.
    #[must_use]
    pub fn times(self, count: u64) -> Self {
        Self(self.0.saturating_mul(u128::from(count)))
    }

    /// The share `part / whole` of the amount, rounded to the nearest billionth; nothing of nothing.
    #[must_use]
    pub fn share(self, part: u64, whole: u64) -> Self {
        let (part, whole) = (u128::from(part.min(whole)), u128::from(whole));
        if whole == 0 {
            return Self::ZERO;
        }
        // Split, so that no intermediate product exceeds 128 bits.
        let (times, rest) = (self.0 / whole, self.0 % whole);
        Self(times * part + (rest * part + whole / 2) / whole)
    }

    /// What is left after taking away.
    #[must_use]
    pub fn less(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// The amount for people with the sign of its currency: `$3.60`, `$4,200`, `$0.014`, `USD 0.72`. Rounded to
    /// cents, smaller amounts to two digits; from 100 on without `.00`.
    #[must_use]
    pub fn text(self, currency: &str) -> String {
        let mut decimals = 2;
        // Two digits that are not leading zeros.
        while decimals < DECIMALS && self.0 > 0 && self.0 < 10_u128.pow((10 - decimals) as u32) {
            decimals += 1;
        }
        let step = 10_u128.pow((DECIMALS - decimals) as u32);
        let rounded = (self.0 + step / 2) / step * step;
        let mut text = Self(rounded).decimal();
        if rounded >= 100 * UNIT && text.ends_with(".00") {
            text.truncate(text.len() - 3);
        }
        with_currency(&text, currency)
    }

    /// The amount to its last digit: a price such as `$0.0035`.
    #[must_use]
    pub fn exact_text(self, currency: &str) -> String {
        with_currency(&self.decimal(), currency)
    }

    /// At least two digits after the point, and as many as it takes.
    fn decimal(self) -> String {
        let (whole, fraction) = (self.0 / UNIT, self.0 % UNIT);
        let digits = format!("{fraction:0DECIMALS$}");
        let shown = digits.trim_end_matches('0').len().max(2);
        format!("{}.{}", grouped(whole), &digits[..shown])
    }
}

/// As it is written in a plan.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.decimal().replace(',', ""))
    }
}

/// An amount of a result for people, as [`Money::text`].
#[must_use]
pub fn money_text(units: f64, currency: &str) -> String {
    Money::from_units(units).text(currency)
}

/// A word before an amount needs a blank, a sign does not.
fn with_currency(amount: &str, currency: &str) -> String {
    let blank = if currency.ends_with(char::is_alphabetic) { " " } else { "" };
    format!("{currency}{blank}{amount}")
}

fn grouped(whole: u128) -> String {
    let digits = whole.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(text: &str) -> Money {
        Money::parse(text).unwrap()
    }

    #[test]
    fn amounts_are_read_exactly() {
        let check = |text: &str, billionths: u128| assert_eq!(money(text), Money(billionths));
        check("0.06", 60_000_000);
        check("3", 3_000_000_000);
        check("1_000.5", 1_000_500_000_000);
        check("0.000000001", 1);
        check("0.0600000000000000", 60_000_000);
        check("1000000000", Money::MAX.0);
        for wrong in ["", ".5", "-1", "1e3", "$1", "1.2.3", "NaN", "1,5"] {
            assert!(matches!(Money::parse(wrong), Err(MoneyError::NotANumber(_))), "{wrong}");
        }
        assert!(matches!(Money::parse("0.0000000001"), Err(MoneyError::TooFine(_))));
        assert!(matches!(Money::parse("1000000000.01"), Err(MoneyError::TooLarge(_))));
        let endless = "9".repeat(60);
        assert!(matches!(Money::parse(&endless), Err(MoneyError::TooLarge(_))));
    }

    #[test]
    fn amounts_for_people() {
        let check = |amount: &str, expect: &str| assert_eq!(money(amount).text("$"), expect);
        check("0", "$0.00");
        check("3.6", "$3.60");
        check("0.72", "$0.72");
        check("4200", "$4,200");
        check("840", "$840");
        check("99", "$99.00");
        check("1234567.891", "$1,234,567.89");
        check("99.999", "$100");
        check("0.0144", "$0.014");
        check("0.01", "$0.01");
        check("0.00012345", "$0.00012");
        check("0.000000001", "$0.000000001");
        assert_eq!(money("0.72").text("USD"), "USD 0.72");
        assert_eq!(money("0.72").text("€"), "€0.72");
        assert_eq!(money("0.0035").exact_text("$"), "$0.0035");
        assert_eq!(money("0.06").exact_text("$"), "$0.06");
        assert_eq!(money_text(0.1 + 0.2, "$"), "$0.30");
        assert_eq!(money_text(f64::NAN, "$"), "$0.00");
    }

    #[test]
    fn no_amount_shows_the_noise_of_binary_fractions() {
        // 0.06 × 3 is 0.18 here and 0.18 in JSON, where floating point says 0.17999999999999997.
        for (count, expect) in [(3, "0.18"), (12, "0.72"), (60, "3.6"), (48, "2.88"), (7, "0.42")] {
            let amount = money("0.06").times(count);
            assert_eq!(serde_json::to_string(&amount.units()).unwrap(), expect);
        }
    }

    #[test]
    fn shares_are_rounded_once_and_never_overflow() {
        assert_eq!(money("4200").share(1, 5), money("840"));
        assert_eq!(money("1").share(1, 3), Money(333_333_333));
        assert_eq!(money("1").share(2, 3), Money(666_666_667));
        assert_eq!(money("1").share(0, 0), Money::ZERO);
        assert_eq!(money("1").share(7, 5), money("1"));
        let all = Money::MAX.times(u64::MAX);
        assert_eq!(all.share(u64::MAX, u64::MAX), all);
        assert_eq!(Money::ZERO.less(money("1")), Money::ZERO);
    }
}
