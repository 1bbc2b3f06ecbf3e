//! Chat answers that are dear to make and cheap to repeat: the cache's hit rate is real.

use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use serde::Deserialize;
use serde_json::json;

use super::error::ApiError;
use super::state::{Shared, lock, unix_ms};

/// Longest question accepted, in bytes.
const MAX_QUESTION_BYTES: usize = 8 * 1024;
/// What an answer costs that is not in the cache, in US dollars: the source document's figure for
/// the calls to a language model behind one answer.
const MISS_COST_USD: f64 = 0.06;

/// Clients call the question `message` or `query`.
#[derive(Debug, Deserialize)]
pub(crate) struct Question {
    message: Option<String>,
    query: Option<String>,
    conversation_id: Option<String>,
}

/// `POST /api/chat`
///
/// The cache key is the question without regard to case and spaces, so that all conversations
/// share the answers.
pub(crate) async fn ask(
    State(service): State<Shared>,
    Json(question): Json<Question>,
) -> Result<impl IntoResponse, ApiError> {
    let started = Instant::now();
    let text = question.message.or(question.query).unwrap_or_default();
    if text.trim().is_empty() || text.len() > MAX_QUESTION_BYTES {
        return Err(ApiError::bad_request(format!(
            "message (or query) must have from 1 to {MAX_QUESTION_BYTES} bytes"
        )));
    }
    let normal = normal(&text);
    let is_policy = normal.contains("policy");
    let options = &service.options;
    let ttl = if is_policy { options.policy_ttl } else { options.chat_ttl };
    let knobs = service.knobs().knobs;
    let (answer, is_hit) =
        cached(&service, format!("chat:{normal}"), ttl, knobs.miss_latency, || answer(&normal))
            .await?;
    let conversation_id = match question.conversation_id {
        Some(id) => id,
        None => service.draw(|random| format!("{:016x}", random.u64(..))),
    };
    let body = json!({
        "response": String::from_utf8_lossy(&answer),
        "cached": is_hit,
        "conversation_id": conversation_id,
        "agent": if is_policy { "policy" } else { "general" },
        "cost_usd": if is_hit { 0.0 } else { MISS_COST_USD },
        "processing_time_ms": started.elapsed().as_secs_f64() * 1e3,
        "timestamp_ms": unix_ms(),
    });
    Ok(([("x-cache", x_cache(is_hit))], Json(body)))
}

/// A text without regard to case and spaces.
pub(crate) fn normal(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// The value of the header that tells a hit from a miss.
pub(crate) fn x_cache(is_hit: bool) -> &'static str {
    if is_hit { "HIT" } else { "MISS" }
}

/// Looks up `key`; when it is not there, has the backend make the value, which takes `cost`, and keeps
/// it for `ttl`.
///
/// Misses of the same key at the same time each pay, as in most services: nothing is coalesced.
pub(crate) async fn cached(
    service: &Shared,
    key: String,
    ttl: Duration,
    cost: Duration,
    make: impl FnOnce() -> String,
) -> Result<(bytes::Bytes, bool), ApiError> {
    let knobs = service.knobs().knobs;
    if knobs.cache && let Some(value) = lock(&service.cache).get(&key, Instant::now()) {
        return Ok((value, true));
    }
    let fails = knobs.backend_error_rate > 0.0
        && service.draw(|random| random.f64() < knobs.backend_error_rate);
    service.backend.call(&knobs, cost, fails).await?;
    let value = bytes::Bytes::from(make());
    if knobs.cache {
        lock(&service.cache).insert(key, value.clone(), ttl, Instant::now());
    }
    Ok((value, false))
}

fn answer(question: &str) -> String {
    let topics = [
        ("refund", "You can return any item within 30 days for a full refund."),
        ("shipping", "Orders leave our warehouse within two working days."),
        ("price", "All prices include taxes; the catalogue lists them."),
        ("hello", "Hello! What can I do for you?"),
    ];
    topics.iter().find(|(topic, _)| question.contains(topic)).map_or_else(
        || format!("You asked: {question:?}. Let me put you through to a colleague."),
        |(_, answer)| (*answer).to_owned(),
    )
}
