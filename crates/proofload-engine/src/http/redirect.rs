//! What a redirect asks for: a pure function from one exchange to the next request.
//!
//! Method rewriting is that of the Fetch standard, which is what browsers do and RFC 9110 §15.4
//! allows: 303 turns everything but `HEAD` into `GET`, 301 and 302 turn `POST` into `GET`, 307 and 308
//! keep method and body. Credentials do not travel to another origin.

use proofload_core::metrics::ErrorKind;
use url::Url;

use super::exchange::Failure;
use super::origin::Origin;
use super::request::{Headers, Request};

/// How many redirects to follow in a row before giving up, unless the plan says otherwise.
pub const DEFAULT_MAX_REDIRECTS: u32 = 10;

/// The request a redirect asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    /// `GET` instead of the method of the request; otherwise the method stays.
    pub to_get: bool,
    /// Where it goes.
    pub origin: Origin,
    /// Path and query.
    pub target: String,
    /// Another scheme, host or port than that of the request.
    pub cross_origin: bool,
}

impl Redirect {
    /// The method of the next request.
    #[must_use]
    pub fn method<'a>(&self, request: &Request<'a>) -> &'a str {
        if self.to_get { "GET" } else { request.method }
    }

    /// The body of the next request.
    #[must_use]
    pub fn body<'a>(&self, request: &Request<'a>) -> &'a [u8] {
        if self.to_get { b"" } else { request.body }
    }

    /// The headers of the next request: without those that describe a dropped body, and without
    /// credentials and `Host` when it goes to another origin.
    #[must_use]
    pub fn headers(&self, headers: &Headers) -> Headers {
        const OF_THE_BODY: &[&str] =
            &["content-length", "content-type", "content-encoding", "content-language"];
        const OF_THE_ORIGIN: &[&str] = &["authorization", "proxy-authorization", "cookie", "host"];
        let among = |list: &[&str], name: &str| list.iter().any(|n| n.eq_ignore_ascii_case(name));
        headers.filtered(|name| {
            !(self.to_get && among(OF_THE_BODY, name)
                || self.cross_origin && among(OF_THE_ORIGIN, name))
        })
    }
}

/// What to request next, or `None` when the answer is no redirect (another status, or no
/// `Location`).
///
/// # Errors
/// [`ErrorKind::Redirect`] when `Location` cannot be followed: no URL, or no HTTP.
pub fn next(
    request: &Request<'_>,
    status: u16,
    location: Option<&[u8]>,
) -> Result<Option<Redirect>, Failure> {
    let Some(location) = location.filter(|_| matches!(status, 301 | 302 | 303 | 307 | 308)) else {
        return Ok(None);
    };
    let location = String::from_utf8_lossy(location);
    let refused =
        |reason: String| Failure::new(ErrorKind::Redirect, format!("to `{location}`: {reason}"));
    let target = String::from_utf8_lossy(request.target);
    let base = Url::parse(&request.origin.url(&target)).map_err(|e| refused(e.to_string()))?;
    let url = base.join(&location).map_err(|error| refused(error.to_string()))?;
    let (origin, target) = Origin::from_url(&url).map_err(|error| refused(error.to_string()))?;
    let cross_origin = origin != *request.origin;
    // Keeping the value keeps comparisons of origins to a pointer.
    let origin = if cross_origin { origin } else { request.origin.clone() };
    let to_get = match status {
        301 | 302 => request.method == "POST",
        303 => !matches!(request.method, "GET" | "HEAD"),
        _ => false,
    };
    Ok(Some(Redirect { to_get, origin, target, cross_origin }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn follow(
        method: &str,
        status: u16,
        location: Option<&str>,
    ) -> Result<Option<(String, String)>, Failure> {
        let (origin, _) = Origin::parse("https://a.test/x/y?z").unwrap();
        let headers = Headers::new();
        let request = Request {
            method,
            origin: &origin,
            target: b"/x/y?z",
            headers: &headers,
            body: b"b",
            timeout: None,
        };
        let next = next(&request, status, location.map(str::as_bytes))?;
        Ok(next.map(|next| {
            assert_eq!(next.body(&request).is_empty(), next.to_get);
            (next.method(&request).to_owned(), next.origin.url(&next.target))
        }))
    }

    #[test]
    fn rewrites_methods_like_a_browser() {
        for (method, status, expected) in [
            ("GET", 301, "GET"),
            ("POST", 301, "GET"),
            ("PUT", 301, "PUT"),
            ("POST", 302, "GET"),
            ("DELETE", 302, "DELETE"),
            ("POST", 303, "GET"),
            ("PUT", 303, "GET"),
            ("HEAD", 303, "HEAD"),
            ("POST", 307, "POST"),
            ("POST", 308, "POST"),
        ] {
            let (method_after, url) = follow(method, status, Some("/n")).unwrap().unwrap();
            assert_eq!(method_after, expected, "{method} {status}");
            assert_eq!(url, "https://a.test/n");
        }
    }

    #[test]
    fn resolves_locations() {
        for (location, url) in [
            ("n?q#f", "https://a.test/x/n?q"),
            ("?q", "https://a.test/x/y?q"),
            ("//b.test:8443/n", "https://b.test:8443/n"),
            ("http://a.test", "http://a.test/"),
            ("/a b", "https://a.test/a%20b"),
            ("", "https://a.test/x/y?z"),
        ] {
            assert_eq!(follow("GET", 302, Some(location)).unwrap().unwrap().1, url, "{location}");
        }
    }

    #[test]
    fn is_no_redirect() {
        for (status, location) in
            [(200, Some("/n")), (304, Some("/n")), (300, Some("/n")), (302, None)]
        {
            assert_eq!(follow("GET", status, location).unwrap(), None);
        }
    }

    #[test]
    fn cannot_be_followed() {
        for location in ["ftp://a.test/", "http://", "http://a.test:99999/", "mailto:x"] {
            let failure = follow("GET", 302, Some(location)).unwrap_err();
            assert_eq!(failure.kind, ErrorKind::Redirect, "{location}");
        }
    }

    #[test]
    fn credentials_stay_at_home() {
        let mut headers = Headers::new();
        for name in ["Authorization", "COOKIE", "Host", "Content-Type", "Content-Length", "X"] {
            headers.push(name, "1").unwrap();
        }
        let (origin, _) = Origin::parse("https://a.test/").unwrap();
        let redirect = |to_get, cross_origin| {
            let next =
                Redirect { to_get, cross_origin, origin: origin.clone(), target: "/".into() };
            let kept = next.headers(&headers);
            assert_eq!(kept.given().host, !cross_origin);
            assert_eq!(kept.given().content_length, !to_get);
            kept.iter().map(|(name, _)| name.to_owned()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(
            redirect(false, false),
            "Authorization COOKIE Host Content-Type Content-Length X"
        );
        assert_eq!(redirect(true, false), "Authorization COOKIE Host X");
        assert_eq!(redirect(false, true), "Content-Type Content-Length X");
        assert_eq!(redirect(true, true), "X");
    }
}
