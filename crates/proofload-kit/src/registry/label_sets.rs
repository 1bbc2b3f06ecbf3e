//! Instruments of one name told apart by labels, in a number that is bounded whatever clients send.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};

use super::families::Families;
use super::instrument::Instrument;

/// How many sets of label values a name may have before the rest share one.
pub(crate) const MAX_LABEL_SETS: usize = 1_000;
/// Every label of the set that is shared by what came too late.
pub(crate) const OVERFLOW: &str = "other";

/// An instrument for each set of label values.
#[derive(Debug)]
pub(crate) struct LabelSets<T> {
    name: &'static str,
    help: &'static str,
    labels: Box<[&'static str]>,
    /// Never shown: others are made after it.
    pattern: T,
    hasher: RandomState,
    sets: RwLock<Sets<T>>,
    overflowed: AtomicBool,
}

#[derive(Debug)]
struct Sets<T> {
    count: usize,
    /// By the hash of the values, so that a look-up needs no owned strings.
    by_hash: HashMap<u64, Vec<Set<T>>>,
}

#[derive(Debug)]
struct Set<T> {
    values: Box<[Box<str>]>,
    instrument: T,
}

impl<T: Instrument> LabelSets<T> {
    pub(crate) fn new(
        name: &'static str,
        help: &'static str,
        labels: &[&'static str],
        pattern: T,
    ) -> Self {
        Self {
            name,
            help,
            labels: labels.into(),
            pattern,
            hasher: RandomState::new(),
            sets: RwLock::new(Sets { count: 0, by_hash: HashMap::new() }),
            overflowed: AtomicBool::new(false),
        }
    }

    /// Whether a second request for this name asks for the same thing.
    pub(crate) fn same_make(&self, labels: &[&'static str], pattern: &T) -> bool {
        *self.labels == *labels && self.pattern.same_make(pattern)
    }

    /// The instrument of these values; the shared one when there are too many sets.
    pub(crate) fn get(&self, values: &[&str]) -> T {
        debug_assert_eq!(values.len(), self.labels.len());
        let hash = self.hasher.hash_one(values);
        if let Some(found) =
            self.sets.read().unwrap_or_else(PoisonError::into_inner).find(hash, values)
        {
            return found;
        }
        let added = {
            let mut sets = self.sets.write().unwrap_or_else(PoisonError::into_inner);
            sets.find_or_add(hash, values, &self.pattern)
        };
        added.unwrap_or_else(|| self.overflow())
    }

    #[cold]
    fn overflow(&self) -> T {
        if !self.overflowed.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                metric = self.name,
                label_sets = MAX_LABEL_SETS,
                "too many sets of labels: the rest is counted as `{OVERFLOW}`; use labels with few values"
            );
        }
        let values = vec![OVERFLOW; self.labels.len()];
        let hash = self.hasher.hash_one(values.as_slice());
        let mut sets = self.sets.write().unwrap_or_else(PoisonError::into_inner);
        sets.find(hash, &values).unwrap_or_else(|| sets.add(hash, &values, self.pattern.fresh()))
    }

    pub(crate) fn collect(&self, families: &mut Families) {
        let sets = self.sets.read().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<&Set<T>> = sets.by_hash.values().flatten().collect();
        all.sort_unstable_by(|a, b| a.values.cmp(&b.values));
        for set in all {
            let values = set.values.iter().map(AsRef::as_ref);
            let labels: Vec<(&'static str, &str)> =
                self.labels.iter().copied().zip(values).collect();
            families.add_new(self.name, self.help, &labels, set.instrument.sample());
        }
    }
}

impl<T: Instrument> Sets<T> {
    fn find(&self, hash: u64, values: &[&str]) -> Option<T> {
        let same = |set: &&Set<T>| set.values.iter().map(AsRef::as_ref).eq(values.iter().copied());
        let found = self.by_hash.get(&hash)?.iter().find(same)?;
        Some(found.instrument.clone())
    }

    /// `None` when there is no room for more.
    fn find_or_add(&mut self, hash: u64, values: &[&str], pattern: &T) -> Option<T> {
        if let Some(found) = self.find(hash, values) {
            return Some(found);
        }
        (self.count < MAX_LABEL_SETS).then(|| self.add(hash, values, pattern.fresh()))
    }

    fn add(&mut self, hash: u64, values: &[&str], instrument: T) -> T {
        let values = values.iter().map(|&value| value.into()).collect();
        let set = Set { values, instrument: instrument.clone() };
        self.by_hash.entry(hash).or_default().push(set);
        self.count += 1;
        instrument
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::instrument::Counter;

    fn shown(sets: &LabelSets<Counter>) -> Vec<(String, f64)> {
        let mut families = Families::default();
        sets.collect(&mut families);
        let samples = families.iter().flat_map(|(_, family)| &family.samples);
        let one = |sample: &crate::registry::families::Sample| {
            let labels: Vec<_> = sample.labels.iter().map(|(_, value)| value.as_str()).collect();
            let crate::registry::families::Value::Counter(value) = sample.value else {
                unreachable!()
            };
            (labels.join(","), value)
        };
        samples.map(one).collect()
    }

    #[test]
    fn equal_values_share_an_instrument() {
        let sets = LabelSets::new("orders", "Orders", &["kind", "payment"], Counter::default());
        sets.get(&["book", "card"]).add(2);
        sets.get(&["book", "card"]).increment();
        // Not the same as the one before, though the text behind each other is.
        sets.get(&["bookc", "ard"]).increment();
        let expected = [("book,card".to_owned(), 3.0), ("bookc,ard".to_owned(), 1.0)];
        assert_eq!(shown(&sets), expected);
    }

    #[test]
    fn what_comes_too_late_shares_one_set() {
        let sets = LabelSets::new("paths", "Paths", &["path"], Counter::default());
        let names: Vec<String> = (0..MAX_LABEL_SETS + 50).map(|n| format!("/{n}")).collect();
        for name in names.iter().chain(&names) {
            sets.get(&[name.as_str()]).increment();
        }
        let shown = shown(&sets);
        assert_eq!(shown.len(), MAX_LABEL_SETS + 1);
        let others: Vec<_> = shown.iter().filter(|(labels, _)| labels == OVERFLOW).collect();
        assert_eq!(others, [&("other".to_owned(), 100.0)]);
        assert_eq!(shown.iter().map(|(_, value)| value).sum::<f64>(), 2.0 * names.len() as f64);
    }

    #[test]
    fn threads_that_race_for_a_new_set_count_together() {
        let sets = LabelSets::new("races", "Races", &["lap"], Counter::default());
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    (0..200).for_each(|lap| sets.get(&[lap.to_string().as_str()]).increment());
                });
            }
        });
        let shown = shown(&sets);
        assert_eq!(shown.len(), 200);
        assert!(shown.iter().all(|&(_, value)| value == 4.0), "{shown:?}");
    }
}
