//! Closed load: how many virtual users are active.

use std::time::Duration;

use super::{Profile, Schedule, Segment, Shard, Step};

/// Keeps a number of users active that follows a [`Profile`].
///
/// On a rising piece the *k*-th new user starts as soon as the line passes *k* − 1, so that the
/// first one starts at once (as with Locust's spawn rate); on a falling piece a user leaves when the
/// line has fallen by a whole user, so that the last one leaves at the end.
#[derive(Clone, Debug)]
pub struct UserSchedule {
    profile: Profile,
    shard: Shard,
}

impl UserSchedule {
    /// The part of `profile` (in users) that `shard` carries.
    #[must_use]
    pub fn new(profile: Profile, shard: Shard) -> Self {
        Self { profile, shard }
    }

    /// Follows another profile from now on.
    pub(super) fn reshape(&mut self, profile: Profile) {
        self.profile = profile;
    }
}

impl Schedule for UserSchedule {
    fn next(&mut self, elapsed: Duration) -> Step {
        let mut at = elapsed;
        let Some((mut active, mut until)) = step_at(&self.profile, at) else {
            return Step::Finished;
        };
        let share = self.shard.share_of(active);
        // Changes that only concern other shards are skipped here: no wake-up for nothing.
        while until < self.profile.duration() {
            at = until;
            match step_at(&self.profile, at) {
                Some((next_active, next_until)) if self.shard.share_of(next_active) == share => {
                    (active, until) = (next_active, next_until);
                }
                _ => break,
            }
        }
        Step::Users { active: self.shard.share_of(active), until }
    }

    /// Nothing: the next answer follows from the time alone.
    fn take_back(&mut self) {}

    fn duration(&self) -> Duration {
        self.profile.duration()
    }
}

/// The users active at `at` and the time, strictly later, when that may change.
fn step_at(profile: &Profile, at: Duration) -> Option<(u32, Duration)> {
    if at >= profile.duration() {
        return None;
    }
    let at_s = at.as_secs_f64();
    let segment = profile.segments().iter().find(|segment| at_s < segment.end_s())?;
    let active = active_at(segment, at_s);
    let change_s = next_change(segment, active);
    let end = Duration::from_secs_f64(segment.end_s()).min(profile.duration());
    // Rounding to nanoseconds must neither stand still nor overshoot the piece.
    let until = Duration::from_secs_f64(change_s).max(at + Duration::from_nanos(1)).min(end);
    Some((active, until.max(at + Duration::from_nanos(1))))
}

/// Half a nanosecond's worth of users is rounding noise, not a user.
const NOISE: f64 = 1e-6;

fn active_at(segment: &Segment, at_s: f64) -> u32 {
    let value = segment.value_at(at_s);
    let users = if segment.to > segment.from {
        ((value + NOISE).floor() + 1.0).min(segment.to.ceil())
    } else {
        (value - NOISE).ceil()
    };
    users.clamp(0.0, f64::from(u32::MAX)) as u32
}

fn next_change(segment: &Segment, active: u32) -> f64 {
    let level = if segment.to > segment.from {
        f64::from(active)
    } else if segment.to < segment.from {
        f64::from(active) - 1.0
    } else {
        return segment.end_s();
    };
    let share = (level - segment.from) / (segment.to - segment.from);
    if share > 0.0 && share < 1.0 {
        segment.start_s + share * segment.length_s
    } else {
        segment.end_s()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    /// Runs a schedule to its end on a simulated clock: (time, users) at every change.
    fn trace(schedule: &mut UserSchedule) -> Vec<(u128, u32)> {
        let mut trace = Vec::new();
        let mut now = Duration::ZERO;
        while let Step::Users { active, until } = schedule.next(now) {
            assert!(until > now, "time goes on");
            if trace.last().is_none_or(|&(_, last)| last != active) {
                trace.push((now.as_millis(), active));
            }
            now = until;
        }
        assert_eq!(now, schedule.duration());
        trace
    }

    fn check(profile: Profile, expect: &[(u128, u32)]) {
        assert_eq!(trace(&mut UserSchedule::new(profile, Shard::WHOLE)), expect);
    }

    #[test]
    fn ramps_start_the_first_user_at_once_and_keep_the_last_to_the_end() {
        check(Profile::starting_at(5.0).hold(ms(1000)), &[(0, 5)]);
        check(
            Profile::starting_at(0.0).to(4.0, ms(1000)).hold(ms(500)),
            &[(0, 1), (250, 2), (500, 3), (750, 4)],
        );
        check(Profile::starting_at(2.0).to(0.0, ms(1000)), &[(0, 2), (500, 1)]);
        check(
            Profile::starting_at(1.0).hold(ms(100)).to(3.0, Duration::ZERO).hold(ms(100)),
            &[(0, 1), (100, 3)],
        );
    }

    #[test]
    fn a_pause_at_zero_users_is_a_step_of_its_own() {
        check(
            Profile::starting_at(2.0).hold(ms(10)).to(0.0, Duration::ZERO).hold(ms(10)),
            &[(0, 2), (10, 0)],
        );
    }

    proptest! {
        #[test]
        fn shards_add_up_at_every_moment(
            stages in prop::collection::vec((0_u32..200, 0_u64..5_000), 1..6),
            count in 1_u32..5,
        ) {
            let mut profile = Profile::starting_at(0.0);
            for (users, over_ms) in stages {
                profile = profile.to(f64::from(users), ms(over_ms));
            }
            let mut shards: Vec<_> = (0..count)
                .map(|index| UserSchedule::new(profile.clone(), Shard::new(index, count)))
                .collect();
            let mut whole = UserSchedule::new(profile.clone(), Shard::WHOLE);
            for probe in 0..100_u32 {
                let at = profile.duration() * probe / 100;
                let users = |schedule: &mut UserSchedule| match schedule.next(at) {
                    Step::Users { active, .. } => active,
                    _ => 0,
                };
                let sum: u32 = shards.iter_mut().map(users).sum();
                prop_assert_eq!(sum, users(&mut whole));
            }
        }

        #[test]
        fn it_always_ends(
            from in 0.0_f64..1e4, to in 0.0_f64..1e4, over_ms in 1_u64..100_000,
        ) {
            let profile = Profile::starting_at(from).to(to, ms(over_ms));
            let steps = trace(&mut UserSchedule::new(profile, Shard::WHOLE));
            prop_assert!(steps.len() as f64 <= (from - to).abs() + 3.0);
        }
    }
}
