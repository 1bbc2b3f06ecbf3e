//! The watch over a pool: leaks, high use, and that it ends.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use proofload_kit::pool::{WatchedConnection, WatchedPoolEvent};
use tokio::runtime::Handle;

use crate::events::Events;
use crate::pool::{Pool, pool};

const SECOND: Duration = Duration::from_secs(1);

type Told = Arc<Mutex<Vec<WatchedPoolEvent>>>;

fn listener(told: &Told) -> impl Fn(&WatchedPoolEvent) + Send + Sync + 'static {
    let told = Arc::clone(told);
    move |event| told.lock().unwrap().push(event.clone())
}

async fn take(pool: &Pool, count: usize) -> Vec<impl Sized> {
    let mut held = Vec::new();
    for _ in 0..count {
        held.push(pool.get().await.unwrap());
    }
    held
}

#[tokio::test(start_paused = true)]
async fn a_leak_is_told_once_with_its_place() {
    let told = Told::default();
    let events = Events::remember();
    let (pool, _) = pool(3, |pool| pool.leak_after(10 * SECOND).on_event(listener(&told)));
    let line = line!() + 1;
    let leaked = pool.get().await.unwrap();
    tokio::time::sleep(5 * SECOND).await;
    let quick = pool.get().await.unwrap();
    let on_purpose = WatchedConnection::into_unwatched(pool.get().await.unwrap());
    tokio::time::sleep(4 * SECOND).await;
    drop(quick);
    assert_eq!((told.lock().unwrap().len(), pool.stats().leaks), (0, 0));
    tokio::time::sleep(60 * SECOND).await;
    {
        let told = told.lock().unwrap();
        let [WatchedPoolEvent::Leak { pool, location, held, .. }] = &told[..] else {
            panic!("{told:?}")
        };
        assert_eq!((pool.as_str(), location.line()), ("orders", line));
        assert!(location.file().ends_with("pool_watch.rs"), "{location}");
        assert!((10 * SECOND..=11 * SECOND).contains(held), "{held:?}");
    }
    assert_eq!(pool.stats().leaks, 1);
    let warned = events.with("held for too long: ");
    assert_eq!(warned.len(), 1, "{warned:?}");
    let place = format!("location={}:{line}:", file!());
    assert!(warned[0].starts_with("WARN ") && warned[0].contains(&place), "{warned:?}");
    assert!(warned[0].contains("pool=\"orders\""), "{warned:?}");

    drop(leaked);
    let returned = events.with("came back");
    assert!(returned.len() == 1 && returned[0].contains("held_ms=69"), "{returned:?}");
    assert_eq!((pool.stats().in_use, pool.stats().idle), (0, 2), "the third is kept on purpose");
    drop(on_purpose);
    assert_eq!(pool.stats().idle, 3);
}

