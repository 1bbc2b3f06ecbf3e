//! Whether a measurement can be trusted: the generator judges itself.
//!
//! The rules, each with its constant here, are about what makes the numbers say something else than
//! what the system under test did:
//!
//! - A worker was saturated (busy > 90 % of an interval) for more than [`MAX_SATURATED_SHARE`] of
//!   the time: answers waited in the generator, and that wait was counted as the server's.
//! - Iterations started late: the lag at p50 or p99 is more than [`MAX_LAG_SHARE`] of the response
//!   time at the same percentile, and more than [`LAG_FLOOR_NS`]. In open load the lag is part of
//!   the response time, so it shifts the result by as much.
//! - Timers fired late by more than [`MAX_TIMER_LAG_NS`] at p99: the load had another rhythm.
//! - More than [`MAX_DROPPED_SHARE`] of the iterations were dropped because `max_users` were busy:
//!   the slowest moments are missing from the distribution.
//! - The generator ran out of ports or descriptors: failures that are not the server's.
//! - The clock jumped, samples were dropped, or intervals of a shard are missing.

use super::measured::{PhaseFigures, share};
use crate::metrics::{ErrorKind, Histogram};
use crate::units::{human_count, human_ns, human_ratio};
use std::fmt;

/// Share of the workers' time in which they may be saturated.
pub const MAX_SATURATED_SHARE: f64 = 0.05;
/// Share of the response time that the start lag may make up.
pub const MAX_LAG_SHARE: f64 = 0.1;
/// A start lag below this is noise of timers and schedulers, in nanoseconds.
pub const LAG_FLOOR_NS: u64 = 1_000_000;
/// How late timers may fire at p99, in nanoseconds.
pub const MAX_TIMER_LAG_NS: u64 = 50_000_000;
/// Share of the iterations that may be dropped.
pub const MAX_DROPPED_SHARE: f64 = 0.001;

/// One reason not to trust a measurement.
#[derive(Clone, Debug, PartialEq)]
pub enum Doubt {
    /// Workers were saturated for this share of their time.
    Saturated {
        /// 0…1.
        share: f64,
        /// Highest busy share of a worker in an interval, 0…1.
        peak: f64,
    },
    /// Iterations started late compared with the response times.
    StartLag {
        /// `p50` or `p99`.
        percentile: &'static str,
        /// Lag in nanoseconds.
        lag_ns: u64,
        /// Response time in nanoseconds at the same percentile.
        response_ns: u64,
    },
    /// Timers fired late.
    TimerLag {
        /// Lag at p99 in nanoseconds.
        p99_ns: u64,
    },
    /// Iterations were not started because all users were busy.
    Dropped {
        /// How many.
        dropped: u64,
        /// Of all iterations that were due, 0…1.
        share: f64,
    },
    /// Out of local ports.
    PortsExhausted(u64),
    /// Out of file descriptors.
    DescriptorsExhausted(u64),
    /// The clock jumped.
    ClockJumps(u64),
    /// Samples were dropped.
    SamplesDropped(u64),
    /// Intervals of a shard never arrived.
    SnapshotsMissing(u64),
}

impl Doubt {
    /// Whether something counted occurred at all.
    fn occurred(&self) -> bool {
        match self {
            Self::PortsExhausted(count)
            | Self::DescriptorsExhausted(count)
            | Self::ClockJumps(count)
            | Self::SamplesDropped(count)
            | Self::SnapshotsMissing(count) => *count > 0,
            Self::Saturated { .. }
            | Self::StartLag { .. }
            | Self::TimerLag { .. }
            | Self::Dropped { .. } => true,
        }
    }

