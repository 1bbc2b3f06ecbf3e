//! What is served after the time to live: stale values, failures, timeouts, absences.

use std::time::Duration;

use tokio::time::{Instant, advance};

use super::gate::{Gate, Refused, cache, settle};
use crate::{Cache, LoadError, Loaded, Ttl};

const SECOND: Duration = Duration::from_secs(1);

async fn get(cache: &Cache<u64>, gate: &Gate) -> Result<u64, LoadError<Refused>> {
    cache.get_or_load("key", || gate.load()).await
}

async fn get_refused(cache: &Cache<u64>, gate: &Gate) -> Result<u64, LoadError<Refused>> {
    cache.get_or_load("key", || gate.refuse()).await
}

#[tokio::test(start_paused = true)]
async fn fresh_until_the_time_to_live() {
    let (cache, gate) = (cache(|builder| builder), Gate::open());
    assert_eq!(get(&cache, &gate).await.unwrap(), 1);
    advance(SECOND * 10 - Duration::from_nanos(1)).await;
    assert_eq!((get(&cache, &gate).await.unwrap(), cache.get("key")), (1, Some(1)));
    advance(Duration::from_nanos(1)).await;
    assert_eq!(cache.get("key"), None);
    assert_eq!(get(&cache, &gate).await.unwrap(), 2);
    let stats = cache.stats();
    assert_eq!((stats.hits, stats.misses, stats.loads), (2, 3, 2));
}

#[tokio::test(start_paused = true)]
async fn values_may_have_lives_of_their_own() {
    let cache = cache(|builder| builder);
    let short = || async { Ok::<_, Refused>(Loaded::new(1).ttl(Ttl::seconds(1))) };
    cache.get_or_load("key", short).await.unwrap();
    advance(SECOND).await;
    assert_eq!(cache.get("key"), None);
}

#[tokio::test(start_paused = true)]
async fn stale_is_served_while_one_loads_anew() {
    let gate = Gate::closed();
    let cache = cache(|builder| builder.stale_while_revalidate(SECOND * 5));
    gate.let_through(1);
    assert_eq!(get(&cache, &gate).await.unwrap(), 1);
    advance(SECOND * 12).await;
    for _ in 0..3 {
        assert_eq!(get(&cache, &gate).await.unwrap(), 1);
    }
    settle().await;
    assert_eq!(gate.loads(), 2, "one refresh for all");
    gate.let_through(1);
    settle().await;
    assert_eq!(get(&cache, &gate).await.unwrap(), 2);
    assert_eq!(cache.stats().stale_hits, 3);
    // Beyond the window, callers wait.
    advance(SECOND * 15).await;
    gate.let_through(1);
    assert_eq!(get(&cache, &gate).await.unwrap(), 3);
    assert_eq!(cache.stats().stale_hits, 3);
}

#[tokio::test(start_paused = true)]
async fn a_failed_refresh_is_not_tried_for_each_request() {
    let gate = Gate::open();
    let cache =
        cache(|builder| builder.stale_while_revalidate(SECOND * 5).retry_after_failure(SECOND * 2));
    assert_eq!(get(&cache, &gate).await.unwrap(), 1);
    advance(SECOND * 11).await;
    for _ in 0..5 {
        assert_eq!(get_refused(&cache, &gate).await.unwrap(), 1);
        settle().await;
    }
    assert_eq!(gate.loads(), 2);
    advance(SECOND * 2).await;
    assert_eq!(get(&cache, &gate).await.unwrap(), 1);
    settle().await;
    assert_eq!(get(&cache, &gate).await.unwrap(), 3);
}

