//! One connection to Redis that all callers share, opened when it is first needed and again after it broke.
//!
//! Connecting is a task of its own: it goes on when the caller that began it stops waiting, so that a
//! connection that takes longer than one call may wait is made all the same.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, RedisError, Value};
use tokio::sync::watch;

/// The shared connection.
pub(super) struct Link {
    client: Client,
    connect_timeout: Duration,
    state: watch::Sender<State>,
    connections: AtomicU64,
}

enum State {
    Idle,
    Connecting,
    Up(MultiplexedConnection),
    Failed(RedisError),
}

impl Link {
    pub(super) fn new(client: Client, connect_timeout: Duration) -> Arc<Self> {
        let (state, _) = watch::channel(State::Idle);
        Arc::new(Self { client, connect_timeout, state, connections: AtomicU64::new(0) })
    }

    /// Sends one command and waits for its answer, without a limit.
    pub(super) async fn query(self: &Arc<Self>, command: &Cmd) -> Result<Value, RedisError> {
        let mut connection = self.connection().await?;
        command.query_async(&mut connection).await
    }

    /// The next call opens a new connection.
    pub(super) fn discard(&self) {
        self.state.send_if_modified(|state| {
            let up = matches!(state, State::Up(_));
            if up {
                *state = State::Idle;
            }
            up
        });
    }

    /// Connections opened so far.
    pub(super) fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    async fn connection(self: &Arc<Self>) -> Result<MultiplexedConnection, RedisError> {
        if let State::Up(connection) = &*self.state.borrow() {
            return Ok(connection.clone());
        }
        let mut state = self.state.subscribe();
        let ours = self.state.send_if_modified(|state| {
            let idle = matches!(state, State::Idle | State::Failed(_));
            if idle {
                *state = State::Connecting;
            }
            idle
        });
        if ours {
            tokio::spawn(Attempt(Arc::clone(self)).run());
        }
        match state.wait_for(|state| !matches!(state, State::Connecting)).await.as_deref() {
            Ok(State::Up(connection)) => Ok(connection.clone()),
            Ok(State::Failed(error)) => Err(error.clone()),
            Ok(State::Idle | State::Connecting) | Err(_) => Err(broken()),
        }
    }
}

/// One attempt to connect. However it ends, nobody waits for it for ever.
struct Attempt(Arc<Link>);

impl Attempt {
    async fn run(self) {
        let link = &self.0;
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(link.connect_timeout))
            .set_response_timeout(None);
        let connected = link.client.get_multiplexed_async_connection_with_config(&config).await;
        let next = match connected {
            Ok(connection) => {
                link.connections.fetch_add(1, Ordering::Relaxed);
                State::Up(connection)
            }
            Err(error) => State::Failed(error),
        };
        link.state.send_replace(next);
    }
}

impl Drop for Attempt {
    /// The runtime ended, or the attempt panicked.
    fn drop(&mut self) {
        self.0.state.send_if_modified(|state| {
            let stuck = matches!(state, State::Connecting);
            if stuck {
                *state = State::Failed(broken());
            }
            stuck
        });
    }
}

fn broken() -> RedisError {
    RedisError::from(std::io::Error::from(std::io::ErrorKind::BrokenPipe))
}
