//! The result as other programs read it: keys, counts, and files that are whole or not there.

use std::process::Command;

use proofload_testbed::fixture::{Behaviour, Fault, Reply};
use serde_json::Value;

use super::support::{
    Invocation, PROOFLOAD, Sandbox, count, fixture, friendly, json, phase_names, plan, settled,
};

#[track_caller]
fn has_keys(value: &Value, keys: &[&str]) {
    let object = value.as_object().expect("an object");
    for key in keys {
        assert!(object.contains_key(*key), "no {key}");
    }
}

#[test]
fn it_has_the_keys_of_the_document_it_comes_from() {
    let sandbox = Sandbox::new();
    let fixture = friendly();
    let phases = "[[phase]]\nname = 'one'\nusers = 2\niterations = 5\nexpect = { p95 = '<1m' }\n\
                  [[phase]]\nname = 'two'\nrate = '20/s'\nduration = '500ms'\n\
                  [thresholds]\nhttp_req_duration = ['p(95)<60000']";
    sandbox.write("plan.toml", plan(&fixture, phases));
    sandbox.run(["run", "plan.toml", "-q", "-o", "deep/er/result.json"]).end().with(0);
    let result = sandbox.result("deep/er/result.json");
    has_keys(&result, &["timestamp", "test_results", "summary", "schema"]);
    let summary = ["total_scenarios", "scenarios_passed", "average_cache_hit_rate", "grade"];
    has_keys(&result["summary"], &summary);
    assert_eq!(phase_names(&result), ["one", "two"]);
    for phase in result["test_results"].as_array().expect("phases") {
        has_keys(
            phase,
            &[
                "scenario",
                "total_requests",
                "successful",
                "failed",
                "success_rate",
                "cached_responses",
                "cache_hit_rate",
                "avg_latency_ms",
                "median_latency_ms",
                "p95_latency_ms",
                "p99_latency_ms",
            ],
        );
    }
    assert_eq!(result["schema"], 1);
    assert_eq!(result["run"]["target"], fixture.url(""));
    assert_eq!(result["run"]["interrupted"], false);
    assert_eq!(result["summary"]["total_scenarios"], 2);

    let schema = json(&sandbox.run(["schema", "result"]).end().with(0).stdout);
    let validator = jsonschema::validator_for(&schema).expect("a valid schema");
    let wrong: Vec<String> =
        validator.iter_errors(&result).map(|error| error.to_string()).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    assert!(!validator.is_valid(&json("{\"schema\": \"one\"}")), "the schema refuses something");
    let plans = json(&sandbox.run(["schema"]).end().with(0).stdout);
    jsonschema::validator_for(&plans).expect("a valid schema of plans");
}

#[test]
fn its_counts_are_those_of_the_server() {
    let sandbox = Sandbox::new();
    let fixture = fixture(
        Behaviour::new()
            .exact("/a", Reply::text("ok").error_every(5))
            .exact("/b", Reply::json(&json("{\"cached\": true}")).fault_every(7, Fault::Truncated))
            .exact("/c", Reply::new(404)),
    );
    let target = fixture.url("");
    let text = format!(
        "target = '{target}'\ncache = {{ json = '$.cached', equals = true }}\n[[user]]\n\
         [[user.task]]\nget = '/a'\n[[user.task]]\nget = '/b'\n[[user.task]]\nget = '/c'\n\
         [[phase]]\nusers = 5\niterations = 40\n[[phase]]\nrate = '100/s'\nduration = '1s'\n"
    );
    sandbox.write("plan.toml", text);
    let run = ["run", "plan.toml", "-q", "--no-health-check", "-o", "result.json"];
    sandbox.run(run).end().with(0);
    let result = sandbox.result("result.json");
    let ledger = settled(&fixture);
    let phases = result["test_results"].as_array().expect("phases");
    let sum = |pointer: &str| phases.iter().map(|phase| count(phase, pointer)).sum::<u64>();
    let of = |phase: &Value, list: &str, key: &str, name: &str, number: &str| -> u64 {
        let rows = phase[list].as_array().expect("rows").iter();
        rows.filter(|row| row[key] == name).map(|row| count(row, number)).sum()
    };
    assert_eq!(sum("/total_requests"), ledger.requests);
    assert_eq!(count(&result, "/summary/total_requests"), ledger.requests);
    assert_eq!(sum("/cached_responses"), ledger.path("/b") - ledger.fault("truncated"));
    assert_eq!(sum("/connections_opened"), ledger.connections);
    for path in ["/a", "/b", "/c"] {
        let rows: u64 =
            phases.iter().map(|p| of(p, "requests", "url", path, "/total_requests")).sum();
        assert_eq!(rows, ledger.path(path), "{path}");
    }
    for (kind, number) in [
        ("http_5xx", ledger.status(500)),
        ("http_4xx", ledger.status(404)),
        ("truncated", ledger.fault("truncated")),
    ] {
        assert!(number > 0, "the fixture did what it was told: {kind}");
        let rows: u64 = phases.iter().map(|p| of(p, "errors", "kind", kind, "/count")).sum();
        assert_eq!(rows, number, "{kind}");
    }
    let failed = ledger.status(500) + ledger.status(404) + ledger.fault("truncated");
    assert_eq!(sum("/failed"), failed);
    assert_eq!(sum("/successful"), ledger.requests - failed);
}

