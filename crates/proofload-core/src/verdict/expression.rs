//! What expectations and thresholds have in common: comparison operators and errors with a place.

use std::fmt;
use std::ops::Range;

/// Why an expression could not be read, and where. `Display` gives the column; the range is for
/// callers that underline the place in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpressionError {
    /// The expression.
    pub text: String,
    /// Byte range in `text`.
    pub range: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl ExpressionError {
    pub(crate) fn new(text: &str, range: Range<usize>, message: impl Into<String>) -> Self {
        Self { text: text.to_owned(), range, message: message.into(), help: None }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds "did you mean" if there is a candidate near `word`, else the list of candidates.
    pub(super) fn suggest<'a>(self, word: &str, candidates: &[&'a str]) -> Self {
        let near: Option<&'a str> = crate::plan::nearest(word, candidates.iter().copied());
        match near {
            Some(near) => self.help(format!("did you mean `{near}`?")),
            None => self.help(format!("known are: {}", candidates.join(", "))),
        }
    }

    /// Column of the error in the expression, from 1, in characters.
    #[must_use]
    pub fn column(&self) -> usize {
        self.text.get(..self.range.start).map_or(0, |before| before.chars().count()) + 1
    }
}

impl fmt::Display for ExpressionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (column {} of `{}`)", self.message, self.column(), self.text)?;
        if let Some(help) = &self.help {
            write!(f, "; {help}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ExpressionError {}

/// A comparison of a measured value (left) with a bound (right).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `==`; also written `===`, which means the same for numbers
    Equal,
    /// `!=`
    NotEqual,
}

impl Comparison {
    /// All spellings, longest first.
    const SPELLINGS: [(&'static str, Self); 8] = [
        ("===", Self::Equal),
        ("<=", Self::LessOrEqual),
        (">=", Self::GreaterOrEqual),
        ("==", Self::Equal),
        ("!=", Self::NotEqual),
        ("<", Self::Less),
        (">", Self::Greater),
        ("=", Self::Equal),
    ];

    /// The operator at the front of the text and its length, `=` alone left out.
    pub(super) fn at_front(text: &str) -> Option<(Self, usize)> {
        let found = Self::SPELLINGS.iter().find(|(spelling, _)| text.starts_with(spelling))?;
        (found.0 != "=").then_some((found.1, found.0.len()))
    }

    /// Whether `measured op bound` holds. False if either is not a number.
    #[must_use]
    pub fn holds(self, measured: f64, bound: f64) -> bool {
        if measured.is_nan() || bound.is_nan() {
            return false;
        }
        match self {
            Self::Less => measured < bound,
            Self::LessOrEqual => measured <= bound,
            Self::Greater => measured > bound,
            Self::GreaterOrEqual => measured >= bound,
            Self::Equal => measured == bound,
            Self::NotEqual => measured != bound,
        }
    }

    /// As it is written.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Equal => "==",
            Self::NotEqual => "!=",
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.symbol())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comparisons_hold_and_never_for_nan() {
        let check = |op: &str, left: f64, right: f64, holds: bool| {
            let (comparison, length) = Comparison::at_front(op).unwrap();
            assert_eq!(length, op.len());
            assert_eq!(comparison.holds(left, right), holds, "{left} {op} {right}");
            assert!(!comparison.holds(f64::NAN, right), "NaN {op} {right}");
        };
        check("<", 1.0, 2.0, true);
        check("<", 2.0, 2.0, false);
        check("<=", 2.0, 2.0, true);
        check(">", 2.0, 2.0, false);
        check(">=", 2.0, 2.0, true);
        check("==", 2.0, 2.0, true);
        check("===", 2.0, 3.0, false);
        check("!=", 2.0, 3.0, true);
        assert_eq!(Comparison::at_front("=5"), None);
        assert_eq!(Comparison::at_front("5"), None);
    }

    #[test]
    fn columns_count_characters() {
        let error = ExpressionError::new("µs < x", 6..7, "bad");
        assert_eq!(error.to_string(), "bad (column 6 of `µs < x`)");
    }
}
