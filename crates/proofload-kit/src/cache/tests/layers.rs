//! Caches on a layer that processes share. Each cache here stands for a process.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::{Instant, advance};

use super::fake::Layer;
use super::gate::{Gate, Refused, settle};
use crate::{Cache, LoadError, PutOptions, Ttl};

const SECOND: Duration = Duration::from_secs(1);

async fn get(cache: &Cache<u64>, gate: &Gate) -> Result<u64, LoadError<Refused>> {
    cache.get_or_load("key", || gate.load()).await
}

async fn get_refused(cache: &Cache<u64>, gate: &Gate) -> Result<u64, LoadError<Refused>> {
    cache.get_or_load("key", || gate.refuse()).await
}

fn start(
    cache: &Cache<u64>,
    gate: &Gate,
) -> tokio::task::JoinHandle<Result<u64, LoadError<Refused>>> {
    let (cache, gate) = (cache.clone(), gate.clone());
    tokio::spawn(async move { get(&cache, &gate).await })
}

#[tokio::test(start_paused = true)]
async fn eight_processes_of_a_thousand_callers_are_one_load() {
    let (layer, gate) = (Arc::new(Layer::default()), Gate::closed());
    let processes: Vec<_> = (0..8).map(|_| layer.process(|builder| builder)).collect();
    let callers: Vec<_> = (0..8000).map(|caller| start(&processes[caller % 8], &gate)).collect();
    gate.begun(1).await;
    // Much longer than a lease: the holder renews it.
    tokio::time::sleep(SECOND * 20).await;
    gate.let_through(100);
    for caller in callers {
        assert_eq!(caller.await.unwrap().unwrap(), 1);
    }
    assert_eq!(gate.loads(), 1);
    assert!(layer.renewals.load(Ordering::SeqCst) >= 19);
    let hits: u64 = processes.iter().map(|process| process.stats().remote_hits).sum();
    assert_eq!((hits, layer.leases()), (0, 0), "the others found it when they claimed");
}

#[tokio::test(start_paused = true)]
async fn a_killed_holder_costs_one_lease_and_one_load() {
    let (layer, gate) = (Arc::new(Layer::default()), Gate::open());
    let processes: Vec<_> = (0..4).map(|_| layer.process(|builder| builder)).collect();
    layer.orphan("key");
    let asked = Instant::now();
    let callers: Vec<_> = (0..40).map(|caller| start(&processes[caller % 4], &gate)).collect();
    for caller in callers {
        assert_eq!(caller.await.unwrap().unwrap(), 1);
    }
    assert_eq!(gate.loads(), 1);
    assert!(asked.elapsed() >= SECOND * 3 && asked.elapsed() < SECOND * 4);
}

#[tokio::test(start_paused = true)]
async fn a_dead_layer_is_no_error() {
    let (layer, gate) = (Arc::new(Layer::default()), Gate::open());
    let process = layer.process(|builder| builder);
    layer.down.store(true, Ordering::SeqCst);
    assert_eq!(get(&process, &gate).await.unwrap(), 1);
    assert_eq!(process.get("key"), Some(1));
    process.put("key", 50).await;
    assert_eq!(process.fetch("key").await, Some(50));
    assert_eq!(process.fetch("other").await, None);
    assert_eq!(process.invalidate("key").await, 1);
    assert_eq!(get(&process, &gate).await.unwrap(), 2);
    assert_eq!(process.stats().remote_errors, 5);
    layer.down.store(false, Ordering::SeqCst);
    advance(SECOND * 61).await;
    assert_eq!(get(&process, &gate).await.unwrap(), 3);
    assert!(layer.stored("key").is_some());
}

/// The layer dies between the claim of the lease and the end of the load.
#[tokio::test(start_paused = true)]
async fn a_layer_that_dies_during_a_load_is_no_error() {
    let (layer, gate) = (Arc::new(Layer::default()), Gate::closed());
    let process = layer.process(|builder| builder);
    let caller = start(&process, &gate);
    gate.begun(1).await;
    layer.down.store(true, Ordering::SeqCst);
    tokio::time::sleep(SECOND * 10).await;
    gate.let_through(1);
    assert_eq!(caller.await.unwrap().unwrap(), 1);
    assert_eq!(process.get("key"), Some(1));
}

