//! What the attributes and the response cache ask of a cache beyond what users need.

#[cfg(feature = "macros")]
use std::sync::Arc;
#[cfg(feature = "macros")]
use std::time::Duration;

use super::core::Wants;
use super::handle::Cache;
#[cfg(feature = "macros")]
use super::invalidate::Invalidate;
#[cfg(feature = "macros")]
use super::remote::Target;
#[cfg(feature = "macros")]
use crate::Registry;

impl<V: Clone + Send + Sync + 'static> Cache<V> {
    /// A fresh answer of memory, also the knowledge that there is no value where that is an answer. Counts what it
    /// finds, and nothing when it finds nothing: whoever loads next counts that.
    #[inline]
    pub(crate) fn answer(&self, key: &str, optional: bool) -> Option<Option<V>> {
        let wants = if optional { Wants::Option } else { Wants::Value };
        self.fresh(key, wants)
    }

    /// How long loads may take.
    #[cfg(feature = "macros")]
    pub(crate) fn hard_timeout(&self) -> Option<Duration> {
        self.core.policy.hard_timeout
    }

    /// The cache, whatever its values are. Does not keep its loads going.
    #[cfg(feature = "macros")]
    pub(crate) fn invalidator(&self) -> Arc<dyn Invalidate> {
        Arc::<super::core::Core<V>>::clone(&self.core)
    }
}

#[cfg(feature = "macros")]
impl Registry {
    /// Takes away what the target covers, in the memory of this process. Answers whether there are caches with other
    /// layers, too.
    pub(crate) fn invalidate_local(&self, target: &Target) -> bool {
        let mut shared = false;
        for part in self.parts() {
            if let Some(cache) = part.as_cache() {
                cache.invalidate_local(target);
                shared |= cache.is_shared();
            }
        }
        shared
    }
}

/// Milliseconds since 1970.
#[cfg(feature = "tower")]
pub(crate) fn wall_ms() -> u64 {
    super::clock::wall_ms()
}
