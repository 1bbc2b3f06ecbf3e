//! An answer that is kept, and the responses made of it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    AGE, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderName, HeaderValue,
    TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, Method, Response, StatusCode, response};
use http_body::Body;

use super::body::ResponseCacheBody;
use super::control::seconds;
use super::mark::mark;
use super::outcome::{CacheOutcome, X_CACHE};
use crate::cache::hooks::wall_ms;

/// A response as it is kept. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct CachedResponse(pub(super) Arc<Answer>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// When the service gave it, in milliseconds since 1970: it may have come from another process.
    pub(super) made_ms: u64,
    pub(super) fresh_ms: u64,
    pub(super) must_revalidate: bool,
    pub(super) sharing: Sharing,
}

/// What an answer is to those who waited for it. Only answers are ever kept; the others have no content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sharing {
    /// Theirs.
    Answer,
    /// Perhaps another's: answers vary with more than was known. They ask again.
    Varies,
    /// Not theirs: they ask the service themselves.
    Private,
}

impl CachedResponse {
    /// What is kept of a response. With `field`, its body says `true` there from now on.
    pub(super) fn new(
        parts: response::Parts,
        body: Bytes,
        fresh_for: Duration,
        must_revalidate: bool,
        field: Option<&str>,
    ) -> Self {
        let mut headers = parts.headers;
        remove_hop_by_hop(&mut headers);
        let marked = field.and_then(|field| marked(&mut headers, &body, field, true));
        Self(Arc::new(Answer {
            status: parts.status,
            headers,
            body: marked.unwrap_or(body),
            made_ms: wall_ms(),
            fresh_ms: u64::try_from(fresh_for.as_millis()).unwrap_or(u64::MAX),
            must_revalidate,
            sharing: Sharing::Answer,
        }))
    }

    /// Tells those who wait that there is no answer for them.
    pub(super) fn none(sharing: Sharing) -> Self {
        let answer = Answer {
            status: StatusCode::NO_CONTENT,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            made_ms: 0,
            fresh_ms: 0,
            must_revalidate: false,
            sharing,
        };
        Self(Arc::new(answer))
    }

    /// Its status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// Its headers, without what the cache adds.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.0.headers
    }

    /// Its body.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.0.body
    }

    /// How long ago the service gave it.
    #[must_use]
    pub fn age(&self) -> Duration {
        Duration::from_millis(wall_ms().saturating_sub(self.0.made_ms))
    }

    /// Whether its time is over.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        wall_ms() >= self.0.made_ms.saturating_add(self.0.fresh_ms)
    }

    /// About how many bytes it takes in memory.
    pub(super) fn weight(&self) -> u32 {
        let headers =
            self.0.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 64);
        let weight = 256 + self.0.body.len() + headers.sum::<usize>();
        u32::try_from(weight).unwrap_or(u32::MAX)
    }

    /// The response to a request. `known` is the client's `If-None-Match`: who has it already is only told so.
    pub(super) fn respond<B: Body>(
        &self,
        method: &Method,
        known: Option<&HeaderValue>,
        outcome: CacheOutcome,
        field: Option<&str>,
    ) -> Response<ResponseCacheBody<B>> {
        let Answer { status, headers, body, .. } = &*self.0;
        let (mut status, mut headers, mut body) = (*status, headers.clone(), body.clone());
        if outcome == CacheOutcome::Miss {
            // It was kept as one from the cache.
            if let Some(said) = field.and_then(|field| marked(&mut headers, &body, field, false)) {
                body = said;
            }
        }
        if status.is_success() && matches_etag(known, headers.get(ETAG)) {
            (status, body) = (StatusCode::NOT_MODIFIED, Bytes::new());
            headers.remove(CONTENT_LENGTH);
        } else if *method != Method::HEAD && status != StatusCode::NO_CONTENT {
            headers.insert(CONTENT_LENGTH, body.len().into());
        }
        if outcome != CacheOutcome::Miss {
            let before = headers.get(AGE).and_then(|age| age.to_str().ok()).map_or(0, seconds);
            headers.insert(AGE, self.age().as_secs().saturating_add(before).into());
        }
        headers.insert(X_CACHE, outcome.header());
        let mut response = Response::new(ResponseCacheBody::whole(body));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        response.extensions_mut().insert(outcome);
        response
    }
}

impl fmt::Debug for CachedResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedResponse")
            .field("status", &self.0.status)
            .field("headers", &self.0.headers)
            .field("body_bytes", &self.0.body.len())
            .field("age", &self.age())
            .finish_non_exhaustive()
    }
}

/// Takes away what is about one connection (RFC 9110, section 7.6.1), or about a body that may be another now.
fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|field| field.to_str().ok())
        .flat_map(|field| field.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named {
        headers.remove(name);
    }
    for name in [CONNECTION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE] {
        headers.remove(name);
    }
    for name in ["keep-alive", "proxy-connection"] {
        headers.remove(name);
    }
}

