//! Targets that are not there, not ready, not what they seem, or go away.

use std::process::{Command, Stdio};
use std::time::Duration;

use proofload_testbed::fixture::{
    Behaviour, Fault, Fixture, FullBacklog, Reply, ServerIdentity, TlsOptions, refused_addr,
};
use serde_json::Value;

use super::support::{
    DemoProcess, PROOFLOAD, Sandbox, count, fixture, json, plan, settled, wait_until,
};

/// Resolvers may take their time to know that a name does not exist; all else waits for this.
fn timeout(url: &str) -> &'static str {
    if url.contains(".invalid") { "1m" } else { "1s" }
}

/// The one request to this URL is not made: the target is not there.
#[track_caller]
fn unreachable(url: &str, says: &[&str]) {
    let sandbox = Sandbox::new();
    let ended = sandbox.run(["http", url, "-n", "1", "-q", "--timeout", timeout(url)]).end();
    ended.with(69).silent().says(&["error: "]).says(says);
}

/// How many failures of which kind two requests to this URL are.
#[track_caller]
fn errors_of(url: &str) -> Vec<(String, u64)> {
    let line = ["http", url, "-n", "2", "-o", "-", "--no-health-check", "--timeout", timeout(url)];
    let result = json(&Sandbox::new().run(line).end().with(0).stdout);
    assert_eq!(count(&result, "/summary/total_requests"), 2);
    assert_eq!(count(&result, "/summary/failed"), 2);
    let errors = result["test_results"][0]["errors"].as_array().expect("errors");
    let sample = errors[0].pointer("/samples/0/message").and_then(Value::as_str);
    assert!(sample.is_some_and(|sample| !sample.is_empty()), "a sample says what happened");
    let kind = |row: &Value| row["kind"].as_str().unwrap_or_default().to_owned();
    errors.iter().map(|row| (kind(row), count(row, "/count"))).collect()
}

#[track_caller]
fn check(url: &str, kind: &str, says: &[&str]) {
    unreachable(url, says);
    assert_eq!(errors_of(url), [(kind.to_owned(), 2)]);
}

#[test]
fn nobody_listens() {
    let addr = refused_addr().expect("a port");
    check(
        &format!("http://{addr}/"),
        "connect_refused",
        &[&addr.to_string(), "connection refused"],
    );
}

#[test]
fn the_name_is_unknown() {
    check("http://no-such-host.invalid/", "dns", &["no-such-host.invalid", "DNS lookup failed"]);
}

#[test]
fn nobody_accepts() {
    let backlog = FullBacklog::start().expect("a full queue");
    let url = format!("http://{}/", backlog.addr());
    unreachable(&url, &["timed out"]);
    let errors = errors_of(&url);
    let kinds: Vec<&str> = errors.iter().map(|(kind, _)| kind.as_str()).collect();
    // Both time-outs are 1 s here; which is first does not matter.
    assert!(kinds.iter().all(|kind| ["connect_timeout", "timeout"].contains(kind)), "{kinds:?}");
}

#[test]
fn it_accepts_and_never_answers() {
    let mute = fixture(Behaviour::new().mute());
    check(&mute.url("/"), "timeout", &["timed out"]);
    let silent = fixture(Behaviour::new().prefix("/", Reply::new(200).fault(Fault::Silence)));
    check(&silent.url("/"), "timeout", &["timed out"]);
}

#[test]
fn it_does_not_speak_tls() {
    // Like most servers the demo answers nonsense with a 400, in plain text.
    let plain = DemoProcess::start();
    let url = plain.url.replace("http://", "https://");
    check(&url, "tls", &["TLS failed"]);
}

#[test]
fn it_speaks_only_tls() {
    let tls = fixture(Behaviour::new().prefix("/", Reply::text("ok")).tls(TlsOptions::default()));
    let url = tls.url("/").replace("https://", "http://");
    unreachable(&url, &["not ready"]);
}

