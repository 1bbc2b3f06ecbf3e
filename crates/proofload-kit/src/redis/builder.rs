//! Puts the shared layer below a cache.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::handle::Redis;
use super::layer::Layer;
use crate::cache::remote::{RemoteError, Shared};
use crate::{Ttl, cache::CacheBuilder};

impl<V> CacheBuilder<V>
where
    V: Clone + Send + Sync + Serialize + DeserializeOwned + 'static,
{
    /// Puts a layer in Redis below memory, shared by all caches of this name in the namespace of `redis`,
    /// in whatever process. Values are fresh there for `ttl`, usually longer than in memory.
    ///
    /// - A value that one process loaded is found by all; of all processes that miss a key at once, one loads.
    /// - An invalidation anywhere reaches the memory of all, and beats the late write of a load that began
    ///   before it.
    /// - Redis dead, slow, full, restarted or holding something else means: as if it were empty. No
    ///   caller gets an error for it. What was invalidated meanwhile is made up for.
    ///
    /// Values are JSON in Redis. What cannot be read as a `V`, because another release wrote it, counts as
    /// missing and is written over: give new fields `#[serde(default)]`, or the cache another name.
    ///
    /// ```
    /// use std::time::Duration;
    /// use proofload_kit::{Cache, Redis, Ttl};
    ///
    /// #[derive(Clone, serde::Serialize, serde::Deserialize)]
    /// struct User { name: String }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// // Nobody answers there, and everything works.
    /// let redis = Redis::builder("redis://127.0.0.1:1").namespace("shop").build()?;
    /// let users = Cache::<User>::builder("users", Ttl::minutes(1))
    ///     .redis(&redis, Ttl::minutes(10))
    ///     .build()?;
    /// let user = users
    ///     .get_or_load("user:7", || async { Ok::<_, std::io::Error>(User { name: "Ada".into() }) })
    ///     .await?;
    /// assert_eq!(user.name, "Ada");
    /// # Ok(())
    /// # }
    /// ```
    pub fn redis(self, redis: &Redis, ttl: impl Into<Ttl>) -> Self {
        let remote = Layer::new(redis, self.name(), |bytes| decode::<V>(bytes).is_ok());
        self.shared(Shared {
            remote,
            ttl: ttl.into(),
            lease: redis.inner.settings.lease,
            encode: Box::new(encode),
            decode: Box::new(decode),
        })
    }
}

fn encode<V: Serialize>(value: &V) -> Result<Bytes, RemoteError> {
    serde_json::to_vec(value)
        .map(Bytes::from)
        .map_err(|error| RemoteError::Foreign(format!("a value cannot be JSON: {error}")))
}

/// Without the error's own words, which quote the value.
fn decode<V: DeserializeOwned>(bytes: &Bytes) -> Result<V, RemoteError> {
    serde_json::from_slice(bytes).map_err(|error| {
        let (kind, line, column) = (error.classify(), error.line(), error.column());
        RemoteError::Foreign(format!("{kind:?} error in JSON at {line}:{column}"))
    })
}
