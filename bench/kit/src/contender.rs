//! The caches that are measured, all with the same bound on entries, a time to live, and string keys.

use std::sync::Arc;
use std::time::Duration;

use cached::{ConcurrentCached as _, ShardedLruTtlCache};
use proofload_kit::{Cache, Ttl};

/// Longer than a measurement: what is measured is not loading anew.
pub(crate) const TTL: Duration = Duration::from_secs(300);

/// What is cached: a row of some table.
#[derive(Clone, Debug)]
pub(crate) struct Profile {
    /// A number to read, so that nothing is optimised away.
    pub(crate) id: u32,
    /// For the hit ratios: the look-up that stored it.
    pub(crate) stored_at: u32,
}

/// Values are shared, as those of a service would be.
pub(crate) type Value = Arc<Profile>;

/// A cache as the measurements use it.
pub(crate) trait Contender: Send + Sync {
    /// Its name in the tables.
    fn name(&self) -> &'static str;
    /// Looks up.
    fn get(&self, key: &str) -> Option<Value>;
    /// Stores.
    fn put(&self, key: &str, value: Value);
}

/// The kit's.
pub(crate) struct Kit(pub(crate) Cache<Value>, tokio::runtime::Runtime);

impl Kit {
    pub(crate) fn new(entries: usize) -> Self {
        let cache = Cache::builder("bench", Ttl::from(TTL)).max_entries(entries).build();
        Self(cache.expect("good settings"), runtime())
    }
}

impl Contender for Kit {
    fn name(&self) -> &'static str {
        "kit"
    }

    fn get(&self, key: &str) -> Option<Value> {
        self.0.get(key)
    }

    fn put(&self, key: &str, value: Value) {
        self.1.block_on(self.0.put(key, value));
    }
}

/// moka with `sync::Cache`, its quicker one.
pub(crate) struct Moka(pub(crate) moka::sync::Cache<Arc<str>, Value>);

impl Moka {
    pub(crate) fn new(entries: usize) -> Self {
        let cache = moka::sync::Cache::builder().max_capacity(entries as u64).time_to_live(TTL);
        Self(cache.build())
    }
}

impl Contender for Moka {
    fn name(&self) -> &'static str {
        "moka"
    }

    fn get(&self, key: &str) -> Option<Value> {
        self.0.get(key)
    }

    fn put(&self, key: &str, value: Value) {
        self.0.insert(key.into(), value);
    }
}

/// quick_cache, which knows no time to live.
pub(crate) struct Quick(pub(crate) quick_cache::sync::Cache<Arc<str>, Value>);

impl Quick {
    pub(crate) fn new(entries: usize) -> Self {
        Self(quick_cache::sync::Cache::new(entries))
    }
}

impl Contender for Quick {
    fn name(&self) -> &'static str {
        "quick_cache (no TTL)"
    }

    fn get(&self, key: &str) -> Option<Value> {
        self.0.get(key)
    }

    fn put(&self, key: &str, value: Value) {
        self.0.insert(key.into(), value);
    }
}

/// cached's sharded cache with LRU and a time to live.
pub(crate) struct Cached(pub(crate) ShardedLruTtlCache<String, Value>);

impl Cached {
    pub(crate) fn new(entries: usize) -> Self {
        Self(ShardedLruTtlCache::new(entries, TTL))
    }
}

impl Contender for Cached {
    fn name(&self) -> &'static str {
        "cached (sharded LRU)"
    }

    fn get(&self, key: &str) -> Option<Value> {
        ShardedLruTtlCache::get(&self.0, key)
    }

    fn put(&self, key: &str, value: Value) {
        // It answers with what was there, and cannot fail in memory.
        let _ = self.0.cache_set(key.to_owned(), value);
    }
}

/// Everybody, empty.
pub(crate) fn all(entries: usize) -> Vec<Box<dyn Contender>> {
    vec![
        Box::new(Moka::new(entries)),
        Box::new(Kit::new(entries)),
        Box::new(Quick::new(entries)),
        Box::new(Cached::new(entries)),
    ]
}

/// A runtime for calls that do not wait.
pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime")
}