#[test]
fn its_certificate_is_not_trusted() {
    for (identity, says) in [
        (ServerIdentity::Good, "UnknownIssuer"),
        (ServerIdentity::SelfSigned, ""),
        (ServerIdentity::Expired, ""),
        (ServerIdentity::WrongHost, ""),
    ] {
        let options = TlsOptions { identity, ..TlsOptions::default() };
        let tls = fixture(Behaviour::new().prefix("/", Reply::text("ok")).tls(options));
        check(&tls.url("/"), "tls", &["TLS failed", "certificate", says]);
        assert_eq!(tls.ledger().requests, 0);
        let line = ["http", &tls.url("/"), "-n", "1", "-q", "--insecure"];
        Sandbox::new().run(line).end().with(0);
    }
}

#[test]
fn it_is_not_well() {
    let sick =
        fixture(Behaviour::new().exact("/health", Reply::new(503)).prefix("/", Reply::text("ok")));
    let sandbox = Sandbox::new();
    let health = |check: &str| {
        let text = plan(&sick, "[[phase]]\nusers = 1\niterations = 1");
        sandbox.write("plan.toml", text.replacen("[[user]]", &format!("{check}\n[[user]]"), 1));
        sandbox.run(["run", "plan.toml", "-q", "-o", "result.json"]).end()
    };
    let said = health("health = '/health'").with(69).silent();
    said.says(&["/health", "it answered 503", "--no-health-check"]);
    health("health = { url = '/', status = 204 }").with(69).says(&["200 instead of 204"]);
    assert_eq!(sandbox.files(), ["plan.toml"]);
    health("health = { url = '/health', status = 503 }").with(0);
    // Without a health check of its own, any answer shows that something is there.
    health("").with(0);
    sandbox.run(["run", "plan.toml", "-q", "-o", "result.json", "--no-health-check"]).end().with(0);
}

#[test]
fn it_is_waited_for_where_the_plan_says_so() {
    let sandbox = Sandbox::new();
    let addr = refused_addr().expect("a port");
    let text = format!(
        "target = 'http://{addr}'\nhealth = {{ url = '/', wait = '1m' }}\n\
         [[user]]\n[[user.task]]\nget = '/'\n[[phase]]\nusers = 1\niterations = 3\n"
    );
    sandbox.write("plan.toml", text);
    let mut run = sandbox.run(["run", "plan.toml", "-q", "-o", "result.json"]).start();
    std::thread::sleep(Duration::from_millis(300));
    assert!(run.is_running());
    let late = Fixture::start_on(Behaviour::new().prefix("/", Reply::text("ok")), addr.port());
    let late = late.expect("the port is still free");
    run.end().with(0);
    assert_eq!(settled(&late).requests, 4, "the health check that was answered, and three");
}

#[test]
fn it_dies_in_mid_run() {
    let sandbox = Sandbox::new();
    let doomed =
        fixture(Behaviour::new().prefix("/", Reply::text("ok").after(Duration::from_millis(5))));
    let phase = "[[phase]]\nusers = 2\nduration = '2s'\nthink_time = '5ms'\nexpect = { error_rate = '<1%' }";
    sandbox.write("plan.toml", plan(&doomed, phase));
    let run = sandbox.run(["run", "plan.toml", "-q", "-o", "result.json"]).start();
    wait_until("requests arrive", || doomed.ledger().responses > 10);
    drop(doomed);
    run.end().with(2);
    let result = sandbox.result("result.json");
    assert_eq!(result["summary"]["grade"], "POOR");
    let phase = &result["test_results"][0];
    assert!(count(phase, "/successful") >= 10, "what was measured before survives");
    let errors = phase["errors"].as_array().expect("errors");
    assert!(errors.iter().any(|row| row["kind"] == "connect_refused"), "{errors:?}");
    let sum: u64 = errors.iter().map(|row| count(row, "/count")).sum();
    assert_eq!(sum, count(phase, "/failed"), "every failure has its kind");
}

#[test]
fn nobody_reads_what_is_printed() {
    for line in [&["schema"][..], &["schema", "result"], &["--help"], &["run", "--help"]] {
        let mut child = Command::new(PROOFLOAD)
            .args(line)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("it ends");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{line:?}: {stderr}");
        assert_eq!(stderr, "");
    }
}
