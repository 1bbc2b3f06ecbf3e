//! From a phase of a plan to its schedule.

use std::time::Duration;

use super::{
    ArrivalSchedule, MergedSchedule, Profile, Schedule, Shard, Spacing, Step, UserSchedule,
};
use crate::plan::{self, ArrivalLoad, Burst, BurstSize, Load, Phase};

/// "Until the work is done", as a duration: ten years.
const UNBOUNDED: Duration = Duration::from_secs(10 * 365 * 86_400);

/// The part of a phase's load that `shard` carries. `seed` decides where Poisson arrivals fall.
#[must_use]
pub fn of_phase(phase: &Phase, shard: Shard, seed: u64) -> Box<dyn Schedule + Send> {
    let steady: Box<dyn Schedule + Send> = match &phase.load {
        Load::Users(load) => {
            let mut profile = Profile::starting_at(0.0);
            for stage in &load.stages {
                profile = profile.to(f64::from(stage.users), stage.over);
            }
            if load.unbounded {
                profile = profile.hold(UNBOUNDED);
            }
            Box::new(UserSchedule::new(with_user_bursts(profile, &phase.bursts), shard))
        }
        Load::SharedIterations { users, max_duration, .. } => {
            let profile =
                Profile::starting_at(f64::from(*users)).hold(max_duration.unwrap_or(UNBOUNDED));
            Box::new(UserSchedule::new(profile, shard))
        }
        Load::Arrivals(load) => Box::new(arrivals(load, &phase.bursts, shard, seed)),
    };
    let end = steady.duration();
    let requests = phase.bursts.iter().filter_map(|burst| match burst.size {
        BurstSize::Requests(requests) => Some((burst, requests)),
        BurstSize::Users { .. } | BurstSize::Rate { .. } => None,
    });
    let volleys: Vec<_> = requests
        .map(|(burst, requests)| -> Box<dyn Schedule + Send> {
            Box::new(Volleys::new(burst, requests, end, shard))
        })
        .collect();
    if volleys.is_empty() {
        return steady;
    }
    Box::new(MergedSchedule::new(std::iter::once(steady).chain(volleys).collect()))
}

fn arrivals(load: &ArrivalLoad, bursts: &[Burst], shard: Shard, seed: u64) -> ArrivalSchedule {
    let mut profile = Profile::starting_at(0.0);
    for stage in &load.stages {
        profile = profile.to(stage.per_second, stage.over);
    }
    let added = bursts.iter().filter_map(|burst| match burst.size {
        BurstSize::Rate { per_second, lasts } => Some((burst, per_second, lasts)),
        BurstSize::Users { .. } | BurstSize::Requests(_) => None,
    });
    let profile = added.fold(profile, |profile, (burst, per_second, lasts)| {
        let begins = begins(burst, profile.duration());
        profile.plus(per_second, lasts, begins)
    });
    let spacing = match load.spacing {
        plan::Spacing::Even => Spacing::Even,
        plan::Spacing::Poisson => Spacing::Poisson { seed },
    };
    ArrivalSchedule::new(profile, spacing, shard).at_most(load.max_arrivals)
}

fn with_user_bursts(profile: Profile, bursts: &[Burst]) -> Profile {
    let added = bursts.iter().filter_map(|burst| match burst.size {
        BurstSize::Users { users, lasts } => Some((burst, users, lasts)),
        BurstSize::Rate { .. } | BurstSize::Requests(_) => None,
    });
    added.fold(profile, |profile, (burst, users, lasts)| {
        let begins = begins(burst, profile.duration());
        profile.plus(f64::from(users), lasts, begins)
    })
}

/// The times, before `end`, at which a burst begins.
fn begins(burst: &Burst, end: Duration) -> Vec<Duration> {
    let times = std::iter::successors(Some(burst.first_at), |&at| {
        burst.every.map(|every| at.saturating_add(every))
    });
    times.take_while(|&at| at < end).take(MAX_BURSTS).collect()
}

/// More bursts than this in one phase are not laid out in advance.
const MAX_BURSTS: usize = 100_000;

/// So many arrivals at once, again and again.
#[derive(Debug)]
struct Volleys {
    first_at: Duration,
    every: Option<Duration>,
    end: Duration,
    /// Arrivals of this shard in each volley.
    share: u32,
    volley: u32,
    fired: u32,
}

impl Volleys {
    fn new(burst: &Burst, requests: u32, end: Duration, shard: Shard) -> Self {
        let (first_at, every) = (burst.first_at, burst.every);
        Self { first_at, every, end, share: shard.share_of(requests), volley: 0, fired: 0 }
    }
}

