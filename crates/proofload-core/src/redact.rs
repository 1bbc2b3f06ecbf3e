//! The one place that knows what is secret and takes it out of what people and files get to see.
//!
//! Two things are hidden: credentials in URLs (`//user:password@`), wherever they stand, and values that
//! somebody has named as secret with [`Redactor::hide`]: those of variables and headers that are called
//! like secrets ([`is_secret_name`]), and passwords of the command line. A value is found as it is, as it
//! stands in URLs, forms and JSON, and inside of anything that was encoded in base64: the password in
//! `Authorization: Basic …`, for example.

use std::borrow::Cow;

use base64::Engine as _;
use serde_json::Value;

/// What stands where a secret stood.
const MASK: &str = "***";
/// Shorter values are not looked for: they would be found in every other word.
const SHORTEST: usize = 4;
/// Nor are shorter pieces of base64.
const SHORTEST_ENCODED: usize = 7;

/// Words in the name of a variable, header or query parameter that make its value a secret.
const SECRET_WORDS: &[&str] = &[
    "apikey",
    "auth",
    "authorization",
    "bearer",
    "cookie",
    "credential",
    "credentials",
    "jwt",
    "key",
    "pass",
    "passphrase",
    "passwd",
    "password",
    "pwd",
    "secret",
    "session",
    "sessionid",
    "signature",
    "token",
];

/// Endings that make a secret of a name written in one word: `DBPASSWORD`, `accesstoken`.
const SECRET_ENDINGS: &[&str] = &["apikey", "passwd", "password", "secret", "token"];

/// Whether a value of this name is a secret: `API_TOKEN`, `x-api-key`, `accessToken`.
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    words(name).iter().any(|word| {
        SECRET_WORDS.contains(&word.as_str())
            || SECRET_ENDINGS.iter().any(|ending| word.ends_with(ending))
    })
}

/// The words of a name, in lower case: split at what is no letter or digit and before a capital.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for c in name.chars() {
        let begins = !c.is_alphanumeric() || (was_lower && c.is_uppercase());
        if begins {
            words.push(String::new());
        }
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
        was_lower = c.is_lowercase();
    }
    words
}

/// Takes secrets out of texts.
#[derive(Clone, Default)]
pub struct Redactor {
    /// The longest first: one may contain another.
    secrets: Vec<String>,
    /// What base64 makes of them.
    encoded: Vec<Encoded>,
}

/// What base64 makes of a secret that stands somewhere in what is encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Encoded {
    /// The characters that depend on nothing but the secret, in the standard alphabet.
    core: Vec<u8>,
    /// Whether the character before them has some of its bits, too.
    has_before: bool,
    /// Whether the character behind them has.
    has_after: bool,
}

impl Encoded {
    /// The three forms: what matters is how many bytes come before the secret, modulo 3.
    fn all(secret: &[u8]) -> impl Iterator<Item = Self> {
        (0..3).filter_map(|before: usize| {
            let mut bytes = vec![0; before];
            bytes.extend_from_slice(secret);
            let text = base64::prelude::BASE64_STANDARD_NO_PAD.encode(&bytes).into_bytes();
            let (begin, end) = ((before * 8).div_ceil(6), bytes.len() * 8 / 6);
            let core = text.get(begin..end)?.to_vec();
            let has_after = !(bytes.len() * 8).is_multiple_of(6);
            // Shorter ones would be found in ordinary words.
            (core.len() >= SHORTEST_ENCODED).then_some(Self {
                core,
                has_before: before > 0,
                has_after,
            })
        })
    }

    /// The bytes that it takes around a place where the core begins, if it does.
    fn found_at(&self, text: &[u8], at: usize) -> Option<(usize, usize)> {
        let here = text.get(at..at + self.core.len())?;
        let is_same = |(found, wanted): (&u8, &u8)| standard(*found) == *wanted;
        if !here.iter().zip(&self.core).all(is_same) {
            return None;
        }
        let mut end = at + self.core.len();
        if self.has_after && text.get(end).is_some_and(|byte| is_base64(*byte)) {
            end += 1;
        }
        while text.get(end) == Some(&b'=') {
            end += 1;
        }
        let is_before = self.has_before && at > 0 && is_base64(text[at - 1]);
        Some((if is_before { at - 1 } else { at }, end))
    }
}