#[tokio::test(start_paused = true)]
async fn each_layer_has_its_own_time_to_live() {
    let (layer, gate) = (Arc::new(Layer::default()), Gate::open());
    let (one, other) = (layer.process(|builder| builder), layer.process(|builder| builder));
    assert_eq!(get(&one, &gate).await.unwrap(), 1);
    advance(SECOND * 60).await;
    assert_eq!((one.get("key"), get(&one, &gate).await.unwrap()), (None, 1));
    assert_eq!(get(&other, &gate).await.unwrap(), 1);
    assert_eq!((one.stats().remote_hits, one.stats().remote_misses), (1, 1));
    // Memory never keeps it fresh for longer than it is in the shared layer.
    advance(SECOND * (3600 - 60 - 10)).await;
    assert_eq!(get(&other, &gate).await.unwrap(), 1);
    advance(SECOND * 10).await;
    assert_eq!(other.get("key"), None);
    assert_eq!(get(&other, &gate).await.unwrap(), 2);
}

#[tokio::test(start_paused = true)]
async fn fetches_without_loading() {
    let layer = Arc::new(Layer::default());
    let (one, other) = (layer.process(|builder| builder), layer.process(|builder| builder));
    assert_eq!(one.fetch("key").await, None);
    one.put("key", 7).await;
    assert_eq!((other.get("key"), other.fetch("key").await), (None, Some(7)));
    assert_eq!(other.get("key"), Some(7), "and remembers");
    assert_eq!((other.stats().remote_hits, one.stats().remote_misses), (1, 1));
}

/// One process invalidates while another loads: nothing that was read before is kept anywhere.
#[tokio::test(start_paused = true)]
async fn an_invalidation_elsewhere_beats_a_late_write() {
    for by in 0..6 {
        let (layer, gate) = (Arc::new(Layer::default()), Gate::closed());
        let (one, other) = (layer.process(|builder| builder), layer.process(|builder| builder));
        let caller = {
            let (one, gate) = (one.clone(), gate.clone());
            tokio::spawn(async move {
                let load = || {
                    let load = gate.load();
                    async move { load.await.map(|n| crate::Loaded::new(n).tags(["tag"])) }
                };
                one.get_or_load("key", load).await
            })
        };
        gate.begun(1).await;
        match by {
            0 => other.invalidate("key").await,
            1 => other.invalidate_prefix("ke").await,
            2 => other.invalidate_glob("k?y").await,
            3 => other.invalidate_tag("tag").await,
            4 => other.clear().await,
            _ => {
                other.put("key", 1000).await;
                0
            }
        };
        gate.let_through(1);
        assert_eq!(caller.await.unwrap().unwrap(), 1);
        let expect = if by == 5 { Some(1000) } else { None };
        assert_eq!(one.get("key"), None, "{by}");
        assert_eq!(one.fetch("key").await, expect, "{by}");
        assert_eq!(other.fetch("key").await, expect, "{by}");
    }
}

/// The message of the invalidation is late or lost: the lease is gone all the same.
#[tokio::test(start_paused = true)]
async fn a_lost_lease_keeps_the_value_out_of_memory_too() {
    let (layer, gate) = (Arc::new(Layer::default()), Gate::closed());
    let process = layer.process(|builder| builder);
    let caller = start(&process, &gate);
    gate.begun(1).await;
    layer.orphan("key");
    gate.let_through(1);
    assert_eq!(caller.await.unwrap().unwrap(), 1);
    assert_eq!(layer.stores_refused.load(Ordering::SeqCst), 1);
    assert_eq!((process.get("key"), layer.stored("key")), (None, None));
}

#[tokio::test(start_paused = true)]
async fn what_others_invalidate_or_put_leaves_memory() {
    let layer = Arc::new(Layer::default());
    let (one, other) = (layer.process(|builder| builder), layer.process(|builder| builder));
    let refill = async |tags: &[&'static str]| {
        one.put_with("key", 1, PutOptions::new().tags(tags.iter().copied())).await;
        one.put("else", 2).await;
        assert_eq!((one.get("key"), one.get("else")), (Some(1), Some(2)));
    };
    refill(&[]).await;
    other.put("key", 5).await;
    assert_eq!((one.get("key"), one.fetch("key").await), (None, Some(5)));
    refill(&["tag"]).await;
    other.invalidate_tag("tag").await;
    assert_eq!((one.get("key"), one.fetch("key").await), (None, None));
    refill(&[]).await;
    other.invalidate_prefix("k").await;
    assert_eq!((one.get("key"), one.get("else")), (None, Some(2)));
    refill(&[]).await;
    layer.gap();
    assert_eq!((one.get("key"), one.get("else")), (None, None));
    assert_eq!(one.fetch("key").await, Some(1), "memory only: the layer was not wrong");
}

