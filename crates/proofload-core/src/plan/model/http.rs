//! How connections are made and requests are sent.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// `http` or `https`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Plain text.
    Http,
    /// Over TLS.
    Https,
}

impl Scheme {
    /// As it stands in a URL.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port when the URL names none.
    #[must_use]
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// The part of a URL before the path, and a path prefix that every relative URL stands under.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BaseUrl {
    /// Plain or TLS.
    pub scheme: Scheme,
    /// Host name or address, as it goes into the `Host` header: lower case, IPv6 in brackets.
    pub host: Arc<str>,
    /// The port; the scheme's own if the URL named none.
    pub port: u16,
    /// What stands before every relative path: empty, or begins with `/` and does not end with one.
    pub prefix: Arc<str>,
}

impl BaseUrl {
    /// The value of the `Host` header (`:authority`): the port only where it is not the scheme's
    /// own.
    #[must_use]
    pub fn authority(&self) -> String {
        if self.port == self.scheme.default_port() {
            self.host.to_string()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// Host name or address to connect to: IPv6 without brackets.
    #[must_use]
    pub fn connect_host(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme.as_str(), self.authority(), self.prefix)
    }
}

/// How connections are made and requests are sent.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpSettings {
    /// From the first byte of work on a request (DNS included) to the last byte of its answer;
    /// never zero.
    pub timeout: Duration,
    /// DNS, TCP and TLS together; never zero, at most `timeout` has effect.
    pub connect_timeout: Duration,
    /// What happens to 301, 302, 303, 307 and 308.
    pub redirects: Redirects,
    /// Which HTTP to speak.
    pub version: HttpVersion,
    /// Certificates.
    pub tls: Tls,
    /// Whether every virtual user keeps cookies.
    pub cookies: bool,
    /// Whether connections are used again.
    pub keep_alive: bool,
    /// What `accept-encoding` offers, in this order; empty sends no such header. Answers in these
    /// encodings are decoded where a check or an extraction needs the body.
    pub compression: Vec<Encoding>,
    /// Largest body (decoded) that is kept for checks and extractions; in bytes.
    pub max_body_bytes: u64,
    /// The `user-agent` header; `None` sends none.
    pub user_agent: Option<Arc<str>>,
    /// Addresses to use instead of DNS.
    pub hosts: Vec<StaticHost>,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(10),
            redirects: Redirects(10),
            version: HttpVersion::Auto,
            tls: Tls::default(),
            cookies: true,
            keep_alive: true,
            compression: Vec::new(),
            max_body_bytes: 10_000_000,
            user_agent: Some(concat!("proofload/", env!("CARGO_PKG_VERSION")).into()),
            hosts: Vec::new(),
        }
    }
}

/// How many redirects in a row are followed; 0 takes a redirect for the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Redirects(pub u16);

/// Which HTTP to speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpVersion {
    /// HTTP/2 where TLS negotiates it (ALPN), HTTP/1.1 otherwise.
    Auto,
    /// HTTP/1.1 only.
    Http1,
    /// HTTP/2 over TLS, by ALPN; an error where the server does not offer it.
    Http2,
    /// HTTP/2 without asking first, also over plain text (h2c).
    Http2PriorKnowledge,
}

impl HttpVersion {
    /// Every version with its word in a plan.
    pub const WORDS: &'static [(&'static str, Self)] = &[
        ("auto", Self::Auto),
        ("1.1", Self::Http1),
        ("2", Self::Http2),
        ("2-prior-knowledge", Self::Http2PriorKnowledge),
    ];
}

/// A content encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// RFC 1952.
    Gzip,
    /// RFC 7932.
    Brotli,
    /// RFC 1950 (zlib), as HTTP's `deflate` means.
    Deflate,
    /// RFC 8878.
    Zstd,
}

impl Encoding {
    /// Every encoding with its token in `accept-encoding`.
    pub const WORDS: &'static [(&'static str, Self)] = &[
        ("gzip", Self::Gzip),
        ("br", Self::Brotli),
        ("deflate", Self::Deflate),
        ("zstd", Self::Zstd),
    ];

    /// The token in `accept-encoding`.
    #[must_use]
    pub fn token(self) -> &'static str {
        Self::WORDS.iter().find(|(_, e)| *e == self).map_or("identity", |(word, _)| word)
    }
}

/// Certificates. The files are PEM and have been read, not yet parsed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tls {
    /// Certificate authorities to trust besides the system's.
    pub ca: Option<PemFile>,
    /// Certificate chain to show to the server; goes with `client_key`.
    pub client_cert: Option<PemFile>,
    /// Private key of `client_cert`.
    pub client_key: Option<PemFile>,
    /// Accept any certificate.
    pub insecure: bool,
    /// Name to ask for and to verify (SNI) instead of the URL's host.
    pub server_name: Option<Arc<str>>,
}

/// A file that has been read.
#[derive(Clone, PartialEq, Eq)]
pub struct PemFile {
    /// Where it was read from.
    pub path: Arc<str>,
    /// What stood in it.
    pub bytes: Arc<[u8]>,
}

/// The content stays out: it may be a private key.
impl fmt::Debug for PemFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PemFile({}, {} bytes)", self.path, self.bytes.len())
    }
}

/// An address to use instead of DNS, like curl's `--resolve`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaticHost {
    /// Host name, lower case.
    pub host: Arc<str>,
    /// Only for this port; `None` for all.
    pub port: Option<u16>,
    /// Addresses, tried in turn; at least one.
    pub addresses: Vec<IpAddr>,
}
