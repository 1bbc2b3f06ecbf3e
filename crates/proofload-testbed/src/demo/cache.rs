//! The response cache: bounded, with a time to live, and honest about hits and misses.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

/// Counts of a cache, and how much is in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CacheCounts {
    pub(crate) hits: u64,
    pub(crate) misses: u64,
    pub(crate) evictions: u64,
    pub(crate) entries: usize,
}

impl CacheCounts {
    /// Hits among all look-ups, from 0 to 1.
    pub(crate) fn hit_rate(&self) -> f64 {
        let lookups = self.hits + self.misses;
        if lookups == 0 { 0.0 } else { self.hits as f64 / lookups as f64 }
    }
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    expires: Instant,
    number: u64,
}

/// Time is an argument, so that expiry can be tested without waiting.
#[derive(Debug)]
pub(crate) struct Cache<V> {
    capacity: usize,
    entries: HashMap<String, Entry<V>>,
    /// Keys in the order of their insertion, with the number of that insertion: an older number
    /// than the entry's means that the key was inserted again since.
    order: VecDeque<(u64, String)>,
    next_number: u64,
    counts: CacheCounts,
}

impl<V: Clone> Cache<V> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            entries: HashMap::new(),
            order: VecDeque::new(),
            next_number: 0,
            counts: CacheCounts::default(),
        }
    }

    /// Looks up and counts a hit or a miss.
    pub(crate) fn get(&mut self, key: &str, now: Instant) -> Option<V> {
        match self.entries.get(key) {
            Some(entry) if now < entry.expires => {
                self.counts.hits += 1;
                Some(entry.value.clone())
            }
            _ => {
                self.counts.misses += 1;
                None
            }
        }
    }

    /// Keeps a value until `ttl` from now, at the expense of the oldest when full.
    pub(crate) fn insert(&mut self, key: String, value: V, ttl: Duration, now: Instant) {
        if self.capacity == 0 {
            return;
        }
        let number = self.next_number;
        self.next_number += 1;
        self.order.push_back((number, key.clone()));
        self.entries.insert(key, Entry { value, expires: now + ttl, number });
        // Keys inserted again leave stale places behind; both lengths stay bounded.
        while self.entries.len() > self.capacity || self.order.len() > 2 * self.capacity {
            let Some((number, oldest)) = self.order.pop_front() else { break };
            if self.entries.get(&oldest).is_some_and(|entry| entry.number == number) {
                self.entries.remove(&oldest);
                self.counts.evictions += 1;
            }
        }
    }

    /// Drops what begins with `prefix` and returns how much that was.
    pub(crate) fn invalidate(&mut self, prefix: &str) -> usize {
        let before = self.entries.len();
        self.entries.retain(|key, _| !key.starts_with(prefix));
        before - self.entries.len()
    }

    pub(crate) fn counts(&self) -> CacheCounts {
        CacheCounts { entries: self.entries.len(), ..self.counts }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TTL: Duration = Duration::from_secs(10);

    #[test]
    fn hits_misses_and_expiry() {
        let start = Instant::now();
        let mut cache = Cache::new(10);
        assert_eq!(cache.get("a", start), None);
        cache.insert("a".into(), 1, TTL, start);
        assert_eq!(cache.get("a", start + Duration::from_millis(9_999)), Some(1));
        assert_eq!(cache.get("a", start + TTL), None);
        let expected = CacheCounts { hits: 1, misses: 2, evictions: 0, entries: 1 };
        assert_eq!(cache.counts(), expected);
        assert!((cache.counts().hit_rate() - 1.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn the_oldest_goes_first_and_a_renewed_one_is_not_old() {
        let now = Instant::now();
        let mut cache = Cache::new(2);
        cache.insert("a".into(), 1, TTL, now);
        cache.insert("b".into(), 2, TTL, now);
        cache.insert("a".into(), 3, TTL, now);
        cache.insert("c".into(), 4, TTL, now);
        assert_eq!(cache.get("b", now), None);
        assert_eq!((cache.get("a", now), cache.get("c", now)), (Some(3), Some(4)));
        for _ in 0..1000 {
            cache.insert("a".into(), 5, TTL, now);
        }
        assert_eq!(cache.get("a", now), Some(5));
        assert!(cache.order.len() <= 4);
    }

    #[test]
    fn invalidation_goes_by_prefix() {
        let now = Instant::now();
        let mut cache = Cache::new(10);
        for key in ["chat:1", "chat:2", "query:1"] {
            cache.insert(key.into(), (), TTL, now);
        }
        assert_eq!(cache.invalidate("chat:"), 2);
        assert_eq!(cache.counts().entries, 1);
    }
}
