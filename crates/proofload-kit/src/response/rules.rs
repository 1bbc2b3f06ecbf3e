//! What may be answered from the cache, and what may be kept: pure functions of the heads of messages.

use std::time::Duration;

use http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, RANGE, SET_COOKIE,
    TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, Method, StatusCode, request, response};

use super::control::Control;
use super::vary::Vary;

/// A service that names more headers than this varies with everything.
pub(super) const MOST_VARY: usize = 32;

/// The settings that decide.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    pub(super) methods: Vec<Method>,
    pub(super) statuses: Vec<StatusCode>,
    /// Headers of requests that answers vary with, whatever they say themselves.
    pub(super) vary: Vary,
    pub(super) honour_cache_control: bool,
    pub(super) share_authorised: bool,
    pub(super) share_cookies: bool,
    pub(super) keep_set_cookie: bool,
}

/// What may be done with an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Kept, for that long or for the time of the cache.
    Keep { fresh_for: Option<Duration>, must_revalidate: bool, vary: Vary },
    /// Given to those who asked the same meanwhile, and forgotten.
    Share { vary: Vary },
    /// Given to nobody else.
    Private,
    /// The service is in trouble: something older may stand in for it. With `vary`, those who asked the same are given
    /// it too.
    Failure { vary: Option<Vary> },
}

impl Verdict {
    /// What an answer that others are given depends on.
    pub(super) fn vary(&self) -> Option<&Vary> {
        match self {
            Self::Keep { vary, .. } | Self::Share { vary } => Some(vary),
            Self::Failure { vary } => vary.as_ref(),
            Self::Private => None,
        }
    }
}

/// Conditions that are the service's to judge, and words by which it takes a request for one of another method.
const SERVICES_OWN: [&str; 5] = [
    "if-match",
    "if-unmodified-since",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
];

impl Rules {
    /// Whether the cache is asked.
    pub(super) fn asks(&self, parts: &request::Parts, body_in_key: bool) -> bool {
        let headers = &parts.headers;
        let known =
            |name, allowed| allowed || !headers.contains_key(&name) || self.vary.contains(&name);
        self.methods.contains(&parts.method)
            && known(AUTHORIZATION, self.share_authorised)
            && known(COOKIE, self.share_cookies)
            && !headers.contains_key(RANGE)
            && !headers.contains_key(UPGRADE)
            && !SERVICES_OWN.iter().any(|name| headers.contains_key(*name))
            && (body_in_key || !has_body(headers))
            && !(self.honour_cache_control && forbids_store(headers))
    }

    /// What may be done with the answer.
    pub(super) fn judge(&self, answer: &response::Parts) -> Verdict {
        let control = if self.honour_cache_control {
            Control::of(&answer.headers)
        } else {
            Control::default()
        };
        let vary = Vary::of(&answer.headers).filter(|vary| vary.names().len() <= MOST_VARY);
        let cookies = answer.headers.contains_key(SET_COOKIE) && !self.keep_set_cookie;
        let private = cookies || control.forbidden || control.fresh_for == Some(Duration::ZERO);
        let status = answer.status;
        if status.is_server_error() {
            return Verdict::Failure { vary: vary.filter(|_| !private) };
        }
        let partial = status.is_informational()
            || matches!(status, StatusCode::PARTIAL_CONTENT | StatusCode::NOT_MODIFIED);
        let (false, false, false, Some(vary)) =
            (private, partial, is_event_stream(&answer.headers), vary)
        else {
            return Verdict::Private;
        };
        if !self.statuses.contains(&status) {
            return Verdict::Share { vary };
        }
        Verdict::Keep {
            fresh_for: control.fresh_for,
            must_revalidate: control.must_revalidate,
            vary,
        }
    }
}

/// Whether what such a request changes may be what answers were made of (RFC 9111, section 4.4).
pub(super) fn is_write(method: &Method, status: StatusCode) -> bool {
    !method.is_safe() && (status.is_success() || status.is_redirection())
}

fn has_body(headers: &HeaderMap) -> bool {
    let length = headers.get(CONTENT_LENGTH);
    length.is_some_and(|length| length.as_bytes() != b"0")
        || headers.contains_key(TRANSFER_ENCODING)
}

/// `no-store` in a request: the client does not want its question to leave a trace. `no-cache` and `max-age=0`,
/// which browsers send with every reload, are not followed: they would let any client put load on the service.
fn forbids_store(headers: &HeaderMap) -> bool {
    let fields = headers.get_all(CACHE_CONTROL).iter().filter_map(|field| field.to_str().ok());
    fields
        .flat_map(|field| field.split(','))
        .any(|directive| directive.trim().eq_ignore_ascii_case("no-store"))
}

