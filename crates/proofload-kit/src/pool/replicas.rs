//! Reading from replicas: each reader goes to the replica that is used least, past those that cannot be reached,
//! and to the primary when there is none.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use deadpool::managed::{Manager, Object};
use tokio::time::Instant;

use super::holders::Place;
use super::stats::share;
use super::watch::millis;
use super::{AcquireError, WatchedConnection, WatchedPool};

/// How long a replica that could not be reached is left alone.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// A primary and the pools of its read replicas. Cheap to clone.
///
/// A replica that cannot be reached is left alone for 5 s unless set; then one caller tries it while the others still
/// go past it. A pool that is merely used up is waited for: sending its readers to the primary would bring that down next.
///
/// What a replica answers may be older than what was written a moment ago. Read what must be seen at once from
/// [`primary`](Self::primary).
///
/// ```
/// # use deadpool::managed::{Manager, Metrics, RecycleResult};
/// # #[derive(Clone)]
/// # struct Server(&'static str);
/// # impl Manager for Server {
/// #     type Type = &'static str;
/// #     type Error = std::convert::Infallible;
/// #     async fn create(&self) -> Result<&'static str, Self::Error> { Ok(self.0) }
/// #     async fn recycle(&self, _: &mut &'static str, _: &Metrics) -> RecycleResult<Self::Error> { Ok(()) }
/// # }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use proofload_kit::pool::{ReadReplicas, WatchedPool};
///
/// # type Pool = WatchedPool<Server>;
/// # let (primary, replica) = (Server("primary"), Server("replica"));
/// let primary: Pool = WatchedPool::builder("orders", primary).build()?;
/// let replica: Pool = WatchedPool::builder("orders-replica", replica).build()?;
/// let orders = ReadReplicas::new(primary, [replica]);
/// assert_eq!(**orders.read().await?, "replica");
/// assert_eq!(**orders.write().await?, "primary");
/// # Ok(()) }
/// ```
pub struct ReadReplicas<M: Manager, W: From<Object<M>> = Object<M>> {
    inner: Arc<Inner<M, W>>,
}

struct Inner<M: Manager, W: From<Object<M>>> {
    primary: WatchedPool<M, W>,
    replicas: Vec<Replica<M, W>>,
    retry_after: Duration,
    /// Where the search begins among equals.
    turn: AtomicUsize,
    epoch: Instant,
}

struct Replica<M: Manager, W: From<Object<M>>> {
    pool: WatchedPool<M, W>,
    health: Health,
}

/// Whether a replica is asked. Pure: times are milliseconds since some start.
#[derive(Debug, Default)]
struct Health {
    /// Not before this; 0 when it is well.
    retry_at_ms: AtomicU64,
}

