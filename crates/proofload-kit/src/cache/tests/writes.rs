//! Writers that meet invalidations and each other.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::fake::Layer;
use super::gate::{Gate, Refused, cache, settle};
use crate::{Cache, PutOptions, Registry, Ttl};

const SECOND: Duration = Duration::from_secs(1);

/// A put whose answer of the shared layer is on its way.
async fn halfway(
    layer: &Arc<Layer>,
    cache: &Cache<u64>,
    value: u64,
) -> tokio::task::JoinHandle<()> {
    layer.answer_delay_ms.store(1000, Ordering::SeqCst);
    let put = {
        let cache = cache.clone();
        let options = PutOptions::new().tags(["tag"]);
        tokio::spawn(async move { cache.put_with("key", value, options).await })
    };
    settle().await;
    assert!(layer.stored("key").is_some());
    layer.answer_delay_ms.store(0, Ordering::SeqCst);
    put
}

/// The shared layer took the value, then the invalidation: memory must not go by the other order.
#[tokio::test(start_paused = true)]
async fn an_invalidation_elsewhere_beats_a_put_that_is_not_finished() {
    for by in 0..5 {
        let layer = Arc::new(Layer::default());
        let (one, other) = (layer.process(|builder| builder), layer.process(|builder| builder));
        let put = halfway(&layer, &one, 1).await;
        match by {
            0 => other.invalidate("key").await,
            1 => other.invalidate_prefix("ke").await,
            2 => other.invalidate_tag("tag").await,
            3 => other.clear().await,
            _ => {
                other.put("key", 2).await;
                0
            }
        };
        put.await.unwrap();
        assert_eq!(one.get("key"), None, "way {by}");
        assert_eq!(one.fetch("key").await, (by == 4).then_some(2), "way {by}");
    }
}

/// Whichever of two puts in one process comes last in the shared layer: memory has no other.
#[tokio::test(start_paused = true)]
async fn puts_that_overtake_each_other_leave_the_layers_agreed() {
    let layer = Arc::new(Layer::default());
    let cache = layer.process(|builder| builder);
    let put = halfway(&layer, &cache, 1).await;
    cache.put("key", 2).await;
    put.await.unwrap();
    assert_eq!(cache.fetch("key").await, Some(2));
    assert_eq!(cache.get("key"), Some(2));
}

/// The source took 1, then 2; their writers come back in the other order.
#[tokio::test(start_paused = true)]
async fn writers_that_overtake_each_other_leave_nothing_old() {
    let source = Arc::new(AtomicU64::new(0));
    let shared = Arc::new(Layer::default()).process(|builder| builder);
    for cache in [cache(|builder| builder), shared] {
        let write = |value: u64, back_after: Duration| {
            let (cache, source) = (cache.clone(), Arc::clone(&source));
            tokio::spawn(async move {
                let writer = async move {
                    source.store(value, Ordering::SeqCst);
                    tokio::time::sleep(back_after).await;
                    Ok::<_, Refused>(())
                };
                cache.write_through("key", value, writer).await.unwrap();
            })
        };
        let first = write(1, SECOND * 2);
        settle().await;
        let second = write(2, SECOND);
        second.await.unwrap();
        first.await.unwrap();
        let read = async || Ok::<_, Refused>(source.load(Ordering::SeqCst));
        assert_eq!(cache.get_or_load_scoped("key", read).await.unwrap(), 2);
        // One alone is kept.
        write(3, SECOND).await.unwrap();
        assert_eq!(cache.get("key"), Some(3));
    }
}

#[tokio::test(start_paused = true)]
async fn a_tag_that_is_named_twice_is_one() {
    let cache = cache(|builder| builder);
    cache.put_with("key", 1, PutOptions::new().tags(["a", "b", "a"]).tags(["b"])).await;
    assert_eq!(cache.invalidate_tag("a").await, 1);
}

/// All caches of the registry, not only those it came to before its caller was gone.
#[tokio::test(start_paused = true)]
async fn an_invalidation_of_all_caches_is_carried_out_whoever_waits_for_it() {
    let registry = Registry::new();
    let caches = [0, 1].map(|_| {
        let layer = Arc::new(Layer::default());
        layer.invalidation_delay_ms.store(1000, Ordering::SeqCst);
        layer.process(|builder| builder.registry(&registry))
    });
    for cache in &caches {
        cache.put("key 0", 1).await;
    }
    let given_up = tokio::time::timeout(SECOND / 10, registry.invalidate_prefix("ke")).await;
    assert!(given_up.is_err());
    tokio::time::sleep(SECOND * 5).await;
    for cache in &caches {
        assert_eq!((cache.get("key 0"), cache.fetch("key 0").await), (None, None));
    }
}

