//! The Twilio webhook: signed form posts in, TwiML out.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::IntoResponse;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

use super::caches::{Kept, Question, Source, cached};
use super::chat::normal;
use super::error::ApiError;
use super::knowledge::Lookup;
use super::state::Shared;

/// The value of `X-Twilio-Signature` for a form post: base64(HMAC-SHA1(auth token, URL followed by
/// each parameter's name and value, sorted by name)).
///
/// `url` is the whole URL as Twilio was configured with it, query included; `parameters` are
/// decoded. See Twilio's "Webhooks security".
#[must_use]
pub fn twilio_signature(auth_token: &str, url: &str, parameters: &[(String, String)]) -> String {
    STANDARD.encode(hmac::sign(&key(auth_token), signed_text(url, parameters).as_bytes()))
}

fn key(auth_token: &str) -> hmac::Key {
    // Twilio signs with SHA-1, whatever its name here says about it.
    hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, auth_token.as_bytes())
}

fn signed_text(url: &str, parameters: &[(String, String)]) -> String {
    let mut sorted: Vec<_> = parameters.iter().collect();
    sorted.sort();
    // As Twilio's own libraries have it, a pair that is there twice counts once.
    sorted.dedup();
    let mut text = url.to_owned();
    for (name, value) in sorted {
        text.push_str(name);
        text.push_str(value);
    }
    text
}

/// `POST /webhook/whatsapp`
pub(crate) async fn whatsapp(
    State(service): State<Shared>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<impl IntoResponse, ApiError> {
    let parameters = parse_form(&headers, &body)?;
    if let Some(auth_token) = &service.options.twilio_auth_token {
        let origin = match &service.options.public_origin {
            Some(origin) => origin.trim_end_matches('/').to_owned(),
            None => origin(&headers),
        };
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        verify(auth_token, &format!("{origin}{path}"), &parameters, &headers)?;
    }
    let field = |name| parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value);
    let (Some(from), Some(text)) = (field("From"), field("Body")) else {
        return Err(ApiError::bad_request("From and Body are required"));
    };
    let (verdict, source) = check(&service, text).await?;
    let answer = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <Response><Message to=\"{}\">{}</Message></Response>",
        escape(from),
        escape(&verdict)
    );
    let headers = [(header::CONTENT_TYPE, "application/xml")];
    Ok((headers, source.map(|source| [("x-cache", source.header())]), answer))
}

/// What there is to say about a message, and where that came from if somebody else had to be asked.
async fn check(service: &Shared, text: &str) -> Result<(String, Option<Source>), ApiError> {
    let cost = service.knobs().knobs.check_latency;
    let normal = normal(text);
    let lookup = Lookup::WarningSigns(&normal);
    if cost.is_zero() {
        return Ok((verdict(lookup.in_memory()), None));
    }
    let key = format!("check:{normal}");
    let question = Question { kept: Kept::Checks, key, ttl: None, lookup, cost, answer: verdict };
    let (verdict, source) = cached(service, question).await?;
    Ok((verdict.as_ref().to_owned(), Some(source)))
}

fn parse_form(headers: &HeaderMap, body: &[u8]) -> Result<Vec<(String, String)>, ApiError> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let is_form =
        content_type.is_some_and(|value| value.starts_with("application/x-www-form-urlencoded"));
    if !is_form {
        return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "a form post is expected"));
    }
    Ok(form_urlencoded::parse(body).into_owned().collect())
}

fn verify(
    auth_token: &str,
    url: &str,
    parameters: &[(String, String)],
    headers: &HeaderMap,
) -> Result<(), ApiError> {
    let signature = headers
        .get("x-twilio-signature")
        .and_then(|value| STANDARD.decode(value.as_bytes()).ok())
        .unwrap_or_default();
    hmac::verify(&key(auth_token), signed_text(url, parameters).as_bytes(), &signature)
        .map_err(|_| ApiError::new(StatusCode::FORBIDDEN, "X-Twilio-Signature does not match"))
}

/// The origin the client addressed, as far as the request tells.
fn origin(headers: &HeaderMap) -> String {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let scheme = text("x-forwarded-proto").unwrap_or("http");
    format!("{scheme}://{}", text("host").unwrap_or_default())
}

/// What the reality checker has to say of a message with so many warning signs.
fn verdict(found: Option<String>) -> String {
    let found = found.and_then(|count| count.parse::<u64>().ok()).unwrap_or(0);
    match found {
        0 => "This looks legitimate.".to_owned(),
        1 => "This looks suspicious: be careful.".to_owned(),
        _ => format!("This is most likely a scam: {found} warning signs."),
    }
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // Not allowed in XML 1.0, not even escaped.
            control if control.is_control() && !matches!(control, '\t' | '\n' | '\r') => {}
            other => escaped.push(other),
        }
    }
    escaped
}
