//! Keys of caches, made of parts that cannot run into each other.
//!
//! A key reads `name:part:part`. In parts, `%` and `:` are written as `%25` and `%3A`, so that `("a:b", "c")`
//! and `("a", "b:c")` are different keys. A `%` before anything else is ours: `%N` is an absent option,
//! `%(`, `%,` and `%)` enclose tuples and lists, `%q` begins the hash of query parameters and `%h` that of
//! a key that was too long.
//!
//! - `part`: how values are written as parts.

mod part;

use std::fmt::{self, Write as _};

use sha2::{Digest, Sha256};

pub use part::KeyPart;

/// A key is hashed rather than longer than this, in bytes.
const LONGEST: usize = 200;

/// What the hash of a long key takes: `:%h` and 32 digits.
const HASHED: usize = 35;

/// A query of so many parameters is sorted without allocation.
const FEW: usize = 32;

/// Builds a key. Allocates only the text itself, unless a query has more than 32 parameters.
///
/// ```
/// use proofload_kit::Key;
///
/// let key = Key::of("user_profile").with(42).with("public").into_string();
/// assert_eq!(key, "user_profile:42:public");
/// assert_ne!(
///     Key::of("f").with("a:b").with("c").into_string(),
///     Key::of("f").with("a").with("b:c").into_string(),
/// );
/// // The order of parameters makes no difference, their values do.
/// let search = |query: &[(&str, &str)]| Key::of("search").query(query).into_string();
/// assert_eq!(
///     search(&[("q", "rust"), ("page", "2")]),
///     search(&[("page", "2"), ("q", "rust")]),
/// );
/// assert_ne!(search(&[("q", "rust")]), search(&[("q", "oxide")]));
/// ```
///
/// Keys longer than 200 bytes keep as many of their first parts as fit, and end with a hash of the whole.
/// Prefixes made of these first parts still find them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[must_use = "make it a string by `into_string`"]
pub struct Key {
    text: String,
    /// The end of the last part with which a hash would fit.
    fits: usize,
}

impl Key {
    /// Begins with the name, as it is: it may itself consist of parts divided by `:`.
    pub fn of(name: &str) -> Self {
        let mut text = String::with_capacity(LONGEST.max(name.len()) / 2);
        text.push_str(name);
        let fits = if name.len() <= LONGEST - HASHED { name.len() } else { 0 };
        Self { text, fits }
    }

    /// Adds a part.
    pub fn with(mut self, part: impl KeyPart) -> Self {
        self.text.push(':');
        part.write_key(&mut self.text);
        self.mark()
    }

    /// Adds a hash of query parameters, the same for every order of their names. Values of the same name
    /// stay in their order.
    pub fn query<N: AsRef<str>, T: AsRef<str>>(mut self, parameters: &[(N, T)]) -> Self {
        let count = parameters.len();
        let (mut few, mut many) = ([0_usize; FEW], Vec::new());
        let order = if count <= FEW {
            &mut few[..count]
        } else {
            many.resize(count, 0);
            &mut many[..]
        };
        order.iter_mut().enumerate().for_each(|(at, place)| *place = at);
        order.sort_unstable_by(|&a, &b| {
            parameters[a].0.as_ref().cmp(parameters[b].0.as_ref()).then(a.cmp(&b))
        });
        let mut hash = Sha256::new();
        for &at in &*order {
            for text in [parameters[at].0.as_ref(), parameters[at].1.as_ref()] {
                // With their lengths, texts cannot run into each other.
                hash.update((text.len() as u64).to_le_bytes());
                hash.update(text.as_bytes());
            }
        }
        self.text.push_str(":%q");
        push_hash(&mut self.text, hash);
        self.mark()
    }

    /// Adds a hash of the query of a URL, without its `?`, the same for every order of its parameters.
    /// Nothing is decoded: two spellings of a parameter are two parameters.
    ///
    /// ```
    /// use proofload_kit::Key;
    ///
    /// let one = Key::of("search").query_string("q=rust&page=2").into_string();
    /// assert_eq!(one, Key::of("search").query_string("page=2&q=rust").into_string());
    /// assert_eq!(one, Key::of("search").query(&[("q", "rust"), ("page", "2")]).into_string());
    /// ```
    pub fn query_string(self, query: &str) -> Self {
        let split = |pair: &'_ str| match pair.split_once('=') {
            Some((name, value)) => (name.len(), value.len()),
            None => (pair.len(), 0),
        };
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let parameter = |pair| {
            let (name, value) = split(pair);
            let pair: &str = pair;
            (&pair[..name], &pair[pair.len() - value..])
        };
        let mut few = [("", ""); FEW];
        let count = pairs.clone().count();
        if count <= FEW {
            few.iter_mut().zip(pairs).for_each(|(place, pair)| *place = parameter(pair));
            self.query(&few[..count])
        } else {
            self.query(&pairs.map(parameter).collect::<Vec<_>>())
        }
    }

    /// The key.
    #[must_use]
    pub fn into_string(mut self) -> String {
        shorten(&mut self.text, self.fits);
        self.text
    }

    /// Appends a value to a key as text that cannot be taken for anything but a part: for
    /// implementations of [`KeyPart`] by way of `Display`.
    pub fn escape(key: &mut String, value: impl fmt::Display) {
        // Writing into a text does not fail; a `Display` that does writes what it can.
        let _ = write!(Escaped(key), "{value}");
    }

    /// Puts a hash in the place of what makes a finished key too long: for keys that were written
    /// into a text of one's own. Of the parts that `:` divides, as many stay as fit.
    ///
    /// ```
    /// use proofload_kit::Key;
    ///
    /// let mut key = format!("user_profile:{}", "x".repeat(1000));
    /// Key::limit(&mut key);
    /// assert!(key.starts_with("user_profile:%h") && key.len() <= 200);
    /// ```
    pub fn limit(key: &mut String) {
        if key.len() > LONGEST {
            let bytes = &key.as_bytes()[..=LONGEST - HASHED];
            let fits = bytes.iter().rposition(|&byte| byte == b':').unwrap_or(0);
            shorten(key, fits);
        }
    }

    fn mark(mut self) -> Self {
        if self.text.len() <= LONGEST - HASHED {
            self.fits = self.text.len();
        }
        self
    }
}

