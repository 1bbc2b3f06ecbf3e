//! Invalidation that a function has announced.

use std::fmt;
use std::mem;
use std::sync::Arc;

use super::writer::{Writer, written, written_key, written_pattern};
use crate::cache::Invalidate;
use crate::cache::remote::Target;
use crate::{Cache, Registry};

/// What goes when the function is done.
///
/// It also goes when the function panics, or its future is dropped: nobody knows how far it came, and a value too few
/// costs a load, where a value too many is wrong.
pub struct Pending {
    scope: Scope,
    targets: Vec<Target>,
}

#[derive(Clone)]
enum Scope {
    Registry(Registry),
    Cache(Arc<dyn Invalidate>),
}

impl Pending {
    /// In all caches of the registry.
    pub fn in_registry(registry: &Registry) -> Self {
        Self { scope: Scope::Registry(registry.clone()), targets: Vec::new() }
    }

    /// In one cache.
    pub fn in_cache<V: Clone + Send + Sync + 'static>(cache: &Cache<V>) -> Self {
        Self { scope: Scope::Cache(cache.invalidator()), targets: Vec::new() }
    }

    /// Adds the value of one key.
    #[must_use]
    pub fn key(self, write: impl FnOnce(&mut Writer)) -> Self {
        self.and(Target::Key(written_key(write)))
    }

    /// Adds all values whose key begins so.
    #[must_use]
    pub fn prefix(self, write: impl FnOnce(&mut Writer)) -> Self {
        self.and(Target::Prefix(written(write)))
    }

    /// Adds all values whose key is covered by the pattern.
    #[must_use]
    pub fn pattern(self, write: impl FnOnce(&mut Writer)) -> Self {
        self.and(Target::Glob(written_pattern(write)))
    }

    /// Adds all values with the tag.
    #[must_use]
    pub fn tag(self, write: impl FnOnce(&mut Writer)) -> Self {
        self.and(Target::Tag(written(write)))
    }

    fn and(mut self, target: Target) -> Self {
        self.targets.push(target);
        self
    }

    /// Takes everything away, in all layers, if the function did what it should. Cancelled halfway, memory at least
    /// holds none of it.
    pub async fn finish(mut self, succeeded: bool) {
        if !succeeded {
            self.targets.clear();
        }
        for target in &self.targets {
            self.scope.invalidate(target).await;
        }
        self.targets.clear();
    }

    /// Takes everything away from the memory of this process, if the function did what it should; what other layers
    /// hold is taken away by a task, if there is a runtime to run it.
    pub fn finish_now(mut self, succeeded: bool) {
        if !succeeded {
            self.targets.clear();
        }
        // The rest is done by being dropped.
    }
}

impl Scope {
    async fn invalidate(&self, target: &Target) {
        match self {
            Self::Registry(registry) => registry.invalidate_target(target).await,
            Self::Cache(cache) => cache.invalidate(target).await,
        };
    }

    /// Answers whether there are other layers.
    fn invalidate_local(&self, target: &Target) -> bool {
        match self {
            Self::Registry(registry) => registry.invalidate_local(target),
            Self::Cache(cache) => {
                cache.invalidate_local(target);
                cache.is_shared()
            }
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        let targets = mem::take(&mut self.targets);
        let mut shared = false;
        for target in &targets {
            shared |= self.scope.invalidate_local(target);
        }
        if !shared {
            return;
        }
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => {
                let scope = self.scope.clone();
                drop(runtime.spawn(async move {
                    for target in &targets {
                        scope.invalidate(target).await;
                    }
                }));
            }
            Err(_) => tracing::warn!(
                "there is no runtime to invalidate shared layers from: other processes keep their values until they expire"
            ),
        }
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending").field("targets", &self.targets).finish_non_exhaustive()
    }
}
