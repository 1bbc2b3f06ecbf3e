//! From the events of a run to its metrics.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use proofload_core::event::{Interval, Mark, MarkKind, RunEvent};
use proofload_core::metrics::{Histogram, PhaseTotals, RequestStats, RunTotals, SeriesMeta};
use proofload_core::redact::Redactor;

use super::{BUCKETS_SECONDS, Kind, MAX_ROWS, Metric, Row, Value};

/// Statuses of one request that are told apart; the rest is `other`.
const MAX_STATUSES: usize = 20;

/// Hears a run and gives out its metrics at any time. Bounded like what it hears of.
#[derive(Debug)]
pub struct Collector {
    phases: Vec<Arc<str>>,
    redactor: Redactor,
    totals: RunTotals,
    latest: Option<Arc<Interval>>,
    running: Option<usize>,
    alerts: BTreeSet<(Duration, String)>,
    alerts_raised: BTreeMap<&'static str, u64>,
}

type Labels = Vec<(&'static str, String)>;

/// A counter: its name, what it is, and where it comes from.
type Counter<T> = (&'static str, &'static str, fn(&T) -> u64);

/// Rows in the making, by metric.
struct Rows {
    metrics: Vec<Metric>,
    count: usize,
    left_out: u64,
}

impl Rows {
    fn metric(&mut self, name: &'static str, kind: Kind, help: &'static str) {
        self.metrics.push(Metric { name, help, kind, rows: Vec::new() });
    }

    /// Adds a row to the metric that was begun last.
    fn row(&mut self, labels: Labels, value: Value) {
        if self.count >= MAX_ROWS {
            self.left_out += 1;
        } else if let Some(metric) = self.metrics.last_mut() {
            self.count += 1;
            metric.rows.push(Row { labels, value });
        }
    }

    fn number(&mut self, labels: Labels, number: f64) {
        self.row(labels, Value::Number(number));
    }

    fn count(&mut self, labels: Labels, count: u64) {
        self.number(labels, count as f64);
    }
}

impl Collector {
    /// For a run with phases of these names.
    #[must_use]
    pub fn new(phases: Vec<Arc<str>>, redactor: Redactor) -> Self {
        Self {
            phases,
            redactor,
            totals: RunTotals::default(),
            latest: None,
            running: None,
            alerts: BTreeSet::new(),
            alerts_raised: BTreeMap::new(),
        }
    }

    /// Takes note of an event. Wants snapshots and intervals.
    pub fn hear(&mut self, event: &RunEvent) {
        match event {
            RunEvent::PhaseStarted { phase, .. } => {
                (self.running, self.latest) = (Some(*phase), None);
            }
            // What cannot be merged is not counted by the run either.
            RunEvent::Snapshot(snapshot) => drop(self.totals.merge(snapshot)),
            RunEvent::Interval(interval) => self.latest = Some(Arc::clone(interval)),
            RunEvent::PhaseEnded { .. } => (self.running, self.latest) = (None, None),
            RunEvent::Mark(mark) if mark.kind == MarkKind::Alert => self.hear_alert(mark),
            RunEvent::Mark(_) | RunEvent::Control(_) | RunEvent::Notice(_) => {}
        }
    }

    fn hear_alert(&mut self, mark: &Mark) {
        let key = (mark.at, mark.text.clone());
        if mark.until.is_some() {
            self.alerts.remove(&key);
        } else if self.alerts.insert(key) {
            *self.alerts_raised.entry(mark.level.id()).or_default() += 1;
        }
    }

    /// The metrics now.
    #[must_use]
    pub fn metrics(&self) -> Vec<Metric> {
        let mut rows = Rows { metrics: Vec::new(), count: 0, left_out: 0 };
        self.of_run(&mut rows);
        self.of_phases(&mut rows);
        self.of_requests(&mut rows);
        let left_out = rows.left_out;
        rows.count = 0;
        rows.metric("proofload_rows_left_out", Kind::Gauge, "Rows of metrics that were too many");
        rows.count(Vec::new(), left_out);
        rows.metrics.retain(|metric| !metric.rows.is_empty());
        rows.metrics
    }

    fn phase_name(&self, index: usize) -> String {
        let name = self.phases.get(index).map_or_else(|| index.to_string(), ToString::to_string);
        self.redactor.text(&name).into_owned()
    }

    fn phase_label(&self, index: u32) -> Labels {
        vec![("phase", self.phase_name(index as usize))]
    }

    fn series_labels(&self, phase: u32, meta: &SeriesMeta) -> Labels {
        let mut labels = self.phase_label(phase);
        let tags = [
            ("user", &meta.user),
            ("task", &meta.task),
            ("name", &meta.name),
            ("method", &meta.method),
        ];
        labels.extend(tags.map(|(label, text)| (label, self.redactor.text(text).into_owned())));
        labels
    }

    /// What is so at this moment.
    fn of_run(&self, rows: &mut Rows) {
        let latest = self.latest.as_deref();
        rows.metric("proofload_users", Kind::Gauge, "Virtual users active now");
        rows.count(Vec::new(), latest.map_or(0, |interval| u64::from(interval.users_active)));
        rows.metric("proofload_phase_running", Kind::Gauge, "1 for the phase that runs");
        if let Some(phase) = self.running {
            rows.count(self.phase_label(phase as u32), 1);
        }
        rows.metric(
            "proofload_generator_cpu_ratio",
            Kind::Gauge,
            "Share of their time in which the load generator's workers were busy in the last second",
        );
        if let Some(share) = latest.and_then(|interval| interval.generator.busy_share()) {
            rows.number(Vec::new(), share);
        }
        rows.metric("proofload_alerts_active", Kind::Gauge, "Alerts that are on now");
        rows.count(Vec::new(), self.alerts.len() as u64);
        rows.metric("proofload_alerts_total", Kind::Counter, "Alerts that began");
        for (level, count) in &self.alerts_raised {
            rows.count(vec![("level", (*level).to_owned())], *count);
        }
    }

    /// What is counted by phase.
    fn of_phases(&self, rows: &mut Rows) {
        let counts: [Counter<PhaseTotals>; 3] = [
            ("proofload_iterations_total", "Iterations that ran to their end", |phase| {
                phase.iterations.completed
            }),
            (
                "proofload_dropped_iterations_total",
                "Iterations of open load that were not started",
                |phase| phase.iterations.dropped,
            ),
            (
                "proofload_queued_iterations_total",
                "Arrivals of open load that found every user at work",
                |phase| phase.iterations.queued,
            ),
        ];
        for (name, help, count) in counts {
            rows.metric(name, Kind::Counter, help);
            for (index, phase) in self.totals.phases() {
                rows.count(self.phase_label(index), count(phase));
            }
        }
        rows.metric(
            "proofload_start_lag_seconds",
            Kind::Histogram,
            "How late the load generator started iterations of open load",
        );
        for (index, phase) in self.totals.phases() {
            let lag = &phase.iterations.start_lag;
            if !lag.is_empty() {
                rows.row(self.phase_label(index), buckets(&[lag]));
            }
        }
        rows.metric("proofload_checks_total", Kind::Counter, "Checks by name and outcome");
        for (index, phase) in self.totals.phases() {
            for (check, count) in phase.checks() {
                for (result, count) in [("pass", count.passes), ("fail", count.fails)] {
                    let mut labels = self.phase_label(index);
                    labels.push(("check", self.redactor.text(&check).into_owned()));
                    labels.push(("result", result.to_owned()));
                    rows.count(labels, count);
                }
            }
        }
    }

    /// What is counted by request.
    fn of_requests(&self, rows: &mut Rows) {
        let series = || {
            self.totals.phases().flat_map(|(index, phase)| {
                let all = phase.series().filter(|(_, stats)| !stats.is_empty());
                all.map(move |(meta, stats)| (self.series_labels(index, meta), stats))
            })
        };
        rows.metric(
            "proofload_requests_total",
            Kind::Counter,
            "Finished requests by status; `none` had no answer",
        );
        for (labels, stats) in series() {
            for (status, count) in by_status(stats) {
                rows.count(with(&labels, "status", status), count);
            }
        }
        rows.metric("proofload_failed_requests_total", Kind::Counter, "Failed requests by kind");
        for (labels, stats) in series() {
            for (kind, count) in stats.errors.iter() {
                rows.count(with(&labels, "kind", kind.id().to_owned()), count);
            }
        }
        rows.metric(
            "proofload_request_duration_seconds",
            Kind::Histogram,
            "Response times, from the intended start to the end of the answer",
        );
        for (labels, stats) in series() {
            rows.row(labels, buckets(&[&stats.response_ok, &stats.response_failed]));
        }
        let bytes: [Counter<RequestStats>; 2] = [
            ("proofload_sent_bytes_total", "Bytes sent", |stats| stats.bytes_sent),
            ("proofload_received_bytes_total", "Bytes received", |stats| stats.bytes_received),
        ];
        for (name, help, count) in bytes {
            rows.metric(name, Kind::Counter, help);
            for (labels, stats) in series() {
                rows.count(labels, count(stats));
            }
        }
    }
}

fn with(labels: &Labels, name: &'static str, value: String) -> Labels {
    let mut labels = labels.clone();
    labels.push((name, value));
    labels
}

/// Requests by status, in a bounded number of rows.
fn by_status(stats: &RequestStats) -> Vec<(String, u64)> {
    let mut all: Vec<(String, u64)> = Vec::new();
    let (mut answered, mut other) = (0, 0);
    for (status, count) in stats.statuses.iter() {
        answered += count;
        if all.len() < MAX_STATUSES {
            all.push((status.to_string(), count));
        } else {
            other += count;
        }
    }
    all.push(("other".to_owned(), other));
    all.push(("none".to_owned(), stats.requests().saturating_sub(answered)));
    all.retain(|(_, count)| *count > 0);
    all
}

/// Some distributions together, in Prometheus's buckets.
fn buckets(histograms: &[&Histogram]) -> Value {
    let sum = |of: &dyn Fn(&Histogram) -> u128| histograms.iter().map(|h| of(h)).sum::<u128>();
    let small = |number: u128| u64::try_from(number).unwrap_or(u64::MAX);
    let at_or_below = BUCKETS_SECONDS.iter().map(|bound| {
        let ns = (bound * 1e9).round() as u64;
        small(sum(&|histogram| u128::from(histogram.count_at_or_below(ns))))
    });
    Value::Buckets {
        at_or_below: at_or_below.collect(),
        count: small(sum(&|histogram| u128::from(histogram.count()))),
        sum: Duration::from_nanos(small(sum(&Histogram::sum))),
    }
}
