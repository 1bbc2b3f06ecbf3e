//! What production calls what a load test measures.

use std::collections::BTreeMap;

use super::ExportError;

/// Names of metrics, after OpenTelemetry's conventions for HTTP servers as Prometheus shows them, or
/// after those of Prometheus' client libraries. Each can be replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricNames {
    /// Histogram of the time of requests, in seconds, without `_bucket`.
    pub latency: String,
    /// Counter of requests; that of the histogram if there is no other.
    pub requests: Option<String>,
    /// Label of the counter with the HTTP status.
    pub status_label: String,
    /// Regular expression of the statuses that are failures of the service.
    pub error_status: String,
    /// Counter of answers from the cache.
    pub cache_hits: String,
    /// Counter of answers past the cache.
    pub cache_misses: String,
    /// Gauge of requests that wait.
    pub queue_depth: String,
    /// By the name of a monitor's measure (`cpu`, `db_connections`): a metric, or any expression.
    pub monitors: BTreeMap<String, String>,
}

impl Default for MetricNames {
    /// OpenTelemetry's.
    fn default() -> Self {
        Self {
            latency: "http_server_request_duration_seconds".to_owned(),
            requests: None,
            status_label: "http_response_status_code".to_owned(),
            error_status: "5..".to_owned(),
            cache_hits: "cache_hits_total".to_owned(),
            cache_misses: "cache_misses_total".to_owned(),
            queue_depth: "queue_depth".to_owned(),
            monitors: BTreeMap::new(),
        }
    }
}

/// The keys that [`MetricNames::set`] knows.
const KEYS: [&str; 7] =
    ["latency", "requests", "status", "errors", "cache_hits", "cache_misses", "queue_depth"];

impl MetricNames {
    /// The names that Prometheus' own client libraries and guides use.
    #[must_use]
    pub fn prometheus() -> Self {
        Self {
            latency: "http_request_duration_seconds".to_owned(),
            requests: Some("http_requests_total".to_owned()),
            status_label: "status".to_owned(),
            ..Self::default()
        }
    }

    /// Replaces one: `latency`, `requests`, `status` (the label), `errors` (a regular expression of
    /// statuses), `cache_hits`, `cache_misses`, `queue_depth`, or a measure of `monitors`, whose value
    /// may be any PromQL expression.
    ///
    /// # Errors
    /// When there is no such key, or the value is no name where one is needed.
    pub fn set(&mut self, key: &str, value: &str, monitors: &[&str]) -> Result<(), ExportError> {
        let (key, value) = (key.trim().replace('-', "_"), value.trim());
        let metric = || name_of("metric", value, |c| c == ':');
        match key.as_str() {
            "latency" => self.latency = metric()?,
            "requests" => self.requests = Some(metric()?),
            "status" => self.status_label = name_of("label", value, |_| false)?,
            "errors" => self.error_status = expression(&key, value)?,
            "cache_hits" => self.cache_hits = metric()?,
            "cache_misses" => self.cache_misses = metric()?,
            "queue_depth" => self.queue_depth = metric()?,
            _ if monitors.contains(&key.as_str()) => {
                self.monitors.insert(key.clone(), expression(&key, value)?);
            }
            _ => {
                return Err(ExportError::UnknownMetric { name: key, known: KEYS.join(", ") });
            }
        }
        Ok(())
    }
}

/// A name that Prometheus takes.
fn name_of(
    what: &'static str,
    text: &str,
    is_more: fn(char) -> bool,
) -> Result<String, ExportError> {
    let is_fine = |c: char| c.is_ascii_alphanumeric() || c == '_' || is_more(c);
    let starts_well = text.starts_with(|c: char| is_fine(c) && !c.is_ascii_digit());
    if starts_well && text.chars().all(is_fine) {
        return Ok(text.to_owned());
    }
    Err(ExportError::BadName { name: text.to_owned(), what })
}

/// Whether it is the bare name of a metric.
pub(super) fn is_metric(text: &str) -> bool {
    name_of("metric", text, |c| c == ':').is_ok()
}

/// Prometheus says what is wrong with an expression; only what would break the file is refused.
fn expression(name: &str, text: &str) -> Result<String, ExportError> {
    let wrong = |why| Err(ExportError::BadExpression { name: name.to_owned(), why });
    if text.is_empty() {
        return wrong("is empty");
    }
    if text.contains(char::is_control) {
        return wrong("has control characters in it");
    }
    Ok(text.to_owned())
}

