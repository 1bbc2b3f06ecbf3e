//! Memory: bounds, evictions, and the end of what nobody asks for any more.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::advance;

use super::gate::cache;
use crate::registry::Value;
use crate::{Cache, Registry, Ttl};

#[tokio::test(start_paused = true)]
async fn the_dead_do_not_hold_memory_for_ever() {
    let cache = cache(|builder| builder.max_entries(100_000));
    let witness = Arc::new(());
    let held = Cache::<Arc<()>>::builder("held", Ttl::seconds(10)).build().unwrap();
    for key in 0..1000 {
        cache.put(&format!("old {key}"), key).await;
        held.put(&format!("old {key}"), Arc::clone(&witness)).await;
    }
    advance(Duration::from_secs(10)).await;
    for key in 0..1000 {
        cache.put(&format!("new {key}"), key).await;
        held.put(&format!("new {key}"), Arc::new(())).await;
    }
    assert_eq!((cache.stats().entries, cache.stats().expirations), (1000, 1000));
    assert_eq!(Arc::strong_count(&witness), 1);
    assert_eq!(cache.core.memory.indexed(), 1000);
}

/// Nobody looks an entry of an invalidated tag up, and still it goes.
#[tokio::test]
async fn the_tagged_dead_go_as_well() {
    let cache = cache(|builder| builder.max_entries(100_000));
    for key in 0..500 {
        let options = crate::PutOptions::new().tags(["tag"]);
        cache.put_with(&format!("old {key}"), key, options).await;
    }
    assert_eq!(cache.invalidate_tag("tag").await, 500);
    assert_eq!(cache.stats().entries, 500);
    for key in 0..500 {
        cache.put(&format!("new {key}"), key).await;
    }
    assert_eq!(cache.stats().entries, 500);
}

#[tokio::test]
async fn bounded_by_entries() {
    let cache = cache(|builder| builder.max_entries(500));
    for key in 0..5000 {
        cache.put(&format!("{key}"), key).await;
        assert!(cache.stats().entries <= 500);
    }
    let stats = cache.stats();
    assert!(stats.entries > 400, "{stats:?}");
    assert_eq!(stats.evictions + stats.entries, 5000);
    assert_eq!(stats.expirations, 0);
    // Replacing is no eviction.
    let evicted = stats.evictions;
    let left = (0..5000).map(|key| format!("{key}")).find(|key| cache.get(key).is_some()).unwrap();
    cache.put(&left, 1).await;
    assert_eq!(cache.stats().evictions, evicted);
}

#[tokio::test]
async fn bounded_by_weight() {
    let cache =
        cache(|builder| builder.max_weight(10_000, |key, value| key.len() as u32 + *value as u32));
    for key in 0..1000 {
        cache.put(&format!("{key:03}"), 97).await;
        assert!(cache.stats().weight <= 10_000);
    }
    let stats = cache.stats();
    assert_eq!(stats.weight, stats.entries * 100);
    assert!(stats.entries > 60, "{stats:?}");
    cache.put("heavy", 1_000_000).await;
    assert_eq!(cache.get("heavy"), None);
    assert_eq!(cache.stats().evictions, 1000 - stats.entries + 1);
}

#[test]
fn settings_that_cannot_be() {
    let check = |cache: Result<Cache<u64>, crate::BuildError>, setting: &str| match cache {
        Ok(_) => assert_eq!(setting, ""),
        Err(error) => assert_eq!(error.setting(), setting),
    };
    let builder = |ttl| Cache::<u64>::builder("test", ttl);
    let second = Duration::from_secs(1);
    check(builder(Ttl::DATA).build(), "");
    check(Cache::builder("", Ttl::DATA).build(), "name");
    check(builder(Ttl::seconds(0)).build(), "ttl");
    check(builder(Ttl::DATA.jitter(2.0)).build(), "ttl");
    check(builder(Ttl::DATA).negative_ttl(Ttl::seconds(0)).build(), "negative_ttl");
    check(builder(Ttl::DATA).max_entries(0).build(), "max_entries");
    check(builder(Ttl::DATA).max_weight(0, |_, _| 1).build(), "max_weight");
    check(builder(Ttl::DATA).max_entries(1).max_weight(1, |_, _| 1).build(), "max_weight");
    check(builder(Ttl::DATA).soft_timeout(Duration::ZERO).build(), "soft_timeout");
    check(builder(Ttl::DATA).soft_timeout(second).hard_timeout(second).build(), "soft_timeout");
    check(builder(Ttl::DATA).soft_timeout(second).hard_timeout(second * 2).build(), "");
}

#[tokio::test(start_paused = true)]
async fn the_registry_shows_what_is_counted() {
    let registry = Registry::new();
    let cache = cache(|builder| {
        builder.registry(&registry).stale_while_revalidate(Duration::from_secs(60))
    });
    let load = || async {
        tokio::time::sleep(Duration::from_millis(30)).await;
        Ok::<_, ()>(1)
    };
    cache.get_or_load("key", load).await.unwrap();
    cache.get("key");
    cache.get("other");
    advance(Duration::from_secs(10)).await;
    cache.get_or_load("key", load).await.unwrap();
    let families = registry.families();
    let shown = |name| {
        let (_, family) = families.iter().find(|(own, _)| *own == name).expect(name);
        assert!(!family.help.is_empty());
        assert_eq!(family.samples.len(), 1);
        assert_eq!(family.samples[0].labels, [("cache", "test".to_owned())]);
        match &family.samples[0].value {
            Value::Counter(value) | Value::Gauge(value) => *value,
            Value::Histogram { buckets, sum } => {
                assert_eq!(buckets.last().unwrap().0, f64::INFINITY);
                assert_eq!(buckets.iter().find(|(_, count)| *count > 0).unwrap().0, 0.05);
                *sum
            }
        }
    };
    assert_eq!([shown("cache_hits"), shown("cache_misses")], [1.0, 2.0]);
    assert_eq!([shown("cache_stale_hits"), shown("cache_entries")], [1.0, 1.0]);
    assert_eq!([shown("cache_weight"), shown("cache_evictions")], [1.0, 0.0]);
    assert_eq!(shown("cache_load_duration_seconds"), 0.03);
}
