//! `--out` with what follows a run while it is under way, and alerts.

use std::net::TcpListener;

use proofload_testbed::fixture::{Behaviour, Reply};
use serde_json::Value;

use super::support::{Sandbox, count, fixture, friendly, plan, settled};

const SHORT: &str = "[[phase]]\nname = 'p'\nusers = 2\nduration = '2s'\nthink_time = '10ms'";

#[test]
fn intervals_go_into_a_file() {
    let (sandbox, fixture) = (Sandbox::new(), friendly());
    sandbox.write("plan.toml", plan(&fixture, SHORT));
    let outs = ["--out", "ndjson=live/run.ndjson", "--out", "ndjson"];
    sandbox.run(["run", "plan.toml", "-q"].iter().chain(&outs)).end().with(0);
    let files = sandbox.files();
    let own = files.iter().find(|name| name.ends_with("/intervals.ndjson")).expect("its folder");
    for name in [own, "live/run.ndjson"] {
        let text = sandbox.read(name);
        let lines: Vec<Value> =
            text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let intervals = lines.iter().filter(|line| line["type"] == "interval");
        let sum: u64 = intervals.map(|line| count(line, "/requests")).sum();
        assert_eq!(sum, settled(&fixture).requests - 1, "all but the health check: {text}");
        assert_eq!(lines.last().map(|line| &line["type"]), Some(&"end".into()));
    }
}

#[test]
fn a_dead_sink_costs_neither_the_run_nor_its_grade() {
    let (sandbox, fixture) = (Sandbox::new(), friendly());
    sandbox.write("plan.toml", plan(&fixture, SHORT));
    let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port");
    let place = format!("prometheus-rw=http://user:hunter2@{port}/api/v1/write");
    let ended = sandbox.run(["run", "plan.toml", "--out", &place]).end().with(0);
    let said = ended.says(&["connection refused", "samples lost"]).stderr;
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn what_cannot_be_opened_is_told_before_the_load() {
    let (sandbox, fixture) = (Sandbox::new(), friendly());
    sandbox.write("plan.toml", plan(&fixture, SHORT));
    let check = |out: &str, code: i32, says: &str| {
        sandbox.run(["run", "plan.toml", "--out", out]).end().with(code).says(&[says]);
    };
    check("statsd", 64, "is no output; known are");
    check("prometheus-rw", 64, "--out prometheus-rw=http");
    check("otlp=host", 64, "begins with http://");
    check("prometheus=0.0.0.0:0", 74, "PROOFLOAD_METRICS_TOKEN");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address");
    check(&format!("prometheus={address}"), 74, "cannot listen on");
    // Each of them may have asked whether the service is there.
    assert!(settled(&fixture).requests <= 5);
}

/// The whole way of an alert: the service fails, the plan's webhook hears of it, and so do the console
/// and the result.
#[test]
fn an_alert_is_told_while_it_runs_and_kept() {
    let sandbox = Sandbox::new();
    let failing = fixture(Behaviour::new().prefix("/", Reply::text("no").status(500)));
    let hook = friendly();
    let url = hook.url("/services/hunter2-secret");
    let text =
        plan(&failing, "[[phase]]\nname = 'bad'\nusers = 2\nduration = '6s'\nthink_time = '20ms'");
    sandbox.write("plan.toml", format!("alerts = {{ window = '3s', webhook = '{url}' }}\n{text}"));
    let arguments = ["run", "plan.toml", "--no-health-check", "-o", "result.json"];
    let ended = sandbox.run(arguments).end();
    let result = sandbox.result("result.json");
    let marks = result["marks"].as_array().expect("marks");
    let alert = marks.iter().find(|mark| mark["kind"] == "alert").expect("an alert");
    assert!(alert["text"].as_str().is_some_and(|text| text.starts_with("bad: 100%")), "{alert}");
    assert!(alert["until_seconds"].as_f64() > alert["at_seconds"].as_f64(), "{alert}");
    let all = format!("{result} {} {}", ended.stderr, ended.stdout);
    assert!(!all.contains("hunter2"), "{all}");
    assert!(ended.stderr.contains("of requests fail"), "{}", ended.stderr);
    // Its beginning and its end.
    assert_eq!(settled(&hook).requests, 2);
}
