//! One load for all who miss, whatever becomes of the one who leads.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use super::gate::{Gate, Refused, cache, settle};
use crate::{Cache, LoadError, Ttl};

/// How a caller loads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    Task,
    Caller,
}

async fn get(cache: Cache<u64>, how: How, gate: Gate) -> Result<u64, LoadError<Refused>> {
    match how {
        How::Task => cache.get_or_load("key", || gate.load()).await,
        How::Caller => cache.get_or_load_scoped("key", || gate.load()).await,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_callers_are_one_load() {
    for how in [How::Task, How::Caller] {
        let (cache, gate) = (cache(|builder| builder), Gate::closed());
        let callers: Vec<_> =
            (0..1000).map(|_| tokio::spawn(get(cache.clone(), how, gate.clone()))).collect();
        gate.begun(1).await;
        while cache.stats().coalesced < 999 {
            tokio::task::yield_now().await;
        }
        gate.let_through(1000);
        for caller in callers {
            assert_eq!(caller.await.unwrap().unwrap(), 1);
        }
        assert_eq!((gate.loads(), cache.stats().loads), (1, 1), "{how:?}");
        assert_eq!(cache.stats().misses, 1000);
        assert_eq!(cache.core.flights.len(), 0);
    }
}

/// Callers that come while loads end: between a look into memory and the joining of a flight, another
/// load may land. Nobody must load a second time for that.
#[test]
fn nobody_loads_what_has_just_landed() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).build().unwrap();
    let cache = Cache::<u64>::builder("race", Ttl::hours(1)).max_entries(100_000).build().unwrap();
    let loads: Arc<Vec<AtomicU64>> = Arc::new((0..5000).map(|_| AtomicU64::new(0)).collect());
    runtime.block_on(async {
        let mut tasks = Vec::new();
        for task in 0..8_u64 {
            let (cache, loads) = (cache.clone(), Arc::clone(&loads));
            tasks.push(tokio::spawn(async move {
                for key in 0..loads.len() {
                    let text = key.to_string();
                    let counted = Arc::clone(&loads);
                    let load = move || async move {
                        Ok::<u64, Refused>(counted[key].fetch_add(1, Ordering::SeqCst))
                    };
                    match task % 3 {
                        0 => cache.get_or_load(&text, load).await,
                        1 => cache.get_or_load_scoped(&text, load).await,
                        _ => {
                            let counted = &loads;
                            cache.get_or_compute(&text, || {
                                Ok(counted[key].fetch_add(1, Ordering::SeqCst))
                            })
                        }
                    }
                    .unwrap();
                }
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
    });
    // A thread does not wait for a future: it computes for itself, and that is all that may be more.
    let stats = cache.stats();
    let all: u64 = loads.iter().map(|count| count.load(Ordering::SeqCst)).sum();
    assert_eq!(all, stats.loads);
    assert_eq!(cache.stats().entries, 5000);
    assert_eq!(cache.core.flights.len(), 0);
}

/// The same without threads that compute for themselves: exactly once each.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_key_is_loaded_exactly_once() {
    let cache = Cache::<u64>::builder("race", Ttl::hours(1)).max_entries(100_000).build().unwrap();
    let loads = Arc::new(AtomicU64::new(0));
    let tasks: Vec<_> = (0..8)
        .map(|task| {
            let (cache, loads) = (cache.clone(), Arc::clone(&loads));
            tokio::spawn(async move {
                for key in 0..5000 {
                    let text = format!("{key}");
                    let loads = Arc::clone(&loads);
                    let load =
                        || async move { Ok::<u64, Refused>(loads.fetch_add(1, Ordering::SeqCst)) };
                    if task % 2 == 0 {
                        cache.get_or_load(&text, load).await.unwrap();
                    } else {
                        cache.get_or_load_scoped(&text, load).await.unwrap();
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(loads.load(Ordering::SeqCst), 5000);
}

#[tokio::test]
async fn a_load_in_a_task_survives_its_caller() {
    let (cache, gate) = (cache(|builder| builder), Gate::closed());
    let leader = tokio::spawn(get(cache.clone(), How::Task, gate.clone()));
    gate.begun(1).await;
    let waiter = tokio::spawn(get(cache.clone(), How::Task, gate.clone()));
    settle().await;
    leader.abort();
    settle().await;
    gate.let_through(1);
    assert_eq!(waiter.await.unwrap().unwrap(), 1);
    assert_eq!(gate.loads(), 1);
}

#[tokio::test]
async fn another_leads_when_a_scoped_leader_is_cancelled() {
    let (cache, gate) = (cache(|builder| builder), Gate::closed());
    let leader = tokio::spawn(get(cache.clone(), How::Caller, gate.clone()));
    gate.begun(1).await;
    let waiters: Vec<_> = [How::Task, How::Caller, How::Caller]
        .map(|how| tokio::spawn(get(cache.clone(), how, gate.clone())))
        .into();
    settle().await;
    leader.abort();
    gate.begun(2).await;
    gate.let_through(1);
    for waiter in waiters {
        assert_eq!(waiter.await.unwrap().unwrap(), 2);
    }
    assert_eq!(gate.loads(), 2);
    assert_eq!(cache.core.flights.len(), 0);
}

#[tokio::test]
async fn panics_reach_all_who_wait_and_nobody_after() {
    for how in [How::Task, How::Caller] {
        let (cache, gate) = (cache(|builder| builder), Gate::closed());
        let leader = {
            let (cache, gate) = (cache.clone(), gate.clone());
            tokio::spawn(async move {
                let load = || async move {
                    gate.load().await?;
                    panic!("on purpose: {how:?}");
                };
                match how {
                    How::Task => cache.get_or_load::<u64, Refused, _, _>("key", load).await,
                    How::Caller => cache.get_or_load_scoped::<u64, _, _, _>("key", load).await,
                }
            })
        };
        gate.begun(1).await;
        let waiter = tokio::spawn(get(cache.clone(), How::Task, gate.clone()));
        settle().await;
        gate.let_through(2);
        for caller in [leader, waiter] {
            let error = caller.await.unwrap().unwrap_err();
            assert!(
                matches!(&error, LoadError::Panicked(message) if message.contains("on purpose"))
            );
        }
        assert_eq!(get(cache.clone(), how, gate.clone()).await.unwrap(), 2);
        assert_eq!((cache.stats().loads, cache.stats().load_failures), (2, 1));
    }
}

#[tokio::test]
async fn loaders_that_panic_before_their_future_leak_nothing() {
    let cache = cache(|builder| builder);
    let load = || -> std::future::Ready<Result<u64, Refused>> { panic!("early") };
    let error = cache.get_or_load("key", load).await.unwrap_err();
    assert!(matches!(error, LoadError::Panicked(_)));
    let error = cache.get_or_load_scoped("key", load).await.unwrap_err();
    assert!(matches!(error, LoadError::Panicked(_)));
    assert_eq!(cache.core.flights.len(), 0);
}

#[tokio::test]
async fn all_who_wait_share_one_error() {
    let (cache, gate) = (cache(|builder| builder), Gate::closed());
    let callers: Vec<_> = (0..3)
        .map(|_| {
            let (cache, gate) = (cache.clone(), gate.clone());
            tokio::spawn(async move { cache.get_or_load("key", || gate.refuse()).await })
        })
        .collect();
    gate.begun(1).await;
    settle().await;
    gate.let_through(3);
    for caller in callers {
        assert_eq!(caller.await.unwrap().unwrap_err().failed(), Some(&Refused(1)));
    }
    assert_eq!((gate.loads(), cache.stats().load_failures), (1, 1));
    // An error is not cached.
    assert_eq!(cache.get_or_load("key", || gate.load()).await.unwrap_err_or_value(), Err(2));
}

/// To compare both outcomes.
trait UnwrapErrOrValue {
    fn unwrap_err_or_value(self) -> Result<Refused, u64>;
}

impl UnwrapErrOrValue for Result<u64, LoadError<Refused>> {
    fn unwrap_err_or_value(self) -> Result<Refused, u64> {
        match self {
            Ok(value) => Err(value),
            Err(error) => Ok(*error.failed().unwrap()),
        }
    }
}

#[tokio::test]
async fn an_error_of_another_type_is_not_ours() {
    let (cache, gate) = (cache(|builder| builder), Gate::closed());
    let leader = {
        let (cache, gate) = (cache.clone(), gate.clone());
        tokio::spawn(async move {
            cache
                .get_or_load("key", || async move {
                    gate.load().await.map_err(|_| "unreachable")?;
                    Err::<u64, _>("another type")
                })
                .await
        })
    };
    gate.begun(1).await;
    let waiter = tokio::spawn(get(cache.clone(), How::Task, gate.clone()));
    settle().await;
    gate.let_through(2);
    assert_eq!(leader.await.unwrap().unwrap_err().failed(), Some(&"another type"));
    assert_eq!(waiter.await.unwrap().unwrap(), 2);
}

/// Tells when it is dropped.
struct Dropped(Option<mpsc::Sender<()>>);

impl Drop for Dropped {
    fn drop(&mut self) {
        let _ = self.0.take().unwrap().send(());
    }
}

#[tokio::test]
async fn loads_end_with_the_last_handle_of_the_cache() {
    let (cache, gate) = (cache(|builder| builder), Gate::closed());
    let (told, dropped) = mpsc::channel();
    let caller = {
        let (cache, gate) = (cache.clone(), gate.clone());
        tokio::spawn(async move {
            let witness = Dropped(Some(told));
            cache
                .get_or_load("key", || {
                    let load = gate.load();
                    async move {
                        let _witness = witness;
                        load.await
                    }
                })
                .await
        })
    };
    gate.begun(1).await;
    caller.abort();
    settle().await;
    assert!(dropped.try_recv().is_err(), "somebody may still want the value");
    drop(cache);
    settle().await;
    assert!(dropped.try_recv().is_ok());
}

#[test]
fn a_runtime_that_ends_cancels_its_loads() {
    let (cache, gate) = (cache(|builder| builder), Gate::closed());
    let loading = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let waiting = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let leader = loading.spawn(get(cache.clone(), How::Task, gate.clone()));
    loading.block_on(async {
        gate.begun(1).await;
    });
    let waiter = waiting.spawn(get(cache.clone(), How::Task, gate.clone()));
    waiting.block_on(settle());
    drop(loading);
    drop(leader);
    gate.let_through(1);
    assert_eq!(waiting.block_on(waiter).unwrap().unwrap(), 2);
}

#[test]
fn threads_compute_once() {
    let cache = cache(|builder| builder);
    let computed = AtomicU64::new(0);
    std::thread::scope(|scope| {
        let (release, wait) = mpsc::channel::<()>();
        let (cache, computed) = (&cache, &computed);
        scope.spawn(move || {
            let value = cache.get_or_compute("key", || {
                wait.recv().unwrap();
                Ok::<u64, Refused>(computed.fetch_add(1, Ordering::SeqCst) + 1)
            });
            assert_eq!(value.unwrap(), 1);
        });
        while cache.core.flights.len() == 0 {
            std::thread::yield_now();
        }
        for _ in 0..8 {
            scope.spawn(move || {
                let value = cache.get_or_compute("key", || {
                    Ok::<u64, Refused>(computed.fetch_add(1, Ordering::SeqCst) + 1)
                });
                assert_eq!(value.unwrap(), 1);
            });
        }
        while cache.stats().coalesced < 8 {
            std::thread::yield_now();
        }
        release.send(()).unwrap();
    });
    assert_eq!((computed.into_inner(), cache.stats().loads), (1, 1));
}

#[test]
fn threads_survive_panics_and_errors() {
    let cache = cache(|builder| builder);
    let panic = cache.get_or_compute::<u64, Refused, _>("key", || panic!("at once"));
    assert!(matches!(panic, Err(LoadError::Panicked(message)) if &*message == "at once"));
    let refused = cache.get_or_compute::<u64, _, _>("key", || Err(Refused(1)));
    assert_eq!(refused.unwrap_err().failed(), Some(&Refused(1)));
    assert_eq!(cache.get_or_compute("key", || Ok::<_, Refused>(3)).unwrap(), 3);
    assert_eq!((cache.stats().loads, cache.stats().load_failures), (3, 2));
}

#[test]
fn computations_may_compute_even_their_own_key() {
    let cache = cache(|builder| builder);
    let value = cache.get_or_compute("a", || {
        let b = cache.get_or_compute("b", || Ok::<u64, Refused>(1)).unwrap();
        let own = cache.get_or_compute("a", || Ok::<u64, Refused>(10)).unwrap();
        Ok::<u64, Refused>(b + own)
    });
    assert_eq!(value.unwrap(), 11);
    assert_eq!(cache.get("a"), Some(11));
}

/// On one thread, blocking for a future would be for ever.
#[tokio::test(flavor = "current_thread")]
async fn threads_do_not_wait_for_futures_but_futures_for_threads() {
    let (cache, gate) = (cache(|builder| builder), Gate::closed());
    let leader = tokio::spawn(get(cache.clone(), How::Task, gate.clone()));
    gate.begun(1).await;
    assert_eq!(cache.get_or_compute("key", || Ok::<_, Refused>(77)).unwrap(), 77);
    gate.let_through(1);
    assert_eq!(leader.await.unwrap().unwrap(), 1);

    let (begin, begun) = mpsc::channel();
    let (release, wait) = mpsc::channel::<()>();
    let thread = {
        let cache = cache.clone();
        std::thread::spawn(move || {
            cache.get_or_compute("other", || {
                begin.send(()).unwrap();
                wait.recv().unwrap();
                Ok::<_, Refused>(5)
            })
        })
    };
    begun.recv().unwrap();
    let waiter = {
        let (cache, gate) = (cache.clone(), gate.clone());
        tokio::spawn(async move { cache.get_or_load("other", || gate.load()).await })
    };
    settle().await;
    release.send(()).unwrap();
    assert_eq!(thread.join().unwrap().unwrap(), 5);
    assert_eq!(waiter.await.unwrap().unwrap(), 5);
    assert_eq!(gate.loads(), 1);
}

#[tokio::test(start_paused = true)]
async fn warming_is_bounded_and_goes_on_after_failures() {
    let cache = cache(|builder| builder);
    cache.put("3", 33).await;
    let (running, most) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let load = |key: String| {
        let (running, most) = (Arc::clone(&running), Arc::clone(&most));
        async move {
            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(10)).await;
            running.fetch_sub(1, Ordering::SeqCst);
            let number: u64 = key.parse().unwrap();
            if number % 10 == 9 { Err(Refused(number)) } else { Ok(number) }
        }
    };
    let mut seen = Vec::new();
    let report =
        cache.warm((0..40).map(|n| n.to_string()), 4, load, |progress| seen.push(progress)).await;
    assert_eq!((report.loaded, report.fresh, report.failed), (35, 1, 4));
    let mut failed = report.failed_keys;
    failed.sort();
    assert_eq!(failed, ["19", "29", "39", "9"]);
    assert_eq!(most.load(Ordering::SeqCst), 4);
    assert_eq!(seen.len(), 40);
    assert!(seen.windows(2).all(|pair| pair[0].done + 1 == pair[1].done));
    assert_eq!((seen[39].done, seen[39].failed, seen[39].total), (40, 4, Some(40)));
    assert_eq!((cache.get("3"), cache.get("5"), cache.get("9")), (Some(33), Some(5), None));
}