#[tokio::test(start_paused = true)]
async fn a_listener_that_panics_hears_of_the_next_all_the_same() {
    let told = Told::default();
    let tell = listener(&told);
    let (pool, _) = pool(3, |pool| {
        pool.leak_after(SECOND).on_event(move |event| {
            tell(event);
            panic!("in the listener")
        })
    });
    let _leaked = (pool.get().await.unwrap(), pool.get().await.unwrap());
    tokio::time::sleep(3 * SECOND).await;
    assert_eq!((told.lock().unwrap().len(), pool.stats().leaks), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn replicas_and_deadlines_have_places_too() {
    let told = Told::default();
    let (pool, _) = pool(3, |pool| pool.leak_after(SECOND).on_event(listener(&told)));
    let line = line!() + 1;
    let _first = pool.get_within(SECOND).await.unwrap();
    tokio::time::sleep(3 * SECOND).await;
    let told = told.lock().unwrap();
    let [WatchedPoolEvent::Leak { location, .. }] = &told[..] else { panic!("{told:?}") };
    assert_eq!((location.line(), location.file()), (line, file!()));
}

#[tokio::test(start_paused = true)]
async fn high_use_is_told_once_until_it_is_over() {
    let told = Told::default();
    let events = Events::remember();
    let (pool, _) = pool(20, |pool| pool.leak_after(None).on_event(listener(&told)));
    let count = || told.lock().unwrap().len();

    let mut held = take(&pool, 15).await;
    tokio::time::sleep(60 * SECOND).await;
    assert_eq!(count(), 0, "15 of 20 are not 80 %");
    held.extend(take(&pool, 1).await);
    tokio::time::sleep(3 * SECOND).await;
    // One moment below is enough to begin anew.
    held.truncate(15);
    held.extend(take(&pool, 3).await);
    tokio::time::sleep(4 * SECOND).await;
    assert_eq!((count(), pool.stats().is_alerting), (0, false));
    tokio::time::sleep(3 * SECOND).await;
    assert_eq!((count(), pool.stats().is_alerting, pool.stats().alerts), (1, true, 1));
    tokio::time::sleep(60 * SECOND).await;
    held.truncate(15);
    tokio::time::sleep(60 * SECOND).await;
    assert_eq!((count(), pool.stats().is_alerting), (1, true), "75 % is not clearly lower");
    held.truncate(13);
    tokio::time::sleep(2 * SECOND).await;
    assert_eq!((count(), pool.stats().is_alerting, pool.stats().alerts), (2, false, 1));
    held.extend(take(&pool, 7).await);
    tokio::time::sleep(7 * SECOND).await;
    assert_eq!((count(), pool.stats().alerts), (3, 2));

    let told = told.lock().unwrap();
    let WatchedPoolEvent::UseHigh { pool, usage, waiting, lasted, .. } = &told[0] else { panic!() };
    assert_eq!((pool.as_str(), *usage, *waiting), ("orders", 0.9, 0));
    assert!((5 * SECOND..=6 * SECOND).contains(lasted), "{lasted:?}");
    assert!(matches!(&told[1], WatchedPoolEvent::UseCalm { lasted, .. } if *lasted > 120 * SECOND));
    let warned = events.with("nearly used up");
    assert!(warned.len() == 2 && warned[0].contains("in_use=18 max_size=20"), "{warned:?}");
    assert_eq!(events.with("has room again").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn callers_that_cannot_connect_use_the_pool_up_as_well() {
    let told = Told::default();
    let (pool, backend) =
        pool(2, |pool| pool.connect_timeout(None).timeout(None).on_event(listener(&told)));
    backend.connect_takes(3_600 * SECOND);
    let callers: Vec<_> = (0..5)
        .map(|_| {
            let pool = pool.clone();
            tokio::spawn(async move { pool.get().await.map(|_| ()) })
        })
        .collect();
    tokio::time::sleep(10 * SECOND).await;
    let told = told.lock().unwrap();
    let [WatchedPoolEvent::UseHigh { usage, waiting, .. }] = &told[..] else { panic!("{told:?}") };
    assert_eq!((*usage, *waiting, pool.stats().in_use), (1.0, 3, 0));
    callers.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test(start_paused = true)]
async fn nobody_watches_what_is_not_used() {
    let tasks = || Handle::current().metrics().num_alive_tasks();
    let (pool, _) = pool(1, |pool| pool);
    for _ in 0..3 {
        assert_eq!(tasks(), 0);
        let held = pool.get().await.unwrap();
        assert_eq!(tasks(), 1);
        tokio::time::sleep(10 * SECOND).await;
        assert_eq!((tasks(), pool.stats().is_alerting), (1, true));
        drop(held);
        tokio::time::sleep(3 * SECOND).await;
        assert!(!pool.stats().is_alerting, "it goes on until what was told is over");
    }
    let held = pool.get().await.unwrap();
    drop(pool);
    tokio::time::sleep(3 * SECOND).await;
    assert_eq!(tasks(), 0, "the connection does not keep the pool");
    drop(held);
}

#[test]
fn another_runtime_watches_again() {
    let told = Told::default();
    let (pool, _) =
        pool(1, |pool| pool.leak_after(Duration::from_millis(40)).on_event(listener(&told)));
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let first = runtime();
    drop(first.block_on(pool.get()).unwrap());
    // Its task ends with it, without having been able to say so itself.
    drop(first);
    let second = runtime();
    second.block_on(async {
        let _held = pool.get().await.unwrap();
        for _ in 0..2_000 {
            if !told.lock().unwrap().is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    assert_eq!(pool.stats().leaks, 1);
}
