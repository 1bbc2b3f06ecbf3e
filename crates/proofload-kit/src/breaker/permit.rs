//! A call that a breaker let through. Whatever way it ends, also by a panic or by nobody wanting
//! its result any more, the permit comes back.

use std::{ops::Deref, sync::Arc};

use tokio::time::Instant;

use super::{
    Outcome,
    handle::Inner,
    machine::{Ending, Ticket},
};

/// A call under way, by any pointer to its breaker: an `Arc` where it must own, a borrow where it
/// need not.
#[derive(Debug)]
pub(super) struct Pass<P: Deref<Target = Inner>> {
    breaker: P,
    ticket: Ticket,
    /// Read only where slow calls matter.
    began: Option<Instant>,
    /// What to say when it is dropped: `None` once it has been said.
    on_drop: Option<Ending>,
}

impl<P: Deref<Target = Inner>> Pass<P> {
    pub(super) fn new(breaker: P, ticket: Ticket, began: Option<Instant>) -> Self {
        Self { breaker, ticket, began, on_drop: Some(Ending::Cancelled) }
    }

    /// From here on a drop says nothing of the backend: its answer is there, and other code looks
    /// at it.
    pub(super) fn answered(&mut self) -> &mut Self {
        self.on_drop = Some(Ending::Ignored);
        self
    }

    /// Around code that may panic where the permit is kept: a drop after that counts as failed.
    #[cfg(feature = "tower")]
    pub(super) fn running(&mut self, running: bool) {
        self.on_drop = Some(if running { Ending::Failure } else { Ending::Cancelled });
    }

    pub(super) fn end(mut self, outcome: Outcome) {
        self.on_drop = None;
        let ending = match outcome {
            Outcome::Success => Ending::Success,
            Outcome::Failure => Ending::Failure,
            Outcome::Ignored => Ending::Ignored,
        };
        self.breaker.record(self.ticket, ending, self.began);
    }
}

impl<P: Deref<Target = Inner>> Drop for Pass<P> {
    fn drop(&mut self) {
        let ending = match self.on_drop {
            None => return,
            // The protected call itself panicked.
            Some(Ending::Cancelled) if std::thread::panicking() => Ending::Failure,
            Some(ending) => ending,
        };
        self.breaker.record(self.ticket, ending, self.began);
    }
}

/// A call that a [`CircuitBreaker`](super::CircuitBreaker) let through, until it is told how it
/// ended.
///
/// Dropped without a word, the call counts as given up: it is ignored, unless it had already taken
/// longer than a slow call may (then it counts as slow) or the thread is panicking (then it counts
/// as failed).
#[derive(Debug)]
#[must_use = "dropping the permit at once means that the call was given up"]
pub struct CircuitBreakerPermit(pub(super) Pass<Arc<Inner>>);

impl CircuitBreakerPermit {
    /// The backend did what it is there for.
    pub fn success(self) {
        self.0.end(Outcome::Success);
    }

    /// The backend is not well.
    pub fn failure(self) {
        self.0.end(Outcome::Failure);
    }

    /// The call says nothing about the backend.
    pub fn ignore(self) {
        self.0.end(Outcome::Ignored);
    }

    /// Any of the three.
    pub fn record(self, outcome: Outcome) {
        self.0.end(outcome);
    }

    /// Asks `classify` what a result says of the backend. Should it panic, the call is ignored.
    pub fn classify<R>(mut self, result: &R, classify: impl FnOnce(&R) -> Outcome) {
        self.0.answered();
        let outcome = classify(result);
        self.0.end(outcome);
    }
}
