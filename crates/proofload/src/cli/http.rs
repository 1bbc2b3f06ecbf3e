//! `proofload http`: one URL from the command line. It writes a plan and runs that.

use std::fmt::Write as _;
use std::time::Duration;

use proofload_core::verdict::ExitCode;

use super::args::HttpArgs;
use super::console::Console;
use super::execute::{Job, execute};
use super::failure::Failure;
use super::load;

/// Runs the one-liner.
pub(super) fn run(args: &HttpArgs, console: &Console) -> Result<ExitCode, Failure> {
    let text = plan_text(args)?;
    // The environment is not asked: everything of a one-liner stands in its line.
    let plan = load::text("the command line", &text, console)?;
    let job = Job { plan, text: Some(text), output: args.output.clone(), keeps_result: false };
    execute(job, console)
}

/// The plan of a one-liner, as TOML.
fn plan_text(args: &HttpArgs) -> Result<String, Failure> {
    let (target, path) = split_url(&args.url)?;
    let mut plan = String::new();
    let mut line = |text: String| {
        plan.push_str(&text);
        plan.push('\n');
    };
    line(format!("name = {}", quoted(&args.url)));
    line(format!("target = {}", quoted(&target)));
    for setting in http_settings(args) {
        line(setting);
    }
    line("\n[[user]]\nname = \"client\"".to_owned());
    line("\n[[user.task]]".to_owned());
    line(request(args, &path));
    if !args.header.is_empty() {
        let headers =
            args.header.iter().map(|(name, value)| format!("{} = {}", quoted(name), quoted(value)));
        line(format!("headers = {{ {} }}", headers.collect::<Vec<_>>().join(", ")));
    }
    if let Some(body) = &args.body {
        match body.strip_prefix('@') {
            Some(file) => line(format!("body_file = {}", quoted(file))),
            None => line(format!("body = {}", quoted(body))),
        }
    }
    if let Some(kind) = &args.content_type {
        line(format!("content_type = {}", quoted(kind)));
    }
    if let Some(basic) = &args.basic {
        line(format!("basic = {}", quoted(basic)));
    }
    line("\n[[phase]]\nname = \"load\"".to_owned());
    line(load_lines(args));
    if !args.expect.is_empty() {
        let expect =
            args.expect.iter().map(|(measure, bound)| format!("{measure} = {}", quoted(bound)));
        line(format!("expect = {{ {} }}", expect.collect::<Vec<_>>().join(", ")));
    }
    Ok(plan)
}

fn http_settings(args: &HttpArgs) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(timeout) = args.timeout {
        lines.push(format!("timeout = {}", quoted(&exact(timeout))));
    }
    if !args.follow {
        // As ab, wrk, hey and oha do: what is measured is the URL that was named.
        lines.push("follow_redirects = false".to_owned());
    }
    if args.disable_keepalive {
        lines.push("keep_alive = false".to_owned());
    }
    if args.compressed {
        lines.push("compression = true".to_owned());
    }
    if args.http2 {
        lines.push("version = \"2-prior-knowledge\"".to_owned());
    }
    if !lines.is_empty() {
        lines.insert(0, "\n[http]".to_owned());
    }
    if args.insecure {
        lines.push("\n[http.tls]\ninsecure = true".to_owned());
    }
    lines
}

fn request(args: &HttpArgs, path: &str) -> String {
    let default = if args.body.is_some() { "POST" } else { "GET" };
    let method = args.method.as_deref().unwrap_or(default).to_ascii_uppercase();
    match method.as_str() {
        "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "HEAD" | "OPTIONS" => {
            format!("{} = {}", method.to_ascii_lowercase(), quoted(path))
        }
        other => format!("method = {}\nurl = {}", quoted(other), quoted(path)),
    }
}

