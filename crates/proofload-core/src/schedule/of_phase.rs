//! From a phase of a plan to its schedule.

use std::time::Duration;

use super::{
    ArrivalSchedule, MergedSchedule, Profile, Schedule, Shard, Spacing, Step, UserSchedule,
};
use crate::plan::{self, Burst, BurstSize, Load, Phase};

/// "Until the work is done", as a duration: ten years.
const UNBOUNDED: Duration = Duration::from_secs(10 * 365 * 86_400);

/// The part of a phase's load that one shard carries.
///
/// In the course of the phase it can become that of the same phase with more or less load.
#[derive(Debug)]
pub struct PhaseSchedule {
    parts: MergedSchedule<Part>,
    shard: Shard,
}

/// One of the schedules that make up a phase's.
#[derive(Debug)]
enum Part {
    Users(UserSchedule),
    Arrivals(ArrivalSchedule),
    Volleys(Volleys),
}

/// The part of a phase's load that `shard` carries. `seed` decides where Poisson arrivals fall.
#[must_use]
pub fn of_phase(phase: &Phase, shard: Shard, seed: u64) -> PhaseSchedule {
    let steady = match &phase.load {
        Load::Users(_) | Load::SharedIterations { .. } => {
            Part::Users(UserSchedule::new(user_profile(phase), shard))
        }
        Load::Arrivals(load) => {
            let spacing = match load.spacing {
                plan::Spacing::Even => Spacing::Even,
                plan::Spacing::Poisson => Spacing::Poisson { seed },
            };
            let schedule = ArrivalSchedule::new(rate_profile(phase), spacing, shard);
            Part::Arrivals(schedule.at_most(load.max_arrivals))
        }
    };
    let end = steady.duration();
    let volleys = request_bursts(phase)
        .map(|(burst, requests)| Part::Volleys(Volleys::new(burst, requests, end, shard)));
    let parts = std::iter::once(steady).chain(volleys).collect();
    PhaseSchedule { parts: MergedSchedule::new(parts), shard }
}

impl PhaseSchedule {
    /// Goes over to `phase`, the same phase scaled ([`Phase::scaled`]), `from` so long after its start
    /// (load time). Every arrival due before `from` must have been given out and performed, and the
    /// step given out last must not have been: it is taken back, and comes again when it is due now.
    ///
    /// Arrivals before and after together are as many as the area under both rates, to one.
    pub fn reshape(&mut self, phase: &Phase, from: Duration) {
        self.parts.take_back();
        let shard = self.shard;
        let mut requests = request_bursts(phase).map(|(_, requests)| requests);
        for part in self.parts.schedules_mut() {
            match part {
                Part::Users(schedule) => schedule.reshape(user_profile(phase)),
                Part::Arrivals(schedule) => schedule.reshape(rate_profile(phase), from),
                Part::Volleys(volleys) => {
                    let requests = requests.next().unwrap_or(0);
                    volleys.reshape(shard.share_of(requests), from);
                }
            }
        }
    }
}

impl Schedule for PhaseSchedule {
    fn next(&mut self, elapsed: Duration) -> Step {
        self.parts.next(elapsed)
    }

    fn take_back(&mut self) {
        self.parts.take_back();
    }

    fn duration(&self) -> Duration {
        self.parts.duration()
    }
}

impl Schedule for Part {
    fn next(&mut self, elapsed: Duration) -> Step {
        match self {
            Self::Users(schedule) => schedule.next(elapsed),
            Self::Arrivals(schedule) => schedule.next(elapsed),
            Self::Volleys(schedule) => schedule.next(elapsed),
        }
    }

    fn take_back(&mut self) {
        match self {
            Self::Users(schedule) => schedule.take_back(),
            Self::Arrivals(schedule) => schedule.take_back(),
            Self::Volleys(schedule) => schedule.take_back(),
        }
    }

