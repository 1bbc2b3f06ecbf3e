//! What a pool counts, to the last caller.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use proofload_kit::Registry;
use proofload_kit::pool::{AcquireError, WatchedPool, WatchedPoolBuilder, WatchedPoolStats};
use tokio::time::Instant;

use crate::backend::{Backend, Numbers};
use crate::events;

pub(crate) type Pool = WatchedPool<Numbers>;

pub(crate) fn pool(
    size: usize,
    set: impl FnOnce(WatchedPoolBuilder<Numbers>) -> WatchedPoolBuilder<Numbers>,
) -> (Pool, Arc<Backend>) {
    events::listen();
    let backend = Arc::new(Backend::default());
    let builder = Pool::builder("orders", Numbers(Arc::clone(&backend))).size(size);
    (set(builder).build().unwrap(), backend)
}

/// Size, in use, idle, waiting.
fn now(stats: WatchedPoolStats) -> (usize, usize, usize, usize) {
    (stats.size, stats.in_use, stats.idle, stats.waiting)
}

#[tokio::test(start_paused = true)]
async fn connections_are_made_used_waited_for_and_used_again() {
    let (pool, _) = pool(2, |pool| pool);
    assert_eq!((now(pool.stats()), pool.stats().max_size), ((0, 0, 0, 0), 2));
    let first = pool.get().await.unwrap();
    assert_eq!((**first, now(pool.stats())), (0, (1, 1, 0, 0)));
    let second = pool.get().await.unwrap();
    assert_eq!((**second, now(pool.stats())), (1, (2, 2, 0, 0)));
    assert_eq!(pool.stats().usage(), 1.0);

    let waiters: Vec<_> = (0..3)
        .map(|_| {
            let pool = pool.clone();
            tokio::spawn(async move { **pool.get().await.unwrap() })
        })
        .collect();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(now(pool.stats()), (2, 2, 0, 3));
    drop(first);
    for waiter in waiters {
        assert_eq!(waiter.await.unwrap(), 0, "they take turns with the connection that is free");
    }
    assert_eq!(now(pool.stats()), (2, 1, 1, 0));
    drop(second);
    let stats = pool.stats();
    assert_eq!(now(stats), (2, 0, 2, 0));
    assert_eq!((stats.acquired, stats.created, stats.recycled), (5, 2, 3));
    assert_eq!((stats.wait_timeouts, stats.cancelled, stats.recycle_failures), (0, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_pool_that_is_used_up_says_so_after_the_timeout() {
    let (pool, _) = pool(1, |pool| pool.timeout(Duration::from_secs(30)));
    let held = pool.get().await.unwrap();
    let asked = Instant::now();
    let error = pool.get().await.unwrap_err();
    assert_eq!(asked.elapsed(), Duration::from_secs(30));
    assert!(matches!(error, AcquireError::Busy { in_use: 1, max_size: 1, waiting: 0, .. }));
    assert!(!error.is_unreachable());
    let said = error.to_string();
    assert!(said.starts_with("pool `orders`: no connection became free within 30s (1 of 1 in use"));
    let asked = Instant::now();
    assert!(pool.get_within(Duration::ZERO).await.is_err());
    assert!(pool.get_within(Duration::from_secs(2)).await.is_err());
    assert_eq!(asked.elapsed(), Duration::from_secs(2));
    drop(held);
    assert!(pool.get_within(Duration::ZERO).await.is_ok());
    let stats = pool.stats();
    assert_eq!((stats.wait_timeouts, stats.acquired, stats.in_use), (3, 2, 0));
}

#[tokio::test(start_paused = true)]
async fn callers_that_leave_take_nothing_with_them() {
    let (pool, backend) = pool(1, |pool| pool);
    let held = pool.get().await.unwrap();
    let second = Duration::from_secs(1);
    assert!(tokio::time::timeout(second, pool.get()).await.is_err());
    assert_eq!((pool.stats().cancelled, pool.stats().waiting), (1, 0));
    drop(held);
    // While the idle connection is checked, which is thrown away then, and while a new one is made.
    backend.check_takes(second * 2);
    assert!(tokio::time::timeout(second, pool.get()).await.is_err());
    assert_eq!((pool.stats().recycle_failures, pool.stats().size), (1, 0));
    backend.connect_takes(second * 2);
    assert!(tokio::time::timeout(second, pool.get()).await.is_err());
    assert_eq!((pool.stats().recycle_failures, pool.stats().size), (1, 0));
    backend.connect_takes(Duration::ZERO);
    drop(pool.get().await.unwrap());
    let stats = pool.stats();
    assert_eq!((stats.cancelled, stats.acquired, now(stats)), (3, 2, (1, 0, 1, 0)));
    // A future that is never polled has not begun.
    drop(pool.get());
    assert_eq!(pool.stats().cancelled, 3);
}

#[tokio::test(start_paused = true)]
async fn failures_are_counted_by_their_reason() {
    let (pool, backend) = pool(2, |pool| pool.connect_timeout(Duration::from_secs(10)));
    backend.set(&backend.is_down, true);
    let error = pool.get().await.unwrap_err();
    assert_eq!(error.to_string(), "pool `orders`: cannot connect: the backend is down");
    assert!(error.is_unreachable());
    backend.connect_takes(Duration::from_secs(60));
    let asked = Instant::now();
    assert!(matches!(pool.get().await, Err(AcquireError::ConnectTimeout { .. })));
    assert_eq!(asked.elapsed(), Duration::from_secs(10));
    pool.close();
    assert!(matches!(pool.get().await, Err(AcquireError::Closed { .. })));
    let stats = pool.stats();
    assert_eq!((stats.connect_errors, stats.connect_timeouts, stats.closed), (1, 1, 1));
    assert_eq!((now(stats), stats.acquired, stats.created), ((0, 0, 0, 0), 0, 0));
}

#[tokio::test(start_paused = true)]
async fn idle_connections_that_are_bad_are_replaced_and_counted() {
    let (pool, backend) = pool(3, |pool| pool.check_timeout(Duration::from_secs(5)));
    let all = [pool.get().await.unwrap(), pool.get().await.unwrap(), pool.get().await.unwrap()];
    drop(all);
    backend.set(&backend.breaks_idle, true);
    assert_eq!(**pool.get().await.unwrap(), 3, "all three were bad, so a fourth was made");
    let stats = pool.stats();
    assert_eq!((stats.recycle_failures, stats.recycled, stats.created), (3, 0, 4));
    backend.set(&backend.is_down, true);
    assert!(pool.get().await.is_err());
    assert_eq!((pool.stats().recycle_failures, pool.stats().connect_errors), (4, 1));

    backend.set(&backend.is_down, false);
    backend.set(&backend.breaks_idle, false);
    drop(pool.get().await.unwrap());
    backend.check_takes(Duration::from_secs(60));
    let asked = Instant::now();
    assert_eq!(**pool.get().await.unwrap(), 5);
    assert_eq!(asked.elapsed(), Duration::from_secs(5));
    assert_eq!(pool.stats().recycle_failures, 5);
}

#[tokio::test]
async fn old_connections_are_replaced() {
    let oldest = Duration::from_millis(50);
    let (pool, _) = pool(1, |pool| pool.recycle(oldest));
    drop(pool.get().await.unwrap());
    // Deadpool knows ages by the system's clock.
    std::thread::sleep(oldest);
    assert_eq!(**pool.get().await.unwrap(), 1);
    let stats = pool.stats();
    assert_eq!((stats.expired, stats.created, stats.recycle_failures), (1, 2, 0));
}

#[tokio::test]
async fn panics_lose_no_connection() {
    let (pool, backend) = pool(1, |pool| pool);
    let inside = pool.clone();
    let holder = tokio::spawn(async move {
        let _held = inside.get().await.unwrap();
        panic!("as the test wants it");
    });
    assert!(holder.await.is_err());
    assert_eq!(now(pool.stats()), (1, 0, 1, 0));
    backend.set(&backend.breaks_idle, true);
    backend.set(&backend.panics, true);
    let inside = pool.clone();
    assert!(tokio::spawn(async move { inside.get().await.map(|_| ()) }).await.is_err());
    backend.set(&backend.panics, false);
    drop(pool.get_within(Duration::ZERO).await.unwrap());
    let stats = pool.stats();
    assert_eq!((now(stats), stats.cancelled, stats.recycle_failures), ((1, 0, 1, 0), 1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_callers_never_hold_more_than_there_are() {
    const CALLERS: usize = 400;
    let (pool, _) = pool(5, |pool| pool);
    let (holding, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let callers: Vec<_> = (0..CALLERS)
        .map(|number| {
            let (pool, holding, most) = (pool.clone(), Arc::clone(&holding), Arc::clone(&most));
            tokio::spawn(async move {
                if number % 4 == 0 {
                    let patience = Duration::from_micros(number as u64);
                    let _ = tokio::time::timeout(patience, pool.get()).await;
                    return;
                }
                let connection = pool.get().await.unwrap();
                most.fetch_max(holding.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                most.fetch_max(pool.stats().in_use, Ordering::SeqCst);
                tokio::task::yield_now().await;
                holding.fetch_sub(1, Ordering::SeqCst);
                drop(connection);
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    let stats = pool.stats();
    assert!(most.load(Ordering::SeqCst) <= 5);
    assert_eq!((stats.in_use, stats.waiting, stats.idle), (0, 0, stats.size));
    assert_eq!(stats.acquired + stats.cancelled, CALLERS as u64);
}

#[tokio::test(start_paused = true)]
async fn a_registry_shows_a_pool_while_there_is_one() {
    let registry = Registry::new();
    let (pool, _) = pool(2, |pool| pool.registry(&registry));
    let held = pool.get().await.unwrap();
    tokio::time::sleep(Duration::from_millis(20)).await;
    drop(held);
    let held = pool.get().await.unwrap();
    for line in [
        "pool_max_size{pool=\"orders\"} 2",
        "pool_size{pool=\"orders\"} 1",
        "pool_in_use{pool=\"orders\"} 1",
        "pool_idle{pool=\"orders\"} 0",
        "pool_waiting{pool=\"orders\"} 0",
        "pool_acquired_total{pool=\"orders\"} 2",
        "pool_recycled_total{pool=\"orders\"} 1",
        "pool_acquire_failures_total{pool=\"orders\",reason=\"wait_timeout\"} 0",
        "pool_wait_seconds_bucket{pool=\"orders\",le=\"0.0001\"} 2",
        "pool_held_seconds_bucket{pool=\"orders\",le=\"0.01\"} 0",
        "pool_held_seconds_bucket{pool=\"orders\",le=\"0.025\"} 1",
        "pool_held_seconds_count{pool=\"orders\"} 1",
    ] {
        let text = registry.prometheus_text();
        assert!(text.lines().any(|there| there == line), "{line} is not in\n{text}");
    }
    drop(pool);
    drop(held);
    assert_eq!(format!("{registry:?}"), "[]");
}

#[test]
fn settings_are_checked() {
    let check = |set: fn(WatchedPoolBuilder<Numbers>) -> WatchedPoolBuilder<Numbers>, expect| {
        let builder = Pool::builder("orders", Numbers(Arc::default()));
        let error = set(builder).build().unwrap_err();
        assert_eq!(error.setting(), expect, "{error}");
    };
    check(|pool| pool.size(0), "size");
    check(|pool| pool.size(1_000_000), "size");
    check(|pool| pool.timeout(Duration::ZERO), "timeout");
    check(|pool| pool.connect_timeout(Duration::ZERO), "connect_timeout");
    check(|pool| pool.check_timeout(Duration::ZERO), "check_timeout");
    check(|pool| pool.recycle(Duration::ZERO), "recycle");
    check(|pool| pool.leak_after(Duration::ZERO), "leak_after");
    check(|pool| pool.alert_after(Duration::ZERO), "alert_after");
    check(|pool| pool.alert_at(0.0), "alert_at");
    check(|pool| pool.alert_at(1.01), "alert_at");
    check(|pool| pool.alert_at(f64::NAN), "alert_at");
    check(|pool| pool.alert_at(0.5).calm_below(0.6), "calm_below");
    check(|pool| pool.calm_below(0.0), "calm_below");
    assert!(Pool::builder("", Numbers(Arc::default())).build().is_err());
    let forever = Pool::builder("orders", Numbers(Arc::default())).timeout(None).recycle(None);
    assert!(forever.alert_at(0.5).leak_after(None).build().is_ok());
}
