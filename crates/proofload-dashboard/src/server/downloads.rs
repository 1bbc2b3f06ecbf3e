//! Results as files.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use proofload_core::result::RunResult;
use proofload_report::html::{HtmlOptions, page as report_page};
use proofload_report::{csv, junit, markdown};

use super::pages;
use crate::live::Shared;
use crate::page;

/// A file of the run that is under way, or was last.
pub(super) async fn of_this_run(
    State(shared): State<Arc<Shared>>,
    Path(file): Path<String>,
) -> Response {
    let result = shared.live().run.as_ref().map(|run| run.result(&shared.config.redactor));
    respond(result, file).await
}

/// A file of a past run.
pub(super) async fn of_past_run(
    State(shared): State<Arc<Shared>>,
    Path((id, file)): Path<(String, String)>,
) -> Response {
    respond(pages::result_of(&shared, id).await, file).await
}

/// The file is made of the result, on a thread where that may take its time; names are those of a list,
/// nothing is looked up in folders.
async fn respond(result: Option<RunResult>, file: String) -> Response {
    let Some(result) = result else { return pages::nothing_there().await };
    match tokio::task::spawn_blocking(move || make(&result, &file)).await.ok().flatten() {
        Some((kind, name, bytes)) => {
            let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""));
            let mut response = ([(header::CONTENT_TYPE, kind)], bytes).into_response();
            if let Ok(disposition) = disposition {
                response.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
            }
            response
        }
        None => (StatusCode::NOT_FOUND, "There is no such file.\n").into_response(),
    }
}

/// Type, name and content of a file.
fn make(result: &RunResult, file: &str) -> Option<(&'static str, String, Vec<u8>)> {
    const CSV: &str = "text/csv; charset=utf-8";
    let (kind, text) = match file {
        "report.html" => {
            let options = HtmlOptions::new(page::code_of(result));
            ("text/html; charset=utf-8", report_page(result, &options))
        }
        "result.json" => ("application/json", result.to_json().ok()?),
        "summary.md" => ("text/markdown; charset=utf-8", markdown(result)),
        "junit.xml" => ("application/xml", junit(result)),
        "stats.csv" => (CSV, csv(result).stats),
        "stats_history.csv" => (CSV, csv(result).history),
        "failures.csv" => (CSV, csv(result).failures),
        _ => return None,
    };
    Some((kind, format!("{}-{file}", plain(&result.run.name)), text.into_bytes()))
}

/// A name that is safe in a header and in a folder.
fn plain(name: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let plain: String = name.chars().take(60).map(letter).collect();
    let plain = plain.trim_matches('-');
    if plain.is_empty() { "run".to_owned() } else { plain.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_are_harmless() {
        let check = |name: &str, expect: &str| assert_eq!(plain(name), expect);
        check("Dchat API", "dchat-api");
        check("../../etc\r\nx: \"y\"", "etc--x---y");
        check("", "run");
        check("ünïcode", "n-code");
    }
}
