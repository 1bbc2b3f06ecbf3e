//! Where a request goes: scheme, host and port, parsed once and cheap to compare.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use proofload_core::plan::Scheme;
use thiserror::Error;
use url::{Host, Url};

/// Scheme, host and port of a URL.
///
/// Cloning copies a pointer; comparing clones of one value compares pointers. Meant to be made once
/// per worker or per plan and not per request.
#[derive(Clone)]
pub struct Origin(Arc<Parts>);

#[derive(PartialEq, Eq, Hash)]
struct Parts {
    scheme: Scheme,
    host: Box<str>,
    ip: Option<IpAddr>,
    port: u16,
    authority: Box<str>,
    host_line: Box<[u8]>,
}

/// A URL that requests cannot be sent to.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum OriginError {
    /// Not a URL.
    #[error("`{url}` is not a valid URL: {reason}")]
    Url {
        /// The text given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A scheme other than `http` and `https`.
    #[error("`{url}`: scheme `{scheme}` is not supported, use http or https")]
    Scheme {
        /// The text given.
        url: String,
        /// Its scheme.
        scheme: String,
    },
    /// No host.
    #[error("`{url}` names no host")]
    NoHost {
        /// The text given.
        url: String,
    },
}

impl Origin {
    /// Splits an absolute URL into its origin and its target (path and query, percent-encoded,
    /// without the fragment).
    ///
    /// # Errors
    /// The text is no URL, its scheme is neither `http` nor `https`, or it names no host.
    pub fn parse(url: &str) -> Result<(Self, String), OriginError> {
        let parsed = Url::parse(url)
            .map_err(|error| OriginError::Url { url: url.to_owned(), reason: error.to_string() })?;
        Self::from_url(&parsed)
    }

    /// As [`Origin::parse`], for a URL that is parsed already.
    ///
    /// # Errors
    /// The scheme is neither `http` nor `https`, or there is no host.
    pub fn from_url(url: &Url) -> Result<(Self, String), OriginError> {
        let scheme = match url.scheme() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            other => {
                return Err(OriginError::Scheme { url: url.to_string(), scheme: other.to_owned() });
            }
        };
        let host = url.host().ok_or_else(|| OriginError::NoHost { url: url.to_string() })?;
        let port = url.port().unwrap_or(scheme.default_port());
        let mut target = url.path().to_owned();
        if let Some(query) = url.query() {
            target.push('?');
            target.push_str(query);
        }
        Ok((Self::new(scheme, &host.to_owned(), port), target))
    }

    fn new(scheme: Scheme, host: &Host<String>, port: u16) -> Self {
        let ip = match host {
            Host::Domain(_) => None,
            Host::Ipv4(ip) => Some(IpAddr::V4(*ip)),
            Host::Ipv6(ip) => Some(IpAddr::V6(*ip)),
        };
        let bare = ip.map_or_else(|| host.to_string(), |ip| ip.to_string());
        let authority =
            if port == scheme.default_port() { host.to_string() } else { format!("{host}:{port}") };
        let host_line = format!("Host: {authority}\r\n").into_bytes().into_boxed_slice();
        let (host, authority) = (bare.into_boxed_str(), authority.into_boxed_str());
        Self(Arc::new(Parts { scheme, host, ip, port, authority, host_line }))
    }

    /// The scheme.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.0.scheme
    }

    /// Host name (IDNA-encoded, lower case) or address without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.0.host
    }

    /// The host as an address, if the URL names it by one.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        self.0.ip
    }

    /// The port, explicit or the scheme's default.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.0.port
    }

    /// Host and port as in a `Host` header: the port only when it is not the scheme's default.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.0.authority
    }

    /// The absolute URL of a target on this origin.
    #[must_use]
    pub fn url(&self, target: &str) -> String {
        format!("{self}{target}")
    }

    /// The complete `Host` header line.
    pub(crate) fn host_line(&self) -> &[u8] {
        &self.0.host_line
    }
}

impl PartialEq for Origin {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

impl Eq for Origin {}

impl std::hash::Hash for Origin {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.0.scheme.as_str(), self.0.authority)
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Origin({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_urls() {
        for (url, origin, host, port, target) in [
            ("http://Example.com", "http://example.com", "example.com", 80, "/"),
            ("http://example.com:80/a?b=c#d", "http://example.com", "example.com", 80, "/a?b=c"),
            (
                "https://example.com:8443/a b",
                "https://example.com:8443",
                "example.com",
                8443,
                "/a%20b",
            ),
            ("http://[::1]:8080/x", "http://[::1]:8080", "::1", 8080, "/x"),
            ("http://127.0.0.1/?", "http://127.0.0.1", "127.0.0.1", 80, "/?"),
            (
                "http://bücher.example/",
                "http://xn--bcher-kva.example",
                "xn--bcher-kva.example",
                80,
                "/",
            ),
        ] {
            let (parsed, parsed_target) = Origin::parse(url).unwrap();
            assert_eq!(parsed.to_string(), origin, "{url}");
            assert_eq!((parsed.host(), parsed.port()), (host, port), "{url}");
            assert_eq!(parsed_target, target, "{url}");
        }
    }

    #[test]
    fn refuses_what_it_cannot_reach() {
        for (url, part) in [
            ("example.com/x", "not a valid URL"),
            ("ftp://example.com", "scheme `ftp` is not supported"),
            ("http://", "empty host"),
            ("data:text/plain,x", "scheme `data`"),
        ] {
            let message = Origin::parse(url).unwrap_err().to_string();
            assert!(message.contains(part), "{url}: {message}");
        }
    }

    #[test]
    fn equal_by_value_and_by_pointer() {
        let (a, _) = Origin::parse("http://a.test:80/").unwrap();
        let (b, _) = Origin::parse("http://a.test/x").unwrap();
        let (c, _) = Origin::parse("https://a.test/x").unwrap();
        assert_eq!(a, b);
        assert_ne!(a, c);
    }
}
