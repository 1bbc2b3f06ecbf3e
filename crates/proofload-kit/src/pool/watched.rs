//! The pool itself.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use deadpool::managed::{Manager, Object, Pool, PoolError, Timeouts};
use tokio::time::Instant;

use super::alarm::{Alarm, Levels};
use super::builder::{OnEvent, Settings, WatchedPoolBuilder};
use super::holders::Place;
use super::watch::{Counts, Watch};
use super::{AcquireError, WatchedConnection, WatchedPoolStats, call, watcher};

/// A pool of what the manager `M` makes, handed out as `W`, under watch. Cheap to clone; clones are the same pool.
///
/// See the [module](self::super) for what it does.
pub struct WatchedPool<M: Manager, W: From<Object<M>> = Object<M>> {
    shared: Arc<Shared<M, W>>,
}

/// What clones share. Connections do not keep it alive, only its `watch`.
pub(super) struct Shared<M: Manager, W: From<Object<M>>> {
    pub(super) pool: Pool<M, W>,
    pub(super) watch: Arc<Watch>,
    pub(super) settings: Settings,
    pub(super) alarm: Mutex<Alarm>,
    pub(super) on_event: Option<Box<OnEvent>>,
    /// Whether the watcher runs.
    pub(super) is_watched: Arc<AtomicBool>,
}

impl<M: Manager, W: From<Object<M>>> Shared<M, W> {
    pub(super) fn new(
        pool: Pool<M, W>,
        watch: Arc<Watch>,
        settings: Settings,
        levels: Levels,
        on_event: Option<Box<OnEvent>>,
    ) -> Self {
        let alarm = Mutex::new(Alarm::new(levels, Instant::now()));
        Self { pool, watch, settings, alarm, on_event, is_watched: Arc::default() }
    }
}

impl<M, W> WatchedPool<M, W>
where
    M: Manager + 'static,
    W: From<Object<M>> + 'static,
{
    /// Settings of a pool that is shown under this name, with connections from this manager.
    pub fn builder(name: impl Into<String>, manager: M) -> WatchedPoolBuilder<M, W> {
        WatchedPoolBuilder::new(name.into(), manager)
    }

    pub(super) fn new(shared: Arc<Shared<M, W>>) -> Self {
        Self { shared }
    }

    /// A connection; waits until there is one, for as long as `timeout` allows.
    ///
    /// # Errors
    /// When the pool is used up until then or closed, or a connection cannot be made.
    #[track_caller]
    pub fn get(
        &self,
    ) -> impl Future<Output = Result<WatchedConnection<W>, AcquireError<M::Error>>> + Send {
        self.get_at(Location::caller(), self.shared.pool.timeouts())
    }

    /// A connection; waits for one to become free for this long at most, not at all with [`Duration::ZERO`].
    ///
    /// # Errors
    /// As [`get`](Self::get).
    #[track_caller]
    pub fn get_within(
        &self,
        longest: Duration,
    ) -> impl Future<Output = Result<WatchedConnection<W>, AcquireError<M::Error>>> + Send {
        let timeouts = Timeouts { wait: Some(longest), ..self.shared.pool.timeouts() };
        self.get_at(Location::caller(), timeouts)
    }

    pub(super) async fn get_at(
        &self,
        place: Place,
        timeouts: Timeouts,
    ) -> Result<WatchedConnection<W>, AcquireError<M::Error>> {
        let started = Instant::now();
        let watch = &self.shared.watch;
        let waiting = watch.begin();
        watcher::ensure(&self.shared);
        match call::counted(watch, self.shared.pool.timeout_get(&timeouts)).await {
            Ok(connection) => Ok(WatchedConnection::new(connection, waiting.acquired(place))),
            Err(error) => {
                waiting.failed(counter_of(&error));
                Err(AcquireError::new(&watch.name, error, || {
                    let WatchedPoolStats { in_use, max_size, waiting, .. } = self.stats();
                    let (pool, waited) = (Arc::clone(&watch.name), started.elapsed());
                    AcquireError::Busy { pool, waited, in_use, max_size, waiting }
                }))
            }
        }
    }

    /// The name it is shown under.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.shared.watch.name
    }

    /// How the pool is now.
    #[must_use]
    pub fn stats(&self) -> WatchedPoolStats {
        self.shared.watch.stats(self.shared.pool.status())
    }

    /// Ends the pool: idle connections are closed, waiting callers fail, and connections in use are closed when they
    /// come back.
    pub fn close(&self) {
        self.shared.pool.close();
    }

    /// The deadpool pool inside, to resize it or to throw away idle connections. What is taken from it directly is
    /// not watched.
    #[must_use]
    pub fn deadpool(&self) -> &Pool<M, W> {
        &self.shared.pool
    }

    pub(super) fn timeouts(&self) -> Timeouts {
        self.shared.pool.timeouts()
    }
}

fn counter_of<E>(error: &PoolError<E>) -> fn(&Counts) -> &AtomicU64 {
    use deadpool::managed::TimeoutType::Wait;
    match error {
        PoolError::Timeout(Wait) => |counts| &counts.wait_timeouts,
        PoolError::Timeout(_) => |counts| &counts.connect_timeouts,
        PoolError::Backend(_) | PoolError::PostCreateHook(_) => |counts| &counts.connect_errors,
        PoolError::Closed | PoolError::NoRuntimeSpecified => |counts| &counts.closed,
    }
}

impl<M: Manager, W: From<Object<M>>> Clone for WatchedPool<M, W> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<M: Manager, W: From<Object<M>>> fmt::Debug for WatchedPool<M, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchedPool")
            .field("name", &self.shared.watch.name)
            .field("stats", &self.shared.watch.stats(self.shared.pool.status()))
            .finish_non_exhaustive()
    }
}
