//! Every lookup is counted once, as one thing.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::advance;

use super::fake::Layer;
use super::gate::{Gate, cache, settle};
use crate::cache::CacheBuilder;
use crate::{Cache, Ttl};

async fn nobody_knows() -> Result<Option<u64>, ()> {
    Err(())
}

/// Looks something up in one of all ways.
async fn look_up(cache: &Cache<u64>, key: &str, way: u32) {
    let gate = Gate::open();
    match way {
        0 => drop(cache.get(key)),
        1 => drop(cache.fetch(key).await),
        2 => drop(cache.get_or_load(key, || gate.load()).await),
        3 => drop(cache.get_or_load(key, || gate.refuse()).await),
        4 => drop(cache.get_or_load_scoped(key, || gate.load()).await),
        5 => drop(cache.get_or_load_scoped(key, || gate.refuse()).await),
        6 => drop(cache.get_or_load_option(key, || async { Ok::<Option<u64>, ()>(None) }).await),
        7 => drop(cache.get_or_load_option_scoped(key, nobody_knows).await),
        8 => drop(cache.get_or_compute(key, || Ok::<u64, ()>(1))),
        9 => drop(cache.get_or_compute_option(key, || Err::<Option<u64>, _>(()))),
        _ => {
            let panics = gate.load();
            let load = || async move { panics.await.map(|_| -> u64 { panic!("on purpose") }) };
            drop(cache.get_or_load(key, load).await);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn lookups_are_hits_misses_stale_or_negative() {
    let windows = |builder: CacheBuilder<u64>| {
        builder
            .negative_ttl(Ttl::seconds(3))
            .stale_while_revalidate(Duration::from_secs(5))
            .fail_safe(Duration::from_secs(60))
            .soft_timeout(Duration::from_secs(1))
            .hard_timeout(Duration::from_secs(2))
    };
    let layer = Arc::new(Layer::default());
    for cache in [cache(windows), layer.process(windows)] {
        let mut random = fastrand::Rng::with_seed(7);
        let rounds = 3000;
        for _ in 0..rounds {
            let (key, way) = (["a", "b", "c"][random.usize(..3)], random.u32(..11));
            look_up(&cache, key, way).await;
            advance(Duration::from_millis(random.u64(..3000))).await;
            if random.u32(..20) == 0 {
                cache.invalidate(key).await;
            }
        }
        settle().await;
        let stats = cache.stats();
        let counted = stats.hits + stats.misses + stats.stale_hits + stats.negative_hits;
        assert_eq!(counted, rounds, "{stats:?}");
        let least = stats.hits.min(stats.misses).min(stats.stale_hits).min(stats.negative_hits);
        assert!(least > 0, "{stats:?}");
    }
}
