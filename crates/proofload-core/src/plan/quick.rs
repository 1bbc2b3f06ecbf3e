//! The plan of a one-liner: `proofload http URL -n 1000 -c 50`.
//!
//! It is written as TOML and read like any other plan, so that there is one way to a [`Plan`], and
//! what `--print-plan` shows is what runs. Nothing in the arguments is taken for a template or a
//! variable: `{{` and `${` stand for themselves.

use std::fmt::Write as _;
use std::time::Duration;

use super::diagnostic::PlanErrors;
use super::model::Plan;
use super::overrides::Overrides;
use super::print::{quote, quote_literal};
use super::read::Inputs;
use crate::units::duration_text;

/// The arguments of a one-liner.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Quick {
    /// What is asked: an absolute URL with path and query. A missing scheme is `http`.
    pub url: String,
    /// The method; `None` is GET, or POST with a body.
    pub method: Option<String>,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// What is sent.
    pub body: Option<QuickBody>,
    /// `user:password`.
    pub basic: Option<String>,
    /// Virtual users; 50 if not given. With a rate, the most at work at once.
    pub users: Option<u32>,
    /// So many requests in all.
    pub requests: Option<u64>,
    /// So long. Without requests and duration: 10 s.
    pub duration: Option<Duration>,
    /// Starts a second (open model).
    pub rate: Option<f64>,
    /// For a whole request.
    pub timeout: Option<Duration>,
    /// How many redirects are followed; 0 if not given, as the tools of this kind do.
    pub redirects: Option<u16>,
    /// `auto`, `1.1`, `2` or `2-prior-knowledge`.
    pub version: Option<String>,
    /// Whether connections are used once only.
    pub no_keep_alive: bool,
    /// Accept any certificate.
    pub insecure: bool,
    /// Offer every encoding in `accept-encoding`.
    pub compressed: bool,
    /// The `content-type` header; with a text body, that of an HTML form if not given.
    pub content_type: Option<String>,
    /// What must hold: measures and bounds.
    pub expect: Vec<(String, String)>,
}

/// What a one-liner sends.
#[derive(Clone, Debug, PartialEq)]
pub enum QuickBody {
    /// This text.
    Text(String),
    /// A file's bytes, as they are.
    File(String),
}

/// Virtual users, if not given.
const DEFAULT_USERS: u32 = 50;
/// How long, if neither that nor a number of requests is given.
const DEFAULT_DURATION: Duration = Duration::from_secs(10);

impl Quick {
    /// The plan.
    ///
    /// # Errors
    /// What is wrong with the arguments, shown in the plan's text.
    pub fn plan(&self, overrides: &Overrides, inputs: &Inputs<'_>) -> Result<Plan, PlanErrors> {
        Plan::parse("<command line>", &self.to_toml(), overrides, inputs)
    }

    /// The plan's text.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let (target, path) = self.target_and_path();
        let mut text = String::new();
        // Writing into a String cannot fail.
        let mut line = |key: &str, value: String| {
            let _ = writeln!(text, "{key} = {value}");
        };
        line("name", quote(&format!("{} {}", self.method(), self.url)));
        line("target", quote(&target));
        line("[http]\ncookies", "false".to_owned());
        line("follow_redirects", self.redirects.unwrap_or(0).to_string());
        if let Some(timeout) = self.timeout {
            line("timeout", quote(&duration_text(timeout)));
        }
        if let Some(version) = &self.version {
            line("version", quote(version));
        }
        if self.no_keep_alive {
            line("keep_alive", "false".to_owned());
        }
        if self.compressed {
            line("compression", "true".to_owned());
        }
        if self.insecure {
            line("tls", "{ insecure = true }".to_owned());
        }
        line("\n[[user]]\nname", quote("user"));
        line("\n[[user.task]]\nname", quote(&format!("{} {path}", self.method())));
        line("method", quote(self.method()));
        line("url", quote_literal(&path));
        for (key, value) in self.header_lines() {
            line(&key, value);
        }
        match &self.body {
            Some(QuickBody::Text(body)) => line("body", quote_literal(body)),
            Some(QuickBody::File(path)) => line("body_file", quote(path)),
            None => {}
        }
        line("\n[[phase]]\nname", quote("Load"));
        for (key, value) in self.load_lines() {
            line(key, value);
        }
        text
    }

    fn method(&self) -> &str {
        match (&self.method, &self.body) {
            (Some(method), _) => method,
            (None, Some(_)) => "POST",
            (None, None) => "GET",
        }
    }

    fn target_and_path(&self) -> (String, String) {
        let url = self.url.trim();
        let url = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
        let url = url.split('#').next().unwrap_or_default();
        let authority_at = url.find("://").map_or(0, |at| at + 3);
        let path_at =
            url[authority_at..].find(['/', '?']).map_or(url.len(), |at| authority_at + at);
        let path = &url[path_at..];
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        (url[..path_at].to_owned(), path)
    }

    fn header_lines(&self) -> Vec<(String, String)> {
        let mut lines = Vec::new();
        // Names that stand twice become lists: TOML has each key once.
        let mut names: Vec<&str> = Vec::new();
        for (name, _) in &self.headers {
            if names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                continue;
            }
            names.push(name);
            let values: Vec<String> = self
                .headers
                .iter()
                .filter(|(other, _)| other.eq_ignore_ascii_case(name))
                .map(|(_, value)| quote_literal(value))
                .collect();
            lines.push((format!("headers.{}", quote(name)), format!("[{}]", values.join(", "))));
        }
        if let Some(basic) = &self.basic {
            lines.push(("basic".to_owned(), quote_literal(basic)));
        }
        if let Some(kind) = &self.content_type {
            lines.push(("content_type".to_owned(), quote_literal(kind)));
            return lines;
        }
        let has_type = self.headers.iter().any(|(n, _)| n.eq_ignore_ascii_case("content-type"));
        if matches!(self.body, Some(QuickBody::Text(_))) && !has_type {
            lines.push(("content_type".to_owned(), quote("application/x-www-form-urlencoded")));
        }
        lines
    }

    fn load_lines(&self) -> Vec<(&'static str, String)> {
        let mut lines = Vec::new();
        let duration = match (self.duration, self.requests) {
            (None, None) => Some(DEFAULT_DURATION),
            (duration, _) => duration,
        };
        if let Some(rate) = self.rate {
            lines.push(("rate", quote(&format!("{rate}/s"))));
            if let Some(users) = self.users {
                lines.push(("max_users", users.to_string()));
            }
            lines.extend(self.requests.map(|requests| ("requests", requests.to_string())));
        } else {
            lines.push(("users", self.users.unwrap_or(DEFAULT_USERS).to_string()));
            lines.extend(self.requests.map(|n| ("shared_iterations", n.to_string())));
        }
        lines.extend(duration.map(|duration| ("duration", quote(&duration_text(duration)))));
        if !self.expect.is_empty() {
            let expect = self
                .expect
                .iter()
                .map(|(measure, bound)| format!("{} = {}", quote(measure), quote(bound)));
            lines.push(("expect", format!("{{ {} }}", expect.collect::<Vec<_>>().join(", "))));
        }
        lines
    }
}
