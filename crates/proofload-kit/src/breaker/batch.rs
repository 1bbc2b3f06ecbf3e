//! Successes on their way into the window, so that threads whose calls all succeed do not queue for
//! one lock.
//!
//! Every thread counts successes in a stripe of its own, up to [`MOST`] of them; then they go into
//! the window together. Anything else that happens (a failure, a slow call, a look at the
//! statistics) brings all stripes in first, so nothing is decided without them. This is allowed
//! only while one success more cannot change the state, which the machine says by being ripe
//! ([`Machine::is_ripe`](super::machine::Machine::is_ripe)), and only within one tick, a tenth of a
//! time window: when the next one begins, old calls fall out of the window, and that may change
//! what follows. One thread alone thus sees the same states as without batches.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use crate::guard::{Apart, STRIPES, stripe_of_thread};

/// Successes of a stripe before they have to go into the window.
const MOST: u64 = 32;

/// A generation, a tick and a count in one word, the first two modulo 2^28: with the shortest ticks
/// of 1 ms a batch would have to lie about for three days to be taken for a young one, and then
/// says that some calls of a small number succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Batch(u64);

impl Batch {
    const COUNT: u64 = (1 << 8) - 1;
    const FIELD: u64 = (1 << 28) - 1;

    fn empty(generation: u64, tick: u64) -> Self {
        Self((generation & Self::FIELD) << 36 | (tick & Self::FIELD) << 8)
    }

    pub(super) fn count(self) -> u64 {
        self.0 & Self::COUNT
    }

    pub(super) fn is_of(self, generation: u64) -> bool {
        self.0 >> 36 == generation & Self::FIELD
    }

    /// How many ticks it lies back, at `tick`.
    pub(super) fn age(self, tick: u64) -> u64 {
        tick.wrapping_sub(self.0 >> 8) & Self::FIELD
    }
}

/// All stripes of a breaker.
#[derive(Debug)]
pub(super) struct Batches {
    stripes: [Apart<AtomicU64>; STRIPES],
    tick: Option<Duration>,
}

impl Batches {
    /// Without a tick, time does not matter.
    pub(super) fn new(tick: Option<Duration>) -> Self {
        // No batch is open: the first call has to go the long way. Generations begin at 0.
        let closed = Batch::empty(u64::MAX, 0).0;
        Self { stripes: std::array::from_fn(|_| Apart(AtomicU64::new(closed))), tick }
    }

    pub(super) fn tick_width(&self) -> Option<Duration> {
        self.tick
    }

    /// The tick of a time, given as what has passed since the breaker was built. Where there are no
    /// ticks, nobody has to look at the clock.
    pub(super) fn tick(&self, passed: impl FnOnce() -> Duration) -> u64 {
        self.tick.map_or(0, |tick| (passed().as_nanos() / tick.as_nanos()) as u64)
    }

    /// Counts a success of this generation and tick, if the thread's batch is one of them and has room.
    pub(super) fn try_add(&self, generation: u64, tick: u64) -> bool {
        let stripe = &self.stripes[stripe_of_thread()];
        let empty = Batch::empty(generation, tick).0;
        let mut word = stripe.load(Ordering::Relaxed);
        while word & !Batch::COUNT == empty && Batch(word).count() < MOST {
            match stripe.compare_exchange_weak(word, word + 1, Ordering::Relaxed, Ordering::Relaxed)
            {
                Ok(_) => return true,
                Err(now) => word = now,
            }
        }
        false
    }

    /// Takes all batches, and opens new ones of this generation and tick. Under the machine's lock.
    pub(super) fn take(&self, generation: u64, tick: u64) -> impl Iterator<Item = Batch> {
        let empty = Batch::empty(generation, tick);
        let batches = self.stripes.iter().map(move |stripe| {
            // Most often there is nothing to take, and the line stays with its thread.
            if stripe.load(Ordering::Relaxed) == empty.0 {
                return empty;
            }
            Batch(stripe.swap(empty.0, Ordering::Relaxed))
        });
        batches.filter(|batch| batch.count() > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_of_one_generation_and_tick_and_bounded() {
        let second = Duration::from_secs(1);
        let batches = Batches::new(Some(second));
        assert_eq!(batches.tick(|| second * 5 / 2), 2);
        assert_eq!(Batches::new(None).tick(|| unreachable!("no clock without ticks")), 0);
        assert!(!batches.try_add(0, 0), "none is open");
        assert_eq!(batches.take(0, 0).count(), 0);
        assert!(batches.try_add(0, 0) && batches.try_add(0, 0));
        assert!(!batches.try_add(1, 0) && !batches.try_add(0, 1));
        let taken: Vec<_> = batches.take(7, 9).collect();
        assert_eq!(taken.iter().map(|batch| batch.count()).collect::<Vec<_>>(), [2]);
        assert!(taken[0].is_of(0) && !taken[0].is_of(1));
        assert_eq!(taken[0].age(3), 3);
        assert_eq!((0..100).filter(|_| batches.try_add(7, 9)).count() as u64, MOST);
        assert!(!batches.try_add(0, 0));
    }
}
