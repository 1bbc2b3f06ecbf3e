//! Writes of the source under way. Of two that overlap nobody knows which one the source took last: when
//! both put their value, the cache may be left with the older one. So whoever met another leaves none.

use std::collections::HashMap;

use super::sync::{Mutex, MutexGuard, PoisonError};

/// The writes under way in one cache.
#[derive(Debug, Default)]
pub(super) struct Writing {
    by_key: Mutex<HashMap<Box<str>, Writers>>,
}

#[derive(Debug, Default)]
struct Writers {
    count: usize,
    /// Whether there were ever two at once since the first of them began.
    met: bool,
}

/// One write under way, until it is dropped.
#[derive(Debug)]
pub(super) struct Writer<'a> {
    writing: &'a Writing,
    key: &'a str,
}

impl Writing {
    pub(super) fn begin<'a>(&'a self, key: &'a str) -> Writer<'a> {
        let mut writers = self.writers();
        let own = writers.entry(key.into()).or_default();
        own.count += 1;
        own.met |= own.count > 1;
        Writer { writing: self, key }
    }

    fn writers(&self) -> MutexGuard<'_, HashMap<Box<str>, Writers>> {
        self.by_key.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Writer<'_> {
    /// Whether there was no other write of the key so far.
    pub(super) fn is_alone(&self) -> bool {
        self.writing.writers().get(self.key).is_none_or(|own| !own.met)
    }
}

impl Drop for Writer<'_> {
    fn drop(&mut self) {
        let mut writers = self.writing.writers();
        if let Some(own) = writers.get_mut(self.key) {
            own.count -= 1;
            if own.count == 0 {
                writers.remove(self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_met_another_is_not_alone_any_more() {
        let writing = Writing::default();
        let first = writing.begin("key");
        let apart = writing.begin("other");
        assert!(first.is_alone());
        let second = writing.begin("key");
        drop(first);
        assert!(!second.is_alone());
        let third = writing.begin("key");
        drop(second);
        assert!(!third.is_alone());
        drop(third);
        assert!(writing.begin("key").is_alone() && apart.is_alone());
        drop(apart);
        assert!(writing.writers().is_empty());
    }
}