#[tokio::test(start_paused = true)]
async fn stale_stands_in_for_failures() {
    let gate = Gate::open();
    let cache = cache(|builder| builder.fail_safe(SECOND * 60).retry_after_failure(SECOND * 5));
    assert_eq!(get(&cache, &gate).await.unwrap(), 1);
    advance(SECOND * 20).await;
    // Scoped and not, error and panic.
    assert_eq!(get_refused(&cache, &gate).await.unwrap(), 1);
    assert_eq!(gate.loads(), 2);
    for _ in 0..10 {
        assert_eq!(get_refused(&cache, &gate).await.unwrap(), 1);
    }
    assert_eq!(gate.loads(), 2, "a backend in trouble is left alone for a while");
    advance(SECOND * 5).await;
    assert_eq!(cache.get_or_load_scoped("key", || gate.refuse()).await.unwrap(), 1);
    assert_eq!(gate.loads(), 3);
    advance(SECOND * 5).await;
    let panic = || async { if true { panic!("on purpose") } else { Ok::<u64, Refused>(0) } };
    assert_eq!(cache.get_or_load("key", panic).await.unwrap(), 1);
    advance(SECOND * 5).await;
    assert_eq!(cache.get_or_compute("key", || Err::<u64, _>(Refused(0))).unwrap(), 1);
    advance(SECOND * 5).await;
    assert_eq!(get(&cache, &gate).await.unwrap(), 4, "and tried again");
    // Past the window there is nothing left to serve.
    advance(SECOND * 70).await;
    assert_eq!(get_refused(&cache, &gate).await.unwrap_err().failed(), Some(&Refused(5)));
}

#[tokio::test(start_paused = true)]
async fn soft_timeouts_serve_stale_and_let_the_load_go_on() {
    let gate = Gate::closed();
    let cache = cache(|builder| builder.fail_safe(SECOND * 60).soft_timeout(SECOND));
    gate.let_through(1);
    assert_eq!(get(&cache, &gate).await.unwrap(), 1);
    advance(SECOND * 20).await;
    let asked = Instant::now();
    assert_eq!(get(&cache, &gate).await.unwrap(), 1);
    assert_eq!(asked.elapsed(), SECOND);
    assert_eq!(get(&cache, &gate).await.unwrap(), 1);
    assert_eq!((asked.elapsed(), gate.loads()), (SECOND * 2, 2));
    gate.let_through(1);
    settle().await;
    assert_eq!(cache.get("key"), Some(2), "the load went on behind");
}

