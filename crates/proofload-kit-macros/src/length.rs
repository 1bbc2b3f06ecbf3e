//! Lengths of time in attributes: whole seconds (`300`), text with units (`"5m"`, `"1h30m"`), or an expression.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Error, Expr, ExprLit, Lit, Path, Result};

use crate::words::{at, kit_at};

/// A length of time as it was written.
pub(crate) enum Length {
    /// Known while compiling, in milliseconds.
    Known { milliseconds: u64, span: proc_macro2::Span },
    /// Known when the cache is made.
    Expression(Expr),
}

/// Units in milliseconds, longest name first so that `ms` is not read as `m`.
const UNITS: [(&str, u64); 5] =
    [("ms", 1), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)];

impl Length {
    /// What stands behind `name =`.
    pub(crate) fn read(name: &str, value: Expr) -> Result<Self> {
        let span = value.span();
        let known = match &value {
            Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => {
                number.base10_parse::<u64>().and_then(|seconds| {
                    let milliseconds = seconds.checked_mul(1_000);
                    milliseconds.ok_or_else(|| Error::new(span, "too long"))
                })
            }
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => {
                milliseconds(&text.value()).map_err(|message| Error::new(span, message))
            }
            Expr::Lit(_) | Expr::Unary(_) => Err(Error::new(
                span,
                format!(
                    "`{name}` takes whole seconds (`300`) or text with a unit (`\"500ms\"`, `\"5m\"`, `\"24h\"`)"
                ),
            )),
            _ => return Ok(Self::Expression(value)),
        }?;
        if known == 0 {
            return Err(Error::new(span, format!("`{name}` must be longer than zero")));
        }
        Ok(Self::Known { milliseconds: known, span })
    }

    /// As a `Ttl`.
    pub(crate) fn ttl(&self, kit: &Path) -> TokenStream {
        match self {
            Self::Known { .. } => {
                let duration = self.duration(kit);
                quote!(#kit::Ttl::from(#duration))
            }
            Self::Expression(expr) => {
                let span = at(expr.span());
                let kit = kit_at(kit, span);
                quote_spanned!(span=> #kit::__private::IntoTtl::into_ttl(#expr))
            }
        }
    }

    /// As a `Duration`.
    pub(crate) fn duration(&self, kit: &Path) -> TokenStream {
        match self {
            Self::Known { milliseconds, span } => {
                quote_spanned!(at(*span)=> ::core::time::Duration::from_millis(#milliseconds))
            }
            Self::Expression(expr) => {
                let span = at(expr.span());
                let kit = kit_at(kit, span);
                quote_spanned!(span=> #kit::__private::IntoDuration::into_duration(#expr))
            }
        }
    }
}

/// The milliseconds in `"5m"`, `"1h30m"`, `"250ms"`.
fn milliseconds(text: &str) -> std::result::Result<u64, String> {
    let bad = |why: &str| {
        format!(
            "{why}: write a length of time as \"500ms\", \"30s\", \"5m\", \"24h\", \"7d\" or \"1h30m\""
        )
    };
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(bad("there is nothing here"));
    }
    let mut total = 0u64;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, behind) = rest.split_at(digits);
        if number.is_empty() {
            return Err(bad("there is no number before the unit"));
        }
        let Some((unit, scale)) = UNITS.iter().find(|(unit, _)| behind.starts_with(unit)) else {
            let why =
                if behind.is_empty() { "the unit is missing" } else { "there is no such unit" };
            return Err(bad(why));
        };
        let amount = number.parse::<u64>().ok().and_then(|number| number.checked_mul(*scale));
        total = amount
            .and_then(|amount| total.checked_add(amount))
            .ok_or_else(|| bad("this is too long"))?;
        rest = behind[unit.len()..].trim_start();
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::milliseconds;

    #[test]
    fn text_with_units_is_read() {
        let check = |text, expect| assert_eq!(milliseconds(text).ok(), expect, "{text:?}");
        check("5m", Some(300_000));
        check("24h", Some(86_400_000));
        check("7d", Some(604_800_000));
        check("250ms", Some(250));
        check("1h30m", Some(5_400_000));
        check("1h 30m 1ms", Some(5_400_001));
        check(" 30s ", Some(30_000));
        check("0s", Some(0));
        check("", None);
        check("5", None);
        check("m", None);
        check("5 m", None);
        check("5min", None);
        check("1.5h", None);
        check("-5s", None);
        check("99999999999999999999s", None);
        check("18446744073709551615s", None);
    }
}
