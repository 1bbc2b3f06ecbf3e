//! The words a circuit breaker speaks in.

use std::time::Duration;

/// What a circuit breaker does with calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// Lets all through and watches what they end like.
    Closed,
    /// Refuses all for a while.
    Open,
    /// Lets a few through, to see whether the backend is well again.
    HalfOpen,
    /// Refuses all until it is told otherwise.
    ForcedOpen,
    /// Lets all through until it is told otherwise, whatever they end like.
    ForcedClosed,
}

impl State {
    /// All states there are.
    pub const ALL: &[Self] =
        &[Self::Closed, Self::Open, Self::HalfOpen, Self::ForcedOpen, Self::ForcedClosed];

    /// Its name in metrics and logs, as `half_open`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
            Self::ForcedOpen => "forced_open",
            Self::ForcedClosed => "forced_closed",
        }
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// A step from one state to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Transition {
    /// The state that ended.
    pub from: State,
    /// The state that began. The same again only when a closed breaker is reset.
    pub to: State,
}

/// What a result says of the backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// The backend did what it is there for. That includes saying that the request was wrong.
    Success,
    /// The backend is not well.
    Failure,
    /// Nothing: not counted, as if the call had not been made.
    Ignored,
}

impl<T, E> From<&Result<T, E>> for Outcome {
    fn from(result: &Result<T, E>) -> Self {
        if result.is_ok() { Self::Success } else { Self::Failure }
    }
}

/// The refusal of a circuit breaker that is open, or half-open with all probes under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("circuit breaker is {state}: try again in {retry_after:?}")]
pub struct Refused {
    pub(super) state: State,
    pub(super) retry_after: Duration,
}

impl Refused {
    /// After how long it is worth to ask again. An estimate while half-open; `open_for` while
    /// forced open.
    #[must_use]
    pub fn retry_after(&self) -> Duration {
        self.retry_after
    }

    /// The same for the header `Retry-After`: whole seconds, rounded up, at least 1.
    #[must_use]
    pub fn retry_after_seconds(&self) -> u64 {
        crate::guard::whole_seconds(self.retry_after)
    }

    /// The state that refused.
    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }
}
