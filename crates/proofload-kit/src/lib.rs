//! The parts that make a service hold its load: a cache that loads each value once, a circuit
//! breaker, a bounded queue with a concurrency limit, retries with a budget, watched pools, and the
//! metrics of all of them.
//!
//! Every part stands on its own, has a name, and can be shown by a [`Registry`].
//!
//! - `breaker`: a circuit breaker; `limit`: a concurrency limit with a bounded queue; `retry`:
//!   retries with a budget; `guard`: what the three share;
//! - `registry`: what a service is made of, and its metrics;
//! - `error`: what a builder says of a setting it cannot use.

pub mod breaker;
mod error;
pub mod guard;
pub mod limit;
mod registry;
pub mod retry;

pub use breaker::CircuitBreaker;
pub use error::BuildError;
pub use limit::Limiter;
pub use registry::Registry;
pub use retry::Retry;
