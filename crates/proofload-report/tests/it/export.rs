//! Alert rules and dashboards: what people put into production, and that Prometheus takes it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

use proofload_core::plan::{Inputs, Overrides, Plan};
use proofload_report::export::{
    ExportError, Exported, MetricNames, Selector, Settings, grafana, prometheus_rules,
};
use serde_json::Value;

const USER: &str = "target = 'http://127.0.0.1:1'\n[[user]]\n[[user.task]]\nget = '/'\n";

fn plan(phases: &str) -> Plan {
    let text = format!("{USER}{phases}");
    Plan::parse(
        "plan.toml",
        &format!("name = 'shop'\n{text}"),
        &Overrides::default(),
        &Inputs::NONE,
    )
    .unwrap_or_else(|errors| panic!("{text}\n{errors:?}"))
}

/// Every measure that an expectation can be about.
fn everything() -> Plan {
    plan(
        "[[phase]]\nname = 'Normal load'\nusers = 5\nduration = '1m'\n\
         [phase.expect]\n\
         p50 = '<100ms'\np95 = { target = '<300ms', limit = '<500ms' }\n\"p99.9\" = '<2s'\n\
         avg = '<=250ms'\nmax = '<10s'\nservice_p95 = '<1s'\nconnect_p95 = '<50ms'\n\
         success_rate = '>99%'\nerror_rate = { target = '<0.5%', limit = '<1%' }\n\
         rps = '>50/s'\ncache_hit_rate = { target = '>80%', limit = '>50%' }\nchecks = '>99%'\n\
         requests = '>1000'\nbytes_received_rate = '>1MB/s'\n\
         cpu = { target = '<70%', limit = '<90%' }\nmemory = '<512MB'\ndisk_read = '<1MB/s'\n\
         disk_write = '<1MB/s'\ndisk_io = '<1MB/s'\nnetwork_in = '<1MB/s'\n\
         network_out = '<1MB/s'\nnetwork_io = '<1MB/s'\nopen_files = '<80%'\nthreads = '<100'\n\
         redis_memory = '<80%'\nredis_clients = '<100'\ndb_connections = '<80%'\n\
         db_connections_idle = '<10'\ndb_connection_wait = '<50ms'\nqueue_depth = '<100'\n\
         [[phase]]\nname = 'Spike'\nusers = 50\nduration = '1m'\nexpect = { p95 = '<2s' }\n\
         [thresholds]\nhttp_req_failed = ['rate<0.02']\n\
         \"http_req_duration{task:a}\" = ['p(95)<1s']\ndropped_iterations = ['count<5']\n",
    )
}

fn api() -> Settings {
    Settings { selector: Selector::parse("job=\"api\"").unwrap(), ..Settings::default() }
}

/// A file for promtool, removed when dropped.
struct File(PathBuf);

