//! Every plan that is shipped runs against the demo service, with everything that flags and the
//! environment can change.

use std::path::PathBuf;

use serde_json::Value;

use super::support::{DemoProcess, Sandbox, count, json, phase, phase_names};

/// The plans, and their phases. `dchat-users.toml` is only a part of others;
/// suites are in `suite`.
const EXAMPLES: &[(&str, &[&str])] = &[
    (
        "chat-api",
        &[
            "Baseline: Single User",
            "Light Load: 5 Concurrent Users",
            "Medium Load: 10 Concurrent Users",
            "Heavy Load: 20 Concurrent Users",
            "Stress Test: 50 Concurrent Users",
        ],
    ),
    ("dchat", &["Normal load", "Peak load", "Stress", "Spike", "Endurance", "Throughput"]),
    ("demo", &["Warm-up", "Steady members", "Cached answers", "Arrivals with a burst", "Spike"]),
    ("dianabot", &["Concurrent users", "Sustained stress"]),
    ("milkbot", &["Normal load", "Peak load", "Stress test"]),
    ("reality-checker", &["Webhook load", "Bursts", "Capacity"]),
    ("story", &["Rush", "Users"]),
];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples")
}

fn path(name: &str) -> String {
    folder().join(format!("{name}.toml")).to_string_lossy().into_owned()
}

/// Runs an example in short; gives its result.
#[track_caller]
fn run(name: &str, demo: &DemoProcess, line: &[&str], environment: &[(&str, &str)]) -> Value {
    let sandbox = Sandbox::new();
    let plan = path(name);
    let run = ["run", &plan, "-q", "-o", "result.json"];
    let invocation = sandbox.run(run.iter().chain(line));
    let ended =
        environment.iter().fold(invocation, |run, (name, value)| run.env(name, value)).end();
    // A grade is not asked for: a busy machine may miss what a phase of a blink expects.
    assert!(matches!(ended.code, Some(0..=2)), "{name} {line:?}: {ended:?}");
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("", ""));
    let result = sandbox.result("result.json");
    assert_eq!(result["run"]["target"], *demo.url, "{name}");
    result
}

#[test]
fn the_list_of_examples_is_complete() {
    let mut found: Vec<String> = std::fs::read_dir(folder())
        .expect("examples")
        .filter_map(|entry| entry.expect("an entry").file_name().into_string().ok())
        .filter_map(|name| name.strip_suffix(".toml").map(str::to_owned))
        .filter(|name| name != "dchat-users" && !name.ends_with("-suite"))
        .collect();
    found.sort();
    let listed: Vec<_> = EXAMPLES.iter().map(|(name, _)| *name).collect();
    assert_eq!(found, listed);
}

#[test]
fn every_example_is_fine() {
    let plans = EXAMPLES.iter().map(|(name, _)| path(name));
    let ended = Sandbox::new().run(std::iter::once("check".to_owned()).chain(plans)).end().with(0);
    assert_eq!(ended.stdout.lines().count(), EXAMPLES.len());
}

/// The published schema of results, and nothing beside what it documents.
fn strict_schema() -> jsonschema::Validator {
    fn close(schema: &mut Value) {
        match schema {
            Value::Object(object) => {
                object.values_mut().for_each(close);
                if object.contains_key("properties") {
                    object.insert("additionalProperties".to_owned(), Value::Bool(false));
                }
            }
            Value::Array(list) => list.iter_mut().for_each(close),
            _ => {}
        }
    }
    let mut schema = json(&Sandbox::new().run(["schema", "result"]).end().with(0).stdout);
    close(&mut schema);
    jsonschema::validator_for(&schema).expect("a valid schema")
}

#[track_caller]
fn is_documented(name: &str, result: &Value, schema: &jsonschema::Validator) {
    let wrong: Vec<String> = schema
        .iter_errors(result)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(wrong.is_empty(), "{name}: {wrong:?}");
    let mut more = result.clone();
    more["test_results"][0]["undocumented"] = Value::Null;
    assert!(!schema.is_valid(&more), "{name}: the schema lets everything pass");
}

#[track_caller]
fn runs_in_short(
    (name, phases): &(&str, &[&str]),
    demo: &DemoProcess,
    schema: &jsonschema::Validator,
) {
    let line = ["--target", &demo.url, "--users", "3", "--duration", "400ms"];
    let result = run(name, demo, &line, &[]);
    is_documented(name, &result, schema);
    assert_eq!(phase_names(&result), *phases, "{name}");
    for phase in result["test_results"].as_array().expect("phases") {
        let label = format!("{name}, {}", phase["scenario"]);
        assert_eq!(phase["was_run"], true, "{label}");
        assert!(count(phase, "/total_requests") > 0, "{label}");
        let users = count(phase, "/users_max");
        assert!((1..=3).contains(&users), "{label}: {users} users");
        let codes = phase["status_codes"].as_object().expect("codes");
        assert!(codes.keys().all(|code| code.starts_with('2')), "{label}: {codes:?}");
        for error in phase["errors"].as_array().expect("errors") {
            // Checks of a duration may fail on a busy machine; nothing else may.
            assert_eq!(error["kind"], "check_failed", "{label}: {error}");
        }
    }
}

