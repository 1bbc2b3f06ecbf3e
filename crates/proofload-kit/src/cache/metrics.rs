//! A cache as its registry shows it.

use crate::registry::{Component, Families, Value};

use super::core::Core;
use super::invalidate::Invalidate;
use super::stats::LOAD_BUCKETS;

impl<V: Send + Sync + 'static> Component for Core<V> {
    fn name(&self) -> &str {
        &self.name
    }

    fn as_cache(&self) -> Option<&dyn Invalidate> {
        Some(self)
    }

    fn collect(&self, families: &mut Families) {
        let labels = &[("cache", &*self.name)];
        let stats = self.counters.snapshot(self.memory.len(), self.memory.weight());
        let counters: [(&'static str, &'static str, u64); 12] = [
            ("cache_hits", "Lookups answered by a fresh value in memory.", stats.hits),
            ("cache_misses", "Lookups that memory could not answer.", stats.misses),
            ("cache_stale_hits", "Lookups answered by a stale value.", stats.stale_hits),
            ("cache_negative_hits", "Lookups answered by a known absence.", stats.negative_hits),
            ("cache_coalesced", "Lookups that waited for another's load.", stats.coalesced),
            ("cache_load_failures", "Loads without a value.", stats.load_failures),
            ("cache_evictions", "Entries that had to make room.", stats.evictions),
            ("cache_expirations", "Entries whose time was over.", stats.expirations),
            ("cache_invalidations", "Entries that were invalidated.", stats.invalidations),
            ("cache_remote_hits", "Misses that the shared layer answered.", stats.remote_hits),
            ("cache_remote_misses", "Misses of the shared layer too.", stats.remote_misses),
            ("cache_remote_errors", "Failed calls of the shared layer.", stats.remote_errors),
        ];
        for (name, help, value) in counters {
            families.counter(name, help, labels, value);
        }
        families.gauge("cache_entries", "Entries in memory.", labels, stats.entries as f64);
        families.gauge(
            "cache_weight",
            "Weight of the entries in memory.",
            labels,
            stats.weight as f64,
        );
        let bounds = LOAD_BUCKETS.into_iter().chain([f64::INFINITY]);
        let buckets = bounds.zip(self.counters.load_buckets()).collect();
        let times = Value::Histogram { buckets, sum: stats.load_time.as_secs_f64() };
        families.add("cache_load_duration_seconds", "How long loads took.", labels, times);
    }
}
