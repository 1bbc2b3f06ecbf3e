//! Why there is no connection.

use std::sync::Arc;
use std::time::Duration;

use deadpool::managed::{HookError, PoolError, TimeoutType};

/// Why a pool gave no connection. `E` is the error of the pool's manager.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AcquireError<E> {
    /// All connections were in use until the caller's time was over.
    #[error(
        "pool `{pool}`: no connection became free within {waited:?} ({in_use} of {max_size} in use, {waiting} waiting): \
         hold connections for less time, make the pool larger or admit fewer requests"
    )]
    #[non_exhaustive]
    Busy {
        /// The pool's name.
        pool: Arc<str>,
        /// How long the caller waited.
        waited: Duration,
        /// Connections handed out when it gave up.
        in_use: usize,
        /// Connections the pool may have.
        max_size: usize,
        /// Callers that still waited.
        waiting: usize,
    },
    /// The other side did not answer in time when a connection was made.
    #[error("pool `{pool}`: no connection could be made in time: is the server up and reachable?")]
    #[non_exhaustive]
    ConnectTimeout {
        /// The pool's name.
        pool: Arc<str>,
    },
    /// A connection could not be made.
    #[error("pool `{pool}`: cannot connect: {source}")]
    #[non_exhaustive]
    Connect {
        /// The pool's name.
        pool: Arc<str>,
        /// What the manager said.
        source: E,
    },
    /// A connection was made and then refused by a hook of the service.
    #[error("pool `{pool}`: a new connection was refused: {reason}")]
    #[non_exhaustive]
    Refused {
        /// The pool's name.
        pool: Arc<str>,
        /// What the hook said.
        reason: String,
    },
    /// The pool was closed.
    #[error("pool `{pool}` is closed")]
    #[non_exhaustive]
    Closed {
        /// The pool's name.
        pool: Arc<str>,
    },
}

impl<E> AcquireError<E> {
    /// Whether the other side is the reason, so that another server may do better: everything but a pool that is used up.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        !matches!(self, Self::Busy { .. })
    }

    /// From deadpool's error; `busy` makes the variant for a pool that is used up.
    pub(super) fn new(pool: &Arc<str>, error: PoolError<E>, busy: impl FnOnce() -> Self) -> Self {
        let pool = Arc::clone(pool);
        match error {
            PoolError::Timeout(TimeoutType::Wait) => busy(),
            PoolError::Timeout(TimeoutType::Create | TimeoutType::Recycle) => {
                Self::ConnectTimeout { pool }
            }
            PoolError::Backend(source) | PoolError::PostCreateHook(HookError::Backend(source)) => {
                Self::Connect { pool, source }
            }
            PoolError::PostCreateHook(HookError::Message(reason)) => {
                Self::Refused { pool, reason: reason.into_owned() }
            }
            // A runtime is always given, so the last can only be the pool's end.
            PoolError::Closed | PoolError::NoRuntimeSpecified => Self::Closed { pool },
        }
    }
}
