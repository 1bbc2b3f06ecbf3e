//! Who may look at the page and press its buttons.
//!
//! A page on a loopback port is within reach of every web site that the user visits, and of every program
//! on the machine. What is checked, in this order:
//!
//! 1. **Host**: a site may let its name lead to 127.0.0.1 (DNS rebinding) and would then be the same
//!    origin as the page. Only `localhost`, addresses and names that the user has listed are answered.
//! 2. **Origin and `Sec-Fetch-Site`**: nothing that is not the page itself may change anything, load
//!    parts of it or listen to its events.
//! 3. **Method and type**: what changes something is POST with JSON, which no form of another site can send.
//! 4. **Token**, where one is set: in a cookie that the browser gets for it, or as a bearer.
//!
//! Every answer forbids the browser to run or load anything that does not come from here.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::login;
use crate::config::Config;
use crate::token::Token;

/// Longest an answer may take to begin, reading the request's body included.
const PATIENCE: Duration = Duration::from_secs(15);
/// What a wrong token costs the one who guesses.
const WRONG_TOKEN_DELAY: Duration = Duration::from_millis(500);

/// Nothing but what comes from here; no inline script, no inline style, no frame around it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The rules of a page.
#[derive(Debug)]
pub(super) struct Gate {
    is_loopback: bool,
    hosts: Vec<String>,
    token: Option<Token>,
    session: Token,
    cookie_name: String,
    cookie: String,
}

impl Gate {
    pub(super) fn new(
        config: &Config,
        address: SocketAddr,
        session: Token,
        cookie: String,
    ) -> Self {
        Self {
            is_loopback: address.ip().is_loopback(),
            hosts: config.hosts.iter().map(|host| host.to_ascii_lowercase()).collect(),
            token: config.token.clone(),
            session,
            // Cookies do not know ports: two pages on a machine need two names.
            cookie_name: format!("proofload_{}", address.port()),
            cookie,
        }
    }

    /// Whether this machine may be called so. An address cannot be pointed elsewhere by anybody; a name
    /// can. The port does not matter: it may have been forwarded.
    fn is_known_host(&self, host: &str) -> bool {
        let name = host_name(host).to_ascii_lowercase();
        if name == "localhost" || self.hosts.contains(&name) {
            return true;
        }
        let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(&name);
        bare.parse::<IpAddr>().is_ok_and(|ip| !self.is_loopback || ip.is_loopback())
    }

    /// Whether the token is not needed, or sent along.
    fn is_open_to(&self, headers: &HeaderMap) -> bool {
        let Some(token) = &self.token else { return true };
        let bearer = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "));
        if bearer.is_some_and(|bearer| token.is(bearer.trim())) {
            return true;
        }
        let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|v| v.to_str().ok());
        let mut pairs = cookies.flat_map(|cookies| cookies.split(';'));
        pairs.any(|pair| {
            let (name, value) = pair.trim().split_once('=').unwrap_or_default();
            name == self.cookie_name && self.session.is(value)
        })
    }

    /// Whether this is the token. Takes its time if it is not.
    pub(super) async fn admits(&self, token: &str) -> bool {
        let is_right = self.token.as_ref().is_none_or(|known| known.is(token));
        if !is_right {
            tokio::time::sleep(WRONG_TOKEN_DELAY).await;
        }
        is_right
    }

    /// The cookie for whoever knew the token. `Lax`, so that a link from elsewhere opens the page; what
    /// changes something is guarded by the origin.
    pub(super) fn set_cookie(&self) -> Option<HeaderValue> {
        let Self { cookie_name, cookie, .. } = self;
        let text = format!("{cookie_name}={cookie}; Path=/; HttpOnly; SameSite=Lax");
        HeaderValue::from_str(&text).ok()
    }
}

/// Without the port.
fn host_name(host: &str) -> &str {
    match host.rfind(':') {
        Some(at) if host[at + 1..].bytes().all(|byte| byte.is_ascii_digit()) => {
            // `::1` is no name with a port.
            if host[..at].contains(':') && !host[..at].ends_with(']') { host } else { &host[..at] }
        }
        _ => host,
    }
}

