//! Outputs by the words of the command line: `--out KIND[=WHERE]`.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use proofload_core::plan::Plan;
use proofload_core::redact::Redactor;
use proofload_core::result::RunInfo;

use crate::metrics::Collector;
use crate::output::Output;
use crate::sinks::{NdJson, Otlp, Push, RemoteWrite, Scrape, ScrapeError, Webhook};

/// The kinds with what they are and what may stand behind the `=`.
pub const KINDS: [(&str, &str); 4] = [
    ("ndjson", "intervals as they come, into a FILE; compressed if it ends in .zst"),
    ("prometheus", "a page to scrape, at ADDRESS (127.0.0.1:9464)"),
    ("prometheus-rw", "Prometheus remote write, to a URL"),
    ("otlp", "OpenTelemetry metrics over HTTP, to a URL (http://localhost:4318)"),
];

/// What outputs are told of the run.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// What is run.
    pub plan: &'a Plan,
    /// What is known of it.
    pub run: &'a RunInfo,
    /// Where files go that nobody names a place for.
    pub folder: Option<&'a Path>,
    /// Takes out secrets.
    pub redactor: &'a Redactor,
    /// The environment.
    pub environment: &'a dyn Fn(&str) -> Option<String>,
}

impl std::fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("folder", &self.folder).finish_non_exhaustive()
    }
}

/// Why there is no such output.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// No kind of this name.
    #[error("`{0}` is no output")]
    UnknownKind(String),
    /// It has to be said where.
    #[error("{kind} needs a place: --out {kind}={example}{or}")]
    NoPlace {
        /// The kind.
        kind: &'static str,
        /// Such a place.
        example: &'static str,
        /// Another way to say it.
        or: &'static str,
    },
    /// Not a URL.
    #[error("{kind} needs a URL that begins with http:// or https://")]
    NoUrl {
        /// The kind.
        kind: &'static str,
    },
    /// A file cannot be written.
    #[error("{} cannot be written: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// The page cannot be served.
    #[error(transparent)]
    Scrape(#[from] ScrapeError),
}

/// An output by its kind, one of [`KINDS`], and its place.
///
/// The environment has a say, as with other tools: `OTEL_EXPORTER_OTLP_METRICS_ENDPOINT`,
/// `OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_EXPORTER_OTLP_HEADERS`; `K6_PROMETHEUS_RW_SERVER_URL`,
/// `K6_PROMETHEUS_RW_USERNAME`, `K6_PROMETHEUS_RW_PASSWORD`, `K6_PROMETHEUS_RW_BEARER_TOKEN`;
/// `PROOFLOAD_METRICS_TOKEN`. A place that is given wins over them. Values that are secrets should be
/// hidden by the caller wherever it shows something.
///
/// # Errors
/// When there is no such kind, or it cannot go there.
pub fn by_name(
    kind: &str,
    place: Option<&str>,
    context: &Context<'_>,
) -> Result<Box<dyn Output>, OpenError> {
    match kind {
        "ndjson" => ndjson(place, context),
        "prometheus" => {
            let token = get(context, "PROOFLOAD_METRICS_TOKEN");
            let address = place.unwrap_or(crate::sinks::DEFAULT_ADDRESS);
            Ok(Box::new(Scrape::start(address, token, collector(context))?))
        }
        "prometheus-rw" => remote_write(place, context),
        "otlp" => otlp(place, context),
        other => Err(OpenError::UnknownKind(other.to_owned())),
    }
}

/// The webhook of the plan's alerts, if it has one.
#[must_use]
pub fn webhook(context: &Context<'_>) -> Option<Box<dyn Output>> {
    let rules = &context.plan.alerts;
    let url = rules.webhook.as_deref().filter(|_| rules.enabled)?;
    Some(Box::new(Webhook::new(url, &context.plan.name, context.redactor.clone())))
}

fn phases(context: &Context<'_>) -> Vec<Arc<str>> {
    context.plan.phases.iter().map(|phase| Arc::clone(&phase.name)).collect()
}

fn collector(context: &Context<'_>) -> Collector {
    Collector::new(phases(context), context.redactor.clone())
}

/// What tells the runs of a plan apart in a store of many.
fn labels(context: &Context<'_>) -> Vec<(&'static str, String)> {
    let text = |text: &str| context.redactor.text(text).into_owned();
    vec![("plan", text(&context.run.name)), ("run", text(&context.run.started))]
}

fn ndjson(place: Option<&str>, context: &Context<'_>) -> Result<Box<dyn Output>, OpenError> {
    let path = match (place, context.folder) {
        (Some(place), _) => PathBuf::from(place),
        (None, Some(folder)) => folder.join("intervals.ndjson"),
        (None, None) => PathBuf::from("intervals.ndjson"),
    };
    let made = NdJson::create(&path, context.run, phases(context), context.redactor.clone());
    match made {
        Ok(sink) => Ok(Box::new(sink)),
        Err(error) => Err(OpenError::File { path, error }),
    }
}

/// A variable of the environment that says something.
fn get(context: &Context<'_>, name: &str) -> Option<String> {
    (context.environment)(name).filter(|value| !value.is_empty())
}