impl From<Key> for String {
    fn from(key: Key) -> Self {
        key.into_string()
    }
}

/// Puts a hash of the whole after what fits, if the whole is too long.
fn shorten(text: &mut String, fits: usize) {
    if text.len() <= LONGEST {
        return;
    }
    let hash = Sha256::new().chain_update(text.as_bytes());
    text.truncate(fits);
    text.push_str(":%h");
    push_hash(text, hash);
}

/// The first 128 bits, as 32 digits.
fn push_hash(text: &mut String, hash: Sha256) {
    for byte in &hash.finalize()[..16] {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
        }
    }
}

/// Escapes what is written into it.
struct Escaped<'a>(&'a mut String);

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some(at) = rest.find(['%', ':']) {
            self.0.push_str(&rest[..at]);
            self.0.push_str(if rest.as_bytes()[at] == b'%' { "%25" } else { "%3A" });
            rest = &rest[at + 1..];
        }
        self.0.push_str(rest);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(parts: &[&str]) -> String {
        parts.iter().fold(Key::of("f"), |key, part| key.with(*part)).into_string()
    }

    #[test]
    fn parts_are_escaped() {
        let check = |parts: &[&str], expect: &str| assert_eq!(key(parts), expect);
        check(&[], "f");
        check(&[""], "f:");
        check(&["", ""], "f::");
        check(&["a:b", "c"], "f:a%3Ab:c");
        check(&["100%", "%3A"], "f:100%25:%253A");
        check(&["ünï"], "f:ünï");
    }

    #[test]
    fn long_keys_keep_their_first_parts() {
        let long = "x".repeat(500);
        let key = Key::of("profile").with(7).with(&*long).with("end").into_string();
        assert!(key.starts_with("profile:7:%h"), "{key}");
        assert_eq!(key.len(), "profile:7".len() + HASHED);
        let other = Key::of("profile").with(7).with(&*long).with("other").into_string();
        assert_ne!(key, other);
        assert_eq!(Key::of(&long).into_string().len(), HASHED);
        let mut fits = "y".repeat(LONGEST);
        Key::limit(&mut fits);
        assert_eq!(fits, "y".repeat(LONGEST));
        // Both ways to shorten agree where parts are short.
        let parts = ["abc"; 80];
        let built = parts.iter().fold(Key::of("f"), |key, part| key.with(*part));
        let mut written = built.text.clone();
        Key::limit(&mut written);
        assert_eq!(built.into_string(), written);
    }

    #[test]
    fn queries_do_not_depend_on_order() {
        let query = |text: &str| Key::of("q").query_string(text).into_string();
        let check = |a: &str, b: &str, same: bool| {
            assert_eq!(query(a) == query(b), same, "{a} and {b}");
        };
        check("a=1&b=2", "b=2&a=1", true);
        check("a=1&b=2&", "&b=2&a=1", true);
        check("a=1&a=2", "a=2&a=1", false);
        check("a=1", "a=2", false);
        check("a=1&b=2", "a=1b&=2", false);
        check("a", "a=", true);
        check("", "a", false);
        check("ab=c", "a=bc", false);
        let many: Vec<_> = (0..100).map(|n| format!("p{n}={n}")).collect();
        let reversed: Vec<_> = many.iter().rev().cloned().collect();
        check(&many.join("&"), &reversed.join("&"), true);
        check(&many.join("&"), &many[1..].join("&"), false);
    }

    proptest! {
        /// Different lists of parts are different keys.
        #[test]
        fn parts_never_run_into_each_other(
            a in prop::collection::vec("[a:%N25,3A]{0,4}", 0..4),
            b in prop::collection::vec("[a:%N25,3A]{0,4}", 0..4),
        ) {
            let of = |parts: &[String]| {
                parts.iter().fold(Key::of("f"), Key::with).into_string()
            };
            prop_assert_eq!(of(&a) == of(&b), a == b);
            prop_assert_eq!(
                Key::of("f").with(&a).into_string() == Key::of("f").with(&b).into_string(),
                a == b
            );
        }
    }
}
