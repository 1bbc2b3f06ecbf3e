//! The parts that make a service hold its load: a cache that loads each value once, a circuit
//! breaker, a bounded queue with a concurrency limit, retries with a budget, watched pools, and the
//! metrics of all of them.
//!
//! Every part stands on its own, has a name, and can be shown by a [`Registry`].
//!
//! - `error`: what a builder says of a setting it cannot use;
//! - [`pool`]: connection pools that say how they are;
//! - [`registry`]: what a service is made of, and its metrics.

mod error;
#[cfg(feature = "pool")]
pub mod pool;
pub mod registry;

pub use error::BuildError;
pub use registry::Registry;
