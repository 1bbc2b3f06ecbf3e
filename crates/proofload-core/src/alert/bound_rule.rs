//! An expectation's target or limit, over the window.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::history::{History, WindowFigures, figures_of};
use super::latch::Reading;
use super::{CLEARLY, Rule};
use crate::event::{Interval, MarkLevel};
use crate::plan::{AlertRules, Load};
use crate::units;
use crate::verdict::{Bound, Figures, Measure, Quantity, Statistic, Timing};

/// Below this share of the phase's peak load a throughput need not be what is expected of it.
const FULL_LOAD: f64 = 0.9;
/// Share of each half's intervals that have to be beyond the bound by themselves, of times: a service
/// that stalls for a second now and then is no service in trouble.
const MIN_BROKEN: f64 = 0.5;
/// Of other measures: failures are counted one by one and come in most intervals only if they are many.
const MIN_BROKEN_SHARES: f64 = 0.2;
/// Events beyond what chance brings: where less than one is expected, three are no wonder.
const FEW: f64 = 2.0;

/// See the module.
#[derive(Debug)]
pub(super) struct BoundRule {
    measure: Measure,
    bound: Bound,
    level: MarkLevel,
    behind: Option<usize>,
    min_requests: u64,
    window: Duration,
    /// The load at which a throughput is expected: users, or arrivals a second.
    peak: f64,
}

impl BoundRule {
    /// Whether a measure means something in a window: a number of something over the whole phase does
    /// not, and what monitors measure is not in intervals.
    pub(super) fn can_watch(measure: &Measure) -> bool {
        !matches!(measure, Measure::Monitor(_))
            && !matches!(measure.quantity(), Quantity::Count | Quantity::Bytes)
    }

    pub(super) fn new(
        measure: &Measure,
        bound: Bound,
        level: MarkLevel,
        behind: Option<usize>,
        rules: &AlertRules,
        load: &Load,
    ) -> Self {
        let peak = load.peak_rate().unwrap_or_else(|| f64::from(load.peak_users()));
        Self {
            measure: measure.clone(),
            bound,
            level,
            behind,
            min_requests: rules.min_requests,
            window: rules.window,
            peak,
        }
    }

    /// Whether enough of these intervals are beyond the bound by themselves.
    fn is_broken_in_most<'a>(
        &self,
        intervals: impl ExactSizeIterator<Item = &'a Arc<Interval>>,
    ) -> bool {
        let least = match self.measure {
            Measure::Time(..) => MIN_BROKEN,
            _ => MIN_BROKEN_SHARES,
        } * intervals.len() as f64;
        intervals.filter(|interval| self.breaks(&figures_of(interval))).count() as f64 >= least
    }

    fn value(&self, figures: &Figures) -> Option<f64> {
        figures.value(&self.measure, &BTreeMap::new())
    }

    fn breaks(&self, figures: &Figures) -> bool {
        self.value(figures).is_some_and(|value| !self.bound.holds(value))
    }

    /// Whether the value is farther beyond the bound than chance would carry it from there.
    fn is_clear(&self, figures: &Figures, value: f64) -> bool {
        let (bound, requests) = (self.bound.value, figures.requests().requests() as f64);
        let deviation = |share: f64, of: f64| {
            (share * (1.0 - share) / of.max(1.0)).sqrt() + FEW / CLEARLY / of.max(1.0)
        };
        let slack = match &self.measure {
            Measure::Checks => deviation(bound, figures.checks().total() as f64),
            Measure::CacheHitRate => deviation(bound, figures.requests().cache_known as f64),
            Measure::SuccessRate | Measure::ErrorRate => deviation(bound, requests),
            Measure::RequestsPerSecond => rate_deviation(bound, value, requests),
            Measure::IterationsPerSecond => rate_deviation(bound, value, value),
            Measure::Time(timing, Statistic::Percentile(percentile)) => {
                return self.has_clearly_more(figures, *timing, percentile.quantile());
            }
            Measure::Time(timing, Statistic::Average) => {
                let times = figures.timing(*timing);
                times.stdev().unwrap_or(0.0) / (times.count() as f64).sqrt().max(1.0)
            }
            _ => 0.0,
        } * CLEARLY;
        [value - slack, value + slack].into_iter().all(|value| !self.bound.holds(value))
    }

    /// Whether clearly more times lie beyond the bound than the percentile allows.
    fn has_clearly_more(&self, figures: &Figures, timing: Timing, quantile: f64) -> bool {
        let times = figures.timing(timing);
        let count = times.count() as f64;
        let share =
            times.count_at_or_below(self.bound.value.max(0.0) as u64) as f64 / count.max(1.0);
        let chance = (quantile * (1.0 - quantile) / count.max(1.0)).sqrt();
        (share - quantile).abs() > CLEARLY * chance + FEW / count.max(1.0)
    }
}

/// One standard deviation of a rate that comes from a count, as far as things happen independently.
fn rate_deviation(bound: f64, rate: f64, count: f64) -> f64 {
    if rate <= 0.0 || count <= 0.0 {
        return 0.0;
    }
    let seconds = count / rate;
    (bound * seconds).sqrt() / seconds
}

impl Rule for BoundRule {
    fn level(&self) -> MarkLevel {
        self.level
    }

    fn stands_behind(&self) -> Option<usize> {
        self.behind
    }

    fn read(&mut self, history: &History, is_raised: bool) -> Reading {
        let is_throughput = matches!(self.measure.quantity(), Quantity::Rate | Quantity::BytesRate);
        let is_full = |interval| history.load_of(interval) >= FULL_LOAD * self.peak;
        if is_throughput && !history.intervals().all(|interval| is_full(interval)) {
            // The load was taken back: nobody expects the throughput any more.
            return Reading::Fine;
        }
        let WindowFigures { all, older, younger } = history.figures();
        if is_raised {
            return match self.value(younger) {
                Some(value) if self.bound.holds(value) => Reading::Fine,
                _ => Reading::Unclear,
            };
        }
        let Some(value) = self.value(all).filter(|value| !self.bound.holds(*value)) else {
            return Reading::Fine;
        };
        let has_data = is_throughput || all.requests().requests() >= self.min_requests;
        let is_broken = history.is_full()
            && has_data
            && self.is_clear(all, value)
            && self.breaks(younger)
            && self.breaks(older)
            && self.is_broken_in_most(history.younger())
            && self.is_broken_in_most(history.older());
        if !is_broken {
            return Reading::Unclear;
        }
        let what = if self.level == MarkLevel::Critical { "limit" } else { "target" };
        Reading::Broken(format!(
            "{} is {} over {}, {what} {}",
            self.measure,
            self.bound.quantity.human(value),
            units::human_duration(self.window),
            self.bound
        ))
    }
}
