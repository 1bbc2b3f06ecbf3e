//! The parts of one cache, and the steps that touch several of them at once.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use super::clock::{Clock, Nanos};
use super::entry::Entry;
use super::flight::{End, Flight, Flights, Leader};
use super::loaded::PutOptions;
use super::memory::{Memory, Removed, Scan};
use super::policy::{Judgement, Policy};
use super::remote::Shared;
use super::stats::{Counters, Lookup, add};
use super::tags::Tags;
use super::writing::Writing;

/// How many entries each insertion looks at for ones whose time is over.
const SWEEP_STEPS: usize = 4;

pub(super) type Weigh<V> = Box<dyn Fn(&str, &V) -> u32 + Send + Sync>;

/// What the handles of a cache, and its loads under way, share.
pub(super) struct Core<V> {
    /// For tasks that finish what a cancelled caller began.
    pub(super) me: Weak<Self>,
    pub(super) name: Box<str>,
    pub(super) policy: Policy,
    pub(super) clock: Clock,
    pub(super) memory: Memory<V>,
    pub(super) flights: Flights<V>,
    pub(super) writing: Writing,
    pub(super) tags: Tags,
    pub(super) counters: Counters,
    pub(super) weigh: Option<Weigh<V>>,
    pub(super) shared: Option<Shared<V>>,
    /// Grows with every invalidation and put: tells those who store without a flight that they are late.
    pub(super) changes: AtomicU64,
}

/// What a caller can use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wants {
    /// A value: a known absence is no answer.
    Value,
    /// A value, or the knowledge that there is none.
    Option,
}

/// What a caller has to do for its value.
pub(super) enum Entered<V> {
    /// Nothing.
    Answer(Arc<Entry<V>>, Lookup),
    /// Load; meanwhile, or if that fails, there may be something stale.
    Lead(Leading<V>, Option<Arc<Entry<V>>>),
    /// Wait for another's load, joined at that tag epoch.
    Wait(Arc<Flight<V>>, u64, Option<Arc<Entry<V>>>),
}

impl<V> Core<V> {
    /// What memory has under the key that is of use to the caller.
    #[inline]
    pub(super) fn look(
        &self,
        key: &str,
        wants: Wants,
        now: Nanos,
    ) -> Option<(Arc<Entry<V>>, Judgement)> {
        let entry = self.memory.get(key)?;
        let judgement = entry.judge(now);
        let useful =
            judgement != Judgement::Dead && (entry.value.is_some() || wants == Wants::Option);
        useful.then_some((entry, judgement))
    }

    /// Looks into memory, and else joins the load of the key or begins it.
    pub(super) fn enter(self: &Arc<Self>, key: &str, wants: Wants, leader: Leader) -> Entered<V> {
        let stale = match self.look(key, wants, self.clock.now()) {
            Some((entry, judgement)) => match answer(&entry, judgement) {
                Some(lookup) => return Entered::Answer(entry, lookup),
                None => Some((entry, judgement)),
            },
            None => None,
        };
        let fallback = |stale: Option<(Arc<Entry<V>>, Judgement)>| stale.map(|(entry, _)| entry);
        // Entries seen under the lock are dropped after it: the value's own code does not run there.
        let again;
        let mut locked = self.flights.lock(key);
        if let Some(flight) = locked.get(key) {
            let joined = self.tags.epoch();
            drop(locked);
            return match stale {
                Some((entry, Judgement::Stale { .. })) => Entered::Answer(entry, Lookup::Stale),
                stale => {
                    add(&self.counters.coalesced, 1);
                    Entered::Wait(flight, joined, fallback(stale))
                }
            };
        }
        again = self.look(key, wants, self.clock.now());
        if let Some((entry, judgement)) = &again
            && let Some(lookup) = answer(entry, *judgement)
        {
            drop(locked);
            return Entered::Answer(Arc::clone(entry), lookup);
        }
        let flight = locked.begin(key, leader, self.tags.epoch());
        drop(locked);
        Entered::Lead(Leading { core: Arc::clone(self), flight, wants }, fallback(again))
    }

