//! Random choices of a virtual user.

use std::cell::Cell;
use std::ops::RangeBounds;
use std::time::Duration;

/// A virtual user's source of random choices. The same seed of the run gives the same choices.
///
/// Its methods take `&self`, so that they can stand among the arguments of a request. Not for
/// cryptography. To use another crate's generators and distributions, seed them with
/// [`Random::any`].
#[derive(Debug)]
pub struct Random(Cell<u64>);

impl Random {
    pub(super) fn with_seed(seed: u64) -> Self {
        Self(Cell::new(seed))
    }

    fn with<T>(&self, draw: impl FnOnce(&mut fastrand::Rng) -> T) -> T {
        let mut rng = fastrand::Rng::with_seed(self.0.get());
        let drawn = draw(&mut rng);
        self.0.set(rng.get_seed());
        drawn
    }

    /// Any whole number.
    #[must_use]
    pub fn any(&self) -> u64 {
        self.whole(..)
    }

    /// A whole number from a range, such as `0..10` or `1..=6`.
    ///
    /// # Panics
    /// If the range is empty.
    #[must_use]
    pub fn whole(&self, range: impl RangeBounds<u64>) -> u64 {
        self.with(|rng| rng.u64(range))
    }

    /// A number from 0 up to, but not including, 1.
    #[must_use]
    pub fn fraction(&self) -> f64 {
        self.with(fastrand::Rng::f64)
    }

    /// True in this share of the cases: never at 0, always at 1.
    #[must_use]
    pub fn chance(&self, share: f64) -> bool {
        self.fraction() < share
    }

    /// One of the items; `None` if there are none.
    #[must_use]
    pub fn choose<'a, T>(&self, items: &'a [T]) -> Option<&'a T> {
        (!items.is_empty()).then(|| &items[self.with(|rng| rng.usize(..items.len()))])
    }

    /// So many hexadecimal digits, in lower case.
    #[must_use]
    pub fn hex(&self, digits: usize) -> String {
        self.with(|rng| {
            (0..digits).map(|_| char::from(b"0123456789abcdef"[rng.usize(..16)])).collect()
        })
    }

    /// A time between two others, both included. The order of the two does not matter.
    #[must_use]
    pub fn time(&self, one: Duration, other: Duration) -> Duration {
        let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let (min, max) = (nanos(one.min(other)), nanos(one.max(other)));
        Duration::from_nanos(self.whole(min..=max))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_follow_the_seed_and_stay_in_range() {
        let (one, same, other) = (Random::with_seed(1), Random::with_seed(1), Random::with_seed(2));
        let draw = |random: &Random| [(); 4].map(|()| random.any());
        let drawn = draw(&one);
        assert_eq!(drawn, draw(&same));
        assert_ne!(drawn, draw(&other));
        assert_ne!(drawn[0], drawn[1]);
        let ms = Duration::from_millis;
        for _ in 0..100 {
            assert!((3..=5).contains(&one.whole(3..=5)));
            assert!((0.0..1.0).contains(&one.fraction()));
            assert!((ms(1)..=ms(2)).contains(&one.time(ms(2), ms(1))));
        }
        assert!(!one.chance(0.0) && one.chance(1.0));
        assert_eq!(one.time(ms(7), ms(7)), ms(7));
        assert_eq!(one.choose::<u8>(&[]), None);
        assert_eq!(one.choose(&[7]), Some(&7));
        let hex = one.hex(40);
        assert!(hex.len() == 40 && hex.bytes().all(|b| b.is_ascii_hexdigit()));
    }
}