#[tokio::test(start_paused = true)]
async fn without_anything_stale_the_soft_timeout_means_nothing() {
    let gate = Gate::closed();
    let cache = cache(|builder| builder.fail_safe(SECOND * 60).soft_timeout(SECOND));
    let caller = {
        let (cache, gate) = (cache.clone(), gate.clone());
        tokio::spawn(async move { get(&cache, &gate).await })
    };
    gate.begun(1).await;
    advance(SECOND * 30).await;
    settle().await;
    gate.let_through(1);
    assert_eq!(caller.await.unwrap().unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn hard_timeouts_give_loads_up() {
    let gate = Gate::closed();
    let cache = cache(|builder| builder.fail_safe(SECOND * 60).hard_timeout(SECOND * 3));
    for scoped in [false, true] {
        let asked = Instant::now();
        let timed_out = if scoped {
            cache.get_or_load_scoped("key", || gate.load()).await
        } else {
            get(&cache, &gate).await
        };
        assert!(matches!(timed_out, Err(LoadError::TimedOut { after }) if after == SECOND * 3));
        assert_eq!(asked.elapsed(), SECOND * 3);
    }
    assert_eq!((gate.loads(), cache.stats().load_failures), (2, 2));
    assert_eq!(cache.core.flights.len(), 0);
    gate.let_through(1);
    assert_eq!(get(&cache, &gate).await.unwrap(), 3);
    advance(SECOND * 20).await;
    assert_eq!(get(&cache, &gate).await.unwrap(), 3, "stale stands in for it");
    assert_eq!(gate.loads(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_scoped_refresh_waits_while_others_are_served() {
    let gate = Gate::closed();
    let cache = cache(|builder| builder.stale_while_revalidate(SECOND * 5));
    cache.put("key", 100).await;
    advance(SECOND * 11).await;
    let leader = {
        let (cache, gate) = (cache.clone(), gate.clone());
        tokio::spawn(async move { cache.get_or_load_scoped("key", || gate.load()).await })
    };
    gate.begun(1).await;
    assert_eq!(cache.get_or_load_scoped("key", || gate.load()).await.unwrap(), 100);
    assert_eq!(cache.get_or_compute("key", || Err::<u64, _>(Refused(0))).unwrap(), 100);
    gate.let_through(1);
    assert_eq!(leader.await.unwrap().unwrap(), 1);
    assert_eq!(gate.loads(), 1);
}

#[tokio::test(start_paused = true)]
async fn absences_are_remembered_for_their_own_time() {
    let cache = cache(|builder| {
        builder.negative_ttl(Ttl::seconds(2)).fail_safe(SECOND * 60).max_entries(10)
    });
    let absent = || async { Ok::<_, Refused>(None::<u64>) };
    assert_eq!(cache.get_or_load_option("key", absent).await.unwrap(), None);
    assert_eq!(cache.get_or_load_option_scoped("key", absent).await.unwrap(), None);
    assert_eq!(cache.get_or_compute_option("key", || Ok::<_, Refused>(Some(1))).unwrap(), None);
    assert_eq!(cache.get("key"), None);
    let stats = cache.stats();
    assert_eq!((stats.loads, stats.negative_hits, stats.misses), (1, 3, 1));
    // Who needs a value does not take an absence for an answer.
    assert_eq!(get(&cache, &Gate::open()).await.unwrap(), 1);
    cache.invalidate("key").await;
    assert_eq!(cache.get_or_load_option("key", absent).await.unwrap(), None);
    advance(SECOND * 2).await;
    let refused = || async { Err::<Option<u64>, _>(Refused(9)) };
    let error = cache.get_or_load_option("key", refused).await.unwrap_err();
    assert_eq!(error.failed(), Some(&Refused(9)), "an old absence stands in for nothing");
}

#[tokio::test]
async fn absences_are_forgotten_without_a_time_for_them() {
    let (cache, gate) = (cache(|builder| builder), Gate::open());
    let absent = || {
        let load = gate.load();
        async move { load.await.map(|_| None::<u64>) }
    };
    for _ in 0..3 {
        assert_eq!(cache.get_or_load_option("key", absent).await.unwrap(), None);
    }
    assert_eq!((gate.loads(), cache.stats().entries), (3, 0));
}

#[tokio::test]
async fn absences_can_have_tags() {
    let cache = cache(|builder| builder.negative_ttl(Ttl::minutes(1)));
    let absent = || async { Ok::<_, Refused>(Loaded::new(None::<u64>).tags(["users"])) };
    cache.get_or_load_option("key", absent).await.unwrap();
    assert_eq!(cache.invalidate_tag("users").await, 1);
    let found = cache.get_or_load_option("key", || async { Ok::<_, Refused>(Some(3)) }).await;
    assert_eq!(found.unwrap(), Some(3));
}

/// One asked for an option, the other for a value, of the same load.
#[tokio::test]
async fn one_who_needs_a_value_does_not_share_an_absence() {
    let (cache, gate) = (cache(|builder| builder.negative_ttl(Ttl::minutes(1))), Gate::closed());
    let leader = {
        let (cache, load) = (cache.clone(), gate.load());
        tokio::spawn(async move {
            let absent = || async move { load.await.map(|_| None::<u64>) };
            cache.get_or_load_option("key", absent).await
        })
    };
    gate.begun(1).await;
    let waiter = {
        let (cache, gate) = (cache.clone(), gate.clone());
        tokio::spawn(async move { get(&cache, &gate).await })
    };
    settle().await;
    gate.let_through(2);
    assert_eq!(leader.await.unwrap().unwrap(), None);
    assert_eq!(waiter.await.unwrap().unwrap(), 2);
}
