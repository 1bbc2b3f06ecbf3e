//! The service: its parts, made once, and its handlers.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{MatchedPath, Path, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use proofload_kit::breaker::{CallError, Window};
use proofload_kit::limit::LimiterLayer;
use proofload_kit::registry::HttpMetricsLayer;
use proofload_kit::response::ResponseCacheLayer;
use proofload_kit::retry::Advice;
use proofload_kit::{
    BuildError, Cache, CircuitBreaker, Key, Limiter, LoadError, Registry, Retry, Ttl,
};

use super::backend::{Backend, Product, Unavailable};

pub(crate) struct Settings {
    /// How many products the cache holds.
    pub(crate) entries: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { entries: 10_000 }
    }
}

pub(crate) struct App {
    pub(crate) router: Router,
    pub(crate) backend: Arc<Backend>,
    pub(crate) products: Cache<Product>,
    pub(crate) breaker: CircuitBreaker,
}

/// What handlers share; all of it is cheap to clone.
#[derive(Clone)]
struct Parts {
    backend: Arc<Backend>,
    products: Cache<Product>,
    breaker: CircuitBreaker,
    retry: Retry,
}

pub(crate) fn build(settings: &Settings) -> Result<App, BuildError> {
    let registry = Registry::new();
    let products = Cache::builder("products", Ttl::DATA.jitter(0.1))
        .max_entries(settings.entries)
        .negative_ttl(Ttl::seconds(30))
        .stale_while_revalidate(Duration::from_secs(60))
        .fail_safe(Duration::from_secs(3600))
        .hard_timeout(Duration::from_secs(2))
        .registry(&registry)
        .build()?;
    let breaker = CircuitBreaker::builder("database")
        .window(Window::time(Duration::from_secs(10)))
        .minimum_calls(10)
        .failure_rate(0.5)
        .open_for(Duration::from_secs(5))
        .registry(&registry)
        .build()?;
    let retry =
        Retry::builder("database").attempts(2).breaker(&breaker).registry(&registry).build()?;
    let limiter = Limiter::builder("http")
        .limit(64)
        .queue(128)
        .deadline(Duration::from_secs(1))
        .registry(&registry)
        .build()?;
    let reports = ResponseCacheLayer::builder("reports", Ttl::QUERY).registry(&registry).build()?;
    let metrics = HttpMetricsLayer::new(&registry)?
        .route(|_, extensions| extensions.get::<MatchedPath>().map(MatchedPath::as_str));

    let backend = Arc::new(Backend::default());
    let parts = Parts {
        backend: Arc::clone(&backend),
        products: products.clone(),
        breaker: breaker.clone(),
        retry,
    };
    let router = Router::new()
        .route("/reports/{name}", get(report).layer(reports))
        .route("/products/{id}", get(product).put(rename))
        .with_state(parts)
        // The last layer is the first to see a request: refusals are counted too.
        .layer(LimiterLayer::http(&limiter))
        .layer(metrics)
        // After the layers: metrics are answered when everything else is refused.
        .route_service("/metrics", registry.metrics_service());
    Ok(App { router, backend, products, breaker })
}

/// Cache-aside. The loader is called by one of all who miss this product at once.
async fn product(State(parts): State<Parts>, Path(id): Path<u64>) -> Response {
    let key = Key::of("product").with(id).into_string();
    let mut loaded = false;
    let found = parts
        .products
        .get_or_load_option(&key, || {
            loaded = true;
            find(parts.clone(), id)
        })
        .await;
    let from = if loaded { "MISS" } else { "HIT" };
    let from = (HeaderName::from_static("x-cache"), HeaderValue::from_static(from));
    match found {
        Ok(Some(Product { id, name })) => {
            let body = serde_json::json!({ "id": id, "name": &*name, "cached": !loaded });
            ([from], Json(body)).into_response()
        }
        Ok(None) => (StatusCode::NOT_FOUND, [from]).into_response(),
        Err(error) => unavailable(&error),
    }
}

/// Each attempt asks the breaker; what the breaker refuses is not tried again.
async fn find(parts: Parts, id: u64) -> Result<Option<Product>, CallError<Unavailable>> {
    let attempt = |_| parts.breaker.call(parts.backend.find(id));
    parts.retry.call_when(attempt, |error| Advice::guarded(error, |_| true)).await
}

/// The source first, then the cache.
async fn rename(State(parts): State<Parts>, Path(id): Path<u64>, name: String) -> Response {
    let key = Key::of("product").with(id).into_string();
    let write = parts.breaker.call(parts.backend.rename(id, &name));
    match parts.products.write_invalidate(&key, write).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// Knows nothing of a cache: the layer around it answers most requests.
async fn report(State(parts): State<Parts>, Path(name): Path<String>) -> Response {
    match parts.breaker.call(parts.backend.find(1)).await {
        Ok(_) => format!("The report on {name}, made by {} queries.\n", parts.backend.queries())
            .into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// 503, and when to come back if the breaker knows it.
fn unavailable(error: &LoadError<CallError<Unavailable>>) -> Response {
    let seconds = match error.failed() {
        Some(CallError::Refused(open)) => open.retry_after().as_secs() + 1,
        _ => 1,
    };
    let retry_after = [(header::RETRY_AFTER, HeaderValue::from(seconds))];
    (StatusCode::SERVICE_UNAVAILABLE, retry_after, error.to_string()).into_response()
}
