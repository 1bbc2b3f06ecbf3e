//! What is wrong without anybody having said what is expected: a sudden drop of the throughput, a burst
//! of errors, arrivals that wait or are dropped.

use super::history::{History, Usual, offered};
use super::latch::Reading;
use super::{CLEARLY, Rule};
use crate::event::{Interval, MarkLevel};
use crate::units::{human_rate, human_ratio};
use std::sync::Arc;

/// The load may be this much smaller and still counts as the same.
const SAME_LOAD: f64 = 0.9;
/// Requests that are expected in half a window; with fewer, their number says nothing.
const MIN_EXPECTED: f64 = 20.0;
/// Failures in half a window that make a burst.
const MIN_FAILURES: u64 = 10;
/// How much worse than usual errors have to be.
const BURST_FACTOR: f64 = 5.0;
/// Arrivals in half a window; with fewer, a share of them says nothing.
const MIN_ARRIVALS: u64 = 10;
/// Share of arrivals that may be dropped.
const MAX_DROPPED: f64 = 0.01;

/// Sums over some intervals.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    seconds: f64,
    requests: u64,
    failed: u64,
    offered: u64,
    waited: u64,
    dropped: u64,
}

impl Sums {
    fn of<'a>(intervals: impl Iterator<Item = &'a Arc<Interval>>) -> Self {
        intervals.fold(Self::default(), |sum, interval| Self {
            seconds: sum.seconds + interval.length.as_secs_f64(),
            requests: sum.requests + interval.requests.requests(),
            failed: sum.failed + interval.requests.failed(),
            offered: sum.offered + offered(interval),
            waited: sum.waited + interval.iterations.queued + interval.iterations.dropped,
            dropped: sum.dropped + interval.iterations.dropped,
        })
    }

    fn rps(self) -> f64 {
        if self.seconds > 0.0 { self.requests as f64 / self.seconds } else { 0.0 }
    }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole > 0 { part as f64 / whole as f64 } else { 0.0 }
}

/// The throughput falls although the load does not.
#[derive(Debug)]
pub(super) struct ThroughputDrop {
    share: f64,
    /// What was usual when it fell: what comes after must not become usual.
    usual: Option<Usual>,
}

impl ThroughputDrop {
    pub(super) fn new(share: f64) -> Self {
        Self { share, usual: None }
    }

    /// The load now in terms of the usual one.
    fn load_share(history: &History, usual: Usual) -> f64 {
        let loads: Vec<f64> = history.younger().map(|i| history.load_of(i)).collect();
        let mean = loads.iter().sum::<f64>() / loads.len().max(1) as f64;
        if usual.load > 0.0 { mean / usual.load } else { 0.0 }
    }
}

impl Rule for ThroughputDrop {
    fn level(&self) -> MarkLevel {
        MarkLevel::Critical
    }

    fn read(&mut self, history: &History, is_raised: bool) -> Reading {
        let usual = if is_raised { self.usual } else { history.usual() };
        let Some(usual) = usual else { return Reading::Unclear };
        let now = Sums::of(history.younger());
        let load = Self::load_share(history, usual);
        if load < SAME_LOAD {
            return Reading::Fine;
        }
        // Half way back is back: what is left of it is for the expectations.
        let halfway = usual.rps * (1.0 - self.share / 2.0);
        if now.rps() >= halfway {
            return Reading::Fine;
        }
        let expected = usual.rps * now.seconds * (1.0 - self.share);
        let each = history.younger().all(|interval| interval.requests_per_second() < halfway);
        let is_clear = (now.requests as f64) < expected - CLEARLY * expected.sqrt();
        if is_raised || !each || !is_clear || expected < MIN_EXPECTED {
            return Reading::Unclear;
        }
        self.usual = Some(usual);
        Reading::Broken(format!(
            "throughput fell to {} from {} at the same load",
            human_rate(now.rps()),
            human_rate(usual.rps)
        ))
    }
}

