//! Several schedules at once: bursts on top of a steady load.

use std::time::Duration;

use super::{Schedule, Step};

/// Follows several schedules at once, in order of time.
///
/// The first may be of any kind; later ones may only add arrivals ([`Step::Start`]) — bursts of
/// users are part of the user profile itself, because two answers to "how many users now?" would
/// contradict each other.
#[derive(Debug)]
pub struct MergedSchedule<S> {
    parts: Vec<Part<S>>,
    /// The part whose arrival was given out last.
    last: Option<usize>,
}

#[derive(Debug)]
struct Part<S> {
    schedule: S,
    pending: Option<Step>,
}

impl<S: Schedule> MergedSchedule<S> {
    /// Merges `schedules`.
    #[must_use]
    pub fn new(schedules: Vec<S>) -> Self {
        let parts = schedules.into_iter().map(|schedule| Part { schedule, pending: None });
        Self { parts: parts.collect(), last: None }
    }

    /// The schedules, to be changed: nothing that was not given out is remembered of them.
    pub(super) fn schedules_mut(&mut self) -> impl Iterator<Item = &mut S> {
        self.parts.iter_mut().map(|part| {
            if let Some(Step::Start { .. }) = part.pending.take() {
                part.schedule.take_back();
            }
            &mut part.schedule
        })
    }
}

impl<S: Schedule> Schedule for MergedSchedule<S> {
    fn next(&mut self, elapsed: Duration) -> Step {
        // Nothing to merge: the usual case, and the hot one.
        if let [only] = self.parts.as_mut_slice() {
            self.last = Some(0);
            return only.schedule.next(elapsed);
        }
        self.last = None;
        let mut users = None;
        let mut earliest: Option<(Duration, usize)> = None;
        for (index, part) in self.parts.iter_mut().enumerate() {
            let stale = matches!(part.pending, Some(Step::Users { until, .. }) if until <= elapsed);
            if part.pending.is_none() || stale {
                part.pending = Some(part.schedule.next(elapsed));
            }
            match part.pending {
                Some(Step::Users { active, until }) => users = Some((active, until)),
                Some(Step::Start { at }) if earliest.is_none_or(|(time, _)| at < time) => {
                    earliest = Some((at, index));
                }
                _ => {}
            }
        }
        match (users, earliest) {
            (Some((active, until)), Some((at, _))) if at > elapsed => {
                Step::Users { active, until: until.min(at) }
            }
            (_, Some((at, index))) => {
                self.parts[index].pending = None;
                self.last = Some(index);
                Step::Start { at }
            }
            (Some((active, until)), None) => Step::Users { active, until },
            (None, None) => Step::Finished,
        }
    }

    fn take_back(&mut self) {
        if let Some(part) = self.last.take() {
            self.parts[part].schedule.take_back();
        }
    }

    fn duration(&self) -> Duration {
        self.parts.iter().map(|part| part.schedule.duration()).max().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ArrivalSchedule, Profile, Shard, Spacing, UserSchedule};
    use super::*;

    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    fn arrivals(rate: f64, from: Duration, time: Duration) -> Box<dyn Schedule + Send> {
        let profile = Profile::starting_at(0.0).hold(from).to(rate, Duration::ZERO).hold(time);
        Box::new(ArrivalSchedule::new(profile, Spacing::Even, Shard::WHOLE))
    }

    /// Drives to the end on a simulated clock.
    fn trace(mut schedule: MergedSchedule<Box<dyn Schedule + Send>>) -> Vec<Step> {
        let (mut now, mut trace) = (Duration::ZERO, Vec::new());
        loop {
            let step = schedule.next(now);
            trace.push(step);
            match step {
                Step::Users { until, .. } => now = until,
                Step::Start { at } => now = now.max(at),
                Step::Finished => return trace,
            }
        }
    }

    #[test]
    fn two_rates_interleave_in_order() {
        let merged = MergedSchedule::new(vec![
            arrivals(10.0, ms(0), ms(300)),
            arrivals(20.0, ms(100), ms(100)),
        ]);
        let starts: Vec<_> = trace(merged)
            .iter()
            .filter_map(|step| match step {
                Step::Start { at } => Some(at.as_millis()),
                _ => None,
            })
            .collect();
        assert_eq!(starts, [0, 100, 100, 150, 200]);
    }

    #[test]
    fn a_burst_of_arrivals_on_top_of_users() {
        let users = UserSchedule::new(Profile::starting_at(5.0).hold(ms(300)), Shard::WHOLE);
        let merged = MergedSchedule::new(vec![Box::new(users), arrivals(20.0, ms(100), ms(100))]);
        assert_eq!(
            trace(merged),
            [
                Step::Users { active: 5, until: ms(100) },
                Step::Start { at: ms(100) },
                Step::Users { active: 5, until: ms(150) },
                Step::Start { at: ms(150) },
                Step::Users { active: 5, until: ms(300) },
                Step::Finished,
            ]
        );
    }
}
