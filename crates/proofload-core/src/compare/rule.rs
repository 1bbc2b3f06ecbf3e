//! What counts as a regression, and what was wanted of a change: `p95 = "+20%"`,
//! `error_rate = "+0.5 points"`, `p99 = "-85%"`.

use crate::units;
use crate::verdict::{
    Direction, ExpressionError, Measure, Percentile, Quantity, Statistic, Timing,
};
use std::fmt;

/// How much a measure may change, or should.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangeSize {
    /// With its sign: a rise is positive.
    pub amount: Amount,
    /// As it is written, with its sign.
    text: String,
}

/// An amount of change.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Amount {
    /// As a share of the old value.
    Relative(f64),
    /// In the measure's base unit.
    Absolute(f64),
}

/// Which way a change is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    /// Too much of it is a regression.
    Regression,
    /// So much of it is wanted.
    Goal,
}

impl ChangeSize {
    /// Reads a size: `+20%`, `-85 %`, `+50ms`, `+0.5 points`, `-100/s`. Without a sign it goes the way
    /// that is meant: to the worse in a rule, to the better in a goal.
    ///
    /// # Errors
    /// When it is not a number with a unit of the measure, is nothing, or goes the other way.
    pub fn parse(text: &str, measure: &Measure, intent: Intent) -> Result<Self, ExpressionError> {
        let trimmed = text.trim();
        let wrong = |message: String| ExpressionError::new(text, 0..text.len(), message);
        let rises =
            (measure.direction() == Direction::LowerIsBetter) == (intent == Intent::Regression);
        let (sign, rest) = match trimmed.as_bytes().first() {
            Some(b'+') => (Some(true), &trimmed[1..]),
            Some(b'-') => (Some(false), &trimmed[1..]),
            _ => (None, trimmed.strip_prefix('\u{2212}').unwrap_or(trimmed)),
        };
        let sign = if trimmed.starts_with('\u{2212}') { Some(false) } else { sign };
        if sign.is_some_and(|sign| sign != rises) {
            let (way, example) = if rises { ("rises", "+") } else { ("falls", "-") };
            let what = match intent {
                Intent::Regression => "gets worse",
                Intent::Goal => "gets better",
            };
            return Err(wrong(format!("`{measure}` {what} when it {way}"))
                .help(format!("write \"{example}{}\"", rest.trim())));
        }
        let amount = read_amount(rest.trim(), measure).map_err(|message| {
            wrong(format!("`{measure}`: {message}")).help(example_of(measure).to_owned())
        })?;
        let factor = if rises { 1.0 } else { -1.0 };
        let (size, amount) = match amount {
            Amount::Relative(size) => (size, Amount::Relative(factor * size)),
            Amount::Absolute(size) => (size, Amount::Absolute(factor * size)),
        };
        if size <= 0.0 || !size.is_finite() {
            return Err(wrong(format!("`{measure}`: a change of nothing is none")));
        }
        let text = format!("{}{}", if rises { '+' } else { '-' }, rest.trim());
        Ok(Self { amount, text })
    }

    /// Whether it is a rise.
    #[must_use]
    pub fn rises(&self) -> bool {
        match self.amount {
            Amount::Relative(size) | Amount::Absolute(size) => size > 0.0,
        }
    }

    /// Whether a change (in the measure's base unit where the size is absolute) goes as far as this, the
    /// same way.
    #[must_use]
    pub fn is_reached_by(&self, change: f64) -> bool {
        match self.amount {
            Amount::Relative(size) | Amount::Absolute(size) if size > 0.0 => change >= size,
            Amount::Relative(size) | Amount::Absolute(size) => change <= size,
        }
    }
}

