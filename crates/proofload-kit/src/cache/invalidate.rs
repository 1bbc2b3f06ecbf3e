//! Taking values away: by key, prefix, pattern and tag, in this process and in all others.

use std::sync::atomic::Ordering;

use tokio::runtime::Handle;

use crate::Registry;

use super::core::Core;
use super::glob::Glob;
use super::handle::Cache;
use super::remote::{BoxFuture, Heard, Target};
use super::stats::add;

/// How many steps of a search through memory are made before other tasks may run.
const STEPS_IN_A_ROW: u32 = 16;

/// A memory with more entries is not searched in one go on behalf of others.
const LARGE: usize = 10_000;

/// A cache as its registry invalidates it.
pub(crate) trait Invalidate: Send + Sync {
    /// Takes away what the target covers, in all layers; answers how many values that were.
    fn invalidate<'a>(&'a self, target: &'a Target) -> BoxFuture<'a, u64>;

    /// The same in the memory of this process only, at once.
    #[cfg(feature = "macros")]
    fn invalidate_local(&self, target: &Target) -> u64;

    /// Whether there are other layers.
    #[cfg(feature = "macros")]
    fn is_shared(&self) -> bool;
}

impl<V: Send + Sync + 'static> Invalidate for Core<V> {
    fn invalidate<'a>(&'a self, target: &'a Target) -> BoxFuture<'a, u64> {
        Box::pin(self.invalidate_all_layers(target))
    }

    #[cfg(feature = "macros")]
    fn invalidate_local(&self, target: &Target) -> u64 {
        self.invalidate_memory_now(target)
    }

    #[cfg(feature = "macros")]
    fn is_shared(&self) -> bool {
        self.shared.is_some()
    }
}

impl<V: Send + Sync + 'static> Core<V> {
    /// What has begun is carried out, also when the caller is cancelled: a client that hangs up after its
    /// write must not leave an old value behind.
    pub(super) async fn invalidate_all_layers(&self, target: &Target) -> u64 {
        let at_once = matches!(target, Target::Key(_) | Target::Tag(_));
        if at_once && self.shared.is_none() {
            return self.invalidate_at_once(target);
        }
        match (Handle::try_current(), self.me.upgrade()) {
            (Ok(runtime), Some(me)) => {
                let target = target.clone();
                let task = runtime.spawn(async move { me.invalidate_each_layer(&target).await });
                task.await.unwrap_or(0)
            }
            _ => self.invalidate_each_layer(target).await,
        }
    }

    /// Memory, then what is shared, then memory again, for loads that read the shared layer just
    /// before.
    async fn invalidate_each_layer(&self, target: &Target) -> u64 {
        let mut removed = self.invalidate_memory(target).await;
        if let Some(shared) = &self.shared {
            match shared.remote.invalidate(target).await {
                Ok(there) => removed = removed.max(there),
                Err(error) => self.remote_failed(&error),
            }
            self.invalidate_memory(target).await;
        }
        removed
    }

    /// Large memories are searched in steps, between which other tasks run.
    async fn invalidate_memory(&self, target: &Target) -> u64 {
        let Some(mut step) = self.removal_of(target) else {
            return self.invalidate_at_once(target);
        };
        let (mut removed, mut steps) = (0, 0);
        while let Some(some) = step() {
            removed += some;
            steps += 1;
            if steps % STEPS_IN_A_ROW == 0 {
                tokio::task::yield_now().await;
            }
        }
        add(&self.counters.invalidations, removed);
        removed
    }

    /// For targets that are searched for.
    fn removal_of<'a>(
        &'a self,
        target: &'a Target,
    ) -> Option<Box<dyn FnMut() -> Option<u64> + Send + 'a>> {
        Some(match target {
            Target::Key(_) | Target::Tag(_) => return None,
            Target::Prefix(prefix) => Box::new(self.removal(move |key| key.starts_with(&**prefix))),
            Target::Glob(pattern) => {
                let glob = Glob::new(pattern);
                Box::new(self.removal(move |key| glob.covers(key)))
            }
            Target::All => Box::new(self.removal(|_| true)),
        })
    }

    /// For targets that need no search.
    fn invalidate_at_once(&self, target: &Target) -> u64 {
        let removed = match target {
            Target::Key(key) => self.replace(key, None),
            Target::Tag(tag) => {
                let removed = self.tags.invalidate(tag);
                self.changes.fetch_add(1, Ordering::SeqCst);
                removed
            }
            Target::Prefix(_) | Target::Glob(_) | Target::All => 0,
        };
        add(&self.counters.invalidations, removed);
        removed
    }

    /// Memory only, without pausing.
    pub(super) fn invalidate_memory_now(&self, target: &Target) -> u64 {
        let Some(mut step) = self.removal_of(target) else {
            return self.invalidate_at_once(target);
        };
        let mut removed = 0;
        while let Some(some) = step() {
            removed += some;
        }
        add(&self.counters.invalidations, removed);
        removed
    }

    /// What other processes did. Does not keep its caller, who listens to them, from hearing more: large
    /// memories are searched in a task.
    pub(super) fn heard(&self, heard: &Heard) {
        let target = match heard {
            Heard::Invalidated(target) => target,
            Heard::Gap => &Target::All,
        };
        let search = !matches!(target, Target::Key(_) | Target::Tag(_));
        if search
            && self.memory.len() > LARGE
            && let (Ok(runtime), Some(me)) = (Handle::try_current(), self.me.upgrade())
        {
            let target = target.clone();
            runtime.spawn(async move { me.invalidate_memory(&target).await });
        } else {
            self.invalidate_memory_now(target);
        }
    }
}

