//! The limiter as services hold it.

use std::{
    sync::{Arc, Mutex, PoisonError, TryLockError},
    time::Duration,
};

use tokio::time::Instant;

use super::{
    CallError, LimiterBuilder, LimiterPermit, LimiterStats,
    adaptive::{Estimator, Sample},
    pace::Pace,
    permit::{Held, Lesson},
    semaphore::{Returned, Semaphore},
    stats::Counts,
};
use crate::{Registry, guard::Apart};

/// A limit of calls at a time with a bounded queue. Cheap to clone; clones are the same limiter.
///
/// See the [module](super) for an example.
#[derive(Debug, Clone)]
pub struct Limiter {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) name: String,
    pub(super) semaphore: Semaphore,
    deadline: Option<Duration>,
    estimator: Option<Box<Apart<Mutex<Estimator>>>>,
    pace: Apart<Pace>,
    /// What the pace counts its times from.
    epoch: Instant,
    pub(super) counts: Counts,
}

/// Why a limiter refused a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RefusedReason {
    /// All permits were in use and the queue was full, or there is none; or it had to make room in
    /// a queue that serves the last first.
    Full,
    /// No permit came within the deadline.
    Deadline,
}

impl RefusedReason {
    /// Its name in metrics: `full` or `deadline`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Deadline => "deadline",
        }
    }
}

/// The refusal of a limiter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}: try again in {retry_after:?}", match .reason {
    RefusedReason::Full => "too many calls at a time",
    RefusedReason::Deadline => "no permit within the deadline",
})]
pub struct Refused {
    reason: RefusedReason,
    retry_after: Duration,
}

impl Refused {
    /// Why.
    #[must_use]
    pub fn reason(&self) -> RefusedReason {
        self.reason
    }

    /// After how long a permit may be expected by the pace at which they came back lately: an
    /// estimate, a second as long as nobody has waited yet, at most a minute.
    #[must_use]
    pub fn retry_after(&self) -> Duration {
        self.retry_after
    }

    /// The same for the header `Retry-After`: whole seconds, rounded up, at least 1.
    #[must_use]
    pub fn retry_after_seconds(&self) -> u64 {
        crate::guard::whole_seconds(self.retry_after)
    }
}

impl Limiter {
    /// Settings for a limiter of this name, which is the label of its metrics.
    pub fn builder(name: impl Into<String>) -> LimiterBuilder {
        LimiterBuilder::new(name.into())
    }

