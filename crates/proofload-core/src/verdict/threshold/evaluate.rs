//! Evaluates thresholds on totals, during a run (for `abort_on_fail`) and at its end.

use super::{Aggregation, Metric, MetricKind, TagMatch, Threshold};
use crate::metrics::{CheckCount, Histogram, PhaseTotals, RequestStats, SeriesMeta};
use crate::verdict::measured::{per_second, share, statistic_of};
use crate::verdict::{Percentile, Statistic};
use std::time::Duration;

/// A phase as thresholds see it.
#[derive(Clone, Copy, Debug)]
pub struct PhaseView<'a> {
    /// The name that `phase:` and `scenario:` select.
    pub name: &'a str,
    /// What was measured.
    pub totals: &'a PhaseTotals,
}

/// How a threshold came out.
#[derive(Clone, Debug, PartialEq)]
pub struct ThresholdOutcome {
    /// The condition.
    pub threshold: Threshold,
    /// The figure in the base unit of its quantity; none without data.
    pub measured: Option<f64>,
    /// Whether the condition holds. Without data it does not; k6 would pass it.
    pub is_met: bool,
}

impl ThresholdOutcome {
    /// Whether the run should stop now. Not while there is no data: the requests in question may
    /// just not have been made yet.
    #[must_use]
    pub fn wants_abort(&self, elapsed: Duration) -> bool {
        let threshold = &self.threshold;
        threshold.abort_on_fail
            && !self.is_met
            && self.measured.is_some()
            && elapsed >= threshold.delay_abort_eval
    }

    /// The measured value for people; "no data" without one.
    #[must_use]
    pub fn measured_text(&self) -> String {
        let quantity = self.threshold.quantity();
        self.measured.map_or_else(|| "no data".to_owned(), |value| quantity.human(value))
    }
}

impl Threshold {
    /// Evaluates the condition. `run_seconds` is the time over which the rates of the whole run
    /// are computed; with a `phase` selector it is the time of the selected phases instead.
    #[must_use]
    pub fn evaluate(&self, phases: &[PhaseView<'_>], run_seconds: f64) -> ThresholdOutcome {
        let is_selected = |phase: &&PhaseView<'_>| {
            self.selector.iter().all(|tag| match tag {
                TagMatch::Phase(name) => name == phase.name,
                _ => true,
            })
        };
        let selected: Vec<&PhaseTotals> =
            phases.iter().filter(is_selected).map(|phase| phase.totals).collect();
        let selects_phase = self.selector.iter().any(|tag| matches!(tag, TagMatch::Phase(_)));
        let seconds = if selects_phase {
            selected.iter().map(|totals| totals.elapsed_seconds()).sum()
        } else {
            run_seconds
        };
        let measured = self.measured(&selected, seconds).filter(|value| !value.is_nan());
        let is_met = measured.is_some_and(|value| self.comparison.holds(value, self.value));
        ThresholdOutcome { threshold: self.clone(), measured, is_met }
    }

    fn measured(&self, phases: &[&PhaseTotals], seconds: f64) -> Option<f64> {
        match self.metric.kind() {
            MetricKind::Trend => figure(&self.trend(phases), self.aggregation),
            MetricKind::Rate => self.rate(phases),
            MetricKind::Counter => {
                let count = self.count(phases);
                match self.aggregation {
                    Aggregation::Rate => per_second(count, seconds),
                    _ => Some(count as f64),
                }
            }
            MetricKind::Gauge => phases
                .iter()
                .map(|totals| match self.metric {
                    Metric::Vus => totals.users_active(),
                    _ => totals.users_max(),
                })
                .max()
                .map(f64::from),
        }
    }

