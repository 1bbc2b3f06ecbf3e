//! The value of a measure in the totals of a phase, or in any other stretch of time.

use super::{Measure, Statistic, Timing};
use crate::metrics::{CheckCount, Histogram, IterationStats, PhaseTotals, RequestStats};
use std::collections::BTreeMap;

/// Everything that measures are computed from: of a phase, of a step, or of a sliding window.
#[derive(Clone, Debug)]
pub struct Figures {
    requests: RequestStats,
    response: Histogram,
    checks: CheckCount,
    iterations: IterationStats,
    seconds: f64,
}

/// The figures of one phase, with all its requests merged once.
#[derive(Clone, Debug)]
pub struct PhaseFigures<'a> {
    totals: &'a PhaseTotals,
    figures: Figures,
}

/// `part / whole`; none if the whole is nothing.
pub(crate) fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// `count / seconds`; none if no time has passed.
pub(crate) fn per_second(count: u64, seconds: f64) -> Option<f64> {
    (seconds > 0.0).then(|| count as f64 / seconds)
}

/// A figure of a distribution in nanoseconds; none without samples.
#[must_use]
pub fn statistic_of(histogram: &Histogram, statistic: Statistic) -> Option<f64> {
    match statistic {
        Statistic::Average => histogram.mean(),
        Statistic::Min => histogram.min().map(|ns| ns as f64),
        Statistic::Max => histogram.max().map(|ns| ns as f64),
        Statistic::Stdev => histogram.stdev(),
        Statistic::Percentile(percentile) => {
            histogram.value_at_quantile(percentile.quantile()).map(|ns| ns as f64)
        }
    }
}

impl Figures {
    /// Of requests and iterations that ended within so many seconds.
    #[must_use]
    pub fn new(requests: RequestStats, iterations: IterationStats, seconds: f64) -> Self {
        let (response, checks) = (requests.response(), requests.checks_total());
        Self { requests, response, checks, iterations, seconds }
    }

    /// All requests in one.
    #[must_use]
    pub fn requests(&self) -> &RequestStats {
        &self.requests
    }

    /// Response times of successes and failures together.
    #[must_use]
    pub fn response(&self) -> &Histogram {
        &self.response
    }

    /// Service times: those recorded, or the response times in closed load, where they are equal.
    #[must_use]
    pub fn service(&self) -> &Histogram {
        if self.requests.service.is_empty() { &self.response } else { &self.requests.service }
    }

    /// All checks in one.
    #[must_use]
    pub fn checks(&self) -> CheckCount {
        self.checks
    }

    /// The distribution of a time.
    #[must_use]
    pub fn timing(&self, timing: Timing) -> &Histogram {
        match timing {
            Timing::Response => &self.response,
            Timing::Service => self.service(),
            Timing::Dns => &self.requests.dns,
            Timing::Connect => &self.requests.connect,
            Timing::Tls => &self.requests.tls,
            Timing::Send => &self.requests.send,
            Timing::Wait => &self.requests.wait,
            Timing::Receive => &self.requests.receive,
            Timing::Iteration => &self.iterations.duration,
            Timing::StartLag => &self.iterations.start_lag,
        }
    }

    /// The value of a measure in its base unit; none where there is no data: no request for a
    /// share of requests, no time for a rate, no such monitor.
    #[must_use]
    pub fn value(&self, measure: &Measure, monitors: &BTreeMap<String, f64>) -> Option<f64> {
        let (requests, iterations, seconds) = (&self.requests, &self.iterations, self.seconds);
        match measure {
            Measure::SuccessRate => share(requests.successful(), requests.requests()),
            Measure::ErrorRate => share(requests.failed(), requests.requests()),
            Measure::CacheHitRate => share(requests.cache_hits, requests.cache_known),
            Measure::Checks => self.checks.rate(),
            Measure::Time(timing, statistic) => statistic_of(self.timing(*timing), *statistic),
            Measure::RequestsPerSecond => per_second(requests.requests(), seconds),
            Measure::Requests => Some(requests.requests() as f64),
            Measure::Failed => Some(requests.failed() as f64),
            Measure::Iterations => Some(iterations.completed as f64),
            Measure::IterationsPerSecond => per_second(iterations.completed, seconds),
            Measure::DroppedIterations => Some(iterations.dropped as f64),
            Measure::BytesSent => Some(requests.bytes_sent as f64),
            Measure::BytesReceived => Some(requests.bytes_received as f64),
            Measure::BytesSentPerSecond => per_second(requests.bytes_sent, seconds),
            Measure::BytesReceivedPerSecond => per_second(requests.bytes_received, seconds),
            Measure::Monitor(name) => monitors.get(name).copied(),
        }
    }
}

