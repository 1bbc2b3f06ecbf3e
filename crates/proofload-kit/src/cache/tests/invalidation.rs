//! Invalidation beats loads under way: what they bring goes to those who wait, and no further.

use std::time::Duration;

use super::gate::{Gate, Refused, cache, settle};
use crate::{Cache, Loaded, PutOptions, Registry, Ttl};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Key,
    Prefix,
    Glob,
    Tag,
    Clear,
    RemoveLocal,
    ClearLocal,
    Put,
    RegistryKey,
    RegistryPrefix,
    RegistryGlob,
    RegistryTag,
}

const ALL: [By; 12] = [
    By::Key,
    By::Prefix,
    By::Glob,
    By::Tag,
    By::Clear,
    By::RemoveLocal,
    By::ClearLocal,
    By::Put,
    By::RegistryKey,
    By::RegistryPrefix,
    By::RegistryGlob,
    By::RegistryTag,
];

/// Answers how many values were removed, if it says.
async fn invalidate(cache: &Cache<u64>, registry: &Registry, by: By) -> Option<u64> {
    Some(match by {
        By::Key => cache.invalidate("user:1").await,
        By::Prefix => cache.invalidate_prefix("user:").await,
        By::Glob => cache.invalidate_glob("u*:[0-3]").await,
        By::Tag => cache.invalidate_tag("tag").await,
        By::Clear => cache.clear().await,
        By::RemoveLocal => u64::from(cache.remove_local("user:1")),
        By::ClearLocal => cache.clear_local(),
        By::Put => {
            cache.put("user:1", 1000).await;
            return None;
        }
        By::RegistryKey => registry.invalidate("user:1").await,
        By::RegistryPrefix => registry.invalidate_prefix("user:").await,
        By::RegistryGlob => registry.invalidate_glob("user:?").await,
        By::RegistryTag => registry.invalidate_tag("tag").await,
    })
}

/// A load with a tag.
fn tagged(gate: &Gate) -> impl Future<Output = Result<Loaded<u64>, Refused>> + Send + use<> {
    let load = gate.load();
    async move { Ok(Loaded::new(load.await?).tags(["other", "tag"])) }
}

#[tokio::test]
async fn beats_a_late_write() {
    for by in ALL {
        for scoped in [false, true] {
            let registry = Registry::new();
            let (cache, gate) = (cache(|builder| builder.registry(&registry)), Gate::closed());
            let caller = |cache: Cache<u64>, gate: Gate| {
                tokio::spawn(async move {
                    if scoped {
                        cache.get_or_load_scoped("user:1", || tagged(&gate)).await
                    } else {
                        cache.get_or_load("user:1", || tagged(&gate)).await
                    }
                })
            };
            let before = caller(cache.clone(), gate.clone());
            gate.begun(1).await;
            invalidate(&cache, &registry, by).await;
            if by == By::Put {
                gate.let_through(1);
                assert_eq!(before.await.unwrap().unwrap(), 1);
                assert_eq!(cache.get("user:1"), Some(1000), "the put value must stay");
                continue;
            }
            // One who asks now must not be given what was read before.
            let after = caller(cache.clone(), gate.clone());
            settle().await;
            gate.let_through(1);
            assert_eq!(before.await.unwrap().unwrap(), 1, "{by:?}");
            gate.begun(2).await;
            assert_eq!(cache.get("user:1"), None, "{by:?}, scoped {scoped}");
            gate.let_through(1);
            assert_eq!(after.await.unwrap().unwrap(), 2, "{by:?}, scoped {scoped}");
            assert_eq!(cache.get("user:1"), Some(2));
        }
    }
}

#[tokio::test]
async fn removes_what_it_covers_and_says_how_much() {
    for by in ALL {
        let registry = Registry::new();
        let cache = cache(|builder| builder.registry(&registry));
        for (key, tags) in [("user:1", &["tag"][..]), ("user:2", &["tag", "b"]), ("post:1", &[])] {
            cache.put_with(key, 1, PutOptions::new().tags(tags.iter().copied())).await;
        }
        let removed = invalidate(&cache, &registry, by).await;
        let expect = match by {
            By::Put => (None, [Some(1000), Some(1), Some(1)]),
            By::Key | By::RemoveLocal | By::RegistryKey => (Some(1), [None, Some(1), Some(1)]),
            By::Clear | By::ClearLocal => (Some(3), [None, None, None]),
            By::Prefix | By::Glob | By::Tag => (Some(2), [None, None, Some(1)]),
            By::RegistryPrefix | By::RegistryGlob | By::RegistryTag => {
                (Some(2), [None, None, Some(1)])
            }
        };
        let left = ["user:1", "user:2", "post:1"].map(|key| cache.get(key));
        assert_eq!((removed, left), expect, "{by:?}");
        assert_eq!(cache.stats().invalidations, removed.unwrap_or(0), "{by:?}");
        if by != By::Put {
            assert_eq!(invalidate(&cache, &registry, by).await, Some(0), "{by:?} again");
        }
    }
}

