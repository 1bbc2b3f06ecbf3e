//! What services see of the kit: with real servers, and with Prometheus' own tools as judges.

mod auto_traits;
#[cfg(feature = "pool")]
mod backend;
#[cfg(feature = "macros")]
mod cache_invalidate;
#[cfg(feature = "macros")]
mod cached;
#[cfg(feature = "macros")]
mod cached_loads;
#[cfg(any(feature = "pool", feature = "redis"))]
mod events;
#[cfg(feature = "tower")]
mod example_axum_service;
mod example_plain_tokio;
#[cfg(feature = "tower")]
mod guards;
#[cfg(all(feature = "prometheus", feature = "tower"))]
mod metrics;
mod monitoring;
#[cfg(feature = "tower")]
mod outage;
#[cfg(feature = "pool")]
mod pool;
#[cfg(feature = "postgres-pool")]
mod pool_postgres;
#[cfg(feature = "redis-pool")]
mod pool_redis;
#[cfg(feature = "pool")]
mod pool_watch;
mod promtool;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "pool")]
mod replicas;
#[cfg(feature = "tower")]
mod response;
#[cfg(feature = "tower")]
mod response_poison;
#[cfg(feature = "tower")]
mod response_rules;
#[cfg(all(feature = "compression", feature = "fuzzing", feature = "redis"))]
mod seeds;
#[cfg(any(feature = "postgres-pool", feature = "redis"))]
#[path = "../support/mod.rs"]
#[expect(unreachable_pub, reason = "others use it, too")]
#[cfg_attr(feature = "redis", expect(dead_code, reason = "others use more of it"))]
mod servers;
#[cfg(feature = "macros")]
mod ui;