    /// The statistics of all selected series.
    fn stats<'a>(&self, phases: &[&'a PhaseTotals]) -> impl Iterator<Item = &'a RequestStats> {
        let series = phases.iter().flat_map(|totals| totals.series());
        series.filter(|(meta, _)| self.selects(meta)).map(|(_, stats)| stats)
    }

    fn selects(&self, meta: &SeriesMeta) -> bool {
        self.selector.iter().all(|tag| match tag {
            TagMatch::User(user) => meta.user == *user,
            TagMatch::Task(task) => meta.task == *task,
            TagMatch::Name(name) => meta.name == *name,
            TagMatch::Method(method) => meta.method.eq_ignore_ascii_case(method),
            TagMatch::Url(url) => meta.url == *url,
            // k6 writes the path with a leading "::"; people often leave it out.
            TagMatch::Group(group) => {
                meta.group.trim_start_matches("::") == group.trim_start_matches("::")
            }
            TagMatch::Phase(_)
            | TagMatch::Status(_)
            | TagMatch::ExpectedResponse(_)
            | TagMatch::Error(_)
            | TagMatch::Check(_) => true,
        })
    }

    fn expected_response(&self) -> Option<bool> {
        self.selector.iter().find_map(|tag| match tag {
            TagMatch::ExpectedResponse(expected) => Some(*expected),
            _ => None,
        })
    }

    /// The distribution of a trend. Merges only the histograms that the metric is made of: this
    /// runs every second for `abort_on_fail`.
    fn trend(&self, phases: &[&PhaseTotals]) -> Histogram {
        match self.metric {
            Metric::IterationDuration => joined(phases.iter().map(|p| &p.iterations.duration)),
            Metric::StartLag => joined(phases.iter().map(|p| &p.iterations.start_lag)),
            Metric::HttpReqBlocked => self.with_zeros(phases, |stats| &stats.dns),
            Metric::HttpReqConnecting => self.with_zeros(phases, |stats| &stats.connect),
            Metric::HttpReqTlsHandshaking => self.with_zeros(phases, |stats| &stats.tls),
            Metric::HttpReqSending => joined(self.stats(phases).map(|stats| &stats.send)),
            Metric::HttpReqWaiting => joined(self.stats(phases).map(|stats| &stats.wait)),
            Metric::HttpReqReceiving => joined(self.stats(phases).map(|stats| &stats.receive)),
            Metric::ServiceTime => joined(self.stats(phases).flat_map(|stats| {
                // In closed load it equals the response time and is not kept.
                if stats.service.is_empty() {
                    vec![&stats.response_ok, &stats.response_failed]
                } else {
                    vec![&stats.service]
                }
            })),
            _ => match self.expected_response() {
                Some(true) => joined(self.stats(phases).map(|stats| &stats.response_ok)),
                Some(false) => joined(self.stats(phases).map(|stats| &stats.response_failed)),
                None => joined(
                    self.stats(phases)
                        .flat_map(|stats| [&stats.response_ok, &stats.response_failed]),
                ),
            },
        }
    }

    /// In k6 a request over an open connection has connected in 0 ms.
    fn with_zeros(
        &self,
        phases: &[&PhaseTotals],
        part: fn(&RequestStats) -> &Histogram,
    ) -> Histogram {
        let mut made = joined(self.stats(phases).map(part));
        let answered: u64 = self.stats(phases).map(|stats| stats.wait.count()).sum();
        made.record_many(0, answered.saturating_sub(made.count()));
        made
    }

    fn rate(&self, phases: &[&PhaseTotals]) -> Option<f64> {
        match self.metric {
            Metric::Checks => self.checks(phases).rate(),
            Metric::CacheHitRate => share(
                self.stats(phases).map(|stats| stats.cache_hits).sum(),
                self.stats(phases).map(|stats| stats.cache_known).sum(),
            ),
            _ => share(
                self.stats(phases).map(RequestStats::failed).sum(),
                self.stats(phases).map(RequestStats::requests).sum(),
            ),
        }
    }

    fn checks(&self, phases: &[&PhaseTotals]) -> CheckCount {
        let mut all = CheckCount::default();
        for (meta, stats) in phases.iter().flat_map(|totals| totals.series()) {
            if !self.selects(meta) {
                continue;
            }
            for (index, count) in stats.checks.iter().enumerate() {
                let name = meta.checks.get(index).map_or(SeriesMeta::OTHER, String::as_str);
                let is_selected = self.selector.iter().all(|tag| match tag {
                    TagMatch::Check(wanted) => wanted == name,
                    _ => true,
                });
                if is_selected {
                    all.merge(*count);
                }
            }
        }
        all
    }

    fn count(&self, phases: &[&PhaseTotals]) -> u64 {
        let iterations = |of: fn(&PhaseTotals) -> u64| phases.iter().map(|p| of(p)).sum();
        match self.metric {
            Metric::Iterations => iterations(|totals| totals.iterations.completed),
            Metric::DroppedIterations => iterations(|totals| totals.iterations.dropped),
            Metric::DataSent => self.stats(phases).map(|stats| stats.bytes_sent).sum(),
            Metric::DataReceived => self.stats(phases).map(|stats| stats.bytes_received).sum(),
            _ => self.stats(phases).map(|stats| self.request_count(stats)).sum(),
        }
    }

    fn request_count(&self, requests: &RequestStats) -> u64 {
        // The statistics keep each of these by itself, not in combination: the first one counts.
        // Parsing refuses a second one.
        for tag in &self.selector {
            match tag {
                TagMatch::Status(status) => return requests.statuses.get(*status),
                TagMatch::Error(kind) => return requests.errors.get(*kind),
                TagMatch::ExpectedResponse(true) => return requests.successful(),
                TagMatch::ExpectedResponse(false) => return requests.failed(),
                _ => {}
            }
        }
        requests.requests()
    }
}

