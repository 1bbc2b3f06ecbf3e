//! The settings of a cache.

use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Weak};
use std::time::Duration;

use crate::registry::Component;
use crate::{BuildError, Registry};

use super::Ttl;
use super::clock::Clock;
use super::core::{Core, Weigh};
use super::flight::Flights;
use super::handle::{Cache, Owner};
use super::memory::{Bound, Memory};
use super::policy::Policy;
use super::remote::Shared;
use super::stats::Counters;
use super::tags::Tags;
use super::writing::Writing;

/// How many entries a cache holds unless told otherwise.
const DEFAULT_ENTRIES: usize = 10_000;

/// How long names may be, bytes.
const LONGEST_NAME: usize = 255;

/// Makes a [`Cache`]: see [`Cache::builder`].
#[must_use]
pub struct CacheBuilder<V> {
    name: Box<str>,
    policy: Policy,
    max_entries: Option<usize>,
    max_weight: Option<(u64, Weigh<V>)>,
    registry: Option<Registry>,
    shared: Option<Shared<V>>,
}

impl<V: Clone + Send + Sync + 'static> CacheBuilder<V> {
    pub(super) fn new(name: String, ttl: Ttl) -> Self {
        Self {
            name: name.into(),
            policy: Policy {
                ttl,
                negative_ttl: None,
                stale_while_revalidate: Duration::ZERO,
                fail_safe: Duration::ZERO,
                retry_after_failure: Duration::from_secs(1),
                soft_timeout: None,
                hard_timeout: None,
            },
            max_entries: None,
            max_weight: None,
            registry: None,
            shared: None,
        }
    }

    /// How many entries memory holds at most; 10,000 if neither this nor a weight is set.
    ///
    /// Memory is divided into shards, each with its part of the bound: a cache begins to evict a little
    /// before it is full.
    pub fn max_entries(mut self, entries: usize) -> Self {
        self.max_entries = Some(entries);
        self
    }

    /// How much the entries in memory weigh at most together, instead of their number: each as
    /// much as the function says, in whatever unit, and at least 1.
    ///
    /// A known absence weighs as many units as its key has bytes. An entry that is heavier than a
    /// twentieth of the whole may not be kept in memory.
    ///
    /// ```
    /// use proofload_kit::{Cache, Ttl};
    ///
    /// # fn main() -> Result<(), proofload_kit::BuildError> {
    /// let pages = Cache::<String>::builder("pages", Ttl::DATA)
    ///     .max_weight(64 << 20, |key, page| (key.len() + page.len()) as u32)
    ///     .build()?;
    /// # let _ = pages;
    /// # Ok(())
    /// # }
    /// ```
    pub fn max_weight(
        mut self,
        weight: u64,
        weigh: impl Fn(&str, &V) -> u32 + Send + Sync + 'static,
    ) -> Self {
        self.max_weight = Some((weight, Box::new(weigh)));
        self
    }

    /// How long after its freshness a value is still served at once, while one caller loads it anew
    /// behind. 0, the default: not at all.
    pub fn stale_while_revalidate(mut self, window: Duration) -> Self {
        self.policy.stale_while_revalidate = window;
        self
    }

    /// How long after its freshness a value is served when loading it anew fails, or takes longer
    /// than [the soft timeout](Self::soft_timeout). 0, the default: not at all.
    pub fn fail_safe(mut self, window: Duration) -> Self {
        self.policy.fail_safe = window;
        self
    }

    /// After a failed load, how long what is stale is served without another attempt; 1 second unless
    /// set. Spares a backend in trouble one load a request.
    pub fn retry_after_failure(mut self, pause: Duration) -> Self {
        self.policy.retry_after_failure = pause;
        self
    }

    /// How long a caller waits for a load when something stale could be served instead. The load goes
    /// on behind, and its value is kept. Unless set, callers wait for the load.
    ///
    /// Needs a runtime with tokio's time driver.
    pub fn soft_timeout(mut self, timeout: Duration) -> Self {
        self.policy.soft_timeout = Some(timeout);
        self
    }

    /// How long a load may take in all. At the end it is dropped, and those who wait get what is stale
    /// or [`LoadError::TimedOut`](crate::LoadError::TimedOut). Unless set, loads end by themselves.
    ///
    /// Needs a runtime with tokio's time driver.
    pub fn hard_timeout(mut self, timeout: Duration) -> Self {
        self.policy.hard_timeout = Some(timeout);
        self
    }

    /// How long it is remembered that a loader of options found no value. Unless set, it is not
    /// remembered.
    pub fn negative_ttl(mut self, ttl: impl Into<Ttl>) -> Self {
        self.policy.negative_ttl = Some(ttl.into());
        self
    }

    /// Shows the cache in the registry: its metrics, and invalidation over all caches.
    pub fn registry(mut self, registry: &Registry) -> Self {
        self.registry = Some(registry.clone());
        self
    }

    /// The name of the cache.
    #[cfg(feature = "redis")]
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Puts a layer below memory that processes share.
    #[cfg_attr(
        not(any(all(test, not(kit_loom)), feature = "redis")),
        expect(dead_code, reason = "there is no shared layer without a feature for it")
    )]
    pub(crate) fn shared(mut self, shared: Shared<V>) -> Self {
        self.shared = Some(shared);
        self
    }

    /// The cache.
    ///
    /// # Errors
    ///
    /// When a setting cannot be: an empty name or one of more than 255 bytes, a bound or a duration of 0, jitter outside of [0, 1), two
    /// bounds, or a soft timeout that is not shorter than the hard one.
    pub fn build(self) -> Result<Cache<V>, BuildError> {
        let bound = self.check()?;
        let core = Arc::new_cyclic(|me| Core {
            me: Weak::clone(me),
            name: self.name,
            policy: self.policy,
            clock: Clock::new(),
            memory: Memory::new(bound),
            flights: Flights::new(),
            writing: Writing::default(),
            tags: Tags::default(),
            counters: Counters::default(),
            weigh: self.max_weight.map(|(_, weigh)| weigh),
            shared: self.shared,
            changes: AtomicU64::new(0),
        });
        if let Some(registry) = self.registry {
            let part: Arc<dyn Component> = Arc::<Core<V>>::clone(&core);
            registry.add(Arc::downgrade(&part));
        }
        if let Some(shared) = &core.shared {
            let weak = Arc::downgrade(&core);
            shared.remote.listen(Box::new(move |heard| {
                if let Some(core) = weak.upgrade() {
                    core.heard(&heard);
                }
            }));
        }
        let owner = Arc::new(Owner { core: Arc::clone(&core) });
        Ok(Cache { core, owner })
    }

    fn check(&self) -> Result<Bound, BuildError> {
        if self.name.is_empty() || self.name.len() > LONGEST_NAME {
            return Err(BuildError::new("name", &self.name, "a text of at most 255 bytes"));
        }
        self.policy.ttl.check("ttl")?;
        if let Some(ttl) = self.policy.negative_ttl {
            ttl.check("negative_ttl")?;
        }
        if let Some(shared) = &self.shared {
            shared.ttl.check("shared ttl")?;
        }
        let timeouts = [
            ("soft_timeout", self.policy.soft_timeout),
            ("hard_timeout", self.policy.hard_timeout),
        ];
        for (setting, timeout) in timeouts {
            if timeout.is_some_and(|timeout| timeout.is_zero()) {
                return Err(BuildError::new(setting, "0 s", "longer than 0"));
            }
        }
        if let (Some(soft), Some(hard)) = (self.policy.soft_timeout, self.policy.hard_timeout)
            && soft >= hard
        {
            let soft = format!("{soft:?}");
            return Err(BuildError::new("soft_timeout", soft, "shorter than the hard timeout"));
        }
        match (self.max_entries, &self.max_weight) {
            (Some(_), Some((weight, _))) => {
                Err(BuildError::new("max_weight", weight, "left out where max_entries is set"))
            }
            (Some(0), None) => Err(BuildError::new("max_entries", 0, "at least 1")),
            (None, Some((0, _))) => Err(BuildError::new("max_weight", 0, "at least 1")),
            (None, Some((weight, _))) => Ok(Bound::Weight(*weight)),
            (entries, None) => Ok(Bound::Entries(entries.unwrap_or(DEFAULT_ENTRIES))),
        }
    }
}

impl<V> fmt::Debug for CacheBuilder<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CacheBuilder")
            .field("name", &self.name)
            .field("policy", &self.policy)
            .field("shared", &self.shared)
            .finish_non_exhaustive()
    }
}
