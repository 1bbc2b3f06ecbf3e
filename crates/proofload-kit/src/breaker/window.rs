//! What the last calls ended like: of so many calls, or of so much time.

use tokio::time::Instant;

use super::settings::{Span, Window};
use crate::guard::Ring;

/// Calls with an outcome that counts, and how many of them failed or were slow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) calls: u64,
    pub(super) failed: u64,
    pub(super) slow: u64,
}

impl Tally {
    pub(super) fn add(&mut self, failed: bool, slow: bool) {
        self.calls += 1;
        self.failed += u64::from(failed);
        self.slow += u64::from(slow);
    }

    /// The part of calls that failed; 0 without calls.
    pub(super) fn failure_rate(&self) -> f64 {
        rate(self.failed, self.calls)
    }

    /// The part of calls that were slow; 0 without calls.
    pub(super) fn slow_rate(&self) -> f64 {
        rate(self.slow, self.calls)
    }
}

/// A division, not a multiplication of the threshold: 3 of 30 is then the same number as 0.1.
fn rate(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// The outcomes of a window. All memory is taken when it is made.
#[derive(Debug)]
pub(super) enum Outcomes {
    /// The last calls, the oldest at `next` once all places are taken.
    Calls { places: Box<[Place]>, next: usize, tally: Tally },
    /// Calls, failed calls and slow calls of a stretch of time.
    Time(Box<Ring<3>>),
}

/// One call of a count window.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place {
    taken: bool,
    failed: bool,
    slow: bool,
}

impl Outcomes {
    pub(super) fn new(window: Window, now: Instant) -> Self {
        match window.0 {
            Span::Calls(count) => Self::Calls {
                places: vec![Place::default(); count as usize].into_boxed_slice(),
                next: 0,
                tally: Tally::default(),
            },
            Span::Time(stretch) => Self::Time(Box::new(Ring::new(stretch, now))),
        }
    }

    pub(super) fn add(&mut self, now: Instant, failed: bool, slow: bool) {
        match self {
            Self::Calls { places, next, tally } => {
                let old =
                    std::mem::replace(&mut places[*next], Place { taken: true, failed, slow });
                tally.calls -= u64::from(old.taken);
                tally.failed -= u64::from(old.taken && old.failed);
                tally.slow -= u64::from(old.taken && old.slow);
                tally.add(failed, slow);
                *next = (*next + 1) % places.len();
            }
            Self::Time(ring) => ring.add(now, [1, u64::from(failed), u64::from(slow)]),
        }
    }

    pub(super) fn tally(&mut self, now: Instant) -> Tally {
        match self {
            Self::Calls { tally, .. } => *tally,
            Self::Time(ring) => {
                let [calls, failed, slow] = ring.sums(now);
                Tally { calls, failed, slow }
            }
        }
    }

    pub(super) fn clear(&mut self, now: Instant) {
        match self {
            Self::Calls { places, next, tally } => {
                places.fill(Place::default());
                *next = 0;
                *tally = Tally::default();
            }
            Self::Time(ring) => ring.clear(now),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// A window of calls is what one sees when one keeps all calls and looks at the last.
        #[test]
        fn a_count_window_is_the_last_calls(
            size in 1_u32..20,
            calls in prop::collection::vec((any::<bool>(), any::<bool>()), 0..100),
        ) {
            let now = Instant::now();
            let mut outcomes = Outcomes::new(Window::calls(size), now);
            for (index, &(failed, slow)) in calls.iter().enumerate() {
                outcomes.add(now, failed, slow);
                let mut expected = Tally::default();
                for &(failed, slow) in calls[..=index].iter().rev().take(size as usize) {
                    expected.add(failed, slow);
                }
                prop_assert_eq!(outcomes.tally(now), expected);
            }
        }
    }

    #[test]
    fn a_rate_is_exact_where_the_setting_is() {
        let tally = Tally { calls: 30, failed: 3, slow: 21 };
        assert_eq!(tally.failure_rate(), 0.1);
        assert_eq!(tally.slow_rate(), 0.7);
        assert_eq!(Tally::default().failure_rate(), 0.0);
    }
}
