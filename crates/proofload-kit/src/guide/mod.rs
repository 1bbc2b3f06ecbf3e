#![doc = include_str!("../docs/guide/index.md")]

/// Cache-aside, writes, invalidation, stampedes, failure, negative answers, times to live.
#[doc = include_str!("../docs/guide/caching.md")]
pub mod caching {}

/// Beside moka, cached, cashews, FusionCache, resilience4j and tower-resilience.
#[doc = include_str!("../docs/guide/comparison.md")]
pub mod comparison {}

/// Cache, limiter, breaker, retries and pool, from a load test.
#[doc = include_str!("../docs/guide/sizing.md")]
pub mod sizing {}
