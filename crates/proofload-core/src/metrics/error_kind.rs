//! The closed vocabulary of what can go wrong with a request.
//!
//! Every failure a report shows is counted under exactly one of these kinds. The set is closed on
//! purpose: counting is an array index on the hot path, and memory cannot grow with the number of
//! different messages a broken server invents. The message itself is kept as a bounded sample.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;

macro_rules! error_kinds {
    ($($(#[$doc:meta])* $variant:ident => ($id:literal, $words:literal),)*) => {
        /// The kind of a failed request.
        ///
        /// The identifier ([`ErrorKind::id`]) is stable and machine-readable; the words
        /// ([`ErrorKind::words`]) are for people.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum ErrorKind {
            $($(#[$doc])* $variant,)*
        }

        impl ErrorKind {
            /// Every kind, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];
            /// How many kinds there are.
            pub const COUNT: usize = Self::ALL.len();

            /// Stable identifier, as it stands in `result.json`.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Self::$variant => $id,)* }
            }

            /// The kind in words, as a person reads it.
            #[must_use]
            pub const fn words(self) -> &'static str {
                match self { $(Self::$variant => $words,)* }
            }

            /// The kind with this stable identifier.
            #[must_use]
            pub fn from_id(id: &str) -> Option<Self> {
                match id { $($id => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

error_kinds! {
    /// The host name could not be resolved.
    Dns => ("dns", "DNS lookup failed"),
    /// The target answered the connection attempt with a reset.
    ConnectRefused => ("connect_refused", "connection refused"),
    /// No connection within the connect timeout.
    ConnectTimeout => ("connect_timeout", "connect timed out"),
    /// Any other failure to connect: no route, network down.
    ConnectFailed => ("connect_failed", "could not connect"),
    /// `EADDRNOTAVAIL`: this machine has no free local port left for the target.
    PortsExhausted => ("ports_exhausted", "out of local ports (generator)"),
    /// `EMFILE`/`ENFILE`: this process may not open more descriptors.
    TooManyOpenFiles => ("too_many_open_files", "out of file descriptors (generator)"),
    /// Handshake or certificate failure.
    Tls => ("tls", "TLS failed"),
    /// The connection was reset while a request was in flight.
    Reset => ("reset", "connection reset"),
    /// The server closed the connection before the first byte of an answer.
    Closed => ("closed", "connection closed before an answer"),
    /// The answer ended before its announced length.
    Truncated => ("truncated", "answer cut off"),
    /// No complete answer within the request timeout.
    Timeout => ("timeout", "timed out"),
    /// The answer is not valid HTTP.
    Malformed => ("malformed", "malformed answer"),
    /// The answer's head is larger than allowed.
    HeadTooLarge => ("head_too_large", "answer headers too large"),
    /// The body had to be kept for a check or an extraction and is larger than allowed.
    BodyTooLarge => ("body_too_large", "answer body too large"),
    /// The body's content encoding could not be undone.
    Decode => ("decode", "answer could not be decompressed"),
    /// An HTTP/2 protocol error, `GOAWAY` or stream reset.
    Http2 => ("http2", "HTTP/2 error"),
    /// More redirects than allowed, or one that cannot be followed.
    Redirect => ("redirect", "redirect could not be followed"),
    /// Status 4xx.
    Http4xx => ("http_4xx", "HTTP 4xx"),
    /// Status 5xx.
    Http5xx => ("http_5xx", "HTTP 5xx"),
    /// A check on the answer failed.
    CheckFailed => ("check_failed", "check failed"),
    /// A value to be extracted was not in the answer.
    ExtractFailed => ("extract_failed", "value to extract not found"),
    /// The request could not be built: missing variable, illegal header value, bad URL.
    Request => ("request", "request could not be built"),
    /// User code returned an error of its own.
    Script => ("script", "user code failed"),
    /// Any other input or output error.
    Io => ("io", "I/O error"),
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

/// The stable identifier.
impl Serialize for ErrorKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}

/// A kind that this build does not know is read as [`ErrorKind::Io`].
impl<'de> Deserialize<'de> for ErrorKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        if id.is_empty() {
            return Err(de::Error::custom("an error kind is empty"));
        }
        Ok(Self::from_id(&id).unwrap_or(Self::Io))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_found_again() {
        for &kind in ErrorKind::ALL {
            assert_eq!(ErrorKind::from_id(kind.id()), Some(kind));
        }
        let ids: std::collections::HashSet<_> = ErrorKind::ALL.iter().map(|k| k.id()).collect();
        assert_eq!(ids.len(), ErrorKind::COUNT);
        assert_eq!(ErrorKind::from_id("no such kind"), None);
    }

    #[test]
    fn the_discriminant_is_the_index() {
        for (index, &kind) in ErrorKind::ALL.iter().enumerate() {
            assert_eq!(kind as usize, index);
        }
    }
}
