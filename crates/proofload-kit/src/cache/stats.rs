//! What a cache counts. The counters of the hit path are striped: threads count in places of their own,
//! so that counting does not make readers on several cores wait for each other.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::guard::{Apart, number_of_thread};

/// Upper bounds of the histogram of load times, seconds; a last bucket is without bound.
pub(super) const LOAD_BUCKETS: [f64; 13] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

const STRIPES: usize = 16;

/// Counters of one stripe.
#[derive(Debug, Default)]
struct Stripe {
    hits: AtomicU64,
    misses: AtomicU64,
    stale_hits: AtomicU64,
    negative_hits: AtomicU64,
}

/// The counters of one cache.
#[derive(Debug, Default)]
pub(super) struct Counters {
    stripes: [Apart<Stripe>; STRIPES],
    load_buckets: [AtomicU64; LOAD_BUCKETS.len() + 1],
    load_nanos: AtomicU64,
    pub(super) load_failures: AtomicU64,
    pub(super) coalesced: AtomicU64,
    pub(super) evictions: AtomicU64,
    pub(super) expirations: AtomicU64,
    pub(super) invalidations: AtomicU64,
    pub(super) remote_hits: AtomicU64,
    pub(super) remote_misses: AtomicU64,
    pub(super) remote_errors: AtomicU64,
}

/// How a lookup was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lookup {
    Hit,
    Miss,
    Stale,
    Negative,
}

impl Counters {
    #[inline]
    pub(super) fn count(&self, lookup: Lookup) {
        let stripe = &self.stripes[number_of_thread() % STRIPES];
        let counter = match lookup {
            Lookup::Hit => &stripe.hits,
            Lookup::Miss => &stripe.misses,
            Lookup::Stale => &stripe.stale_hits,
            Lookup::Negative => &stripe.negative_hits,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn loaded(&self, took: Duration, failed: bool) {
        let bucket = LOAD_BUCKETS.partition_point(|&bound| took.as_secs_f64() > bound);
        self.load_buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.load_nanos.fetch_add(super::clock::nanos(took), Ordering::Relaxed);
        if failed {
            self.load_failures.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Loads that took no longer than each bound of [`LOAD_BUCKETS`] but longer than the one before.
    pub(super) fn load_buckets(&self) -> [u64; LOAD_BUCKETS.len() + 1] {
        std::array::from_fn(|bucket| read(&self.load_buckets[bucket]))
    }

    pub(super) fn snapshot(&self, entries: usize, weight: u64) -> CacheStats {
        let sum = |of: fn(&Stripe) -> &AtomicU64| self.stripes.iter().map(|s| read(of(s))).sum();
        CacheStats {
            hits: sum(|stripe| &stripe.hits),
            misses: sum(|stripe| &stripe.misses),
            stale_hits: sum(|stripe| &stripe.stale_hits),
            negative_hits: sum(|stripe| &stripe.negative_hits),
            coalesced: read(&self.coalesced),
            loads: self.load_buckets().iter().sum(),
            load_failures: read(&self.load_failures),
            load_time: Duration::from_nanos(read(&self.load_nanos)),
            evictions: read(&self.evictions),
            expirations: read(&self.expirations),
            invalidations: read(&self.invalidations),
            remote_hits: read(&self.remote_hits),
            remote_misses: read(&self.remote_misses),
            remote_errors: read(&self.remote_errors),
            entries: entries as u64,
            weight,
        }
    }
}

/// Adds to a counter that is not on the hit path.
pub(super) fn add(counter: &AtomicU64, by: u64) {
    counter.fetch_add(by, Ordering::Relaxed);
}

fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

/// What a cache has counted since it was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheStats {
    /// Lookups answered by a fresh value in memory.
    pub hits: u64,
    /// Lookups that memory could not answer.
    pub misses: u64,
    /// Lookups answered by a value past its time to live.
    pub stale_hits: u64,
    /// Lookups answered by the knowledge that there is no value.
    pub negative_hits: u64,
    /// Lookups that waited for a load which another caller had begun.
    pub coalesced: u64,
    /// Loads that ended, with a value or without.
    pub loads: u64,
    /// Loads that ended with an error, a panic, a timeout or a cancellation.
    pub load_failures: u64,
    /// The time all loads took together.
    pub load_time: Duration,
    /// Entries that had to make room while they were still of use.
    pub evictions: u64,
    /// Entries that were removed because their time was over.
    pub expirations: u64,
    /// Entries that were invalidated; for tags, those that had the tag.
    pub invalidations: u64,
    /// Misses of memory that the shared layer answered.
    pub remote_hits: u64,
    /// Misses of memory for which the shared layer had nothing fresh.
    pub remote_misses: u64,
    /// Calls of the shared layer that failed.
    pub remote_errors: u64,
    /// Entries in memory now.
    pub entries: u64,
    /// The weight of the entries in memory now; their number when the cache is bounded by that.
    pub weight: u64,
}

impl CacheStats {
    /// The share of lookups that memory answered, also with stale values and known absences; 0 before
    /// the first lookup.
    ///
    /// ```
    /// use proofload_kit::{Cache, Ttl};
    ///
    /// # fn main() -> Result<(), proofload_kit::BuildError> {
    /// let cache = Cache::<u32>::builder("answers", Ttl::DATA).build()?;
    /// assert_eq!(cache.stats().hit_rate(), 0.0);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn hit_rate(&self) -> f64 {
        let answered = self.hits + self.stale_hits + self.negative_hits;
        match answered + self.misses {
            0 => 0.0,
            lookups => answered as f64 / lookups as f64,
        }
    }

    /// The mean time of a load; 0 before the first.
    #[must_use]
    pub fn mean_load_time(&self) -> Duration {
        let nanos = self.load_time.as_nanos().checked_div(u128::from(self.loads)).unwrap_or(0);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_count_is_lost_between_stripes() {
        let counters = Counters::default();
        std::thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| {
                    for _ in 0..500 {
                        counters.count(Lookup::Hit);
                        counters.count(Lookup::Miss);
                    }
                    counters.count(Lookup::Stale);
                    counters.count(Lookup::Negative);
                });
            }
        });
        let stats = counters.snapshot(3, 7);
        let counts = (stats.hits, stats.misses, stats.stale_hits, stats.negative_hits);
        assert_eq!(counts, (10_000, 10_000, 20, 20));
        assert_eq!((stats.entries, stats.weight), (3, 7));
        let rate = 10_040.0 / 20_040.0;
        assert!((stats.hit_rate() - rate).abs() < 1e-12);
    }

    #[test]
    fn loads_by_time() {
        let counters = Counters::default();
        for (millis, failed) in [(0, false), (1, false), (2, true), (60_000, true)] {
            counters.loaded(Duration::from_millis(millis), failed);
        }
        let buckets = counters.load_buckets();
        assert_eq!((buckets[0], buckets[1], buckets[13]), (2, 1, 1));
        let stats = counters.snapshot(0, 0);
        assert_eq!((stats.loads, stats.load_failures), (4, 2));
        assert_eq!(stats.load_time, Duration::from_millis(60_003));
        assert_eq!(stats.mean_load_time(), Duration::from_micros(15_000_750));
    }
}
