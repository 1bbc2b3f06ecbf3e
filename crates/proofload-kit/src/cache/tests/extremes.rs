//! Settings at the ends of what can be set: nothing overflows, and "for ever" is for ever.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::advance;

use super::fake::Layer;
use super::gate::{Gate, Refused, cache, settle};
use crate::cache::remote::Shared;
use crate::{Cache, PutOptions, Ttl};

const EVER: Duration = Duration::MAX;

#[tokio::test(start_paused = true)]
async fn durations_without_end() {
    let (gate, broken) = (Gate::open(), Gate::open());
    let cache = cache(|builder| {
        builder
            .fail_safe(EVER)
            .stale_while_revalidate(EVER)
            .retry_after_failure(EVER)
            .negative_ttl(Ttl::from(EVER).jitter(0.5))
            .soft_timeout(EVER)
    });
    let key = "key";
    assert_eq!(cache.get_or_load(key, || gate.load()).await.unwrap(), 1);
    advance(Duration::from_secs(3600)).await;
    for _ in 0..2 {
        assert_eq!(cache.get_or_load(key, || broken.refuse()).await.unwrap(), 1, "stale");
        settle().await;
    }
    assert_eq!(broken.loads(), 1, "no other attempt for ever");
    cache.put_with("other", 7, PutOptions::new().ttl(Ttl::from(EVER).jitter(1e-17))).await;
    advance(Duration::from_secs(3600)).await;
    assert_eq!(cache.get("other"), Some(7));
}

/// The caller waits for the load although it has something stale, as long as that is.
#[tokio::test(start_paused = true)]
async fn a_patience_without_end() {
    let gate = Gate::closed();
    let cache = cache(|builder| builder.fail_safe(EVER).soft_timeout(EVER));
    cache.put("key", 50).await;
    advance(Duration::from_secs(60)).await;
    let caller = {
        let (cache, gate) = (cache.clone(), gate.clone());
        tokio::spawn(async move { cache.get_or_load("key", || gate.load()).await })
    };
    gate.begun(1).await;
    advance(Duration::from_secs(3600)).await;
    gate.let_through(1);
    assert_eq!(caller.await.unwrap().unwrap(), 1);
    advance(Duration::from_secs(60)).await;
    assert_eq!(cache.get_or_compute("key", || Ok::<_, Refused>(2)).unwrap(), 2);
}

#[tokio::test(start_paused = true)]
async fn bounds_without_end() {
    for entries in [usize::MAX, usize::MAX - 1, 1 << 40] {
        let cache = cache(|builder| builder.max_entries(entries));
        cache.put("key", 1).await;
        assert_eq!(cache.get("key"), Some(1), "{entries}");
    }
    for weight in [u64::MAX, 1 << 60] {
        let cache = cache(|builder| builder.max_weight(weight, |_, _| u32::MAX));
        cache.put("key", 1).await;
        assert_eq!(cache.get("key"), Some(1), "{weight}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lease_without_end() {
    let layer = Arc::new(Layer::default());
    let shared = Shared {
        remote: layer.remote(),
        ttl: Ttl::from(EVER),
        lease: EVER,
        encode: Box::new(|value: &u64| Ok(Bytes::from(value.to_string()))),
        decode: Box::new(|_| Ok(1)),
    };
    let cache = Cache::<u64>::builder("ever", Ttl::from(EVER)).shared(shared).build().unwrap();
    assert_eq!(cache.get_or_load("key", || Gate::open().load()).await.unwrap(), 1);
    assert_eq!(layer.leases(), 0);
}