    /// Stable identifier, as it stands in `result.json`.
    #[must_use]
    pub const fn id(&self) -> &'static str {
        match self {
            Self::Saturated { .. } => "saturated",
            Self::StartLag { .. } => "start_lag",
            Self::TimerLag { .. } => "timer_lag",
            Self::Dropped { .. } => "dropped_iterations",
            Self::PortsExhausted(_) => "ports_exhausted",
            Self::DescriptorsExhausted(_) => "too_many_open_files",
            Self::ClockJumps(_) => "clock_jumps",
            Self::SamplesDropped(_) => "samples_dropped",
            Self::SnapshotsMissing(_) => "intervals_missing",
        }
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Saturated { share, peak } => write!(
                f,
                "the load generator was saturated {} of the time (busiest worker {}): use more \
                 cores or machines, or less load",
                human_ratio(*share),
                human_ratio(*peak)
            ),
            Self::StartLag { percentile, lag_ns, response_ns } => write!(
                f,
                "iterations started late: {} at {percentile}, where the response time is {}",
                human_ns(*lag_ns as f64),
                human_ns(*response_ns as f64)
            ),
            Self::TimerLag { p99_ns } => {
                write!(f, "timers fired up to {} late (p99)", human_ns(*p99_ns as f64))
            }
            Self::Dropped { dropped, share } => write!(
                f,
                "{} iterations ({}) were never started because all users were busy: raise \
                 `max_users`",
                human_count(*dropped),
                human_ratio(*share)
            ),
            Self::PortsExhausted(count) => write!(
                f,
                "the load generator ran out of local ports ({} requests)",
                human_count(*count)
            ),
            Self::DescriptorsExhausted(count) => write!(
                f,
                "the load generator ran out of file descriptors ({} requests): raise `ulimit -n`",
                human_count(*count)
            ),
            Self::ClockJumps(count) => {
                write!(f, "the clock jumped {count} times: the machine slept or its time was set")
            }
            Self::SamplesDropped(count) => {
                write!(f, "{} samples could not be recorded", human_count(*count))
            }
            Self::SnapshotsMissing(count) => {
                write!(f, "{} intervals of load generators never arrived", human_count(*count))
            }
        }
    }
}

/// The doubts about the measurement of a phase; trustworthy if there are none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trust {
    /// Why not.
    pub doubts: Vec<Doubt>,
}

impl Trust {
    /// Whether there is no doubt.
    #[must_use]
    pub fn is_trustworthy(&self) -> bool {
        self.doubts.is_empty()
    }

    /// Applies the rules of the module's documentation to a phase.
    #[must_use]
    pub fn of(figures: &PhaseFigures<'_>) -> Self {
        let totals = figures.totals();
        let generator = &totals.generator;
        let mut doubts = Vec::new();
        if let Some(share) = generator.saturated_share()
            && share > MAX_SATURATED_SHARE
        {
            let peak = f64::from(generator.peak_busy_permille) / 1000.0;
            doubts.push(Doubt::Saturated { share, peak });
        }
        doubts.extend(start_lag(&totals.iterations.start_lag, figures.response()));
        if let Some(p99_ns) = generator.timer_lag.value_at_quantile(0.99)
            && p99_ns > MAX_TIMER_LAG_NS
        {
            doubts.push(Doubt::TimerLag { p99_ns });
        }
        let iterations = &totals.iterations;
        let due = iterations
            .completed
            .saturating_add(iterations.interrupted)
            .saturating_add(iterations.dropped);
        if let Some(share) = share(iterations.dropped, due)
            && share > MAX_DROPPED_SHARE
        {
            doubts.push(Doubt::Dropped { dropped: iterations.dropped, share });
        }
        let errors = &figures.requests().errors;
        let counted = [
            Doubt::PortsExhausted(errors.get(ErrorKind::PortsExhausted)),
            Doubt::DescriptorsExhausted(errors.get(ErrorKind::TooManyOpenFiles)),
            Doubt::ClockJumps(generator.clock_jumps),
            Doubt::SamplesDropped(totals.samples_dropped),
            Doubt::SnapshotsMissing(totals.snapshots_missing()),
        ];
        doubts.extend(counted.into_iter().filter(Doubt::occurred));
        Self { doubts }
    }
}