    /// Begins a flight in the place of any other: what is under way is older than what this one brings.
    pub(super) fn take_over(self: &Arc<Self>, key: &str) -> Leading<V> {
        self.changes.fetch_add(1, Ordering::SeqCst);
        let mut locked = self.flights.lock(key);
        let before = locked.supersede(key);
        let flight = locked.begin(key, Leader::Future, self.tags.epoch());
        drop(locked);
        drop(before);
        Leading { core: Arc::clone(self), flight, wants: Wants::Value }
    }

    /// An entry for the value, and whether it is to be kept.
    pub(super) fn entry(
        &self,
        key: Arc<str>,
        value: Option<V>,
        options: &PutOptions,
        epoch: u64,
    ) -> (Arc<Entry<V>>, bool) {
        let (now, absent) = (self.clock.now(), value.is_none());
        let life = self.policy.fresh_for(self.policy.ttl, options.ttl, absent, fastrand::f64());
        let times = self.policy.times(now, life.unwrap_or_default(), absent);
        let weight = self.weight_of(&key, value.as_ref());
        let tags = self.tags.of(&options.tags);
        (Arc::new(Entry::new(key, value, weight, times, epoch, tags)), life.is_some())
    }

    /// At least 1, also for absences: what weighs nothing would never be evicted.
    pub(super) fn weight_of(&self, key: &str, value: Option<&V>) -> u64 {
        match (&self.weigh, value) {
            (Some(weigh), Some(value)) => u64::from(weigh(key, value).max(1)),
            (Some(_), None) => key.len().max(1) as u64,
            (None, _) => 1,
        }
    }

    /// Puts an entry in the place of what is there and of what is being loaded. Without one, removes.
    pub(super) fn replace(&self, key: &str, entry: Option<Arc<Entry<V>>>) -> u64 {
        self.changes.fetch_add(1, Ordering::SeqCst);
        let new = entry.clone();
        let (flight, gone) = {
            let mut locked = self.flights.lock(key);
            let flight = locked.supersede(key);
            let gone = match entry {
                Some(entry) => self.memory.insert(entry),
                None => self.memory.remove(key),
            };
            (flight, gone)
        };
        drop(flight);
        let now = self.clock.now();
        let was_there =
            |gone: &&Arc<Entry<V>>| *gone.key == *key && gone.judge(now) != Judgement::Dead;
        let removed = gone.iter().filter(was_there).count();
        self.account(key, &gone, new.as_ref());
        self.sweep();
        removed as u64
    }

    /// Supersedes the flights and removes the entries whose key is chosen, a few hundred entries with
    /// each call of the returned step, which answers None at the end.
    pub(super) fn removal(&self, chosen: impl Fn(&str) -> bool) -> impl FnMut() -> Option<u64> {
        self.changes.fetch_add(1, Ordering::SeqCst);
        let _ = self.flights.supersede(&chosen);
        let mut scan = Scan::default();
        move || {
            let gone = self.memory.remove_next(&mut scan, |entry| chosen(&entry.key))?;
            let now = self.clock.now();
            let alive = gone.iter().filter(|entry| entry.judge(now) != Judgement::Dead).count();
            gone.iter().for_each(|entry| entry.withdraw());
            Some(alive as u64)
        }
    }

    /// Counts what had to go for `new`, and takes former values away from those who still hold them.
    pub(super) fn account(&self, key: &str, gone: &Removed<V>, new: Option<&Arc<Entry<V>>>) {
        let now = self.clock.now();
        for entry in gone {
            let refused = new.is_some_and(|new| Arc::ptr_eq(new, entry));
            if *entry.key == *key && !refused {
                entry.withdraw();
            } else if entry.judge(now) == Judgement::Dead {
                add(&self.counters.expirations, 1);
            } else {
                add(&self.counters.evictions, 1);
            }
        }
    }