impl<'a> PhaseFigures<'a> {
    /// Merges the requests of all series of the phase.
    #[must_use]
    pub fn new(totals: &'a PhaseTotals) -> Self {
        let iterations = totals.iterations.clone();
        let mut figures = Figures::new(totals.requests(), iterations, totals.elapsed_seconds());
        // Merged requests have no checks, because an index means another check in each series.
        for (_, stats) in totals.series() {
            figures.checks.merge(stats.checks_total());
        }
        Self { totals, figures }
    }

    /// The totals of the phase.
    #[must_use]
    pub fn totals(&self) -> &'a PhaseTotals {
        self.totals
    }
}

impl std::ops::Deref for PhaseFigures<'_> {
    type Target = Figures;

    fn deref(&self) -> &Figures {
        &self.figures
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::ErrorKind;
    use crate::verdict::testing::{phase_of, sample};

    fn value(totals: &PhaseTotals, measure: &str) -> Option<f64> {
        let monitors = BTreeMap::from([("cpu".to_owned(), 0.5)]);
        PhaseFigures::new(totals).value(&Measure::parse(measure).unwrap(), &monitors)
    }

    #[test]
    fn every_measure_of_a_known_phase() {
        let mut samples: Vec<_> = (1..=100).map(|ms| sample(ms * 1_000_000)).collect();
        samples[0].cached = Some(true);
        samples[1].cached = Some(false);
        samples[99].error = Some(ErrorKind::Http5xx);
        let totals = phase_of("a", 10, &samples);
        let check = |measure: &str, expected: f64| {
            let value = value(&totals, measure).unwrap();
            assert!((value / expected - 1.0).abs() < 0.001, "{measure}: {value}, not {expected}");
        };
        check("success_rate", 0.99);
        check("error_rate", 0.01);
        check("cache_hit_rate", 0.5);
        check("avg", 50.5e6);
        check("min", 1e6);
        check("max", 100e6);
        check("med", 50e6);
        check("p95", 95e6);
        check("p99", 99e6);
        check("p99.9", 100e6);
        check("service_p95", 95e6);
        check("stdev", 28.866e6);
        check("rps", 10.0);
        check("requests", 100.0);
        check("failed", 1.0);
        check("bytes_received", 25_000.0);
        check("bytes_received_rate", 2_500.0);
        check("cpu", 0.5);
    }

    #[test]
    fn a_window_is_measured_like_a_phase() {
        let mut requests = RequestStats::default();
        (1..=10).for_each(|ms| requests.record(&sample(ms * 1_000_000)));
        requests.record_check(0, true);
        requests.record_check(5, false);
        let mut iterations = IterationStats::default();
        iterations.record(5_000_000, false);
        let window = Figures::new(requests, iterations, 2.0);
        let check = |measure: &str, expected: f64| {
            let value = window.value(&Measure::parse(measure).unwrap(), &BTreeMap::new()).unwrap();
            assert!((value / expected - 1.0).abs() < 0.001, "{measure}: {value}");
        };
        check("rps", 5.0);
        check("p50", 5e6);
        check("checks", 0.5);
        check("iteration_max", 5e6);
        check("iterations_per_second", 0.5);
    }

    #[test]
    fn without_requests_there_are_no_shares() {
        let totals = PhaseTotals::default();
        for measure in ["success_rate", "error_rate", "cache_hit_rate", "checks", "p95", "avg"] {
            assert_eq!(value(&totals, measure), None, "{measure}");
        }
        for measure in ["rps", "memory", "service_p50", "iterations_per_second"] {
            assert_eq!(value(&totals, measure), None, "{measure}");
        }
        assert_eq!(value(&totals, "requests"), Some(0.0));
        assert_eq!(value(&totals, "dropped_iterations"), Some(0.0));
    }
}
