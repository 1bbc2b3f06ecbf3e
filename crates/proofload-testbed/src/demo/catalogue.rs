//! `/` and `/health`.

use axum::Json;
use axum::extract::State;
use axum::response::Html;
use serde_json::{Value, json};

use super::routes::ENDPOINTS;
use super::state::Shared;

/// `GET /health`: free of latency, errors and capacity, so that a check of the target always works.
pub(crate) async fn health(State(service): State<Shared>) -> Json<Value> {
    let limiter = service.limiter.stats();
    Json(json!({"status": "ok", "active": limiter.in_use, "queue_depth": limiter.queued}))
}

/// `GET /`: what there is.
pub(crate) async fn page() -> Html<String> {
    let mut rows = String::new();
    for (method, path, what) in ENDPOINTS {
        rows.push_str(&format!(
            "<tr><td>{method}</td><td><code>{path}</code></td><td>{what}</td></tr>\n"
        ));
    }
    Html(format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>Proofload demo service</title>\n\
         <style>body{{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;\
         padding:0 1rem}}td{{padding:.2rem .8rem .2rem 0;vertical-align:top}}</style>\n\
         <h1>Proofload demo service</h1>\n\
         <p>Something to put load on. Latency, errors, capacity and stalls are set at \
         <code>/admin/knobs</code>.</p>\n<table>\n{rows}</table>\n</html>\n"
    ))
}
