//! What the buttons call. Whether the caller may is decided in `guard`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::config::Mode;
use crate::live::{Shared, Stage};
use crate::runner::{Control, Refusal, StartRequest};

/// Starts a plan.
pub(super) async fn start(
    State(shared): State<Arc<Shared>>,
    Json(request): Json<StartRequest>,
) -> Response {
    if shared.config.mode == Mode::Follow {
        return refuse(&shared, &Refusal::new("this page follows a run; it starts none"));
    }
    let is_busy = matches!(shared.live().stage, Stage::Running | Stage::Preparing(_));
    if is_busy {
        return refuse(&shared, &Refusal::new("a run is under way"));
    }
    let started = request.check(&shared.plans).and_then(|()| shared.runner.start(&request));
    answer(&shared, started)
}

/// Steers the run that is under way.
pub(super) async fn control(
    State(shared): State<Arc<Shared>>,
    Json(control): Json<Control>,
) -> Response {
    if shared.live().stage != Stage::Running {
        return refuse(&shared, &Refusal::new("no run is under way"));
    }
    let done = control.check().and_then(|()| shared.runner.control(control));
    if done.is_ok() && matches!(control, Control::Stop | Control::StopNow) {
        shared.live().is_stopping = true;
    }
    answer(&shared, done)
}

fn answer(shared: &Shared, done: Result<(), Refusal>) -> Response {
    match done {
        Ok(()) => {
            shared.touch();
            StatusCode::ACCEPTED.into_response()
        }
        Err(refusal) => refuse(shared, &refusal),
    }
}

/// Says why not, without secrets.
fn refuse(shared: &Shared, refusal: &Refusal) -> Response {
    let text = shared.config.redactor.text(&refusal.0).into_owned();
    (StatusCode::CONFLICT, text + "\n").into_response()
}
