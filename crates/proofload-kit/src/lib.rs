//! The parts that make a service hold its load: a cache that loads each value once, a circuit
//! breaker, a bounded queue with a concurrency limit, retries with a budget, watched pools, and the
//! metrics of all of them.
//!
//! Every part stands on its own, has a name, and can be shown by a [`Registry`].
//!
//! - `registry`: what a service is made of, and its metrics;
//! - `redis`: the layer of caches that processes share.

mod cache;
mod error;
#[cfg(feature = "redis")]
mod redis;
mod registry;

pub use cache::Ttl;
pub use error::BuildError;
#[cfg(feature = "redis")]
pub use redis::{Redis, RedisBuilder, RedisStats};
pub use registry::Registry;

#[doc(hidden)]
#[cfg(all(feature = "redis", feature = "fuzzing"))]
pub use redis::fuzzing;