/// A marked body, where it is JSON. Bodies that differ in the mark have no strong tag in common.
fn marked(headers: &mut HeaderMap, body: &Bytes, field: &str, value: bool) -> Option<Bytes> {
    if headers.contains_key(CONTENT_ENCODING) || !is_json(headers) {
        return None;
    }
    let marked = mark(body, field, value)?;
    let weak = headers.get(ETAG).filter(|tag| !tag.as_bytes().starts_with(b"W/"));
    let weak = weak.and_then(|tag| HeaderValue::from_bytes(&[b"W/", tag.as_bytes()].concat()).ok());
    weak.map(|tag| headers.insert(ETAG, tag));
    if headers.contains_key(CONTENT_LENGTH) {
        headers.insert(CONTENT_LENGTH, marked.len().into());
    }
    Some(marked)
}

/// `application/json`, or anything that ends in `+json`.
fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || kind.ends_with("+json")
}

/// Whether the client has what carries this tag (RFC 9110, section 13.1.2: compared without regard to weakness).
fn matches_etag(known: Option<&HeaderValue>, tag: Option<&HeaderValue>) -> bool {
    let (Some(known), Some(tag)) = (known, tag) else { return false };
    let opaque =
        |tag: &[u8]| tag.trim_ascii().strip_prefix(b"W/").unwrap_or(tag.trim_ascii()).to_owned();
    let tag = opaque(tag.as_bytes());
    known.as_bytes() == b"*"
        || known.as_bytes().split(|byte| *byte == b',').any(|one| opaque(one) == tag)
}

#[cfg(test)]
mod tests {
    use http_body_util::Full;

    use super::*;

    #[test]
    fn tags_are_compared_weakly() {
        let check = |known: &'static str, tag: &'static str, expect: bool| {
            let value = HeaderValue::from_static;
            assert_eq!(
                matches_etag(Some(&value(known)), Some(&value(tag))),
                expect,
                "{known} {tag}"
            );
        };
        check("\"a\"", "\"a\"", true);
        check("W/\"a\"", "\"a\"", true);
        check("\"x\", W/\"a\"", "W/\"a\"", true);
        check("*", "\"a\"", true);
        check("\"b\"", "\"a\"", false);
        assert!(!matches_etag(None, Some(&HeaderValue::from_static("\"a\""))));
        assert!(!matches_etag(Some(&HeaderValue::from_static("*")), None));
    }

    fn kept(kind: &str, body: &'static str) -> CachedResponse {
        let head = Response::builder()
            .header(CONTENT_TYPE, kind)
            .header(ETAG, "\"a\"")
            .header(CONTENT_LENGTH, body.len());
        let parts = head.header(TRANSFER_ENCODING, "chunked").body(()).unwrap().into_parts().0;
        CachedResponse::new(parts, body.into(), Duration::from_secs(5), false, Some("cached"))
    }

    #[test]
    fn json_says_where_it_comes_from() {
        let check = |kind, body, hit: &str, miss: &str| {
            let kept = kept(kind, body);
            for (outcome, expect) in
                [(CacheOutcome::Hit, hit), (CacheOutcome::Stale, hit), (CacheOutcome::Miss, miss)]
            {
                let response =
                    kept.respond::<Full<Bytes>>(&Method::GET, None, outcome, Some("cached"));
                assert_eq!(
                    response.headers()[CONTENT_LENGTH],
                    expect.len().to_string(),
                    "{kind} {outcome}"
                );
                assert_eq!(
                    response.body().size_hint().exact(),
                    Some(expect.len() as u64),
                    "{kind} {outcome}"
                );
                assert_eq!(response.headers()[X_CACHE], outcome.as_str());
                assert!(!response.headers().contains_key(TRANSFER_ENCODING));
            }
            assert_eq!(kept.body(), hit);
            let weak = kept.headers()[ETAG].as_bytes().starts_with(b"W/");
            assert_eq!(weak, hit != miss, "{kind}");
        };
        check("application/json", "{}", r#"{"cached":true}"#, r#"{"cached":false}"#);
        check(
            "application/problem+JSON; charset=x",
            "{\"a\":1}",
            r#"{"cached":true,"a":1}"#,
            r#"{"cached":false,"a":1}"#,
        );
        check("text/html", "{}", "{}", "{}");
        check("application/json", "[]", "[]", "[]");
    }

    #[test]
    fn who_has_it_is_only_told_so() {
        let known = HeaderValue::from_static("W/\"a\"");
        let response = kept("text/html", "abc").respond::<Full<Bytes>>(
            &Method::GET,
            Some(&known),
            CacheOutcome::Hit,
            None,
        );
        assert_eq!(response.status(), StatusCode::NOT_MODIFIED);
        assert!(
            response.body().is_end_stream() && !response.headers().contains_key(CONTENT_LENGTH)
        );
    }
}