/// What the shared layer has is older than what memory has, because it was down in between.
#[tokio::test(start_paused = true)]
async fn what_is_stale_in_memory_does_not_give_way_to_what_is_older() {
    let layer = Arc::new(Layer::default());
    let cache = layer.process(|builder| builder.fail_safe(SECOND * 86_400));
    let long = |value| crate::Loaded::new(value).ttl(Ttl::minutes(1));
    cache.put_with("key", 1, PutOptions::new().ttl(Ttl::minutes(1))).await;
    tokio::time::advance(SECOND * 90).await;
    layer.down.store(true, Ordering::SeqCst);
    let newer = cache.get_or_load("key", || async move { Ok::<_, Refused>(long(2)) }).await;
    assert_eq!(newer.unwrap(), 2);
    layer.down.store(false, Ordering::SeqCst);
    tokio::time::advance(SECOND * 90).await;
    let gate = Gate::open();
    for _ in 0..2 {
        assert_eq!(cache.get_or_load("key", || gate.refuse()).await.unwrap(), 2);
        tokio::time::advance(SECOND * 2).await;
    }
}

/// A known absence is no value for who needs one, but the load is still one of all, and kept for all.
#[tokio::test(start_paused = true)]
async fn a_known_absence_does_not_keep_a_value_from_being_shared() {
    let layer = Arc::new(Layer::default());
    let set = |builder: crate::cache::CacheBuilder<u64>| builder.negative_ttl(Ttl::minutes(5));
    let (one, other) = (layer.process(set), layer.process(set));
    let none = one.get_or_load_option("key", || async { Ok::<Option<u64>, Refused>(None) }).await;
    assert_eq!(none.unwrap(), None);
    let gate = Gate::open();
    for cache in [&other, &one] {
        assert_eq!(cache.get_or_load("key", || gate.load()).await.unwrap(), 1);
    }
    assert_eq!(gate.loads(), 1);
    assert_eq!(layer.leases(), 0);
}

/// A load that was superseded ends with the last handle, as all others do.
#[tokio::test(start_paused = true)]
async fn no_load_outlives_the_cache() {
    let gate = Gate::closed();
    let cache = cache(|builder| builder);
    let held = Arc::new(());
    for round in 1..=3 {
        let (cache, gate, held) = (cache.clone(), gate.clone(), Arc::clone(&held));
        let load = cache.get_or_load("key", || async move {
            let _held = held;
            gate.load().await
        });
        assert!(tokio::time::timeout(SECOND, load).await.is_err());
        cache.invalidate("key").await;
        assert_eq!(cache.get("key"), None, "round {round}");
    }
    assert_eq!(Arc::strong_count(&held), 4);
    drop(cache);
    settle().await;
    assert_eq!(Arc::strong_count(&held), 1);
}

/// What a load says not to keep, or not to be there, leaves no older value behind in any layer.
#[tokio::test(start_paused = true)]
async fn a_load_that_is_not_kept_ends_the_value_before_it() {
    for (shared, absent) in [(false, true), (false, false), (true, true), (true, false)] {
        let windows = |builder: crate::cache::CacheBuilder<u64>| {
            builder.stale_while_revalidate(SECOND * 7200).fail_safe(SECOND * 7200)
        };
        let cache = match shared {
            true => Arc::new(Layer::default()).process(windows),
            false => cache(windows),
        };
        cache.put("key", 1).await;
        tokio::time::advance(SECOND * 3700).await;
        let gone = || async move {
            let there = crate::Loaded::new(Some(2)).ttl(Duration::ZERO);
            Ok::<_, Refused>(if absent { crate::Loaded::new(None) } else { there })
        };
        assert_eq!(cache.get_or_load_option("key", gone).await.unwrap(), Some(1), "stale");
        settle().await;
        let again = cache.get_or_load_option("key", gone).await.unwrap();
        assert_eq!(again, (!absent).then_some(2), "shared {shared}");
        let gate = Gate::open();
        let failed = cache.get_or_load("key", || gate.refuse()).await;
        assert_eq!(failed.unwrap_err().failed(), Some(&Refused(1)), "shared {shared}");
    }
}
