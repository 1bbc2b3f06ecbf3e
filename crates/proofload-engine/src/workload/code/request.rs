//! Describing a request, step by step.

use std::borrow::Cow;
use std::fmt::Display;
use std::time::Duration;

use serde::Serialize;
use url::form_urlencoded;

use super::answer::Answer;
use super::error::RequestError;
use super::scope::Core;
use crate::http::Headers;

/// A question about an answer.
type Question<'u> = Box<dyn FnOnce(&Answer) -> bool + 'u>;

/// A check on an answer.
pub(super) struct Check<'u> {
    pub(super) name: Cow<'u, str>,
    pub(super) holds: Question<'u>,
}

/// A request of a virtual user, to be described step by step and then sent.
///
/// An answer is good if its status is below 400, or is one of those expected with
/// [`expect_status`](Self::expect_status), and all [checks](Self::check) hold. Nothing is sent, and
/// nothing is recorded, before [`send`](Self::send) or one of its likes is called and awaited.
#[must_use = "a request is sent by `send().await`"]
pub struct RequestBuilder<'u> {
    pub(super) core: &'u Core,
    pub(super) method: Cow<'u, str>,
    pub(super) url: Cow<'u, str>,
    pub(super) query: String,
    pub(super) headers: Headers,
    pub(super) body: Vec<u8>,
    pub(super) name: Option<Cow<'u, str>>,
    pub(super) timeout: Option<Duration>,
    pub(super) redirects: Option<u16>,
    pub(super) statuses: Vec<u16>,
    pub(super) keep_body: bool,
    pub(super) checks: Vec<Check<'u>>,
    pub(super) cached: Option<Question<'u>>,
    /// Why it cannot be sent: the first thing that was wrong.
    pub(super) fault: Option<String>,
}

impl<'u> RequestBuilder<'u> {
    pub(super) fn new(core: &'u Core, method: Cow<'u, str>, url: Cow<'u, str>) -> Self {
        Self {
            core,
            method,
            url,
            query: String::new(),
            headers: Headers::new(),
            body: Vec::new(),
            name: None,
            timeout: None,
            redirects: None,
            statuses: Vec::new(),
            keep_body: true,
            checks: Vec::new(),
            cached: None,
            fault: None,
        }
    }

    fn unsendable(&mut self, why: impl Display) {
        self.fault.get_or_insert_with(|| why.to_string());
    }

