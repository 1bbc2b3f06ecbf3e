//! A connection taken from a watched pool.

use std::fmt;
use std::ops::{Deref, DerefMut};

use super::watch::Ticket;

/// A connection, as the pool of type `W` hands it out. Goes back to the pool when dropped.
pub struct WatchedConnection<W> {
    // Before the connection, so that it is no longer counted when the next caller gets it.
    ticket: Ticket,
    connection: W,
}

impl<W> WatchedConnection<W> {
    pub(super) fn new(connection: W, ticket: Ticket) -> Self {
        Self { ticket, connection }
    }

    /// The connection without the watch: it is no longer counted as in use nor reported as a leak. For
    /// connections that are kept on purpose, to listen for notifications, or to take them out of the pool with
    /// [`Object::take`](deadpool::managed::Object::take).
    #[must_use]
    pub fn into_unwatched(this: Self) -> W {
        let Self { ticket, connection } = this;
        drop(ticket);
        connection
    }
}

impl<W> Deref for WatchedConnection<W> {
    type Target = W;

    fn deref(&self) -> &W {
        &self.connection
    }
}

impl<W> DerefMut for WatchedConnection<W> {
    fn deref_mut(&mut self) -> &mut W {
        &mut self.connection
    }
}

impl<W> fmt::Debug for WatchedConnection<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchedConnection").field("ticket", &self.ticket).finish_non_exhaustive()
    }
}
