//! The clock of a load that can be paused.
//!
//! Two times run in a phase. *Wall time* is what passes since the phase began; intervals, marks and
//! charts stand on it. *Load time* is wall time without the pauses; schedules, step lengths and rates
//! stand on that: a load that is paused for an hour goes on where it stood, and its rates are those of
//! the time in which there was load. A pause of the future is not known: while it lasts, nobody can say
//! when a later load time will be.

use std::time::Duration;

/// Tells wall time from load time in one phase. A value, not a device: whoever has a copy computes the
/// same times from it, so all workers agree to the nanosecond.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LoadClock {
    /// Length of all pauses before the latest one.
    before: Duration,
    latest: Option<Pause>,
}

/// A pause, in wall time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pause {
    since: Duration,
    until: Option<Duration>,
}

impl LoadClock {
    /// The clock of a phase that begins paused, or not.
    #[must_use]
    pub fn new(paused: bool) -> Self {
        let mut clock = Self::default();
        if paused {
            clock.pause(Duration::ZERO);
        }
        clock
    }

    /// Stops at wall time `at`, or when an earlier pause is over if that is later. Does nothing while
    /// it is paused.
    pub fn pause(&mut self, at: Duration) {
        match self.latest {
            Some(Pause { until: None, .. }) => {}
            Some(Pause { since, until: Some(until) }) => {
                self.before += until.saturating_sub(since);
                self.latest = Some(Pause { since: at.max(until), until: None });
            }
            None => self.latest = Some(Pause { since: at, until: None }),
        }
    }

    /// Goes on at wall time `at`, which may lie a little ahead. Does nothing unless it is paused.
    pub fn resume(&mut self, at: Duration) {
        if let Some(Pause { since, until: until @ None }) = &mut self.latest {
            *until = Some(at.max(*since));
        }
    }

    /// Whether a pause lasts whose end is not known.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        matches!(self.latest, Some(Pause { until: None, .. }))
    }

    /// The wall time at which the latest pause is over, if that is known.
    #[must_use]
    pub fn resumes_at(&self) -> Option<Duration> {
        self.latest?.until
    }

    /// How much of the time up to `wall` was paused. Exact from the beginning of the last pause but
    /// one; earlier times are not remembered.
    #[must_use]
    pub fn paused_until(&self, wall: Duration) -> Duration {
        let latest = self.latest.map_or(Duration::ZERO, |Pause { since, until }| {
            until.map_or(wall, |until| until.min(wall)).saturating_sub(since)
        });
        self.before + latest
    }

    /// The load time at `wall`.
    #[must_use]
    pub fn load_at(&self, wall: Duration) -> Duration {
        wall.saturating_sub(self.paused_until(wall))
    }

    /// The wall time of a load time; nothing if a pause that lasts comes before it. What is due in the
    /// very moment a pause begins is due when it is over.
    #[must_use]
    pub fn wall_of(&self, load: Duration) -> Option<Duration> {
        let wall = self.before + load;
        match self.latest {
            Some(Pause { since, until }) if wall >= since => Some(wall - since + until?),
            _ => Some(wall),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    const DAY: Duration = s(86_400);

    #[test]
    fn a_day_of_pause_is_no_time_for_the_load() {
        let mut clock = LoadClock::new(false);
        assert_eq!((clock.load_at(s(7)), clock.wall_of(s(7))), (s(7), Some(s(7))));
        clock.pause(s(10));
        assert!(clock.is_paused());
        for wall in [s(10), s(11), DAY, 400 * DAY] {
            assert_eq!(clock.load_at(wall), s(10));
            assert_eq!(clock.paused_until(wall), wall - s(10));
        }
        assert_eq!(
            [clock.wall_of(s(9)), clock.wall_of(s(10)), clock.wall_of(s(11))],
            [Some(s(9)), None, None]
        );
        clock.resume(s(10) + DAY);
        assert_eq!(clock.load_at(s(10) + DAY), s(10));
        assert_eq!(clock.load_at(s(15) + DAY), s(15));
        assert_eq!(clock.wall_of(s(10)), Some(s(10) + DAY));
        assert_eq!(clock.wall_of(s(15)), Some(s(15) + DAY));
        // An interval that ended in the pause is asked about after it.
        assert_eq!(clock.paused_until(s(60)), s(50));
    }

    #[test]
    fn pauses_add_up() {
        let mut clock = LoadClock::new(true);
        assert_eq!((clock.load_at(s(5)), clock.wall_of(Duration::ZERO)), (Duration::ZERO, None));
        clock.resume(s(5));
        clock.resume(s(6));
        clock.pause(s(8));
        clock.pause(s(9));
        clock.resume(s(18));
        assert_eq!((clock.load_at(s(20)), clock.wall_of(s(5))), (s(5), Some(s(20))));
        // Paused again before the last pause is quite over.
        clock.pause(s(17));
        assert_eq!((clock.load_at(s(100)), clock.is_paused()), (s(3), true));
        clock.resume(s(100));
        assert_eq!(clock.load_at(s(101)), s(4));
    }

    proptest! {
        #[test]
        fn wall_and_load_time_invert_each_other(
            changes in prop::collection::vec(1_u64..5_000, 0..8),
            probe in 0_u64..10_000,
        ) {
            let mut clock = LoadClock::default();
            let mut wall = 0;
            for (number, length) in changes.iter().enumerate() {
                wall += length;
                let at = Duration::from_millis(wall);
                let before = clock.load_at(at);
                if number % 2 == 0 { clock.pause(at) } else { clock.resume(at) }
                prop_assert_eq!(clock.load_at(at), before, "a change takes no time");
            }
            let now = Duration::from_millis(wall + probe);
            let expect = (!clock.is_paused()).then_some(now);
            prop_assert_eq!(clock.wall_of(clock.load_at(now)), expect);
            let odd: u64 = changes.iter().skip(1).step_by(2).sum();
            let open = if changes.len() % 2 == 1 { probe } else { 0 };
            prop_assert_eq!(clock.paused_until(now), Duration::from_millis(odd + open));
        }
    }
}
