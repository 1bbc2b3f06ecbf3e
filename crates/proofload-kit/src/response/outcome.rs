//! How a request was answered, told to the client, to other layers and by the handler.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use http::{HeaderName, HeaderValue};

/// The header that tells the client.
pub(super) const X_CACHE: HeaderName = HeaderName::from_static("x-cache");

/// How a request was answered. In the extensions of every response, and in its header `x-cache`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CacheOutcome {
    /// From the cache, or by the load of another request.
    Hit,
    /// By the service, and kept if that is allowed.
    Miss,
    /// From the cache, though the answer is no longer fresh.
    Stale,
    /// By the service, without asking the cache: the request or the answer is not for sharing.
    Bypass,
}

impl CacheOutcome {
    /// The value of the header: `HIT`, `MISS`, `STALE` or `BYPASS`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "HIT",
            Self::Miss => "MISS",
            Self::Stale => "STALE",
            Self::Bypass => "BYPASS",
        }
    }

    pub(super) fn header(self) -> HeaderValue {
        HeaderValue::from_static(self.as_str())
    }
}

impl fmt::Display for CacheOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// In the extensions of every request: handlers that cache for themselves say here how it went, and clients read it
/// in `x-cache`.
///
/// ```
/// use http::Request;
/// use proofload_kit::response::CacheStatus;
///
/// fn handler(request: &Request<()>) {
///     if let Some(status) = request.extensions().get::<CacheStatus>() {
///         status.hit();
///     }
/// }
/// # handler(&Request::new(()));
/// ```
#[derive(Debug, Clone, Default)]
pub struct CacheStatus(Arc<AtomicU8>);

impl CacheStatus {
    /// The handler found its answer in a cache of its own.
    pub fn hit(&self) {
        self.set(1);
    }

    /// The handler looked into a cache of its own in vain.
    pub fn miss(&self) {
        self.set(2);
    }

    /// The handler answered with something from a cache of its own that is no longer fresh.
    pub fn stale(&self) {
        self.set(3);
    }

    fn set(&self, value: u8) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// What the handler said.
    #[must_use]
    pub fn said(&self) -> Option<CacheOutcome> {
        match self.0.load(Ordering::Relaxed) {
            1 => Some(CacheOutcome::Hit),
            2 => Some(CacheOutcome::Miss),
            3 => Some(CacheOutcome::Stale),
            _ => None,
        }
    }
}
