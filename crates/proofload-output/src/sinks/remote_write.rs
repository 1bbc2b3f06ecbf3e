//! Prometheus remote write, version 1: protobuf in snappy, to Prometheus, Mimir, VictoriaMetrics,
//! Thanos and all that speak it.

use prost::Message;

use super::push::{Format, Span};
use crate::metrics::{BUCKETS_SECONDS, Metric, Value};
use crate::output::{OutputError, Trouble};
use crate::shipper::Parcel;

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

/// Remote write 1.0, for [`Push`](super::push::Push).
#[derive(Debug)]
pub(crate) struct RemoteWrite;

impl Format for RemoteWrite {
    const WHAT: &'static str = "prometheus remote write";
    const HEADERS: &'static [(&'static str, &'static str)] = &[
        ("content-type", "application/x-protobuf"),
        ("content-encoding", "snappy"),
        ("x-prometheus-remote-write-version", "0.1.0"),
    ];

    /// As many bodies as receivers accept, with the labels on every series.
    fn bodies(
        metrics: &[Metric],
        labels: &[(&'static str, String)],
        span: Span,
    ) -> Result<Vec<Parcel>, OutputError> {
        let timestamp = i64::try_from(span.to.as_millis()).unwrap_or(i64::MAX);
        let series: Vec<TimeSeries> =
            metrics.iter().flat_map(|metric| series_of(metric, labels, timestamp)).collect();
        let body = |chunk: &[TimeSeries]| {
            let request = WriteRequest { timeseries: chunk.to_vec() };
            let body = snap::raw::Encoder::new().compress_vec(&request.encode_to_vec());
            let body = body.map_err(|e| OutputError::new(Trouble::Other, e.to_string()))?;
            Ok(Parcel { body, samples: chunk.len() as u64 })
        };
        series.chunks(SERIES_A_BODY).map(body).collect()
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
