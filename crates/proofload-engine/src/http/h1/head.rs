//! The head of an answer: status line and header lines (RFC 9112 §4, §5), one line at a time.
//!
//! Lines are taken as they complete, each is looked at once, and the verdict on a head does not
//! depend on how the network cut it. What the client itself must know is read on the way; everything
//! else stays in the buffer. That is why this is not built on `httparse`, which wants a whole head and
//! a header array and starts again from the beginning when a head arrives in parts. A property
//! test compares the two.
//!
//! Strictness: line ends may be LF alone (RFC 9112 §2.2 allows a recipient that); folded lines,
//! spaces before the colon, control characters and any version but 1.x are refused.

use memchr::memchr;
use proofload_core::metrics::ErrorKind;

use crate::http::exchange::{Failure, Protocol};
use crate::http::syntax;

/// What the client itself needs to know of a head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct HeadFacts {
    pub(crate) status: u16,
    pub(crate) protocol: Protocol,
    pub(crate) keep_alive: bool,
    pub(crate) chunked: bool,
    pub(crate) content_length: Option<u64>,
    /// A `Content-Encoding` other than `identity`; which one is looked at when a body is kept.
    pub(crate) encoded: bool,
    pub(crate) sets_cookie: bool,
}

/// Incremental parser of one head.
#[derive(Debug, Default)]
pub(crate) struct HeadParser {
    /// Where the head begins in the buffer.
    start: usize,
    /// Where the first line that is not complete begins.
    line: usize,
    /// Up to where that line was searched for its end.
    searched: usize,
    connection_close: bool,
    connection_keep: bool,
    has_transfer_encoding: bool,
    facts: HeadFacts,
}

impl HeadParser {
    /// A parser of a head that begins at this offset of the buffer.
    pub(crate) fn at(start: usize) -> Self {
        Self { start, line: start, searched: start, ..Self::default() }
    }

    /// Where the head begins.
    pub(crate) fn start(&self) -> usize {
        self.start
    }

    /// Tells the parser that the buffer lost everything before the head's first byte.
    pub(crate) fn rebase(&mut self) {
        self.line -= self.start;
        self.searched -= self.start;
        self.start = 0;
    }

    /// Takes the lines that are complete. Returns the facts and the offset behind the head when it
    /// is; `None` when there must be more.
    pub(crate) fn parse(
        &mut self,
        buffer: &[u8],
        max_bytes: usize,
    ) -> Result<Option<(HeadFacts, usize)>, Failure> {
        loop {
            let Some(found) = memchr(b'\n', &buffer[self.searched..]) else {
                self.searched = buffer.len();
                if self.line == self.start {
                    check_beginning(&buffer[self.start..])?;
                }
                if buffer.len() - self.start > max_bytes {
                    return Err(too_large(max_bytes));
                }
                return Ok(None);
            };
            let next = self.searched + found + 1;
            if self.line == self.start {
                check_beginning(&buffer[self.start..next])?;
            }
            if next - self.start > max_bytes {
                return Err(too_large(max_bytes));
            }
            let line = without_line_end(&buffer[self.line..next]);
            if self.line == self.start {
                self.status_line(line)?;
            } else if line.is_empty() {
                return Ok(Some((self.conclude(), next)));
            } else {
                self.header_line(line)?;
            }
            self.line = next;
            self.searched = next;
        }
    }

    fn status_line(&mut self, line: &[u8]) -> Result<(), Failure> {
        let [_, _, _, _, _, _, _, minor, b' ', a, b, c, reason @ ..] = line else {
            return Err(malformed("status line is incomplete"));
        };
        self.facts.protocol = match minor {
            b'0' => Protocol::Http10,
            b'1'..=b'9' => Protocol::Http11,
            _ => return Err(malformed("version is not HTTP/1.x")),
        };
        if !(a.is_ascii_digit() && b.is_ascii_digit() && c.is_ascii_digit()) || *a == b'0' {
            return Err(malformed("status is not a number from 100 to 999"));
        }
        let digit = |byte: u8| u16::from(byte - b'0');
        self.facts.status = digit(*a) * 100 + digit(*b) * 10 + digit(*c);
        match reason {
            [] => Ok(()),
            [b' ', text @ ..] if syntax::is_field_value(text) => Ok(()),
            _ => Err(malformed("reason phrase is not valid")),
        }
    }

