//! Why a load gave no value.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Why a load gave no value, and nothing stale could stand in for it.
///
/// All callers that waited for the same load get the same error: hence the `Arc`.
#[non_exhaustive]
pub enum LoadError<E> {
    /// The loader said so.
    Failed(Arc<E>),
    /// The loader panicked, with that message.
    Panicked(Arc<str>),
    /// The load took longer than the hard timeout of the cache and was given up.
    TimedOut {
        /// The timeout.
        after: Duration,
    },
    /// The task that loaded was cancelled: its runtime is shutting down.
    Cancelled,
}

impl<E> LoadError<E> {
    /// The error of the loader, if it is one.
    #[must_use]
    pub fn failed(&self) -> Option<&E> {
        match self {
            Self::Failed(error) => Some(error),
            _ => None,
        }
    }
}

impl<E> Clone for LoadError<E> {
    fn clone(&self) -> Self {
        match self {
            Self::Failed(error) => Self::Failed(Arc::clone(error)),
            Self::Panicked(message) => Self::Panicked(Arc::clone(message)),
            Self::TimedOut { after } => Self::TimedOut { after: *after },
            Self::Cancelled => Self::Cancelled,
        }
    }
}

impl<E: fmt::Debug> fmt::Debug for LoadError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => f.debug_tuple("Failed").field(error).finish(),
            Self::Panicked(message) => f.debug_tuple("Panicked").field(message).finish(),
            Self::TimedOut { after } => f.debug_struct("TimedOut").field("after", after).finish(),
            Self::Cancelled => f.write_str("Cancelled"),
        }
    }
}

impl<E: fmt::Display> fmt::Display for LoadError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => write!(f, "loading failed: {error}"),
            Self::Panicked(message) => write!(f, "the loader panicked: {message}"),
            Self::TimedOut { after } => write!(f, "loading took longer than {after:?}"),
            Self::Cancelled => f.write_str("the load was cancelled: its runtime is shutting down"),
        }
    }
}

impl<E: Error> Error for LoadError<E> {
    /// What the loader's error itself was caused by: its own text is part of ours.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.failed().and_then(E::source)
    }
}
