//! Prometheus remote write, version 1: protobuf in snappy, to Prometheus, Mimir, VictoriaMetrics,
//! Thanos and all that speak it.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use proofload_core::event::RunEvent;
use proofload_core::result::RunResult;
use prost::Message;

use crate::metrics::{BUCKETS_SECONDS, Collector, Metric, Value};
use crate::output::{Interest, Output, OutputError, Trouble, url_for_people};
use crate::shipper::{Parcel, Shipper};

/// How often the metrics are sent, as k6 does.
const EVERY: Duration = Duration::from_secs(5);
/// Series in one body; receivers bound what they accept.
const SERIES_A_BODY: usize = 2_000;

/// `prometheus.WriteRequest` of remote write 1.0.
#[derive(Clone, PartialEq, Message)]
struct WriteRequest {
    #[prost(message, repeated, tag = "1")]
    timeseries: Vec<TimeSeries>,
}

/// `prometheus.TimeSeries`.
#[derive(Clone, PartialEq, Message)]
struct TimeSeries {
    #[prost(message, repeated, tag = "1")]
    labels: Vec<Label>,
    #[prost(message, repeated, tag = "2")]
    samples: Vec<Sample>,
}

/// `prometheus.Label`.
#[derive(Clone, PartialEq, Eq, Message)]
struct Label {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    value: String,
}

/// `prometheus.Sample`.
#[derive(Clone, Copy, PartialEq, Message)]
struct Sample {
    #[prost(double, tag = "1")]
    value: f64,
    #[prost(int64, tag = "2")]
    timestamp: i64,
}

/// Sends the metrics of a run every few seconds. The numbers count from the start of the run.
#[derive(Debug)]
pub struct RemoteWrite {
    url: String,
    /// Labels of every series, such as which run it is.
    labels: Vec<(&'static str, String)>,
    collector: Collector,
    shipper: Shipper,
    sent: Instant,
}

impl RemoteWrite {
    /// To the endpoint at `url`, such as `http://host:9090/api/v1/write`, with `labels` on every series.
    #[must_use]
    pub fn new(
        url: &str,
        mut headers: Vec<(String, String)>,
        labels: Vec<(&'static str, String)>,
        collector: Collector,
    ) -> Self {
        let own = [
            ("content-type", "application/x-protobuf"),
            ("content-encoding", "snappy"),
            ("x-prometheus-remote-write-version", "0.1.0"),
        ];
        headers.extend(own.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let shipper = Shipper::new(url, headers);
        Self { url: url_for_people(url), labels, collector, shipper, sent: Instant::now() }
    }

    fn put(&mut self) -> Result<(), OutputError> {
        self.sent = Instant::now();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let timestamp = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
        let metrics = self.collector.metrics();
        let series: Vec<TimeSeries> =
            metrics.iter().flat_map(|metric| series_of(metric, &self.labels, timestamp)).collect();
        for chunk in series.chunks(SERIES_A_BODY) {
            let request = WriteRequest { timeseries: chunk.to_vec() };
            let body = snap::raw::Encoder::new().compress_vec(&request.encode_to_vec());
            let body = body.map_err(|e| OutputError::new(Trouble::Other, e.to_string()))?;
            self.shipper.put(Parcel { body, samples: chunk.len() as u64 });
        }
        Ok(())
    }
}

/// The series of a metric, each with one sample. Labels are in the order that receivers demand.
fn series_of(
    metric: &Metric,
    common: &[(&'static str, String)],
    timestamp: i64,
) -> Vec<TimeSeries> {
    let mut all = Vec::new();
    let mut add = |name: String, labels: &[(&'static str, String)], le: Option<String>, value| {
        let given = common.iter().chain(labels).map(|(name, value)| (*name, value.clone()));
        let own = [("__name__", name)].into_iter().chain(le.map(|le| ("le", le)));
        // An empty label is the same as none, and not allowed.
        let mut labels: Vec<Label> = own
            .chain(given)
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| Label { name: name.to_owned(), value })
            .collect();
        labels.sort_by(|a, b| a.name.cmp(&b.name));
        labels.dedup_by(|a, b| a.name == b.name);
        all.push(TimeSeries { labels, samples: vec![Sample { value, timestamp }] });
    };
    for row in &metric.rows {
        match &row.value {
            Value::Number(number) => add(metric.name.to_owned(), &row.labels, None, *number),
            Value::Buckets { at_or_below, count, sum } => {
                let bucket = format!("{}_bucket", metric.name);
                for (bound, below) in BUCKETS_SECONDS.iter().zip(at_or_below) {
                    add(bucket.clone(), &row.labels, Some(bound.to_string()), *below as f64);
                }
                add(bucket, &row.labels, Some("+Inf".to_owned()), *count as f64);
                add(format!("{}_sum", metric.name), &row.labels, None, sum.as_secs_f64());
                add(format!("{}_count", metric.name), &row.labels, None, *count as f64);
            }
        }
    }
    all
}

impl Output for RemoteWrite {
    fn name(&self) -> String {
        format!("prometheus remote write to {}", self.url)
    }

    fn interest(&self) -> Interest {
        Interest::ALL
    }

    fn hear(&mut self, event: &RunEvent) -> Result<(), OutputError> {
        self.collector.hear(event);
        self.tick()
    }

    fn tick(&mut self) -> Result<(), OutputError> {
        if self.sent.elapsed() >= EVERY {
            self.put()?;
        }
        self.shipper.pump()
    }

    fn finish(&mut self, _result: Option<&RunResult>) -> Result<(), OutputError> {
        self.put()?;
        self.shipper.finish()
    }

    fn lost(&self) -> u64 {
        self.shipper.lost()
    }

    fn lost_what(&self) -> &'static str {
        "samples"
    }
}
