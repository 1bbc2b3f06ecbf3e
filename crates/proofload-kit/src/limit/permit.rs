//! A call that a limiter let through. Whatever way it ends, the permit comes back.

use std::{ops::Deref, sync::Arc};

use tokio::time::Instant;

use super::handle::Inner;

/// What an adaptive limit learns from the end of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lesson {
    /// Its latency.
    Latency,
    /// That it was too much.
    Overload,
    Nothing,
}

/// A permit, by any pointer to its limiter: an `Arc` where it must own, a borrow where it need not.
#[derive(Debug)]
pub(super) struct Held<P: Deref<Target = Inner>> {
    limiter: P,
    /// Read only where latencies matter.
    began: Option<Instant>,
    pub(super) lesson: Lesson,
}

impl<P: Deref<Target = Inner>> Held<P> {
    /// Of a permit that was taken.
    pub(super) fn new(limiter: P, lesson: Lesson) -> Self {
        let began = limiter.learns().then(Instant::now);
        Self { limiter, began, lesson }
    }

    /// Takes the lesson now, while the permit is still held; there is none at its end.
    pub(super) fn teach(&mut self, lesson: Lesson) {
        self.lesson = Lesson::Nothing;
        if let Some(began) = self.began
            && lesson != Lesson::Nothing
        {
            self.limiter.learn(began, lesson == Lesson::Overload);
        }
    }
}

impl<P: Deref<Target = Inner>> Drop for Held<P> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.teach(self.lesson);
        }
        self.limiter.give_back();
    }
}

/// A call that a [`Limiter`](super::Limiter) let through. Dropping it ends the call; the next in
/// line is woken.
#[derive(Debug)]
#[must_use = "the permit is given back as soon as it is dropped"]
pub struct LimiterPermit(pub(super) Held<Arc<Inner>>);

impl LimiterPermit {
    /// Ends the call and tells an adaptive limit that it was too much: it timed out, or the backend
    /// said that it is overloaded.
    pub fn overloaded(mut self) {
        self.0.lesson = Lesson::Overload;
    }

    /// Ends the call without an adaptive limit learning from its latency: it failed early, or was
    /// given up.
    pub fn ignore(mut self) {
        self.0.lesson = Lesson::Nothing;
    }
}