/// A URL without the user and password in it, which become a header.
fn url(
    kind: &'static str,
    url: &str,
    headers: &mut Vec<(String, String)>,
) -> Result<String, OpenError> {
    let scheme = ["http://", "https://"].into_iter().find(|scheme| url.starts_with(scheme));
    let scheme = scheme.ok_or(OpenError::NoUrl { kind })?;
    let rest = &url[scheme.len()..];
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let Some((pair, _)) = rest[..end].rsplit_once('@') else { return Ok(url.to_owned()) };
    let (user, password) = pair.split_once(':').unwrap_or((pair, ""));
    headers.push(("authorization".to_owned(), basic(&decode(user), &decode(password))));
    Ok(format!("{scheme}{}", &rest[pair.len() + 1..]))
}

fn remote_write(place: Option<&str>, context: &Context<'_>) -> Result<Box<dyn Output>, OpenError> {
    const KIND: &str = "prometheus-rw";
    let get = |name: &str| get(context, name);
    let place = place.map(str::to_owned).or_else(|| get("K6_PROMETHEUS_RW_SERVER_URL"));
    let place = place.ok_or(OpenError::NoPlace {
        kind: KIND,
        example: "http://localhost:9090/api/v1/write",
        or: ", or K6_PROMETHEUS_RW_SERVER_URL",
    })?;
    let mut headers = Vec::new();
    if let Some(token) = get("K6_PROMETHEUS_RW_BEARER_TOKEN") {
        headers.push(("authorization".to_owned(), format!("Bearer {token}")));
    } else if let Some(user) = get("K6_PROMETHEUS_RW_USERNAME") {
        let password = get("K6_PROMETHEUS_RW_PASSWORD").unwrap_or_default();
        headers.push(("authorization".to_owned(), basic(&user, &password)));
    }
    let place = url(KIND, &place, &mut headers)?;
    let sink = Push::<RemoteWrite>::new(&place, headers, labels(context), collector(context));
    Ok(Box::new(sink))
}

fn basic(user: &str, password: &str) -> String {
    use base64::Engine as _;
    let pair = format!("{user}:{password}");
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
}

fn otlp(place: Option<&str>, context: &Context<'_>) -> Result<Box<dyn Output>, OpenError> {
    let get = |name: &str| get(context, name);
    // An endpoint for metrics is used as it is; one for everything is what the path is added to.
    let endpoint = match place {
        Some(place) => with_path(place),
        None => match get("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT") {
            Some(endpoint) => endpoint,
            None => with_path(
                &get("OTEL_EXPORTER_OTLP_ENDPOINT")
                    .unwrap_or_else(|| "http://localhost:4318".to_owned()),
            ),
        },
    };
    let mut headers = get("OTEL_EXPORTER_OTLP_METRICS_HEADERS")
        .or_else(|| get("OTEL_EXPORTER_OTLP_HEADERS"))
        .map_or_else(Vec::new, |text| pairs(&text));
    let endpoint = url("otlp", &endpoint, &mut headers)?;
    let sink = Push::<Otlp>::new(&endpoint, headers, labels(context), collector(context));
    Ok(Box::new(sink))
}

/// A base URL with the path of metrics; one that has a path of its own stays.
fn with_path(base: &str) -> String {
    let base = base.trim_end_matches('/');
    let after = base.split_once("://").map_or(base, |(_, after)| after);
    if after.contains('/') { base.to_owned() } else { format!("{base}/v1/metrics") }
}

/// `key=value,key=value`, values percent-encoded, as OpenTelemetry has it.
fn pairs(text: &str) -> Vec<(String, String)> {
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=')?;
        let name = name.trim();
        let is_token = !name.is_empty()
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        is_token.then(|| (name.to_lowercase(), decode(value.trim())))
    };
    text.split(',').filter_map(pair).collect()
}

/// `%41` is `A`.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = text.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_get_their_path() {
        let check = |base: &str, expect: &str| assert_eq!(with_path(base), expect);
        check("http://localhost:4318", "http://localhost:4318/v1/metrics");
        check("http://localhost:4318/", "http://localhost:4318/v1/metrics");
        check("https://host/otlp/v1/metrics", "https://host/otlp/v1/metrics");
    }

    #[test]
    fn a_user_in_a_url_becomes_a_header() {
        let check = |text: &str, expect: &str, header: Option<&str>| {
            let mut headers = Vec::new();
            assert_eq!(url("otlp", text, &mut headers).expect(text), expect);
            assert_eq!(headers.first().map(|(_, value)| value.as_str()), header);
        };
        check("http://host/a@b", "http://host/a@b", None);
        // The pair is `u@x:p`.
        check("https://u%40x:p@host:1/a", "https://host:1/a", Some("Basic dUB4OnA="));
        assert!(url("otlp", "ftp://host", &mut Vec::new()).is_err());
    }

    #[test]
    fn headers_are_read_as_opentelemetry_writes_them() {
        let check = |text: &str, expect: &[(&str, &str)]| {
            let expect: Vec<_> =
                expect.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
            assert_eq!(pairs(text), expect, "{text}");
        };
        check("Api-Key=a%20b%3d, x = y ", &[("api-key", "a b="), ("x", "y")]);
        check("", &[]);
        check("nothing,a b=c,=d", &[]);
        check("k=50%", &[("k", "50%")]);
    }
}
