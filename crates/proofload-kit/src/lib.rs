//! The parts that make a service hold its load: a cache that loads each value once, a circuit
//! breaker, a bounded queue with a concurrency limit, retries with a budget, watched pools, and the
//! metrics of all of them.
//!
//! Every part stands on its own, has a name, and can be shown by a [`Registry`].
//!
//! - `cache`: values that are loaded once, in memory and in a layer that processes share; `key`: keys of
//!   caches, made of parts; `redis`: the shared layer;
//! - `breaker`: a circuit breaker; `limit`: a concurrency limit with a bounded queue; `retry`: retries
//!   with a budget; `guard`: what the three share;
//! - [`response`]: answers of services, kept; `macros`: what functions under the attributes call;
//! - [`pool`]: connection pools that say how they are;
//! - [`registry`]: what a service is made of, and its metrics;
//! - `error`: the error of all builders.

pub mod breaker;
pub mod cache;
mod error;
pub mod guard;
mod key;
pub mod limit;
#[cfg(feature = "macros")]
mod macros;
#[cfg(feature = "pool")]
pub mod pool;
#[cfg(feature = "redis")]
pub mod redis;
pub mod registry;
#[cfg(feature = "tower")]
pub mod response;
pub mod retry;

pub use breaker::CircuitBreaker;
pub use cache::{
    Cache, CacheBuilder, CacheStats, IntoLoaded, LoadError, Loaded, PutOptions, Ttl, WarmProgress,
    WarmReport,
};
pub use error::BuildError;
pub use key::{Key, KeyPart};
pub use limit::Limiter;
#[cfg(feature = "macros")]
#[doc = include_str!("docs/cache_invalidate.md")]
pub use proofload_kit_macros::cache_invalidate;
#[cfg(feature = "macros")]
#[doc = include_str!("docs/cached.md")]
pub use proofload_kit_macros::cached;
#[cfg(feature = "redis")]
pub use redis::{Redis, RedisBuilder, RedisStats};
pub use registry::Registry;
pub use retry::Retry;

#[doc(hidden)]
#[cfg(all(feature = "redis", feature = "fuzzing"))]
pub use redis::fuzzing;

/// What functions under `#[cached]` and `#[cache_invalidate]` call.
#[cfg(feature = "macros")]
#[doc(hidden)]
pub mod __private {
    pub use crate::macros::*;
}