/// The doubt about the percentile at which the lag weighs most, if at any.
fn start_lag(lag: &Histogram, response: &Histogram) -> Option<Doubt> {
    [("p99", 0.99), ("p50", 0.5)].into_iter().find_map(|(percentile, q)| {
        let (lag_ns, response_ns) = (lag.value_at_quantile(q)?, response.value_at_quantile(q)?);
        let is_large = lag_ns > LAG_FLOOR_NS && lag_ns as f64 > MAX_LAG_SHARE * response_ns as f64;
        is_large.then_some(Doubt::StartLag { percentile, lag_ns, response_ns })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::PhaseTotals;
    use crate::verdict::testing::{phase_of, sample};

    /// A healthy phase: 1,000 requests of 20 ms.
    fn healthy() -> PhaseTotals {
        let mut totals = phase_of("a", 10, &vec![sample(20_000_000); 1000]);
        totals.iterations.completed = 1000;
        totals.iterations.start_lag.record_many(50_000, 1000);
        totals.generator.record_interval(30, 100);
        totals
    }

    #[test]
    fn each_rule_has_its_edge() {
        let check = |change: fn(&mut PhaseTotals), doubts: &[&str]| {
            let mut totals = healthy();
            change(&mut totals);
            let trust = Trust::of(&PhaseFigures::new(&totals));
            let ids: Vec<_> = trust.doubts.iter().map(Doubt::id).collect();
            assert_eq!(ids, doubts);
            assert_eq!(trust.is_trustworthy(), doubts.is_empty());
        };
        check(|_| {}, &[]);
        check(|t| t.generator.record_interval(95, 100), &["saturated"]);
        check(
            |t| {
                (0..30).for_each(|_| t.generator.record_interval(30, 100));
                t.generator.record_interval(95, 100);
            },
            &[],
        );
        // 5 of 1,005 are beyond p99.
        check(|t| t.iterations.start_lag.record_many(3_000_000, 5), &[]);
        check(|t| t.iterations.start_lag.record_many(3_000_000, 20), &["start_lag"]);
        check(|t| t.iterations.start_lag.record_many(1_900_000, 20), &[]);
        check(|t| t.iterations.start_lag.record_many(3_000_000, 2000), &["start_lag"]);
        check(|t| t.generator.timer_lag.record_many(60_000_000, 5), &["timer_lag"]);
        check(|t| t.iterations.dropped = 1, &[]);
        check(|t| t.iterations.dropped = 2, &["dropped_iterations"]);
        check(|t| t.generator.clock_jumps = 1, &["clock_jumps"]);
        check(|t| t.samples_dropped = 1, &["samples_dropped"]);
    }

    #[test]
    fn a_short_lag_does_not_matter_even_against_short_answers() {
        let mut totals = phase_of("a", 1, &vec![sample(100_000); 100]);
        totals.iterations.start_lag.record_many(900_000, 100);
        assert!(Trust::of(&PhaseFigures::new(&totals)).is_trustworthy());
        totals.iterations.start_lag.record_many(1_100_000, 2);
        let trust = Trust::of(&PhaseFigures::new(&totals));
        assert_eq!(
            trust.doubts[0].to_string(),
            "iterations started late: 1.10 ms at p99, where the response time is 100 µs"
        );
    }

    #[test]
    fn failures_of_the_generator_are_not_the_servers() {
        let mut samples = vec![sample(1_000_000); 100];
        samples[0].error = Some(ErrorKind::PortsExhausted);
        samples[1].error = Some(ErrorKind::TooManyOpenFiles);
        let trust = Trust::of(&PhaseFigures::new(&phase_of("a", 1, &samples)));
        assert_eq!(trust.doubts, [Doubt::PortsExhausted(1), Doubt::DescriptorsExhausted(1)]);
    }

    #[test]
    fn nothing_measured_is_no_reason_for_doubt() {
        assert!(Trust::of(&PhaseFigures::new(&PhaseTotals::default())).is_trustworthy());
    }
}
