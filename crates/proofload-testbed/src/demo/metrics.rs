//! `/metrics` in Prometheus' text format.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;

use super::state::{Service, Shared, lock};

/// Upper bounds of the latency buckets, in seconds.
const BOUNDS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0, 10.0];

/// Request counts and times. Labels are bounded: endpoints are routes, not paths.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    in_flight: AtomicU64,
    requests: Mutex<BTreeMap<(String, &'static str, u16), u64>>,
    durations: Mutex<BTreeMap<String, Histogram>>,
}

#[derive(Debug, Default)]
struct Histogram {
    /// One count for each bound, and one for everything beyond.
    buckets: [u64; BOUNDS.len() + 1],
    sum: Duration,
}

/// Counts as in flight until dropped.
pub(crate) struct InFlight<'a>(&'a AtomicU64);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Metrics {
    pub(crate) fn enter(&self) -> InFlight<'_> {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(&self.in_flight)
    }

    pub(crate) fn record(
        &self,
        method: &str,
        endpoint: &str,
        status: StatusCode,
        duration: Duration,
    ) {
        let key = (endpoint.to_owned(), method_label(method), status.as_u16());
        *lock(&self.requests).entry(key).or_default() += 1;
        let seconds = duration.as_secs_f64();
        let bucket = BOUNDS.iter().position(|&bound| seconds <= bound).unwrap_or(BOUNDS.len());
        let mut durations = lock(&self.durations);
        let histogram = durations.entry(endpoint.to_owned()).or_default();
        histogram.buckets[bucket] += 1;
        histogram.sum += duration;
    }

    fn write(&self, out: &mut String) {
        out.push_str("# HELP http_requests_total Requests answered.\n");
        out.push_str("# TYPE http_requests_total counter\n");
        for ((endpoint, method, status), count) in lock(&self.requests).iter() {
            line(
                out,
                "http_requests_total",
                &format!("endpoint=\"{endpoint}\",method=\"{method}\",status=\"{status}\""),
                *count,
            );
        }
        out.push_str("# HELP http_request_duration_seconds Time from request to answer.\n");
        out.push_str("# TYPE http_request_duration_seconds histogram\n");
        for (endpoint, histogram) in lock(&self.durations).iter() {
            let name = "http_request_duration_seconds";
            let mut below = 0;
            for (bound, count) in BOUNDS.iter().zip(histogram.buckets) {
                below += count;
                let labels = format!("endpoint=\"{endpoint}\",le=\"{bound}\"");
                line(out, &format!("{name}_bucket"), &labels, below);
            }
            let all: u64 = histogram.buckets.iter().sum();
            let labels = format!("endpoint=\"{endpoint}\",le=\"+Inf\"");
            line(out, &format!("{name}_bucket"), &labels, all);
            let labels = format!("endpoint=\"{endpoint}\"");
            line(out, &format!("{name}_sum"), &labels, histogram.sum.as_secs_f64());
            line(out, &format!("{name}_count"), &labels, all);
        }
    }
}

/// Unknown methods share a label: clients can make up any number of them.
fn method_label(method: &str) -> &'static str {
    ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
        .into_iter()
        .find(|known| *known == method)
        .unwrap_or("OTHER")
}

fn line(out: &mut String, name: &str, labels: &str, value: impl std::fmt::Display) {
    // Writing to a `String` cannot fail.
    let _ = writeln!(out, "{name}{{{labels}}} {value}");
}

fn plain(out: &mut String, kind: &str, name: &str, help: &str, value: impl std::fmt::Display) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}");
}

/// `GET /metrics`
pub(crate) async fn show(State(service): State<Shared>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text(&service))
}

fn text(service: &Service) -> String {
    let mut out = String::new();
    service.metrics.write(&mut out);
    let in_flight = service.metrics.in_flight.load(Ordering::Relaxed);
    let help = "Requests being handled, this one included.";
    plain(&mut out, "gauge", "http_requests_in_flight", help, in_flight);

    let limiter = service.limiter.stats();
    plain(&mut out, "gauge", "requests_active", "Requests within the capacity.", limiter.in_use);
    plain(&mut out, "gauge", "queue_depth", "Requests waiting for capacity.", limiter.queued);
    let help = "Requests answered 503 because the queue was full.";
    plain(&mut out, "counter", "queue_rejected_total", help, limiter.refused_full);

    service.backend.write(&mut out);

    for (name, cache) in service.caches.all() {
        let labels = format!("cache=\"{name}\"");
        line(&mut out, "cache_hits_total", &labels, cache.hits);
        line(&mut out, "cache_misses_total", &labels, cache.misses);
        line(&mut out, "cache_evictions_total", &labels, cache.evictions);
        line(&mut out, "cache_entries", &labels, cache.entries);
    }

    let sockets = service.rooms.connections();
    plain(&mut out, "gauge", "websocket_connections", "Open WebSocket connections.", sockets);
    let messages = lock(&service.messages).len();
    plain(&mut out, "gauge", "messages_stored", "Messages kept.", messages);
    let accounts = lock(&service.accounts).len();
    plain(&mut out, "gauge", "active_users", "Accounts the bot remembers.", accounts);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_cumulative_and_methods_bounded() {
        let metrics = Metrics::default();
        for milliseconds in [1, 3, 3, 60_000] {
            let duration = Duration::from_millis(milliseconds);
            metrics.record("GET", "/a", StatusCode::OK, duration);
        }
        metrics.record("BREW", "/a", StatusCode::IM_A_TEAPOT, Duration::ZERO);
        let mut out = String::new();
        metrics.write(&mut out);
        for expected in [
            "http_requests_total{endpoint=\"/a\",method=\"GET\",status=\"200\"} 4\n",
            "http_requests_total{endpoint=\"/a\",method=\"OTHER\",status=\"418\"} 1\n",
            "_bucket{endpoint=\"/a\",le=\"0.001\"} 2\n",
            "_bucket{endpoint=\"/a\",le=\"0.005\"} 4\n",
            "_bucket{endpoint=\"/a\",le=\"10\"} 4\n",
            "_bucket{endpoint=\"/a\",le=\"+Inf\"} 5\n",
            "_sum{endpoint=\"/a\"} 60.007\n",
            "_count{endpoint=\"/a\"} 5\n",
        ] {
            assert!(out.contains(expected), "{expected} is not in\n{out}");
        }
    }
}
