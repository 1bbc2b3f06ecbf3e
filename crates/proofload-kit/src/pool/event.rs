//! What a pool tells those who asked.

use std::panic::Location;
use std::time::Duration;

/// Something a person may have to look at. Given to [`on_event`](super::WatchedPoolBuilder::on_event).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum WatchedPoolEvent {
    /// Use has stayed at or over the alert level.
    #[non_exhaustive]
    UseHigh {
        /// The pool's name.
        pool: String,
        /// Share of the pool in use now, 0 to 1.
        usage: f64,
        /// Callers that wait for a connection now.
        waiting: usize,
        /// For how long it was high before this was told.
        lasted: Duration,
    },
    /// Use that was high has been below the calm level for a while.
    #[non_exhaustive]
    UseCalm {
        /// The pool's name.
        pool: String,
        /// How long ago it was told to be high.
        lasted: Duration,
    },
    /// A connection is held for longer than it should be. Told once for each.
    #[non_exhaustive]
    Leak {
        /// The pool's name.
        pool: String,
        /// Where the connection was taken.
        location: &'static Location<'static>,
        /// How long ago that was.
        held: Duration,
    },
}