    fn duration(&self) -> Duration {
        match self {
            Self::Users(schedule) => schedule.duration(),
            Self::Arrivals(schedule) => schedule.duration(),
            Self::Volleys(schedule) => schedule.duration(),
        }
    }
}

/// How many users there are, over time; none in the open model.
fn user_profile(phase: &Phase) -> Profile {
    match &phase.load {
        Load::Users(load) => {
            let mut profile = Profile::starting_at(0.0);
            for stage in &load.stages {
                profile = profile.to(f64::from(stage.users), stage.over);
            }
            if load.unbounded {
                profile = profile.hold(UNBOUNDED);
            }
            with_user_bursts(profile, &phase.bursts)
        }
        Load::SharedIterations { users, max_duration, .. } => {
            Profile::starting_at(f64::from(*users)).hold(max_duration.unwrap_or(UNBOUNDED))
        }
        Load::Arrivals(_) => Profile::default(),
    }
}

/// How many arrivals a second there are, over time; none in the closed model.
fn rate_profile(phase: &Phase) -> Profile {
    let Load::Arrivals(load) = &phase.load else { return Profile::default() };
    let mut profile = Profile::starting_at(0.0);
    for stage in &load.stages {
        profile = profile.to(stage.per_second, stage.over);
    }
    let added = phase.bursts.iter().filter_map(|burst| match burst.size {
        BurstSize::Rate { per_second, lasts } => Some((burst, per_second, lasts)),
        BurstSize::Users { .. } | BurstSize::Requests(_) => None,
    });
    added.fold(profile, |profile, (burst, per_second, lasts)| {
        let begins = begins(burst, profile.duration());
        profile.plus(per_second, lasts, begins)
    })
}

/// The bursts that are so many arrivals at once.
fn request_bursts(phase: &Phase) -> impl Iterator<Item = (&Burst, u32)> {
    phase.bursts.iter().filter_map(|burst| match burst.size {
        BurstSize::Requests(requests) => Some((burst, requests)),
        BurstSize::Users { .. } | BurstSize::Rate { .. } => None,
    })
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
    /// Arrivals of this shard in the current volley, and in each that comes.
    share: u32,
    next_share: u32,
    volley: u32,
    fired: u32,
}

impl Volleys {
    fn new(burst: &Burst, requests: u32, end: Duration, shard: Shard) -> Self {
        let (first_at, every) = (burst.first_at, burst.every);
        let share = shard.share_of(requests);
        Self { first_at, every, end, share, next_share: share, volley: 0, fired: 0 }
    }

    /// When the current volley is, if there is one.
    fn at(&self) -> Option<Duration> {
        let at = match (self.volley, self.every) {
            (0, _) => self.first_at,
            (volley, Some(every)) => self.first_at.checked_add(every.checked_mul(volley)?)?,
            (_, None) => return None,
        };
        (at < self.end).then_some(at)
    }

    /// Volleys that have not begun are of another size from now on.
    fn reshape(&mut self, share: u32, from: Duration) {
        self.next_share = share;
        if self.fired == 0 {
            self.share = share;
            // With nothing to fire, time has gone by unnoticed.
            while self.at().is_some_and(|at| at < from) {
                self.volley = self.volley.saturating_add(1);
            }
        }
    }
}

impl Schedule for Volleys {
    fn next(&mut self, _elapsed: Duration) -> Step {
        if self.fired == self.share && self.share > 0 {
            self.fired = 0;
            self.share = self.next_share;
            self.volley = self.volley.saturating_add(1);
        }
        match self.at() {
            Some(at) if self.share > 0 => {
                self.fired += 1;
                Step::Start { at }
            }
            _ => Step::Finished,
        }
    }

    fn take_back(&mut self) {
        self.fired = self.fired.saturating_sub(1);
    }

