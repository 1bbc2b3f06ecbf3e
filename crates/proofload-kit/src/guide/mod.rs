#![doc = include_str!("../docs/guide.md")]

/// Cache-aside, writes, invalidation, stampedes, failure, negative answers, times to live.
#[doc = include_str!("../docs/caching.md")]
pub mod caching {}

/// Beside moka, cached, cashews, FusionCache, resilience4j and tower-resilience.
#[doc = include_str!("../docs/comparison.md")]
pub mod comparison {}

/// Cache, limiter, breaker, retries and pool, from a load test.
#[doc = include_str!("../docs/sizing.md")]
pub mod sizing {}
