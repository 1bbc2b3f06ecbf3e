//! Connection pools that say how they are: how many connections are in use and how many callers wait, how
//! long they wait and hold, who forgot to give one back, and when the pool is nearly used up.
//!
//! A [`WatchedPool`] is a [`deadpool`] pool of any [`Manager`](deadpool::managed::Manager) with settings that suit a
//! service (20 connections, 30 s of waiting, connections replaced after an hour), typed errors that name the pool, metrics at
//! a [`Registry`](crate::Registry), and a watch over it:
//!
//! - a connection that is held longer than [`leak_after`](WatchedPoolBuilder::leak_after) is logged once, with the place in the
//!   source where it was taken, and counted;
//! - use that stays at or over [`alert_at`](WatchedPoolBuilder::alert_at) (80 %) is logged, counted, shown and told to
//!   [`on_event`](WatchedPoolBuilder::on_event), once, until it has calmed down.
//!
//! ```
//! # use deadpool::managed::{Manager, Metrics, RecycleResult};
//! # struct Numbers;
//! # impl Manager for Numbers {
//! #     type Type = u32;
//! #     type Error = std::convert::Infallible;
//! #     async fn create(&self) -> Result<u32, Self::Error> { Ok(7) }
//! #     async fn recycle(&self, _: &mut u32, _: &Metrics) -> RecycleResult<Self::Error> { Ok(()) }
//! # }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//! use proofload_kit::Registry;
//! use proofload_kit::pool::WatchedPool;
//!
//! let registry = Registry::new();
//! let pool: WatchedPool<Numbers> = WatchedPool::builder("orders", Numbers)
//!     .size(20)
//!     .timeout(Duration::from_secs(30))
//!     .recycle(Duration::from_secs(3600))
//!     .registry(&registry)
//!     .build()?;
//! let connection = pool.get().await?;
//! assert_eq!((**connection, pool.stats().in_use), (7, 1));
//! drop(connection);
//! assert_eq!(pool.stats().idle, 1);
//! # Ok(()) }
//! ```
//!
//! With the features `redis-pool` and `postgres-pool` there are `RedisPool` and `PostgresPool`, which take an address. [`ReadReplicas`]
//! reads from the least used of several pools.
//!
//! - `watched`, `builder`, `guard`: the pool, its settings, and a connection taken from it;
//! - `watch`: what is counted; `holders`: who has a connection since when; `call`: what happens to connections inside
//!   deadpool; `alarm`: when use is high (pure); `watcher`: the task that looks at these while the pool is in use;
//! - `collect`, `stats`, `event`, `error`: what is shown and told;
//! - `replicas`; `redis`, `postgres`: ready pools.

mod alarm;
mod builder;
mod call;
mod collect;
mod error;
mod event;
mod guard;
mod holders;
#[cfg(feature = "postgres-pool")]
mod postgres;
#[cfg(feature = "redis-pool")]
mod redis;
mod replicas;
mod stats;
mod watch;
mod watched;
mod watcher;

pub use builder::WatchedPoolBuilder;
#[doc(no_inline)]
pub use deadpool;
#[cfg(feature = "postgres-pool")]
#[doc(no_inline)]
pub use deadpool_postgres;
#[cfg(feature = "redis-pool")]
#[doc(no_inline)]
pub use deadpool_redis;
pub use error::AcquireError;
pub use event::WatchedPoolEvent;
pub use guard::WatchedConnection;
#[cfg(feature = "postgres-pool")]
pub use postgres::PostgresPool;
#[cfg(feature = "redis-pool")]
pub use redis::RedisPool;
pub use replicas::ReadReplicas;
pub use stats::WatchedPoolStats;
pub use watched::WatchedPool;
