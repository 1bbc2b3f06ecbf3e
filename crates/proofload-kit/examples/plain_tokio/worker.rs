//! What the example does, and what it saw.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use proofload_kit::breaker::{State, Window};
use proofload_kit::limit::CallError;
use proofload_kit::{Cache, CircuitBreaker, Limiter, Registry, Ttl};
use tokio::task::JoinSet;
use tokio::time::sleep;

pub(crate) const ORDERS: u64 = 1000;
pub(crate) const CALLS: u64 = 50;
pub(crate) const JOBS: u64 = 20;
pub(crate) const WORKERS: usize = 4;
pub(crate) const FAIL_SAFE_SECONDS: u64 = 60;

#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) loads_of_crowd: u64,
    pub(crate) stale_rate: f64,
    pub(crate) calls_in_outage: u64,
    pub(crate) breaker: State,
    pub(crate) jobs_done: u64,
    pub(crate) jobs_refused: u64,
    pub(crate) metrics: String,
}

#[derive(Debug, thiserror::Error)]
#[error("no rates at present")]
struct NoRates;

/// A source of rates that takes its time and can fail.
#[derive(Default)]
struct Source {
    down: AtomicBool,
    calls: AtomicU64,
}

impl Source {
    async fn rate(&self) -> Result<f64, NoRates> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        sleep(Duration::from_millis(20)).await;
        if self.down.load(Ordering::Relaxed) { Err(NoRates) } else { Ok(1.08) }
    }
}

pub(crate) async fn run() -> Result<Seen, Box<dyn Error>> {
    let registry = Registry::new();
    let source = Arc::new(Source::default());
    let rates = Cache::<f64>::builder("rates", Ttl::from(Duration::from_millis(200)))
        .fail_safe(Duration::from_secs(FAIL_SAFE_SECONDS))
        .registry(&registry)
        .build()?;

    // However many ask at once, one load.
    let mut orders = JoinSet::new();
    for _ in 0..ORDERS {
        let (rates, source) = (rates.clone(), Arc::clone(&source));
        orders.spawn(async move {
            rates.get_or_load("EUR-USD", || async move { source.rate().await }).await
        });
    }
    while let Some(rate) = orders.join_next().await {
        rate??;
    }
    let loads_of_crowd = rates.stats().loads;

    // The rate grows old while its source is down: the old one is better than none.
    source.down.store(true, Ordering::Relaxed);
    sleep(Duration::from_millis(250)).await;
    let stale_rate = rates.get_or_load_scoped("EUR-USD", || source.rate()).await?;

    // Nothing in the cache can help here: after enough failures nobody is kept waiting.
    let breaker = CircuitBreaker::builder("rates")
        .window(Window::calls(20))
        .minimum_calls(10)
        .open_for(Duration::from_secs(30))
        .registry(&registry)
        .build()?;
    let before = source.calls.load(Ordering::Relaxed);
    for _ in 0..CALLS {
        if let Ok(rate) = breaker.call(source.rate()).await {
            return Err(format!("a rate of {rate} from a source that is down").into());
        }
    }
    let calls_in_outage = source.calls.load(Ordering::Relaxed) - before;

    let limiter = Limiter::builder("jobs").limit(WORKERS).queue(8).registry(&registry).build()?;
    let (jobs_done, jobs_refused) = work(&limiter).await?;
    // What the registry shows is what still lives.
    let metrics = registry.prometheus_text();
    let breaker = breaker.state();
    Ok(Seen {
        loads_of_crowd,
        stale_rate,
        calls_in_outage,
        breaker,
        jobs_done,
        jobs_refused,
        metrics,
    })
}

/// More jobs than there is room for: some at a time, some more wait, the others hear of it at once.
async fn work(limiter: &Limiter) -> Result<(u64, u64), Box<dyn Error>> {
    let mut jobs = JoinSet::new();
    for _ in 0..JOBS {
        let limiter = limiter.clone();
        jobs.spawn(async move {
            let job = async {
                sleep(Duration::from_millis(50)).await;
                Ok::<_, NoRates>(())
            };
            limiter.call(job).await
        });
    }
    let (mut done, mut refused) = (0, 0);
    while let Some(job) = jobs.join_next().await {
        match job? {
            Ok(()) => done += 1,
            Err(CallError::Refused(_)) => refused += 1,
            Err(CallError::Failed(error)) => return Err(error.into()),
        }
    }
    Ok((done, refused))
}
