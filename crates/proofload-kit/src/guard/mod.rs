//! What breaker, limiter and retry have in common: the error of a guarded call, and around tower
//! services what a result says and how a refusal reaches the caller.
//!
//! - `apart`: memory on cache lines of its own; `ring`: counters over a rolling stretch of time; `striped`: counters that do not bounce
//!   between cores;
//! - `answer`: refusals as errors or as responses; `classify`: what results say.

#[cfg(feature = "tower")]
mod answer;
mod apart;
#[cfg(feature = "tower")]
mod classify;
mod ring;
mod striped;

#[cfg(feature = "tower")]
pub(crate) use answer::retry_after_of;
#[cfg(feature = "tower")]
pub use answer::{Answer, AsError, AsResponse, Refusal};
pub(crate) use apart::Apart;
#[cfg(feature = "tower")]
pub use classify::{ByOverload, ByResult, ByStatus, Classify, OnlySuccess};
pub(crate) use ring::{Ring, SLOTS};
pub(crate) use striped::{STRIPES, Striped, number_of_thread, stripe_of_thread};

use crate::breaker::Refused;

/// Why a guarded call has no result: the guard refused it, or it was made and failed.
///
/// There is no third way, now or later: so it is not `#[non_exhaustive]`, and a `match` can be complete.
///
/// `R` is the guard's refusal: [`breaker::Refused`](crate::breaker::Refused) of a circuit breaker (the default),
/// [`limit::Refused`](crate::limit::Refused) of a limiter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError<E, R = Refused> {
    /// The call was not made.
    #[error(transparent)]
    Refused(R),
    /// The call was made and ended with this error.
    #[error(transparent)]
    Failed(E),
}

impl<E, R> CallError<E, R> {
    /// The error of the call, unless the guard refused it.
    pub fn into_failed(self) -> Option<E> {
        match self {
            Self::Failed(error) => Some(error),
            Self::Refused(_) => None,
        }
    }

    /// Whether the guard refused the call, so that the backend never saw it.
    pub fn is_refused(&self) -> bool {
        matches!(self, Self::Refused(_))
    }
}

/// Whole seconds, rounded up: who comes earlier is refused again. At least 1, as 0 would mean at
/// once.
pub(crate) fn whole_seconds(wait: std::time::Duration) -> u64 {
    wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1)
}

/// Runs code of the user that must not take the guard down with it: an observer may be called from
/// a `drop` during unwinding, where a second panic would abort the process.
pub(crate) fn shielded(what: &'static str, name: &str, code: impl FnOnce()) {
    if std::panic::catch_unwind(std::panic::AssertUnwindSafe(code)).is_err() {
        tracing::error!(guard = name, "{what} panicked; the guard goes on without it");
    }
}