/// Many requests fail all of a sudden.
#[derive(Debug)]
pub(super) struct ErrorBurst {
    share: f64,
    threshold: f64,
}

impl ErrorBurst {
    pub(super) fn new(share: f64) -> Self {
        Self { share, threshold: share }
    }
}

impl Rule for ErrorBurst {
    fn level(&self) -> MarkLevel {
        MarkLevel::Warning
    }

    fn read(&mut self, history: &History, is_raised: bool) -> Reading {
        let now = Sums::of(history.younger());
        let failing = share(now.failed, now.requests);
        if is_raised {
            let is_over = now.requests > 0 && failing < self.threshold / 2.0;
            return if is_over { Reading::Fine } else { Reading::Unclear };
        }
        let usual = history.usual().and_then(|usual| usual.error_share).unwrap_or(0.0);
        self.threshold = self.share.max((usual * BURST_FACTOR).min(1.0));
        // Spread over the time: a single bad moment is no burst that somebody could do something about.
        let bad = |interval: &&Arc<Interval>| {
            let requests = &interval.requests;
            share(requests.failed(), requests.requests()) >= self.threshold / 2.0
        };
        let is_burst = history.is_full()
            && failing >= self.threshold
            && now.failed >= MIN_FAILURES
            && history.younger().filter(bad).count() >= 2;
        if !is_burst {
            return Reading::Unclear;
        }
        Reading::Broken(format!(
            "{} of requests fail, usual are {}",
            human_ratio(failing),
            human_ratio(usual)
        ))
    }
}

/// The share of arrivals in both halves of the window, by a count of some of them.
fn in_both_halves(history: &History, most: f64, count: fn(Sums) -> u64) -> Option<f64> {
    let halves = [Sums::of(history.older()), Sums::of(history.younger())];
    let beyond =
        |sums: Sums| sums.offered >= MIN_ARRIVALS && share(count(sums), sums.offered) > most;
    let all = Sums::of(history.intervals());
    (history.is_full() && halves.into_iter().all(beyond)).then(|| share(count(all), all.offered))
}

/// Whether the younger half is well again.
fn is_well(history: &History, most: f64, count: fn(Sums) -> u64) -> bool {
    let now = Sums::of(history.younger());
    share(count(now), now.offered) <= most / 2.0
}

/// Arrivals of open load are dropped: the load is less than was asked for.
#[derive(Debug)]
pub(super) struct Drops;

impl Rule for Drops {
    fn level(&self) -> MarkLevel {
        MarkLevel::Critical
    }

    fn read(&mut self, history: &History, is_raised: bool) -> Reading {
        let dropped = |sums: Sums| sums.dropped;
        if is_raised || !history.is_open() {
            let is_well = is_well(history, MAX_DROPPED, dropped);
            return if is_well { Reading::Fine } else { Reading::Unclear };
        }
        in_both_halves(history, MAX_DROPPED, dropped).map_or(Reading::Unclear, |share| {
            Reading::Broken(format!("{} of arrivals are dropped", human_ratio(share)))
        })
    }
}

/// Arrivals of open load find every user at work and wait.
#[derive(Debug)]
pub(super) struct Queueing {
    share: f64,
}

impl Queueing {
    pub(super) fn new(share: f64) -> Self {
        Self { share }
    }
}

impl Rule for Queueing {
    fn level(&self) -> MarkLevel {
        MarkLevel::Warning
    }

    /// Those that are dropped are the end of a queue.
    fn stands_behind(&self) -> Option<usize> {
        Some(1)
    }

    fn read(&mut self, history: &History, is_raised: bool) -> Reading {
        let waited = |sums: Sums| sums.waited;
        if is_raised || !history.is_open() {
            let is_well = is_well(history, self.share, waited);
            return if is_well { Reading::Fine } else { Reading::Unclear };
        }
        in_both_halves(history, self.share, waited).map_or(Reading::Unclear, |share| {
            Reading::Broken(format!("{} of arrivals wait for a free user", human_ratio(share)))
        })
    }
}
