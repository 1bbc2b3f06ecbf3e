//! `/metrics` as a tower service, for axum, hyper and whatever else serves HTTP.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
#[cfg(feature = "prometheus")]
use http::header::ACCEPT;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, VARY};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use tower_service::Service;

use super::Registry;

const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
#[cfg(feature = "prometheus")]
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

impl Registry {
    /// A service that answers every `GET` and `HEAD`, whatever the path, with all metrics.
    ///
    /// With axum:
    ///
    /// ```
    /// let registry = proofload_kit::Registry::new();
    /// let app = axum::Router::<()>::new().route_service("/metrics", registry.metrics_service());
    /// ```
    #[must_use]
    pub fn metrics_service(&self) -> MetricsService {
        MetricsService { registry: self.clone() }
    }
}

/// Answers with the metrics of a registry in Prometheus' text format; with the feature `prometheus` as OpenMetrics to
/// those who ask for that, as Prometheus does. Made by [`Registry::metrics_service`].
#[derive(Clone, Debug)]
pub struct MetricsService {
    registry: Registry,
}

impl<B> Service<Request<B>> for MetricsService {
    type Response = Response<MetricsBody>;
    type Error = Infallible;
    type Future = MetricsFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        MetricsFuture(Some(self.answer(request.method(), request.headers())))
    }
}

/// The answer of a [`MetricsService`].
#[derive(Debug)]
#[must_use = "a future does nothing until it is awaited"]
pub struct MetricsFuture(Option<Response<MetricsBody>>);

impl Future for MetricsFuture {
    type Output = Result<Response<MetricsBody>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(response) = self.0.take() else { panic!("polled again after it was done") };
        Poll::Ready(Ok(response))
    }
}

/// The body of an answer of a [`MetricsService`]: text of known length.
#[derive(Clone, Debug, Default)]
pub struct MetricsBody(Bytes);

impl Body for MetricsBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let text = std::mem::take(&mut self.0);
        Poll::Ready((!text.is_empty()).then(|| Ok(Frame::data(text))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.len() as u64)
    }
}

impl MetricsService {
    fn answer(&self, method: &Method, headers: &HeaderMap) -> Response<MetricsBody> {
        let mut response = Response::new(MetricsBody::default());
        if method != Method::GET && method != Method::HEAD {
            *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return response;
        }
        let (kind, text) = self.text(headers);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(VARY, HeaderValue::from_static("accept"));
        headers.insert(CONTENT_LENGTH, HeaderValue::from(text.len()));
        if method == Method::GET {
            *response.body_mut() = MetricsBody(text.into());
        }
        response
    }
}

#[cfg(feature = "prometheus")]
impl MetricsService {
    fn text(&self, headers: &HeaderMap) -> (&'static str, String) {
        if accepts_openmetrics(headers) {
            (OPENMETRICS, self.registry.openmetrics_text())
        } else {
            (TEXT, self.registry.prometheus_text())
        }
    }
}

#[cfg(not(feature = "prometheus"))]
impl MetricsService {
    fn text(&self, _: &HeaderMap) -> (&'static str, String) {
        (TEXT, self.registry.prometheus_text())
    }
}

/// Whether OpenMetrics is named and weighs no less than plain text. Wildcards do not count: who says
/// nothing in particular gets what everybody can read.
#[cfg(feature = "prometheus")]
fn accepts_openmetrics(headers: &HeaderMap) -> bool {
    let ranges = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let ranges = ranges.flat_map(|value| value.split(','));
    let (mut openmetrics, mut text) = (0.0_f32, 0.0_f32);
    for range in ranges {
        let mut parts = range.split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default();
        let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(Ok(1.0), str::parse);
        let weight = weight.unwrap_or(0.0);
        if kind.eq_ignore_ascii_case("application/openmetrics-text") {
            openmetrics = openmetrics.max(weight);
        } else if kind.eq_ignore_ascii_case("text/plain") {
            text = text.max(weight);
        }
    }
    openmetrics > 0.0 && openmetrics >= text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "prometheus")]
    #[test]
    fn openmetrics_is_for_those_who_ask() {
        let check = |accept: &str, expect: bool| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, accept.parse().unwrap());
            assert_eq!(accepts_openmetrics(&headers), expect, "{accept}");
        };
        assert!(!accepts_openmetrics(&HeaderMap::new()));
        check("*/*", false);
        check("text/html,*/*;q=0.8", false);
        check("text/plain", false);
        // What Prometheus 2 sends, and Prometheus 3.
        check(
            "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
            true,
        );
        check(
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            true,
        );
        check("application/openmetrics-text;q=0.1, text/plain", false);
        check("application/openmetrics-text;q=0", false);
        check("application/openmetrics-text;q=none", false);
        check("Application/OpenMetrics-Text", true);
    }

    #[test]
    fn methods_and_headers() {
        let registry = Registry::new();
        registry.counter("orders", "Orders").unwrap().increment();
        let service = registry.metrics_service();
        let length = registry.prometheus_text().len().to_string();
        let get = service.answer(&Method::GET, &HeaderMap::new());
        let head = service.answer(&Method::HEAD, &HeaderMap::new());
        assert_eq!(get.headers(), head.headers());
        assert_eq!(get.headers()[CONTENT_TYPE], TEXT);
        assert_eq!(get.headers()[CONTENT_LENGTH], length);
        let size = |response: &Response<MetricsBody>| response.body().size_hint().exact().unwrap();
        assert_eq!((size(&get).to_string(), size(&head)), (length, 0));
        let post = service.answer(&Method::POST, &HeaderMap::new());
        assert_eq!(post.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(post.headers()[ALLOW], "GET, HEAD");
    }
}