fn load_lines(args: &HttpArgs) -> String {
    let mut lines = String::new();
    // Writing to a string cannot fail.
    let _ = match (args.rate, args.requests) {
        (Some(rate), _) => write!(lines, "rate = \"{rate}/s\""),
        (None, Some(requests)) => write!(lines, "requests = {requests}"),
        (None, None) => Ok(()),
    };
    let users = args.connections.or(args.rate.is_none().then_some(50));
    if let Some(users) = users {
        // More users than requests would only connect for nothing.
        let most = args.requests.map_or(u32::MAX, |n| u32::try_from(n).unwrap_or(u32::MAX));
        let key = if args.rate.is_some() { "max_users" } else { "users" };
        let _ = write!(lines, "\n{key} = {}", users.min(most));
    }
    let duration = match (args.duration, args.requests, args.rate) {
        (Some(duration), ..) => Some(duration),
        (None, None, _) => Some(Duration::from_secs(10)),
        // So many at that rate take so long; a little more, so that the last one belongs to it.
        (None, Some(requests), Some(rate)) => {
            Some(Duration::from_secs_f64((requests as f64 + 1.0) / rate))
        }
        (None, Some(_), None) => None,
    };
    if let Some(duration) = duration {
        let _ = write!(lines, "\nduration = {}", quoted(&exact(duration)));
    }
    if let (Some(requests), Some(_)) = (args.requests, args.rate) {
        let _ = write!(lines, "\nrequests = {requests}");
    }
    lines.trim_start().to_owned()
}

/// Scheme, host and port; path and query with their templates.
fn split_url(url: &str) -> Result<(String, String), Failure> {
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme @ ("http" | "https"), rest)) => (scheme, rest),
        Some((scheme, _)) => {
            let message = format!("`{scheme}` is not supported: use http:// or https://");
            return Err(Failure::usage(message));
        }
        None => ("http", url),
    };
    let at = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(at);
    if authority.is_empty() {
        return Err(Failure::usage(format!("`{url}` names no host")));
    }
    let path = path.split('#').next().unwrap_or_default();
    let slash = if path.starts_with('/') { "" } else { "/" };
    Ok((format!("{scheme}://{authority}"), format!("{slash}{path}")))
}

/// A TOML string.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// A duration that reads back as the same.
fn exact(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    if nanos.is_multiple_of(1_000_000_000) {
        format!("{}s", duration.as_secs())
    } else if nanos.is_multiple_of(1_000_000) {
        format!("{}ms", duration.as_millis())
    } else {
        format!("{}us", duration.as_micros().max(1))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::super::args::{Args, Command};
    use super::*;

    fn plan(line: &[&str]) -> String {
        let line = ["proofload", "http"].iter().chain(line);
        let Command::Http(args) = Args::try_parse_from(line).expect("arguments").command else {
            unreachable!("it is the http command")
        };
        let text = plan_text(&args).unwrap_or_else(|failure| panic!("{}", failure.message));
        let console = Console::new();
        load::text("test", &text, &console)
            .unwrap_or_else(|failure| panic!("{}\n{text}", failure.message));
        text
    }

    #[test]
    fn every_one_liner_is_a_plan() {
        for line in [
            &["http://a/"][..],
            &["a:80/x?y={{ random.int(1, 2) }}", "-n", "100", "-c", "7"],
            &["https://[::1]:8443", "-d", "3s", "-k", "--http2", "--disable-keepalive"],
            &["http://a", "-r", "500", "-n", "10", "--compressed", "-L"],
            &["http://a", "-r", "1.5/s", "-c", "3", "-x", "p99<300ms", "-x", "error_rate < 1%"],
            &["http://a", "-b", "x \"y\"\n\\", "-H", "A-b: c: \"d\"", "-T", "text/plain"],
            &["http://a", "-m", "purge", "-u", "a:b", "--timeout", "1500ms"],
        ] {
            plan(line);
        }
    }

    #[test]
    fn the_defaults_are_those_of_its_likes() {
        let text = plan(&["http://a/b"]);
        assert!(text.contains("users = 50\nduration = \"10s\""), "{text}");
        assert!(plan(&["http://a", "-n", "5"]).contains("requests = 5\nusers = 5"));
        assert!(plan(&["http://a", "-b", "x"]).contains("post = \"/\""));
    }

    #[test]
    fn urls_are_split() {
        let check = |url: &str, target: &str, path: &str| {
            let split = split_url(url).unwrap_or_else(|failure| panic!("{}", failure.message));
            assert_eq!(split, (target.to_owned(), path.to_owned()), "{url}");
        };
        check("http://a", "http://a", "/");
        check("a:81?q", "http://a:81", "/?q");
        check("https://a/b#c", "https://a", "/b");
        assert!(split_url("ftp://a").is_err());
        assert!(split_url("http:///x").is_err());
    }

    #[test]
    fn durations_read_back_as_they_were() {
        assert_eq!(exact(Duration::from_secs(90)), "90s");
        assert_eq!(exact(Duration::from_millis(1500)), "1500ms");
        assert_eq!(exact(Duration::from_micros(7)), "7us");
    }
}
