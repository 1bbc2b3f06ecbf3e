//! Splitting templates into literal text and expressions, and expressions into tokens.

use std::ops::Range;

use super::TemplateError;

/// One part of a template's text.
#[derive(Debug, PartialEq)]
pub(super) enum Piece<'t> {
    Text(&'t str),
    /// What stands between `{{` and `}}`, and where.
    Expr {
        inner: &'t str,
        at: usize,
    },
}

/// Splits at `{{` and `}}`. Braces inside of quotes belong to the quoted text.
pub(super) fn split(text: &str) -> Result<Vec<Piece<'_>>, TemplateError> {
    let mut pieces = Vec::new();
    let mut rest = 0;
    while let Some(found) = text[rest..].find("{{") {
        // Of a longer run of braces the last two open: `{{{ x }}` is a brace before an expression.
        let run = text[rest + found..].bytes().take_while(|b| *b == b'{').count();
        let open = rest + found + run - 2;
        if open > rest {
            pieces.push(Piece::Text(&text[rest..open]));
        }
        let start = open + 2;
        let end = start
            + closing(&text[start..]).ok_or_else(|| {
                TemplateError::new(open..text.len(), "`{{` without `}}`")
                    .help("close the expression with `}}`; for literal braces write `{{ \"{{\" }}`")
            })?;
        pieces.push(Piece::Expr { inner: &text[start..end], at: start });
        rest = end + 2;
    }
    if rest < text.len() {
        pieces.push(Piece::Text(&text[rest..]));
    }
    Ok(pieces)
}

/// Where the `}}` of an expression is.
fn closing(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut quote = None;
    let mut at = 0;
    while at < bytes.len() {
        match (quote, bytes[at]) {
            (Some(_), b'\\') => at += 1,
            (Some(q), b) if b == q => quote = None,
            (Some(_), _) => {}
            (None, b @ (b'"' | b'\'')) => quote = Some(b),
            (None, b'}') if bytes.get(at + 1) == Some(&b'}') => return Some(at),
            (None, _) => {}
        }
        at += 1;
    }
    None
}

/// Where the first of some characters is that stands outside of expressions.
pub(crate) fn find_outside_expressions(text: &str, wanted: &[char]) -> Option<usize> {
    let mut rest = 0;
    while rest < text.len() {
        let next = text[rest..].find("{{").map_or(text.len(), |at| rest + at);
        if let Some(found) = text[rest..next].find(wanted) {
            return Some(rest + found);
        }
        if next == text.len() {
            return None;
        }
        rest = next + 2 + closing(&text[next + 2..])? + 2;
    }
    None
}

/// A token of an expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Word(String),
    Text(String),
    Number(String),
    Dot,
    Comma,
    Open,
    Close,
    Pipe,
}

/// Splits an expression. Ranges are relative to the whole template, in which it begins at `at`.
pub(super) fn tokens(inner: &str, at: usize) -> Result<Vec<(Token, Range<usize>)>, TemplateError> {
    let mut found = Vec::new();
    let mut chars = inner.char_indices().peekable();
    while let Some((start, c)) = chars.next() {
        let mut take = |wanted: &dyn Fn(char) -> bool| {
            let mut end = start + c.len_utf8();
            while let Some((_, next)) = chars.next_if(|&(_, next)| wanted(next)) {
                end += next.len_utf8();
            }
            end
        };
        let (token, end) = match c {
            c if c.is_whitespace() => continue,
            '.' => (Token::Dot, start + 1),
            ',' => (Token::Comma, start + 1),
            '(' => (Token::Open, start + 1),
            ')' => (Token::Close, start + 1),
            '|' => (Token::Pipe, start + 1),
            '"' | '\'' => {
                let (text, end) = quoted(inner, start, c, at)?;
                while chars.next_if(|&(next, _)| next < end).is_some() {}
                (Token::Text(text), end)
            }
            c if c.is_ascii_digit() || c == '-' || c == '+' => {
                let end = take(&|n| n.is_ascii_digit() || n == '.' || n == '_');
                (Token::Number(inner[start..end].replace('_', "")), end)
            }
            c if c.is_alphabetic() || c == '_' => {
                let end = take(&|n| n.is_alphanumeric() || n == '_' || n == '-');
                (Token::Word(inner[start..end].to_owned()), end)
            }
            other => {
                let end = start + other.len_utf8();
                return Err(TemplateError::new(
                    at + start..at + end,
                    format!("unexpected `{other}` in an expression"),
                ));
            }
        };
        found.push((token, at + start..at + end));
    }
    Ok(found)
}

/// The text of a quoted string and where it ends.
fn quoted(
    inner: &str,
    start: usize,
    quote: char,
    at: usize,
) -> Result<(String, usize), TemplateError> {
    let mut text = String::new();
    let mut chars = inner[start + 1..].char_indices();
    while let Some((offset, c)) = chars.next() {
        match c {
            c if c == quote => return Ok((text, start + 1 + offset + 1)),
            '\\' => match chars.next() {
                Some((_, 'n')) => text.push('\n'),
                Some((_, 'r')) => text.push('\r'),
                Some((_, 't')) => text.push('\t'),
                Some((_, c @ ('\\' | '"' | '\''))) => text.push(c),
                Some((_, other)) => {
                    let from = at + start + 1 + offset;
                    return Err(TemplateError::new(
                        from..from + 1 + other.len_utf8(),
                        format!("unknown escape `\\{other}`"),
                    )
                    .help("known are \\n, \\r, \\t, \\\\, \\\" and \\'"));
                }
                None => break,
            },
            c => text.push(c),
        }
    }
    Err(TemplateError::new(at + start..at + inner.len(), "quote without an end"))
}