    fn duration(&self) -> Duration {
        self.end
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::plan::{ArrivalLoad, Overload, RateStage, UserLoad, UserStage};

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

    /// Simulates the phase on some shards; at each of the times the load becomes that many times the
    /// plan's. When iterations start.
    fn changed(
        phase: &Phase,
        shards: u32,
        seed: u64,
        changes: &[(Duration, f64)],
    ) -> Vec<Duration> {
        let mut starts = Vec::new();
        for index in 0..shards {
            let mut schedule = of_phase(phase, Shard::new(index, shards), seed);
            let (mut now, mut changes) = (Duration::ZERO, changes.iter().peekable());
            loop {
                let step = schedule.next(now);
                let is_due = |from: Duration| match step {
                    Step::Start { at } => at >= from,
                    Step::Users { .. } => now >= from,
                    Step::Finished => true,
                };
                if let Some(&(from, factor)) = changes.next_if(|&&(from, _)| is_due(from)) {
                    schedule.reshape(&phase.scaled(factor), from);
                    continue;
                }
                match step {
                    Step::Start { at } => {
                        starts.push(at);
                        now = now.max(at);
                    }
                    Step::Users { until, .. } => {
                        now = changes.peek().map_or(until, |&&(from, _)| until.min(from));
                    }
                    Step::Finished => break,
                }
            }
        }
        starts.sort_unstable();
        starts
    }

    #[test]
    fn the_spacing_goes_over_smoothly_where_the_rate_changes() {
        // A quarter of the way to the next arrival had been gone at 10 a second, the rest at 20.
        let starts = changed(
            &phase(rate(&[(10.0, 0), (10.0, 1)]), Vec::new()),
            1,
            0,
            &[(Duration::from_millis(425), 2.0)],
        );
        let first: Vec<f64> =
            starts.iter().skip(3).take(4).map(|at| at.as_secs_f64() * 1e3).collect();
        for (at, expect) in first.iter().zip([300.0, 400.0, 462.5, 512.5]) {
            assert!((at - expect).abs() < 1e-3, "{first:?}");
        }
        assert_eq!(starts.len(), 5 + 11);
    }

    #[test]
    fn poisson_arrivals_go_on_with_their_seed() {
        let Load::Arrivals(load) = rate(&[(100.0, 0), (100.0, 20)]) else { unreachable!() };
        let load = ArrivalLoad { spacing: plan::Spacing::Poisson, ..load };
        let phase = phase(Load::Arrivals(load), Vec::new());
        let whole = changed(&phase, 2, 7, &[]);
        // Scaled to what it is: nothing changes but rounding.
        let same = changed(&phase, 2, 7, &[(s(3), 1.0), (s(9), 1.0)]);
        assert_eq!(whole.len(), same.len());
        for (one, other) in whole.iter().zip(&same) {
            assert!(one.abs_diff(*other) < Duration::from_micros(1));
        }
        // Doubled from the middle on: what came in the last 10 s comes in 5 s.
        let doubled = changed(&phase, 2, 7, &[(s(10), 2.0)]);
        let until = |starts: &[Duration], end| starts.iter().filter(|&&at| at < end).count();
        assert_eq!(until(&doubled, s(15)), until(&whole, s(20)));
        let expect = 100.0 * 10.0 + 200.0 * 10.0;
        assert!((doubled.len() as f64 - expect).abs() < 4.0 * expect.sqrt());
    }

    #[test]
    fn a_volley_that_has_begun_keeps_its_size() {
        let burst = Burst { size: BurstSize::Requests(4), first_at: s(1), every: Some(s(1)) };
        let phase = phase(users(&[(2, 0), (2, 6)]), vec![burst]);
        let counts = |changes: &[(Duration, f64)]| {
            let starts = changed(&phase, 3, 0, changes);
            [1, 2, 3, 4, 5].map(|at| starts.iter().filter(|&&start| start == s(at)).count())
        };
        assert_eq!(counts(&[]), [4; 5]);
        assert_eq!(counts(&[(Duration::from_millis(2_500), 2.0), (s(5), 0.5)]), [4, 4, 8, 8, 2]);
        // Some shards have nothing to fire for a while, and do not make up for it.
        let half = Duration::from_millis(1_500);
        assert_eq!(counts(&[(half, 0.25), (half + s(2), 3.0)]), [4, 1, 1, 12, 12]);
    }

    /// In seconds, 0.588 and what is between it and 1.712 add up to more than 1.712.
    #[test]
    fn changes_at_times_that_cannot_be_written_exactly_lose_nothing() {
        let phase = phase(rate(&[(4.0, 2)]), Vec::new());
        let ms = Duration::from_millis;
        let starts = changed(&phase, 1, 0, &[(ms(588), 0.52), (ms(1_712), 2.17)]);
        // The area is 4.01.
        assert_eq!(starts.len(), 5, "{starts:?}");
    }

    #[test]
    fn users_follow_at_once() {
        let phase = phase(users(&[(10, 10), (10, 10)]), Vec::new());
        let mut schedule = of_phase(&phase, Shard::WHOLE, 1);
        assert!(matches!(schedule.next(s(15)), Step::Users { active: 10, .. }));
        schedule.reshape(&phase.scaled(2.5), s(15));
        assert_eq!(schedule.next(s(15)), Step::Users { active: 25, until: s(20) });
        let mut ramping = of_phase(&phase, Shard::WHOLE, 1);
        ramping.reshape(&phase.scaled(2.0), s(5));
        assert!(matches!(ramping.next(s(5)), Step::Users { active: 11, .. }));
    }

    #[test]
    fn a_limit_on_arrivals_ends_the_load() {
        let Load::Arrivals(load) = rate(&[(10.0, 0), (10.0, 10)]) else { unreachable!() };
        let load = ArrivalLoad { max_arrivals: Some(4), ..load };
        let (starts, _) = trace(&phase(Load::Arrivals(load), Vec::new()));
        assert_eq!(starts, [0, 100, 200, 300]);
    }

    proptest! {
        #[test]
        fn arrivals_around_changes_are_the_area_under_the_rates(
            stages in prop::collection::vec((0_u32..200, 0_u64..4), 1..4),
            changes in prop::collection::vec((1_u64..4_000, 1_u32..400), 0..4),
            shards in 1_u32..4,
            burst in prop::option::of((1_u32..100, 0_u64..5)),
        ) {
            let stages: Vec<_> =
                stages.into_iter().map(|(rate, over)| (f64::from(rate), over)).collect();
            let burst = burst.map(|(per_second, at)| Burst {
                size: BurstSize::Rate { per_second: f64::from(per_second), lasts: s(1) },
                first_at: s(at),
                every: Some(s(3)),
            });
            let phase = phase(rate(&stages), Vec::from_iter(burst));
            let mut at = 0;
            let changes: Vec<_> = changes
                .into_iter()
                .map(|(later, percent)| {
                    at += later;
                    (Duration::from_millis(at), f64::from(percent) / 100.0)
                })
                .collect();
            let starts = changed(&phase, shards, 0, &changes);
            // The area between two changes, under the rate that holds there.
            let end = rate_profile(&phase).duration();
            let mut edges = vec![(Duration::ZERO, 1.0)];
            edges.extend(changes.iter().copied().filter(|&(from, _)| from < end));
            let mut area = 0.0;
            for (index, &(from, factor)) in edges.iter().enumerate() {
                let until = edges.get(index + 1).map_or(end, |&(until, _)| until);
                let profile = rate_profile(&phase.scaled(factor));
                area += profile.area_until(until) - profile.area_until(from);
                let so_far = starts.iter().filter(|&&start| start < until).count() as f64;
                prop_assert!((so_far - area).abs() <= 1.0 + 1e-6, "{so_far} starts, area {area}");
            }
        }
    }
}