#[tokio::test(start_paused = true)]
async fn leases_are_given_back_when_loads_fail() {
    let (layer, gate) = (Arc::new(Layer::default()), Gate::open());
    let one = layer.process(|builder| builder.hard_timeout(SECOND * 2));
    assert_eq!(get_refused(&one, &gate).await.unwrap_err().failed(), Some(&Refused(1)));
    settle().await;
    assert_eq!(layer.leases(), 0);
    let panic = || async { if true { panic!("on purpose") } else { Ok::<u64, Refused>(0) } };
    one.get_or_load("key", panic).await.unwrap_err();
    settle().await;
    assert_eq!(layer.leases(), 0);
    one.get_or_load("key", std::future::pending::<Result<u64, Refused>>).await.unwrap_err();
    settle().await;
    assert_eq!(layer.leases(), 0);
    let scoped = {
        let (one, gate) = (one.clone(), Gate::closed());
        tokio::spawn(async move { one.get_or_load_scoped("key", || gate.load()).await })
    };
    settle().await;
    assert_eq!(layer.leases(), 1);
    scoped.abort();
    settle().await;
    assert_eq!(layer.leases(), 0);
    assert_eq!(layer.releases.load(Ordering::SeqCst), 4);
}

#[tokio::test(start_paused = true)]
async fn the_shared_stale_value_stands_in_for_failures() {
    let (layer, gate) = (Arc::new(Layer::default()), Gate::open());
    let build =
        || layer.process(|builder| builder.fail_safe(SECOND * 600).retry_after_failure(SECOND * 5));
    assert_eq!(get(&build(), &gate).await.unwrap(), 1);
    advance(SECOND * 3700).await;
    // A process that never had it.
    let fresh_start = build();
    assert_eq!(get_refused(&fresh_start, &gate).await.unwrap(), 1);
    assert_eq!(get_refused(&fresh_start, &gate).await.unwrap(), 1);
    assert_eq!(gate.loads(), 2, "and it rests from loading");
    assert_eq!(fresh_start.stats().stale_hits, 2);
    advance(SECOND * 600).await;
    get_refused(&build(), &gate).await.unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn the_shared_stale_value_is_served_while_one_loads() {
    let (layer, gate) = (Arc::new(Layer::default()), Gate::closed());
    let build = || layer.process(|builder| builder.stale_while_revalidate(SECOND * 600));
    gate.let_through(1);
    assert_eq!(get(&build(), &gate).await.unwrap(), 1);
    advance(SECOND * 3700).await;
    let fresh_start = build();
    assert_eq!(get(&fresh_start, &gate).await.unwrap(), 1);
    gate.begun(2).await;
    assert_eq!(get(&build(), &gate).await.unwrap(), 1, "also while another process loads");
    gate.let_through(1);
    settle().await;
    assert_eq!(get(&fresh_start, &gate).await.unwrap(), 2);
}

#[tokio::test(start_paused = true)]
async fn foreign_values_are_loaded_anew() {
    let (layer, gate) = (Arc::new(Layer::default()), Gate::open());
    let process = layer.process(|builder| builder);
    process.put("key", 7).await;
    layer.corrupt("key");
    process.clear_local();
    assert_eq!(process.fetch("key").await, None);
    assert_eq!(get(&process, &gate).await.unwrap(), 1);
    assert!(process.stats().remote_errors >= 2);
}

#[tokio::test(start_paused = true)]
async fn absences_are_shared() {
    let (layer, gate) = (Arc::new(Layer::default()), Gate::open());
    let build = || layer.process(|builder| builder.negative_ttl(Ttl::seconds(30)));
    let (one, other) = (build(), build());
    let absent = || {
        let load = gate.load();
        async move { load.await.map(|_| None::<u64>) }
    };
    assert_eq!(one.get_or_load_option("key", absent).await.unwrap(), None);
    assert_eq!(other.get_or_load_option("key", absent).await.unwrap(), None);
    assert_eq!(gate.loads(), 1);
    // Who needs a value loads in spite of it.
    assert_eq!(get(&other, &gate).await.unwrap(), 2);
}

#[tokio::test(start_paused = true)]
async fn writes_reach_all_layers() {
    let layer = Arc::new(Layer::default());
    let (one, other) = (layer.process(|builder| builder), layer.process(|builder| builder));
    one.write_through("key", 1, async { Ok::<_, Refused>(()) }).await.unwrap();
    assert_eq!(other.fetch("key").await, Some(1));
    one.write_invalidate("key", async { Err::<(), _>(Refused(0)) }).await.unwrap_err();
    assert_eq!(other.fetch("key").await, None);
    one.put("key", 1).await;
    one.write_through("key", 2, async { Err::<(), _>(Refused(0)) }).await.unwrap_err();
    settle().await;
    assert_eq!((layer.stored("key"), one.get("key"), other.get("key")), (None, None, None));
}

/// Callers that find the value in memory ask nobody.
#[tokio::test(start_paused = true)]
async fn hits_do_not_ask_the_layer() {
    let (layer, gate) = (Arc::new(Layer::default()), Gate::open());
    let process = layer.process(|builder| builder);
    get(&process, &gate).await.unwrap();
    let calls = layer.calls.load(Ordering::SeqCst);
    for _ in 0..10 {
        get(&process, &gate).await.unwrap();
        process.fetch("key").await.unwrap();
        process.get("key").unwrap();
    }
    assert_eq!(layer.calls.load(Ordering::SeqCst), calls);
}

/// A slow layer costs time, never a second load.
#[tokio::test(start_paused = true)]
async fn a_slow_layer_keeps_its_promises() {
    let (layer, gate) = (Arc::new(Layer::default()), Gate::open());
    layer.delay_ms.store(80, Ordering::SeqCst);
    let processes: Vec<_> = (0..3).map(|_| layer.process(|builder| builder)).collect();
    let callers: Vec<_> = (0..30).map(|caller| start(&processes[caller % 3], &gate)).collect();
    for caller in callers {
        assert_eq!(caller.await.unwrap().unwrap(), 1);
    }
    assert_eq!(gate.loads(), 1);
}

/// The shared value is read just before an invalidation, and arrives after it.
#[tokio::test(start_paused = true)]
async fn what_was_read_before_an_invalidation_does_not_stay_in_memory() {
    for fetch in [false, true] {
        let (layer, gate) = (Arc::new(Layer::default()), Gate::open());
        let (one, other) = (layer.process(|builder| builder), layer.process(|builder| builder));
        other.put("key", 7).await;
        layer.answer_delay_ms.store(50, Ordering::SeqCst);
        let reader = {
            let (one, gate) = (one.clone(), gate.clone());
            tokio::spawn(async move {
                if fetch { one.fetch("key").await } else { get(&one, &gate).await.ok() }
            })
        };
        settle().await;
        one.remove_local("key");
        assert_eq!(reader.await.unwrap(), Some(7), "it was asked for before");
        assert_eq!(one.get("key"), None, "fetch: {fetch}");
    }
}

/// A load begins when memory is invalidated already and the shared layer is not yet.
#[tokio::test(start_paused = true)]
async fn memory_is_invalidated_after_the_shared_layer_too() {
    for by_prefix in [false, true] {
        let (layer, gate) = (Arc::new(Layer::default()), Gate::open());
        let process = layer.process(|builder| builder);
        process.put("key", 7).await;
        layer.invalidation_delay_ms.store(100, Ordering::SeqCst);
        let invalidation = {
            let process = process.clone();
            tokio::spawn(async move {
                if by_prefix {
                    process.invalidate_prefix("k").await
                } else {
                    process.invalidate("key").await
                }
            })
        };
        settle().await;
        assert_eq!(process.get("key"), None);
        assert_eq!(get(&process, &gate).await.unwrap(), 7, "it is still there");
        assert_eq!(invalidation.await.unwrap(), 1);
        assert_eq!(process.get("key"), None);
        assert_eq!(get(&process, &gate).await.unwrap(), 1);
    }
}

/// A client that hangs up right after its write must not leave the old value behind.
#[tokio::test(start_paused = true)]
async fn what_a_cancelled_caller_began_is_carried_out() {
    let layer = Arc::new(Layer::default());
    let (one, other) = (layer.process(|builder| builder), layer.process(|builder| builder));
    for by in 0..3 {
        one.put("key", 1).await;
        assert_eq!(other.fetch("key").await, Some(1));
        layer.delay_ms.store(50, Ordering::SeqCst);
        let caller = {
            let one = one.clone();
            tokio::spawn(async move {
                match by {
                    0 => drop(one.invalidate("key").await),
                    1 => drop(one.invalidate_glob("k*").await),
                    _ => one.put("key", 2).await,
                }
            })
        };
        settle().await;
        caller.abort();
        assert!(caller.await.unwrap_err().is_cancelled());
        layer.delay_ms.store(0, Ordering::SeqCst);
        tokio::time::sleep(SECOND).await;
        let expect = (by == 2).then_some(2);
        assert_eq!(other.get("key"), None, "{by}");
        assert_eq!((one.fetch("key").await, other.fetch("key").await), (expect, expect), "{by}");
    }
}

#[tokio::test(start_paused = true)]
async fn large_memories_hear_of_patterns_too() {
    let layer = Arc::new(Layer::default());
    let build = || layer.process(|builder| builder.max_entries(100_000));
    let (one, other) = (build(), build());
    let fill = async || {
        for key in 0..12_000 {
            one.put(&format!("{}:{key}", key % 2), key).await;
        }
        assert_eq!(one.stats().entries, 12_000);
    };
    fill().await;
    other.invalidate_prefix("1:").await;
    settle().await;
    assert_eq!((one.stats().entries, one.get("1:1"), one.get("0:2")), (6000, None, Some(2)));
    fill().await;
    layer.gap();
    settle().await;
    assert_eq!(one.stats().entries, 0);
}
