//! Whole pages.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use maud::Markup;
use proofload_core::result::RunResult;

use crate::live::Shared;
use crate::page;
use crate::redact::redact;
use crate::runner::is_run_id;

/// How old the picture in a page may be when it is loaded.
const FRESH: Duration = Duration::from_secs(1);

fn html(page: Markup) -> Response {
    Html(page.into_string()).into_response()
}

/// The live page.
pub(super) async fn live(State(shared): State<Arc<Shared>>) -> Response {
    shared.want_past_runs();
    html(page::live(&shared, &shared.recent(FRESH)))
}

/// All past runs.
pub(super) async fn runs(State(shared): State<Arc<Shared>>) -> Response {
    let look = Arc::clone(&shared);
    // What fails to be looked up is shown as it was.
    let _ = tokio::task::spawn_blocking(move || look.look_up_past_runs()).await;
    html(page::runs(&shared.past_runs(), &shared.instance))
}

/// A past run.
pub(super) async fn run(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Response {
    match result_of(&shared, id.clone()).await {
        Some(result) => html(page::run(&id, &result, &shared.instance)),
        None => nothing(&shared),
    }
}

/// Two runs beside each other: `?run=OLD&run=NEW`, in any order.
pub(super) async fn compare(
    State(shared): State<Arc<Shared>>,
    RawQuery(query): RawQuery,
) -> Response {
    let ids = query
        .as_deref()
        .unwrap_or_default()
        .split('&')
        .filter_map(|pair| pair.strip_prefix("run="));
    let mut results = Vec::new();
    for id in ids.take(3) {
        match result_of(&shared, super::login::decoded(id)).await {
            Some(result) => results.push(result),
            None => return nothing(&shared),
        }
    }
    results.sort_by(|a, b| a.run.started.cmp(&b.run.started));
    match &results[..] {
        [_, _] => {
            let instance = shared.instance.clone();
            let compared = tokio::task::spawn_blocking(move || {
                page::compare(&results[0], &results[1], &instance)
            });
            compared.await.map_or_else(|_| nothing(&shared), html)
        }
        _ => (StatusCode::BAD_REQUEST, "Choose exactly two runs to compare.\n").into_response(),
    }
}

/// The result of a past run, without secrets. Only what is listed is read.
pub(super) async fn result_of(shared: &Arc<Shared>, id: String) -> Option<RunResult> {
    if !is_run_id(&id) {
        return None;
    }
    let shared = Arc::clone(shared);
    let read = tokio::task::spawn_blocking(move || {
        let mut result = shared.runner.past_result(&id)?;
        redact(&mut result, &shared.config.redactor);
        Some(result)
    });
    read.await.ok().flatten()
}

fn nothing(shared: &Shared) -> Response {
    let page = page::nothing_there(&shared.instance);
    (StatusCode::NOT_FOUND, Html(page.into_string())).into_response()
}

/// For paths that lead nowhere.
pub(super) async fn nothing_there() -> Response {
    (StatusCode::NOT_FOUND, "There is nothing here.\n").into_response()
}