#[tokio::test]
async fn reaches_all_caches_of_a_registry_that_live() {
    let registry = Registry::new();
    let build = |name| Cache::<u64>::builder(name, Ttl::DATA).registry(&registry).build().unwrap();
    let (a, b, gone) = (build("a"), build("b"), build("gone"));
    for cache in [&a, &b, &gone] {
        cache.put("user:1", 1).await;
    }
    drop(gone);
    assert_eq!(registry.invalidate_prefix("user:").await, 2);
    assert_eq!((a.get("user:1"), b.get("user:1")), (None, None));
}

/// What was withdrawn must not come back as the fallback of one who waited meanwhile.
#[tokio::test(start_paused = true)]
async fn what_was_invalidated_is_no_fallback() {
    for by in ALL {
        let registry = Registry::new();
        let gate = Gate::closed();
        let cache = cache(|builder| builder.fail_safe(Duration::from_secs(60)).registry(&registry));
        cache.put_with("user:1", 7, PutOptions::new().tags(["tag"])).await;
        tokio::time::advance(Duration::from_secs(11)).await;
        let caller = {
            let (cache, gate) = (cache.clone(), gate.clone());
            tokio::spawn(async move { cache.get_or_load("user:1", || gate.refuse()).await })
        };
        gate.begun(1).await;
        invalidate(&cache, &registry, by).await;
        gate.let_through(1);
        let error = caller.await.unwrap().expect_err("the old value is invalid");
        assert_eq!(error.failed(), Some(&Refused(1)), "{by:?}");
    }
}

#[tokio::test]
async fn a_refused_write_leaves_nothing() {
    let cache = cache(|builder| builder);
    cache.put("key", 1).await;
    let written = cache.write_through("key", 2, async { Ok::<_, Refused>("row") }).await;
    assert_eq!((written, cache.get("key")), (Ok("row"), Some(2)));
    let refused = cache.write_through("key", 3, async { Err::<(), _>(Refused(0)) }).await;
    assert_eq!((refused, cache.get("key")), (Err(Refused(0)), None));

    cache.put("key", 1).await;
    let written = cache.write_invalidate("key", async { Ok::<_, Refused>(()) }).await;
    assert_eq!((written, cache.get("key")), (Ok(()), None));
    cache.put("key", 1).await;
    let refused = cache.write_invalidate("key", async { Err::<(), _>(Refused(0)) }).await;
    assert_eq!((refused, cache.get("key")), (Err(Refused(0)), None));
}

#[tokio::test]
async fn a_write_that_is_cancelled_leaves_nothing() {
    let (cache, gate) = (cache(|builder| builder), Gate::closed());
    cache.put("key", 1).await;
    let writer = {
        let (cache, gate) = (cache.clone(), gate.clone());
        tokio::spawn(async move { cache.write_through("key", 2, gate.load()).await })
    };
    gate.begun(1).await;
    assert_eq!(cache.get("key"), Some(1), "until the source has it, the old value stands");
    writer.abort();
    assert!(writer.await.unwrap_err().is_cancelled());
    assert_eq!(cache.get("key"), None);
}

#[tokio::test]
async fn a_write_beats_loads_that_began_before_its_end() {
    let (cache, gate) = (cache(|builder| builder), Gate::closed());
    let reader = {
        let (cache, gate) = (cache.clone(), gate.clone());
        tokio::spawn(async move { cache.get_or_load("key", || gate.load()).await })
    };
    gate.begun(1).await;
    let loaded = Loaded::new(1000).tags(["t"]);
    cache.write_through("key", loaded, async { Ok::<_, Refused>(()) }).await.unwrap();
    gate.let_through(1);
    assert_eq!(reader.await.unwrap().unwrap(), 1);
    assert_eq!(cache.get("key"), Some(1000));
    assert_eq!(cache.invalidate_tag("t").await, 1);
}

#[tokio::test]
async fn a_life_of_nothing_is_not_kept() {
    let (cache, gate) = (cache(|builder| builder), Gate::open());
    let load = || {
        let load = gate.load();
        async move { Ok::<_, Refused>(Loaded::new(load.await?).do_not_keep()) }
    };
    assert_eq!(cache.get_or_load("key", load).await.unwrap(), 1);
    assert_eq!(cache.get("key"), None);
    cache.put("key", 5).await;
    cache.put_with("key", 6, PutOptions::new().ttl(Duration::ZERO)).await;
    assert_eq!(cache.get("key"), None, "what stood there is gone as well");
    cache.put("key", 7).await;
    cache.put_with("key", 8, PutOptions::new().do_not_keep()).await;
    assert_eq!(cache.get("key"), None);
}
