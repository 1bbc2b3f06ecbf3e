//! The settings of a retry policy, and the builder that refuses what cannot work.

use std::time::Duration;

use super::{Backoff, Budget, Retry};
use crate::{CircuitBreaker, Registry, error::BuildError};

/// Settings of a [`Retry`] in the making. Made by [`Retry::builder`].
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until `build`"]
pub struct RetryBuilder {
    pub(super) name: String,
    pub(super) attempts: u32,
    pub(super) backoff: Backoff,
    pub(super) budget: Option<Budget>,
    pub(super) longest_hint: Duration,
    pub(super) deadline: Option<Duration>,
    pub(super) breaker: Option<CircuitBreaker>,
    registry: Option<Registry>,
}

impl RetryBuilder {
    pub(super) fn new(name: String) -> Self {
        Self {
            name,
            attempts: 3,
            backoff: Backoff::default(),
            budget: Some(Budget::new()),
            longest_hint: Duration::from_secs(10),
            deadline: None,
            breaker: None,
            registry: None,
        }
    }

    /// Tries altogether, the first among them, at least 1. Default 3.
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// The waits between tries. Default: up to 50 ms, doubling, up to 2 s, with full jitter.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// How many retries all calls have together. Default: [`Budget::new`].
    pub fn budget(mut self, budget: Budget) -> Self {
        self.budget = Some(budget);
        self
    }

    /// Retries however many others do. In an outage every call then becomes as many as there are
    /// attempts.
    pub fn without_budget(mut self) -> Self {
        self.budget = None;
        self
    }

    /// The longest that [`Advice::RetryAfter`](super::Advice::RetryAfter) is waited for: asked to
    /// wait longer, the call fails at once. Default 10 s.
    pub fn longest_hint(mut self, longest: Duration) -> Self {
        self.longest_hint = longest;
        self
    }

    /// Begins no retry later than this after the first try began. A try under way is not cut off.
    /// Default: none.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Does not retry while this breaker would refuse the call anyway.
    pub fn breaker(mut self, breaker: &CircuitBreaker) -> Self {
        self.breaker = Some(breaker.clone());
        self
    }

    /// Shows the policy's metrics at `registry`.
    pub fn registry(mut self, registry: &Registry) -> Self {
        self.registry = Some(registry.clone());
        self
    }

    /// The policy.
    ///
    /// # Errors
    /// Names the first setting that cannot work.
    pub fn build(self) -> Result<Retry, BuildError> {
        if !(1..=100).contains(&self.attempts) {
            return Err(BuildError::new("attempts", self.attempts, "1 to 100"));
        }
        self.backoff.check()?;
        if self.deadline.is_some_and(|deadline| deadline.is_zero()) {
            let allowed = "a duration above 0; for no retries at all `attempts(1)`";
            return Err(BuildError::new("deadline", "0", allowed));
        }
        if let Some(budget) = self.budget {
            budget.check()?;
        }
        let registry = self.registry.clone();
        let retry = Retry::new(self);
        if let Some(registry) = registry {
            retry.register(&registry);
        }
        Ok(retry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_cannot_work_are_named() {
        let check = |builder: RetryBuilder, setting: &str| {
            assert_eq!(builder.build().expect_err(setting).setting(), setting);
        };
        let builder = || Retry::builder("r");
        let second = Duration::from_secs(1);
        check(builder().attempts(0), "attempts");
        check(builder().attempts(101), "attempts");
        check(builder().backoff(Backoff::exponential(second, second / 2)), "backoff");
        check(builder().backoff(Backoff::default().factor(0.5)), "backoff");
        check(builder().backoff(Backoff::constant(Duration::MAX)), "backoff");
        check(builder().deadline(Duration::ZERO), "deadline");
        check(builder().budget(Budget::new().ratio(-1.0)), "budget");
        check(builder().budget(Budget::new().per_second(f64::NAN)), "budget");
        check(builder().budget(Budget::new().window(Duration::ZERO)), "budget");
        assert!(builder().build().is_ok());
    }
}
