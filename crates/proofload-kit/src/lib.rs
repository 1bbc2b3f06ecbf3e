//! The parts that make a service hold its load: a cache that loads each value once, a circuit
//! breaker, a bounded queue with a concurrency limit, retries with a budget, watched pools, and the
//! metrics of all of them.
//!
//! Every part stands on its own, has a name, and can be shown by a [`Registry`].
//!
//! - `registry`: what a service is made of, and its metrics.

mod registry;

pub use registry::Registry;
