//! Several schedules at once: bursts on top of a steady load.

use std::time::Duration;

use super::{Schedule, Step};

/// Follows several schedules at once, in order of time.
///
/// The first may be of any kind; later ones may only add arrivals ([`Step::Start`]) — bursts of
/// users are part of the user profile itself, because two answers to "how many users now?" would
/// contradict each other.
#[derive(Debug)]
pub struct MergedSchedule {
    parts: Vec<Part>,
}

#[derive(Debug)]
struct Part {
    schedule: Box<dyn Schedule + Send>,
    pending: Option<Step>,
}

impl MergedSchedule {
    /// Merges `schedules`.
    #[must_use]
    pub fn new(schedules: Vec<Box<dyn Schedule + Send>>) -> Self {
        let parts = schedules.into_iter().map(|schedule| Part { schedule, pending: None });
        Self { parts: parts.collect() }
    }
}

impl Schedule for MergedSchedule {
    fn next(&mut self, elapsed: Duration) -> Step {
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
                Step::Start { at }
            }
            (Some((active, until)), None) => Step::Users { active, until },
            (None, None) => Step::Finished,
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
    fn trace(mut schedule: MergedSchedule) -> Vec<Step> {
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
