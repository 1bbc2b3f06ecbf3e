//! The slow part behind the service, such as a database or a language model: each call holds one of a
//! bounded number of connections while it lasts.
//!
//! The waits are simulated, so what limits the service is the backend and never the processor of the
//! machine that it shares with the load generator.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use deadpool::Runtime;
use deadpool::managed::{Manager, Metrics, Object, Pool, PoolError, RecycleResult, Timeouts};

use proofload_kit::breaker::{CallError, CircuitBreaker, Outcome, Window};
use proofload_kit::{BuildError, Registry};

use super::error::ApiError;
use super::knobs::Knobs;

/// A connection; there is nothing at its other end.
#[derive(Debug)]
pub(crate) struct Line;

/// Makes connections, which costs nothing.
#[derive(Debug)]
struct Lines;

impl Manager for Lines {
    type Type = Line;
    type Error = Infallible;

    async fn create(&self) -> Result<Line, Infallible> {
        Ok(Line)
    }

    async fn recycle(&self, _: &mut Line, _: &Metrics) -> RecycleResult<Infallible> {
        Ok(())
    }
}

/// Why a call of the backend gave nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BackendError {
    /// No connection became free in time.
    Busy,
    /// It answered with an error.
    Failed,
    /// It is left alone for a while, because it failed too often.
    Open {
        /// For how long.
        retry_after: Duration,
    },
}

impl From<BackendError> for ApiError {
    fn from(error: BackendError) -> Self {
        match error {
            BackendError::Busy => {
                let message = "no connection to the backend became free, try again later";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, message)
            }
            BackendError::Open { retry_after } => {
                let message = "the backend failed too often and is left alone, try again later";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, message).retry_after(retry_after)
            }
            BackendError::Failed => Self::new(StatusCode::BAD_GATEWAY, "the backend failed"),
        }
    }
}

/// The backend and the pool of connections to it.
#[derive(Debug)]
pub(crate) struct Backend {
    pool: Pool<Lines>,
    breaker: CircuitBreaker,
    acquired: AtomicU64,
    failures: AtomicU64,
    waited_ns: AtomicU64,
}

impl Backend {
    pub(crate) fn new(knobs: &Knobs, registry: &Registry) -> Result<Self, BuildError> {
        let pool = Pool::builder(Lines).max_size(size(knobs)).runtime(Runtime::Tokio1).build();
        // Only timeouts without a runtime are refused.
        let pool = pool.unwrap_or_else(|error| unreachable!("{error}"));
        let breaker = CircuitBreaker::builder("backend")
            .failure_rate(0.5)
            .window(Window::time(Duration::from_secs(10)))
            .minimum_calls(20)
            .open_for(Duration::from_secs(2))
            .half_open_calls(5)
            .registry(registry)
            .build()?;
        Ok(Self {
            pool,
            breaker,
            acquired: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            waited_ns: AtomicU64::new(0),
        })
    }

    /// Goes over to another number of connections.
    pub(crate) fn set(&self, knobs: &Knobs) {
        self.pool.resize(size(knobs));
    }

    /// Calls the backend, which takes `cost`; `fails` says whether it fails in the end.
    pub(crate) async fn call(
        &self,
        knobs: &Knobs,
        cost: Duration,
        fails: bool,
    ) -> Result<(), BackendError> {
        let call = self.call_unguarded(knobs, cost, fails);
        if !knobs.breaker {
            return call.await;
        }
        // That the pool is used up says nothing about the backend.
        let classify = |result: &Result<(), BackendError>| match result {
            Ok(()) => Outcome::Success,
            Err(BackendError::Failed) => Outcome::Failure,
            Err(_) => Outcome::Ignored,
        };
        self.breaker.call_classified(call, classify).await.map_err(|error| match error {
            CallError::Refused(open) => BackendError::Open { retry_after: open.retry_after() },
            CallError::Failed(error) => error,
        })
    }

    async fn call_unguarded(
        &self,
        knobs: &Knobs,
        cost: Duration,
        fails: bool,
    ) -> Result<(), BackendError> {
        let _line = self.connection(knobs.connection_wait).await?;
        if !cost.is_zero() {
            tokio::time::sleep(cost).await;
        }
        if fails { Err(BackendError::Failed) } else { Ok(()) }
    }

    async fn connection(&self, longest: Duration) -> Result<Object<Lines>, BackendError> {
        let began = Instant::now();
        let wait = (!longest.is_zero()).then_some(longest);
        let got = self.pool.timeout_get(&Timeouts { wait, ..Timeouts::default() }).await;
        let waited = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.waited_ns.fetch_add(waited, Ordering::Relaxed);
        match got {
            Ok(line) => {
                self.acquired.fetch_add(1, Ordering::Relaxed);
                Ok(line)
            }
            Err(PoolError::Timeout(_) | PoolError::Closed) => {
                self.failures.fetch_add(1, Ordering::Relaxed);
                Err(BackendError::Busy)
            }
            Err(_) => Err(BackendError::Failed),
        }
    }

    /// The pool in Prometheus' text format.
    pub(crate) fn write(&self, out: &mut String) {
        let status = self.pool.status();
        let in_use = status.size - status.available.min(status.size);
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let mut line = |kind: &str, name: &str, help: &str, value: f64| {
            // Writing to a `String` cannot fail.
            let _ = writeln!(
                out,
                "# HELP {name} {help}\n# TYPE {name} {kind}\n{name}{{pool=\"backend\"}} {value}"
            );
        };
        let idle = status.available as f64;
        line("gauge", "pool_max_size", "Connections the pool may have.", status.max_size as f64);
        line("gauge", "pool_in_use", "Connections handed out.", in_use as f64);
        line("gauge", "pool_idle", "Connections that wait for work.", idle);
        line("gauge", "pool_waiting", "Callers without one.", status.waiting as f64);
        let failures = read(&self.failures) as f64;
        line("counter", "pool_acquire_failures_total", "Callers that got none.", failures);
        let waited = read(&self.waited_ns) as f64 / 1e9;
        line("counter", "pool_wait_seconds_sum", "Time callers waited.", waited);
        let acquired = read(&self.acquired) as f64;
        line("counter", "pool_wait_seconds_count", "Callers that got one.", acquired);
    }
}

/// Without a bound there are as many connections as calls.
fn size(knobs: &Knobs) -> usize {
    /// More calls than any test has in flight.
    const UNBOUNDED: usize = 1 << 20;
    knobs.connections.unwrap_or(UNBOUNDED).min(UNBOUNDED)
}
