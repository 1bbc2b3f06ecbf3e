//! `proofload http`: what is asked on the line is what arrives, in number and in form.

use proofload_testbed::fixture::{Behaviour, Reply};

use super::support::{Sandbox, count, fixture, friendly, json, settled};
use super::wiretap::Wiretap;

#[test]
fn the_number_of_requests_is_exact() {
    for (n, c) in [("1", "1"), ("137", "7"), ("5", "50"), ("1000", "3")] {
        let fixture = friendly();
        let line = ["http", &fixture.url("/x?y=1"), "-n", n, "-c", c, "-q", "-o", "-"];
        let result = json(&Sandbox::new().run(line).end().with(0).stdout);
        let ledger = settled(&fixture);
        let (n, c): (u64, u64) = (n.parse().expect("a number"), c.parse().expect("a number"));
        assert_eq!(ledger.path("/x"), n, "-n {n} -c {c}");
        assert_eq!(count(&result, "/summary/total_requests"), n);
        let users = count(&result, "/test_results/0/users_max");
        assert!((1..=c.min(n)).contains(&users), "{users} users with -n {n} -c {c}");
        assert!(ledger.in_flight_max <= c, "{} at once with -c {c}", ledger.in_flight_max);
    }
}

#[test]
fn a_rate_is_kept_and_counted() {
    let fixture = friendly();
    let url = fixture.url("/x");
    let sandbox = Sandbox::new();
    let run = |line: &[&str]| {
        let line = ["http", &url, "-q", "-o", "-"].into_iter().chain(line.iter().copied());
        let before = settled(&fixture).path("/x");
        let result = json(&sandbox.run(line).end().with(0).stdout);
        let seen = settled(&fixture).path("/x") - before;
        assert_eq!(count(&result, "/summary/total_requests"), seen);
        let due = ["completed", "interrupted", "dropped"];
        due.map(|key| count(&result["test_results"][0]["iterations"], &format!("/{key}")))
            .iter()
            .sum()
    };
    let by_time: u64 = run(&["-r", "40", "-d", "1s"]);
    assert!((39..=41).contains(&by_time), "40/s for 1 s are {by_time}");
    assert_eq!(run(&["-r", "6000/m", "-n", "25"]), 25, "-n ends open load as well");
}

#[test]
fn connections_are_used_again_unless_that_is_not_wanted() {
    let count_connections = |more: &[&str]| {
        let fixture = friendly();
        let url = fixture.url("/x");
        let line = ["http", &url, "-n", "20", "-c", "1", "-q", "--no-health-check"];
        Sandbox::new().run(line.iter().chain(more)).end().with(0);
        settled(&fixture).connections
    };
    assert_eq!(count_connections(&[]), 1);
    assert_eq!(count_connections(&["--disable-keepalive"]), 20);
}

/// What arrives of a line, without the health check.
#[track_caller]
fn arrives(wiretap: &Wiretap, sandbox: &Sandbox, line: &[&str]) -> String {
    let url = wiretap.url("/path?q=1");
    let start = ["http", &url, "-n", "1", "-q", "--no-health-check"];
    sandbox.run(start.iter().chain(line)).end().with(0);
    let mut requests = wiretap.take();
    assert_eq!(requests.len(), 1);
    requests.remove(0)
}

#[test]
fn requests_arrive_as_they_were_asked_for() {
    let (wiretap, sandbox) = (Wiretap::start(), Sandbox::new());
    sandbox.write("body.json", "{\"a\": \"{{ not a template }} ${NOR_THIS}\"}\n");
    let check = |line: &[&str], begins: &str, has: &[&str], ends: &str| {
        let request = arrives(&wiretap, &sandbox, line);
        assert!(request.starts_with(begins), "{line:?}:\n{request}");
        let lower = request.to_lowercase();
        for part in has {
            assert!(lower.contains(&format!("\r\n{part}\r\n")), "{line:?} no {part:?}:\n{request}");
        }
        assert!(request.ends_with(&format!("\r\n\r\n{ends}")), "{line:?}:\n{request}");
    };
    let host = format!("host: {}", wiretap.authority());
    check(&[], "GET /path?q=1 HTTP/1.1\r\n", &[&host], "");
    check(&["-m", "delete"], "DELETE /path?q=1 ", &[], "");
    check(&["-m", "PURGE"], "PURGE /path?q=1 ", &[], "");
    let form = "content-type: application/x-www-form-urlencoded";
    check(&["-b", "a=1&b={{x}}"], "POST /", &["content-length: 11", form], "a=1&b={{x}}");
    let file = "{\"a\": \"{{ not a template }} ${NOR_THIS}\"}\n";
    let kind = "content-type: application/json";
    check(&["-b", "@body.json", "-T", "application/json"], "POST /", &[kind], file);
    check(
        &["-m", "put", "-b", "@body.json", "-H", "content-type: application/json"],
        "PUT /",
        &[kind],
        file,
    );
    check(&["-H", "X-One:1", "-H", "x-two:  2: b "], "GET ", &["x-one: 1", "x-two: 2: b"], "");
    check(&["-H", "Host: other.example"], "GET ", &["host: other.example"], "");
    check(&["-u", "user:pass word"], "GET ", &["authorization: basic dxnlcjpwyxnzihdvcmq="], "");
    check(&["-b", ""], "POST /", &["content-length: 0"], "");
}

#[test]
fn credentials_of_the_url_are_sent_as_such() {
    let (wiretap, sandbox) = (Wiretap::start(), Sandbox::new());
    let url = format!("http://user:p%40ss@{}/", wiretap.authority());
    sandbox.run(["http", &url, "-n", "1", "-q", "--no-health-check"]).end().with(0);
    let request = wiretap.take().remove(0);
    assert!(request.to_lowercase().contains("authorization: basic dxnlcjpwqhnz"), "{request}");
    assert!(request.contains(&format!("Host: {}\r\n", wiretap.authority())), "{request}");
}

