//! How a pool is.

/// How a pool is at one moment, and what it has counted. Numbers are read one after the other: under load they may be off by
/// what happened in between.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WatchedPoolStats {
    /// Connections the pool may have.
    pub max_size: usize,
    /// Connections it has, in use or idle.
    pub size: usize,
    /// Connections handed out and not given back.
    pub in_use: usize,
    /// Connections that are there for the next caller.
    pub idle: usize,
    /// Callers for whom the pool had no room.
    pub waiting: usize,
    /// Times a connection was handed out.
    pub acquired: u64,
    /// Callers that gave up because none became free in time.
    pub wait_timeouts: u64,
    /// Callers that failed because a connection could not be made in time.
    pub connect_timeouts: u64,
    /// Callers that failed because a connection could not be made.
    pub connect_errors: u64,
    /// Callers that came after the pool was closed.
    pub closed: u64,
    /// Callers that stopped waiting by themselves.
    pub cancelled: u64,
    /// Connections made.
    pub created: u64,
    /// Times an idle connection was checked and handed out again.
    pub recycled: u64,
    /// Idle connections thrown away because the check failed, took too long or was cancelled.
    pub recycle_failures: u64,
    /// Idle connections thrown away because they were too old.
    pub expired: u64,
    /// Connections that were held for too long.
    pub leaks: u64,
    /// Times the use of the pool became high.
    pub alerts: u64,
    /// Whether it is high now.
    pub is_alerting: bool,
}

impl WatchedPoolStats {
    /// Share of the pool in use, 0 to 1.
    #[must_use]
    pub fn usage(&self) -> f64 {
        share(self.in_use, self.max_size)
    }
}

/// 0 to 1; none of nothing is 0.
pub(super) fn share(part: usize, of: usize) -> f64 {
    if of == 0 { 0.0 } else { part.min(of) as f64 / of as f64 }
}