    fn header_line(&mut self, line: &[u8]) -> Result<(), Failure> {
        let Some(colon) = line.iter().position(|&byte| !syntax::is_token_byte(byte)) else {
            return Err(malformed("header line has no colon"));
        };
        if line[colon] != b':' {
            return Err(malformed("header name has an invalid character"));
        }
        if colon == 0 {
            return Err(malformed("header name is empty"));
        }
        let (name, value) = (&line[..colon], &line[colon + 1..]);
        if !syntax::is_field_value(value) {
            return Err(malformed("header value has a control character"));
        }
        let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
        match colon {
            10 if is(b"connection") => {
                let value = syntax::trim(value);
                if value.eq_ignore_ascii_case(b"keep-alive") {
                    self.connection_keep = true;
                } else {
                    self.connection_close |= syntax::list_has(value, "close");
                    self.connection_keep |= syntax::list_has(value, "keep-alive");
                }
            }
            10 if is(b"set-cookie") => self.facts.sets_cookie = true,
            14 if is(b"content-length") => self.content_length(value)?,
            16 if is(b"content-encoding") => {
                let value = syntax::trim(value);
                if !value.is_empty() && !value.eq_ignore_ascii_case(b"identity") {
                    self.facts.encoded = true;
                }
            }
            17 if is(b"transfer-encoding") => self.transfer_encoding(value)?,
            _ => {}
        }
        Ok(())
    }

    /// Repeated equal lengths are one (RFC 9110 §8.6), different ones are an attack or a bug.
    fn content_length(&mut self, value: &[u8]) -> Result<(), Failure> {
        for part in value.split(|&byte| byte == b',') {
            let length =
                parse_decimal(syntax::trim(part)).ok_or_else(|| malformed("bad Content-Length"))?;
            if self.facts.content_length.is_some_and(|known| known != length) {
                return Err(malformed("conflicting Content-Length"));
            }
            self.facts.content_length = Some(length);
        }
        Ok(())
    }

    /// The client asks for no transfer coding, so only `chunked`, once, can come.
    fn transfer_encoding(&mut self, value: &[u8]) -> Result<(), Failure> {
        self.has_transfer_encoding = true;
        for part in value.split(|&byte| byte == b',').map(syntax::trim) {
            if part.eq_ignore_ascii_case(b"chunked") {
                if self.facts.chunked {
                    return Err(malformed("chunked twice"));
                }
                self.facts.chunked = true;
            } else if !part.is_empty() && !part.eq_ignore_ascii_case(b"identity") {
                return Err(malformed("unknown Transfer-Encoding"));
            }
        }
        Ok(())
    }

    fn conclude(&self) -> HeadFacts {
        let mut facts = self.facts;
        // A length beside a transfer coding is void (RFC 9112 §6.3), and such a message, or a
        // transfer coding in HTTP/1.0, may have been tampered with: the connection ends with it.
        let ambiguous = self.has_transfer_encoding
            && (facts.content_length.is_some() || facts.protocol == Protocol::Http10);
        if facts.chunked {
            facts.content_length = None;
        }
        facts.keep_alive = !self.connection_close
            && !ambiguous
            && (facts.protocol == Protocol::Http11 || self.connection_keep);
        facts
    }
}

/// Refuses what cannot become an HTTP/1 answer as soon as its first bytes show it.
fn check_beginning(bytes: &[u8]) -> Result<(), Failure> {
    const BEGINNING: &[u8] = b"HTTP/1.";
    let known = bytes.len().min(BEGINNING.len());
    if bytes[..known] == BEGINNING[..known] {
        Ok(())
    } else {
        Err(malformed("answer does not begin with HTTP/1."))
    }
}

fn without_line_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn parse_decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |number, &byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

pub(super) fn malformed(detail: &'static str) -> Failure {
    Failure::new(ErrorKind::Malformed, detail)
}

