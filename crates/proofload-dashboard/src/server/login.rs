//! Showing the token once, and getting a cookie for it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{Method, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use percent_encoding::percent_decode_str;
use serde::Deserialize;

use super::guard::Gate;
use crate::page;

/// Where the form posts to.
pub(super) const PATH: &str = "/login";

/// The token in an address, if there is one.
pub(super) fn token_of(uri: &Uri) -> Option<String> {
    let pairs = uri.query()?.split('&');
    let mut values = pairs.filter_map(|pair| pair.strip_prefix("token="));
    values.next().map(decoded)
}

/// With `%XX` as the bytes they mean.
pub(super) fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Somebody came with the token in the address: to the same place, without it.
pub(super) async fn by_address(gate: &Gate, path: &str, token: &str) -> Response {
    if !gate.admits(token).await {
        return refused();
    }
    // A path that begins with two slashes would lead to another site.
    let path = format!("/{}", path.trim_start_matches(['/', '\\']));
    let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, path)]).into_response();
    if let Some(cookie) = gate.set_cookie() {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

fn refused() -> Response {
    let page = page::login("That is not the token.");
    (StatusCode::UNAUTHORIZED, Html(page.into_string())).into_response()
}

/// Asks for the token: people by a form, programs by the status.
pub(super) fn ask(method: &Method, path: &str) -> Response {
    if method == Method::GET && path == "/" {
        return (StatusCode::UNAUTHORIZED, Html(page::login("").into_string())).into_response();
    }
    let text =
        "A token is needed: open the page with ?token=…, or send `Authorization: Bearer …`.\n";
    (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Bearer")], text).into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Login {
    token: String,
}

/// The form's answer.
pub(super) async fn login(State(gate): State<Arc<Gate>>, Json(login): Json<Login>) -> Response {
    if !gate.admits(&login.token).await {
        return (StatusCode::UNAUTHORIZED, "That is not the token.\n").into_response();
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Some(cookie) = gate.set_cookie() {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_in_addresses() {
        let check = |uri: &'static str, expect: Option<&str>| {
            assert_eq!(token_of(&Uri::from_static(uri)).as_deref(), expect, "{uri}");
        };
        check("/", None);
        check("/?a=b", None);
        check("/?token=abc", Some("abc"));
        check("/x?a=b&token=a%2Fb%zz", Some("a/b%zz"));
        check("/?token=", Some(""));
    }
}