/// The character of the standard alphabet for one of either.
fn standard(byte: u8) -> u8 {
    match byte {
        b'-' => b'+',
        b'_' => b'/',
        byte => byte,
    }
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redactor").field("secrets", &self.secrets.len()).finish()
    }
}

impl Redactor {
    /// Hides this value from now on, as it is, as it stands in URLs and as it stands in JSON and TOML
    /// strings. A value of fewer than four bytes is not hidden: it would be found in every other word.
    pub fn hide(&mut self, value: &str) {
        let value = value.trim();
        if value.len() < SHORTEST {
            return;
        }
        if !self.secrets.iter().any(|known| known == value) {
            self.secrets.push(value.to_owned());
            self.encoded.extend(Encoded::all(value.as_bytes()));
            // The longest first, here too.
            self.encoded.sort_by_key(|encoded| std::cmp::Reverse(encoded.core.len()));
        }
        self.secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    }

    /// The text without secrets.
    #[must_use]
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut text = without_url_credentials(text);
        for secret in &self.secrets {
            if let Some(without) = without(&text, secret.as_bytes()) {
                text = Cow::Owned(without);
            }
        }
        for encoded in &self.encoded {
            if let Some(without) = without_encoded(&text, encoded) {
                text = Cow::Owned(without);
            }
        }
        text
    }

    /// Takes secrets out of every string of a JSON value; keys stay.
    pub fn json(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Cow::Owned(redacted) = self.text(text) {
                    *text = redacted;
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.json(item)),
            Value::Object(items) => items.values_mut().for_each(|item| self.json(item)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

/// `//***@` instead of `//user:password@`.
fn without_url_credentials(text: &str) -> Cow<'_, str> {
    let mut redacted = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, authority) = rest.split_at(at + 3);
        redacted.push_str(before);
        let is_end = |c: char| matches!(c, '/' | '?' | '#' | '"' | '\'' | '`') || c.is_whitespace();
        let end = authority.find(is_end).unwrap_or(authority.len());
        rest = match authority[..end].rfind('@') {
            Some(at) => {
                redacted.push_str(MASK);
                &authority[at..]
            }
            None => authority,
        };
    }
    if redacted.is_empty() {
        return Cow::Borrowed(text);
    }
    redacted.push_str(rest);
    if redacted == text { Cow::Borrowed(text) } else { Cow::Owned(redacted) }
}

/// The text without the secret, if it is there: as it is, with any of its bytes as `%XX`, and with
/// quotes and backslashes escaped by a backslash.
fn without(text: &str, secret: &[u8]) -> Option<String> {
    let mut redacted = String::new();
    let (mut copied, mut at) = (0, 0);
    while at < text.len() {
        match secret_at(&text.as_bytes()[at..], secret).filter(|_| text.is_char_boundary(at)) {
            Some(length) => {
                redacted.push_str(&text[copied..at]);
                redacted.push_str(MASK);
                at += length;
                copied = at;
            }
            None => at += 1,
        }
    }
    redacted.push_str(&text[copied..]);
    (copied > 0).then_some(redacted)
}

/// The text without what base64 made of the secret, if it is there.
fn without_encoded(text: &str, encoded: &Encoded) -> Option<String> {
    let bytes = text.as_bytes();
    let mut redacted = String::new();
    let (mut copied, mut at) = (0, 0);
    while at + encoded.core.len() <= bytes.len() {
        match encoded.found_at(bytes, at) {
            // Base64 is ASCII: these are boundaries of characters.
            Some((begin, end)) => {
                redacted.push_str(&text[copied..begin.max(copied)]);
                redacted.push_str(MASK);
                (copied, at) = (end, end);
            }
            None => at += 1,
        }
    }
    redacted.push_str(&text[copied..]);
    (copied > 0).then_some(redacted)
}

/// How many bytes of the text the secret takes at its beginning, in any of its forms.
fn secret_at(text: &[u8], secret: &[u8]) -> Option<usize> {
    let mut rest = text;
    for &byte in secret {
        rest = match rest {
            [first, tail @ ..] if *first == byte => tail,
            [b'\\', first, tail @ ..] if *first == byte && b"\"\\/".contains(&byte) => tail,
            // As forms have it.
            [b'+', tail @ ..] if byte == b' ' => tail,
            [b'%', high, low, tail @ ..] if hex(*high, *low) == Some(byte) => tail,
            _ => return None,
        };
    }
    Some(text.len() - rest.len())
}

