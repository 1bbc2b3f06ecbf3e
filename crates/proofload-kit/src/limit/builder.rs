//! The settings of a limiter, and the builder that refuses what cannot work.

use std::time::Duration;

use super::{Adaptive, Limiter, semaphore::MOST};
use crate::{Registry, error::BuildError};

/// Who is next when a permit comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Order {
    /// Who came first. Fair; a newcomer is refused when the queue is full.
    #[default]
    Fifo,
    /// Who came last. In an overload it answers some in good time instead of all too late; when the
    /// queue is full, the one who has waited longest makes room.
    Lifo,
}

/// Settings of a [`Limiter`] in the making. Made by [`Limiter::builder`].
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until `build`"]
pub struct LimiterBuilder {
    pub(super) name: String,
    pub(super) limit: usize,
    pub(super) adaptive: Option<Adaptive>,
    pub(super) queue: usize,
    pub(super) deadline: Option<Duration>,
    pub(super) order: Order,
    registry: Option<Registry>,
}

impl LimiterBuilder {
    pub(super) fn new(name: String) -> Self {
        Self {
            name,
            limit: 64,
            adaptive: None,
            queue: 0,
            deadline: None,
            order: Order::default(),
            registry: None,
        }
    }

    /// Calls at a time, at least 1. Default 64.
    pub fn limit(mut self, calls: usize) -> Self {
        self.limit = calls;
        self.adaptive = None;
        self
    }

    /// Finds by itself how many calls at a time.
    pub fn adaptive(mut self, adaptive: Adaptive) -> Self {
        self.adaptive = Some(adaptive);
        self
    }

    /// Callers that may wait for a permit. Default 0: who finds none is refused.
    pub fn queue(mut self, callers: usize) -> Self {
        self.queue = callers;
        self
    }

    /// The longest that a caller waits. Default: as long as it takes. Needs tokio's timer.
    pub fn deadline(mut self, longest: Duration) -> Self {
        self.deadline = Some(longest);
        self
    }

    /// Who is next when a permit comes back. Default: who came first.
    pub fn order(mut self, order: Order) -> Self {
        self.order = order;
        self
    }

    /// Shows the limiter's metrics at `registry`.
    pub fn registry(mut self, registry: &Registry) -> Self {
        self.registry = Some(registry.clone());
        self
    }

    /// The limiter.
    ///
    /// # Errors
    /// Names the first setting that cannot work.
    pub fn build(self) -> Result<Limiter, BuildError> {
        if !(1..=MOST).contains(&self.limit) {
            return Err(BuildError::new("limit", self.limit, "1 to 2^31 - 1"));
        }
        if let Some(adaptive) = &self.adaptive {
            adaptive.check()?;
        }
        if self.deadline.is_some_and(|deadline| deadline.is_zero()) {
            return Err(BuildError::new(
                "deadline",
                "0",
                "a duration above 0; for no waiting at all a queue of 0",
            ));
        }
        let registry = self.registry.clone();
        let limiter = Limiter::new(self);
        if let Some(registry) = registry {
            limiter.register(&registry);
        }
        Ok(limiter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_cannot_work_are_named() {
        let check = |builder: LimiterBuilder, setting: &str| {
            assert_eq!(builder.build().expect_err(setting).setting(), setting);
        };
        let builder = || Limiter::builder("l");
        check(builder().limit(0), "limit");
        check(builder().limit(usize::MAX), "limit");
        check(builder().deadline(Duration::ZERO), "deadline");
        check(builder().adaptive(Adaptive::aimd().between(0, 1)), "adaptive");
        assert!(builder().build().is_ok());
    }
}
