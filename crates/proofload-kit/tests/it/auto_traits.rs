//! What services rely on without writing it down: which types can be shared, sent, moved about when pinned, used after a
//! caught panic, cloned and shown. A field that is not `Sync` would break them all, in a release nobody would
//! expect it of. Every public type of the kit is here.

use std::fmt::Debug;
use std::hash::Hash;
use std::panic::{RefUnwindSafe, UnwindSafe};

use proofload_kit::breaker::{
    self, CircuitBreakerBuilder, CircuitBreakerPermit, CircuitBreakerStats,
};
use proofload_kit::cache::{CacheBuilder, CacheStats, WarmProgress, WarmReport};
use proofload_kit::limit::{self, Adaptive, LimiterBuilder, LimiterPermit, LimiterStats};
use proofload_kit::registry::{
    Counter, Counters, Gauge, Gauges, Histogram, Histograms, Monitoring,
};
use proofload_kit::retry::{Advice, Backoff, Budget, RetryBuilder, RetryStats};
use proofload_kit::{
    BuildError, Cache, CallError, CircuitBreaker, Key, Limiter, LoadError, Loaded, PutOptions,
    Registry, Retry, Ttl,
};

/// Of every type: can be sent and shared, need not stay where it is, and is shown.
fn any<T: Debug + Send + Sync + Unpin + 'static>() {}
/// Of handles: also cloned, and used after a panic was caught.
fn handle<T: Clone + Debug + Send + Sync + Unpin + UnwindSafe + RefUnwindSafe + 'static>() {}
/// Of layers and services.
#[cfg(feature = "tower")]
fn layer<T: Clone + Debug + Send + Sync + Unpin + 'static>() {}
/// Of what is told: also compared.
fn value<
    T: Clone + PartialEq + Debug + Send + Sync + Unpin + UnwindSafe + RefUnwindSafe + 'static,
>() {
}
/// Of small vocabularies: also copied, and keys of maps.
fn word<T: Copy + Eq + Hash + Debug + Send + Sync + Unpin + UnwindSafe + 'static>() {}
fn error<T: std::error::Error + Send + Sync + Unpin + 'static>() {}
fn future<T: Send>(_: &T) {}

#[test]
fn handles() {
    handle::<Cache<String>>();
    handle::<CircuitBreaker>();
    handle::<Limiter>();
    handle::<Registry>();
    handle::<Retry>();
    handle::<Counter>();
    handle::<Counters<2>>();
    handle::<Gauge>();
    handle::<Gauges<2>>();
    handle::<Histogram>();
    handle::<Histograms<2>>();
    handle::<Monitoring>();
}

#[test]
fn builders_and_permits() {
    any::<CacheBuilder<String>>();
    any::<CircuitBreakerBuilder>();
    any::<CircuitBreakerPermit>();
    any::<LimiterBuilder>();
    any::<LimiterPermit>();
    any::<RetryBuilder>();
}

#[test]
fn values_and_words() {
    value::<(Adaptive, Backoff, Budget, Ttl, breaker::Window)>();
    value::<(CacheStats, CircuitBreakerStats, LimiterStats, RetryStats, limit::WaitHistogram)>();
    value::<(Key, PutOptions, WarmProgress, WarmReport)>();
    value::<(BuildError, breaker::Refused, limit::Refused, Advice)>();
    value::<CallError<String>>();
    value::<CallError<String, limit::Refused>>();
    value::<Loaded<String>>();
    handle::<LoadError<String>>();
    word::<(breaker::State, breaker::Outcome, breaker::Transition)>();
    word::<(limit::Order, limit::RefusedReason)>();
}

#[test]
fn errors() {
    type Io = std::io::Error;
    error::<BuildError>();
    error::<CallError<Io>>();
    error::<CallError<Io, limit::Refused>>();
    error::<LoadError<Io>>();
    error::<breaker::Refused>();
    error::<limit::Refused>();
}

#[cfg(feature = "tower")]
#[test]
fn tower() {
    use proofload_kit::breaker::{CircuitBreakerLayer, CircuitBreakerService};
    use proofload_kit::guard::{AsError, AsResponse, ByOverload, ByResult, ByStatus, OnlySuccess};
    use proofload_kit::limit::{LimiterBody, LimiterLayer, LimiterService, UntilEnd, UntilHead};
    use proofload_kit::registry::{
        HttpMetricsLayer, HttpMetricsService, MetricsBody, MetricsService,
    };
    use proofload_kit::response::{
        CacheOutcome, CacheStatus, CachedResponse, HashBody, IgnoreBody, ResponseCacheBuilder,
        ResponseCacheLayer, ResponseCacheService,
    };
    use proofload_kit::retry::{Cloned, Idempotent, OnError, OnStatus, RetryLayer, RetryService};

    layer::<CircuitBreakerLayer>();
    layer::<LimiterLayer>();
    layer::<RetryLayer>();
    layer::<HttpMetricsLayer>();
    layer::<MetricsService>();
    layer::<ResponseCacheLayer>();
    layer::<CircuitBreakerService<String>>();
    layer::<LimiterService<String>>();
    layer::<RetryService<String>>();
    layer::<HttpMetricsService<String>>();
    layer::<ResponseCacheService<String>>();
    handle::<CacheStatus>();
    any::<ResponseCacheBuilder>();
    any::<LimiterBody<String>>();
    any::<MetricsBody>();
    handle::<(UntilEnd, UntilHead)>();
    value::<CachedResponse>();
    word::<CacheOutcome>();
    handle::<(AsError, AsResponse, ByOverload, ByResult, ByStatus, OnlySuccess)>();
    handle::<(Cloned, Idempotent, OnError, OnStatus, HashBody, IgnoreBody)>();
}

#[cfg(feature = "redis")]
#[test]
fn redis() {
    use proofload_kit::Redis;
    use proofload_kit::redis::{RedisBuilder, RedisStats};

    handle::<Redis>();
    value::<RedisStats>();
    any::<RedisBuilder>();
}

#[cfg(feature = "pool")]
#[test]
fn pool() {
    use proofload_kit::pool::{
        AcquireError, ReadReplicas, WatchedConnection, WatchedPool, WatchedPoolBuilder,
        WatchedPoolEvent, WatchedPoolStats, deadpool::managed,
    };

    #[derive(Debug)]
    struct Numbers;

    impl managed::Manager for Numbers {
        type Type = u32;
        type Error = std::io::Error;

        async fn create(&self) -> Result<u32, std::io::Error> {
            Ok(7)
        }

        async fn recycle(
            &self,
            _: &mut u32,
            _: &managed::Metrics,
        ) -> managed::RecycleResult<std::io::Error> {
            Ok(())
        }
    }

    handle::<WatchedPool<Numbers>>();
    handle::<ReadReplicas<Numbers>>();
    // Adapts a builder of deadpool by a closure that is called once, and so need not be `Sync`.
    fn sent<T: Debug + Send + Unpin>() {}
    sent::<WatchedPoolBuilder<Numbers>>();
    any::<WatchedConnection<u32>>();
    value::<WatchedPoolStats>();
    value::<WatchedPoolEvent>();
    error::<AcquireError<std::io::Error>>();
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
