//! Open load: when iterations start, whether or not earlier ones have ended.

use std::time::Duration;

use super::{Profile, Schedule, Segment, Shard, Step};

/// How arrivals are spaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Spacing {
    /// Evenly: at a constant rate the gap is always the same.
    #[default]
    Even,
    /// As a Poisson process with the profile as its rate: independent users, the way real traffic
    /// arrives.
    Poisson {
        /// Seed of the gaps; the same seed gives the same arrivals.
        seed: u64,
    },
}

/// Starts iterations at a rate that follows a [`Profile`].
///
/// With *N(t)* the area under the rate up to *t*, arrival *k* is at the *t* where *N(t) = k*
/// ([`Spacing::Even`]) or where *N(t)* reaches the sum of *k* unit-exponential gaps
/// ([`Spacing::Poisson`], the time-change theorem for non-homogeneous Poisson processes). The
/// times are computed from the start and not from the previous arrival, so errors do not add up.
#[derive(Clone, Debug)]
pub struct ArrivalSchedule {
    profile: Profile,
    shard: Shard,
    /// The piece the next arrival is looked for in, and the area before it.
    segment: usize,
    area_before: f64,
    next_local: u64,
    limit: u64,
    gaps: Option<ExponentialGaps>,
    /// The area of the arrival that was given out last, and of one that is to come again.
    given: Option<f64>,
    taken_back: Option<f64>,
}

impl ArrivalSchedule {
    /// The part of `profile` (in arrivals per second) that `shard` carries.
    #[must_use]
    pub fn new(profile: Profile, spacing: Spacing, shard: Shard) -> Self {
        let gaps = match spacing {
            Spacing::Even => None,
            Spacing::Poisson { seed } => Some(ExponentialGaps::new(seed, shard)),
        };
        Self {
            profile,
            shard,
            segment: 0,
            area_before: 0.0,
            next_local: 0,
            limit: u64::MAX,
            gaps,
            given: None,
            taken_back: None,
        }
    }

    /// Ends the whole load after `arrivals`, if the profile has not ended by then.
    #[must_use]
    pub fn at_most(mut self, arrivals: Option<u64>) -> Self {
        self.limit = arrivals.map_or(u64::MAX, |arrivals| self.shard.share_of_u64(arrivals));
        self
    }

    /// Follows `profile` from `from` on; every arrival due before must have been given out. Arrivals
    /// are due where the area under both rates together reaches their number, so that none is left
    /// out or comes twice and the spacing goes over smoothly.
    pub(super) fn reshape(&mut self, profile: Profile, from: Duration) {
        let pieces = self.profile.segments().iter().take(self.segment);
        let passed: f64 = pieces.map(Segment::area).sum();
        self.area_before += self.profile.area_until(from) - passed;
        self.profile = profile.rest(from);
        self.segment = 0;
    }

    /// The area under the rate of the whole load at which this shard's next arrival is due.
    fn next_area(&mut self) -> f64 {
        if let Some(area) = self.taken_back.take() {
            return area;
        }
        let local = self.next_local;
        self.next_local += 1;
        match &mut self.gaps {
            None => self.shard.global(local) as f64,
            // Thinning a Poisson process into `count` equal parts leaves Poisson processes.
            Some(gaps) => gaps.next_sum() * f64::from(self.shard.count()),
        }
    }
}

impl Schedule for ArrivalSchedule {
    fn next(&mut self, _elapsed: Duration) -> Step {
        if self.next_local >= self.limit && self.taken_back.is_none() {
            self.given = None;
            return Step::Finished;
        }
        let area = self.next_area();
        while let Some(segment) = self.profile.segments().get(self.segment) {
            let within = area - self.area_before;
            // An arrival exactly at the end of a piece belongs to the next one, or to none.
            if within < segment.area() * (1.0 - 1e-12) {
                self.given = Some(area);
                let at_s = segment.start_s + segment.time_of_area(within);
                return Step::Start { at: Duration::from_secs_f64(at_s) };
            }
            self.area_before += segment.area();
            self.segment += 1;
        }
        // It may come yet, if the load is changed.
        self.taken_back = Some(area);
        self.given = None;
        Step::Finished
    }

