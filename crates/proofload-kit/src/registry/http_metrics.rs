//! Counts and times of HTTP requests, as a tower layer around a service or a router.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Extensions, Method, Request, Response, StatusCode, Uri};
use pin_project_lite::pin_project;
use tokio::time::Instant;
use tower_layer::Layer;
use tower_service::Service;

use super::{Counters, Gauge, Histogram, Histograms, Registry};
use crate::BuildError;

/// The route of requests for which none is known.
const UNMATCHED: &str = "unmatched";

type RouteOf = dyn for<'a> Fn(&'a Uri, &'a Extensions) -> Option<&'a str> + Send + Sync;

/// Shows how many requests a service answers, how long that takes and how many it is at:
///
/// - `http_requests_total{method, route, status}`; the status is `error` where the service failed or panicked without a response,
///   and `cancelled` where nobody waited for it any longer;
/// - `http_request_duration_seconds{method, route}`, from the request's arrival until its response begins;
/// - `http_requests_in_flight`.
///
/// Labels are bounded: methods by a list, statuses by the protocol, and routes are patterns (`/users/{id}`), never paths.
/// What a request's route is only the router knows, so it is asked by [`route`](Self::route); without it every
/// request is `unmatched`. With axum:
///
/// ```
/// use axum::extract::MatchedPath;
/// use proofload_kit::Registry;
/// use proofload_kit::registry::HttpMetricsLayer;
///
/// # fn main() -> Result<(), proofload_kit::BuildError> {
/// let registry = Registry::new();
/// let metrics = HttpMetricsLayer::new(&registry)?
///     .route(|_, extensions| extensions.get::<MatchedPath>().map(MatchedPath::as_str));
/// let app = axum::Router::<()>::new()
///     .route("/users/{id}", axum::routing::get(|| async { "hello" }))
///     .layer(metrics);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct HttpMetricsLayer {
    shared: Arc<Shared>,
    route: Arc<RouteOf>,
}

struct Shared {
    requests: Counters<3>,
    durations: Histograms<2>,
    in_flight: Gauge,
}

impl HttpMetricsLayer {
    /// A layer that counts into `registry`, with [`Histogram::SECONDS`] as buckets. Several layers on one registry
    /// count together.
    ///
    /// # Errors
    /// When the registry has these metrics with other buckets.
    pub fn new(registry: &Registry) -> Result<Self, BuildError> {
        Self::with_buckets(registry, Histogram::SECONDS)
    }

    /// A layer with these upper bounds of durations, in seconds.
    ///
    /// # Errors
    /// When bounds are missing, infinite or do not ascend, or the registry has these metrics with other buckets.
    pub fn with_buckets(registry: &Registry, bounds: &[f64]) -> Result<Self, BuildError> {
        let shared = Shared {
            requests: registry.make_counters(
                "http_requests",
                "Requests answered.",
                ["method", "route", "status"],
            )?,
            durations: registry.make_histograms(
                "http_request_duration_seconds",
                "Time from a request until its response begins.",
                ["method", "route"],
                bounds,
            )?,
            in_flight: registry
                .make_gauges("http_requests_in_flight", "Requests being answered.", [])?
                .with([]),
        };
        Ok(Self { shared: Arc::new(shared), route: Arc::new(|_, _| None) })
    }

    /// Asks this function for the pattern of a request's route, by its address and what the router left in
    /// its extensions. `None` is shown as `unmatched`.
    #[must_use]
    pub fn route<F>(mut self, route: F) -> Self
    where
        F: for<'a> Fn(&'a Uri, &'a Extensions) -> Option<&'a str> + Send + Sync + 'static,
    {
        self.route = Arc::new(route);
        self
    }
}

impl fmt::Debug for HttpMetricsLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpMetricsLayer").finish_non_exhaustive()
    }
}

impl<S> Layer<S> for HttpMetricsLayer {
    type Service = HttpMetricsService<S>;

    fn layer(&self, inner: S) -> HttpMetricsService<S> {
        HttpMetricsService { inner, layer: self.clone() }
    }
}

/// A service whose requests are counted. Made by [`HttpMetricsLayer`].
#[derive(Clone, Debug)]
pub struct HttpMetricsService<S> {
    inner: S,
    layer: HttpMetricsLayer,
}

impl<S, B, R> Service<Request<B>> for HttpMetricsService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = HttpMetricsFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let route = (self.layer.route)(request.uri(), request.extensions()).unwrap_or(UNMATCHED);
        let flight = Flight::start(&self.layer.shared, request.method(), route);
        HttpMetricsFuture { inner: self.inner.call(request), flight }
    }
}

pin_project! {
    /// A response on its way.
    #[derive(Debug)]
    #[must_use = "a future does nothing until it is awaited"]
    pub struct HttpMetricsFuture<F> {
        #[pin]
        inner: F,
        flight: Flight,
    }
}

impl<F, R, E> Future for HttpMetricsFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        // Should it panic, somebody above may catch that and drop this later, when nothing panics any more.
        this.flight.unanswered = Outcome::Error;
        let polled = this.inner.poll(context);
        this.flight.unanswered = Outcome::Cancelled;
        let result = std::task::ready!(polled);
        this.flight.end(match &result {
            Ok(response) => Outcome::Status(response.status()),
            Err(_) => Outcome::Error,
        });
        Poll::Ready(result)
    }
}

#[derive(Clone, Copy)]
enum Outcome {
    Status(StatusCode),
    Error,
    Cancelled,
}

