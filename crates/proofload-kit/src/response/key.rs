//! Keys of requests: `GET /api/users?9f…#3a…`.
//!
//! The path stays readable, so that a prefix or a pattern finds all answers below it. The query is sorted and
//! hashed. What else distinguishes answers (host, headers, body) is hashed behind the `#`. Hashes are cut from
//! SHA-256, because clients choose what goes in: nobody may find two requests that share a key.

use std::fmt::Write as _;

use http::Method;
use http::header::HOST;
use http::request::Parts;
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
    hash.update(host(parts).to_ascii_lowercase());
    hash.update([0]);
    vary.hash(&parts.headers, &mut hash);
    hash.update([u8::from(body.is_some())]);
    hash.update(body.unwrap_or_default());
    let mut key = String::with_capacity(base.len() + 1 + 2 * HASH_BYTES);
    key.push_str(base);
    key.push('#');
    push_hex(&mut key, hash);
    key
}

/// The host that is asked: in HTTP/2 part of the address, in HTTP/1 a header.
fn host(parts: &Parts) -> &[u8] {
    match parts.uri.authority() {
        Some(authority) => authority.as_str().as_bytes(),
        None => parts.headers.get(HOST).map_or(b"", |host| host.as_bytes()),
    }
}

/// The pairs of a query by name. Pairs of the same name keep their order: it may have a meaning.
fn sorted(query: &str) -> Vec<&str> {
    let mut pairs: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty()).collect();
    let name = |pair: &&str| pair.split('=').next().unwrap_or_default().to_owned();
    pairs.sort_by_cached_key(name);
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
        check("/a?x=1", "/a", false);
        check("/a?x", "/a?x=", false);
        check("/a", "/A", false);
        check("/a", "/a/", false);
        check("http://one/a", "http://two/a", false);
        check("http://one/a", "http://ONE/a", true);
    }

    #[test]
    fn headers_that_matter_are_in_the_key() {
        assert_ne!(key("/a", &[("accept", "x")]), key("/a", &[("accept", "y")]));
        assert_eq!(key("/a", &[("user-agent", "x")]), key("/a", &[("user-agent", "y")]));
        assert_ne!(key("/a", &[("host", "one")]), key("/a", &[("host", "two")]));
        assert_eq!(key("/a", &[("host", "one")]), key("http://one/a", &[]));
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