#[test]
fn the_printed_plan_makes_the_same_request() {
    let (wiretap, sandbox) = (Wiretap::start(), Sandbox::new());
    sandbox.write("body", "from a file {{ x }}");
    for line in [
        &[][..],
        &["-m", "PUT", "-b", "a \"quoted\" {{ body }}\n${X}", "-H", "X-A: {{ b }}", "-H", "x-a: c"],
        &["-b", "@body", "-T", "text/plain", "--compressed"],
    ] {
        let asked = arrives(&wiretap, &sandbox, line);
        let url = wiretap.url("/path?q=1");
        let print = ["http", &url, "-n", "1", "--print-plan"];
        let printed = sandbox.run(print.iter().chain(line)).end().with(0).says(&[""]);
        assert_eq!(printed.stderr, "");
        assert_eq!(wiretap.take().len(), 0, "printing asks for nothing");
        sandbox.write("printed.toml", &printed.stdout);
        sandbox.run(["check", "printed.toml"]).end().with(0);
        sandbox
            .run(["run", "printed.toml", "-q", "--no-health-check", "-o", "/dev/null"])
            .end()
            .with(0);
        assert_eq!(wiretap.take(), [asked], "{line:?}");
    }
}

#[test]
fn expectations_change_the_exit_code() {
    let fixture = fixture(Behaviour::new().prefix("/", Reply::text("ok").error_every(2)));
    let sandbox = Sandbox::new();
    let check = |expect: &[&str], code: i32| {
        let line =
            ["http", &fixture.url("/"), "-n", "20", "-q", "--no-health-check"].map(str::to_owned);
        let line = line.into_iter().chain(expect.iter().map(|&part| part.to_owned()));
        sandbox.run(line).end().with(code);
    };
    check(&[], 0);
    check(&["-x", "p99<1m"], 0);
    check(&["-x", "p99<1m", "-x", "error_rate < 60%"], 0);
    check(&["-x", "p99<1m", "-x", "error_rate<1%"], 2);
    check(&["-x", "success_rate>=99%"], 2);
    assert!(sandbox.files().is_empty(), "a one-liner keeps no result unless asked to");
}

#[test]
fn what_goes_into_a_file_is_plain_text() {
    let fixture = friendly();
    let ended = Sandbox::new().run(["http", &fixture.url("/"), "-n", "9"]).end().with(0);
    let is_plain = |text: &str| !text.chars().any(|c| c.is_control() && c != '\n');
    assert!(is_plain(&ended.stdout), "{:?}", ended.stdout);
    assert!(is_plain(&ended.stderr), "{:?}", ended.stderr);
    assert!(ended.stdout.contains(&fixture.url("")), "the summary names the target");
    assert!(!ended.stderr.is_empty(), "progress is on standard error");
    let quiet = Sandbox::new().run(["http", &fixture.url("/"), "-n", "9", "-q"]).end().with(0);
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
}

#[test]
fn mistakes_of_the_line_are_told_in_one_line() {
    let sandbox = Sandbox::new();
    let fixture = friendly();
    let good = fixture.url("/");
    let check = |line: &[&str], code: i32, says: &[&str]| {
        let line = std::iter::once("http").chain(line.iter().copied());
        let ended = sandbox.run(line).end().with(code).silent().says(&["error: "]).says(says);
        let before_help = ended.stderr.split("\n\n").next().unwrap_or_default();
        assert_eq!(before_help.trim_end().lines().count(), 1, "{}", ended.stderr);
        assert!(!ended.stderr.contains("-->"), "no place in a plan nobody wrote: {}", ended.stderr);
    };
    check(&["ftp://host/"], 64, &["ftp://host/", "http://"]);
    check(&["http://"], 64, &["host"]);
    check(&["http:///path"], 64, &["host"]);
    check(&["http://host:port/"], 64, &["host:port", "65535"]);
    check(&["http://host:0/"], 64, &["65535"]);
    check(&["http://a b/"], 64, &[]);
    check(&[&good, "-x", "p99<soon"], 64, &["p99", "soon", "300ms"]);
    check(&[&good, "-x", "p9x<1s"], 64, &["p9x", "did you mean"]);
    check(&[&good, "-x", "p99"], 64, &["p99<300ms"]);
    for wrong in ["0", "-3", "ten", "1.5"] {
        check(&[&good, "-n", wrong], 64, &[wrong, "--requests", "a whole number from 1"]);
        check(&[&good, "-c", wrong], 64, &[wrong, "--connections", "a whole number from 1"]);
    }
    check(&[&good, "-r", "-5"], 64, &["`-5`", "1000/s"]);
    check(&[&good, "-d", "0s"], 64, &["longer than 0s"]);
    check(&[&good, "-d", "5parsecs"], 64, &["parsecs", "300ms"]);
    check(&[&good, "-r", "0"], 64, &["above 0"]);
    check(&[&good, "-H", "no colon"], 64, &["NAME: VALUE"]);
    check(&[&good, "-H", "bad name: x"], 64, &["bad name"]);
    check(&[&good, "-H", "a: b\nc: d"], 64, &["line breaks"]);
    check(&[&good, "-m", "GE T"], 64, &["GE T"]);
    check(&[&good, "-u", "nocolon", "-n", "1"], 64, &["user:password"]);
    check(&[&good, "-b", "@missing.json"], 65, &["missing.json", "No such file"]);
    assert_eq!(fixture.ledger().requests, 0);
}
