//! What a user can set about the client: limits, keep-alive, version, TLS, names.

use std::net::IpAddr;
use std::time::Duration;

use proofload_core::plan::PemFile;

/// Settings of the HTTP client, shared by all virtual users of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientSettings {
    /// Longest time for one exchange, from its start (including DNS, connect and TLS) to the last
    /// byte of the answer. A request may carry its own.
    pub timeout: Duration,
    /// Longest time for DNS, TCP connect and TLS handshake together.
    pub connect_timeout: Duration,
    /// Largest answer head (status line, headers, and the trailers of a chunked body), in bytes.
    pub max_head_bytes: usize,
    /// Largest answer body that is kept for inspection, in bytes, after decompression. Bodies
    /// that are only counted have no limit.
    pub max_kept_body_bytes: usize,
    /// Reuse connections. Without, every request says `Connection: close`.
    pub keep_alive: bool,
    /// Which versions of HTTP to speak.
    pub version: HttpVersion,
    /// How to secure `https` connections.
    pub tls: TlsSettings,
    /// Value of `Accept-Encoding` unless a request brings its own; `None` sends no such header.
    pub accept_encoding: Option<String>,
    /// Value of `User-Agent` unless a request brings its own; `None` sends `proofload/VERSION`.
    pub user_agent: Option<String>,
    /// Keep cookies per virtual user and send them back.
    pub cookies: bool,
    /// Name resolution.
    pub dns: DnsSettings,
    /// Local address to connect from.
    pub local_address: Option<IpAddr>,
}

impl Default for ClientSettings {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            max_head_bytes: 64 * 1024,
            max_kept_body_bytes: 16 * 1024 * 1024,
            keep_alive: true,
            version: HttpVersion::Auto,
            tls: TlsSettings::default(),
            accept_encoding: Some("gzip, deflate, br, zstd".to_owned()),
            user_agent: None,
            cookies: false,
            dns: DnsSettings::default(),
            local_address: None,
        }
    }
}

/// Which versions of HTTP the client speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HttpVersion {
    /// HTTP/2 where a TLS server chooses it by ALPN, HTTP/1.1 everywhere else.
    #[default]
    Auto,
    /// HTTP/1.1 only; ALPN offers nothing else.
    Http1,
    /// HTTP/2 only: without TLS by prior knowledge, with TLS a server that does not choose it is
    /// an error.
    Http2,
}

/// How `https` connections are secured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsSettings {
    /// Certificate authorities to trust besides the system's.
    pub ca: Vec<PemFile>,
    /// Certificate chain and key to present to the server.
    pub client_certificate: Option<ClientCertificate>,
    /// Accept any certificate. For test systems only.
    pub insecure: bool,
    /// Name to send as SNI and to verify, instead of the host of the URL.
    pub server_name: Option<String>,
    /// Resume sessions: after a first full handshake the users of a worker make short ones, as
    /// returning visitors do. Without, every connection costs the server a full handshake.
    pub resumption: bool,
}

impl Default for TlsSettings {
    fn default() -> Self {
        Self {
            ca: Vec::new(),
            client_certificate: None,
            insecure: false,
            server_name: None,
            resumption: true,
        }
    }
}

/// PEM files of a client certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// Certificate chain, leaf first.
    pub chain: PemFile,
    /// Private key (PKCS#8, PKCS#1 or SEC1).
    pub key: PemFile,
}

/// Name resolution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsSettings {
    /// How long an answer is reused within a worker; zero looks up for every connection.
    pub cache_ttl: Duration,
    /// Fixed addresses of host names (without port), like lines in a hosts file. Several lines
    /// for one name are tried in order.
    pub hosts: Vec<(String, IpAddr)>,
}

impl Default for DnsSettings {
    fn default() -> Self {
        Self { cache_ttl: Duration::from_secs(300), hosts: Vec::new() }
    }
}