    pub(super) fn new(builder: LimiterBuilder) -> Self {
        let LimiterBuilder { name, limit, adaptive, queue, deadline, order, .. } = builder;
        let limit = adaptive.as_ref().map_or(limit, super::Adaptive::first);
        let inner = Inner {
            name,
            semaphore: Semaphore::new(limit, queue, order),
            deadline,
            estimator: adaptive
                .map(|adaptive| Box::new(Apart(Mutex::new(Estimator::new(adaptive))))),
            pace: Apart::default(),
            epoch: Instant::now(),
            counts: Counts::default(),
        };
        Self { inner: Arc::new(inner) }
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

    /// A permit, at once or after waiting in the queue. Dropping the future leaves the queue.
    ///
    /// # Errors
    /// [`Refused`] when the queue is full or the deadline passes.
    pub async fn acquire(&self) -> Result<LimiterPermit, Refused> {
        self.inner.enter(self.inner.deadline).await?;
        Ok(self.permit())
    }

    /// As [`acquire`](Self::acquire), waiting no longer than `longest`, whatever the limiter's own
    /// deadline.
    ///
    /// # Errors
    /// As [`acquire`](Self::acquire).
    pub async fn acquire_within(&self, longest: Duration) -> Result<LimiterPermit, Refused> {
        self.inner.enter(Some(longest)).await?;
        Ok(self.permit())
    }

    /// A permit if there is one that nobody waits for.
    ///
    /// # Errors
    /// [`Refused`] if not.
    pub fn try_acquire(&self) -> Result<LimiterPermit, Refused> {
        if self.inner.try_enter() {
            Ok(self.permit())
        } else {
            Err(self.inner.refuse(RefusedReason::Full))
        }
    }

    /// Of a permit that was taken.
    pub(super) fn permit(&self) -> LimiterPermit {
        LimiterPermit(Held::new(Arc::clone(&self.inner), Lesson::Latency))
    }

    /// Makes a call as soon as there is a permit. An adaptive limit learns from the latency of
    /// calls that succeed.
    ///
    /// # Errors
    /// [`CallError::Refused`] without making the call, [`CallError::Failed`] with the call's own
    /// error.
    pub async fn call<T, E>(
        &self,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, CallError<E, Refused>> {
        self.inner.enter(self.inner.deadline).await.map_err(CallError::Refused)?;
        let mut held = Held::new(&*self.inner, Lesson::Nothing);
        let result = call.await;
        if result.is_ok() {
            held.lesson = Lesson::Latency;
        }
        drop(held);
        result.map_err(CallError::Failed)
    }

    /// Calls at a time at present.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.inner.semaphore.limit()
    }

    /// Permits in use. May be above a limit that was just lowered.
    #[must_use]
    pub fn in_use(&self) -> usize {
        self.inner.semaphore.in_use()
    }

    /// Changes the limit. Raised, it lets waiting calls through at once. Lowered, calls under way
    /// go on, and their permits are not given out again; 0 holds all. An adaptive limit goes on
    /// from there, within its bounds.
    pub fn set_limit(&self, calls: usize) {
        match &self.inner.estimator {
            None => self.inner.semaphore.set_limit(calls),
            Some(estimator) => {
                let mut estimator = estimator.lock().unwrap_or_else(PoisonError::into_inner);
                let calls = estimator.set(calls);
                self.inner.semaphore.set_limit(calls);
            }
        }
        self.inner.let_in();
    }

    /// Changes how many may wait. Who waits beyond it is refused: who would have been served last.
    pub fn set_queue(&self, callers: usize) {
        self.inner.semaphore.set_queue(callers);
        while let Some(waker) = self.inner.semaphore.evict_one() {
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }

    /// What it counts.
    #[must_use]
    pub fn stats(&self) -> LimiterStats {
        self.inner.stats()
    }
}

impl Inner {
    async fn enter(&self, deadline: Option<Duration>) -> Result<(), Refused> {
        if self.try_enter() {
            return Ok(());
        }
        self.wait(deadline).await
    }

    pub(super) fn try_enter(&self) -> bool {
        let entered = self.semaphore.try_acquire();
        if entered {
            self.counts.granted.add(1);
        }
        entered
    }

    pub(super) fn refuse(&self, reason: RefusedReason) -> Refused {
        self.counts.refused(reason);
        let (ahead, _) = self.semaphore.queued();
        Refused { reason, retry_after: self.pace.wait_for(ahead) }
    }

    /// Returns a permit, and wakes the one who gets it.
    pub(super) fn give_back(&self) {
        if let Returned::HandedOn(waker) = self.semaphore.release() {
            self.pace.handed_on(self.epoch.elapsed());
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }

    pub(super) fn learns(&self) -> bool {
        self.estimator.is_some()
    }

    /// Takes a lesson for the adaptive limit, while its permit is still held.
    pub(super) fn learn(&self, began: Instant, overloaded: bool) {
        let Some(estimator) = &self.estimator else { return };
        // One latency more or less does not matter as much as waiting for another thread here.
        let mut estimator = match estimator.try_lock() {
            Ok(estimator) => estimator,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) if !overloaded => return,
            Err(TryLockError::WouldBlock) => {
                estimator.lock().unwrap_or_else(PoisonError::into_inner)
            }
        };
        let now = Instant::now();
        let latency = now.saturating_duration_since(began);
        let sample = Sample { latency, in_flight: self.semaphore.in_use(), overloaded };
        let Some(limit) = estimator.sample(sample, now) else { return };
        let before = self.semaphore.limit();
        self.semaphore.set_limit(limit);
        drop(estimator);
        if limit != before {
            tracing::debug!(limiter = self.name, before, limit, "adaptive limit changed");
            self.let_in();
        }
    }

    /// Gives free permits to those who wait.
    fn let_in(&self) {
        while let Some(waker) = self.semaphore.grant_one() {
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Limiter")
            .field("name", &self.name)
            .field("limit", &self.semaphore.limit())
            .field("in_use", &self.semaphore.in_use())
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, not(kit_loom)))]
#[path = "handle_tests.rs"]
mod tests;
