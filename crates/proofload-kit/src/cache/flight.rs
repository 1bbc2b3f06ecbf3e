//! Loads under way: one for a key, whoever asks.
//!
//! A flight is in the table from the moment a caller wins the right to load until it lands, is
//! abandoned, or is superseded by an invalidation. All three, and the look into memory that decides
//! whether there is anything to load, happen under the lock of the key's shard of the table; storing
//! the value happens under it too. Hence nobody loads what has just been stored, and a store is either
//! before an invalidation, which then removes the value, or after it, and then does not happen.

use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::hash::BuildHasher;
use std::sync::{Arc, Weak};
use std::time::Duration;

use quick_cache::DefaultHashBuilder;
use tokio::task::AbortHandle;

use super::entry::Entry;
use super::sync::{
    AtomicBool, Event, Mutex, MutexGuard, OnceLock, Ordering, PoisonError, ThreadId,
};

/// One is enough for the one key of a model.
const SHARDS: usize = if cfg!(kit_loom) { 1 } else { 64 };

/// Who runs a load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leader {
    /// A future: a task of its own, or the one of a caller.
    Future,
    /// Synchronous code on that thread.
    Thread(ThreadId),
}

/// How a flight ended.
pub(super) enum End<V> {
    /// With a value, or with the knowledge that there is none.
    Landed(Arc<Entry<V>>),
    /// With an error of the loader: an `Arc<E>`.
    Failed(Arc<dyn Any + Send + Sync>),
    Panicked(Arc<str>),
    TimedOut(Duration),
    /// The leader is gone: somebody else has to load.
    Abandoned,
}

/// One load under way.
pub(super) struct Flight<V> {
    pub(super) key: Arc<str>,
    pub(super) leader: Leader,
    /// The tag epoch when it began.
    pub(super) epoch: u64,
    end: OnceLock<End<V>>,
    /// Something stale that the shared layer had.
    fallback: OnceLock<Arc<Entry<V>>>,
    superseded: AtomicBool,
    /// Told at the end, and when there is a fallback.
    pub(super) changed: Event,
    task: OnceLock<AbortHandle>,
}

impl<V> Flight<V> {
    pub(super) fn end(&self) -> Option<&End<V>> {
        self.end.get()
    }

    /// Ends the flight for all who wait. The table is not its business.
    pub(super) fn finish(&self, end: End<V>) {
        // Only the leader calls this, once; an abandoned leader may have been first.
        let _ = self.end.set(end);
        self.changed.notify(usize::MAX);
    }

    pub(super) fn offer(&self, fallback: Arc<Entry<V>>) {
        let _ = self.fallback.set(fallback);
        self.changed.notify(usize::MAX);
    }

    /// Something stale from the shared layer, unless an invalidation was faster.
    pub(super) fn fallback(&self) -> Option<&Arc<Entry<V>>> {
        self.fallback.get().filter(|_| !self.is_superseded())
    }

    pub(super) fn is_superseded(&self) -> bool {
        self.superseded.load(Ordering::Acquire)
    }

    fn supersede(&self) {
        self.superseded.store(true, Ordering::Release);
    }

    /// Ties a task to the flight, so that it ends with the cache.
    pub(super) fn run_by(&self, task: AbortHandle) {
        let _ = self.task.set(task);
    }

    pub(super) fn abort(&self) {
        if let Some(task) = self.task.get() {
            task.abort();
        }
    }
}

impl<V> fmt::Debug for Flight<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flight")
            .field("key", &self.key)
            .field("leader", &self.leader)
            .field("ended", &self.end.get().is_some())
            .finish_non_exhaustive()
    }
}

type Shard<V> = HashMap<Arc<str>, Arc<Flight<V>>, DefaultHashBuilder>;

/// The loads under way in one cache.
pub(super) struct Flights<V> {
    hasher: DefaultHashBuilder,
    shards: Box<[Mutex<Shard<V>>]>,
    superseded: Superseded<V>,
}

/// Flights that are in the table no more, but whose loads may still run.
struct Superseded<V>(Mutex<Vec<Weak<Flight<V>>>>);