/// Label matchers, without braces: `job="api",env=~"prod|test"`. Empty: every series.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector(String);

impl Selector {
    /// Reads label matchers, in braces or without.
    ///
    /// # Errors
    /// When it is anything else.
    pub fn parse(text: &str) -> Result<Self, ExportError> {
        let wrong = || ExportError::BadSelector { text: text.to_owned() };
        let inner = text.trim();
        let inner = inner.strip_prefix('{').and_then(|t| t.strip_suffix('}')).unwrap_or(inner);
        let (mut rest, mut matchers) = (inner.trim(), Vec::new());
        while !rest.is_empty() {
            let (matcher, after) = matcher(rest).ok_or_else(wrong)?;
            matchers.push(matcher);
            rest = match after.strip_prefix(',') {
                Some(after) => after.trim_start(),
                None if after.is_empty() => after,
                None => return Err(wrong()),
            };
        }
        Ok(Self(matchers.join(",")))
    }

    /// A metric with these labels and others: `name{job="api",le="1"}`.
    pub(super) fn series(&self, metric: &str, more: &str) -> String {
        match (self.0.as_str(), more) {
            ("", "") => metric.to_owned(),
            ("", labels) | (labels, "") => format!("{metric}{{{labels}}}"),
            (labels, more) => format!("{metric}{{{labels},{more}}}"),
        }
    }
}

/// The matcher at the front of a text and what follows it.
fn matcher(text: &str) -> Option<(String, &str)> {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')?;
    let label = name_of("label", &text[..end], |_| false).ok()?;
    let rest = text[end..].trim_start();
    let operator = ["=~", "!~", "!=", "="].into_iter().find(|o| rest.starts_with(o))?;
    let value = rest[operator.len()..].trim_start().strip_prefix('"')?;
    let mut is_escaped = false;
    for (at, c) in value.char_indices() {
        match c {
            '"' if !is_escaped => {
                let matcher = format!("{label}{operator}\"{}\"", &value[..at]);
                return Some((matcher, value[at + 1..].trim_start()));
            }
            c if c.is_control() => return None,
            c => is_escaped = c == '\\' && !is_escaped,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_are_label_matchers() {
        let check = |text: &str, expect: &str| {
            assert_eq!(Selector::parse(text), Ok(Selector(expect.to_owned())), "{text}");
        };
        check("", "");
        check("{}", "");
        check("job=\"api\"", "job=\"api\"");
        check("{ job = \"api\" , env =~ \"a|b\", }", "job=\"api\",env=~\"a|b\"");
        check(r#"a!="x\"}",b!~"y""#, r#"a!="x\"}",b!~"y""#);
        for wrong in
            ["job", "job=api", "job=\"api", "1a=\"b\"", "a=\"b\" c=\"d\"", "a=\"b\"}) or (x{"]
        {
            assert!(Selector::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn labels_are_joined() {
        let some = Selector::parse("job=\"api\"").unwrap();
        assert_eq!(some.series("m", ""), "m{job=\"api\"}");
        assert_eq!(some.series("m", "a=\"b\""), "m{job=\"api\",a=\"b\"}");
        assert_eq!(Selector::default().series("m", ""), "m");
        assert_eq!(Selector::default().series("m", "a=\"b\""), "m{a=\"b\"}");
    }

    #[test]
    fn names_are_names() {
        let mut names = MetricNames::default();
        let mut check = |key: &str, value: &str, is_fine: bool| {
            assert_eq!(
                names.set(key, value, &["cpu", "my pool"]).is_ok(),
                is_fine,
                "{key}={value}"
            );
        };
        check("latency", "job:latency:rate5m", true);
        check("latency", "1x", false);
        check("latency", "a b", false);
        check("latency", "", false);
        check("status", "code", true);
        check("status", "a:b", false);
        check("cache-hits", "hits", true);
        check("cpu", "avg(x) / 2", true);
        check("my pool", "x", true);
        check("cpu", " ", false);
        check("cpu", "a\nb", false);
        check("memory", "x", false);
        assert_eq!(names.cache_hits, "hits");
    }
}
