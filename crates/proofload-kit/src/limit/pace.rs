//! How fast permits come back while there is a queue: what a refused caller is told to wait for.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// Weight of the newest gap between two permits in their average: an eighth, as TCP does with round
/// trips.
const WEIGHT: u64 = 8;
/// Said as long as nothing has been measured.
const UNKNOWN: Duration = Duration::from_secs(1);
/// A gap above this was no sign of work, but of nobody waiting.
const LONGEST_GAP: u64 = 10_000_000_000;
const MOST: Duration = Duration::from_secs(60);

/// The average gap between permits handed from one call to a waiting one. Only those are timed:
/// with nobody waiting there is nothing to estimate, and the clock is not read. Updates may get
/// lost between threads, which an estimate can bear.
#[derive(Debug, Default)]
pub(super) struct Pace {
    last_nanos: AtomicU64,
    gap_nanos: AtomicU64,
}

impl Pace {
    /// A permit was handed on, this long after the limiter was built.
    pub(super) fn handed_on(&self, at: Duration) {
        let at = at.as_nanos() as u64;
        let last = self.last_nanos.swap(at, Ordering::Relaxed);
        let gap = at.saturating_sub(last);
        if last == 0 || gap > LONGEST_GAP {
            return;
        }
        let average = self.gap_nanos.load(Ordering::Relaxed);
        let next = if average == 0 { gap } else { average - average / WEIGHT + gap / WEIGHT };
        self.gap_nanos.store(next.max(1), Ordering::Relaxed);
    }

    /// After how long one who comes after `ahead` others may expect a permit: at most a minute, a
    /// second as long as nothing is known.
    pub(super) fn wait_for(&self, ahead: usize) -> Duration {
        match self.gap_nanos.load(Ordering::Relaxed) {
            0 => UNKNOWN,
            gap => Duration::from_nanos(gap.saturating_mul(ahead as u64 + 1)).min(MOST),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_is_the_queue_times_the_gap() {
        let pace = Pace::default();
        assert_eq!(pace.wait_for(9), UNKNOWN);
        for step in 1..=50 {
            pace.handed_on(Duration::from_millis(20 * step));
        }
        assert_eq!(pace.wait_for(9), Duration::from_millis(200));
        pace.handed_on(Duration::from_secs(3600));
        assert_eq!(
            pace.wait_for(9),
            Duration::from_millis(200),
            "an hour without a queue says nothing"
        );
        assert_eq!(pace.wait_for(1_000_000), MOST);
        for step in 1..=100 {
            pace.handed_on(Duration::from_secs(3600) + Duration::from_millis(40 * step));
        }
        let wait = pace.wait_for(0);
        assert!(wait > Duration::from_millis(39) && wait <= Duration::from_millis(40), "{wait:?}");
    }
}
