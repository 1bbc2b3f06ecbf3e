//! Rendering: the hot path. Nothing is allocated once the buffer has its size.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use super::ir::{Expr, Filter, Segment, Source, Template};
use super::{base64, escape};
use crate::plan::{CounterSlot, DataCell, VarSlot};

/// What a template needs to know when it is rendered.
pub trait Context {
    /// The value of a variable; `None` if nothing has set it yet.
    fn variable(&self, slot: VarSlot) -> Option<&[u8]>;
    /// A cell of the row that the user holds; `None` if it holds none.
    fn cell(&self, cell: DataCell) -> Option<&[u8]>;
    /// The user's source of random numbers.
    fn rng(&mut self) -> &mut fastrand::Rng;
    /// Number of the user, from 0.
    fn user_id(&self) -> u64;
    /// How many iterations the user has begun before this one.
    fn iteration(&self) -> u64;
    /// Counts one up and gives the result: 1 on the first call.
    fn count(&mut self, slot: CounterSlot) -> u64;
    /// Time since 1970-01-01 00:00 UTC.
    fn unix_time(&self) -> Duration;
}

/// A context that knows nothing, for templates that need nothing.
#[derive(Debug)]
pub(super) struct NoContext;

impl Context for NoContext {
    fn variable(&self, _slot: VarSlot) -> Option<&[u8]> {
        None
    }

    fn cell(&self, _cell: DataCell) -> Option<&[u8]> {
        None
    }

    fn rng(&mut self) -> &mut fastrand::Rng {
        unreachable!("only constants are rendered without a context")
    }

    fn user_id(&self) -> u64 {
        0
    }

    fn iteration(&self) -> u64 {
        0
    }

    fn count(&mut self, _slot: CounterSlot) -> u64 {
        0
    }

    fn unix_time(&self) -> Duration {
        Duration::ZERO
    }
}

/// Why a template could not be rendered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// A variable that nothing has set.
    #[error("variable `{name}` is not set: no answer has had it yet")]
    Unset {
        /// Its name.
        name: Arc<str>,
    },
    /// A feed of which the user holds no row.
    #[error("`data.{name}` has no row left for this user")]
    NoRow {
        /// `feed.column`.
        name: Arc<str>,
    },
    /// A value that was to be a number.
    #[error("`{found}` is not a number")]
    NotANumber {
        /// The beginning of the value.
        found: String,
    },
    /// A value with a line break or NUL, which no header may have.
    #[error("a header value has a line break or NUL in it")]
    HeaderValue,
}

impl Template {
    /// Appends the text to `out`. Nothing is appended when there is an error.
    ///
    /// # Errors
    /// A value is missing or not what it has to be.
    #[inline]
    pub fn render(&self, cx: &mut impl Context, out: &mut Vec<u8>) -> Result<(), RenderError> {
        let before = out.len();
        for segment in &self.segments {
            match segment {
                Segment::Literal(bytes) => out.extend_from_slice(bytes),
                Segment::Expr(expr) => {
                    if let Err(error) = expr.render(cx, out) {
                        out.truncate(before);
                        return Err(error);
                    }
                }
            }
        }
        Ok(())
    }
}

impl Expr {
    fn render(&self, cx: &mut impl Context, out: &mut Vec<u8>) -> Result<(), RenderError> {
        let start = out.len();
        self.source.render(cx, out)?;
        for filter in &self.filters {
            match filter {
                Filter::Base64 => base64::encode_from(out, start),
                Filter::Upper => out[start..].make_ascii_uppercase(),
                Filter::Lower => out[start..].make_ascii_lowercase(),
                Filter::Number => check_number(&out[start..])?,
            }
        }
        escape::apply(self.escape, out, start)
    }
}

