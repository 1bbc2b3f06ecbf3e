//! Counters over the last stretch of time, in slots: what was added longer ago than the stretch
//! falls out, a slot at a time. Pure: the time is an argument.

use std::time::Duration;

use tokio::time::Instant;

/// Slots of a stretch. The oldest leaves when a new one begins, so a sum covers nine to ten tenths
/// of it.
pub(crate) const SLOTS: usize = 10;

/// `N` counters summed over a rolling stretch of time.
#[derive(Debug, Clone)]
pub(crate) struct Ring<const N: usize> {
    slots: [[u64; N]; SLOTS],
    sums: [u64; N],
    current: usize,
    /// When the current slot began.
    began: Instant,
    width: Duration,
}

impl<const N: usize> Ring<N> {
    /// Counters of the last `stretch`, which is at least ten nanoseconds.
    pub(crate) fn new(stretch: Duration, now: Instant) -> Self {
        let width = (stretch / SLOTS as u32).max(Duration::from_nanos(1));
        Self { slots: [[0; N]; SLOTS], sums: [0; N], current: 0, began: now, width }
    }

    /// Adds to the slot of `now`. A `now` before the last one counts as the last one: callers read
    /// the clock before they get their turn.
    pub(crate) fn add(&mut self, now: Instant, amounts: [u64; N]) {
        self.advance(now);
        for (index, amount) in amounts.into_iter().enumerate() {
            self.slots[self.current][index] += amount;
            self.sums[index] += amount;
        }
    }

    /// The sums at `now`.
    pub(crate) fn sums(&mut self, now: Instant) -> [u64; N] {
        self.advance(now);
        self.sums
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self, now: Instant) {
        self.slots = [[0; N]; SLOTS];
        self.sums = [0; N];
        self.current = 0;
        // Slots go on beginning at whole widths after the first one.
        let into = now.saturating_duration_since(self.began).as_nanos() % self.width.as_nanos();
        self.began = now.checked_sub(nanos(into)).unwrap_or(now).max(self.began);
    }

    fn advance(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.began);
        if passed < self.width {
            return;
        }
        let steps = passed.as_nanos() / self.width.as_nanos();
        if steps >= SLOTS as u128 {
            self.clear(now);
            return;
        }
        // Below ten, as was just seen.
        let steps = steps as u32;
        for _ in 0..steps {
            self.current = (self.current + 1) % SLOTS;
            let old = std::mem::replace(&mut self.slots[self.current], [0; N]);
            for (sum, old) in self.sums.iter_mut().zip(old) {
                *sum -= old;
            }
        }
        self.began += self.width * steps;
    }
}

/// Of less than a slot, which is far below the 584 years that fit.
fn nanos(nanos: u128) -> Duration {
    Duration::from_nanos(nanos as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_older_than_the_stretch_falls_out() {
        let start = Instant::now();
        let at = |ms: u64| start + Duration::from_millis(ms);
        let mut ring = Ring::<2>::new(Duration::from_secs(1), start);
        ring.add(at(0), [1, 10]);
        ring.add(at(450), [2, 20]);
        assert_eq!(ring.sums(at(999)), [3, 30]);
        assert_eq!(ring.sums(at(1000)), [2, 20], "the first slot has left");
        assert_eq!(ring.sums(at(1399)), [2, 20]);
        assert_eq!(ring.sums(at(1400)), [0, 0]);
        ring.add(at(1450), [5, 0]);
        assert_eq!(ring.sums(at(10_000)), [0, 0], "after a long silence");
    }

    #[test]
    fn slots_begin_at_the_same_times_after_a_pause() {
        let start = Instant::now();
        let at = |ms: u64| start + Duration::from_millis(ms);
        let mut ring = Ring::<1>::new(Duration::from_secs(1), start);
        ring.clear(at(5_050));
        ring.add(at(5_099), [1]);
        assert_eq!(ring.sums(at(5_999)), [1]);
        assert_eq!(ring.sums(at(6_000)), [0], "ten slots after the one of 5.0 s");
        ring.add(at(20_090), [1]);
        assert_eq!(ring.sums(at(21_000)), [0]);
    }

    #[test]
    fn a_clock_that_was_read_earlier_does_no_harm() {
        let start = Instant::now();
        let mut ring = Ring::<1>::new(Duration::from_secs(1), start);
        ring.add(start + Duration::from_millis(300), [1]);
        ring.add(start + Duration::from_millis(100), [1]);
        assert_eq!(ring.sums(start + Duration::from_millis(300)), [2]);
    }
}
