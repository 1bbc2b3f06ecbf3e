//! `#[cached]`: who makes a value, and what callers are given when that fails.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use proofload_kit::cached;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{advance, sleep};

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_callers_make_one_value() {
    static RUNS: AtomicU32 = AtomicU32::new(0);

    #[cached(ttl = 300)]
    async fn detached(id: u64) -> u64 {
        RUNS.fetch_add(1, Ordering::SeqCst);
        sleep(Duration::from_millis(20)).await;
        id
    }

    #[cached(ttl = 300)]
    async fn scoped(id: &str) -> Result<usize, ()> {
        RUNS.fetch_add(1, Ordering::SeqCst);
        sleep(Duration::from_millis(20)).await;
        Ok(id.len())
    }

    let mut callers = JoinSet::new();
    for _ in 0..500 {
        callers.spawn(detached(3));
        callers.spawn(async { scoped("abc").await.unwrap() as u64 });
    }
    assert_eq!(callers.join_all().await, [3; 1000]);
    assert_eq!(RUNS.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_load_that_owns_its_arguments_survives_its_caller() {
    static GO: Notify = Notify::const_new();
    static RUNS: AtomicU32 = AtomicU32::new(0);

    #[cached(ttl = 300)]
    async fn slow(id: u64) -> u64 {
        RUNS.fetch_add(1, Ordering::SeqCst);
        GO.notified().await;
        id
    }

    let caller = tokio::spawn(slow(1));
    while RUNS.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    GO.notify_one();
    assert_eq!(slow(1).await, 1);
    assert_eq!(RUNS.load(Ordering::SeqCst), 1);
}

#[derive(Clone)]
struct Repo {
    runs: Arc<AtomicU32>,
}

impl Repo {
    #[cached(ttl = 10, stale_while_revalidate = 60, key(id, lang))]
    async fn find(&self, id: u64, lang: &str) -> Result<u32, String> {
        let run = self.runs.fetch_add(1, Ordering::SeqCst) + 1;
        sleep(Duration::from_secs(1)).await;
        if lang.is_empty() { Err("no language".to_owned()) } else { Ok(id as u32 + run) }
    }

    #[cached(ttl = 10, fail_safe = 60, skip(self))]
    async fn flaky(&self) -> Result<u32, String> {
        match self.runs.fetch_add(1, Ordering::SeqCst) {
            0 => Ok(1),
            run => Err(format!("run {run}")),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_stale_is_served_while_it_is_made_anew() {
    let repo = Repo { runs: Arc::default() };
    assert_eq!(repo.find(100, "en").await, Ok(101));
    advance(Duration::from_secs(11)).await;
    let asked = tokio::time::Instant::now();
    assert_eq!(repo.find(100, "en").await, Ok(101));
    assert_eq!(asked.elapsed(), Duration::ZERO);
    drop(repo.clone());
    sleep(Duration::from_secs(2)).await;
    assert_eq!(repo.find(100, "en").await, Ok(102));
    assert_eq!(repo.find(100, "").await, Err("no language".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn what_is_stale_stands_in_for_errors() {
    let repo = Repo { runs: Arc::default() };
    assert_eq!(repo.flaky().await, Ok(1));
    advance(Duration::from_secs(11)).await;
    assert_eq!(repo.flaky().await, Ok(1));
    assert_eq!(repo.runs.load(Ordering::SeqCst), 2);
    advance(Duration::from_secs(60)).await;
    assert_eq!(repo.flaky().await, Err("run 2".to_owned()));
}

#[derive(Debug, Clone, PartialEq)]
enum Failed {
    Slow { limit_s: u64 },
}

#[tokio::test(start_paused = true)]
async fn a_load_that_takes_too_long_is_an_error_of_the_function() {
    #[cached(ttl = 10, hard_timeout = "2s", timeout_error = Failed::Slow { limit_s: 2 })]
    async fn late(seconds: u64) -> Result<u64, Failed> {
        sleep(Duration::from_secs(seconds)).await;
        Ok(seconds)
    }

    assert_eq!(late(1).await, Ok(1));
    assert_eq!(late(3).await, Err(Failed::Slow { limit_s: 2 }));
}

#[tokio::test]
async fn callers_who_waited_for_an_error_get_it_too() {
    #[derive(Debug)]
    struct NoClone(&'static str);

    #[cached(ttl = 10, map_error = |error: Arc<NoClone>| NoClone(error.0))]
    async fn failing(id: u64) -> Result<u64, NoClone> {
        tokio::task::yield_now().await;
        if id == 0 { Err(NoClone("zero")) } else { Ok(id) }
    }

    let (one, other) = tokio::join!(failing(0), failing(0));
    assert_eq!((one.unwrap_err().0, other.unwrap_err().0), ("zero", "zero"));
    assert_eq!(failing(1).await.unwrap(), 1);
}

#[tokio::test]
async fn a_panic_stays_a_panic() {
    #[cached(ttl = 10)]
    async fn detached(id: u64) -> u64 {
        assert!(id > 0, "zero is not allowed");
        id
    }

    #[cached(ttl = 10)]
    fn sync(id: u64) -> u64 {
        assert!(id > 0, "zero is not allowed");
        id
    }

    let panic = AssertUnwindSafe(detached(0)).catch_unwind().await.unwrap_err();
    let message = panic.downcast_ref::<String>().unwrap();
    assert!(message.ends_with("zero is not allowed"), "{message}");
    assert!(std::panic::catch_unwind(|| sync(0)).is_err());
    assert_eq!((detached(1).await, sync(1)), (1, 1));
}

#[tokio::test]
async fn a_cache_with_a_hard_timeout_asks_for_its_error_at_once() {
    use proofload_kit::{Cache, Ttl};

    let cache = Cache::<u64>::builder("impatient", Ttl::DATA)
        .hard_timeout(Duration::from_secs(1))
        .build()
        .unwrap();

    #[cached(cache = cache, key(id))]
    async fn find(cache: &Cache<u64>, id: u64) -> Result<u64, String> {
        Ok(id)
    }

    let panic = AssertUnwindSafe(find(&cache, 1)).catch_unwind().await.unwrap_err();
    let message = panic.downcast_ref::<String>().unwrap();
    assert!(message.contains("write `timeout_error = …`"), "{message}");
}
