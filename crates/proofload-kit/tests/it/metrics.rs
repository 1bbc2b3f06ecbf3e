//! `/metrics` and the counts of requests, as clients on the network see them.

use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::MatchedPath;
use axum::http::StatusCode;
use axum::routing::get;
use proofload_kit::Registry;
use proofload_kit::registry::{Histogram, HttpMetricsLayer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::promtool;

/// A registry with one metric of each kind.
fn registry() -> Registry {
    let registry = Registry::new();
    registry.counters("orders", "Orders \"placed\"", ["kind"]).unwrap().with(["a \"b\""]).add(3);
    registry.gauge("temperature_celsius", "Degrees").unwrap().set(-1.5);
    let seconds = registry.histogram("render_seconds", "Rendering", Histogram::SECONDS).unwrap();
    seconds.observe_duration(Duration::from_millis(3));
    registry
}

/// Sends a request without body; gives status line, headers and body.
async fn ask(address: SocketAddr, request: &str, headers: &str) -> (String, String, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("{request} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let (status, headers) = head.split_once("\r\n").unwrap();
    (status.to_owned(), headers.to_ascii_lowercase(), body.to_owned())
}

/// The same of whatever serves this registry at `/metrics`.
async fn check_endpoint(address: SocketAddr, registry: &Registry) {
    let text = registry.prometheus_text();
    let (status, headers, body) = ask(address, "GET /metrics", "").await;
    assert_eq!((status.as_str(), &body), ("HTTP/1.1 200 OK", &text));
    assert!(
        headers.contains("content-type: text/plain; version=0.0.4; charset=utf-8"),
        "{headers}"
    );
    let length = format!("content-length: {}", text.len());
    assert!(headers.contains(&length), "{headers}");

    let (status, headers, body) = ask(address, "HEAD /metrics", "").await;
    assert_eq!((status.as_str(), body.as_str()), ("HTTP/1.1 200 OK", ""));
    assert!(headers.contains(&length), "{headers}");

    for method in ["POST", "DELETE", "OPTIONS"] {
        let (status, headers, body) = ask(address, &format!("{method} /metrics"), "").await;
        assert_eq!((status.as_str(), body.as_str()), ("HTTP/1.1 405 Method Not Allowed", ""));
        assert!(headers.contains("allow: get, head"), "{headers}");
    }

    let prometheus = "accept: application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.1\r\n";
    let (_, headers, body) = ask(address, "GET /metrics", prometheus).await;
    assert!(headers.contains("content-type: application/openmetrics-text; version=1.0.0"));
    assert_eq!(body, registry.openmetrics_text());
    assert!(body.ends_with("# EOF\n") && body.contains("orders_total{kind=\"a \\\"b\\\"\"} 3.0\n"));
}

#[tokio::test]
async fn metrics_with_axum() {
    let registry = registry();
    let app = axum::Router::<()>::new().route_service("/metrics", registry.metrics_service());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    check_endpoint(address, &registry).await;
}

#[tokio::test]
async fn metrics_with_hyper() {
    let registry = registry();
    let service = hyper_util::service::TowerToHyperService::new(registry.metrics_service());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let stream = hyper_util::rt::TokioIo::new(stream);
            let connection = hyper::server::conn::http1::Builder::new();
            tokio::spawn(connection.serve_connection(stream, service.clone()));
        }
    });
    check_endpoint(address, &registry).await;
}

#[tokio::test]
async fn requests_are_counted_by_route() {
    let registry = Registry::new();
    let metrics = HttpMetricsLayer::new(&registry)
        .unwrap()
        .route(|_, extensions| extensions.get::<MatchedPath>().map(MatchedPath::as_str));
    let app = axum::Router::<()>::new()
        .route("/users/{id}", get(|| async { "hello" }))
        .route("/fails", get(|| async { StatusCode::BAD_GATEWAY }))
        .layer(metrics);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    for path in ["GET /users/1", "GET /users/2", "GET /users/3", "POST /users/4", "GET /fails"] {
        ask(address, path, "").await;
    }
    for number in 0..20 {
        ask(address, &format!("GET /wp-admin/{number}"), "").await;
    }
    let text = registry.prometheus_text();
    for line in [
        "http_requests_total{method=\"GET\",route=\"/users/{id}\",status=\"200\"} 3",
        "http_requests_total{method=\"POST\",route=\"/users/{id}\",status=\"405\"} 1",
        "http_requests_total{method=\"GET\",route=\"/fails\",status=\"502\"} 1",
        "http_requests_total{method=\"GET\",route=\"unmatched\",status=\"404\"} 20",
        "http_request_duration_seconds_count{method=\"GET\",route=\"/users/{id}\"} 3",
        "http_requests_in_flight 0",
    ] {
        assert!(text.lines().any(|there| there == line), "{line} is not in\n{text}");
    }
    assert_eq!(text.matches("http_requests_total{").count(), 4);
    promtool::check_metrics(&text).unwrap();
}

#[test]
fn prometheus_takes_the_text() {
    promtool::check_metrics(&registry().prometheus_text()).unwrap();
    let wrong = "# TYPE a counter\na 1\n";
    assert!(promtool::check_metrics(wrong).is_err(), "promtool judges");
}
