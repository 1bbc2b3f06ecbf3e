//! Tags: invalidating one costs the same however many entries have it.
//!
//! A counter, the epoch, grows with every invalidation of a tag. A tag remembers the epoch of its last
//! one; an entry remembers the epoch at which its load began, and is dead as soon as one of its tags is
//! younger. Nothing is searched, and a load that was under way at the invalidation is caught although
//! its tags were not known then.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::sync::{AtomicU64 as Epoch, Mutex, PoisonError};

/// A tag since its last invalidation: each invalidation leaves it to the entries that have it, and
/// a new one takes its place.
#[derive(Debug)]
pub(super) struct Tag {
    invalidated: AtomicU64,
}

impl Tag {
    /// The epoch of its last invalidation; 0: none is known.
    #[inline]
    pub(super) fn invalidated(&self) -> u64 {
        self.invalidated.load(Ordering::Acquire)
    }
}

/// The tags of one cache.
#[derive(Debug, Default)]
pub(super) struct Tags {
    epoch: Epoch,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    tags: HashMap<Arc<str>, Arc<Tag>>,
    /// The youngest invalidation of all tags that were forgotten. A tag that is not in the table may have
    /// been invalidated as late as that.
    floor: u64,
    /// How many tags there were after the last tidying.
    tidied: usize,
}

/// Below this, no tidying.
const SMALL: usize = 1024;

impl Tags {
    /// To be taken before a load reads its source.
    pub(super) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::SeqCst)
    }

    /// The tags of these names.
    pub(super) fn of(&self, names: &[Arc<str>]) -> Box<[Arc<Tag>]> {
        if names.is_empty() {
            return Box::default();
        }
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        names.iter().map(|name| table.tag(name)).collect()
    }

    /// Everything loaded before now that has the tag is dead. Answers how many entries had it.
    pub(super) fn invalidate(&self, name: &str) -> u64 {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let epoch = self.epoch.fetch_add(1, Ordering::SeqCst) + 1;
        let successor = Arc::new(Tag { invalidated: AtomicU64::new(epoch) });
        let before = match table.tags.get_mut(name) {
            Some(tag) => std::mem::replace(tag, successor),
            None => {
                table.tags.insert(name.into(), successor);
                table.tidy();
                return 0;
            }
        };
        before.invalidated.store(epoch, Ordering::Release);
        (Arc::strong_count(&before) - 1) as u64
    }
}

impl Table {
    fn tag(&mut self, name: &Arc<str>) -> Arc<Tag> {
        if let Some(tag) = self.tags.get(&**name) {
            return Arc::clone(tag);
        }
        let tag = Arc::new(Tag { invalidated: AtomicU64::new(self.floor) });
        self.tags.insert(Arc::clone(name), Arc::clone(&tag));
        self.tidy();
        tag
    }

    /// Forgets tags that no entry has, whenever their number has doubled. What was loaded before the
    /// youngest of them was invalidated will be taken for dead when it turns up with a forgotten tag:
    /// it may be.
    fn tidy(&mut self) {
        if self.tags.len() < SMALL.max(2 * self.tidied) {
            return;
        }
        let mut floor = self.floor;
        self.tags.retain(|_, tag| {
            let used = Arc::strong_count(tag) > 1;
            if !used {
                floor = floor.max(tag.invalidated());
            }
            used
        });
        self.floor = floor;
        self.tidied = self.tags.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<Arc<str>> {
        names.iter().map(|&name| name.into()).collect()
    }

    #[test]
    fn kills_what_began_before_only() {
        let tags = Tags::default();
        let before = tags.epoch();
        let of_before = tags.of(&names(&["user:1", "all"]));
        assert_eq!(tags.invalidate("user:1"), 1);
        let after = tags.epoch();
        assert!(of_before[0].invalidated() > before);
        assert_eq!(of_before[1].invalidated(), 0);
        // A load that began before and learns its tags afterwards.
        assert!(tags.of(&names(&["user:1"]))[0].invalidated() > before);
        assert!(tags.of(&names(&["user:1"]))[0].invalidated() <= after);
    }

    #[test]
    fn forgets_without_forgiving() {
        let tags = Tags::default();
        let before = tags.epoch();
        let kept = tags.of(&names(&["kept"]));
        for tag in 0..10 * SMALL {
            tags.invalidate(&format!("tag {tag}"));
        }
        let after = tags.epoch();
        assert!(tags.table.lock().unwrap().tags.len() <= SMALL);
        for tag in [0, 5 * SMALL, 10 * SMALL - 1] {
            let tag = &tags.of(&names(&[&format!("tag {tag}")]))[0];
            assert!(tag.invalidated() > before, "a late load must not live");
            assert!(tag.invalidated() <= after, "a new load must live");
        }
        assert_eq!(kept[0].invalidated(), 0);
        assert!(Arc::ptr_eq(&kept[0], &tags.of(&names(&["kept"]))[0]));
    }
}