    fn has_header(&self, name: &str) -> bool {
        self.headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name))
    }

    fn content_type(&mut self, value: &str) {
        if !self.has_header("content-type") {
            // Both are valid.
            let _ = self.headers.push("content-type", value);
        }
    }

    /// Under which name the request is counted, instead of `METHOD /path` without the query. Give one
    /// wherever the path holds an identifier, or every identifier gets a line of its own in the report.
    pub fn name(mut self, name: impl Into<Cow<'u, str>>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Adds a header. It takes the place of a default header of the same name; given twice, it is sent
    /// twice. A name or value that cannot be sent fails the request when it is sent.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        if let Err(error) = self.headers.push(name, value) {
            self.unsendable(error);
        }
        self
    }

    /// Adds a field to the query, percent-encoded. Fields that stand in the URL already stay.
    pub fn query(mut self, name: &str, value: impl Display) -> Self {
        form_urlencoded::Serializer::new(&mut self.query).append_pair(name, &value.to_string());
        self
    }

    /// `Authorization: Bearer …`
    pub fn bearer(self, token: impl Display) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    /// `Authorization: Basic …`
    pub fn basic(self, user: impl Display, password: impl Display) -> Self {
        let pair = proofload_core::template::base64_encode(format!("{user}:{password}").as_bytes());
        self.header("authorization", format!("Basic {pair}"))
    }

    /// Sends these bytes. No `Content-Type` is added.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends a value as JSON, with its `Content-Type` unless there is one already. A value that cannot
    /// be written as JSON fails the request when it is sent.
    pub fn json<T: Serialize + ?Sized>(mut self, value: &T) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => self.body = body,
            Err(error) => self.unsendable(format_args!("the body is no JSON: {error}")),
        }
        self.content_type("application/json");
        self
    }

    /// Sends fields as `application/x-www-form-urlencoded`, with its `Content-Type` unless there is one
    /// already.
    pub fn form<N, V>(mut self, fields: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: AsRef<str>,
        V: Display,
    {
        let mut form = form_urlencoded::Serializer::new(String::new());
        for (name, value) in fields {
            form.append_pair(name.as_ref(), &value.to_string());
        }
        self.body = form.finish().into_bytes();
        self.content_type("application/x-www-form-urlencoded");
        self
    }

    /// The longest time for each exchange of this request, instead of the plan's.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// How many redirects in a row to follow, instead of the plan's number. With 0 a redirect is the
    /// answer. Each redirect that is followed is recorded as a request of its own, as the server's log
    /// has it.
    pub fn redirects(mut self, limit: u16) -> Self {
        self.redirects = Some(limit);
        self
    }

    /// The status that makes the answer good, instead of all below 400. May be called for several.
    pub fn expect_status(mut self, status: u16) -> Self {
        self.statuses.push(status);
        self
    }

    /// Forgets the body while it arrives: an answer of any size takes no memory.
    pub fn discard_body(mut self) -> Self {
        self.keep_body = false;
        self
    }

    /// Something that must hold, counted as a check of this name. If it does not, the request has
    /// failed ("check failed"). All checks are made on every complete answer, also one with a wrong
    /// status, after its time was taken: they do not make it slower.
    ///
    /// The names of its checks are part of what a request is grouped by: give the same ones each time.
    pub fn check(
        mut self,
        name: impl Into<Cow<'u, str>>,
        holds: impl FnOnce(&Answer) -> bool + 'u,
    ) -> Self {
        self.checks.push(Check { name: name.into(), holds: Box::new(holds) });
        self
    }

    /// Tells whether the service answered from a cache, instead of the plan's rule. Asked of good
    /// answers only.
    pub fn cached(mut self, is_hit: impl FnOnce(&Answer) -> bool + 'u) -> Self {
        self.cached = Some(Box::new(is_hit));
        self
    }

    /// Sends the request, waits for the answer, follows redirects and records what came of it, exactly
    /// once for each exchange.
    ///
    /// # Errors
    /// The request failed: it could not be sent, there was no complete answer, or the answer was not
    /// good (then [`RequestError::answer`] has it). It has been recorded as that.
    pub async fn send(self) -> Result<Answer, RequestError> {
        self.fly().await?.conclude()
    }

    /// As [`send`](Self::send), and takes something out of the answer. If that fails, the request has
    /// failed ("value to extract not found"). Only asked of a good answer.
    ///
    /// # Errors
    /// As for `send`, or with what `find` said.
    pub async fn extract<T, E: Display>(
        self,
        find: impl FnOnce(&Answer) -> Result<T, E>,
    ) -> Result<T, RequestError> {
        let mut landed = self.fly().await?;
        let found = landed.extract(find);
        match (landed.conclude(), found) {
            (Ok(_), Some(found)) => Ok(found),
            (Err(error), _) => Err(error),
            (Ok(_), None) => unreachable!("an extraction that finds nothing fails the request"),
        }
    }

    /// As [`extract`](Self::extract), for the whole body as JSON.
    ///
    /// # Errors
    /// As for `send`, or the body is no JSON or not of this shape.
    pub async fn receive_json<T: serde::de::DeserializeOwned>(self) -> Result<T, RequestError> {
        self.extract(Answer::json).await
    }
}

impl std::fmt::Debug for RequestBuilder<'_> {
    /// Without headers and body: they hold secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RequestBuilder")
            .field("method", &self.method)
            .field("url", &self.url)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
