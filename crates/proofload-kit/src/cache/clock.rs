//! Time as a cache counts it: nanoseconds since the cache was made, in one machine word.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// Nanoseconds since the cache was made (584 years fit).
pub(super) type Nanos = u64;

/// The clock of one cache. Follows tokio's, so that tests can pause it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    base: Instant,
}

impl Clock {
    pub(super) fn new() -> Self {
        Self { base: Instant::now() }
    }

    #[inline]
    pub(super) fn now(self) -> Nanos {
        nanos(self.base.elapsed())
    }
}

/// A duration as nanoseconds, the longest that fits if it is longer.
pub(super) fn nanos(duration: Duration) -> Nanos {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Wall clock, milliseconds since 1970. Where tokio's clock was moved ahead of the real one by a test,
/// this one is ahead by as much.
pub(super) fn wall_ms() -> u64 {
    let ahead = Instant::now().into_std().saturating_duration_since(std::time::Instant::now());
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() + ahead;
    millis(wall)
}

/// A duration as milliseconds, the most that fit if it is longer.
pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