pub(super) fn too_large(max_bytes: usize) -> Failure {
    Failure::new(ErrorKind::HeadTooLarge, format!("answer head is larger than {max_bytes} bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Option<(HeadFacts, usize)>, Failure> {
        HeadParser::at(0).parse(text.as_bytes(), 200)
    }

    fn facts(text: &str) -> HeadFacts {
        let (facts, end) = parse(text).unwrap().unwrap();
        assert_eq!(end, text.len());
        facts
    }

    #[test]
    fn reads_what_the_client_must_know() {
        let plain = facts("HTTP/1.1 200 OK\r\nServer: x\r\ncontent-LENGTH: 12\r\n\r\n");
        assert_eq!(plain.status, 200);
        assert_eq!(plain.content_length, Some(12));
        assert!(plain.keep_alive && !plain.chunked && !plain.sets_cookie);
        assert!(!plain.encoded);
        assert!(facts("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n").chunked);
        assert!(facts("HTTP/1.1 200 OK\r\nset-cookie: a=b\r\n\r\n").sets_cookie);
        assert!(facts("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n").encoded);
        assert_eq!(facts("HTTP/1.1 200\r\n\r\n").status, 200);
        assert_eq!(facts("HTTP/1.1 999 \n\n").status, 999);
        assert_eq!(
            facts("HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n").content_length,
            Some(5)
        );
    }

    #[test]
    fn decides_on_keep_alive() {
        for (head, keep) in [
            ("HTTP/1.1 200 OK\r\n\r\n", true),
            ("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", false),
            ("HTTP/1.1 200 OK\r\nConnection: x, CLOSE\r\n\r\n", false),
            ("HTTP/1.0 200 OK\r\n\r\n", false),
            ("HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n\r\n", true),
            ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", false),
            (
                "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n",
                false,
            ),
        ] {
            assert_eq!(facts(head).keep_alive, keep, "{head}");
        }
        let both =
            facts("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n");
        assert_eq!(both.content_length, None);
    }

    #[test]
    fn refuses() {
        let long = format!("HTTP/1.1 200 OK\r\nA: {}\r\n\r\n", "x".repeat(200));
        for (text, detail) in [
            ("ICY 200 OK\r\n", "does not begin"),
            ("HTTP/2 200\r\n", "does not begin"),
            ("SSH-", "does not begin"),
            ("\r\nHTTP/1.1 200 OK", "does not begin"),
            ("HTTP/1.x 200 OK\r\n", "version"),
            ("HTTP/1.1\r\n", "incomplete"),
            ("HTTP/1.1 20\r\n", "incomplete"),
            ("HTTP/1.1 099 OK\r\n", "status"),
            ("HTTP/1.1 2x0 OK\r\n", "status"),
            ("HTTP/1.1 2000\r\n", "reason"),
            ("HTTP/1.1 200 a\0\r\n", "reason"),
            ("HTTP/1.1 200 OK\r\nA\r\n", "no colon"),
            ("HTTP/1.1 200 OK\r\n: x\r\n", "empty"),
            ("HTTP/1.1 200 OK\r\nA : x\r\n", "invalid character"),
            ("HTTP/1.1 200 OK\r\nA: b\r\n c\r\n", "invalid character"),
            ("HTTP/1.1 200 OK\r\nA: b\rc\r\n", "control"),
            ("HTTP/1.1 200 OK\r\nContent-Length: \r\n", "bad Content-Length"),
            ("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n", "bad Content-Length"),
            ("HTTP/1.1 200 OK\r\nContent-Length: +1\r\n", "bad Content-Length"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 1 2\r\n", "bad Content-Length"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551616\r\n", "bad Content-Length"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n", "conflicting"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n", "unknown Transfer"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n", "twice"),
            (&long, "larger than 200"),
        ] {
            let failure = parse(text).unwrap_err();
            assert!(failure.detail.contains(detail), "{text:?}: {failure}");
        }
    }

    #[test]
    fn waits_for_more() {
        for text in
            ["", "H", "HTTP/1.1 200 OK\r", "HTTP/1.1 200 OK\r\nA: b\r\n", "HTTP/1.1 200 OK\r\n\r"]
        {
            assert_eq!(parse(text).unwrap(), None, "{text:?}");
        }
    }

    #[test]
    fn the_limit_is_exact() {
        let head = "HTTP/1.1 200 OK\r\nA: b\r\n\r\n";
        assert!(HeadParser::at(0).parse(head.as_bytes(), head.len()).unwrap().is_some());
        let failure = HeadParser::at(0).parse(head.as_bytes(), head.len() - 1).unwrap_err();
        assert_eq!(failure.kind, ErrorKind::HeadTooLarge);
    }
}