impl<V> Superseded<V> {
    fn add(&self, flight: &Arc<Flight<V>>) {
        let mut list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Amortised: looked through only when it is full, and then it is at most half full or grows.
        if list.len() == list.capacity() {
            list.retain(|flight| flight.strong_count() > 0);
            let room = list.len().max(8);
            list.reserve_exact(room);
        }
        list.push(Arc::downgrade(flight));
    }
}

impl<V> Flights<V> {
    pub(super) fn new() -> Self {
        let hasher = DefaultHashBuilder::default();
        let shard = |_| Mutex::new(HashMap::with_hasher(hasher.clone()));
        let superseded = Superseded(Mutex::new(Vec::new()));
        Self { shards: (0..SHARDS).map(shard).collect(), hasher, superseded }
    }

    pub(super) fn hash(&self, key: &str) -> u64 {
        self.hasher.hash_one(key)
    }

    /// Locks the part of the table that the key belongs to.
    pub(super) fn lock(&self, key: &str) -> Locked<'_, V> {
        // The upper bits: the lower ones choose the bucket within the shard.
        let shard = (self.hash(key) >> 32) as usize % SHARDS;
        let shard = self.shards[shard].lock().unwrap_or_else(PoisonError::into_inner);
        Locked { shard, superseded: &self.superseded }
    }

    /// Supersedes all flights whose key is chosen; answers how many.
    pub(super) fn supersede(&self, chosen: impl Fn(&str) -> bool) -> u64 {
        let mut count = 0;
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            let taken = shard.extract_if(|key, _| chosen(key)).map(|(_, flight)| flight);
            let taken: Vec<_> = taken.inspect(|flight| flight.supersede()).collect();
            drop(shard);
            taken.iter().for_each(|flight| self.superseded.add(flight));
            count += taken.len() as u64;
        }
        count
    }

    /// Ends the tasks of all flights.
    pub(super) fn abort_all(&self) {
        for shard in &self.shards {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            let flights: Vec<_> = shard.values().map(Arc::clone).collect();
            drop(shard);
            flights.iter().for_each(|flight| flight.abort());
        }
        let superseded = self.superseded.0.lock().unwrap_or_else(PoisonError::into_inner);
        let flights: Vec<_> = superseded.iter().filter_map(Weak::upgrade).collect();
        drop(superseded);
        flights.iter().for_each(|flight| flight.abort());
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().unwrap().len()).sum()
    }
}

impl<V> fmt::Debug for Flights<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flights").finish_non_exhaustive()
    }
}

/// A locked part of the table. Flights taken out of it are to be dropped after it.
pub(super) struct Locked<'a, V> {
    shard: MutexGuard<'a, Shard<V>>,
    superseded: &'a Superseded<V>,
}

impl<V> Locked<'_, V> {
    pub(super) fn get(&self, key: &str) -> Option<Arc<Flight<V>>> {
        self.shard.get(key).map(Arc::clone)
    }

    pub(super) fn begin(&mut self, key: &str, leader: Leader, epoch: u64) -> Arc<Flight<V>> {
        let flight = Arc::new(Flight {
            key: key.into(),
            leader,
            epoch,
            end: OnceLock::new(),
            fallback: OnceLock::new(),
            superseded: AtomicBool::new(false),
            changed: Event::new(),
            task: OnceLock::new(),
        });
        self.shard.insert(Arc::clone(&flight.key), Arc::clone(&flight));
        flight
    }

    /// Takes the flight out of the table; false if it is not there: it was superseded.
    pub(super) fn end(&mut self, flight: &Arc<Flight<V>>) -> bool {
        let current = self.shard.get(&flight.key).is_some_and(|other| Arc::ptr_eq(other, flight));
        if current {
            self.shard.remove(&flight.key);
        }
        current
    }

    /// Whether the flight still counts.
    pub(super) fn has(&self, flight: &Arc<Flight<V>>) -> bool {
        self.shard.get(&flight.key).is_some_and(|other| Arc::ptr_eq(other, flight))
    }

    /// What the flight for the key brings is not to be kept.
    pub(super) fn supersede(&mut self, key: &str) -> Option<Arc<Flight<V>>> {
        let flight = self.shard.remove(key)?;
        flight.supersede();
        self.superseded.add(&flight);
        Some(flight)
    }
}