impl Schedule for Volleys {
    fn next(&mut self, _elapsed: Duration) -> Step {
        if self.share == 0 {
            return Step::Finished;
        }
        if self.fired == self.share {
            self.fired = 0;
            self.volley = self.volley.saturating_add(1);
        }
        let at = match (self.volley, self.every) {
            (0, _) => self.first_at,
            (volley, Some(every)) => self.first_at + every * volley,
            (_, None) => return Step::Finished,
        };
        if at >= self.end {
            return Step::Finished;
        }
        self.fired += 1;
        Step::Start { at }
    }

    fn duration(&self) -> Duration {
        self.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Overload, RateStage, UserLoad, UserStage};

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn phase(load: Load, bursts: Vec<Burst>) -> Phase {
        Phase {
            name: "test".into(),
            load,
            kinds: Vec::new(),
            bursts,
            expect: Vec::new(),
            stop_when: Vec::new(),
            step_every: None,
            graceful_stop: s(30),
            think_time: None,
            abort_on_fail: false,
            abort_delay: Duration::ZERO,
        }
    }

    fn users(stages: &[(u32, u64)]) -> Load {
        let stages = stages.iter().map(|&(users, over)| UserStage { users, over: s(over) });
        Load::Users(UserLoad {
            stages: stages.collect(),
            iterations_per_user: None,
            unbounded: false,
        })
    }

    fn rate(stages: &[(f64, u64)]) -> Load {
        let stages =
            stages.iter().map(|&(per_second, over)| RateStage { per_second, over: s(over) });
        Load::Arrivals(ArrivalLoad {
            stages: stages.collect(),
            max_users: 10,
            spacing: plan::Spacing::Even,
            overload: Overload::Drop,
            max_arrivals: None,
        })
    }

    /// Simulates the phase: starts in milliseconds, and users at every change.
    fn trace(phase: &Phase) -> (Vec<u128>, Vec<(u128, u32)>) {
        let mut schedule = of_phase(phase, Shard::WHOLE, 1);
        let (mut now, mut starts, mut levels) = (Duration::ZERO, Vec::new(), Vec::new());
        loop {
            match schedule.next(now) {
                Step::Start { at } => {
                    starts.push(at.as_millis());
                    now = now.max(at);
                }
                Step::Users { active, until } => {
                    if levels.last().is_none_or(|&(_, last)| last != active) {
                        levels.push((now.as_millis(), active));
                    }
                    now = until;
                }
                Step::Finished => return (starts, levels),
            }
        }
    }

    #[test]
    fn a_stage_without_length_starts_all_at_once() {
        let (starts, levels) = trace(&phase(users(&[(5, 0), (5, 10)]), Vec::new()));
        assert_eq!((starts, levels), (vec![], vec![(0, 5)]));
    }

    #[test]
    fn bursts_of_users_come_on_top_and_go_again() {
        let size = BurstSize::Users { users: 100, lasts: s(1) };
        let burst = Burst { size, first_at: s(2), every: Some(s(5)) };
        let (_, levels) = trace(&phase(users(&[(5, 0), (5, 10)]), vec![burst]));
        assert_eq!(levels, [(0, 5), (2_000, 105), (3_000, 5), (7_000, 105), (8_000, 5)]);
    }

    #[test]
    fn bursts_of_arrivals_come_on_top() {
        let size = BurstSize::Rate { per_second: 3.0, lasts: s(1) };
        let burst = Burst { size, first_at: s(1), every: None };
        let (starts, _) = trace(&phase(rate(&[(1.0, 0), (1.0, 3)]), vec![burst]));
        assert_eq!(starts, [0, 1_000, 1_250, 1_500, 1_750, 2_000]);
    }

    #[test]
    fn a_volley_is_fired_at_once() {
        let burst = Burst { size: BurstSize::Requests(3), first_at: s(1), every: Some(s(4)) };
        let (starts, levels) = trace(&phase(users(&[(2, 0), (2, 8)]), vec![burst]));
        assert_eq!(starts, [1_000, 1_000, 1_000, 5_000, 5_000, 5_000]);
        assert_eq!(levels, [(0, 2)]);
    }

    #[test]
    fn a_limit_on_arrivals_ends_the_load() {
        let Load::Arrivals(load) = rate(&[(10.0, 0), (10.0, 10)]) else { unreachable!() };
        let load = ArrivalLoad { max_arrivals: Some(4), ..load };
        let (starts, _) = trace(&phase(Load::Arrivals(load), Vec::new()));
        assert_eq!(starts, [0, 100, 200, 300]);
    }
}