    /// Removes entries whose time is over, a few at a time.
    pub(super) fn sweep(&self) {
        let now = self.clock.now();
        let gone = self.memory.sweep(SWEEP_STEPS, |entry| entry.judge(now) == Judgement::Dead);
        if !gone.is_empty() {
            add(&self.counters.expirations, gone.len() as u64);
        }
    }
}

/// How an entry answers a lookup by itself; None if somebody has to load.
fn answer<V>(entry: &Entry<V>, judgement: Judgement) -> Option<Lookup> {
    match judgement {
        Judgement::Fresh if entry.value.is_some() => Some(Lookup::Hit),
        Judgement::Fresh => Some(Lookup::Negative),
        Judgement::Stale { refresh: false } => Some(Lookup::Stale),
        Judgement::Stale { refresh: true } | Judgement::Fallback | Judgement::Dead => None,
    }
}

impl<V> fmt::Debug for Core<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("name", &self.name)
            .field("memory", &self.memory)
            .field("shared", &self.shared)
            .finish_non_exhaustive()
    }
}

/// The right, and the duty, to load a key. Dropped before it landed, others are woken to load instead.
pub(super) struct Leading<V> {
    pub(super) core: Arc<Core<V>>,
    pub(super) flight: Arc<Flight<V>>,
    pub(super) wants: Wants,
}

impl<V> Leading<V> {
    /// Gives the entry to all who wait, and keeps it unless the flight was superseded: then false. What is
    /// not to be kept leaves nothing: the value before it is known to be old.
    pub(super) fn land(&self, entry: Arc<Entry<V>>, keep: bool) -> bool {
        let core = &*self.core;
        let gone = {
            let mut locked = core.flights.lock(&self.flight.key);
            locked.end(&self.flight).then(|| {
                if keep && !entry.is_outdated() {
                    core.memory.insert(Arc::clone(&entry))
                } else {
                    core.memory.remove(&self.flight.key)
                }
            })
        };
        let current = gone.is_some();
        if let Some(gone) = gone {
            core.account(&self.flight.key, &gone, Some(&entry));
            drop(gone);
            core.sweep();
        }
        self.flight.finish(End::Landed(entry));
        current
    }

    /// Tells all who wait why there is no value. What is stale is served for a while without trying
    /// again.
    pub(super) fn fail(&self, end: End<V>) {
        let core = &*self.core;
        let mut locked = core.flights.lock(&self.flight.key);
        let current = locked.end(&self.flight);
        let there = core.memory.get(&self.flight.key);
        drop(locked);
        if let Some(stale) = there.filter(|_| current) {
            let pause = super::clock::nanos(core.policy.retry_after_failure);
            stale.rest_until(core.clock.now().saturating_add(pause));
        }
        self.flight.finish(end);
    }

    /// Lets those who wait have something stale, now or when the load fails, and keeps it for later
    /// callers. Memory may have something younger: the shared layer was not always there.
    pub(super) fn offer(&self, stale: &Arc<Entry<V>>) {
        let (core, key, now) = (&*self.core, &*self.flight.key, self.core.clock.now());
        let younger = |there: &Arc<Entry<V>>| {
            there.judge(now) != Judgement::Dead && there.is_younger_than(stale)
        };
        // What is found under the lock is dropped after it.
        let (there, gone);
        {
            let locked = core.flights.lock(key);
            there = core.memory.get(key);
            let insert = locked.has(&self.flight) && !there.as_ref().is_some_and(younger);
            gone = insert.then(|| core.memory.insert(Arc::clone(stale)));
        }
        if let Some(gone) = gone {
            core.account(key, &gone, Some(stale));
        }
        self.flight.offer(there.filter(younger).unwrap_or_else(|| Arc::clone(stale)));
    }
}

impl<V> Drop for Leading<V> {
    fn drop(&mut self) {
        if self.flight.end().is_none() {
            self.core.flights.lock(&self.flight.key).end(&self.flight);
            self.flight.finish(End::Abandoned);
        }
    }
}
