//! An answer, borrowed from the buffers it arrived in.

use std::borrow::Cow;

use http::HeaderMap;
use memchr::memchr;

use super::exchange::Protocol;
use super::syntax;

/// A complete answer, valid while it is inspected.
#[derive(Clone, Copy, Debug)]
pub struct Response<'a> {
    pub(crate) status: u16,
    pub(crate) protocol: Protocol,
    pub(crate) head: Head<'a>,
    pub(crate) body: &'a [u8],
    pub(crate) body_bytes: u64,
}

/// Where the headers are.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Head<'a> {
    /// Status line, header lines and the empty line, as received. They were checked on arrival and
    /// are split again only when somebody asks: most answers are judged by their status alone.
    Lines(&'a [u8]),
    /// From HTTP/2.
    Map(&'a HeaderMap),
}

impl<'a> Response<'a> {
    /// Status code, 100 to 999.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The version of HTTP the server answered with.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// The reason phrase; empty in HTTP/2.
    #[must_use]
    pub fn reason(&self) -> Cow<'a, str> {
        match self.head {
            Head::Map(_) => Cow::Borrowed(""),
            Head::Lines(lines) => {
                let line = first_line(lines).0;
                String::from_utf8_lossy(syntax::trim(line.get(12..).unwrap_or_default()))
            }
        }
    }

    /// The headers in order of arrival: name as received, value trimmed.
    pub fn headers(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        let (text, map) = match self.head {
            Head::Lines(all) => (first_line(all).1, None),
            Head::Map(map) => (b"".as_slice(), Some(map)),
        };
        let of_map = map
            .into_iter()
            .flat_map(|map| map.iter().map(|(name, value)| (name.as_str(), value.as_bytes())));
        lines(text).chain(of_map)
    }

    /// The value of the first header with this name, in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a [u8]> {
        match self.head {
            Head::Map(map) => map.get(name).map(http::HeaderValue::as_bytes),
            Head::Lines(all) => byte_lines(first_line(all).1)
                .find(|(key, _)| key.eq_ignore_ascii_case(name.as_bytes()))
                .map(|(_, value)| value),
        }
    }

    /// As [`Response::header`], as text; `None` also when it is not UTF-8.
    #[must_use]
    pub fn header_str(&self, name: &str) -> Option<&'a str> {
        self.header(name).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// The body, decompressed. Empty when it was discarded.
    #[must_use]
    pub fn body(&self) -> &'a [u8] {
        self.body
    }

    /// Length of the body as sent, in bytes: without chunk framing, before decompression. Known
    /// also when the body was discarded.
    #[must_use]
    pub fn body_bytes(&self) -> u64 {
        self.body_bytes
    }
}

fn first_line(lines: &[u8]) -> (&[u8], &[u8]) {
    let end = memchr(b'\n', lines).map_or(lines.len(), |at| at + 1);
    let (line, rest) = lines.split_at(end);
    (line.trim_ascii_end(), rest)
}

/// Splits a block of header lines; ends at the empty line.
pub(crate) fn byte_lines(mut rest: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    std::iter::from_fn(move || {
        let (line, after) = first_line(rest);
        rest = after;
        let colon = memchr(b':', line)?;
        Some((&line[..colon], syntax::trim(&line[colon + 1..])))
    })
}

/// As [`byte_lines`], with names as text.
pub(crate) fn lines(block: &[u8]) -> impl Iterator<Item = (&str, &[u8])> {
    byte_lines(block).map(|(name, value)| (std::str::from_utf8(name).unwrap_or_default(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(head: &[u8]) -> Response<'_> {
        Response {
            status: 200,
            protocol: Protocol::Http11,
            head: Head::Lines(head),
            body: b"",
            body_bytes: 0,
        }
    }

    #[test]
    fn finds_headers_in_any_case() {
        let answer =
            response(b"HTTP/1.1 200 All Good\r\nA: 1\r\nset-cookie:x\nA:\t2 \r\nE:\r\n\r\nB: no");
        assert_eq!(answer.reason(), "All Good");
        assert_eq!(answer.header("a"), Some(b"1".as_slice()));
        assert_eq!(answer.header_str("Set-Cookie"), Some("x"));
        assert_eq!(answer.header("e"), Some(b"".as_slice()));
        assert_eq!(answer.header("b"), None);
        let all: Vec<_> = answer.headers().collect();
        assert_eq!(all, [("A", b"1".as_slice()), ("set-cookie", b"x"), ("A", b"2"), ("E", b"")]);
    }

    #[test]
    fn a_status_line_may_lack_the_reason() {
        assert_eq!(response(b"HTTP/1.1 200\r\n\r\n").reason(), "");
        assert_eq!(response(b"HTTP/1.1 200\r\n\r\n").headers().count(), 0);
    }
}
