//! What is counted about a Redis, and how it is shown.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::registry::{Families, Value};

/// Upper bounds of the histogram of answer times, in seconds.
const BOUNDS_SECONDS: [f64; 9] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25];

/// What a [`Redis`](super::Redis) saw since it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RedisStats {
    /// Whether it is asked at present.
    pub available: bool,
    /// Commands that were sent.
    pub calls: u64,
    /// Commands without an answer in time.
    pub timeouts: u64,
    /// Commands whose connection could not be made or broke.
    pub broken: u64,
    /// Commands that Redis answered with an error: out of memory, not permitted, …
    pub refused: u64,
    /// Commands that were not sent because Redis was given up for the moment.
    pub skipped: u64,
    /// Times Redis was given up.
    pub outages: u64,
    /// Times it answered again.
    pub recoveries: u64,
    /// How long the last outage that is over took, from its first failure to the first answer.
    pub last_outage: Option<Duration>,
    /// Connections opened for commands.
    pub connections: u64,
    /// Times the subscription to invalidations began: 1, and one more after each interruption.
    pub subscriptions: u64,
    /// Invalidations heard of other processes.
    pub heard: u64,
    /// Entries in Redis that could not be read: of another type, another version or damaged. They are written over.
    pub foreign: u64,
}

/// The counters behind [`RedisStats`].
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) timeouts: AtomicU64,
    pub(super) broken: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) skipped: AtomicU64,
    pub(super) outages: AtomicU64,
    pub(super) recoveries: AtomicU64,
    outage_us: AtomicU64,
    last_outage_us: AtomicU64,
    pub(super) subscriptions: AtomicU64,
    pub(super) heard: AtomicU64,
    pub(super) foreign: AtomicU64,
    answer_us: AtomicU64,
    answers: [AtomicU64; BOUNDS_SECONDS.len() + 1],
}

pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Counters {
    /// One command was sent and this much time went by until its answer, or until it was given up.
    pub(super) fn called(&self, took: Duration) {
        let seconds = took.as_secs_f64();
        let bucket = BOUNDS_SECONDS.iter().position(|&bound| seconds <= bound);
        count(&self.answers[bucket.unwrap_or(BOUNDS_SECONDS.len())]);
        self.answer_us.fetch_add(micros(took), Ordering::Relaxed);
    }

    pub(super) fn recovered(&self, after: Duration) {
        count(&self.recoveries);
        // At least one: zero is "none yet".
        self.last_outage_us.store(micros(after).max(1), Ordering::Relaxed);
        self.outage_us.fetch_add(micros(after), Ordering::Relaxed);
    }

    pub(super) fn stats(&self, available: bool, connections: u64) -> RedisStats {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        RedisStats {
            available,
            calls: self.answers.iter().map(load).sum(),
            timeouts: load(&self.timeouts),
            broken: load(&self.broken),
            refused: load(&self.refused),
            skipped: load(&self.skipped),
            outages: load(&self.outages),
            recoveries: load(&self.recoveries),
            last_outage: Some(load(&self.last_outage_us))
                .filter(|&us| us > 0)
                .map(Duration::from_micros),
            connections,
            subscriptions: load(&self.subscriptions),
            heard: load(&self.heard),
            foreign: load(&self.foreign),
        }
    }

    pub(super) fn collect(&self, name: &str, stats: &RedisStats, families: &mut Families) {
        let labels = [("redis", name)];
        let gauges = [
            (
                "cache_redis_available",
                "Whether Redis is asked: 0 while it is given up for the moment.",
                f64::from(u8::from(stats.available)),
            ),
            (
                "cache_redis_last_outage_seconds",
                "How long the last outage took that is over.",
                stats.last_outage.unwrap_or_default().as_secs_f64(),
            ),
        ];
        for (metric, help, value) in gauges {
            families.gauge(metric, help, &labels, value);
        }
        let counters = [
            ("cache_redis_skipped", "Commands not sent during an outage.", stats.skipped),
            ("cache_redis_outages", "Times Redis was given up.", stats.outages),
            ("cache_redis_recoveries", "Times Redis answered again.", stats.recoveries),
            ("cache_redis_connections", "Connections opened for commands.", stats.connections),
            ("cache_redis_subscriptions", "Subscriptions to invalidations.", stats.subscriptions),
            ("cache_redis_heard", "Invalidations heard of other processes.", stats.heard),
            ("cache_redis_foreign", "Entries that could not be read.", stats.foreign),
        ];
        for (metric, help, value) in counters {
            families.counter(metric, help, &labels, value);
        }
        let kinds =
            [("timeout", stats.timeouts), ("broken", stats.broken), ("refused", stats.refused)];
        for (kind, value) in kinds {
            let labels = [("redis", name), ("kind", kind)];
            families.counter("cache_redis_failures", "Commands that failed.", &labels, value);
        }
        let seconds =
            |us: &AtomicU64| Duration::from_micros(us.load(Ordering::Relaxed)).as_secs_f64();
        let outage = Value::Counter(seconds(&self.outage_us));
        let help = "Time Redis was given up, of outages that are over.";
        families.add("cache_redis_outage_seconds", help, &labels, outage);
        let buckets = BOUNDS_SECONDS
            .iter()
            .copied()
            .chain([f64::INFINITY])
            .zip(self.answers.iter().map(|count| count.load(Ordering::Relaxed)))
            .collect();
        let answers = Value::Histogram { buckets, sum: seconds(&self.answer_us) };
        let help = "Time from a command to its answer, or to giving it up.";
        families.add("cache_redis_answer_seconds", help, &labels, answers);
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