fn hex(high: u8, low: u8) -> Option<u8> {
    let digit = |digit: u8| char::from(digit).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn hiding(secrets: &[&str]) -> Redactor {
        let mut redactor = Redactor::default();
        secrets.iter().for_each(|secret| redactor.hide(secret));
        redactor
    }

    #[test]
    fn names_of_secrets_are_known() {
        for name in [
            "SECRET",
            "API_TOKEN",
            "x-api-key",
            "accessToken",
            "DBPASSWORD",
            "Authorization",
            "cookie",
            "PROOFLOAD_TOKEN",
            "TWILIO_AUTH_TOKEN",
            "pwd",
            "clientsecret",
            "sessionid",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in ["USERS", "MONKEY", "HOST", "AUTHOR", "content-type", "KEYBOARD", "PASSES", ""]
        {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn credentials_leave_urls() {
        let check = |text: &str, expect: &str| {
            assert_eq!(Redactor::default().text(text), expect);
        };
        check("http://user:p:w@host/a@b http://x", "http://***@host/a@b http://x");
        check("target = \"https://tok@h\"", "target = \"https://***@h\"");
        check("redis://:p@ss@h:1", "redis://***@h:1");
        check("http://host/?mail=a@b", "http://host/?mail=a@b");
        check("a://b://c:d@e", "a://b://***@e");
        check("nothing: //a@b", "nothing: //a@b");
    }

    #[test]
    fn hidden_values_are_hidden_in_every_form() {
        let redactor = hiding(&["p@ss \"word\"", "hunter2", "hunter2-long", "abc", " "]);
        let check = |text: &str, expect: &str| assert_eq!(redactor.text(text), expect, "{text}");
        check("?k=p%40ss%20%22word%22&x", "?k=***&x");
        check("?k=p@ss%20\"word%22&hunter%32ä", "?k=***&***ä");
        check(r#"{"k":"p@ss \"word\""}"#, r#"{"k":"***"}"#);
        assert!(matches!(redactor.text("nothing here"), Cow::Borrowed(_)));
        check("k=p%40ss+%22word%22", "k=***");
        check("p@ss \"word\"", "***");
        check("hunter2-long hunter2", "*** ***");
        check(
            "abc is too short to be told from other words",
            "abc is too short to be told from other words",
        );
    }

    #[test]
    fn hidden_values_are_found_inside_of_base64() {
        use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
        let secret = "p?>>~ssword?>";
        let redactor = hiding(&[secret]);
        let whole = format!("x {} y", BASE64_STANDARD.encode(secret));
        assert_eq!(redactor.text(&whole), "x *** y");
        for before in ["", "u", "us", "use", "user:"] {
            for after in ["", "1", "12", "123"] {
                let text = format!("{before}{secret}{after}");
                for encoded in [BASE64_STANDARD.encode(&text), BASE64_URL_SAFE_NO_PAD.encode(&text)]
                {
                    let shown = redactor.text(&encoded).into_owned();
                    assert!(shown.contains(MASK), "{text}: {encoded}");
                    // What is left has nothing of the secret in it, not even some bits.
                    let left = shown.trim_end_matches('=').split(MASK);
                    let left = left.map(str::len).sum::<usize>();
                    let most = (before.len() * 8 / 6) + (after.len() * 8).div_ceil(6) + 1;
                    assert!(left <= most, "{text}: {encoded} became {shown}");
                }
            }
        }
        assert_eq!(
            hiding(&["abcd"]).text("YWJjZA=="),
            "YWJjZA==",
            "too short to be told from words"
        );
        assert!(matches!(redactor.text("nothing here"), Cow::Borrowed(_)));
    }

    #[test]
    fn json_keeps_its_form() {
        let mut value =
            json!({"hunter2": ["hunter2", 1, null], "b": {"c": "a hunter2 b"}, "n": 1.5});
        hiding(&["hunter2"]).json(&mut value);
        assert_eq!(value, json!({"hunter2": ["***", 1, null], "b": {"c": "a *** b"}, "n": 1.5}));
    }

    #[test]
    fn debugging_does_not_show_them() {
        assert!(!format!("{:?}", hiding(&["hunter2"])).contains("hunter2"));
    }
}
