//! A request as the caller describes it: a few borrowed parts and a header block that is checked
//! when it is filled and copied as one piece when it is sent.

use std::time::Duration;

use thiserror::Error;

use super::origin::Origin;
use super::syntax;

/// One request. Everything is borrowed: describing a request allocates nothing.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Method, case-sensitive (`GET`).
    pub method: &'a str,
    /// Where it goes.
    pub origin: &'a Origin,
    /// Path and query, percent-encoded, beginning with `/` (or `*` for `OPTIONS`).
    pub target: &'a [u8],
    /// Headers; those the client adds by itself are left out where one of the same name is here.
    pub headers: &'a Headers,
    /// The body. Empty means none; then `Content-Length: 0` is sent for `POST`, `PUT` and `PATCH`.
    pub body: &'a [u8],
    /// Instead of the client's timeout.
    pub timeout: Option<Duration>,
}

/// A request header that cannot be sent.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum HeaderError {
    /// The name is empty or has a byte that is not a token character.
    #[error("header name {0:?} is not valid")]
    Name(String),
    /// The value has a line break, NUL or another control character.
    #[error("the value of header `{0}` has a line break or control character")]
    Value(String),
    /// A header the client alone must decide on.
    #[error("header `{0}` is set by the client and cannot be given")]
    Reserved(String),
}

/// Which headers with a meaning for the client are in a block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Given {
    pub(crate) host: bool,
    pub(crate) user_agent: bool,
    pub(crate) accept_encoding: bool,
    pub(crate) content_length: bool,
    pub(crate) cookie: bool,
    pub(crate) connection: bool,
    pub(crate) connection_close: bool,
}

/// A block of request headers, kept in the form in which HTTP/1.1 sends it.
///
/// It is meant to be reused: [`Headers::clear`] and [`Headers::rewind`] keep the memory, so a user
/// whose headers change with every request still allocates nothing per request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers {
    lines: Vec<u8>,
    given: Given,
}

/// A place in a [`Headers`] block to go back to.
#[derive(Clone, Copy, Debug)]
pub struct HeadersMark {
    length: usize,
    given: Given,
}

impl Headers {
    /// An empty block.
    #[must_use]
    pub const fn new() -> Self {
        const NONE: Given = Given {
            host: false,
            user_agent: false,
            accept_encoding: false,
            content_length: false,
            cookie: false,
            connection: false,
            connection_close: false,
        };
        Self { lines: Vec::new(), given: NONE }
    }

    /// Appends a header. Surrounding spaces and tabs of the value are dropped.
    ///
    /// # Errors
    /// The name is not a token, the value holds a line break or another control character, or the
    /// header is `Transfer-Encoding`, which the client decides on.
    pub fn push(&mut self, name: &str, value: impl AsRef<[u8]>) -> Result<(), HeaderError> {
        let value = syntax::trim(value.as_ref());
        if !syntax::is_token(name.as_bytes()) {
            return Err(HeaderError::Name(name.to_owned()));
        }
        if !syntax::is_field_value(value) {
            return Err(HeaderError::Value(name.to_owned()));
        }
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        match name.len() {
            4 if is("host") => self.given.host = true,
            6 if is("cookie") => self.given.cookie = true,
            10 if is("user-agent") => self.given.user_agent = true,
            10 if is("connection") => {
                self.given.connection = true;
                self.given.connection_close |= syntax::list_has(value, "close");
            }
            14 if is("content-length") => self.given.content_length = true,
            15 if is("accept-encoding") => self.given.accept_encoding = true,
            17 if is("transfer-encoding") => return Err(HeaderError::Reserved(name.to_owned())),
            _ => {}
        }
        self.lines.reserve(name.len() + value.len() + 4);
        self.lines.extend_from_slice(name.as_bytes());
        self.lines.extend_from_slice(b": ");
        self.lines.extend_from_slice(value);
        self.lines.extend_from_slice(b"\r\n");
        Ok(())
    }

    /// Removes all headers, keeping the memory.
    pub fn clear(&mut self) {
        self.lines.clear();
        self.given = Given::default();
    }

    /// The present end, to come back to with [`Headers::rewind`].
    #[must_use]
    pub fn mark(&self) -> HeadersMark {
        HeadersMark { length: self.lines.len(), given: self.given }
    }

    /// Removes what was pushed after the mark was taken.
    pub fn rewind(&mut self, mark: HeadersMark) {
        self.lines.truncate(mark.length);
        self.given = mark.given;
    }

    /// The headers in order: name as given, value trimmed.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        super::response::lines(&self.lines)
    }

    /// The headers whose name passes the test.
    pub(crate) fn filtered(&self, keep: impl Fn(&str) -> bool) -> Self {
        let mut kept = Self::new();
        for (name, value) in self.iter().filter(|(name, _)| keep(name)) {
            // They were accepted once.
            let _ = kept.push(name, value);
        }
        kept
    }

    pub(crate) fn lines(&self) -> &[u8] {
        &self.lines
    }

    pub(crate) fn given(&self) -> Given {
        self.given
    }
}

/// Whether repeating the request does what sending it once would (RFC 9110 §9.2.2), so that it may
/// be sent again when a kept connection breaks.
pub(crate) fn is_idempotent(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "OPTIONS" | "PUT" | "DELETE" | "TRACE")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_headers_in_order_and_trims_values() {
        let mut headers = Headers::new();
        headers.push("X-A", "  1 \t").unwrap();
        let mark = headers.mark();
        headers.push("host", "other").unwrap();
        assert!(headers.given().host);
        assert_eq!(headers.lines(), b"X-A: 1\r\nhost: other\r\n");
        assert_eq!(
            headers.iter().collect::<Vec<_>>(),
            [("X-A", b"1".as_slice()), ("host", b"other")]
        );
        headers.rewind(mark);
        assert!(!headers.given().host);
        assert_eq!(headers.iter().count(), 1);
        headers.clear();
        assert_eq!(headers, Headers::new());
    }

    #[test]
    fn refuses_what_would_break_the_message() {
        let check = |name: &str, value: &[u8]| Headers::new().push(name, value).unwrap_err();
        assert!(matches!(check("", b"x"), HeaderError::Name(_)));
        assert!(matches!(check("a b", b"x"), HeaderError::Name(_)));
        assert!(matches!(check("a:", b"x"), HeaderError::Name(_)));
        assert!(matches!(check("a\r\nb", b"x"), HeaderError::Name(_)));
        assert!(matches!(check("a", b"x\r\ny: z"), HeaderError::Value(_)));
        assert!(matches!(check("a", b"x\ny"), HeaderError::Value(_)));
        assert!(matches!(check("a", b"x\0"), HeaderError::Value(_)));
        assert!(matches!(check("Transfer-Encoding", b"chunked"), HeaderError::Reserved(_)));
    }

    #[test]
    fn knows_close_in_a_list() {
        let mut headers = Headers::new();
        headers.push("Connection", "keep-alive").unwrap();
        assert!(!headers.given().connection_close);
        headers.push("connection", "foo, Close").unwrap();
        assert!(headers.given().connection_close);
    }
}
