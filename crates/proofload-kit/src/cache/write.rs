//! Putting values in, alone or together with the source they come from.

use std::future::Future;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::core::{Core, Wants};
use super::handle::Cache;
use super::loaded::{IntoLoaded, Loaded, PutOptions};
use super::policy::Judgement;
use super::remote::Target;
use super::stats::{Lookup, add};
use super::writing::Writer;

impl<V: Clone + Send + Sync + 'static> Cache<V> {
    /// The fresh value of any layer, without loading it: memory, then what is shared.
    pub async fn fetch(&self, key: &str) -> Option<V> {
        if let Some(found) = self.fresh(key, Wants::Option) {
            return found;
        }
        self.core.counters.count(Lookup::Miss);
        self.core.fetch(key).await
    }

    /// Puts a value in, into all layers. A load of the same key that is under way brings an older value:
    /// that one is not kept.
    pub async fn put(&self, key: &str, value: V) {
        self.put_with(key, value, PutOptions::new()).await;
    }

    /// As [`put`](Self::put), with tags or a time to live of its own.
    ///
    /// ```
    /// use proofload_kit::{Cache, PutOptions, Ttl};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), proofload_kit::BuildError> {
    /// let sessions = Cache::<String>::builder("sessions", Ttl::SESSION).build()?;
    /// let options = PutOptions::new().ttl(Ttl::hours(1)).tags(["user:7"]);
    /// sessions.put_with("session:abc", "Ada".to_owned(), options).await;
    /// assert_eq!(sessions.get("session:abc").as_deref(), Some("Ada"));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn put_with(&self, key: &str, value: V, options: PutOptions) {
        self.core.put(key, Some(value), options).await;
    }

    /// Writes the source, then the cache: what the source refused is never cached.
    ///
    /// When the writer fails, or this call is cancelled, nobody knows what the source holds: the value
    /// is removed from the cache. So it is when writes of one key overlap in this process: nobody knows
    /// which of them the source took last. Where other processes write the same keys, use
    /// [`write_invalidate`](Self::write_invalidate), which has no such doubt.
    ///
    /// ```
    /// use proofload_kit::{Cache, Ttl};
    ///
    /// # async fn update(name: &str) -> Result<(), std::io::Error> { Ok(()) }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let names = Cache::<String>::builder("names", Ttl::DATA).build()?;
    /// names.write_through("user:7", "Ada".to_owned(), update("Ada")).await?;
    /// assert_eq!(names.get("user:7").as_deref(), Some("Ada"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The error of the writer.
    pub async fn write_through<T, E>(
        &self,
        key: &str,
        value: impl IntoLoaded<V>,
        writer: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let doubt = Doubt::begin(&self.core, key);
        let written = writer.await?;
        if doubt.writer.is_alone() {
            let Loaded { value, options } = value.into_loaded();
            self.core.put(key, Some(value), options).await;
        }
        // Another write may have begun while this one's value was put.
        if !doubt.writer.is_alone() {
            self.core.invalidate_all_layers(&Target::Key(key.to_owned())).await;
        }
        doubt.resolve();
        Ok(written)
    }

    /// Writes the source, then removes the value from the cache; also when the writer fails or this
    /// call is cancelled.
    ///
    /// ```
    /// use proofload_kit::{Cache, Ttl};
    ///
    /// # async fn update(name: &str) -> Result<(), std::io::Error> { Ok(()) }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let names = Cache::<String>::builder("names", Ttl::DATA).build()?;
    /// names.put("user:7", "Ada".to_owned()).await;
    /// names.write_invalidate("user:7", update("Grace")).await?;
    /// assert_eq!(names.get("user:7"), None);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The error of the writer.
    pub async fn write_invalidate<T, E>(
        &self,
        key: &str,
        writer: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let doubt = Doubt::begin(&self.core, key);
        let written = writer.await;
        self.core.invalidate_all_layers(&Target::Key(key.to_owned())).await;
        doubt.resolve();
        written
    }
}

