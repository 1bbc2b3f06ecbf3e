//! Scrape page, remote write and OTLP say what the run measured, read by the parsers of others.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as AnyValue;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use proofload_core::metrics::RequestStats;
use proofload_output::{OpenError, Output};
use prost::Message;

use super::receiver::{Manner, Receiver};
use super::run::{all_requests, events, open, open_with};

/// Hears the whole run.
fn hear(output: &mut dyn Output) -> RequestStats {
    let (events, record) = events();
    for event in &events {
        output.hear(event).expect("all is well");
    }
    all_requests(&record)
}

/// What is counted over all labels, by name of the metric.
type Sums = BTreeMap<String, f64>;

/// The totals of the run under Prometheus's names.
#[track_caller]
fn check(sums: &Sums, all: &RequestStats) {
    let expect = [
        ("proofload_requests_total", all.requests() as f64),
        ("proofload_failed_requests_total", all.failed() as f64),
        ("proofload_request_duration_seconds_count", all.requests() as f64),
        ("proofload_request_duration_seconds_sum", all.response().sum() as f64 / 1e9),
        ("proofload_sent_bytes_total", all.bytes_sent as f64),
        ("proofload_received_bytes_total", all.bytes_received as f64),
        ("proofload_checks_total", all.requests() as f64),
        ("proofload_iterations_total", 60.0),
        ("proofload_dropped_iterations_total", 12.0),
        ("proofload_start_lag_seconds_count", 12.0),
        ("proofload_rows_left_out", 0.0),
    ];
    for (name, value) in expect {
        let found = sums.get(name).copied().unwrap_or(f64::NAN);
        assert!((found - value).abs() < 1e-6, "{name}: {found}, not {value} in {sums:?}");
    }
}

fn get(address: &str, request: &str) -> String {
    let mut client = TcpStream::connect(address).expect("it listens");
    client.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    client.read_to_string(&mut answer).expect("it answers");
    answer
}

fn address(output: &dyn Output) -> String {
    let name = output.name();
    let from = name.find("http://").expect("an address") + 7;
    name[from..].trim_end_matches("/metrics").to_owned()
}

