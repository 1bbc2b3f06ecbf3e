//! What every request to the service proper goes through before its handler: the stall, the limiter,
//! the latency and the share of errors.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::error::ApiError;
use super::knobs::Knobs;
use super::state::Shared;

/// Makes a request suffer what the knobs say.
pub(crate) async fn conduct(
    State(service): State<Shared>,
    request: Request,
    next: Next,
) -> Response {
    let active = service.knobs();
    let knobs = active.knobs;
    let stall_left = knobs.stall_left(active.set_at.elapsed());
    if !stall_left.is_zero() {
        tokio::time::sleep(stall_left).await;
    }
    let _permit = match service.limiter.acquire().await {
        Ok(permit) => permit,
        Err(refused) => {
            service.metrics.queue_rejected.increment();
            let message = "at capacity and the queue is full, try again later";
            let error = ApiError::new(StatusCode::SERVICE_UNAVAILABLE, message);
            return error.retry_after(refused.retry_after()).into_response();
        }
    };
    let (latency, is_error) =
        service.draw(|random| (latency(&knobs, random), { random.f64() < knobs.error_rate }));
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    if is_error {
        let message = "an error, as the error rate asks for";
        return ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, message).into_response();
    }
    // The permit is held until the handler is done: its own waits are part of the service.
    next.run(request).await
}

fn latency(knobs: &Knobs, random: &mut fastrand::Rng) -> std::time::Duration {
    let base = if random.f64() < knobs.slow_share { knobs.slow_latency } else { knobs.latency };
    base + knobs.jitter.mul_f64(random.f64())
}