#[test]
fn every_example_runs_with_a_load_and_target_from_flags() {
    let (demo, schema) = (DemoProcess::start(), strict_schema());
    for two in EXAMPLES.chunks(2) {
        std::thread::scope(|scope| {
            for example in two {
                scope.spawn(|| runs_in_short(example, &demo, &schema));
            }
        });
    }
}

/// One phase of Milkbot with this line and environment has so many users at most.
#[track_caller]
fn users(demo: &DemoProcess, line: &[&str], environment: &[(&str, &str)]) -> u64 {
    let fixed = ["--phase", "normal load", "-e", "THINK=10ms"];
    let line: Vec<&str> = fixed.iter().chain(line).copied().collect();
    let result = run("milkbot", demo, &line, environment);
    assert_eq!(phase_names(&result), ["Normal load"]);
    count(phase(&result, "Normal load"), "/users_max")
}

#[test]
fn flags_win_over_the_environment_and_ours_over_others() {
    let demo = DemoProcess::start();
    let url = demo.url.as_str();
    let theirs = [
        ("LOAD_TEST_HOST", url),
        ("LOAD_TEST_USERS", "2"),
        ("LOAD_TEST_SPAWN_RATE", "100"),
        ("LOAD_TEST_RUN_TIME", "600ms"),
    ];
    assert_eq!(users(&demo, &[], &theirs), 2, "Milkbot's own variables");
    let (no_host, short) = ("http://127.0.0.1:1", ("PROOFLOAD_DURATION", "600ms"));
    let wrong =
        [("LOAD_TEST_HOST", no_host), ("LOAD_TEST_USERS", "2"), ("LOAD_TEST_RUN_TIME", "1h")];
    let ours = [
        wrong[0],
        wrong[1],
        wrong[2],
        short,
        ("PROOFLOAD_TARGET", url),
        ("PROOFLOAD_USERS", "3"),
        ("PROOFLOAD_SPAWN_RATE", "100"),
    ];
    assert_eq!(users(&demo, &[], &ours), 3, "PROOFLOAD_ before LOAD_TEST_");
    let flags = ["--target", url, "--users", "4", "--spawn-rate", "100"];
    let environment = [
        wrong[0],
        wrong[1],
        wrong[2],
        short,
        ("PROOFLOAD_TARGET", no_host),
        ("PROOFLOAD_USERS", "3"),
    ];
    assert_eq!(users(&demo, &flags, &environment), 4, "flags before the environment");
    let empty = [("PROOFLOAD_USERS", ""), theirs[0], theirs[1], theirs[2]];
    assert_eq!(users(&demo, &[], &empty), 2, "what is empty counts as not set");
}

#[test]
fn times_can_be_overridden() {
    let print = |line: &[&str], environment: &[(&str, &str)]| {
        let (sandbox, plan) = (Sandbox::new(), path("milkbot"));
        let run = ["run", &plan, "--print-plan", "--phase", "Peak load"];
        let invocation = sandbox.run(run.iter().chain(line));
        environment
            .iter()
            .fold(invocation, |run, (name, value)| run.env(name, value))
            .end()
            .with(0)
            .stdout
    };
    let theirs = ("LOAD_TEST_RUN_TIME", "71s");
    let ours = ("PROOFLOAD_DURATION", "72s");
    let check = |line: &[&str], environment: &[(&str, &str)], length: &str| {
        let plan = Sandbox::new();
        plan.write("plan.toml", print(line, environment));
        let said = plan.run(["check", "plan.toml"]).end().with(0).stdout;
        assert!(said.contains(length), "{line:?} {environment:?}: {said}");
    };
    check(&[], &[], "12.0 s");
    check(&[], &[theirs], "1 min 11 s");
    check(&[], &[theirs, ours], "1 min 12 s");
    check(&["--duration", "73s"], &[theirs, ours], "1 min 13 s");
    check(&["--run-time", "74"], &[], "1 min 14 s");
}

#[test]
fn rates_can_be_overridden() {
    let demo = DemoProcess::start();
    let started = |line: &[&str], environment: &[(&str, &str)]| {
        let fixed = ["--phase", "Throughput", "--target", &demo.url, "--duration", "500ms"];
        let line: Vec<&str> = fixed.iter().chain(line).copied().collect();
        let result = run("dchat", &demo, &line, environment);
        let iterations = &phase(&result, "Throughput")["iterations"];
        ["/completed", "/interrupted", "/dropped"]
            .map(|key| count(iterations, key))
            .iter()
            .sum::<u64>()
    };
    let by_environment = started(&[], &[("PROOFLOAD_RATE", "40/s")]);
    assert!((19..=21).contains(&by_environment), "40/s for 500 ms are {by_environment}");
    let by_flag = started(&["--rate", "80"], &[("PROOFLOAD_RATE", "40/s")]);
    assert!((39..=41).contains(&by_flag), "80/s for 500 ms are {by_flag}");
}

#[test]
fn the_demo_runs_its_own_plan() {
    let sandbox = Sandbox::new();
    let line =
        ["demo", "--phase", "Spike", "--duration", "500ms", "--users", "3", "-q", "-o", "r.json"];
    let ended = sandbox.run(line).end();
    assert!(matches!(ended.code, Some(0..=2)), "{ended:?}");
    let result = sandbox.result("r.json");
    assert_eq!(phase_names(&result), ["Spike"]);
    assert!(count(&result, "/summary/total_requests") > 0);
}
