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
//! - `error`: the error of all builders.

pub mod breaker;
mod cache;
mod error;
mod guard;
mod key;
pub mod limit;
mod registry;
pub mod retry;

pub use breaker::CircuitBreaker;
pub use cache::{
    Cache, CacheBuilder, CacheStats, IntoLoaded, LoadError, Loaded, PutOptions, Ttl, WarmProgress,
    WarmReport,
};
pub use error::BuildError;
pub use key::{Key, KeyPart};
pub use limit::Limiter;
pub use registry::Registry;
pub use retry::Retry;