/// Invalidation. All of it beats loads under way: what they bring is given to those who wait
/// already, but it is not kept, and who asks afterwards loads anew.
///
/// What has begun is carried out, also when the caller is cancelled.
///
/// With a shared layer, it reaches the memory of all processes. While that layer is not available, the
/// others keep what they have for their time to live.
impl<V: Clone + Send + Sync + 'static> Cache<V> {
    /// Removes a value; answers 1, or 0 if there was none.
    pub async fn invalidate(&self, key: &str) -> u64 {
        self.core.invalidate_all_layers(&Target::Key(key.to_owned())).await
    }

    /// Removes all values whose key begins with the prefix; answers how many (where the layers differ,
    /// the larger number).
    ///
    /// ```
    /// use proofload_kit::{Cache, Ttl};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), proofload_kit::BuildError> {
    /// let cache = Cache::<u8>::builder("profiles", Ttl::DATA).build()?;
    /// cache.put("user_profile:1", 1).await;
    /// cache.put("user_profile:2", 2).await;
    /// cache.put("session:1", 3).await;
    /// assert_eq!(cache.invalidate_prefix("user_profile:").await, 2);
    /// assert_eq!(cache.get("session:1"), Some(3));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn invalidate_prefix(&self, prefix: &str) -> u64 {
        self.core.invalidate_all_layers(&Target::Prefix(prefix.to_owned())).await
    }

    /// Removes all values whose whole key is covered by the pattern, as Redis understands patterns: `*`
    /// any run of bytes, `?` one byte, `[a-z]` and `[^a]` one of a set, `\` before a byte that is meant
    /// literally. Answers how many.
    ///
    /// ```
    /// use proofload_kit::{Cache, Ttl};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), proofload_kit::BuildError> {
    /// let cache = Cache::<u8>::builder("pages", Ttl::DATA).build()?;
    /// cache.put("user:1:posts", 1).await;
    /// cache.put("user:2:posts", 2).await;
    /// cache.put("user:2:likes", 3).await;
    /// assert_eq!(cache.invalidate_glob("user:*:posts").await, 2);
    /// assert_eq!(cache.clear().await, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn invalidate_glob(&self, pattern: &str) -> u64 {
        self.core.invalidate_all_layers(&Target::Glob(pattern.to_owned())).await
    }

    /// Removes all values with the tag; answers how many. Costs the same however many they are.
    pub async fn invalidate_tag(&self, tag: &str) -> u64 {
        self.core.invalidate_all_layers(&Target::Tag(tag.to_owned())).await
    }

    /// Removes everything; answers how much that was.
    pub async fn clear(&self) -> u64 {
        self.core.invalidate_all_layers(&Target::All).await
    }

    /// Removes a value from the memory of this process only; answers whether there was one.
    pub fn remove_local(&self, key: &str) -> bool {
        self.core.invalidate_memory_now(&Target::Key(key.to_owned())) > 0
    }

    /// Removes everything from the memory of this process only; answers how much that was.
    pub fn clear_local(&self) -> u64 {
        self.core.invalidate_memory_now(&Target::All)
    }
}

/// Invalidation over all caches of the registry. Answers how many values were removed. What has begun
/// is carried out in all of them, also when the caller is cancelled.
impl Registry {
    /// Removes the values of one key.
    pub async fn invalidate(&self, key: &str) -> u64 {
        self.invalidate_target(&Target::Key(key.to_owned())).await
    }

    /// Removes all values whose key begins with the prefix.
    ///
    /// ```
    /// use proofload_kit::{Cache, Registry, Ttl};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), proofload_kit::BuildError> {
    /// let registry = Registry::new();
    /// let profiles = Cache::<u8>::builder("profiles", Ttl::DATA).registry(&registry).build()?;
    /// let avatars = Cache::<u8>::builder("avatars", Ttl::DATA).registry(&registry).build()?;
    /// profiles.put("user:1:profile", 1).await;
    /// avatars.put("user:1:avatar", 2).await;
    /// assert_eq!(registry.invalidate_prefix("user:1:").await, 2);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn invalidate_prefix(&self, prefix: &str) -> u64 {
        self.invalidate_target(&Target::Prefix(prefix.to_owned())).await
    }

    /// Removes all values whose key is covered by the pattern: see
    /// [`Cache::invalidate_glob`](crate::Cache::invalidate_glob).
    pub async fn invalidate_glob(&self, pattern: &str) -> u64 {
        self.invalidate_target(&Target::Glob(pattern.to_owned())).await
    }

    /// Removes all values with the tag.
    pub async fn invalidate_tag(&self, tag: &str) -> u64 {
        self.invalidate_target(&Target::Tag(tag.to_owned())).await
    }

    pub(crate) async fn invalidate_target(&self, target: &Target) -> u64 {
        let (parts, target) = (self.parts(), target.clone());
        let all = async move {
            let mut removed = 0;
            for part in parts {
                if let Some(cache) = part.as_cache() {
                    removed += cache.invalidate(&target).await;
                }
            }
            removed
        };
        match Handle::try_current() {
            Ok(runtime) => runtime.spawn(all).await.unwrap_or(0),
            Err(_) => all.await,
        }
    }
}
