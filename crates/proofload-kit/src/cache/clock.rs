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

/// Wall clock, milliseconds since 1970. Where a test paused tokio's clock or moved it ahead of the real
/// one, this one differs from the real one by as much.
pub(super) fn wall_ms() -> u64 {
    let (ours, real) = (Instant::now().into_std(), std::time::Instant::now());
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let wall = wall + ours.saturating_duration_since(real);
    millis(wall.saturating_sub(real.saturating_duration_since(ours)))
}

/// A duration as milliseconds, the most that fit if it is longer.
pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
