//! Chat answers that are dear to make and cheap to repeat: the cache's hit rate is real.

use std::time::Instant;

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use serde::Deserialize;
use serde_json::json;

use super::caches::{Kept, Question, cached};
use super::error::ApiError;
use super::knowledge::Lookup;
use super::state::{Shared, unix_ms};

/// Longest question accepted, in bytes.
const MAX_QUESTION_BYTES: usize = 8 * 1024;
/// What an answer costs that is not in the cache, in US dollars: the source document's figure for
/// the calls to a language model behind one answer.
const MISS_COST_USD: f64 = 0.06;

/// Clients call the question `message` or `query`.
#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
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
    Json(asked): Json<Asked>,
) -> Result<impl IntoResponse, ApiError> {
    let started = Instant::now();
    let text = asked.message.or(asked.query).unwrap_or_default();
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
    let question = Question {
        kept: Kept::Chat,
        key: format!("chat:{normal}"),
        ttl: Some(ttl),
        lookup: Lookup::Answer(&normal),
        cost: knobs.miss_latency,
        answer: |found| answer(&normal, found),
    };
    let (answer, source) = cached(&service, question).await?;
    let conversation_id = match asked.conversation_id {
        Some(id) => id,
        None => service.draw(|random| format!("{:016x}", random.u64(..))),
    };
    let body = json!({
        "response": &*answer,
        "cached": source.is_cached(),
        "conversation_id": conversation_id,
        "agent": if is_policy { "policy" } else { "general" },
        "cost_usd": if source.is_cached() { 0.0 } else { MISS_COST_USD },
        "processing_time_ms": started.elapsed().as_secs_f64() * 1e3,
        "timestamp_ms": unix_ms(),
    });
    Ok(([("x-cache", source.header())], Json(body)))
}

/// A text without regard to case and spaces.
pub(crate) fn normal(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

fn answer(question: &str, found: Option<String>) -> String {
    found.unwrap_or_else(|| {
        format!("You asked: {question:?}. Let me put you through to a colleague.")
    })
}