impl File {
    fn new(text: &str) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("promtool-{}-{number}.yaml", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::write(&path, text).expect("a file");
        Self(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// What promtool says about a rule file.
fn promtool(rules: &str) -> Result<String, String> {
    said_of(&["check", "rules", "--lint=all", "--lint-fatal"], &File::new(rules))
}

fn said_of(arguments: &[&str], file: &File) -> Result<String, String> {
    let ended = Command::new("promtool")
        .args(arguments)
        .arg(&file.0)
        .output()
        .expect("promtool (Debian: apt-get install prometheus)");
    let said = String::from_utf8_lossy(&[ended.stdout, ended.stderr].concat()).into_owned();
    if ended.status.success() { Ok(said) } else { Err(said) }
}

#[track_caller]
fn assert_rules(exported: &Exported) -> String {
    promtool(&exported.text).unwrap_or_else(|said| panic!("{said}\n{}", exported.text))
}

#[test]
fn what_people_review() {
    let exported = prometheus_rules(&everything(), &api()).unwrap();
    insta::assert_snapshot!("rules", exported.text);
    let spike = Settings { phases: vec!["spike".to_owned()], ..Settings::default() };
    insta::assert_snapshot!(
        "rules_of_a_phase",
        prometheus_rules(&everything(), &spike).unwrap().text
    );
    insta::assert_snapshot!(
        "dashboard",
        grafana(
            &plan(
                "[[phase]]\nname = 'Normal load'\nusers = 5\nduration = '1m'\n\
         expect = { p95 = { target = '<300ms', limit = '<500ms' }, cache_hit_rate = '>50%' }",
            ),
            &api()
        )
        .unwrap()
        .text
    );
}

#[test]
fn prometheus_takes_the_rules() {
    for names in [MetricNames::default(), MetricNames::prometheus()] {
        let settings = Settings { names, ..api() };
        let exported = prometheus_rules(&everything(), &settings).unwrap();
        let alerts = exported.text.matches("- alert:").count();
        assert!(alerts > 25, "{}", exported.text);
        let said = assert_rules(&exported);
        assert!(said.contains(&format!("{alerts} rules found")), "{said}");
    }
    let nothing = plan("[[phase]]\nusers = 1\nduration = '1s'\n");
    let said = assert_rules(&prometheus_rules(&nothing, &Settings::default()).unwrap());
    assert!(said.contains("3 rules found"), "only changes: {said}");
    assert!(promtool("groups:\n- name: a\n  rules:\n  - alert: b\n    expr: rate(x)\n").is_err());
}

/// Runs the rules of a plan over these series for 80 minutes; gives what promtool says where the alerts
/// are not these: name, severity, summary.
fn fires(series: &[(&str, &str)], alerts: &[(&str, &str, &str)]) -> Result<String, String> {
    let plan = plan(
        "[[phase]]\nname = 'Normal load'\nusers = 5\nduration = '1m'\n[phase.expect]\n\
         p95 = { target = '<300ms', limit = '<500ms' }\nsuccess_rate = '>95%'\n\
         error_rate = { target = '<0.5%', limit = '<1%' }\ncache_hit_rate = '>50%'\n",
    );
    let settings = Settings { names: MetricNames::prometheus(), ..api() };
    let rules = File::new(&prometheus_rules(&plan, &settings).unwrap().text);
    let descriptions = |name: &str, severity: &str| match (name, severity) {
        ("LatencyP95TooHigh", "warning") => "expects p95 < 300 ms",
        ("LatencyP95TooHigh", _) => "expects p95 < 500 ms",
        ("ErrorRateTooHigh", "warning") => "expects error_rate < 0.5%",
        ("ErrorRateTooHigh", _) => "expects error_rate < 1%",
        ("SuccessRateTooLow", _) => "expects success_rate > 95%",
        ("CacheHitRateTooLow", _) => "expects cache_hit_rate > 50%",
        ("ThroughputDropped", _) => {
            "Requests no longer reach the service, or it no longer answers them."
        }
        ("QueueGrowing", _) => "More comes in than the service can do.",
        _ => "The service is not scraped, or its metrics have other names than these rules.",
    };
    let expected = |wanted: &str| -> Vec<Value> {
        let of_name = alerts.iter().filter(|(name, ..)| *name == wanted);
        of_name
            .map(|(name, severity, summary)| {
                let words = descriptions(name, severity);
                let description = if words.starts_with("expects") {
                    format!("The load test \"shop\" {words} (Normal load).")
                } else {
                    words.to_owned()
                };
                let mut labels = serde_json::json!({ "severity": severity, "plan": "shop" });
                if *name == "MetricsMissing" {
                    // `absent` tells what it looked for.
                    labels["job"] = "api".into();
                }
                serde_json::json!({
                    "exp_labels": labels,
                    "exp_annotations": { "summary": summary, "description": description },
                })
            })
            .collect()
    };
    let names = [
        "LatencyP95TooHigh",
        "ErrorRateTooHigh",
        "SuccessRateTooLow",
        "CacheHitRateTooLow",
        "ThroughputDropped",
        "QueueGrowing",
        "MetricsMissing",
    ];
    let tests: Vec<Value> = names
        .iter()
        .map(|name| {
            serde_json::json!({ "eval_time": "80m", "alertname": name, "exp_alerts": expected(name) })
        })
        .collect();
    let series: Vec<Value> = series
        .iter()
        .map(|(series, values)| serde_json::json!({ "series": series, "values": values }))
        .collect();
    let test = serde_json::json!({
        "rule_files": [rules.0],
        "evaluation_interval": "1m",
        "tests": [{ "interval": "1m", "input_series": series, "alert_rule_test": tests }],
    });
    said_of(&["test", "rules"], &File::new(&test.to_string()))
}

#[test]
fn alerts_fire_when_and_only_when_something_is_wrong() {
    let check = |series: &[(&str, &str)], alerts: &[(&str, &str, &str)]| {
        fires(series, alerts).unwrap_or_else(|said| panic!("{said}"));
    };
    // Ten requests a second, 99.8 % successful, 95 % of them below 300 ms, 90 % from the cache.
    let healthy = [
        ("http_requests_total{job=\"api\",status=\"200\"}", "0+599x90"),
        ("http_requests_total{job=\"api\",status=\"500\"}", "0+1x90"),
        ("http_requests_total{job=\"other\",status=\"500\"}", "0+9999x90"),
        ("http_request_duration_seconds_bucket{job=\"api\",le=\"0.3\"}", "0+599x90"),
        ("http_request_duration_seconds_bucket{job=\"api\",le=\"0.5\"}", "0+600x90"),
        ("http_request_duration_seconds_bucket{job=\"api\",le=\"+Inf\"}", "0+600x90"),
        ("cache_hits_total{job=\"api\"}", "0+90x90"),
        ("cache_misses_total{job=\"api\"}", "0+10x90"),
        ("queue_depth{job=\"api\"}", "5+0x90"),
    ];
    check(&healthy, &[]);
    // From minute 70 a tenth of the traffic, of which every fifth request fails.
    let sick = [
        ("http_requests_total{job=\"api\",status=\"200\"}", "0+600x70 42000+48x20"),
        ("http_requests_total{job=\"api\",status=\"500\"}", "0+0x70 0+12x20"),
        ("http_request_duration_seconds_bucket{job=\"api\",le=\"0.3\"}", "0+540x90"),
        ("http_request_duration_seconds_bucket{job=\"api\",le=\"0.5\"}", "0+600x90"),
        ("http_request_duration_seconds_bucket{job=\"api\",le=\"+Inf\"}", "0+600x90"),
        ("cache_hits_total{job=\"api\"}", "0+10x90"),
        ("cache_misses_total{job=\"api\"}", "0+90x90"),
        ("queue_depth{job=\"api\"}", "1+2x90"),
    ];
    let alerts = [
        ("LatencyP95TooHigh", "warning", "p95 is 400ms, should be < 300 ms"),
        ("ErrorRateTooHigh", "warning", "error_rate is 20%, should be < 0.5%"),
        ("ErrorRateTooHigh", "critical", "error_rate is 20%, must be < 1%"),
        ("SuccessRateTooLow", "critical", "success_rate is 80%, must be > 95%"),
        ("CacheHitRateTooLow", "critical", "cache_hit_rate is 10%, must be > 50%"),
        ("ThroughputDropped", "critical", "throughput is 1/s, below 50% of an hour ago"),
        ("QueueGrowing", "warning", "the queue has not been empty for 10 minutes and grows"),
    ];
    check(&sick, &alerts);
    let missing = "there are no metrics of requests: no other alert can fire";
    check(&healthy[2..3], &[("MetricsMissing", "warning", missing)]);
    assert!(fires(&sick, &alerts[1..]).is_err(), "promtool compares");
}

#[test]
fn each_measure_is_exported_or_named() {
    let plan = everything();
    let exported = prometheus_rules(&plan, &Settings::default()).unwrap();
    for expectation in plan.phases.iter().flat_map(|phase| &phase.expect) {
        let name = expectation.measure().to_string();
        let is_there = exported.text.contains(&format!("summary: {name} is "))
            || exported.text.contains(&format!("summary: \"{name} is "));
        let is_told =
            exported.notes.iter().any(|note| note.starts_with(&format!("`{name}` is left out: ")));
        assert!(is_there != is_told, "{name}: {is_there} {is_told}\n{}", exported.text);
    }
    let told = |part: &str| exported.notes.iter().any(|note| note.contains(part));
    assert!(told("http_req_duration{task:a}"), "{:?}", exported.notes);
    assert!(told("dropped_iterations"));
    assert!(told("(Normal load, Spike): the loosest bound was taken, < 2.00 s"));
    assert!(told("(Normal load, thresholds): the loosest bound was taken, < 2%"));
}

#[test]
fn hostile_names_are_only_names() {
    for name in [
        "\"quoted\" 'name' \\ back",
        "a: b # c",
        "{{ .Labels }} {{ $value }} {% x %}",
        "- &a *b !c %d @e `f`",
        "🚀 日本語",
        "null",
        "line\\nbreak",
        "<script>$datasource</script>",
    ] {
        let quoted = serde_json::to_string(name).unwrap();
        let text = format!(
            "name = {quoted}\n{USER}[[phase]]\nname = {quoted}\nusers = 1\nduration = '1s'\n\
             expect = {{ p95 = '<1s', error_rate = '<1%' }}\n"
        );
        let plan = Plan::parse("p.toml", &text, &Overrides::default(), &Inputs::NONE).unwrap();
        assert_rules(&prometheus_rules(&plan, &api()).unwrap());
        let json: Value = serde_json::from_str(&grafana(&plan, &api()).unwrap().text).unwrap();
        assert_eq!(json["title"], format!("{name} (Proofload)"));
    }
}

#[test]
fn names_and_times_are_the_users() {
    let mut names = MetricNames::prometheus();
    names.set("latency", "my_latency_seconds", &[]).unwrap();
    names.set("errors", r"5..|42\d", &[]).unwrap();
    names.set("cpu", "my_cpu", &["cpu"]).unwrap();
    names.set("memory", "avg(a) + avg(b{x=\"y\"})", &["memory"]).unwrap();
    let settings = Settings {
        names,
        window: std::time::Duration::from_secs(90),
        hold: std::time::Duration::from_secs(3600),
        skip: vec!["RPS".to_owned()],
        ..api()
    };
    let exported = prometheus_rules(&everything(), &settings).unwrap();
    assert_rules(&exported);
    let has = |part: &str| exported.text.contains(part);
    assert!(has("rate(my_latency_seconds_bucket{job=\"api\"}[1m30s])"), "{}", exported.text);
    assert!(has("max(my_cpu{job=\"api\"}) > 0.9") || has("max(my_cpu{job=\"api\"}) >= 0.9"));
    assert!(has("avg(a) + avg(b{x=\"y\"}) >= 512000000"));
    assert!(has("5..|42\\\\d"));
    assert!(has("for: 1h"));
    assert!(!has("ThroughputTooLow"));
}

#[test]
fn what_does_not_fit_is_refused() {
    let check = |settings: Settings, part: &str| {
        let error: ExportError = prometheus_rules(&everything(), &settings).unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
    };
    let phases = vec!["Normal".to_owned()];
    check(Settings { phases, ..Settings::default() }, "it has Normal load, Spike");
    let window = std::time::Duration::from_millis(1500);
    check(Settings { window, ..Settings::default() }, "whole seconds");
    let hold = std::time::Duration::ZERO;
    check(Settings { hold, ..Settings::default() }, "at least one");
}

/// Every panel that shows something.
fn panels(dashboard: &Value) -> impl Iterator<Item = &Value> {
    dashboard["panels"].as_array().expect("panels").iter().filter(|panel| panel["type"] != "row")
}

#[test]
fn the_dashboard_is_whole() {
    let exported = grafana(&everything(), &api()).unwrap();
    let json: Value = serde_json::from_str(&exported.text).expect("JSON");
    assert!(json["uid"].as_str().is_some_and(|uid| !uid.is_empty() && uid.len() <= 40));
    assert!(json["id"].is_null(), "an import gives it one");
    let all = json["panels"].as_array().expect("panels");
    let ids: BTreeSet<u64> = all.iter().filter_map(|panel| panel["id"].as_u64()).collect();
    assert_eq!(ids.len(), all.len(), "every panel has an id of its own");
    let mut taken = BTreeSet::new();
    for panel in all {
        let at = |key: &str| panel["gridPos"][key].as_u64().expect("a place");
        assert!(at("x") + at("w") <= 24, "{panel}");
        for x in at("x")..at("x") + at("w") {
            for y in at("y")..at("y") + at("h") {
                assert!(taken.insert((x, y)), "{} lies on another", panel["title"]);
            }
        }
    }
    for panel in panels(&json) {
        let title = &panel["title"];
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{title}");
        let targets = panel["targets"].as_array().expect("targets");
        assert!(!targets.is_empty(), "{title}");
        let letters: BTreeSet<&str> = targets.iter().filter_map(|t| t["refId"].as_str()).collect();
        assert_eq!(letters.len(), targets.len(), "{title}");
        if let Some(steps) = panel["fieldConfig"]["defaults"]["thresholds"]["steps"].as_array() {
            assert!(steps[0]["value"].is_null(), "{title}");
            let values: Vec<f64> =
                steps[1..].iter().map(|s| s["value"].as_f64().unwrap()).collect();
            assert!(values.is_sorted() && !values.is_empty(), "{title}: {values:?}");
        }
    }
    let steps = |title: &str| {
        let panel =
            panels(&json).find(|p| p["title"].as_str().unwrap().starts_with(title)).unwrap();
        panel["fieldConfig"]["defaults"]["thresholds"]["steps"].to_string()
    };
    assert_eq!(
        steps("error_rate:"),
        r#"[{"color":"green","value":null},{"color":"yellow","value":0.005},{"color":"red","value":0.02}]"#
    );
    assert_eq!(
        steps("cache_hit_rate:"),
        r#"[{"color":"red","value":null},{"color":"yellow","value":0.5},{"color":"green","value":0.8}]"#
    );
}

#[test]
fn prometheus_reads_every_expression_of_the_dashboard() {
    for names in [MetricNames::default(), MetricNames::prometheus()] {
        let exported = grafana(&everything(), &Settings { names, ..api() }).unwrap();
        let json: Value = serde_json::from_str(&exported.text).expect("JSON");
        let targets = panels(&json).flat_map(|panel| panel["targets"].as_array().unwrap());
        let rules: Vec<Value> = targets
            .enumerate()
            .map(|(at, target)| {
                let expr = target["expr"].as_str().unwrap().replace("$__rate_interval", "1m");
                serde_json::json!({ "record": format!("panel:{at}"), "expr": expr })
            })
            .collect();
        let count = rules.len();
        // Every JSON is YAML.
        let file = serde_json::json!({ "groups": [{ "name": "panels", "rules": rules }] });
        let said = promtool(&file.to_string()).unwrap_or_else(|said| panic!("{said}"));
        assert!(said.contains(&format!("{count} rules found")), "{said}");
    }
}
