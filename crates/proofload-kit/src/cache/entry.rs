//! One value in memory, or the knowledge that a key has none.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::clock::Nanos;
use super::policy::{Judgement, Times, judge};
use super::tags::Tag;

/// A value with all that decides whether it may be served.
#[derive(Debug)]
pub(super) struct Entry<V> {
    pub(super) key: Arc<str>,
    /// None: the key is known to have no value.
    pub(super) value: Option<V>,
    pub(super) weight: u64,
    times: Times,
    /// The tag epoch when its load began.
    epoch: u64,
    tags: Box<[Arc<Tag>]>,
    /// After a failed refresh: no other attempt before that.
    retry_at: AtomicU64,
    /// Set by an invalidation, for those who hold the entry as their fallback.
    withdrawn: AtomicBool,
    /// Where the index of the memory has it; the memory's own.
    pub(super) place: AtomicU64,
}

impl<V> Entry<V> {
    pub(super) fn new(
        key: Arc<str>,
        value: Option<V>,
        weight: u64,
        times: Times,
        epoch: u64,
        tags: Box<[Arc<Tag>]>,
    ) -> Self {
        Self {
            key,
            value,
            weight,
            times,
            epoch,
            tags,
            retry_at: AtomicU64::new(0),
            withdrawn: AtomicBool::new(false),
            place: AtomicU64::new(0),
        }
    }

    #[inline]
    pub(super) fn judge(&self, now: Nanos) -> Judgement {
        if self.is_outdated() || self.withdrawn.load(Ordering::Acquire) {
            return Judgement::Dead;
        }
        judge(self.times, self.retry_at.load(Ordering::Relaxed), now)
    }

    /// Whether one of its tags was invalidated after its load had begun.
    #[inline]
    pub(super) fn is_outdated(&self) -> bool {
        self.tags.iter().any(|tag| tag.invalidated() > self.epoch)
    }

    /// Whether it is not to be given to those who asked for it at that tag epoch: one of its tags may have
    /// been invalidated after its load had begun and before they asked. (Of several invalidations of a
    /// tag only the last is known.)
    pub(super) fn is_outdated_for(&self, asked: u64) -> bool {
        asked > self.epoch && self.is_outdated()
    }

    /// Whether it was made later, as far as its time to live says.
    pub(super) fn is_younger_than(&self, other: &Self) -> bool {
        self.times.keep_until > other.times.keep_until
    }

    /// No attempt to load anew before that moment.
    pub(super) fn rest_until(&self, retry_at: Nanos) {
        self.retry_at.store(retry_at, Ordering::Relaxed);
    }

    /// Takes it away from those who still hold it.
    pub(super) fn withdraw(&self) {
        self.withdrawn.store(true, Ordering::Release);
    }
}
