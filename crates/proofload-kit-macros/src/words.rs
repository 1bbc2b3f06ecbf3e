//! The words between the parentheses of an attribute: what all options have in common, whatever they mean.
//!
//! A word is a text (`"user_profile:"`), a switch (`scoped`), a setting (`ttl = 300`) or a list
//! (`key(id, lang)`). Which names there are is said by a [`Vocabulary`], from which unknown ones are
//! answered with the name that was most likely meant.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Expr, LitStr, Path, Result, Token, parenthesized};

/// One word of an attribute.
pub(crate) enum Word {
    /// A text by itself.
    Text(LitStr),
    /// Anything that has a name.
    Named(Ident, Given),
}

/// What stands behind a name.
pub(crate) enum Given {
    /// Nothing: a switch.
    Nothing,
    /// `= expression`.
    Value(Box<Expr>),
    /// `(expression, …)`.
    List(Vec<Expr>),
}

/// The place for what the compiler says about generated code: where the user wrote what it is about. Names still
/// belong to the macro, and lints know that nobody wrote this.
pub(crate) fn at(span: Span) -> Span {
    Span::mixed_site().located_at(span)
}

/// The path of the kit, in that place.
pub(crate) fn kit_at(kit: &Path, span: Span) -> TokenStream {
    let respan = |mut token: TokenTree| {
        token.set_span(token.span().located_at(span));
        token
    };
    kit.to_token_stream().into_iter().map(respan).collect()
}

/// All words of an attribute, in their order.
pub(crate) struct Words(pub(crate) Vec<Word>);

impl Parse for Words {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let words = Punctuated::<Word, Token![,]>::parse_terminated(input)?;
        Ok(Self(words.into_iter().collect()))
    }
}

impl Parse for Word {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if input.peek(LitStr) {
            return input.parse().map(Self::Text);
        }
        if !input.peek(Ident::peek_any) {
            return Err(input.error("expected an option such as `ttl = 300`"));
        }
        let name = input.call(Ident::parse_any)?;
        if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            return Ok(Self::Named(name, Given::Value(input.parse()?)));
        }
        if input.peek(syn::token::Paren) {
            let inner;
            parenthesized!(inner in input);
            let list = Punctuated::<Expr, Token![,]>::parse_terminated(&inner)?;
            return Ok(Self::Named(name, Given::List(list.into_iter().collect())));
        }
        Ok(Self::Named(name, Given::Nothing))
    }
}

/// The names of an attribute's options.
pub(crate) struct Vocabulary {
    /// What they are called.
    pub(crate) names: &'static [&'static str],
    /// What they are called elsewhere, with what to say here.
    pub(crate) elsewhere: &'static [(&'static str, &'static str)],
}

impl Vocabulary {
    /// The error of a name that is not an option.
    pub(crate) fn unknown(&self, name: &Ident) -> Error {
        let text = name.to_string();
        let elsewhere = self.elsewhere.iter().find(|(other, _)| *other == text);
        let hint = match (elsewhere, nearest(&text, self.names)) {
            (Some((_, say)), _) => (*say).to_owned(),
            (None, Some(near)) => format!("did you mean `{near}`?"),
            (None, None) => format!("there are {}", listed(self.names)),
        };
        Error::new(name.span(), format!("there is no option `{text}`: {hint}"))
    }
}

/// The name that was most likely meant: at most a third of its letters differ.
pub(crate) fn nearest<'a>(given: &str, names: &[&'a str]) -> Option<&'a str> {
    let distances = names.iter().map(|name| (strsim::osa_distance(given, name), *name));
    let (distance, name) = distances.min()?;
    (distance <= name.len().max(3) / 3).then_some(name)
}

/// `a`, `b` and `c`, in code quotes.
pub(crate) fn listed(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        None => String::new(),
        Some((only, [])) => only.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// Errors of several places, reported together.
#[derive(Default)]
pub(crate) struct Errors(Option<Error>);

impl Errors {
    /// Adds an error.
    pub(crate) fn push(&mut self, error: Error) {
        match &mut self.0 {
            Some(first) => first.combine(error),
            none => *none = Some(error),
        }
    }

    /// The value, or nothing after adding its error.
    pub(crate) fn take<T>(&mut self, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    /// Everything that was added.
    pub(crate) fn finish(self) -> Result<()> {
        self.0.map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_not_far() {
        let names = ["ttl", "key", "key_prefix", "max_entries", "stale_while_revalidate"];
        let check = |given, expect| assert_eq!(nearest(given, &names), expect, "{given}");
        check("tll", Some("ttl"));
        check("key_prefx", Some("key_prefix"));
        check("max_entires", Some("max_entries"));
        check("stale_while_revaldate", Some("stale_while_revalidate"));
        check("colour", None);
        check("", None);
    }

    #[test]
    fn names_are_listed_as_one_reads_them() {
        assert_eq!(listed(&["a"]), "`a`");
        assert_eq!(listed(&["a", "b", "c"]), "`a`, `b` and `c`");
        assert_eq!(listed(&[]), "");
    }

    #[test]
    fn words_have_four_forms() {
        let Words(words) =
            syn::parse_str(r#""a:", scoped, ttl = 5, key(a, b.c), crate = x"#).unwrap();
        let forms: Vec<String> = words.iter().map(form).collect();
        assert_eq!(forms, ["text a:", "scoped", "ttl = …", "key of 2", "crate = …"]);
    }

    fn form(word: &Word) -> String {
        match word {
            Word::Text(text) => format!("text {}", text.value()),
            Word::Named(name, Given::Nothing) => name.to_string(),
            Word::Named(name, Given::Value(_)) => format!("{name} = …"),
            Word::Named(name, Given::List(list)) => format!("{name} of {}", list.len()),
        }
    }
}
