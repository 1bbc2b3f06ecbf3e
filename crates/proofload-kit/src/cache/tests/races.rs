//! Readers, writers and invalidations on threads that really run at once, on a source that knows the
//! truth: who asks after an invalidation has ended is never given what was read before it began.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::fake::Layer;
use super::gate::Refused;
use crate::{Cache, Loaded, Ttl};

/// The source: a number for each key that only grows.
#[derive(Debug, Default)]
struct Source([AtomicU64; 4]);

impl Source {
    fn read(&self, key: usize) -> u64 {
        self.0[key].load(Ordering::SeqCst)
    }

    fn write(&self, key: usize) -> u64 {
        self.0[key].fetch_add(1, Ordering::SeqCst) + 1
    }
}

const KEYS: [&str; 4] = ["k:0", "k:1", "k:2", "k:3"];

async fn load(source: Arc<Source>, key: usize, slow: bool) -> Result<Loaded<u64>, Refused> {
    let value = source.read(key);
    // Between reading and storing: the moment that invalidations have to beat.
    if slow {
        tokio::task::yield_now().await;
    }
    Ok(Loaded::new(value).tags([format!("tag {key}")]))
}

async fn read(cache: &Cache<u64>, source: &Arc<Source>, key: usize, how: u32) -> u64 {
    let name = KEYS[key];
    let loader = |slow| load(Arc::clone(source), key, slow);
    match how % 5 {
        0 => cache.get_or_load(name, || loader(true)).await.unwrap(),
        1 => cache.get_or_load_scoped(name, || loader(true)).await.unwrap(),
        2 => cache.get_or_load_scoped(name, || loader(false)).await.unwrap(),
        3 => cache
            .get_or_compute(name, || {
                let value = source.read(key);
                Ok::<_, Refused>(Loaded::new(value).tags([format!("tag {key}")]))
            })
            .unwrap(),
        _ => {
            // Cancelled at any point, it must leave nothing old behind.
            let asked = cache.get_or_load_scoped(name, || loader(true));
            match tokio::time::timeout(Duration::ZERO, asked).await {
                Ok(value) => value.unwrap(),
                Err(_) => cache.get_or_load(name, || loader(false)).await.unwrap(),
            }
        }
    }
}

/// How many ways there are to invalidate.
const WAYS: u32 = 6;

async fn invalidate(cache: &Cache<u64>, source: &Source, key: usize, how: u32) {
    match how % WAYS {
        0 => drop(cache.invalidate(KEYS[key]).await),
        1 => drop(cache.invalidate_prefix("k:").await),
        2 => drop(cache.invalidate_glob(&format!("?:{key}")).await),
        3 => drop(cache.invalidate_tag(&format!("tag {key}")).await),
        4 => drop(cache.clear().await),
        _ => {
            let write = async { Ok::<_, Refused>(source.write(key)) };
            cache.write_invalidate(KEYS[key], write).await.unwrap();
        }
    }
}

/// Each task works with one of the caches, and asks a random one of them.
async fn race(caches: Vec<Cache<u64>>, rounds: u64) {
    let (caches, source) = (Arc::new(caches), Arc::new(Source::default()));
    let tasks: Vec<_> = (0..8_u64)
        .map(|seed| {
            let (caches, source) = (Arc::clone(&caches), Arc::clone(&source));
            tokio::spawn(async move {
                let mut random = fastrand::Rng::with_seed(seed);
                for round in 0..rounds {
                    let key = random.usize(0..KEYS.len());
                    let asked = &caches[random.usize(0..caches.len())];
                    if seed % 2 == 1 {
                        read(asked, &source, key, random.u32(..)).await;
                        continue;
                    }
                    let least = source.write(key);
                    let how = random.u32(..);
                    let own = &caches[seed as usize / 2 % caches.len()];
                    invalidate(own, &source, key, how).await;
                    let value = read(asked, &source, key, random.u32(..)).await;
                    assert!(
                        value >= least,
                        "round {round}: {value} although {least} was written and then \
                         invalidated in way {}",
                        how % WAYS
                    );
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    for cache in caches.iter() {
        assert_eq!(cache.core.flights.len(), 0);
        assert_eq!(cache.core.memory.indexed() as u64, cache.stats().entries);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_is_given_what_was_read_before_an_invalidation_that_has_ended() {
    let cache = Cache::<u64>::builder("races", Ttl::hours(1)).max_entries(1000).build().unwrap();
    race(vec![cache], 3000).await;
}

/// The fake tells all processes of an invalidation before it ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nor_in_any_other_process() {
    let layer = Arc::new(Layer::default());
    race((0..3).map(|_| layer.process(|builder| builder)).collect(), 1000).await;
}