/// Events come for ever: waiting for the end of the body would keep them from the client.
fn is_event_stream(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("text/event-stream"))
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, Request, Response};

    use super::*;

    fn rules() -> Rules {
        Rules {
            methods: vec![Method::GET, Method::HEAD],
            statuses: vec![StatusCode::OK],
            vary: Vary::default(),
            honour_cache_control: true,
            share_authorised: false,
            share_cookies: false,
            keep_set_cookie: false,
        }
    }

    fn request(method: &str, headers: &[(&str, &str)]) -> request::Parts {
        let mut request = Request::builder().method(method).uri("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn questions_that_may_be_shared() {
        let check = |method, headers: &[(&str, &str)], expect: bool| {
            assert_eq!(
                rules().asks(&request(method, headers), false),
                expect,
                "{method} {headers:?}"
            );
        };
        check("GET", &[], true);
        check("HEAD", &[], true);
        check("POST", &[], false);
        check("DELETE", &[], false);
        check("GET", &[("authorization", "Bearer x")], false);
        check("GET", &[("cookie", "a=b")], false);
        check("GET", &[("range", "bytes=0-1")], false);
        check("GET", &[("upgrade", "websocket")], false);
        check("GET", &[("if-match", "\"a\"")], false);
        check("GET", &[("if-none-match", "\"a\"")], true);
        check("GET", &[("x-http-method-override", "DELETE")], false);
        check("GET", &[("content-length", "5")], false);
        check("GET", &[("content-length", "0")], true);
        check("GET", &[("transfer-encoding", "chunked")], false);
        check("GET", &[("cache-control", "max-age=0, No-Store")], false);
        check("GET", &[("cache-control", "no-cache")], true);
    }

    #[test]
    fn what_one_says_allows_more() {
        let check = |change: fn(&mut Rules), headers: &[(&str, &str)]| {
            let mut rules = rules();
            assert!(!rules.asks(&request("GET", headers), false), "{headers:?}");
            change(&mut rules);
            assert!(rules.asks(&request("GET", headers), false), "{headers:?}");
        };
        check(|rules| rules.share_authorised = true, &[("authorization", "x")]);
        check(|rules| rules.vary = Vary::new([AUTHORIZATION]), &[("authorization", "x")]);
        check(|rules| rules.share_cookies = true, &[("cookie", "x")]);
        check(|rules| rules.vary = Vary::new([COOKIE]), &[("cookie", "x")]);
        check(|rules| rules.honour_cache_control = false, &[("cache-control", "no-store")]);
    }

    fn judged(rules: &Rules, status: u16, headers: &[(&str, &str)]) -> String {
        let mut answer = Response::builder().status(status);
        for (name, value) in headers {
            answer = answer.header(*name, *value);
        }
        match rules.judge(&answer.body(()).unwrap().into_parts().0) {
            Verdict::Keep { fresh_for, must_revalidate, vary } => {
                let names: Vec<&str> = vary.names().iter().map(HeaderName::as_str).collect();
                let seconds = fresh_for
                    .map_or("default".to_owned(), |fresh_for| fresh_for.as_secs().to_string());
                let revalidate = if must_revalidate { " revalidate" } else { "" };
                format!("keep {seconds}{revalidate} {}", names.join(" ")).trim_end().to_owned()
            }
            Verdict::Share { .. } => "share".to_owned(),
            Verdict::Private => "private".to_owned(),
            Verdict::Failure { vary } => format!("failure {}", vary.is_some()),
        }
    }

    #[test]
    fn answers_that_may_be_kept() {
        let check = |status, headers: &[(&str, &str)], expect: &str| {
            assert_eq!(judged(&rules(), status, headers), expect, "{status} {headers:?}");
        };
        check(200, &[], "keep default");
        check(200, &[("cache-control", "max-age=7")], "keep 7");
        check(200, &[("cache-control", "s-maxage=7")], "keep 7 revalidate");
        check(200, &[("vary", "accept, Origin")], "keep default accept origin");
        check(200, &[("vary", "*")], "private");
        check(200, &[("cache-control", "no-store")], "private");
        check(200, &[("cache-control", "private, max-age=7")], "private");
        check(200, &[("cache-control", "max-age=0")], "private");
        check(200, &[("set-cookie", "a=b")], "private");
        check(200, &[("content-type", "Text/Event-Stream; charset=utf-8")], "private");
        check(200, &[("content-type", "text/html")], "keep default");
        check(201, &[], "share");
        check(404, &[], "share");
        check(404, &[("cache-control", "private")], "private");
        check(206, &[], "private");
        check(304, &[], "private");
        check(500, &[], "failure true");
        check(503, &[("cache-control", "no-store")], "failure false");
        check(503, &[("set-cookie", "a=b")], "failure false");
    }

    #[test]
    fn what_one_says_keeps_more() {
        let check = |change: fn(&mut Rules), status, headers: &[(&str, &str)]| {
            let mut rules = rules();
            assert!(!judged(&rules, status, headers).starts_with("keep"), "{headers:?}");
            change(&mut rules);
            assert_eq!(judged(&rules, status, headers), "keep default", "{headers:?}");
        };
        check(|rules| rules.honour_cache_control = false, 200, &[("cache-control", "no-store")]);
        check(|rules| rules.keep_set_cookie = true, 200, &[("set-cookie", "a=b")]);
        check(|rules| rules.statuses.push(StatusCode::NOT_FOUND), 404, &[]);
    }

    #[test]
    fn writes_are_seen() {
        let check = |method: Method, status, expect| {
            assert_eq!(
                is_write(&method, StatusCode::from_u16(status).unwrap()),
                expect,
                "{method} {status}"
            );
        };
        check(Method::POST, 201, true);
        check(Method::DELETE, 204, true);
        check(Method::PUT, 303, true);
        check(Method::POST, 400, false);
        check(Method::POST, 500, false);
        check(Method::GET, 200, false);
        check(Method::OPTIONS, 200, false);
    }
}
