//! The last minutes of the run, second by second: what the charts show.

use std::collections::VecDeque;
use std::time::Duration;

use proofload_core::event::Interval;

/// Intervals that are kept: as many as the widest chart shows.
const KEPT: usize = 1_200;

/// What was measured in an interval.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sample {
    /// When it ended, in seconds since the start of the run.
    pub(crate) at: f64,
    pub(crate) per_second: f64,
    pub(crate) failed_per_second: f64,
    pub(crate) users: u32,
    /// p50, p95 and p99 of the response time in nanoseconds; none without requests.
    pub(crate) percentiles: Option<[f64; 3]>,
    /// Share of the time in which the load generator was busy.
    pub(crate) busy: Option<f64>,
    /// 99th percentile of how late open load was started, in nanoseconds.
    pub(crate) start_lag: Option<f64>,
    pub(crate) dropped: u64,
}

/// The last intervals, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    samples: VecDeque<Sample>,
}

impl History {
    /// Adds an interval of a phase that began so long after the start of the run.
    pub(crate) fn add(&mut self, phase_began: Duration, interval: &Interval) {
        let response = interval.requests.response();
        let at = |q: f64| response.value_at_quantile(q).unwrap_or(0) as f64;
        let seconds = interval.length.as_secs_f64().max(0.001);
        // The rest of a phase is too short for a rate of its own.
        if seconds < 0.2 && !self.samples.is_empty() {
            return;
        }
        if self.samples.len() == KEPT {
            self.samples.pop_front();
        }
        self.samples.push_back(Sample {
            at: (phase_began + interval.start + interval.length).as_secs_f64(),
            per_second: interval.requests.requests() as f64 / seconds,
            failed_per_second: interval.requests.failed() as f64 / seconds,
            users: interval.users_active,
            percentiles: (!response.is_empty()).then(|| [at(0.5), at(0.95), at(0.99)]),
            busy: interval.generator.busy_share(),
            start_lag: interval.iterations.start_lag.value_at_quantile(0.99).map(|ns| ns as f64),
            dropped: interval.iterations.dropped,
        });
    }

    /// The last one.
    pub(crate) fn last(&self) -> Option<&Sample> {
        self.samples.back()
    }

    /// Those from `from` seconds on.
    pub(crate) fn since(&self, from: f64) -> impl Iterator<Item = &Sample> {
        self.samples.iter().filter(move |sample| sample.at >= from)
    }
}
