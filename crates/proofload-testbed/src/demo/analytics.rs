//! Analytics and trading queries: slow to run, cached for a few seconds under all their parameters. With a PostgreSQL
//! each walks over all messages there; the figures they show are made up all the same.

use std::collections::BTreeMap;

use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::caches::{Kept, Question, cached};
use super::error::ApiError;
use super::knowledge::Lookup;
use super::state::Shared;

/// Query parameters accepted in total, in bytes: they become the cache key.
const MAX_PARAMETER_BYTES: usize = 1024;
/// Most rows of a list.
const MAX_ROWS: u64 = 1_000;

type Parameters = Query<BTreeMap<String, String>>;

/// Runs a query through the cache. `weight` is its cost in simple queries.
async fn run(
    service: &Shared,
    name: &str,
    parameters: &BTreeMap<String, String>,
    weight: u32,
    make: impl FnOnce(&mut fastrand::Rng) -> Value + Send,
) -> Result<Response, ApiError> {
    let mut key = format!("query:{name}");
    for (parameter, value) in parameters {
        // Lengths keep `a=b&c` apart from a value that contains it.
        key.push_str(&format!(":{}:{parameter}={}:{value}", parameter.len(), value.len()));
    }
    if key.len() > MAX_PARAMETER_BYTES {
        return Err(ApiError::bad_request("too many or too long query parameters"));
    }
    // The same parameters give the same data, whenever they are asked for.
    let seed = key.bytes().fold(service.options.seed, |seed, byte| {
        (seed ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let cost = service.knobs().knobs.query_latency * weight;
    let question = Question {
        kept: Kept::Queries,
        key,
        ttl: None,
        lookup: Lookup::Messages,
        cost,
        answer: |_| make(&mut fastrand::Rng::with_seed(seed)).to_string(),
    };
    let (body, source) = cached(service, question).await?;
    let headers = [(header::CONTENT_TYPE, "application/json")];
    Ok((headers, [("x-cache", source.header())], body.as_ref().to_owned()).into_response())
}

/// A number with two decimals.
fn decimal(random: &mut fastrand::Rng, from: f64, to: f64) -> f64 {
    ((from + random.f64() * (to - from)) * 100.0).round() / 100.0
}

/// How many rows are asked for.
fn rows(parameters: &BTreeMap<String, String>, default: u64) -> Result<u64, ApiError> {
    match parameters.get("limit").map(|limit| limit.parse::<u64>()) {
        None => Ok(default),
        Some(Ok(limit)) if (1..=MAX_ROWS).contains(&limit) => Ok(limit),
        Some(_) => {
            Err(ApiError::bad_request(format!("limit must be a number from 1 to {MAX_ROWS}")))
        }
    }
}

/// `GET /api/analytics/dashboard`
pub(crate) async fn dashboard(
    State(service): State<Shared>,
    Query(parameters): Parameters,
) -> Result<Response, ApiError> {
    run(&service, "dashboard", &parameters, 2, |random| {
        json!({
            "users": {"total": random.u32(10_000..99_999), "active": random.u32(100..9_999)},
            "revenue": decimal(random, 1_000.0, 50_000.0),
            "conversion_rate": decimal(random, 0.01, 0.2),
            "messages_per_hour": (0..24).map(|_| random.u32(..5_000)).collect::<Vec<_>>(),
        })
    })
    .await
}

/// `GET /api/analytics/segments`
pub(crate) async fn segments(
    State(service): State<Shared>,
    Query(parameters): Parameters,
) -> Result<Response, ApiError> {
    run(&service, "segments", &parameters, 2, |random| {
        let segments: Vec<_> = ["new", "regular", "loyal", "dormant"]
            .into_iter()
            .map(|name| {
                json!({
                    "segment": name, "users": random.u32(100..10_000),
                    "engagement": decimal(random, 0.0, 1.0),
                })
            })
            .collect();
        json!({"segments": segments})
    })
    .await
}

/// `GET /api/analytics/content?limit`
pub(crate) async fn content(
    State(service): State<Shared>,
    Query(parameters): Parameters,
) -> Result<Response, ApiError> {
    let rows = rows(&parameters, 20)?;
    run(&service, "content", &parameters, 1, |random| {
        let content: Vec<_> = (1..=rows)
            .map(|id| {
                json!({
                    "id": id, "title": format!("Chapter {id}"), "views": random.u32(..100_000),
                    "completion": decimal(random, 0.0, 1.0),
                })
            })
            .collect();
        json!({"content": content})
    })
    .await
}

/// `GET /api/config`
pub(crate) async fn config(
    State(service): State<Shared>,
    Query(parameters): Parameters,
) -> Result<Response, ApiError> {
    run(&service, "config", &parameters, 0, |_| {
        json!({
            "version": 3, "features": {"daily": true, "shop": true, "groups": true},
            "languages": ["en", "es", "de"], "page_size": 50,
        })
    })
    .await
}

/// `GET /api/city-metrics?city`
pub(crate) async fn city_metrics(
    State(service): State<Shared>,
    Query(parameters): Parameters,
) -> Result<Response, ApiError> {
    run(&service, "city-metrics", &parameters, 2, |random| {
        let city = parameters.get("city").map(String::as_str);
        let cities: Vec<_> = ["NYC", "CHI", "MIA", "LAX", "DEN", "AUS"]
            .into_iter()
            .filter(|code| city.is_none_or(|city| city == *code))
            .map(|code| {
                json!({
                    "city_code": code, "trades": random.u32(10..5_000),
                    "win_rate": decimal(random, 0.4, 0.7), "pnl": decimal(random, -500.0, 2_000.0),
                })
            })
            .collect();
        json!({"cities": cities})
    })
    .await
}

/// `GET /api/equity-curve?limit`
pub(crate) async fn equity_curve(
    State(service): State<Shared>,
    Query(parameters): Parameters,
) -> Result<Response, ApiError> {
    let rows = rows(&parameters, 90)?;
    run(&service, "equity-curve", &parameters, 1, |random| {
        let mut equity = 10_000.0;
        let points: Vec<_> = (0..rows)
            .map(|day| {
                equity += decimal(random, -100.0, 130.0);
                json!({"day": day, "equity": equity})
            })
            .collect();
        json!({"points": points})
    })
    .await
}

/// `GET /api/public-trades?limit&city`
pub(crate) async fn public_trades(
    State(service): State<Shared>,
    Query(parameters): Parameters,
) -> Result<Response, ApiError> {
    let rows = rows(&parameters, 50)?;
    run(&service, "public-trades", &parameters, 1, |random| {
        let city = parameters.get("city").map_or("NYC", String::as_str);
        let trades: Vec<_> = (1..=rows)
            .map(|id| {
                json!({
                    "id": id, "city_code": city, "price": decimal(random, 0.01, 0.99),
                    "side": if random.bool() { "buy" } else { "sell" },
                    "quantity": random.u32(1..100),
                })
            })
            .collect();
        json!({"trades": trades})
    })
    .await
}

/// `GET /api/health-status`
pub(crate) async fn health_status(
    State(service): State<Shared>,
    Query(parameters): Parameters,
) -> Result<Response, ApiError> {
    run(
        &service,
        "health-status",
        &parameters,
        0,
        |_| json!({"components": {"database": "ok", "redis": "ok", "exchange": "ok"}}),
    )
    .await
}

/// `GET /api/strategy-metrics?strategy`
pub(crate) async fn strategy_metrics(
    State(service): State<Shared>,
    Query(parameters): Parameters,
) -> Result<Response, ApiError> {
    run(&service, "strategy-metrics", &parameters, 2, |random| {
        let strategies: Vec<_> = ["momentum", "mean-reversion", "arbitrage"]
            .into_iter()
            .map(|name| {
                json!({
                    "strategy": name, "sharpe": decimal(random, -0.5, 3.0),
                    "max_drawdown": decimal(random, 0.01, 0.3), "trades": random.u32(..10_000),
                })
            })
            .collect();
        json!({"strategies": strategies})
    })
    .await
}
