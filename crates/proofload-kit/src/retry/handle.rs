//! The retry policy as services hold it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep};

use super::{Advice, Backoff, RetryBuilder, RetryStats, budget::Account, stats::Counts};
use crate::{CallError, CircuitBreaker, Registry};

/// A retry policy. Cheap to clone; clones share its budget.
///
/// See the [module](super) for an example.
#[derive(Debug, Clone)]
pub struct Retry {
    inner: Arc<Inner>,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) name: String,
    attempts: u32,
    backoff: Backoff,
    longest_hint: Duration,
    deadline: Option<Duration>,
    breaker: Option<CircuitBreaker>,
    account: Option<Mutex<Account>>,
    pub(super) counts: Counts,
}

/// Why a call that failed was not tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GivenUp {
    Attempts,
    Advice,
    Hint,
    Deadline,
    Breaker,
    Budget,
}

impl Retry {
    /// Settings for a policy of this name, which is the label of its metrics.
    pub fn builder(name: impl Into<String>) -> RetryBuilder {
        RetryBuilder::new(name.into())
    }

    pub(super) fn new(builder: RetryBuilder) -> Self {
        let RetryBuilder {
            name, attempts, backoff, budget, longest_hint, deadline, breaker, ..
        } = builder;
        let account = budget.map(|budget| Mutex::new(Account::new(budget, Instant::now())));
        let counts = Counts::default();
        Self {
            inner: Arc::new(Inner {
                name,
                attempts,
                backoff,
                longest_hint,
                deadline,
                breaker,
                account,
                counts,
            }),
        }
    }

    pub(super) fn register(&self, registry: &Registry) {
        let inner: Arc<Inner> = Arc::clone(&self.inner);
        let part: Arc<dyn crate::registry::Component> = inner;
        registry.add(Arc::downgrade(&part));
    }

    /// The name it was given.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// Makes a call, and again after an error, any error. `call` is given the number of the try,
    /// from 1. Calls through a breaker or a limiter go by [`call_guarded`](Self::call_guarded).
    ///
    /// # Errors
    /// The error of the last try.
    pub async fn call<T, E, Fut>(&self, call: impl FnMut(u32) -> Fut) -> Result<T, E>
    where
        Fut: Future<Output = Result<T, E>>,
    {
        self.call_when(call, |_| true).await
    }

    /// As [`call`](Self::call), for calls through a [`CircuitBreaker`] or a [`Limiter`](crate::Limiter): what
    /// they refuse is not tried again, which is what they refuse it for.
    ///
    /// ```
    /// use proofload_kit::{CallError, CircuitBreaker, Retry};
    ///
    /// # async fn query(id: u32) -> Result<String, std::io::Error> { Ok("Ada".to_owned()) }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (breaker, retry) =
    ///     (CircuitBreaker::builder("users").build()?, Retry::builder("users").build()?);
    /// let ask = || retry.call_guarded(|_| breaker.call(query(7)));
    /// assert_eq!(ask().await?, "Ada");
    ///
    /// breaker.force_open();
    /// assert!(matches!(ask().await, Err(CallError::Refused(_))));
    /// assert_eq!(retry.stats().retries, 0);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The error of the last try, or the refusal.
    pub async fn call_guarded<T, E, R, Fut>(
        &self,
        call: impl FnMut(u32) -> Fut,
    ) -> Result<T, CallError<E, R>>
    where
        Fut: Future<Output = Result<T, CallError<E, R>>>,
    {
        self.call_when(call, |error| Advice::guarded(error, |_| true)).await
    }

    /// As [`call`](Self::call), again only where `when` says so: with `true`, or with an
    /// [`Advice`].
    ///
    /// ```
    /// use std::time::Duration;
    /// use proofload_kit::retry::{Advice, Retry};
    ///
    /// struct Error { status: u16, retry_after: Option<Duration> }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let retry = Retry::builder("users").build()?;
    /// let answer = retry
    ///     .call_when(
    ///         |_| async { Err::<(), _>(Error { status: 404, retry_after: None }) },
    ///         |error| match error {
    ///             Error { retry_after: Some(wait), .. } => Advice::RetryAfter(*wait),
    ///             Error { status: 502..=504, .. } => Advice::Retry,
    ///             _ => Advice::Stop,
    ///         },
    ///     )
    ///     .await;
    /// assert_eq!(answer.map_err(|error| error.status), Err(404));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The error of the last try.
    pub async fn call_when<T, E, Fut, A>(
        &self,
        mut call: impl FnMut(u32) -> Fut,
        mut when: impl FnMut(&E) -> A,
    ) -> Result<T, E>
    where
        Fut: Future<Output = Result<T, E>>,
        A: Into<Advice>,
    {
        let mut course = self.begin();
        loop {
            let error = match call(course.attempt).await {
                Ok(value) => {
                    course.succeeded();
                    return Ok(value);
                }
                Err(error) => error,
            };
            if !course.again(when(&error).into()).await {
                return Err(error);
            }
        }
    }