#[test]
fn the_page_has_the_totals_of_the_run() {
    let mut output = open("prometheus", Some("127.0.0.1:0")).expect("a page");
    let all = hear(&mut *output);
    let request = "GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let answer = get(&address(&*output), request);
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
    assert!(!body.contains("hunter2"), "{body}");
    let lines = body.lines().map(|line| Ok(line.to_owned()));
    let scrape = prometheus_parse::Scrape::parse(lines).expect("it is Prometheus's format");
    let mut sums = Sums::new();
    for sample in &scrape.samples {
        let mut add = |name: &str, value: f64| *sums.entry(name.to_owned()).or_default() += value;
        match &sample.value {
            prometheus_parse::Value::Counter(value)
            | prometheus_parse::Value::Gauge(value)
            | prometheus_parse::Value::Untyped(value) => add(&sample.metric, *value),
            prometheus_parse::Value::Histogram(buckets) => {
                assert!(buckets.windows(2).all(|pair| pair[0].count <= pair[1].count));
                assert_eq!(buckets.last().map(|last| last.less_than), Some(f64::INFINITY));
            }
            prometheus_parse::Value::Summary(_) => panic!("there is no summary"),
        }
    }
    check(&sums, &all);
    let labels = &scrape.samples.iter().find(|sample| sample.labels.get("phase").is_some());
    assert!(labels.is_some());
    assert!(
        body.contains(r#"phase="second \"quoted\"",user="u",task="t",name="/b?t=***""#),
        "{body}"
    );
    assert!(body.contains(r#"status="503"} "#) && body.contains(r#"status="none"} "#), "{body}");
    promtool(body);
}

/// Prometheus's own opinion, where it is installed: the test script sees to that.
fn promtool(page: &str) {
    let started = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = started else { return };
    child.stdin.take().expect("a pipe").write_all(page.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.trim().is_empty(), "{said}");
}

#[test]
fn the_page_is_for_those_who_may_read_it() {
    let output = open("prometheus", Some("127.0.0.1:0")).expect("a page");
    let check = |request: &str, expect: &str| {
        let answer = get(&address(&*output), request);
        assert!(answer.starts_with(&format!("HTTP/1.1 {expect}")), "{request}: {answer}");
    };
    check("GET /metrics HTTP/1.1\r\nhost: 127.0.0.1:9\r\n\r\n", "200");
    check("GET /metrics HTTP/1.1\r\nhost: evil.example\r\n\r\n", "403");
    check("GET /metrics HTTP/1.0\r\n\r\n", "403");
    check("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n", "404");
    check("POST /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n", "405");
    check("nonsense\r\n\r\n", "400");

    assert!(matches!(open("prometheus", Some("0.0.0.0:0")), Err(OpenError::Scrape(_))));
    let short = |_: &str| Some("hunter2".to_owned());
    assert!(open_with("prometheus", Some("127.0.0.1:0"), &short).is_err());
    let token = |_: &str| Some("0123456789abcdef".to_owned());
    let guarded = open_with("prometheus", Some("0.0.0.0:0"), &token).expect("a page");
    let address = address(&*guarded).replace("0.0.0.0", "127.0.0.1");
    let request = |header: &str| {
        get(&address, &format!("GET /metrics HTTP/1.1\r\nhost: any.example\r\n{header}\r\n"))
    };
    assert!(request("").starts_with("HTTP/1.1 401"));
    assert!(request("authorization: Bearer 0123456789abcdeX\r\n").starts_with("HTTP/1.1 401"));
    assert!(request("authorization: Bearer 0123456789abcdef\r\n").starts_with("HTTP/1.1 200"));
}

#[test]
fn a_page_ends_with_its_output() {
    let output = open("prometheus", Some("127.0.0.1:0")).expect("a page");
    let address = address(&*output);
    drop(output);
    open("prometheus", Some(&address)).expect("the port is free again");
}

/// Remote write 1.0 as its receivers read it.
mod remote {
    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct WriteRequest {
        #[prost(message, repeated, tag = "1")]
        pub(super) timeseries: Vec<TimeSeries>,
    }
    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct TimeSeries {
        #[prost(message, repeated, tag = "1")]
        pub(super) labels: Vec<Label>,
        #[prost(message, repeated, tag = "2")]
        pub(super) samples: Vec<Sample>,
    }
    #[derive(Clone, PartialEq, Eq, prost::Message)]
    pub(super) struct Label {
        #[prost(string, tag = "1")]
        pub(super) name: String,
        #[prost(string, tag = "2")]
        pub(super) value: String,
    }
    #[derive(Clone, Copy, PartialEq, prost::Message)]
    pub(super) struct Sample {
        #[prost(double, tag = "1")]
        pub(super) value: f64,
        #[prost(int64, tag = "2")]
        pub(super) timestamp: i64,
    }
}

#[test]
fn remote_write_has_the_totals_of_the_run() {
    let receiver = Receiver::start(Manner::Status(204));
    let url = receiver.url("/api/v1/write").replace("http://", "http://me:hunter2@");
    let mut output = open("prometheus-rw", Some(&url)).expect("an output");
    assert!(!output.name().contains("hunter2"), "{}", output.name());
    let all = hear(&mut *output);
    output.finish(None).expect("it is taken");
    let received = receiver.received();
    let last = received.last().expect("something was sent");
    for part in [
        "post /api/v1/write",
        "content-encoding: snappy",
        "content-type: application/x-protobuf",
        "x-prometheus-remote-write-version: 0.1.0",
        "authorization: basic bwu6ahvudgvymg==",
    ] {
        assert!(last.head.contains(part), "{part} in {}", last.head);
    }
    let bytes = snap::raw::Decoder::new().decompress_vec(&last.body).expect("snappy");
    let request = remote::WriteRequest::decode(bytes.as_slice()).expect("protobuf");
    let mut sums = Sums::new();
    for series in &request.timeseries {
        let names: Vec<&str> = series.labels.iter().map(|label| label.name.as_str()).collect();
        assert!(names.windows(2).all(|pair| pair[0] < pair[1]), "sorted, unique: {names:?}");
        let label = |name: &str| {
            series.labels.iter().find(|label| label.name == name).map(|label| label.value.clone())
        };
        assert!(series.labels.iter().all(|label| !label.value.is_empty()));
        assert!(!series.labels.iter().any(|label| label.value.contains("hunter2")));
        assert_eq!((label("plan"), series.samples.len()), (Some("shop".to_owned()), 1));
        assert!(series.samples[0].timestamp > 1_700_000_000_000);
        *sums.entry(label("__name__").expect("a name")).or_default() += series.samples[0].value;
    }
    check(&sums, &all);
}

#[test]
fn otlp_has_the_totals_of_the_run() {
    let receiver = Receiver::start(Manner::Status(200));
    let base = receiver.url("");
    let environment = |name: &str| match name {
        "OTEL_EXPORTER_OTLP_ENDPOINT" => Some(base.clone()),
        "OTEL_EXPORTER_OTLP_HEADERS" => Some("x-tenant=a%20b".to_owned()),
        _ => None,
    };
    let mut output = open_with("otlp", None, &environment).expect("an output");
    let all = hear(&mut *output);
    output.finish(None).expect("it is taken");
    let received = receiver.received();
    let last = received.last().expect("something was sent");
    assert!(last.head.starts_with("post /v1/metrics "), "{}", last.head);
    assert!(last.head.contains("x-tenant: a b"), "{}", last.head);
    let request = ExportMetricsServiceRequest::decode(last.body.as_slice()).expect("protobuf");
    let resource = &request.resource_metrics[0];
    let attributes = resource.resource.iter().flat_map(|resource| &resource.attributes);
    let attributes: Vec<(&str, Option<&AnyValue>)> = attributes
        .map(|a| (a.key.as_str(), a.value.as_ref().and_then(|value| value.value.as_ref())))
        .collect();
    let text = |text: &str| AnyValue::StringValue(text.to_owned());
    assert!(attributes.contains(&("service.name", Some(&text("proofload")))), "{attributes:?}");
    assert!(attributes.contains(&("plan", Some(&text("shop")))), "{attributes:?}");
    let mut sums = Sums::new();
    for metric in &resource.scope_metrics[0].metrics {
        let mut add = |name: String, value: f64| *sums.entry(name).or_default() += value;
        let of = |value: &Option<Number>| match value {
            Some(Number::AsDouble(value)) => *value,
            other => panic!("{other:?}"),
        };
        match metric.data.as_ref().expect("data") {
            Data::Gauge(gauge) => {
                gauge.data_points.iter().for_each(|p| add(metric.name.clone(), of(&p.value)));
            }
            Data::Sum(sum) => {
                assert!(sum.is_monotonic && sum.aggregation_temporality == 2);
                let name = format!("{}_total", metric.name);
                for point in &sum.data_points {
                    assert!(0 < point.start_time_unix_nano);
                    assert!(point.start_time_unix_nano <= point.time_unix_nano);
                    add(name.clone(), of(&point.value));
                }
            }
            Data::Histogram(histogram) => {
                assert_eq!((histogram.aggregation_temporality, metric.unit.as_str()), (2, "s"));
                for point in &histogram.data_points {
                    assert_eq!(point.bucket_counts.len(), point.explicit_bounds.len() + 1);
                    assert_eq!(point.bucket_counts.iter().sum::<u64>(), point.count);
                    add(format!("{}_seconds_count", metric.name), point.count as f64);
                    add(format!("{}_seconds_sum", metric.name), point.sum.unwrap_or(f64::NAN));
                }
            }
            other => panic!("{other:?}"),
        }
    }
    check(&sums, &all);
}

#[test]
fn what_cannot_be_is_told_before_the_run() {
    let check = |kind: &str, place: Option<&str>, expect: &str| {
        let error = open(kind, place).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains(expect), "{kind} {place:?}: {error}");
    };
    check("statsd", None, "`statsd` is no output");
    check("prometheus-rw", None, "--out prometheus-rw=http://");
    check("prometheus-rw", Some("host:9090"), "begins with http://");
    check("otlp", Some("grpc://host"), "begins with http://");
    check("prometheus", Some("host:name"), "is no address");
    check("ndjson", Some("/nonexistent/folder/x"), "cannot be written");
}
