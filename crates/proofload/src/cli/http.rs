//! `proofload http`: one URL from the command line. It becomes a plan and is run as one.

use std::fs::File;

use percent_encoding::percent_decode_str;
use proofload_core::plan::{Overrides, Quick, QuickBody};
use proofload_core::redact::is_secret_name;
use proofload_core::verdict::ExitCode;

use super::args::HttpArgs;
use super::console::Console;
use super::execute::{Job, execute};
use super::failure::Failure;
use super::load;

/// Users that open load may use at once if nobody says how many, as seconds of the rate: answers may
/// be that late before arrivals have to wait for a free connection.
const SECONDS_OF_RATE: f64 = 2.0;

/// Runs the one-liner.
pub(super) fn run(args: &HttpArgs, console: &Console) -> Result<ExitCode, Failure> {
    if !args.url.trim_start().starts_with("http") && args.url.contains("://") {
        let message = format!("`{}` is not supported: use http:// or https://", args.url);
        return Err(Failure::usage(message));
    }
    if let Some(file) = args.body.as_ref().and_then(|body| body.strip_prefix('@')) {
        File::open(file)
            .map_err(|error| Failure::input(format!("{file} cannot be read: {error}")))?;
    }
    let quick = quick(args);
    hide_secrets(&quick, console);
    // The environment is not asked: everything about a one-liner stands in its line.
    let plan = load::quick(&quick, &Overrides::default(), console)?;
    execute(
        Job {
            text: Some(quick.to_toml()),
            keeps_result: false,
            ..Job::new(plan, args.output.clone())
        },
        console,
    )
}

fn quick(args: &HttpArgs) -> Quick {
    // More users than requests would only connect for nothing.
    let most = args.requests.map_or(u32::MAX, |n| u32::try_from(n).unwrap_or(u32::MAX));
    let users = match (args.connections, args.rate) {
        (Some(connections), _) => connections,
        (None, None) => 50,
        (None, Some(rate)) => (rate * SECONDS_OF_RATE).ceil().clamp(50.0, 10_000.0) as u32,
    };
    let (url, credentials) = split_credentials(&args.url);
    Quick {
        url,
        method: args.method.as_ref().map(|method| method.to_ascii_uppercase()),
        headers: args.header.clone(),
        body: args.body.as_ref().map(|body| match body.strip_prefix('@') {
            Some(file) => QuickBody::File(file.to_owned()),
            None => QuickBody::Text(body.clone()),
        }),
        basic: args.basic.clone().or(credentials),
        users: Some(users.min(most)),
        requests: args.requests,
        duration: args.duration,
        rate: args.rate,
        timeout: args.timeout,
        redirects: args.follow.then_some(10),
        version: args.http2.then(|| "2-prior-knowledge".to_owned()),
        no_keep_alive: args.disable_keepalive,
        insecure: args.insecure,
        compressed: args.compressed,
        content_type: args.content_type.clone(),
        expect: args.expect.clone(),
    }
}

/// Takes `user:password@` out of a URL, as `basic` credentials.
fn split_credentials(url: &str) -> (String, Option<String>) {
    let at = url.find("://").map_or(0, |at| at + 3);
    let (scheme, rest) = url.split_at(at);
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        None => (url.to_owned(), None),
        Some(at) => {
            let (user, password) = rest[..at].split_once(':').unwrap_or((&rest[..at], ""));
            let decoded = |part| percent_decode_str(part).decode_utf8_lossy();
            let basic = format!("{}:{}", decoded(user), decoded(password));
            (format!("{scheme}{}", &rest[at + 1..]), Some(basic))
        }
    }
}

/// Passwords, tokens and keys of the command line are not repeated anywhere.
fn hide_secrets(quick: &Quick, console: &Console) {
    if let Some(basic) = &quick.basic {
        console.hide(basic.split_once(':').map_or(basic, |(_, password)| password));
    }
    for (name, value) in &quick.headers {
        if is_secret_name(name) {
            console.hide(value);
            // `Bearer …`: the part that is the secret may stand alone as well.
            console.hide(value.rsplit(' ').next().unwrap_or_default());
        }
    }
    let query = quick.url.split_once('?').map_or("", |(_, query)| query);
    for (name, value) in query.split(['&', '#']).filter_map(|pair| pair.split_once('=')) {
        if is_secret_name(name) {
            console.hide(value);
        }
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
        let quick = quick(&args);
        let text = quick.to_toml();
        load::quick(&quick, &Overrides::default(), &Console::new())
            .unwrap_or_else(|failure| panic!("{}\n{text}", failure.message));
        text
    }

    #[test]
    fn every_one_liner_is_a_plan() {
        for line in [
            &["http://a/"][..],
            &["a:80/x?y={{ z }}", "-n", "100", "-c", "7"],
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
        assert!(text.contains("users = 50") && text.contains("duration = \"10s\""), "{text}");
        assert!(plan(&["http://a", "-n", "5"]).contains("users = 5\n"));
        assert!(plan(&["http://a", "-b", "x"]).contains("method = \"POST\""));
        assert!(plan(&["http://a", "-r", "1000"]).contains("max_users = 2000"));
    }

    #[test]
    fn credentials_in_a_url_are_basic_credentials() {
        let check = |url: &str, expect: &str, basic: Option<&str>| {
            assert_eq!(split_credentials(url), (expect.to_owned(), basic.map(str::to_owned)));
        };
        check("http://u:p%40%3a%zz@h:1/a@b", "http://h:1/a@b", Some("u:p@:%zz"));
        check("https://tok@h?x", "https://h?x", Some("tok:"));
        check("u:p@h", "h", Some("u:p"));
        check("http://h/?mail=a@b", "http://h/?mail=a@b", None);
    }
}
