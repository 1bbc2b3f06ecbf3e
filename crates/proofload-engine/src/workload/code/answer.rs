//! An answer that a user's code owns.

use std::borrow::Cow;
use std::str::Utf8Error;
use std::time::{Duration, Instant};

use proofload_core::inspect;
use serde::de::DeserializeOwned;

use crate::http::{Response, Timings};

/// A complete answer. It owns what it holds, so it can be kept as long as it is needed.
#[derive(Clone, Debug)]
pub struct Answer {
    status: u16,
    /// All names and values in one piece, and where each of them ends.
    header_text: Vec<u8>,
    header_ends: Vec<(u32, u32)>,
    body: Vec<u8>,
    body_bytes: u64,
    timings: Timings,
}

impl Answer {
    pub(super) fn new(response: &Response<'_>) -> Self {
        let (mut header_text, mut header_ends) = (Vec::with_capacity(256), Vec::with_capacity(8));
        for (name, value) in response.headers() {
            header_text.extend_from_slice(name.as_bytes());
            // The client limits heads to far less than 4 GB.
            let name_end = header_text.len() as u32;
            header_text.extend_from_slice(value);
            header_ends.push((name_end, header_text.len() as u32));
        }
        Self {
            status: response.status(),
            header_text,
            header_ends,
            body: response.body().to_vec(),
            body_bytes: response.body_bytes(),
            timings: Timings::new(Instant::now()),
        }
    }

    pub(super) fn set_timings(&mut self, timings: Timings) {
        self.timings = timings;
    }

    pub(super) fn forget_body(&mut self) {
        self.body = Vec::new();
    }

    /// The status code, 100 to 999.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The headers in order of arrival: name as received, value trimmed.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let mut start = 0;
        self.header_ends.iter().map(move |&(name_end, value_end)| {
            let (name_end, value_end) = (name_end as usize, value_end as usize);
            let name = std::str::from_utf8(&self.header_text[start..name_end]).unwrap_or_default();
            start = value_end;
            (name, &self.header_text[name_end..value_end])
        })
    }

    /// The first header of this name, in any case; `None` also when it is not UTF-8.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.header_bytes(name).and_then(|value| std::str::from_utf8(value).ok())
    }

    fn header_bytes(&self, name: &str) -> Option<&[u8]> {
        self.headers().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The body, decompressed. Empty if it was discarded.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// As [`Answer::body`], to keep.
    #[must_use]
    pub fn into_body(self) -> Vec<u8> {
        self.body
    }

    /// Length of the body as it was sent, in bytes: before decompression. Known also if the body was
    /// discarded.
    #[must_use]
    pub fn body_bytes(&self) -> u64 {
        self.body_bytes
    }

    /// The body as text.
    ///
    /// # Errors
    /// It is not UTF-8.
    pub fn text(&self) -> Result<&str, Utf8Error> {
        std::str::from_utf8(&self.body)
    }

    /// The body as text, with `�` for what is not UTF-8.
    #[must_use]
    pub fn text_lossy(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// Reads the body as JSON: into a type of your own, or into a `serde_json::Value`.
    ///
    /// # Errors
    /// The body is no JSON or not of this shape.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(&self.body)
    }

    /// How long the exchange took, from its start (connecting included) to the last byte of the
    /// answer: the service time. Of redirects that were followed, the last one only.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.timings.total()
    }

    /// How long the parts of the exchange took.
    #[must_use]
    pub fn timings(&self) -> &Timings {
        &self.timings
    }
}

/// For the plan's rule on cache hits.
impl inspect::Answer for Answer {
    fn status(&self) -> u16 {
        self.status
    }

    fn header(&self, name: &str) -> Option<&[u8]> {
        self.header_bytes(name)
    }

    fn set_cookies(&self) -> impl Iterator<Item = &[u8]> {
        let is_cookie = |name: &str| name.eq_ignore_ascii_case("set-cookie");
        self.headers().filter(move |(name, _)| is_cookie(name)).map(|(_, value)| value)
    }

    fn body(&self) -> &[u8] {
        &self.body
    }

    fn elapsed(&self) -> Duration {
        self.elapsed()
    }
}
