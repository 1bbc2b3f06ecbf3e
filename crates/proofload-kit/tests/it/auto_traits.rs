//! What services rely on without writing it down: parts can be shared and sent, and shown. A field that is not
//! `Sync` would break them all, in a release nobody would expect it of.

use std::fmt::Debug;

use proofload_kit::breaker::{BreakerPermit, CircuitBreakerBuilder, Open};
use proofload_kit::limit::{Adaptive, LimiterBuilder, Permit, Refused};
use proofload_kit::registry::{Counter, Counters, Gauge, Histogram, Monitoring};
use proofload_kit::retry::{Backoff, Budget, RetryBuilder};
use proofload_kit::{
    BuildError, Cache, CacheBuilder, CacheStats, CircuitBreaker, Key, Limiter, LoadError, Loaded,
    PutOptions, Registry, Retry, Ttl, WarmReport,
};

fn shared<T: Debug + Send + Sync + 'static>() {}
fn cloned<T: Clone + Debug + Send + Sync + 'static>() {}
fn future<T: Send>(_: &T) {}

#[test]
fn parts_are_shared_sent_and_shown() {
    cloned::<Cache<String>>();
    cloned::<CircuitBreaker>();
    cloned::<Limiter>();
    cloned::<Registry>();
    cloned::<Retry>();
    cloned::<Counter>();
    cloned::<Counters<2>>();
    cloned::<Gauge>();
    cloned::<Histogram>();
    cloned::<Monitoring>();
}

#[test]
fn builders_permits_and_values_are_sent_and_shown() {
    shared::<CacheBuilder<String>>();
    shared::<CircuitBreakerBuilder>();
    shared::<LimiterBuilder>();
    shared::<RetryBuilder>();
    shared::<BreakerPermit>();
    shared::<Permit>();
    cloned::<(Adaptive, Backoff, Budget, Ttl)>();
    cloned::<(CacheStats, Key, Loaded<String>, PutOptions, WarmReport)>();
    cloned::<(BuildError, LoadError<std::io::Error>, Open, Refused)>();
}

#[cfg(feature = "tower")]
#[test]
fn layers_are_shared_sent_and_shown() {
    use proofload_kit::breaker::BreakerLayer;
    use proofload_kit::limit::LimiterLayer;
    use proofload_kit::registry::{HttpMetricsLayer, MetricsService};
    use proofload_kit::response::{CachedResponse, ResponseCacheBuilder, ResponseCacheLayer};
    use proofload_kit::retry::RetryLayer;

    cloned::<BreakerLayer>();
    cloned::<LimiterLayer>();
    cloned::<RetryLayer>();
    cloned::<HttpMetricsLayer>();
    cloned::<MetricsService>();
    cloned::<ResponseCacheLayer>();
    cloned::<CachedResponse>();
    shared::<ResponseCacheBuilder>();
}

#[cfg(feature = "redis")]
#[test]
fn the_shared_layer_is_shared_sent_and_shown() {
    use proofload_kit::{Redis, RedisBuilder, RedisStats};

    cloned::<Redis>();
    cloned::<RedisStats>();
    shared::<RedisBuilder>();
}

#[cfg(feature = "pool")]
#[test]
fn pool_errors_are_sent_and_shown() {
    use proofload_kit::pool::{AcquireError, PoolEvent, PoolStats};

    shared::<AcquireError<std::io::Error>>();
    cloned::<(PoolEvent, PoolStats)>();
}

#[test]
fn futures_can_be_spawned() -> Result<(), BuildError> {
    let cache = Cache::<String>::builder("users", Ttl::DATA).build()?;
    let load = || async { Ok::<_, std::io::Error>(String::new()) };
    future(&cache.get_or_load("key", load));
    future(&cache.get_or_load_scoped("key", load));
    future(&cache.fetch("key"));
    future(&cache.invalidate_prefix("key"));
    future(&cache.write_through("key", String::new(), load()));
    let breaker = CircuitBreaker::builder("users").build()?;
    future(&breaker.call(load()));
    let limiter = Limiter::builder("users").build()?;
    future(&limiter.acquire());
    future(&limiter.call(load()));
    let retry = Retry::builder("users").build()?;
    future(&retry.call(|_| load()));
    Ok(())
}