    fn take_back(&mut self) {
        if let Some(area) = self.given.take() {
            self.taken_back = Some(area);
        }
    }

    fn duration(&self) -> Duration {
        self.profile.duration()
    }
}

/// Running sum of independent exponential gaps with mean 1.
#[derive(Clone, Debug)]
struct ExponentialGaps {
    rng: fastrand::Rng,
    sum: f64,
}

impl ExponentialGaps {
    fn new(seed: u64, shard: Shard) -> Self {
        let shard_seed = seed ^ u64::from(shard.index()).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        Self { rng: fastrand::Rng::with_seed(shard_seed), sum: 0.0 }
    }

    fn next_sum(&mut self) -> f64 {
        // 1 − u lies in (0, 1], where the logarithm is finite.
        self.sum += -(1.0 - self.rng.f64()).ln();
        self.sum
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn times(profile: &Profile, spacing: Spacing, shard: Shard) -> Vec<Duration> {
        let mut schedule = ArrivalSchedule::new(profile.clone(), spacing, shard);
        let mut times = Vec::new();
        while let Step::Start { at } = schedule.next(Duration::ZERO) {
            times.push(at);
        }
        assert_eq!(schedule.next(Duration::ZERO), Step::Finished, "the end is final");
        times
    }

    #[test]
    fn a_constant_rate_is_evenly_spaced_from_zero() {
        let profile = Profile::starting_at(4.0).hold(Duration::from_secs(1));
        let times: Vec<_> =
            times(&profile, Spacing::Even, Shard::WHOLE).iter().map(Duration::as_millis).collect();
        assert_eq!(times, [0, 250, 500, 750]);
    }

    #[test]
    fn errors_do_not_add_up_over_a_day() {
        let profile = Profile::starting_at(3.0).hold(Duration::from_secs(86_400));
        let times = times(&profile, Spacing::Even, Shard::WHOLE);
        assert_eq!(times.len(), 3 * 86_400);
        let last = times.last().expect("there are arrivals").as_secs_f64();
        assert!((last - (86_400.0 - 1.0 / 3.0)).abs() < 1e-6);
    }

    #[test]
    fn poisson_gaps_have_the_mean_and_spread_of_a_poisson_process() {
        let profile = Profile::starting_at(1_000.0).hold(Duration::from_secs(100));
        let times = times(&profile, Spacing::Poisson { seed: 7 }, Shard::WHOLE);
        let gaps: Vec<f64> = times.windows(2).map(|w| (w[1] - w[0]).as_secs_f64()).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let variance = gaps.iter().map(|g| (g - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
        assert!((mean * 1_000.0 - 1.0).abs() < 0.02, "mean gap {mean}");
        // An exponential's standard deviation equals its mean.
        assert!((variance.sqrt() / mean - 1.0).abs() < 0.02);
    }

    proptest! {
        #[test]
        fn shards_together_are_the_whole(
            stages in prop::collection::vec((0_u32..300, 0_u64..3_000), 1..5),
            start in 0_u32..100,
            count in 1_u32..5,
        ) {
            let mut profile = Profile::starting_at(f64::from(start));
            for (rate, over_ms) in stages {
                profile = profile.to(f64::from(rate), Duration::from_millis(over_ms));
            }
            let whole = times(&profile, Spacing::Even, Shard::WHOLE);
            let mut parts: Vec<_> = (0..count)
                .flat_map(|index| times(&profile, Spacing::Even, Shard::new(index, count)))
                .collect();
            parts.sort();
            prop_assert_eq!(&parts, &whole);
            prop_assert!(whole.is_sorted());
            prop_assert!(whole.len() as f64 >= profile.area().floor());
            prop_assert!(whole.len() as f64 <= profile.area() + 1.0);
        }
    }
}
