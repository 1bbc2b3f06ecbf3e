//! The limiter as services hold it: who waits, who is refused, and that permits come back.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;
use crate::limit::{Adaptive, Order};

const MS: Duration = Duration::from_millis(1);

fn limiter(limit: usize, queue: usize) -> LimiterBuilder {
    Limiter::builder("api").limit(limit).queue(queue)
}

/// Lets all tasks run until they wait.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

type Caller = tokio::task::JoinHandle<Result<(), Refused>>;

/// Tasks that say their number when they get a permit, which they keep for `held`.
fn callers(
    limiter: &Limiter,
    count: usize,
    held: Duration,
) -> (Vec<Caller>, Arc<Mutex<Vec<usize>>>) {
    let order = Arc::new(Mutex::new(Vec::new()));
    let tasks = (0..count).map(|number| {
        let (limiter, order) = (limiter.clone(), Arc::clone(&order));
        tokio::spawn(async move {
            let permit = limiter.acquire().await?;
            order.lock().expect("lock").push(number);
            tokio::time::sleep(held).await;
            drop(permit);
            Ok(())
        })
    });
    (tasks.collect(), order)
}

#[tokio::test(start_paused = true)]
async fn serves_in_its_order_and_refuses_beyond_its_queue() {
    let check = async |order: Order, served: &[usize], refused: &[usize]| {
        let limiter = limiter(1, 3).order(order).build().expect("settings");
        let (tasks, seen) = callers(&limiter, 6, 10 * MS);
        let mut turned_away = Vec::new();
        for (number, task) in tasks.into_iter().enumerate() {
            if let Err(error) = task.await.expect("task") {
                assert_eq!(error.reason(), RefusedReason::Full);
                turned_away.push(number);
            }
        }
        assert_eq!(*seen.lock().expect("lock"), served, "{order:?}");
        assert_eq!(turned_away, refused, "{order:?}");
        let stats = limiter.stats();
        assert_eq!((stats.granted, stats.refused_full, stats.in_use, stats.queued), (4, 2, 0, 0));
    };
    check(Order::Fifo, &[0, 1, 2, 3], &[4, 5]).await;
    check(Order::Lifo, &[0, 5, 4, 3], &[1, 2]).await;
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_longer_than_the_deadline() {
    let limiter = limiter(1, 10).deadline(50 * MS).build().expect("settings");
    let held = limiter.acquire().await.expect("free");
    let before = Instant::now();
    let refused = limiter.acquire().await.expect_err("deadline");
    assert_eq!(refused.reason(), RefusedReason::Deadline);
    assert_eq!(refused.to_string(), "no permit within the deadline: try again in 1s");
    assert_eq!(before.elapsed(), 50 * MS);
    let refused = limiter.acquire_within(5 * MS).await.expect_err("deadline of its own");
    assert_eq!(refused.reason(), RefusedReason::Deadline);
    assert_eq!(before.elapsed(), 55 * MS);
    let stats = limiter.stats();
    assert_eq!((stats.refused_deadline, stats.queued, stats.in_use, stats.given_up), (2, 0, 1, 0));
    assert_eq!((stats.waits.count(), stats.waits.total()), (2, 55 * MS));
    drop(held);
    assert_eq!(limiter.in_use(), 0);
    drop(
        limiter.acquire_within(Duration::MAX).await.expect("a deadline beyond all clocks is none"),
    );
}

#[tokio::test(start_paused = true)]
async fn a_refused_caller_hears_how_long_the_queue_is() {
    let limiter = limiter(2, 8).build().expect("settings");
    let (tasks, _) = callers(&limiter, 10, 100 * MS);
    tokio::time::sleep(250 * MS).await;
    assert_eq!(limiter.stats().queued, 4);
    let refused = limiter.try_acquire().expect_err("busy");
    // Two permits every 100 ms: gaps of 0 and 100 ms.
    assert!((5 * MS..=500 * MS).contains(&refused.retry_after()), "{refused:?}");
    for task in tasks {
        assert_eq!(task.await.expect("task"), Ok(()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_caller_dropped_after_the_grant_hands_it_on() {
    let limiter = limiter(1, 2).build().expect("settings");
    let held = limiter.acquire().await.expect("free");
    let mut first = Box::pin(limiter.acquire());
    let mut second = Box::pin(limiter.acquire());
    assert!(futures_poll(&mut first).await.is_none());
    assert!(futures_poll(&mut second).await.is_none());
    drop(held);
    assert_eq!(limiter.in_use(), 1, "it is the first one's, who has not been polled since");
    drop(first);
    let permit = futures_poll(&mut second).await.expect("ready").expect("granted");
    assert_eq!(limiter.in_use(), 1);
    drop(permit);
    assert_eq!((limiter.in_use(), limiter.stats().given_up), (0, 1));
}

/// Polls once.
async fn futures_poll<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(match std::pin::Pin::new(&mut *future).poll(context) {
            std::task::Poll::Ready(output) => Some(output),
            std::task::Poll::Pending => None,
        })
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn callers_who_give_up_leave_the_queue() {
    let limiter = limiter(1, 5).build().expect("settings");
    let held = limiter.acquire().await.expect("free");
    for _ in 0..20 {
        assert!(tokio::time::timeout(MS, limiter.acquire()).await.is_err());
    }
    assert_eq!((limiter.stats().queued, limiter.stats().given_up), (0, 20));
    drop(held);
    assert!(limiter.try_acquire().is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_limit_can_be_changed_while_it_is_used() {
    let limiter = limiter(1, 10).build().expect("settings");
    let (tasks, _) = callers(&limiter, 6, 100 * MS);
    settle().await;
    assert_eq!((limiter.in_use(), limiter.stats().queued), (1, 5));
    limiter.set_limit(4);
    settle().await;
    assert_eq!((limiter.in_use(), limiter.stats().queued), (4, 2), "raised: let in at once");
    limiter.set_limit(1);
    settle().await;
    assert_eq!(limiter.in_use(), 4, "lowered: nobody is thrown out");
    tokio::time::sleep(150 * MS).await;
    assert_eq!((limiter.in_use(), limiter.limit()), (1, 1));
    for task in tasks {
        assert_eq!(task.await.expect("task"), Ok(()));
    }
    limiter.set_limit(0);
    assert!(limiter.try_acquire().is_err());
    assert_eq!(limiter.in_use(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_queue_can_be_shortened_while_they_wait() {
    let limiter = limiter(1, 5).build().expect("settings");
    let (tasks, seen) = callers(&limiter, 5, 10 * MS);
    settle().await;
    limiter.set_queue(2);
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.expect("task").is_ok());
    }
    assert_eq!(results, [true, true, true, false, false]);
    assert_eq!(*seen.lock().expect("lock"), [0, 1, 2]);
}

#[tokio::test(start_paused = true)]
async fn panics_and_cancelled_calls_give_permits_back() {
    let limiter = limiter(2, 0).build().expect("settings");
    for _ in 0..5 {
        let task = limiter.clone();
        let panicked = tokio::spawn(async move {
            task.call(async { panic!("a bug") as Result<(), ()> }).await.is_ok()
        });
        assert!(panicked.await.is_err());
        let call = limiter.call(std::future::pending::<Result<(), ()>>());
        assert!(tokio::time::timeout(MS, call).await.is_err());
        let permit = limiter.try_acquire().expect("free");
        let unwound = catch_unwind(AssertUnwindSafe(|| {
            let _permit = permit;
            panic!("a bug");
        }));
        assert!(unwound.is_err());
    }
    assert_eq!(limiter.in_use(), 0);
    assert_eq!(limiter.call(async { Err::<(), _>("no") }).await, Err(CallError::Failed("no")));
    let permits: Vec<_> = std::iter::from_fn(|| limiter.try_acquire().ok()).collect();
    assert_eq!(permits.len(), 2);
    let refused = limiter.call(async { Ok::<_, ()>(()) }).await.expect_err("full");
    assert!(refused.is_refused());
}

#[tokio::test(start_paused = true)]
async fn an_adaptive_limit_learns_from_calls() {
    let adaptive = Adaptive::aimd().between(2, 50).start(10).window(100 * MS);
    let limiter =
        Limiter::builder("backend").adaptive(adaptive).queue(1000).build().expect("settings");
    assert_eq!(limiter.limit(), 10);
    let (tasks, _) = callers(&limiter, 500, 10 * MS);
    for task in tasks {
        assert_eq!(task.await.expect("task"), Ok(()));
    }
    let grown = limiter.limit();
    assert!(grown > 10, "{grown}");
    for _ in 0..20 {
        limiter.try_acquire().expect("free").overloaded();
        tokio::time::sleep(101 * MS).await;
    }
    assert!(limiter.limit() < grown, "too much for the backend: {} of {grown}", limiter.limit());
    limiter.set_limit(1000);
    assert_eq!(limiter.limit(), 50, "within its bounds");
}

#[tokio::test(start_paused = true)]
async fn calls_that_fail_or_are_given_up_teach_nothing() {
    let adaptive = Adaptive::aimd().between(1, 50).start(1).window(MS);
    let limiter = Limiter::builder("backend").adaptive(adaptive).build().expect("settings");
    for _ in 0..50 {
        assert!(limiter.call(async { Err::<(), _>("fast") }).await.is_err());
        limiter.try_acquire().expect("free").ignore();
        assert!(
            tokio::time::timeout(MS, limiter.call(std::future::pending::<Result<(), ()>>()))
                .await
                .is_err()
        );
    }
    assert_eq!(limiter.limit(), 1);
    for _ in 0..50 {
        let slept = limiter.call(async {
            tokio::time::sleep(MS).await;
            Ok::<_, ()>(())
        });
        assert!(slept.await.is_ok());
    }
    assert!(limiter.limit() > 1);
}

#[test]
fn threads_never_hold_more_than_the_limit() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(4).build().expect("runtime");
    let limiter = limiter(3, 50).build().expect("settings");
    let (held, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    runtime.block_on(async {
        let tasks: Vec<_> = (0..40)
            .map(|_| {
                let (limiter, held, most) = (limiter.clone(), Arc::clone(&held), Arc::clone(&most));
                tokio::spawn(async move {
                    for _ in 0..200 {
                        let permit = limiter.acquire().await.expect("room in the queue");
                        most.fetch_max(held.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        tokio::task::yield_now().await;
                        held.fetch_sub(1, Ordering::SeqCst);
                        drop(permit);
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.expect("task");
        }
    });
    assert!((1..=3).contains(&most.load(Ordering::SeqCst)), "{most:?}");
    let stats = limiter.stats();
    assert_eq!((stats.granted, stats.in_use, stats.queued), (8000, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_permit_that_comes_at_the_deadline_is_not_lost() {
    let limiter = limiter(1, 1).build().expect("settings");
    let held = limiter.try_acquire().expect("free");
    // It comes back after the last look at the queue, when the deadline has just been found passed.
    let deadline = async { drop(held) };
    assert_eq!(limiter.inner.wait_until(deadline).await, Ok(()));
    assert_eq!((limiter.in_use(), limiter.stats().queued), (1, 0));
    limiter.inner.give_back();
    assert_eq!(limiter.in_use(), 0);
}

#[tokio::test(start_paused = true)]
async fn its_registry_shows_it() {
    let registry = Registry::new();
    let limiter = limiter(1, 0).registry(&registry).build().expect("settings");
    let _held = limiter.try_acquire().expect("free");
    let _ = limiter.try_acquire();
    let families = registry.families();
    let names: Vec<_> = families.iter().map(|(name, _)| name).collect();
    assert!(names.contains(&"limiter_wait_seconds"), "{names:?}");
    let refused = families.iter().find(|&(name, _)| name == "limiter_refused").expect("family").1;
    let samples = format!("{:?}", refused.samples);
    assert!(samples.contains(r#"("reason", "full")], value: Counter(1.0)"#), "{samples}");
}
