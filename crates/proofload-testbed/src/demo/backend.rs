//! The slow part behind the service, such as a database or a language model: each call holds one of a
//! bounded number of connections while it lasts, and a circuit breaker leaves it alone when it fails.
//!
//! The waits are simulated, so what limits the service is the backend and never the processor of the
//! machine that it shares with the load generator. With a PostgreSQL the connections and queries are real, and the
//! wait is within the query.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use deadpool::managed::{Manager, Metrics, RecycleResult};
use proofload_kit::breaker::{CallError, CircuitBreaker, Outcome, Window};
use proofload_kit::pool::{AcquireError, PostgresPool, ReadReplicas, WatchedPool};
use proofload_kit::{BuildError, Registry};

use super::error::ApiError;
use super::knobs::Knobs;
use super::knowledge::Lookup;
use super::postgres::Database;
use super::state::Failure;

/// A connection; there is nothing at its other end.
#[derive(Debug)]
pub(crate) struct Line;

/// Makes connections, which costs nothing.
#[derive(Debug)]
pub(crate) struct Lines;

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
    lines: Pool,
    breaker: CircuitBreaker,
}

/// The pool of connections.
#[derive(Debug)]
enum Pool {
    Simulated(WatchedPool<Lines>),
    Postgres(PostgresPool, Arc<Database>),
}

/// As long as it takes, for callers who wait for a connection: nobody waits for a month.
const FOR_EVER: Duration = Duration::from_secs(30 * 86_400);

impl Backend {
    pub(crate) fn new(
        knobs: &Knobs,
        database: Option<&Arc<Database>>,
        registry: &Registry,
    ) -> Result<Self, Failure> {
        let lines = match database {
            None => Pool::Simulated(
                WatchedPool::builder("backend", Lines)
                    .size(size(knobs))
                    .timeout(None)
                    .recycle(None)
                    .registry(registry)
                    .build()?,
            ),
            Some(database) => {
                let size = Database::backend_connections(knobs.connections);
                let pool = database.backend().size(size).timeout(None).registry(registry);
                Pool::Postgres(pool.build()?, Arc::clone(database))
            }
        };
        let breaker = CircuitBreaker::builder("backend")
            .failure_rate(0.5)
            .window(Window::time(Duration::from_secs(10)))
            .minimum_calls(20)
            .open_for(Duration::from_secs(2))
            .half_open_calls(5)
            .registry(registry)
            .build()?;
        Ok(Self { lines, breaker })
    }

    /// Goes over to another number of connections.
    pub(crate) fn set(&self, knobs: &Knobs) {
        match &self.lines {
            Pool::Simulated(pool) => pool.deadpool().resize(size(knobs)),
            Pool::Postgres(pool, _) => {
                pool.deadpool().resize(Database::backend_connections(knobs.connections));
            }
        }
    }

    /// Asks the backend, which takes `cost`; `fails` says whether it fails in the end.
    pub(crate) async fn call(
        &self,
        knobs: &Knobs,
        lookup: Lookup<'_>,
        cost: Duration,
        fails: bool,
    ) -> Result<Option<String>, BackendError> {
        let call = self.call_unguarded(knobs, lookup, cost, fails);
        if !knobs.breaker {
            return call.await;
        }
        // That the pool is used up says nothing about the backend.
        let classify = |result: &Result<Option<String>, BackendError>| match result {
            Ok(_) => Outcome::Success,
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
        lookup: Lookup<'_>,
        cost: Duration,
        fails: bool,
    ) -> Result<Option<String>, BackendError> {
        let longest = match knobs.connection_wait {
            wait if wait.is_zero() => FOR_EVER,
            wait => wait,
        };
        let found = match &self.lines {
            Pool::Simulated(pool) => {
                let _line = pool.get_within(longest).await?;
                if !cost.is_zero() {
                    tokio::time::sleep(cost).await;
                }
                lookup.in_memory()
            }
            Pool::Postgres(pool, database) => {
                let look_up = async {
                    let connection = pool.get_within(longest).await?;
                    let found = database.look_up(&connection, lookup, cost).await;
                    found.map_err(|_| BackendError::Failed)
                };
                // Connecting is a large future: not in those of all callers, who mostly do without.
                Box::pin(look_up).await?
            }
        };
        if fails { Err(BackendError::Failed) } else { Ok(found) }
    }
}

impl<E> From<AcquireError<E>> for BackendError {
    fn from(error: AcquireError<E>) -> Self {
        match error {
            AcquireError::Busy { .. } => Self::Busy,
            _ => Self::Failed,
        }
    }
}

/// The pools of the store of messages in memory: what is written goes to the primary, what is read comes from a
/// replica. Both are the same memory.
pub(crate) fn stores(registry: &Registry) -> Result<ReadReplicas<Lines>, BuildError> {
    let pool = |name: &str| {
        WatchedPool::builder(name, Lines)
            .size(STORE_CONNECTIONS)
            .timeout(STORE_WAIT)
            .recycle(None)
            .registry(registry)
            .build()
    };
    Ok(ReadReplicas::new(pool("messages")?, [pool("messages-replica")?]))
}

/// Connections to the store of messages; a call holds one for next to no time.
const STORE_CONNECTIONS: usize = 20;
/// Longest wait for one.
pub(crate) const STORE_WAIT: Duration = Duration::from_secs(5);

impl<E: std::fmt::Display> From<AcquireError<E>> for ApiError {
    fn from(error: AcquireError<E>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
    }
}

/// Without a bound there are as many connections as calls.
fn size(knobs: &Knobs) -> usize {
    /// More calls than any test has in flight.
    const UNBOUNDED: usize = 20_000;
    knobs.connections.unwrap_or(UNBOUNDED).min(UNBOUNDED)
}
