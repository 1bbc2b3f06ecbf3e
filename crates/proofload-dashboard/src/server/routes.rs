//! Which path leads where.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use super::guard::{Gate, guard};
use super::{api, downloads, events, login, pages};
use crate::assets;
use crate::live::Shared;

/// Largest body of a request, in bytes. The largest that makes sense names a few hundred phases.
const MAX_BODY: usize = 16 * 1024;

pub(super) fn router(shared: Arc<Shared>, gate: Arc<Gate>) -> Router {
    let login = Router::new().route(login::PATH, post(login::login)).with_state(Arc::clone(&gate));
    Router::new()
        .route("/", get(pages::live))
        .route("/runs", get(pages::runs))
        .route("/runs/{id}", get(pages::run))
        .route("/compare", get(pages::compare))
        .route("/events", get(events::events))
        .route("/download/{file}", get(downloads::of_this_run))
        .route("/runs/{id}/{file}", get(downloads::of_past_run))
        .route("/api/start", post(api::start))
        .route("/api/control", post(api::control))
        .with_state(shared)
        .route("/assets/live.css", get(assets::style))
        .route("/assets/live.js", get(assets::script))
        .route("/assets/report.css", get(assets::report_style))
        .route("/assets/report.js", get(assets::report_script))
        .route("/assets/icon.svg", get(assets::icon))
        .merge(login)
        .fallback(pages::nothing_there)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn_with_state(gate, guard))
}