/// As it is written: `+20%`.
impl fmt::Display for ChangeSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn read_amount(text: &str, measure: &Measure) -> Result<Amount, String> {
    let points = ["points", "point", "pp"].iter().find_map(|unit| text.strip_suffix(unit));
    let quantity = measure.quantity();
    if let Some(number) = points {
        if !matches!(quantity, Quantity::Ratio | Quantity::Any) {
            return Err("only shares change by points".to_owned());
        }
        let points = units::parse_number(number.trim()).map_err(|error| error.to_string())?;
        return Ok(Amount::Absolute(points / 100.0));
    }
    if let Some(number) = text.strip_suffix('%') {
        if quantity == Quantity::Ratio {
            return Err(
                "a share changes by points: of 1% and of 50%, 20% is not the same".to_owned()
            );
        }
        let percent = units::parse_number(number.trim()).map_err(|error| error.to_string())?;
        return Ok(Amount::Relative(percent / 100.0));
    }
    let message = |error: units::UnitError| error.to_string();
    let absolute = match quantity {
        Quantity::Duration => units::parse_duration(text).map_err(message)?.as_nanos() as f64,
        Quantity::Rate => units::parse_rate(text).map_err(message)?.as_per_second(),
        Quantity::Bytes => units::parse_bytes(text).map_err(message)? as f64,
        Quantity::BytesRate => {
            units::parse_bytes(text.strip_suffix("/s").unwrap_or(text)).map_err(message)? as f64
        }
        Quantity::Count => units::parse_number(text).map_err(message)?,
        Quantity::Any => match units::parse_number(text) {
            Ok(number) => number,
            Err(_) => units::parse_bytes(text).map_err(message)? as f64,
        },
        Quantity::Ratio => return Err(format!("`{text}` is no number of points")),
    };
    Ok(Amount::Absolute(absolute))
}

fn example_of(measure: &Measure) -> &'static str {
    match measure.quantity() {
        Quantity::Ratio => "such as \"0.5 points\"",
        Quantity::Duration => "such as \"20%\" or \"50ms\"",
        Quantity::Rate => "such as \"10%\" or \"100/s\"",
        _ => "such as \"20%\"",
    }
}

/// What a rule watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Each phase as a whole.
    Phase,
    /// Each request of each phase.
    Request,
}

/// A change that is a regression.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// What it watches.
    pub scope: Scope,
    /// Of what.
    pub measure: Measure,
    /// What is too much.
    pub limit: ChangeSize,
}

/// `p95 of every phase`
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scope = match self.scope {
            Scope::Phase => "phase",
            Scope::Request => "request",
        };
        write!(f, "{} of every {scope}", self.measure)
    }
}

/// A change that is wanted, in every phase.
#[derive(Clone, Debug, PartialEq)]
pub struct Goal {
    /// Of what.
    pub measure: Measure,
    /// At least so much.
    pub size: ChangeSize,
}

/// What a plan says about comparisons: `[regression]` and `[goals]`.
#[derive(Clone, Debug, PartialEq)]
pub struct ComparisonRules {
    /// What is a regression.
    pub rules: Vec<Rule>,
    /// What is wanted.
    pub goals: Vec<Goal>,
}

