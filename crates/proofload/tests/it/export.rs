//! `proofload export`: alert rules and dashboards from the plans that are shipped.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use proofload_core::event::{Interval, RunEvent};
use proofload_core::metrics::{
    ErrorKind, IntervalSnapshot, RequestSample, RequestStats, SeriesMeta, SeriesSnapshot, ShardId,
};
use proofload_core::redact::Redactor;
use proofload_output::metrics::{Collector, Kind};

use super::support::{Sandbox, json};

fn example(name: &str) -> String {
    format!("{}/../../examples/{name}.toml", env!("CARGO_MANIFEST_DIR"))
}

const EXAMPLES: [&str; 7] =
    ["chat-api", "dchat", "demo", "dianabot", "milkbot", "reality-checker", "story"];

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

/// The names of Proofload's own metrics, as Prometheus sees them, and whether they are by phase.
fn own_metrics() -> BTreeMap<String, bool> {
    let mut collector = Collector::new(vec!["Normal load".into()], Redactor::default());
    collector.hear(&RunEvent::PhaseStarted { phase: 0, at: Duration::ZERO, shards: 1 });
    let mut snapshot = IntervalSnapshot::new(ShardId::worker(0), 0, 0);
    let mut stats = RequestStats::default();
    for error in [None, Some(ErrorKind::Timeout)] {
        stats.record(&RequestSample { error, response_ns: 1_000_000, ..RequestSample::default() });
    }
    snapshot.series.push(SeriesSnapshot { meta: Arc::new(SeriesMeta::default()), stats });
    snapshot.iterations.start_lag.record(1_000_000);
    collector.hear(&RunEvent::Snapshot(Arc::new(snapshot)));
    let mut interval = Interval::default();
    interval.generator.record_interval(1, 2);
    collector.hear(&RunEvent::Interval(Arc::new(interval)));
    let metrics = collector.metrics().into_iter().map(|metric| {
        let ending = if metric.kind == Kind::Histogram { "_bucket" } else { "" };
        let is_by_phase =
            metric.rows.iter().all(|row| row.labels.iter().any(|(label, _)| *label == "phase"));
        (format!("{}{ending}", metric.name), is_by_phase)
    });
    metrics.collect()
}

#[test]
fn the_dashboard_shows_the_metrics_that_a_run_has() {
    let known = own_metrics();
    let dashboard =
        json(&Sandbox::new().run(["export", "grafana", &example("demo")]).end().with(0).stdout);
    let panels = dashboard["panels"].as_array().expect("panels");
    let targets = panels.iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    let mut shown = 0;
    for expr in targets.filter_map(|target| target["expr"].as_str()) {
        let Some(at) = expr.find("proofload_") else { continue };
        let name: String =
            expr[at..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        let by_phase = known.get(&name).unwrap_or_else(|| panic!("no {name} in {known:?}"));
        assert_eq!(expr.contains("phase=~"), *by_phase, "{expr}");
        shown += 1;
    }
    assert!(shown > 8, "{shown}");
}