    /// The first try of a call begins.
    pub(super) fn begin(&self) -> Course<'_> {
        let now = Instant::now();
        self.inner.counts.calls.add(1);
        if let Some(account) = &self.inner.account {
            account.lock().unwrap_or_else(PoisonError::into_inner).deposit(now);
        }
        Course { policy: &self.inner, attempt: 1, began: now }
    }

    /// What it counts.
    #[must_use]
    pub fn stats(&self) -> RetryStats {
        self.inner.stats()
    }
}

/// A call on its way through its tries.
#[derive(Debug)]
pub(super) struct Course<'a> {
    policy: &'a Inner,
    pub(super) attempt: u32,
    began: Instant,
}

impl Course<'_> {
    pub(super) fn succeeded(&self) {
        if self.attempt > 1 {
            self.policy.counts.recovered.add(1);
        }
    }

    /// After a try that failed: waits and says yes, or says no at once.
    pub(super) async fn again(&mut self, advice: Advice) -> bool {
        let Some(wait) = self.wait_after(advice) else { return false };
        self.pause(wait).await;
        // It may have opened while this call waited; then the budget has paid for a retry nobody
        // made.
        if self.breaker_refuses() {
            self.policy.counts.given_up(GivenUp::Breaker);
            return false;
        }
        self.next();
        true
    }

    /// How long to wait before the next try, if there is to be one. The budget has paid for it then.
    pub(super) fn wait_after(&self, advice: Advice) -> Option<Duration> {
        let decided = self.decide(advice);
        decided.map_err(|why| self.policy.counts.given_up(why)).ok()
    }

    pub(super) async fn pause(&self, wait: Duration) {
        tracing::debug!(
            retry = self.policy.name,
            attempt = self.attempt,
            ?wait,
            "call failed, trying again"
        );
        if !wait.is_zero() {
            sleep(wait).await;
        }
    }

    /// The next try begins.
    pub(super) fn next(&mut self) {
        self.attempt += 1;
        self.policy.counts.retries.add(1);
    }

    fn decide(&self, advice: Advice) -> Result<Duration, GivenUp> {
        let policy = self.policy;
        if advice == Advice::Stop {
            return Err(GivenUp::Advice);
        }
        if self.attempt >= policy.attempts {
            return Err(GivenUp::Attempts);
        }
        let mut wait = policy.backoff.wait(self.attempt, fastrand::f64());
        if let Advice::RetryAfter(hint) = advice {
            if hint > policy.longest_hint {
                return Err(GivenUp::Hint);
            }
            // After what the server asked for, not at it: the others heard the same.
            wait = wait.saturating_add(hint);
        }
        let now = Instant::now();
        let begins_after = now.saturating_duration_since(self.began).saturating_add(wait);
        if policy.deadline.is_some_and(|deadline| begins_after > deadline) {
            return Err(GivenUp::Deadline);
        }
        if self.breaker_refuses() {
            return Err(GivenUp::Breaker);
        }
        match &policy.account {
            Some(account)
                if !account.lock().unwrap_or_else(PoisonError::into_inner).withdraw(now) =>
            {
                Err(GivenUp::Budget)
            }
            _ => Ok(wait),
        }
    }

    /// Also when the wait would outlast the open time: callers are to hear of an outage at once,
    /// and who probes the backend should be a call of its own.
    fn breaker_refuses(&self) -> bool {
        self.policy.breaker.as_ref().is_some_and(|breaker| breaker.refusal().is_some())
    }
}

impl Inner {
    pub(super) fn balance(&self) -> Option<f64> {
        let account = self.account.as_ref()?;
        Some(account.lock().unwrap_or_else(PoisonError::into_inner).balance(Instant::now()))
    }
}

#[cfg(test)]
#[path = "handle_tests.rs"]
mod tests;