/// Why a request is not answered.
#[derive(Debug, PartialEq, Eq)]
enum Refused {
    Host,
    Site,
    Method,
    Type,
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let (status, text) = match self {
            Self::Host => (
                StatusCode::FORBIDDEN,
                "This page does not answer to that name, which guards it against DNS rebinding. \
                 Open it by its address or as localhost; another name has to be allowed with \
                 --web-host NAME.\n",
            ),
            Self::Site => (
                StatusCode::FORBIDDEN,
                "This request comes from another site. Only the page itself may do this.\n",
            ),
            Self::Method => (StatusCode::METHOD_NOT_ALLOWED, "GET to look, POST to change.\n"),
            Self::Type => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "This takes content-type: application/json.\n")
            }
        };
        (status, text).into_response()
    }
}

fn text_of(headers: &HeaderMap, name: impl header::AsHeaderName) -> Option<&str> {
    headers.get(name).map(|value| value.to_str().unwrap_or("?"))
}

/// The checks that need no secret.
fn check(gate: &Gate, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<(), Refused> {
    let mut hosts = headers.get_all(header::HOST).into_iter();
    let host = hosts.next().and_then(|host| host.to_str().ok()).ok_or(Refused::Host)?;
    let is_one = hosts.next().is_none();
    let is_same = uri.authority().is_none_or(|authority| authority.as_str() == host);
    if !is_one || !is_same || !gate.is_known_host(host) {
        return Err(Refused::Host);
    }
    let site = text_of(headers, "sec-fetch-site");
    let is_own = matches!(site, None | Some("same-origin" | "none"));
    match *method {
        Method::GET | Method::HEAD => {
            // A link from elsewhere may open the page; nothing else from elsewhere may read from it.
            let opens = text_of(headers, "sec-fetch-mode") == Some("navigate")
                && text_of(headers, "sec-fetch-dest") == Some("document");
            if is_own || opens { Ok(()) } else { Err(Refused::Site) }
        }
        Method::POST => {
            let origin = text_of(headers, header::ORIGIN);
            let is_own_origin = origin.is_none_or(|origin| {
                ["http://", "https://"].iter().any(|scheme| {
                    origin.strip_prefix(scheme).is_some_and(|own| own.eq_ignore_ascii_case(host))
                })
            });
            if !is_own || !is_own_origin {
                return Err(Refused::Site);
            }
            let kind = text_of(headers, header::CONTENT_TYPE).unwrap_or_default();
            let kind = kind.split(';').next().unwrap_or_default().trim();
            let is_json = kind.eq_ignore_ascii_case("application/json");
            if is_json { Ok(()) } else { Err(Refused::Type) }
        }
        _ => Err(Refused::Method),
    }
}

/// Lets a request through, or answers why not.
pub(super) async fn guard(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    let mut response = match tokio::time::timeout(PATIENCE, answer(&gate, request, next)).await {
        Ok(response) => response,
        Err(_) => (StatusCode::REQUEST_TIMEOUT, "That took too long.\n").into_response(),
    };
    harden(response.headers_mut());
    response
}

async fn answer(gate: &Gate, request: Request, next: Next) -> Response {
    if let Err(refused) = check(gate, request.method(), request.uri(), request.headers()) {
        return refused.into_response();
    }
    let path = request.uri().path();
    // A token in an address is taken out of it at once: addresses are kept and shown.
    if let Some(token) = login::token_of(request.uri()) {
        return login::by_address(gate, path, &token).await;
    }
    let is_public = path.starts_with("/assets/") || path == login::PATH;
    if !is_public && !gate.is_open_to(request.headers()) {
        return login::ask(request.method(), path);
    }
    next.run(request).await
}

/// What every answer says to the browser, unless it says something stricter itself.
fn harden(headers: &mut HeaderMap) {
    const ALWAYS: [(HeaderName, &str); 6] = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        ),
    ];
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let or = |headers: &mut HeaderMap, name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    or(headers, header::CONTENT_SECURITY_POLICY, POLICY);
    or(headers, header::CACHE_CONTROL, "no-store");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Mode, parse_address};

    fn gate(address: &str, hosts: &[&str]) -> Gate {
        let address = parse_address(address).unwrap();
        let mut config = Config::new(address, Mode::Follow);
        config.hosts = hosts.iter().map(|&host| host.to_owned()).collect();
        let (session, cookie) = Token::random().unwrap();
        Gate::new(&config, address, session, cookie)
    }

    #[test]
    fn names_that_are_answered_to() {
        let check = |address: &str, host: &str, expect: bool| {
            assert_eq!(gate(address, &["Box.example"]).is_known_host(host), expect, "{host}");
        };
        for host in ["localhost", "LOCALHOST:80", "127.0.0.1:8089", "[::1]:8089", "[::1]", "::1"] {
            check("127.0.0.1", host, true);
            check("0.0.0.0", host, true);
        }
        check("127.0.0.1", "box.example:8089", true);
        check("127.0.0.1", "10.0.0.1:8089", false);
        check("0.0.0.0", "10.0.0.1:8089", true);
        for host in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.nip.io:8089",
            "evil.example:8089",
            "",
            "localhost:80@evil.example",
            "127.0.0.1:x",
            "[::1",
        ] {
            check("127.0.0.1", host, false);
            check("0.0.0.0", host, false);
        }
    }

    fn checked(method: &Method, headers: &[(&str, &str)]) -> Result<(), Refused> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_str(value).unwrap(),
            );
        }
        check(&gate("127.0.0.1", &[]), method, &Uri::from_static("/x"), &map)
    }

    #[test]
    fn only_the_page_itself_changes_anything() {
        const HOST: (&str, &str) = ("host", "localhost:8089");
        const JSON: (&str, &str) = ("content-type", "application/json; charset=utf-8");
        let check = |headers: &[(&str, &str)], expect: Result<(), Refused>| {
            assert_eq!(checked(&Method::POST, headers), expect, "{headers:?}");
        };
        check(&[HOST, JSON], Ok(()));
        check(&[HOST, JSON, ("origin", "http://localhost:8089")], Ok(()));
        check(&[HOST, JSON, ("sec-fetch-site", "same-origin")], Ok(()));
        check(&[HOST, JSON, ("origin", "http://localhost:3000")], Err(Refused::Site));
        check(&[HOST, JSON, ("origin", "http://evil.example")], Err(Refused::Site));
        check(&[HOST, JSON, ("origin", "null")], Err(Refused::Site));
        check(&[HOST, JSON, ("sec-fetch-site", "cross-site")], Err(Refused::Site));
        check(&[HOST, JSON, ("sec-fetch-site", "same-site")], Err(Refused::Site));
        check(&[HOST, ("content-type", "text/plain")], Err(Refused::Type));
        check(&[HOST], Err(Refused::Type));
        check(&[JSON], Err(Refused::Host));
        check(&[HOST, ("host", "localhost"), JSON], Err(Refused::Host));
        assert_eq!(checked(&Method::PUT, &[HOST, JSON]), Err(Refused::Method));
    }

    #[test]
    fn other_sites_may_link_but_not_read() {
        let get = |site: &str, mode: &str, dest: &str| {
            checked(
                &Method::GET,
                &[
                    ("host", "localhost"),
                    ("sec-fetch-site", site),
                    ("sec-fetch-mode", mode),
                    ("sec-fetch-dest", dest),
                ],
            )
        };
        assert_eq!(get("cross-site", "navigate", "document"), Ok(()));
        assert_eq!(get("cross-site", "navigate", "iframe"), Err(Refused::Site));
        assert_eq!(get("cross-site", "no-cors", "image"), Err(Refused::Site));
        assert_eq!(get("same-site", "cors", "empty"), Err(Refused::Site));
        assert_eq!(get("same-origin", "cors", "empty"), Ok(()));
        assert_eq!(checked(&Method::GET, &[("host", "localhost")]), Ok(()));
    }
}
