//! What the service says when it cannot do what was asked.

use std::time::Duration;

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// A refusal: a status and a sentence, sent as `{"error": "…"}`.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    message: String,
    retry_after: Duration,
}

/// When to come again, unless something knows better.
const RETRY_AFTER: Duration = Duration::from_secs(1);

impl ApiError {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), retry_after: RETRY_AFTER }
    }

    /// Says when to come again: with 503 only.
    pub(crate) fn retry_after(self, retry_after: Duration) -> Self {
        Self { retry_after, ..self }
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = Json(json!({"error": self.message}));
        match self.status {
            StatusCode::SERVICE_UNAVAILABLE => {
                // In whole seconds; sooner than it says would be too soon.
                let seconds = self.retry_after.as_secs_f64().ceil().max(1.0);
                (self.status, [(header::RETRY_AFTER, format!("{seconds:.0}"))], body)
                    .into_response()
            }
            StatusCode::UNAUTHORIZED => {
                (self.status, [(header::WWW_AUTHENTICATE, "Bearer")], body).into_response()
            }
            _ => (self.status, body).into_response(),
        }
    }
}
