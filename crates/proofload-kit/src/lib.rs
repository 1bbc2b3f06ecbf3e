//! The parts that make a service hold its load: a cache that loads each value once, a circuit
//! breaker, a bounded queue with a concurrency limit, retries with a budget, watched pools, and the
//! metrics of all of them.
//!
//! Every part stands on its own, has a name, and is shown by the [`Registry`] it is given. There are no
//! background threads, and nothing is allocated where a value is found, a permit is free or a call
//! goes well.
//!
//! ```
//! use std::{sync::Arc, time::Duration};
//! use proofload_kit::{Cache, CircuitBreaker, Registry, Ttl};
//!
//! # async fn query(id: u32) -> Result<Arc<str>, std::io::Error> { Ok("Ada".into()) }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let registry = Registry::new();
//! let database = CircuitBreaker::builder("database").failure_rate(0.5).registry(&registry).build()?;
//! let users = Cache::<Arc<str>>::builder("users", Ttl::minutes(5).jitter(0.1))
//!     .max_entries(50_000)
//!     .fail_safe(Duration::from_secs(3600)) // an hour old is better than an error
//!     .registry(&registry)
//!     .build()?;
//!
//! // However many ask for user 7 at once: one query, unless the breaker is open.
//! let name = users.get_or_load_scoped("user:7", || database.call(query(7))).await?;
//! assert_eq!(&*name, "Ada");
//! // After the user was changed in the database:
//! users.invalidate("user:7").await;
//! println!("{}", registry.prometheus_text());
//! # Ok(()) }
//! ```
//!
//! | you have | take |
//! |---|---|
//! | values that are slow to get | [`Cache`], or [`#[cached]`](macro@cached) for a whole function; [`Key`] for keys made of parts |
//! | several processes that should share them | [`redis`]: a layer below memory, with leases and invalidation across processes |
//! | whole HTTP answers that many may have | [`response`]: a tower layer |
//! | a backend that fails or hangs | [`breaker`]: a circuit breaker |
//! | more work than can be done in time | [`limit`]: so many at a time, so many waiting, a prompt refusal for the rest |
//! | errors that pass | [`retry`]: backoff, and a budget for all callers together |
//! | connections | [`pool`]: deadpool's, watched; read replicas |
//! | dashboards and alerts | [`registry`]: Prometheus, `/metrics`, Grafana |
//!
//! The [`guide`] says when to use which, what is promised and what is not, and how to size each from a
//! load test.
//!
//! # How the parts are alike
//!
//! - `Thing::builder("name")…build()`. A setting that cannot work is a [`BuildError`] that names it, its value
//!   and what is allowed; nothing is corrected silently.
//! - Handles are cheap to clone; clones are the same part. `name()` is the label of its metrics, `stats()`
//!   what it counted.
//! - A panic, an error or a dropped future never leaks a permit, a lease or a lock, and always wakes
//!   those who wait.
//! - Time is tokio's: `tokio::time::pause` moves it in tests.
//!
//! - Names are made alike: `Limiter`, `LimiterBuilder`, `LimiterStats`, `LimiterPermit`, `LimiterLayer`, `LimiterService`. The parts, and
//!   the words their calls are made of, are here at the root; everything else is in the module of its part.
//! - Handles are `Send`, `Sync` and [`UnwindSafe`](std::panic::UnwindSafe), permits and futures are `Send`.
//!
//! # Features
//!
//! | feature | default | brings | and what it builds |
//! |---|---|---|---|
//! | `macros` | yes | `#[cached]`, `#[cache_invalidate]` | syn |
//! | `prometheus` | yes | the [`Registry`] as a collector, and as OpenMetrics text | prometheus-client |
//! | `tower` | yes | tower layers, [`response`], `/metrics` | http, tower-service and their like |
//! | `redis` | | the shared layer of caches | redis, serde_json |
//! | `redis-tls` | | `rediss://` addresses | rustls |
//! | `compression` | | LZ4 for large values in Redis | lz4_flex |
//! | `pool` | | [`pool`]: watched pools of anything | deadpool |
//! | `redis-pool` | | `RedisPool` | deadpool-redis |
//! | `postgres-pool` | | `PostgresPool` | deadpool-postgres |
//!
//! # Public dependencies
//!
//! Types of these crates stand in signatures; a new incompatible version of one of them is one of the kit. All others can
//! change unseen.
//!
//! | crate | version | where |
//! |---|---|---|
//! | http, bytes | 1 | layers and services, [`response`] |
//! | http-body | 1 | bodies of answers |
//! | tower-layer, tower-service | 0.3 | layers and services |
//! | prometheus-client | 0.25 | `Collector for Registry`; again at `registry::prometheus_client` |
//! | serde | 1 | bounds on values that go to Redis |
//! | deadpool | 0.13 | [`pool`]; again at `pool::deadpool` |
//! | deadpool-redis, deadpool-postgres | 0.23, 0.14 | `RedisPool`, `PostgresPool`; again in [`pool`], and by them redis and tokio-postgres |
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(all(feature = "macros", feature = "pool", feature = "redis", feature = "tower")),
    allow(
        rustdoc::broken_intra_doc_links,
        reason = "docs link to parts that are not there without their features"
    )
)]

pub mod breaker;
pub mod cache;
mod error;
pub mod guard;
#[cfg(any(doc, all(doctest, feature = "tower")))]
pub mod guide;
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
mod unwind;

#[doc(inline)]
pub use breaker::CircuitBreaker;
#[doc(inline)]
pub use cache::{Cache, LoadError, Loaded, PutOptions, Ttl};
pub use error::BuildError;
#[doc(inline)]
pub use guard::CallError;
pub use key::{Key, KeyPart};
#[doc(inline)]
pub use limit::Limiter;
#[cfg(feature = "pool")]
#[doc(inline)]
pub use pool::WatchedPool;
#[cfg(feature = "macros")]
#[doc = include_str!("docs/cache_invalidate.md")]
pub use proofload_kit_macros::cache_invalidate;
#[cfg(feature = "macros")]
#[doc = include_str!("docs/cached.md")]
pub use proofload_kit_macros::cached;
#[cfg(feature = "redis")]
#[doc(inline)]
pub use redis::Redis;
#[doc(inline)]
pub use registry::Registry;
#[cfg(feature = "tower")]
#[doc(inline)]
pub use response::ResponseCacheLayer;
#[doc(inline)]
pub use retry::Retry;

/// The front page on crates.io, whose examples are tested as those here are.
#[cfg(all(doctest, feature = "macros"))]
#[doc = include_str!("../README.md")]
mod readme {}

#[doc(hidden)]
#[cfg(all(feature = "redis", feature = "fuzzing"))]
pub use redis::fuzzing;

/// What functions under `#[cached]` and `#[cache_invalidate]` call.
#[cfg(feature = "macros")]
#[doc(hidden)]
pub mod __private {
    pub use crate::macros::*;
}
