//! Keys of requests: `GET /api/users?9f…#3a…`.
//!
//! The path stays readable, so that a prefix or a pattern finds all answers below it. The query is sorted and
//! hashed. What else distinguishes answers (address, headers, body) is hashed behind the `#`. Hashes are cut from
//! SHA-256, because clients choose what goes in: nobody may find two requests that share a key.

use std::fmt::Write as _;

use http::header::HOST;
use http::request::Parts;
use http::{HeaderValue, Method};
use sha2::{Digest as _, Sha256};

use super::vary::Vary;

/// 128 bits: collisions are out of reach.
const HASH_BYTES: usize = 16;

/// The part of a key that says what is asked for, without what the answer may vary with.
pub(super) fn base(parts: &Parts) -> String {
    let mut key = resource(&parts.method, parts.uri.path());
    key.push('?');
    if let Some(query) = parts.uri.query() {
        let sorted = sorted(query);
        if !sorted.is_empty() {
            let mut hash = Sha256::new();
            for pair in sorted {
                hash.update(pair);
                hash.update("&");
            }
            push_hex(&mut key, hash);
        }
    }
    key
}

/// `GET /api/users`: what all keys of this path begin with.
pub(super) fn resource(method: &Method, path: &str) -> String {
    format!("{method} {path}")
}

/// The whole key.
pub(super) fn whole(base: &str, parts: &Parts, vary: &Vary, body: Option<&[u8]>) -> String {
    let mut hash = Sha256::new();
    address(parts, &mut hash);
    vary.hash(&parts.headers, &mut hash);
    hash.update([u8::from(body.is_some())]);
    hash.update(body.unwrap_or_default());
    let mut key = String::with_capacity(base.len() + 1 + 2 * HASH_BYTES);
    key.push_str(base);
    key.push('#');
    push_hex(&mut key, hash);
    key
}

/// The host that is asked, in HTTP/2 part of the address, in HTTP/1 a header; and whatever else of a request
/// services take for their own address. Clients choose it, and answers with links or redirects are made of it: who asks
/// by another address must not be answered from the same key.
fn address(parts: &Parts, hash: &mut Sha256) {
    let hosts = || parts.headers.get_all(HOST).iter().map(HeaderValue::as_bytes);
    let authority = parts.uri.authority().map(|authority| authority.as_str().as_bytes());
    let host = authority.or_else(|| hosts().next()).unwrap_or_default().to_ascii_lowercase();
    let mut others: Vec<(&str, &[u8])> = Vec::new();
    if let Some(scheme) = parts.uri.scheme_str().filter(|scheme| *scheme != "http") {
        others.push(("scheme", scheme.as_bytes()));
    }
    for (name, value) in &parts.headers {
        let value = value.as_bytes();
        match name.as_str() {
            "forwarded" => others.extend(forwarded(value).map(|pair| ("forwarded", pair))),
            "x-forwarded-host" | "x-forwarded-path" | "x-forwarded-port" | "x-forwarded-prefix"
            | "x-forwarded-proto" | "x-forwarded-scheme" | "x-forwarded-server"
            | "x-forwarded-uri" | "x-host" | "x-original-host" | "x-original-url"
            | "x-rewrite-url" => others.push((name.as_str(), value)),
            _ => {}
        }
    }
    // Values of one name keep their order.
    others.sort_by_key(|(name, _)| *name);
    let mut field = |text: &[u8]| {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    };
    field(&host);
    // Different services believe different ones of several.
    if !hosts().all(|other| other.eq_ignore_ascii_case(&host)) {
        field(authority.unwrap_or_default());
        hosts().for_each(&mut field);
    }
    field(b"others");
    for (name, value) in &others {
        field(name.as_bytes());
        field(value);
    }
    hash.update(u64::MAX.to_le_bytes());
}

/// What `Forwarded` says of the service (RFC 7239): host and protocol. The rest is about clients, each of which
/// would have a key of its own.
fn forwarded(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let begins = |pair: &[u8], name: &str| {
        pair.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes()))
    };
    let pairs = value.split(|byte| matches!(byte, b';' | b',')).map(<[u8]>::trim_ascii);
    pairs.filter(move |pair| begins(pair, "host") || begins(pair, "proto"))
}

/// The pairs of a query by name. Pairs of the same name keep their order: it may have a meaning. So do all, where
/// names may be the same without looking it (`a` and `%61`, `a[]` and `a[0]`).
fn sorted(query: &str) -> Vec<&str> {
    fn name<'a>(pair: &&'a str) -> &'a str {
        pair.split('=').next().unwrap_or_default()
    }
    let mut pairs: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty()).collect();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '~');
    if pairs.iter().all(|pair| name(pair).chars().all(plain)) && !query.contains(';') {
        pairs.sort_by_key(name);
    }
    pairs
}

fn push_hex(key: &mut String, hash: Sha256) {
    for byte in &hash.finalize()[..HASH_BYTES] {
        // Writing into a string cannot fail.
        let _ = write!(key, "{byte:02x}");
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, Request};

    use super::*;

    fn parts(uri: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::get(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn key(uri: &str, headers: &[(&str, &str)]) -> String {
        let parts = parts(uri, headers);
        let vary = Vary::new([HeaderName::from_static("accept")]);
        whole(&base(&parts), &parts, &vary, None)
    }

    #[test]
    fn same_questions_have_same_keys() {
        let check = |one: &str, other: &str, same: bool| {
            assert_eq!(key(one, &[]) == key(other, &[]), same, "{one} and {other}");
        };
        check("/a?x=1&y=2", "/a?y=2&x=1", true);
        check("/a?x=1&x=2", "/a?x=2&x=1", false);
        check("/a?x=1&&y=2", "/a?x=1&y=2", true);
        check("/a", "/a?", true);
        check("/a?x=1", "/a?x=2", false);
        check("/a?x=1&%78=2", "/a?%78=2&x=1", false);
        check("/a?x[]=1&x[0]=2", "/a?x[0]=2&x[]=1", false);
        check("/a?y=1;x=1&x=2", "/a?x=2&y=1;x=1", false);
        check("/a?x=1", "/a", false);
        check("/a?x", "/a?x=", false);
        check("/a", "/A", false);
        check("/a", "/a/", false);
        check("http://one/a", "http://two/a", false);
        check("http://one/a", "http://ONE/a", true);
        check("http://one/a", "https://one/a", false);
    }

    #[test]
    fn headers_that_matter_are_in_the_key() {
        assert_ne!(key("/a", &[("accept", "x")]), key("/a", &[("accept", "y")]));
        assert_eq!(key("/a", &[("user-agent", "x")]), key("/a", &[("user-agent", "y")]));
        assert_ne!(key("/a", &[("host", "one")]), key("/a", &[("host", "two")]));
        assert_eq!(key("/a", &[("host", "one")]), key("http://one/a", &[]));
        assert_eq!(key("/a", &[("host", "one")]), key("http://one/a", &[("host", "One")]));
        assert_ne!(key("/a", &[("host", "one")]), key("http://one/a", &[("host", "two")]));
    }

    #[test]
    fn the_body_is_in_the_key() {
        let parts = parts("/a", &[]);
        let with = |body: Option<&[u8]>| whole("POST /a?", &parts, &Vary::default(), body);
        assert_ne!(with(Some(b"x")), with(Some(b"y")));
        assert_ne!(with(Some(b"")), with(None));
    }

    #[test]
    fn paths_stay_readable() {
        let key = key("/api/users?b=1&a=2", &[]);
        assert!(key.starts_with("GET /api/users?"), "{key}");
        assert_eq!(key.len(), "GET /api/users?#".len() + 64);
    }
}