#[test]
fn on_standard_output_it_is_alone() {
    let fixture = friendly();
    let sandbox = Sandbox::new();
    let line = ["http", &fixture.url("/"), "-n", "3", "-o", "-"];
    for more in [&[][..], &["-q"]] {
        let ended = sandbox.run(line.iter().chain(more)).end().with(0);
        assert!(json(&ended.stdout).is_object(), "one object and nothing else");
        assert!(ended.stdout.ends_with("}\n"));
    }
    assert!(sandbox.files().is_empty());
}

#[test]
fn it_is_kept_even_if_nobody_says_where() {
    let fixture = friendly();
    let sandbox = Sandbox::new();
    sandbox.write("plan.toml", plan(&fixture, "[[phase]]\nusers = 1\niterations = 1"));
    for runs in 1..=2 {
        sandbox.run(["run", "plan.toml", "-q"]).end().with(0);
        let files = sandbox.files();
        let kept: Vec<_> = files.iter().filter(|name| name.ends_with("/result.json")).collect();
        assert_eq!(kept.len(), runs, "an earlier result is not overwritten: {files:?}");
        for name in kept {
            assert!(name.starts_with("proofload-results/test-"), "{name}");
            assert_eq!(count(&sandbox.result(name), "/summary/total_requests"), 1);
        }
    }
}

#[test]
fn it_can_be_shown_again() {
    let fixture = friendly();
    let sandbox = Sandbox::new();
    sandbox.run(["http", &fixture.url("/"), "-n", "7", "-q", "-o", "result.json"]).end().with(0);
    let shown = sandbox.run(["report", "result.json"]).end().with(0);
    assert!(shown.stdout.contains('7'), "{}", shown.stdout);
    assert_eq!(shown.stderr, "");
}

/// A run of which no file may become larger than a few kilobytes, which the result is.
#[cfg(unix)]
fn on_a_full_disk(sandbox: &Sandbox, line: &[&str]) -> Invocation {
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; ulimit -f 4; exec \"$0\" \"$@\"", PROOFLOAD]).args(line);
    sandbox.invoke(shell)
}

#[cfg(unix)]
#[test]
fn an_earlier_result_stays_whole_when_the_disk_is_full() {
    let fixture = friendly();
    let sandbox = Sandbox::new();
    let url = fixture.url("/");
    let line = ["http", &url, "-n", "3", "-q", "-o", "result.json"];
    sandbox.run(line).end().with(0);
    let before = sandbox.read("result.json");
    assert!(before.len() > 4 * 1024, "larger than the disk of this test");
    let ended = on_a_full_disk(&sandbox, &line).end().with(74).silent();
    ended.says(&["error: ", "could not be written to result.json"]);
    assert_eq!(sandbox.read("result.json"), before);
    assert_eq!(sandbox.files(), ["result.json"], "no draft is left behind");
}

#[cfg(target_os = "linux")]
#[test]
fn devices_are_written_and_never_replaced() {
    use std::os::unix::fs::FileTypeExt as _;

    let fixture = friendly();
    let sandbox = Sandbox::new();
    let url = fixture.url("/");
    // Links: if one were replaced, it would not be the machine's own device.
    for (name, device, code) in [("null", "/dev/null", 0), ("full", "/dev/full", 74)] {
        std::os::unix::fs::symlink(device, sandbox.path(name)).expect("a link");
        sandbox.run(["http", &url, "-n", "1", "-q", "-o", name]).end().with(code).silent();
        assert!(sandbox.path(name).is_symlink(), "{name} is what it was");
        let kind = std::fs::metadata(device).expect("a device").file_type();
        assert!(kind.is_char_device(), "{device} is what it was");
    }
    let said = sandbox.run(["http", &url, "-n", "1", "-q", "-o", "full"]).end().with(74);
    said.says(&["No space left"]);
}

#[cfg(unix)]
#[test]
fn links_are_followed() {
    let fixture = friendly();
    let sandbox = Sandbox::new();
    sandbox.write("there.json", "old");
    std::os::unix::fs::symlink("there.json", sandbox.path("link.json")).expect("a link");
    let url = fixture.url("/");
    sandbox.run(["http", &url, "-n", "1", "-q", "-o", "link.json"]).end().with(0);
    assert!(sandbox.path("link.json").is_symlink());
    assert_eq!(count(&sandbox.result("there.json"), "/summary/total_requests"), 1);
}