/// All samples of several histograms.
fn joined<'a>(histograms: impl Iterator<Item = &'a Histogram>) -> Histogram {
    let mut all = Histogram::new();
    histograms.for_each(|histogram| all.merge(histogram));
    all
}

/// A figure of a distribution, in its base unit.
fn figure(histogram: &Histogram, aggregation: Aggregation) -> Option<f64> {
    let statistic = match aggregation {
        Aggregation::Average => Statistic::Average,
        Aggregation::Min => Statistic::Min,
        Aggregation::Max => Statistic::Max,
        Aggregation::Median => Statistic::Percentile(Percentile::P50),
        Aggregation::Percentile(percentile) => Statistic::Percentile(percentile),
        Aggregation::Count | Aggregation::Rate | Aggregation::Value => {
            return Some(histogram.count() as f64);
        }
    };
    statistic_of(histogram, statistic)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{ErrorKind, RequestSample};
    use crate::verdict::testing::{sample, snapshot_of, totals_of};

    /// Phase "calm": 100 requests "read" of 1…100 ms in 10 s, the last one a 503.
    /// Phase "storm": 50 requests "send" of 200 ms in 5 s, half of them timed out.
    fn two_phases() -> [PhaseTotals; 2] {
        let mut reads: Vec<_> = (1..=100).map(|ms| sample(ms * 1_000_000)).collect();
        reads[99].error = Some(ErrorKind::Http5xx);
        reads[99].status = 503;
        for read in &mut reads[..10] {
            read.connect_ns = Some(5_000_000);
            read.new_connection = true;
        }
        let mut calm = snapshot_of("read", 0, 10, &reads);
        calm.series[0].stats.record_check(0, true);
        calm.series[0].stats.record_check(0, true);
        calm.series[0].stats.record_check(1, false);
        calm.iterations.record(2_000_000_000, false);
        calm.users_active = 7;
        let mut sends = vec![sample(200_000_000); 50];
        for send in &mut sends[..25] {
            *send = RequestSample {
                response_ns: 200_000_000,
                error: Some(ErrorKind::Timeout),
                ..RequestSample::default()
            };
        }
        let mut storm = snapshot_of("send", 0, 5, &sends);
        storm.iterations.dropped = 3;
        storm.users_active = 20;
        [calm, storm].map(|snapshot| totals_of(&[snapshot]).phase(0).unwrap().clone())
    }

    fn evaluate(metric: &str, condition: &str) -> ThresholdOutcome {
        let [calm, storm] = two_phases();
        let phases = [
            PhaseView { name: "calm", totals: &calm },
            PhaseView { name: "storm", totals: &storm },
        ];
        Threshold::parse(metric, condition).unwrap().evaluate(&phases, 15.0)
    }

    #[test]
    fn expressions_of_k6_on_known_totals() {
        let check = |metric: &str, condition: &str, measured: f64, met: bool| {
            let outcome = evaluate(metric, condition);
            let value = outcome.measured.unwrap();
            let close = (value - measured).abs() <= measured.abs() * 0.001;
            assert!(close, "{metric}: {condition}: {value}, not {measured}");
            assert_eq!(outcome.is_met, met, "{metric}: {condition}");
        };
        check("http_req_duration", "max<250", 200e6, true);
        check("http_req_duration", "max<200", 200e6, false);
        check("http_req_duration", "min>0", 1e6, true);
        check("http_req_duration", "med<76", 75e6, true);
        check("http_req_duration", "p(95)<1s", 200e6, true);
        check("http_req_duration", "avg<100", 100.333e6, false);
        check("http_req_duration{phase:calm}", "p(95)<96", 95e6, true);
        check("http_req_duration{scenario:storm}", "min>=200", 200e6, true);
        check("http_req_duration{task:read}", "max<=100", 100e6, true);
        check("http_req_duration{name:GET /send}", "avg>199", 200e6, true);
        check("http_req_duration{expected_response:true}", "count==124", 124.0, true);
        check("response_time{expected_response:false}", "min>=100", 100e6, true);
        check("http_req_duration{task:read,expected_response:true}", "max<100", 99e6, true);
        check("http_req_waiting{task:read}", "max<=50.1", 50e6, true);
        check("http_req_connecting{task:read}", "avg<1", 0.5e6, true);
        check("http_req_connecting{task:read}", "p(90)==0", 0.0, true);
        check("http_req_connecting{task:read}", "max==5", 5e6, true);
        check("http_req_blocked{task:read}", "max<1", 0.0, true);
        check("http_req_tls_handshaking{task:read}", "count==100", 100.0, true);
        check("http_reqs", "count==150", 150.0, true);
        check("http_reqs", "rate>9.9", 10.0, true);
        check("http_reqs{phase:storm}", "rate==10", 10.0, true);
        check("http_reqs{status:200}", "count==124", 124.0, true);
        check("http_reqs{status:503}", "count<1", 1.0, false);
        check("http_reqs{status:404}", "count<1", 0.0, true);
        check("http_reqs{error:timeout}", "count<=25", 25.0, true);
        check("http_reqs{expected_response:false}", "count==26", 26.0, true);
        check("http_reqs{method:get, user:member, group:main}", "count==150", 150.0, true);
        check("http_req_failed", "rate<0.2", 26.0 / 150.0, true);
        check("http_req_failed{task:send}", "rate<1%", 0.5, false);
        check("checks", "rate>0.6", 2.0 / 3.0, true);
        check("checks{check:status is 200}", "rate==1", 1.0, true);
        check("checks{check:has body}", "rate>0", 0.0, false);
        check("iterations", "count>=1", 1.0, true);
        check("iteration_duration", "avg<=2s", 2e9, true);
        check("dropped_iterations", "count<1", 3.0, false);
        check("dropped_iterations{phase:calm}", "count<1", 0.0, true);
        check("data_sent", "count<1MB", 12_500.0, true);
        check("data_received{task:read}", "rate<2kB/s", 25_000.0 / 15.0, true);
        check("vus", "value>5", 20.0, true);
        check("vus_max{phase:calm}", "value<=7", 7.0, true);
    }

    #[test]
    fn without_data_a_threshold_is_not_met_and_does_not_abort() {
        let outcome = evaluate("http_req_duration{task:nobody}", "p(95)<1s");
        assert_eq!((outcome.measured, outcome.is_met), (None, false));
        assert_eq!(outcome.measured_text(), "no data");
        let mut outcome = evaluate("http_req_failed{phase:nobody}", "rate<1");
        assert_eq!((outcome.measured, outcome.is_met), (None, false));
        outcome.threshold.abort_on_fail = true;
        assert!(!outcome.wants_abort(Duration::from_secs(100)));
        assert_eq!(evaluate("checks{task:send}", "rate>0.9").measured, None);
    }

    #[test]
    fn aborting_waits_for_its_delay() {
        let mut outcome = evaluate("http_req_failed", "rate<0.01");
        assert_eq!(outcome.measured_text(), "17.33%");
        assert!(!outcome.wants_abort(Duration::from_secs(100)));
        outcome.threshold = outcome.threshold.with_abort(true, Duration::from_secs(10));
        assert!(!outcome.wants_abort(Duration::from_secs(9)));
        assert!(outcome.wants_abort(Duration::from_secs(10)));
    }
}
