//! What is counted of a pool. Callers pass through three states, each a value that cannot be forgotten:
//! `Waiting` ends as a `Ticket` (a connection is held), as a failure, or by being dropped (the caller gave up).

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use deadpool::Status;
use tokio::time::Instant;

use super::WatchedPoolStats;
use super::holders::{Holders, Place};
use crate::registry::Histogram;

/// Upper bounds of waiting and holding, in seconds: from a pool with room to the usual timeout.
const SECONDS: &[f64] =
    &[0.000_1, 0.000_5, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// What a pool, its hooks and its connections count together.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) name: Arc<str>,
    /// Callers that wait for a connection or hold one.
    users: AtomicUsize,
    /// Of them, those that hold one.
    in_use: AtomicUsize,
    /// The fewest and most users since the last look.
    fewest: AtomicUsize,
    most: AtomicUsize,
    holders: Mutex<Holders>,
    pub(super) counts: Counts,
    pub(super) waits: Histogram,
    pub(super) holds: Histogram,
    pub(super) is_alerting: AtomicBool,
}

/// How often things happened.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) acquired: AtomicU64,
    pub(super) wait_timeouts: AtomicU64,
    pub(super) connect_timeouts: AtomicU64,
    pub(super) connect_errors: AtomicU64,
    pub(super) closed: AtomicU64,
    pub(super) cancelled: AtomicU64,
    pub(super) created: AtomicU64,
    pub(super) recycled: AtomicU64,
    pub(super) recycle_failures: AtomicU64,
    pub(super) expired: AtomicU64,
    pub(super) leaks: AtomicU64,
    pub(super) alerts: AtomicU64,
}

/// One more.
pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Watch {
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            users: AtomicUsize::new(0),
            in_use: AtomicUsize::new(0),
            fewest: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
            holders: Mutex::default(),
            counts: Counts::default(),
            waits: Histogram::new(SECONDS),
            holds: Histogram::new(SECONDS),
            is_alerting: AtomicBool::new(false),
        }
    }

    /// A caller wants a connection.
    pub(super) fn begin(self: &Arc<Self>) -> Waiting {
        // Ordered with the watcher's decision to end: see there.
        let users = self.users.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(users, Ordering::Relaxed);
        Waiting { watch: Arc::clone(self), since: Instant::now(), is_over: false }
    }

    fn end(&self) {
        let users = self.users.fetch_sub(1, Ordering::SeqCst) - 1;
        self.fewest.fetch_min(users, Ordering::Relaxed);
    }

    pub(super) fn users(&self) -> usize {
        self.users.load(Ordering::SeqCst)
    }

    pub(super) fn holders(&self) -> MutexGuard<'_, Holders> {
        self.holders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The fewest and most users since this was asked last; counting begins anew.
    pub(super) fn take_extremes(&self) -> (usize, usize) {
        let fewest = self.fewest.swap(self.users(), Ordering::Relaxed);
        let most = self.most.swap(self.users(), Ordering::Relaxed);
        // Whoever came or went between the two loads and swaps was overwritten.
        let users = self.users();
        self.fewest.fetch_min(users, Ordering::Relaxed);
        self.most.fetch_max(users, Ordering::Relaxed);
        (fewest, most)
    }

    pub(super) fn stats(&self, status: Status) -> WatchedPoolStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let counts = &self.counts;
        WatchedPoolStats {
            max_size: status.max_size,
            size: status.size,
            in_use: self.in_use.load(Ordering::Relaxed),
            idle: status.available,
            // Deadpool's own number counts those too that are making a connection.
            waiting: self.users().saturating_sub(status.max_size),
            acquired: read(&counts.acquired),
            wait_timeouts: read(&counts.wait_timeouts),
            connect_timeouts: read(&counts.connect_timeouts),
            connect_errors: read(&counts.connect_errors),
            closed: read(&counts.closed),
            cancelled: read(&counts.cancelled),
            created: read(&counts.created),
            recycled: read(&counts.recycled),
            recycle_failures: read(&counts.recycle_failures),
            expired: read(&counts.expired),
            leaks: read(&counts.leaks),
            alerts: read(&counts.alerts),
            is_alerting: self.is_alerting.load(Ordering::Relaxed),
        }
    }
}

/// A caller that waits for a connection. Dropped without an end, it was cancelled.
#[derive(Debug)]
pub(super) struct Waiting {
    watch: Arc<Watch>,
    since: Instant,
    is_over: bool,
}

impl Waiting {
    /// It has a connection now; it stays a user.
    pub(super) fn acquired(mut self, place: Place) -> Ticket {
        self.is_over = true;
        let now = Instant::now();
        self.watch.waits.observe_duration(now - self.since);
        count(&self.watch.counts.acquired);
        self.watch.in_use.fetch_add(1, Ordering::Relaxed);
        let id = self.watch.holders().add(place, now);
        Ticket { watch: Arc::clone(&self.watch), id }
    }

    /// It failed, which `counter` counts.
    pub(super) fn failed(mut self, counter: fn(&Counts) -> &AtomicU64) {
        self.give_up(counter);
    }

    fn give_up(&mut self, counter: fn(&Counts) -> &AtomicU64) {
        self.is_over = true;
        self.watch.waits.observe_duration(self.since.elapsed());
        count(counter(&self.watch.counts));
        self.watch.end();
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if !self.is_over {
            self.give_up(|counts| &counts.cancelled);
        }
    }
}

/// A connection that is held, until this is dropped.
#[derive(Debug)]
pub(super) struct Ticket {
    watch: Arc<Watch>,
    id: u64,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let watch = &self.watch;
        let removed = watch.holders().remove(self.id, Instant::now());
        watch.in_use.fetch_sub(1, Ordering::Relaxed);
        watch.end();
        let Some((held, leaked_at)) = removed else { return };
        watch.holds.observe_duration(held);
        if let Some(place) = leaked_at {
            tracing::info!(
                pool = &*watch.name,
                location = %place,
                held_ms = millis(held),
                "a connection that was held for too long came back"
            );
        }
    }
}

/// For the fields of events.
pub(super) fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