impl Default for ComparisonRules {
    /// The rules under which a release is stopped where nobody says otherwise: a request 20 % slower on
    /// average, p95 20 % slower, half a percentage point more errors, 20 % more memory.
    fn default() -> Self {
        let rule = |scope, measure: Measure, amount, text: &str| {
            let limit = ChangeSize { amount, text: text.to_owned() };
            Rule { scope, measure, limit }
        };
        let time = |statistic| Measure::Time(Timing::Response, statistic);
        let p95 = time(Statistic::Percentile(Percentile::P95));
        let relative = Amount::Relative(0.2);
        let memory = Measure::Monitor("memory".to_owned());
        let rules = vec![
            rule(Scope::Phase, p95, relative, "+20%"),
            rule(Scope::Phase, Measure::ErrorRate, Amount::Absolute(0.005), "+0.5 points"),
            rule(Scope::Phase, memory, relative, "+20%"),
            rule(Scope::Request, time(Statistic::Average), relative, "+20%"),
        ];
        Self { rules, goals: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(measure: &str, text: &str, intent: Intent) -> Result<ChangeSize, ExpressionError> {
        ChangeSize::parse(text, &Measure::parse(measure).unwrap(), intent)
    }

    #[test]
    fn sizes_are_read_with_their_sign_and_unit() {
        let check = |measure: &str, text: &str, amount: Amount, shown: &str| {
            let size = read(measure, text, Intent::Regression).unwrap();
            assert_eq!((size.amount, size.to_string().as_str()), (amount, shown), "{text}");
        };
        check("p95", "+20%", Amount::Relative(0.2), "+20%");
        check("p95", "20 %", Amount::Relative(0.2), "+20 %");
        check("p95", "+50ms", Amount::Absolute(50e6), "+50ms");
        check("rps", "-10%", Amount::Relative(-0.1), "-10%");
        check("rps", "10/s", Amount::Absolute(-10.0), "-10/s");
        check("error_rate", "+0.5 points", Amount::Absolute(0.005), "+0.5 points");
        check("success_rate", "1 point", Amount::Absolute(-0.01), "-1 point");
        check("memory", "+20%", Amount::Relative(0.2), "+20%");
        check("memory", "64MB", Amount::Absolute(64e6), "+64MB");
        check("cpu", "+5 points", Amount::Absolute(0.05), "+5 points");
        let goal = read("p99", "-85%", Intent::Goal).unwrap();
        assert_eq!(goal.amount, Amount::Relative(-0.85));
        assert_eq!(read("p99", "\u{2212}85%", Intent::Goal).unwrap(), goal);
        assert_eq!(read("p99", "85%", Intent::Goal).unwrap(), goal);
    }

    #[test]
    fn mistakes_are_told() {
        let check = |measure: &str, text: &str, intent: Intent, message: &str| {
            let error = read(measure, text, intent).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        };
        use Intent::{Goal, Regression};
        check("p95", "-20%", Regression, "`p95` gets worse when it rises");
        check("p95", "-20%", Regression, "write \"+20%\"");
        check("rps", "+10%", Regression, "gets worse when it falls");
        check("p99", "+85%", Goal, "gets better when it falls");
        check("error_rate", "+20%", Regression, "changes by points");
        check("p95", "+2 points", Regression, "only shares change by points");
        check("p95", "+20", Regression, "has no unit");
        check("p95", "0%", Regression, "a change of nothing");
        check("p95", "", Regression, "such as \"20%\" or \"50ms\"");
        check("p95", "+-20%", Regression, "`p95`");
        check("p95", "NaN%", Regression, "`p95`");
    }

    #[test]
    fn a_size_is_reached_on_its_own_side() {
        let check = |text: &str, intent: Intent, change: f64, reached: bool| {
            assert_eq!(read("p95", text, intent).unwrap().is_reached_by(change), reached);
        };
        check("+20%", Intent::Regression, 0.2, true);
        check("+20%", Intent::Regression, 0.199, false);
        check("+20%", Intent::Regression, -0.5, false);
        check("-85%", Intent::Goal, -0.9, true);
        check("-85%", Intent::Goal, -0.8, false);
        check("-85%", Intent::Goal, 0.9, false);
    }

    #[test]
    fn the_defaults_are_what_would_be_written() {
        for rule in ComparisonRules::default().rules {
            let text = rule.limit.to_string();
            let read = ChangeSize::parse(&text, &rule.measure, Intent::Regression).unwrap();
            assert_eq!(read, rule.limit);
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(
            measure in "(p95|error_rate|rps|requests|cpu|data_sent_rate|bytes_sent)",
            text in "\\PC{0,12}",
        ) {
            let _ = read(&measure, &text, Intent::Regression);
            let _ = read(&measure, &text, Intent::Goal);
        }
    }
}
