//! What the browser loads besides the page: style and behaviour, embedded.

use axum::http::header;
use axum::response::{IntoResponse, Response};

/// What the page adds to the style sheet of the report.
const STYLE: &str = include_str!("../assets/live.css");
/// What buttons do and how the page keeps up to date.
const SCRIPT: &str = include_str!("../assets/live.js");
/// The sign of the page.
const ICON: &str = include_str!("../assets/icon.svg");

fn asset(kind: &'static str, text: &'static str) -> Response {
    // A newer Proofload on the same port has newer ones.
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-cache")], text).into_response()
}

pub(crate) async fn style() -> Response {
    asset("text/css; charset=utf-8", STYLE)
}

pub(crate) async fn script() -> Response {
    asset("text/javascript; charset=utf-8", SCRIPT)
}

pub(crate) async fn report_style() -> Response {
    asset("text/css; charset=utf-8", proofload_report::html::CSS)
}

pub(crate) async fn report_script() -> Response {
    asset("text/javascript; charset=utf-8", proofload_report::html::JS)
}

pub(crate) async fn icon() -> Response {
    asset("image/svg+xml", ICON)
}
