//! Turning the knobs while the demo runs, and looking into its cache.

use axum::Json;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use proofload_kit::cache::CacheStats;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::error::ApiError;
use super::knobs::Knobs;
use super::state::Shared;

/// Refuses requests that a web page of somewhere else could have made a browser send: the host must
/// be this machine, and so must the origin where there is one.
pub(crate) async fn local_only(request: Request, next: Next) -> Response {
    if is_local(request.headers()) {
        return next.run(request).await;
    }
    ApiError::new(StatusCode::FORBIDDEN, "only for requests to and from this machine")
        .into_response()
}

fn is_local(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let host_is_local = text("host").is_none_or(is_loopback);
    let origin_is_local = text("origin").is_none_or(|origin| {
        origin.split_once("://").is_some_and(|(_, authority)| is_loopback(authority))
    });
    host_is_local && origin_is_local
}

fn is_loopback(authority: &str) -> bool {
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    matches!(host, "localhost" | "127.0.0.1" | "[::1]")
}

/// `GET /admin/knobs`
pub(crate) async fn knobs(State(service): State<Shared>) -> Json<Knobs> {
    Json((*service.knobs().knobs).clone())
}

/// `POST /admin/knobs`: changes what is named and answers all of them.
pub(crate) async fn turn(
    State(service): State<Shared>,
    Json(changes): Json<Map<String, Value>>,
) -> Result<Json<Knobs>, ApiError> {
    let knobs = service.knobs().knobs.updated(&changes);
    let knobs = knobs.map_err(|error| ApiError::bad_request(error.to_string()))?;
    service.set_knobs(knobs.clone());
    Ok(Json(knobs))
}

/// `GET /admin/cache`
pub(crate) async fn cache(State(service): State<Shared>) -> Json<Value> {
    let all = service.caches.stats();
    let sum = |of: fn(&CacheStats) -> u64| all.iter().map(of).sum::<u64>();
    let (hits, misses) = (sum(|stats| stats.hits), sum(|stats| stats.misses));
    let hit_rate = if hits + misses == 0 { 0.0 } else { hits as f64 / (hits + misses) as f64 };
    Json(json!({
        "hits": hits, "misses": misses, "hit_rate": hit_rate,
        "stale_hits": sum(|stats| stats.stale_hits), "coalesced": sum(|stats| stats.coalesced),
        "loads": sum(|stats| stats.loads), "load_failures": sum(|stats| stats.load_failures),
        "evictions": sum(|stats| stats.evictions), "size": sum(|stats| stats.entries),
        "capacity": service.options.cache_capacity * all.len(),
    }))
}

#[derive(Debug, Deserialize)]
pub(crate) struct Invalidation {
    #[serde(default)]
    prefix: String,
}

/// `DELETE /admin/cache?prefix=chat:`: drops what begins so, or everything.
pub(crate) async fn invalidate(
    State(service): State<Shared>,
    Query(invalidation): Query<Invalidation>,
) -> Json<Value> {
    let dropped = service.caches.invalidate(&invalidation.prefix).await;
    Json(json!({"invalidated": dropped}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_local() {
        for (host, origin, expected) in [
            ("127.0.0.1:8000", None, true),
            ("localhost", None, true),
            ("[::1]:80", Some("http://localhost:3000"), true),
            ("rebound.example:8000", None, false),
            ("127.0.0.1.example", None, false),
            ("127.0.0.1:8000", Some("https://evil.example"), false),
            ("127.0.0.1:8000", Some("null"), false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("host", host.parse().unwrap());
            if let Some(origin) = origin {
                headers.insert("origin", origin.parse().unwrap());
            }
            assert_eq!(is_local(&headers), expected, "{host}, {origin:?}");
        }
    }
}
