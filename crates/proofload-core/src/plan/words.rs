//! Small grammars of HTTP, and what people probably meant.

/// Whether the text is a token of RFC 9110, section 5.6.2: a legal method or header name.
#[must_use]
pub fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

/// Whether the text can name a variable: letters, digits, `_` and `-`, not beginning with a digit.
#[must_use]
pub fn is_variable_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

/// The candidate that was probably meant: the nearest one, if it is near enough to be a slip.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = word.to_lowercase().replace(['-', ' '], "_");
    candidates
        .into_iter()
        .map(|candidate| {
            let normal = candidate.to_lowercase().replace(['-', ' '], "_");
            (strsim::damerau_levenshtein(&wanted, &normal), candidate)
        })
        .filter(|(distance, candidate)| {
            let length = candidate.chars().count();
            *distance < length && *distance <= (length / 3).max(1)
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}
