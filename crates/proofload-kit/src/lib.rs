//! The parts that make a service hold its load: a cache that loads each value once, a circuit
//! breaker, a bounded queue with a concurrency limit, retries with a budget, watched pools, and the
//! metrics of all of them.
//!
//! Every part stands on its own, has a name, and can be shown by a [`Registry`].
//!
//! - `cache`: values that are loaded once, in memory and in a layer that processes share; `key`: keys of
//!   caches, made of parts;
//! - `breaker`: a circuit breaker; `limit`: a concurrency limit with a bounded queue; `retry`: retries
//!   with a budget; `guard`: what the three share;
//! - `registry`: what a service is made of, and its metrics;
//! - `error`: the error of all builders;
//! - `macros`: what functions under the attributes call;
//! - `response`: answers of services, kept.

pub mod breaker;
mod cache;
mod error;
mod guard;
mod key;
pub mod limit;
#[cfg(feature = "macros")]
mod macros;
mod registry;
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
pub use registry::Registry;
pub use retry::Retry;

/// What functions under `#[cached]` and `#[cache_invalidate]` call.
#[cfg(feature = "macros")]
#[doc(hidden)]
pub mod __private {
    pub use crate::macros::*;
}
