//! `proofload export`: alert rules and dashboards from the plans that are shipped.

use std::process::Command;

use super::support::{Sandbox, json};

fn example(name: &str) -> String {
    format!("{}/../../examples/{name}.toml", env!("CARGO_MANIFEST_DIR"))
}

const EXAMPLES: [&str; 6] = ["chat-api", "dchat", "demo", "dianabot", "milkbot", "reality-checker"];

#[test]
fn prometheus_takes_the_rules_of_every_example() {
    let sandbox = Sandbox::new();
    for name in EXAMPLES {
        let (plan, file) = (example(name), format!("{name}.yml"));
        let line = ["export", "prometheus-rules", &plan, "-o", &file];
        let more = ["--convention", "prometheus", "--selector", "job=\"demo\"", "--for", "90s"];
        let ended = sandbox.run(line.iter().chain(&more)).end().with(0).silent();
        let rules = sandbox.read(&file);
        assert!(rules.contains("for: 1m30s"), "{rules}");
        assert!(rules.contains("http_requests_total{job=\"demo\"}"), "{rules}");
        // What is left out is said where it is seen and where it is kept.
        for note in ended.stderr.lines() {
            let note = note.strip_prefix("note: ").expect("a note");
            assert!(rules.contains(&format!("# {note}\n")), "{note}\n{rules}");
        }
        let mut promtool = Command::new("promtool");
        promtool.args(["check", "rules", "--lint=all", "--lint-fatal", &file]);
        sandbox.invoke(promtool).end().with(0);
    }
}

#[test]
fn dashboards_go_to_standard_output() {
    let sandbox = Sandbox::new();
    for name in EXAMPLES {
        let dashboard =
            json(&sandbox.run(["export", "grafana", &example(name)]).end().with(0).stdout);
        assert!(dashboard["panels"].as_array().is_some_and(|panels| panels.len() > 10), "{name}");
    }
    assert!(sandbox.files().is_empty());
}

#[test]
fn names_and_phases_are_chosen() {
    let sandbox = Sandbox::new();
    let plan = example("dchat");
    let rules = |more: &[&str]| {
        let line = ["export", "prometheus-rules", &plan];
        sandbox.run(line.iter().chain(more)).end().with(0).stdout
    };
    let all = rules(&["--metric", "latency=x_seconds", "--metric", "requests=x_total"]);
    assert!(all.contains("x_seconds_bucket") && all.contains("x_total"), "{all}");
    let one = rules(&["--phase", "spike", "--drop", "25%"]);
    assert!(one.contains("(Spike)") && !one.contains("Normal load"), "{one}");
    assert!(one.contains("< 0.25 *"), "{one}");
    let skipped = rules(&["--skip", "p95", "--skip", "error_rate"]);
    assert!(!skipped.contains("LatencyP95") && !skipped.contains("ErrorRate"), "{skipped}");
}

#[test]
fn what_does_not_fit_is_told() {
    let sandbox = Sandbox::new();
    let plan = example("dchat");
    let check = |line: &[&str], code: i32, says: &str| {
        let command = ["export", "prometheus-rules"];
        sandbox.run(command.iter().chain(line)).end().with(code).silent().says(&[says]);
    };
    check(&["none.toml"], 65, "none.toml");
    check(&[&plan, "--phase", "Nobody"], 64, "it has Normal load");
    check(&[&plan, "--metric", "latency=a b"], 64, "must be the name of a metric");
    check(&[&plan, "--metric", "speed=x"], 64, "known are latency");
    check(&[&plan, "--selector", "job=api"], 64, "no selector");
    check(&[&plan, "--for", "100ms"], 64, "whole seconds");
    check(&[&plan, "-o", &format!("{plan}/x.yml")], 74, "not a folder");
}