impl<V: Clone + Send + Sync + 'static> Core<V> {
    /// What has begun is carried out, also when the caller is cancelled.
    async fn put(&self, key: &str, value: Option<V>, options: PutOptions) {
        match (tokio::runtime::Handle::try_current(), self.me.upgrade()) {
            (Ok(runtime), Some(me)) if self.shared.is_some() => {
                let key = key.to_owned();
                let task = async move { me.put_each_layer(&key, value, &options).await };
                if let Err(error) = runtime.spawn(task).await
                    && let Ok(panic) = error.try_into_panic()
                {
                    resume_unwind(panic);
                }
            }
            (_, Some(me)) => me.put_each_layer(key, value, &options).await,
            // There is no handle of the cache any more.
            (_, None) => {}
        }
    }

    /// Shared first, in a flight of its own: who asks meanwhile waits for the new value, and an
    /// invalidation or another put meanwhile supersedes this one. Then memory keeps nothing: in which order
    /// the shared layer took the two is not known here.
    async fn put_each_layer(self: &Arc<Self>, key: &str, value: Option<V>, options: &PutOptions) {
        let Some(shared) = &self.shared else {
            let (entry, keep) = self.entry(key.into(), value, options, self.tags.epoch());
            self.replace(key, keep.then_some(entry));
            return;
        };
        let leading = self.take_over(key);
        let (entry, keep) = self.entry(key.into(), value, options, leading.flight.epoch);
        let done = match self.stored(shared, entry.value.as_ref(), options, 0) {
            Some(stored) => shared.remote.put(key, stored).await,
            None => shared.remote.invalidate(&Target::Key(key.to_owned())).await.map(|_| ()),
        };
        if let Err(error) = done {
            self.remote_failed(&error);
        }
        self.changes.fetch_add(1, Ordering::SeqCst);
        if !leading.land(entry, keep) {
            self.replace(key, None);
        }
    }

    async fn fetch(&self, key: &str) -> Option<V> {
        let shared = self.shared.as_ref()?;
        let (changes, epoch) = (self.changes.load(Ordering::SeqCst), self.tags.epoch());
        let stored = match shared.remote.get(key).await {
            Ok(stored) => stored,
            Err(error) => {
                self.remote_failed(&error);
                return None;
            }
        };
        let entry = stored
            .and_then(|stored| self.entry_of(shared, &key.into(), &stored, epoch))
            .filter(|entry| entry.judge(self.clock.now()) == Judgement::Fresh);
        let Some(entry) = entry else {
            add(&self.counters.remote_misses, 1);
            return None;
        };
        add(&self.counters.remote_hits, 1);
        // What is found under the lock is dropped after it.
        let (there, gone);
        {
            // Kept only if nothing was invalidated meanwhile; and what a load just stored stays.
            let _locked = self.flights.lock(key);
            let now = self.clock.now();
            let late = self.changes.load(Ordering::SeqCst) != changes;
            there = self.memory.get(key);
            let better = there.as_ref().is_some_and(|there| there.judge(now) == Judgement::Fresh);
            gone = (!late && !better).then(|| self.memory.insert(Arc::clone(&entry)));
        }
        drop(there);
        if let Some(gone) = gone {
            self.account(key, &gone, Some(&entry));
        }
        entry.value.clone()
    }
}

/// From the start of a write until the cache knows of it. Dropped before, the value is removed: nobody
/// knows which one the source holds.
struct Doubt<'a, V: Send + Sync + 'static> {
    core: &'a Arc<Core<V>>,
    key: &'a str,
    writer: Writer<'a>,
    resolved: bool,
}

impl<'a, V: Send + Sync + 'static> Doubt<'a, V> {
    fn begin(core: &'a Arc<Core<V>>, key: &'a str) -> Self {
        Self { core, key, writer: core.writing.begin(key), resolved: false }
    }

    fn resolve(mut self) {
        self.resolved = true;
    }
}

impl<V: Send + Sync + 'static> Drop for Doubt<'_, V> {
    fn drop(&mut self) {
        if self.resolved {
            return;
        }
        let target = Target::Key(self.key.to_owned());
        self.core.invalidate_memory_now(&target);
        if self.core.shared.is_some()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let core = Arc::clone(self.core);
            runtime.spawn(async move { core.invalidate_all_layers(&target).await });
        }
    }
}