/// A request from its arrival until its response begins, or until it is dropped.
struct Flight {
    shared: Arc<Shared>,
    method: &'static str,
    route: Box<str>,
    started: Instant,
    is_over: bool,
    /// What it ends like when it is dropped.
    unanswered: Outcome,
}

impl Flight {
    fn start(shared: &Arc<Shared>, method: &Method, route: &str) -> Self {
        shared.in_flight.add(1.0);
        Self {
            shared: Arc::clone(shared),
            method: method_label(method),
            route: route.into(),
            started: Instant::now(),
            is_over: false,
            unanswered: Outcome::Cancelled,
        }
    }

    fn end(&mut self, outcome: Outcome) {
        if std::mem::replace(&mut self.is_over, true) {
            return;
        }
        let status = match &outcome {
            Outcome::Status(status) => status.as_str(),
            Outcome::Error => "error",
            Outcome::Cancelled => "cancelled",
        };
        self.shared.in_flight.add(-1.0);
        self.shared.requests.with([self.method, &self.route, status]).increment();
        self.shared
            .durations
            .with([self.method, &self.route])
            .observe_duration(self.started.elapsed());
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let is_panic = std::thread::panicking();
        self.end(if is_panic { Outcome::Error } else { self.unanswered });
    }
}

impl fmt::Debug for Flight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flight")
            .field("method", &self.method)
            .field("route", &self.route)
            .finish_non_exhaustive()
    }
}

/// Unknown methods share a label: clients can make up any number of them.
fn method_label(method: &Method) -> &'static str {
    const KNOWN: [&str; 9] =
        ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "CONNECT", "TRACE"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("OTHER")
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::time::Duration;

    use super::*;

    /// A service that answers by path: a status, an error, never, or after a second.
    #[derive(Clone)]
    struct Paths;

    impl Service<Request<()>> for Paths {
        type Response = Response<()>;
        type Error = &'static str;
        type Future = Pin<Box<dyn Future<Output = Result<Response<()>, &'static str>> + Send>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, request: Request<()>) -> Self::Future {
            match request.uri().path() {
                "/error" => Box::pin(ready(Err("no"))),
                "/panic" => Box::pin(async { panic!("in the handler") }),
                "/never" => Box::pin(pending()),
                "/slow" => Box::pin(async {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    Ok(Response::new(()))
                }),
                path => {
                    let status = path.trim_start_matches('/').parse().unwrap_or(StatusCode::OK);
                    let mut response = Response::new(());
                    *response.status_mut() = status;
                    Box::pin(ready(Ok(response)))
                }
            }
        }
    }

    fn request(method: &str, path: &str) -> Request<()> {
        Request::builder().method(method).uri(path).body(()).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn every_end_of_a_request_is_counted_once() {
        let registry = Registry::new();
        let layer = HttpMetricsLayer::new(&registry)
            .unwrap()
            .route(|uri, _| (uri.path() != "/wp-login").then(|| uri.path()));
        let mut service = layer.layer(Paths);
        for (method, path) in [
            ("GET", "/200"),
            ("GET", "/200"),
            ("BREW", "/418"),
            ("GET", "/wp-login"),
            ("POST", "/slow"),
        ] {
            let _: Response<()> = service.call(request(method, path)).await.unwrap();
        }
        assert!(service.call(request("GET", "/error")).await.is_err());
        let never = service.call(request("GET", "/never"));
        let gauge = registry.make_gauges("http_requests_in_flight", "", []).unwrap().with([]);
        assert_eq!(gauge.value(), 1.0);
        drop(never);
        assert_eq!(gauge.value(), 0.0);
        let mut panics = Box::pin(service.call(request("GET", "/panic")));
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            panics.as_mut().poll(&mut Context::from_waker(std::task::Waker::noop()))
        }));
        assert!(caught.is_err());
        drop(panics);
        let requests =
            registry.make_counters("http_requests", "", ["method", "route", "status"]).unwrap();
        let durations = registry
            .make_histograms(
                "http_request_duration_seconds",
                "",
                ["method", "route"],
                Histogram::SECONDS,
            )
            .unwrap();
        for (labels, count) in [
            (["GET", "/200", "200"], 2),
            (["OTHER", "/418", "418"], 1),
            (["GET", "unmatched", "200"], 1),
            (["POST", "/slow", "200"], 1),
            (["GET", "/error", "error"], 1),
            (["GET", "/panic", "error"], 1),
            (["GET", "/never", "cancelled"], 1),
        ] {
            assert_eq!(requests.with(labels).value(), count, "{labels:?}");
            let durations = durations.with([labels[0], labels[1]]);
            assert_eq!(durations.count(), count, "{labels:?}");
            assert_eq!(durations.sum(), if labels[1] == "/slow" { 1.0 } else { 0.0 });
        }
    }

    #[tokio::test]
    async fn layers_of_one_registry_count_together() {
        let registry = Registry::new();
        for _ in 0..2 {
            let mut service = HttpMetricsLayer::new(&registry).unwrap().layer(Paths);
            let _: Response<()> = service.call(request("GET", "/")).await.unwrap();
        }
        let requests =
            registry.make_counters("http_requests", "", ["method", "route", "status"]).unwrap();
        assert_eq!(requests.with(["GET", "unmatched", "200"]).value(), 2);
        assert!(HttpMetricsLayer::with_buckets(&registry, &[1.0]).is_err());
    }
}