impl Health {
    /// Whether the caller may ask. After the time has come only one may, until the next.
    fn may_ask(&self, now_ms: u64, retry_after_ms: u64) -> bool {
        let retry_at = self.retry_at_ms.load(Ordering::Relaxed);
        if retry_at == 0 {
            return true;
        }
        let next = now_ms.saturating_add(retry_after_ms);
        now_ms >= retry_at
            && self
                .retry_at_ms
                .compare_exchange(retry_at, next, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }

    /// Gives whether it was well before.
    fn failed(&self, now_ms: u64, retry_after_ms: u64) -> bool {
        self.retry_at_ms.swap(now_ms.saturating_add(retry_after_ms).max(1), Ordering::Relaxed) == 0
    }

    /// Gives whether it was not well before.
    fn succeeded(&self) -> bool {
        self.retry_at_ms.load(Ordering::Relaxed) != 0
            && self.retry_at_ms.swap(0, Ordering::Relaxed) != 0
    }
}

impl<M, W> ReadReplicas<M, W>
where
    M: Manager + 'static,
    W: From<Object<M>> + 'static,
{
    /// Reads go to these replicas; with none of them, to the primary.
    #[must_use]
    pub fn new(
        primary: WatchedPool<M, W>,
        replicas: impl IntoIterator<Item = WatchedPool<M, W>>,
    ) -> Self {
        Self::with_retry_after(primary, replicas, RETRY_AFTER)
    }

    /// The same, but a replica that could not be reached is tried again after this time.
    #[must_use]
    pub fn with_retry_after(
        primary: WatchedPool<M, W>,
        replicas: impl IntoIterator<Item = WatchedPool<M, W>>,
        retry_after: Duration,
    ) -> Self {
        let replicas =
            replicas.into_iter().map(|pool| Replica { pool, health: Health::default() }).collect();
        let (turn, epoch) = (AtomicUsize::new(0), Instant::now());
        Self { inner: Arc::new(Inner { primary, replicas, retry_after, turn, epoch }) }
    }

    /// A connection to read with.
    ///
    /// # Errors
    /// When the chosen replica's pool is used up, or neither a replica nor the primary can be reached; the error is that
    /// of the primary then.
    #[track_caller]
    pub fn read(
        &self,
    ) -> impl Future<Output = Result<WatchedConnection<W>, AcquireError<M::Error>>> + Send {
        self.read_at(Location::caller())
    }

    /// A connection to write with.
    ///
    /// # Errors
    /// As [`WatchedPool::get`].
    #[track_caller]
    pub fn write(
        &self,
    ) -> impl Future<Output = Result<WatchedConnection<W>, AcquireError<M::Error>>> + Send {
        self.inner.primary.get()
    }

    /// The pool of the primary.
    #[must_use]
    pub fn primary(&self) -> &WatchedPool<M, W> {
        &self.inner.primary
    }

    /// The pools of the replicas.
    pub fn replicas(&self) -> impl Iterator<Item = &WatchedPool<M, W>> {
        self.inner.replicas.iter().map(|replica| &replica.pool)
    }

    async fn read_at(&self, place: Place) -> Result<WatchedConnection<W>, AcquireError<M::Error>> {
        let inner = &*self.inner;
        let retry_after_ms = millis(inner.retry_after);
        for replica in inner.by_use() {
            if !replica.health.may_ask(inner.now_ms(), retry_after_ms) {
                continue;
            }
            match replica.pool.get_at(place, replica.pool.timeouts()).await {
                Err(error) if error.is_unreachable() => {
                    if replica.health.failed(inner.now_ms(), retry_after_ms) {
                        let pool = replica.pool.name();
                        tracing::warn!(pool, "a read replica cannot be reached, others are asked");
                    }
                }
                result => {
                    if result.is_ok() && replica.health.succeeded() {
                        tracing::info!(pool = replica.pool.name(), "a read replica is back");
                    }
                    return result;
                }
            }
        }
        inner.primary.get_at(place, inner.primary.timeouts()).await
    }
}

impl<M, W> Inner<M, W>
where
    M: Manager + 'static,
    W: From<Object<M>> + 'static,
{
    /// The replicas, those with most room first; equals take turns.
    fn by_use(&self) -> Vec<&Replica<M, W>> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % self.replicas.len().max(1);
        let (before, after) = self.replicas.split_at(turn);
        let mut replicas: Vec<(f64, &Replica<M, W>)> = after
            .iter()
            .chain(before)
            .map(|replica| {
                let stats = replica.pool.stats();
                let queue = stats.waiting as f64 / stats.max_size.max(1) as f64;
                (share(stats.in_use, stats.max_size) + queue, replica)
            })
            .collect();
        replicas.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        replicas.into_iter().map(|(_, replica)| replica).collect()
    }

    fn now_ms(&self) -> u64 {
        millis(self.epoch.elapsed())
    }
}

impl<M: Manager, W: From<Object<M>>> Clone for ReadReplicas<M, W> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl<M: Manager, W: From<Object<M>>> fmt::Debug for ReadReplicas<M, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let replicas: Vec<_> = self.inner.replicas.iter().map(|replica| &replica.pool).collect();
        f.debug_struct("ReadReplicas")
            .field("primary", &self.inner.primary)
            .field("replicas", &replicas)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_caller_at_a_time_tries_what_was_down() {
        let health = Health::default();
        assert!(health.may_ask(0, 100) && health.may_ask(0, 100));
        assert!(health.failed(0, 100));
        assert!(!health.failed(10, 100), "told once");
        assert!(!health.may_ask(109, 100));
        assert!(health.may_ask(110, 100));
        assert!(!health.may_ask(111, 100), "another is trying");
        assert!(health.may_ask(210, 100), "which takes long");
        assert!(health.succeeded());
        assert!(!health.succeeded());
        assert!(health.may_ask(211, 100));
        assert!(
            health.failed(5, u64::MAX) && !health.may_ask(u64::MAX - 1, u64::MAX),
            "left alone for ever"
        );
    }
}
