//! Metrics to OpenTelemetry collectors: OTLP over HTTP with protobuf.

use std::time::Duration;

use prost::Message;

use super::push::{Format, Span};
use crate::metrics::{BUCKETS_SECONDS, Kind, Metric, Row, Value};
use crate::output::OutputError;
use crate::shipper::Parcel;

/// Since the start of the run, as `AggregationTemporality` has it.
const CUMULATIVE: i32 = 2;

/// The messages of `opentelemetry.proto.metrics.v1` and what they are made of, as far as they are used.
mod proto {
    use prost::Message;

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct ExportMetricsServiceRequest {
        #[prost(message, repeated, tag = "1")]
        pub(super) resource_metrics: Vec<ResourceMetrics>,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct ResourceMetrics {
        #[prost(message, optional, tag = "1")]
        pub(super) resource: Option<Resource>,
        #[prost(message, repeated, tag = "2")]
        pub(super) scope_metrics: Vec<ScopeMetrics>,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Resource {
        #[prost(message, repeated, tag = "1")]
        pub(super) attributes: Vec<KeyValue>,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct ScopeMetrics {
        #[prost(message, optional, tag = "1")]
        pub(super) scope: Option<Scope>,
        #[prost(message, repeated, tag = "2")]
        pub(super) metrics: Vec<Metric>,
    }

    #[derive(Clone, PartialEq, Eq, Message)]
    pub(super) struct Scope {
        #[prost(string, tag = "1")]
        pub(super) name: String,
        #[prost(string, tag = "2")]
        pub(super) version: String,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Metric {
        #[prost(string, tag = "1")]
        pub(super) name: String,
        #[prost(string, tag = "2")]
        pub(super) description: String,
        #[prost(string, tag = "3")]
        pub(super) unit: String,
        #[prost(oneof = "Data", tags = "5, 7, 9")]
        pub(super) data: Option<Data>,
    }

    #[derive(Clone, PartialEq, prost::Oneof)]
    pub(super) enum Data {
        #[prost(message, tag = "5")]
        Gauge(Gauge),
        #[prost(message, tag = "7")]
        Sum(Sum),
        #[prost(message, tag = "9")]
        Histogram(Histogram),
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Gauge {
        #[prost(message, repeated, tag = "1")]
        pub(super) data_points: Vec<NumberPoint>,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Sum {
        #[prost(message, repeated, tag = "1")]
        pub(super) data_points: Vec<NumberPoint>,
        #[prost(int32, tag = "2")]
        pub(super) aggregation_temporality: i32,
        #[prost(bool, tag = "3")]
        pub(super) is_monotonic: bool,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct NumberPoint {
        #[prost(fixed64, tag = "2")]
        pub(super) start_time_unix_nano: u64,
        #[prost(fixed64, tag = "3")]
        pub(super) time_unix_nano: u64,
        #[prost(double, optional, tag = "4")]
        pub(super) as_double: Option<f64>,
        #[prost(message, repeated, tag = "7")]
        pub(super) attributes: Vec<KeyValue>,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Histogram {
        #[prost(message, repeated, tag = "1")]
        pub(super) data_points: Vec<HistogramPoint>,
        #[prost(int32, tag = "2")]
        pub(super) aggregation_temporality: i32,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct HistogramPoint {
        #[prost(fixed64, tag = "2")]
        pub(super) start_time_unix_nano: u64,
        #[prost(fixed64, tag = "3")]
        pub(super) time_unix_nano: u64,
        #[prost(fixed64, tag = "4")]
        pub(super) count: u64,
        #[prost(double, optional, tag = "5")]
        pub(super) sum: Option<f64>,
        #[prost(fixed64, repeated, tag = "6")]
        pub(super) bucket_counts: Vec<u64>,
        #[prost(double, repeated, tag = "7")]
        pub(super) explicit_bounds: Vec<f64>,
        #[prost(message, repeated, tag = "9")]
        pub(super) attributes: Vec<KeyValue>,
    }

    #[derive(Clone, PartialEq, Eq, Message)]
    pub(super) struct KeyValue {
        #[prost(string, tag = "1")]
        pub(super) key: String,
        #[prost(message, optional, tag = "2")]
        pub(super) value: Option<AnyValue>,
    }

    #[derive(Clone, PartialEq, Eq, Message)]
    pub(super) struct AnyValue {
        #[prost(string, optional, tag = "1")]
        pub(super) string_value: Option<String>,
    }
}

/// OTLP metrics over HTTP, for [`Push`](super::push::Push).
#[derive(Debug)]
pub(crate) struct Otlp;

impl Format for Otlp {
    const WHAT: &'static str = "OTLP metrics";
    const HEADERS: &'static [(&'static str, &'static str)] =
        &[("content-type", "application/x-protobuf")];

    /// One body, with the labels on the resource.
    fn bodies(
        metrics: &[Metric],
        labels: &[(&'static str, String)],
        span: Span,
    ) -> Result<Vec<Parcel>, OutputError> {
        let stamp = Stamp::of(span);
        let service = [("service.name", "proofload".to_owned())];
        let request = proto::ExportMetricsServiceRequest {
            resource_metrics: vec![proto::ResourceMetrics {
                resource: Some(proto::Resource {
                    attributes: service.iter().chain(labels).map(attribute).collect(),
                }),
                scope_metrics: vec![proto::ScopeMetrics {
                    scope: Some(proto::Scope {
                        name: "proofload".to_owned(),
                        version: env!("CARGO_PKG_VERSION").to_owned(),
                    }),
                    metrics: metrics.iter().map(|metric| stamp.metric(metric)).collect(),
                }],
            }],
        };
        let samples = metrics.iter().map(Metric::samples).sum();
        Ok(vec![Parcel { body: request.encode_to_vec(), samples }])
    }
}

fn attribute((key, value): &(&'static str, String)) -> proto::KeyValue {
    let value = Some(proto::AnyValue { string_value: Some(value.clone()) });
    proto::KeyValue { key: (*key).to_owned(), value }
}

/// The time that points are about, in nanoseconds since the Unix epoch.
#[derive(Clone, Copy)]
struct Stamp {
    from: u64,
    to: u64,
}

impl Stamp {
    fn of(span: Span) -> Self {
        let nanoseconds = |at: Duration| u64::try_from(at.as_nanos()).unwrap_or(u64::MAX);
        Self { from: nanoseconds(span.from), to: nanoseconds(span.to) }
    }

    fn metric(self, metric: &Metric) -> proto::Metric {
        // In OTLP the unit has a field of its own and a sum says that it is one.
        let name = metric.name.trim_end_matches("_total").trim_end_matches("_seconds");
        let unit = if metric.name.contains("_seconds") { "s" } else { "1" };
        let unit = if metric.name.contains("_bytes") { "By" } else { unit };
        let data = match metric.kind {
            Kind::Gauge => {
                let data_points = self.numbers(metric);
                proto::Data::Gauge(proto::Gauge { data_points })
            }
            Kind::Counter => proto::Data::Sum(proto::Sum {
                data_points: self.numbers(metric),
                aggregation_temporality: CUMULATIVE,
                is_monotonic: true,
            }),
            Kind::Histogram => proto::Data::Histogram(proto::Histogram {
                data_points: metric.rows.iter().filter_map(|row| self.histogram(row)).collect(),
                aggregation_temporality: CUMULATIVE,
            }),
        };
        proto::Metric {
            name: name.to_owned(),
            description: metric.help.to_owned(),
            unit: unit.to_owned(),
            data: Some(data),
        }
    }

    fn numbers(self, metric: &Metric) -> Vec<proto::NumberPoint> {
        let point = |row: &Row| match row.value {
            Value::Number(number) => Some(proto::NumberPoint {
                start_time_unix_nano: self.from,
                time_unix_nano: self.to,
                as_double: Some(number),
                attributes: row.labels.iter().map(attribute).collect(),
            }),
            Value::Buckets { .. } => None,
        };
        metric.rows.iter().filter_map(point).collect()
    }

    fn histogram(self, row: &Row) -> Option<proto::HistogramPoint> {
        let Value::Buckets { at_or_below, count, sum } = &row.value else { return None };
        // Here each bucket has its own, not also those below.
        let mut below = 0;
        let mut bucket_counts: Vec<u64> = Vec::with_capacity(at_or_below.len() + 1);
        for &upto in at_or_below {
            bucket_counts.push(upto.saturating_sub(below));
            below = upto;
        }
        bucket_counts.push(count.saturating_sub(below));
        Some(proto::HistogramPoint {
            start_time_unix_nano: self.from,
            time_unix_nano: self.to,
            count: *count,
            sum: Some(sum.as_secs_f64()),
            bucket_counts,
            explicit_bounds: BUCKETS_SECONDS.to_vec(),
            attributes: row.labels.iter().map(attribute).collect(),
        })
    }
}