impl Source {
    fn render(&self, cx: &mut impl Context, out: &mut Vec<u8>) -> Result<(), RenderError> {
        match self {
            Self::Variable { slot, name } => match cx.variable(*slot) {
                Some(value) => out.extend_from_slice(value),
                None => return Err(RenderError::Unset { name: Arc::clone(name) }),
            },
            Self::Data { cell, name } => match cx.cell(*cell) {
                Some(value) => out.extend_from_slice(value),
                None => return Err(RenderError::NoRow { name: Arc::clone(name) }),
            },
            Self::RandomInt { min, max } => push_i64(out, cx.rng().i64(*min..=*max)),
            Self::RandomFloat { min, max } => {
                let value = min + (max - min) * cx.rng().f64();
                // Writing into a Vec cannot fail.
                let _ = write!(out, "{value:.3}");
            }
            Self::RandomHex(digits) => push_hex(out, cx.rng(), usize::from(*digits)),
            Self::RandomAlnum(length) => {
                let rng = cx.rng();
                out.extend((0..*length).map(|_| rng.alphanumeric() as u8));
            }
            Self::RandomUuid => push_uuid(out, cx.rng().u128(..)),
            Self::RandomChoice(choices) => {
                out.extend_from_slice(&choices[cx.rng().usize(..choices.len())]);
            }
            Self::Counter { slot, .. } => push_u64(out, cx.count(*slot)),
            Self::UserId => push_u64(out, cx.user_id()),
            Self::Iteration => push_u64(out, cx.iteration()),
            Self::NowSeconds => push_u64(out, cx.unix_time().as_secs()),
            Self::NowMillis => {
                let now = cx.unix_time();
                push_u64(out, now.as_secs() * 1000 + u64::from(now.subsec_millis()));
            }
            Self::NowIso => push_iso(out, cx.unix_time()),
            Self::Group(inner) => return inner.render_dyn(cx, out),
        }
        Ok(())
    }
}

impl Template {
    /// [`Template::render`] for groups; apart from it, so that the recursion has a boundary that
    /// is not inlined.
    #[inline(never)]
    fn render_dyn(&self, cx: &mut impl Context, out: &mut Vec<u8>) -> Result<(), RenderError> {
        self.render(cx, out)
    }
}

fn push_i64(out: &mut Vec<u8>, number: i64) {
    if number < 0 {
        out.push(b'-');
    }
    push_u64(out, number.unsigned_abs());
}

fn push_u64(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// A number with leading zeros.
fn push_padded(out: &mut Vec<u8>, mut number: u32, width: usize) {
    let start = out.len();
    out.resize(start + width, b'0');
    for digit in out[start..].iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";

fn push_hex(out: &mut Vec<u8>, rng: &mut fastrand::Rng, mut digits: usize) {
    while digits > 0 {
        let mut bits = rng.u64(..);
        let now = digits.min(16);
        for _ in 0..now {
            out.push(HEX[(bits & 15) as usize]);
            bits >>= 4;
        }
        digits -= now;
    }
}

/// A version 4 UUID (RFC 9562, section 5.4).
fn push_uuid(out: &mut Vec<u8>, random: u128) {
    let bits = random & !(0xf << 76) & !(0x3 << 62) | 0x4 << 76 | 0x2 << 62;
    for digit in 0..32_u32 {
        if matches!(digit, 8 | 12 | 16 | 20) {
            out.push(b'-');
        }
        out.push(HEX[(bits >> (124 - 4 * digit) & 15) as usize]);
    }
}

/// `2026-11-20T23:53:21.123Z`.
fn push_iso(out: &mut Vec<u8>, since_epoch: Duration) {
    let seconds = since_epoch.as_secs();
    let (year, month, day) = civil_date(seconds / 86_400);
    let of_day = (seconds % 86_400) as u32;
    let parts: [(u32, usize, u8); 7] = [
        (year, 4, b'-'),
        (month, 2, b'-'),
        (day, 2, b'T'),
        (of_day / 3600, 2, b':'),
        (of_day / 60 % 60, 2, b':'),
        (of_day % 60, 2, b'.'),
        (since_epoch.subsec_millis(), 3, b'Z'),
    ];
    for (number, width, after) in parts {
        push_padded(out, number, width);
        out.push(after);
    }
}

/// Year, month and day of a day since 1970-01-01: Howard Hinnant, "chrono-Compatible Low-Level Date
/// Algorithms", `civil_from_days`.
fn civil_date(days: u64) -> (u32, u32, u32) {
    let days = days + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    (year as u32, month as u32, day as u32)
}

/// A number as JSON writes it (RFC 8259, section 6).
fn check_number(text: &[u8]) -> Result<(), RenderError> {
    if is_json_number(text) {
        return Ok(());
    }
    let shown = String::from_utf8_lossy(&text[..text.len().min(40)]).into_owned();
    Err(RenderError::NotANumber { found: shown })
}

fn is_json_number(text: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().take_while(|b| b.is_ascii_digit()).count();
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let whole = digits(text);
    if whole == 0 || (whole > 1 && text[0] == b'0') {
        return false;
    }
    let mut rest = &text[whole..];
    if let Some(fraction) = rest.strip_prefix(b".") {
        let length = digits(fraction);
        if length == 0 {
            return false;
        }
        rest = &fraction[length..];
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        let exponent = match exponent {
            [b'+' | b'-', unsigned @ ..] => unsigned,
            unsigned => unsigned,
        };
        let length = digits(exponent);
        return length > 0 && length == exponent.len();
    }
    rest.is_empty()
}
