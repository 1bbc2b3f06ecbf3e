//! The vocabulary of one exchange: how it ended, how long its parts took, how many bytes it moved.

use std::borrow::Cow;
use std::fmt;
use std::time::{Duration, Instant};

use proofload_core::metrics::ErrorKind;

/// What to do with the answer's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyUse {
    /// Count its bytes and forget them: an answer of any size takes no memory.
    Discard,
    /// Keep it for inspection, decompressed, up to the client's `max_kept_body_bytes`.
    Keep,
}

/// The version of HTTP an exchange used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// HTTP/1.0, said by the server.
    Http10,
    /// HTTP/1.1.
    #[default]
    Http11,
    /// HTTP/2.
    Http2,
}

impl Protocol {
    /// The version as it stands on a status line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http10 => "HTTP/1.0",
            Self::Http11 => "HTTP/1.1",
            Self::Http2 => "HTTP/2.0",
        }
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Under which kind it is counted.
    pub kind: ErrorKind,
    /// What exactly happened, for the sample in the report.
    pub detail: Cow<'static, str>,
}

impl Failure {
    /// A failure of a kind with its detail.
    pub fn new(kind: ErrorKind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, detail: detail.into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.detail)
    }
}

impl std::error::Error for Failure {}

/// How long the parts of an exchange took. The parts of a failed exchange are those up to the
/// failure.
#[derive(Clone, Copy, Debug)]
pub struct Timings {
    /// When the exchange began (before DNS and connect).
    pub started: Instant,
    /// When the last byte had arrived or the failure was known.
    pub finished: Instant,
    /// Name lookup, if one was made for this exchange.
    pub dns: Option<Duration>,
    /// TCP connect, if a connection was opened for this exchange.
    pub connect: Option<Duration>,
    /// TLS handshake, if one was made for this exchange.
    pub tls: Option<Duration>,
    /// From having a connection to having handed the last byte of the request to the system.
    pub send: Duration,
    /// From then to the first byte of the answer.
    pub wait: Duration,
    /// From the first byte to the last. Zero when the whole answer arrived in one read.
    pub receive: Duration,
}

impl Timings {
    pub(crate) const fn new(started: Instant) -> Self {
        Self {
            started,
            finished: started,
            dns: None,
            connect: None,
            tls: None,
            send: Duration::ZERO,
            wait: Duration::ZERO,
            receive: Duration::ZERO,
        }
    }

    /// From start to finish.
    #[must_use]
    pub fn total(&self) -> Duration {
        self.finished.saturating_duration_since(self.started)
    }
}

/// One exchange with a server: exactly one request on the wire, or two when `reconnected`.
#[derive(Debug)]
pub struct Exchange<R> {
    /// Status and what `inspect` returned, or why there is no answer.
    pub outcome: Result<(u16, R), Failure>,
    /// How long the parts took.
    pub timings: Timings,
    /// Bytes of head and body handed to the system (HTTP/2: of the messages, before compression
    /// of headers and framing).
    pub bytes_sent: u64,
    /// Bytes of head and body received, as on the wire (HTTP/2: of the message, as above; TLS:
    /// inside the encryption).
    pub bytes_received: u64,
    /// A connection was opened for this exchange; one that was refused was not.
    pub new_connection: bool,
    /// The kept connection turned out to be closed by the server after the request was (perhaps)
    /// written, and the request was sent once more on a fresh one.
    pub reconnected: bool,
    /// Bytes that followed the complete answer although nothing was asked. The answer counts as
    /// valid, because its length was; the connection is closed, because its next answer could not
    /// be trusted.
    pub surplus_bytes: u64,
    /// The version of HTTP spoken.
    pub protocol: Protocol,
}

/// Everything measured about an exchange while it runs; becomes an [`Exchange`].
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) timings: Timings,
    pub(crate) bytes_sent: u64,
    pub(crate) bytes_received: u64,
    pub(crate) new_connection: bool,
    pub(crate) reconnected: bool,
    pub(crate) surplus_bytes: u64,
    pub(crate) protocol: Protocol,
}

impl Record {
    pub(crate) const fn new(started: Instant) -> Self {
        Self {
            timings: Timings::new(started),
            bytes_sent: 0,
            bytes_received: 0,
            new_connection: false,
            reconnected: false,
            surplus_bytes: 0,
            protocol: Protocol::Http11,
        }
    }

    pub(crate) fn finish<R>(self, outcome: Result<(u16, R), Failure>) -> Exchange<R> {
        Exchange {
            outcome,
            timings: self.timings,
            bytes_sent: self.bytes_sent,
            bytes_received: self.bytes_received,
            new_connection: self.new_connection,
            reconnected: self.reconnected,
            surplus_bytes: self.surplus_bytes,
            protocol: self.protocol,
        }
    }
}
