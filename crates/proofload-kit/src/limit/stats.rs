//! What a limiter counts, and how its registry shows it.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use super::{RefusedReason, handle::Inner};
use crate::{
    guard::Striped,
    registry::{Component, Families, Value},
};

/// Upper bounds of the wait histogram in seconds; above the last there is one more bucket.
const BOUNDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// What is counted on the way.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) granted: Striped,
    full: AtomicU64,
    deadline: AtomicU64,
    given_up: AtomicU64,
    waits: [AtomicU64; BOUNDS.len() + 1],
    waited_nanos: AtomicU64,
}

impl Counts {
    pub(super) fn given_up(&self, waited: Duration) {
        self.given_up.fetch_add(1, Ordering::Relaxed);
        self.waited(waited);
    }

    pub(super) fn refused(&self, reason: RefusedReason) {
        let counter = match reason {
            RefusedReason::Full => &self.full,
            RefusedReason::Deadline => &self.deadline,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn waited(&self, waited: Duration) {
        let seconds = waited.as_secs_f64();
        let bucket = BOUNDS.iter().position(|&bound| seconds <= bound).unwrap_or(BOUNDS.len());
        self.waits[bucket].fetch_add(1, Ordering::Relaxed);
        self.waited_nanos.fetch_add(waited.as_nanos() as u64, Ordering::Relaxed);
    }
}

/// How long callers waited in the queue until they got a permit, were refused or gave up. Those who
/// did not have to wait are not among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitHistogram {
    counts: [u64; BOUNDS.len() + 1],
    total: Duration,
}

impl WaitHistogram {
    /// Upper bounds in seconds, ascending, the last infinite, each with the number of waits up to
    /// it and above the bound before.
    pub fn buckets(&self) -> impl Iterator<Item = (f64, u64)> {
        BOUNDS.into_iter().chain([f64::INFINITY]).zip(self.counts)
    }

    /// How many waited.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// All waits together.
    #[must_use]
    pub fn total(&self) -> Duration {
        self.total
    }
}

/// What a limiter has counted since it was built, and how it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct LimiterStats {
    /// Calls at a time at present.
    pub limit: usize,
    /// Permits in use.
    pub in_use: usize,
    /// Callers in the queue.
    pub queued: usize,
    /// Callers the queue has room for.
    pub queue_limit: usize,
    /// Permits given out.
    pub granted: u64,
    /// Refused because permits and queue were full.
    pub refused_full: u64,
    /// Refused because no permit came within the deadline.
    pub refused_deadline: u64,
    /// Callers that gave up waiting: their future was dropped.
    pub given_up: u64,
    /// How long callers waited that had to.
    pub waits: WaitHistogram,
}

impl Inner {
    pub(super) fn stats(&self) -> LimiterStats {
        let (queued, queue_limit) = self.semaphore.queued();
        let counts = &self.counts;
        LimiterStats {
            limit: self.semaphore.limit(),
            in_use: self.semaphore.in_use(),
            queued,
            queue_limit,
            granted: counts.granted.sum(),
            refused_full: counts.full.load(Ordering::Relaxed),
            refused_deadline: counts.deadline.load(Ordering::Relaxed),
            given_up: counts.given_up.load(Ordering::Relaxed),
            waits: WaitHistogram {
                counts: std::array::from_fn(|bucket| counts.waits[bucket].load(Ordering::Relaxed)),
                total: Duration::from_nanos(counts.waited_nanos.load(Ordering::Relaxed)),
            },
        }
    }
}

impl Component for Inner {
    fn name(&self) -> &str {
        &self.name
    }

    fn collect(&self, families: &mut Families) {
        let stats = self.stats();
        let limiter = ("limiter", self.name.as_str());
        let one = [limiter];
        families.gauge("limiter_limit", "Calls let through at a time.", &one, stats.limit as f64);
        families.gauge("limiter_in_use", "Permits in use.", &one, stats.in_use as f64);
        families.gauge(
            "limiter_queued",
            "Callers waiting for a permit.",
            &one,
            stats.queued as f64,
        );
        families.gauge(
            "limiter_queue_limit",
            "Callers that may wait.",
            &one,
            stats.queue_limit as f64,
        );
        families.counter("limiter_granted", "Permits given out.", &one, stats.granted);
        let refused = [
            (RefusedReason::Full, stats.refused_full),
            (RefusedReason::Deadline, stats.refused_deadline),
        ];
        for (reason, count) in refused {
            let labels = [limiter, ("reason", reason.as_str())];
            families.counter("limiter_refused", "Calls refused, by reason.", &labels, count);
        }
        families.counter("limiter_given_up", "Callers that gave up waiting.", &one, stats.given_up);
        let value = Value::Histogram {
            buckets: stats.waits.buckets().collect(),
            sum: stats.waits.total().as_secs_f64(),
        };
        families.add(
            "limiter_wait_seconds",
            "How long callers waited that had to wait.",
            &one,
            value,
        );
    }
}
