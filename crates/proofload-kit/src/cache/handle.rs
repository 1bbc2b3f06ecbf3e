//! The cache as its users hold it: looking things up and loading them.

use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::sync::Arc;

use super::core::{Core, Wants};
use super::loaded::{IntoLoaded, Loaded};
use super::policy::Judgement;
use super::stats::Lookup;
use super::{CacheBuilder, CacheStats, LoadError, Ttl};

#[doc = include_str!("../docs/cache.md")]
pub struct Cache<V> {
    pub(super) core: Arc<Core<V>>,
    pub(super) owner: Arc<Owner<V>>,
}

/// Dropped with the last handle of the cache: then no load has anybody to load for.
pub(super) struct Owner<V> {
    pub(super) core: Arc<Core<V>>,
}

impl<V> Drop for Owner<V> {
    fn drop(&mut self) {
        self.core.flights.abort_all();
    }
}

impl<V> Clone for Cache<V> {
    fn clone(&self) -> Self {
        Self { core: Arc::clone(&self.core), owner: Arc::clone(&self.owner) }
    }
}

impl<V> fmt::Debug for Cache<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.core.deref().fmt(f)
    }
}

impl<V: Clone + Send + Sync + 'static> Cache<V> {
    /// A cache with that name, whose values are fresh for that long.
    pub fn builder(name: impl Into<String>, ttl: impl Into<Ttl>) -> CacheBuilder<V> {
        CacheBuilder::new(name.into(), ttl.into())
    }

    /// The name it was given.
    pub fn name(&self) -> &str {
        &self.core.name
    }

    /// What it has counted so far.
    ///
    /// ```
    /// use proofload_kit::{Cache, Ttl};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), proofload_kit::BuildError> {
    /// let cache = Cache::<u8>::builder("numbers", Ttl::DATA).build()?;
    /// cache.put("one", 1).await;
    /// for key in ["one", "one", "one", "two"] {
    ///     cache.get(key);
    /// }
    /// let stats = cache.stats();
    /// assert_eq!((stats.hits, stats.misses, stats.entries), (3, 1, 1));
    /// assert_eq!(stats.hit_rate(), 0.75);
    /// # Ok(())
    /// # }
    /// ```
    pub fn stats(&self) -> CacheStats {
        self.core.counters.snapshot(self.core.memory.len(), self.core.memory.weight())
    }

    /// The fresh value in memory. Asks no other layer, loads nothing, allocates nothing.
    ///
    /// ```
    /// use proofload_kit::{Cache, Ttl};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), proofload_kit::BuildError> {
    /// let cache = Cache::<u8>::builder("numbers", Ttl::DATA).build()?;
    /// assert_eq!(cache.get("one"), None);
    /// cache.put("one", 1).await;
    /// assert_eq!(cache.get("one"), Some(1));
    /// # Ok(())
    /// # }
    /// ```
    #[inline]
    pub fn get(&self, key: &str) -> Option<V> {
        match self.fresh(key, Wants::Option) {
            Some(found) => found,
            None => {
                self.core.counters.count(Lookup::Miss);
                None
            }
        }
    }

    /// A fresh answer of memory, counted.
    #[inline]
    pub(super) fn fresh(&self, key: &str, wants: Wants) -> Option<Option<V>> {
        let core = &*self.core;
        let (entry, judgement) = core.look(key, wants, core.clock.now())?;
        if judgement != Judgement::Fresh {
            return None;
        }
        let lookup = if entry.value.is_some() { Lookup::Hit } else { Lookup::Negative };
        Some(core.give(&entry, lookup))
    }

    /// The value, loaded if there is none that may be served.
    ///
    /// Of all callers that miss the same key, one leads: its loader is called, and its future
    /// runs in a task of its own; all get the outcome. The load survives callers that are cancelled. It
    /// goes on behind when something stale can be served: at once within the window of
    /// [`stale_while_revalidate`](CacheBuilder::stale_while_revalidate), and after the
    /// [`soft_timeout`](CacheBuilder::soft_timeout) within that of
    /// [`fail_safe`](CacheBuilder::fail_safe). It ends early only at the
    /// [`hard_timeout`](CacheBuilder::hard_timeout), or with the last handle of the cache.
    ///
    /// `load` itself may borrow: it is called here, if at all. The future it makes may not. It may load
    /// other keys; if it asks for its own, it waits for itself.
    ///
    /// # Errors
    ///
    /// What the load ended with, when nothing stale can stand in for a value.
    ///
    /// # Panics
    ///
    /// When there is something to load outside of a tokio runtime.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::Arc;
    /// use proofload_kit::{Cache, LoadError, Ttl};
    ///
    /// #[derive(Debug, thiserror::Error)]
    /// #[error("no such user")]
    /// struct NoSuchUser;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), proofload_kit::BuildError> {
    /// let users = Cache::<Arc<str>>::builder("users", Ttl::DATA).build()?;
    /// let ada = users.get_or_load("user:7", || async { Ok::<_, NoSuchUser>(Arc::<str>::from("Ada")) }).await;
    /// assert_eq!(ada.as_deref().ok(), Some("Ada"));
    /// let nobody = users.get_or_load("user:0", || async { Err::<Arc<str>, _>(NoSuchUser) }).await;
    /// match nobody {
    ///     Err(LoadError::Failed(error)) => assert_eq!(error.to_string(), "no such user"),
    ///     other => panic!("{other:?}"),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get_or_load<T, E, F, Fut>(&self, key: &str, load: F) -> Result<V, LoadError<E>>
    where
        T: IntoLoaded<V> + 'static,
        E: Send + Sync + 'static,
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
    {
        if let Some(Some(value)) = self.fresh(key, Wants::Value) {
            return Ok(value);
        }
        let load = || some(load());
        let load = self.core.load_in_task(key, Wants::Value, load);
        present(Box::pin(load).await)
    }

    /// As [`get_or_load`](Self::get_or_load), with a loader that may borrow: it runs within the leading
    /// caller. When that one is cancelled, another that waits leads with its own loader; when it finds
    /// a value to be stale, it waits for the new one while others are served the stale one.
    ///
    /// ```
    /// use proofload_kit::{Cache, Ttl};
    ///
    /// struct Database;
    /// impl Database {
    ///     async fn count(&mut self) -> Result<u64, std::io::Error> {
    ///         Ok(42)
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let counts = Cache::<u64>::builder("counts", Ttl::QUERY).build()?;
    /// let mut database = Database;
    /// let count = counts.get_or_load_scoped("users", || database.count()).await?;
    /// assert_eq!(count, 42);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// What the load ended with, when nothing stale can stand in for a value.
    pub async fn get_or_load_scoped<T, E, F, Fut>(
        &self,
        key: &str,
        load: F,
    ) -> Result<V, LoadError<E>>
    where
        T: IntoLoaded<V> + 'static,
        E: Send + Sync + 'static,
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        if let Some(Some(value)) = self.fresh(key, Wants::Value) {
            return Ok(value);
        }
        let load = || some(load());
        let load = self.core.load_in_caller(key, Wants::Value, load);
        present(Box::pin(load).await)
    }

    /// As [`get_or_load`](Self::get_or_load) for what may not exist. That there is no value is
    /// remembered for [`negative_ttl`](CacheBuilder::negative_ttl), or not at all without one.
    ///
    /// ```
    /// use std::convert::Infallible;
    /// use proofload_kit::{Cache, Ttl};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let users = Cache::<String>::builder("users", Ttl::DATA)
    ///     .negative_ttl(Ttl::seconds(10))
    ///     .build()?;
    /// for _ in 0..3 {
    ///     let nobody = users
    ///         .get_or_load_option("user:0", || async { Ok::<_, Infallible>(None) })
    ///         .await?;
    ///     assert_eq!(nobody, None);
    /// }
    /// assert_eq!(users.stats().loads, 1);
    /// assert_eq!(users.stats().negative_hits, 2);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// What the load ended with, when nothing stale can stand in for a value.
    ///
    /// # Panics
    ///
    /// When there is something to load outside of a tokio runtime.
    pub async fn get_or_load_option<T, E, F, Fut>(
        &self,
        key: &str,
        load: F,
    ) -> Result<Option<V>, LoadError<E>>
    where
        T: IntoLoaded<Option<V>> + 'static,
        E: Send + Sync + 'static,
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
    {
        if let Some(found) = self.fresh(key, Wants::Option) {
            return Ok(found);
        }
        let load = || option(load());
        Box::pin(self.core.load_in_task(key, Wants::Option, load)).await
    }

    /// As [`get_or_load_option`](Self::get_or_load_option), with a loader that may borrow.
    ///
    /// ```
    /// use proofload_kit::{Cache, Ttl};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let cache = Cache::<u8>::builder("numbers", Ttl::DATA).build()?;
    /// let known = vec![("one", 1), ("two", 2)];
    /// let find = async |name: &str| {
    ///     let found = known.iter().find(|(own, _)| *own == name);
    ///     Ok::<_, std::io::Error>(found.map(|(_, number)| *number))
    /// };
    /// assert_eq!(cache.get_or_load_option_scoped("two", || find("two")).await?, Some(2));
    /// assert_eq!(cache.get_or_load_option_scoped("six", || find("six")).await?, None);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// What the load ended with, when nothing stale can stand in for a value.
    pub async fn get_or_load_option_scoped<T, E, F, Fut>(
        &self,
        key: &str,
        load: F,
    ) -> Result<Option<V>, LoadError<E>>
    where
        T: IntoLoaded<Option<V>> + 'static,
        E: Send + Sync + 'static,
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        if let Some(found) = self.fresh(key, Wants::Option) {
            return Ok(found);
        }
        let load = || option(load());
        Box::pin(self.core.load_in_caller(key, Wants::Option, load)).await
    }
}

async fn some<V, T: IntoLoaded<V> + 'static, E>(
    load: impl Future<Output = Result<T, E>>,
) -> Result<Loaded<Option<V>>, E> {
    let Loaded { value, options } = load.await?.into_loaded();
    Ok(Loaded { value: Some(value), options })
}

async fn option<V, T: IntoLoaded<Option<V>> + 'static, E>(
    load: impl Future<Output = Result<T, E>>,
) -> Result<Loaded<Option<V>>, E> {
    load.await.map(T::into_loaded)
}

/// Loads that want a value end with one or with an error.
pub(super) fn present<V, E>(answer: Result<Option<V>, LoadError<E>>) -> Result<V, LoadError<E>> {
    answer.and_then(|value| value.ok_or(LoadError::Cancelled))
}
