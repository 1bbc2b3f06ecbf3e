//! Texts with places for values: `"user_profile:{user_id}"`, `"{self.tenant}:{id}"`.
//!
//! What stands between braces is an expression over the arguments of the function; values are written
//! as parts of keys, so that no value can reach into the next segment or act as a wildcard.

use proc_macro2::Span;
use syn::{Error, Expr, LitStr, Result};

/// A text that was taken apart.
pub(crate) struct Template {
    pub(crate) pieces: Vec<Piece>,
    pub(crate) span: Span,
}

/// Text as it is, or a value.
pub(crate) enum Piece {
    Text(String),
    Value(Box<Expr>),
}

impl Template {
    /// Takes a literal apart. `{{` and `}}` are braces.
    pub(crate) fn read(literal: &LitStr) -> Result<Self> {
        let text = literal.value();
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text.as_str();
        while let Some(at) = rest.find(['{', '}']) {
            plain.push_str(&rest[..at]);
            rest = &rest[at..];
            if let Some(behind) = rest.strip_prefix("{{") {
                plain.push('{');
                rest = behind;
            } else if let Some(behind) = rest.strip_prefix("}}") {
                plain.push('}');
                rest = behind;
            } else if let Some(behind) = rest.strip_prefix('{') {
                let Some(end) = behind.find('}') else {
                    return Err(Error::new(
                        literal.span(),
                        "a `{` is not closed; a brace itself is written `{{`",
                    ));
                };
                if !plain.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut plain)));
                }
                pieces.push(Piece::Value(Box::new(value(&behind[..end], literal)?)));
                rest = &behind[end + 1..];
            } else {
                return Err(Error::new(
                    literal.span(),
                    "a `}` was never opened; a brace itself is written `}}`",
                ));
            }
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Self { pieces, span: literal.span() })
    }

    /// The text, when there are no values in it.
    pub(crate) fn plain(&self) -> Option<&str> {
        match &*self.pieces {
            [] => Some(""),
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Whether a condition holds for one of the texts between the values.
    pub(crate) fn any_text(&self, condition: impl Fn(&str) -> bool) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, Piece::Text(text) if condition(text)))
    }

    /// Whether it ends in this very text.
    pub(crate) fn ends_with(&self, end: char) -> bool {
        matches!(self.pieces.last(), Some(Piece::Text(text)) if text.ends_with(end))
    }
}

/// What stands between two braces, with the place of the whole literal: stable Rust knows no smaller one.
fn value(text: &str, literal: &LitStr) -> Result<Expr> {
    let say = |message: String| Error::new(literal.span(), message);
    if text.trim().is_empty() {
        return Err(say("a value needs a name: `{id}`, `{self.tenant}`".to_owned()));
    }
    if text.contains(':') && !text.contains("::") {
        let name = text.split(':').next().unwrap_or_default();
        return Err(say(format!("values are written without a format: `{{{name}}}`")));
    }
    let inner = LitStr::new(text, literal.span());
    let expr = inner.parse::<Expr>();
    expr.map_err(|_| {
        say(format!("`{text}` is not an expression; a brace itself is written `{{{{`"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &[&str]) {
        let literal = LitStr::new(text, Span::call_site());
        let found: Vec<String> = match Template::read(&literal) {
            Err(_) => vec!["error".to_owned()],
            Ok(template) => template.pieces.iter().map(show).collect(),
        };
        assert_eq!(found, expect, "{text:?}");
    }

    fn show(piece: &Piece) -> String {
        match piece {
            Piece::Text(text) => text.clone(),
            Piece::Value(expr) => {
                let shown = quote::quote!(#expr).to_string();
                format!("<{}>", shown.replace(' ', ""))
            }
        }
    }

    #[test]
    fn texts_are_taken_apart() {
        check("user_profile:", &["user_profile:"]);
        check("user_profile:{user_id}", &["user_profile:", "<user_id>"]);
        check("{id}:{lang}", &["<id>", ":", "<lang>"]);
        check("{self.tenant}:{user.id()}", &["<self.tenant>", ":", "<user.id()>"]);
        check("{Lang::default()}", &["<Lang::default()>"]);
        check("a{{b}}c", &["a{b}c"]);
        check("", &[]);
        check("{", &["error"]);
        check("}", &["error"]);
        check("{}", &["error"]);
        check("{id:04}", &["error"]);
        check("{a b}", &["error"]);
    }
}
