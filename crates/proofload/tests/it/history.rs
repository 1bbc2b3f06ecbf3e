//! `proofload history`: what is read of a results folder, and what is said of it.

use std::fs;

use proofload_core::metrics::Histogram;
use proofload_core::result::{Histograms, PhaseResult, RunInfo, RunResult, Summary, TrustResult};
use proofload_core::verdict::Grade;
use serde_json::Value;

use super::support::{Sandbox, count, friendly, json, plan};

/// The run of a day in November, whose requests took so many milliseconds each.
fn result(plan: &str, day: u32, ms: u64) -> RunResult {
    let response = Histogram::from_iter([ms * 1_000_000; 50]);
    let phase = PhaseResult {
        scenario: "Normal load".to_owned(),
        was_run: true,
        total_requests: 50,
        successful: 50,
        elapsed_seconds: 5.0,
        trust: TrustResult { trustworthy: true, reasons: Vec::new() },
        histograms: Histograms { response_successful: response, ..Histograms::default() },
        ..PhaseResult::default()
    };
    RunResult {
        schema: RunResult::SCHEMA,
        run: RunInfo {
            name: plan.to_owned(),
            target: "http://127.0.0.1:8000/".to_owned(),
            started: format!("2026-11-{day:02}T03:00:00.000Z"),
            duration_seconds: 5.0,
            ..RunInfo::default()
        },
        summary: Summary {
            grade: Some(Grade::Excellent),
            total_requests: 50,
            trustworthy: true,
            ..Summary::default()
        },
        test_results: vec![phase],
        ..RunResult::default()
    }
}

/// Writes a result as a run would.
fn keep(sandbox: &Sandbox, folder: &str, result: &RunResult) {
    let folder = sandbox.path("proofload-results").join(folder);
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("result.json"), result.to_json().expect("JSON")).expect("a file");
}

/// Twenty runs of "Shop", slower from the twelfth on, and some of another plan.
fn month() -> Sandbox {
    let sandbox = Sandbox::new();
    for day in 1..=20 {
        let ms = if day < 12 { 100 } else { 130 } + u64::from(day % 3);
        keep(&sandbox, &format!("shop-202611{day:02}-030000"), &result("Shop", day, ms));
    }
    for day in 1..=3 {
        keep(&sandbox, &format!("other-202611{day:02}-030000"), &result("Other", day, 10));
    }
    sandbox
}

/// The command's standard output, with times in UTC.
#[track_caller]
fn history(sandbox: &Sandbox, flags: &[&str]) -> String {
    let line = ["history"];
    sandbox.run(line.iter().chain(flags)).env("TZ", "UTC").end().with(0).stdout
}

#[track_caller]
fn as_json(sandbox: &Sandbox, flags: &[&str]) -> Value {
    let flags: Vec<&str> = flags.iter().copied().chain(["--json"]).collect();
    json(&history(sandbox, &flags))
}

#[test]
fn runs_are_listed_and_a_change_is_found() {
    let sandbox = month();
    insta::assert_snapshot!(history(&sandbox, &["Shop"]));
    let found = as_json(&sandbox, &["Shop"]);
    assert_eq!(found["runs"].as_array().map(Vec::len), Some(20));
    assert_eq!(found["changes"][0]["started"], "2026-11-12T03:00:00.000Z");
    assert_eq!(found["changes"][0]["is_better"], false);
    assert_eq!(count(&found, "/changes/0/run"), 11);
    assert_eq!(found["runs"][0]["file"], "proofload-results/shop-20261101-030000/result.json");
    let ascii = sandbox.run(["history", "Shop"]).env("TZ", "UTC").env("LC_ALL", "C").end().with(0);
    assert!(ascii.stdout.is_ascii(), "{}", ascii.stdout);
    assert!(ascii.stdout.contains("worse since 2026-11-12 03:00"), "{}", ascii.stdout);
}

#[test]
fn plans_measures_and_numbers_are_picked() {
    let sandbox = month();
    assert_eq!(as_json(&sandbox, &[])["runs"].as_array().map(Vec::len), Some(23));
    let last = as_json(&sandbox, &["Shop", "--last", "4", "--measure", "rps"]);
    let days: Vec<_> = last["runs"].as_array().expect("runs").iter().collect();
    assert_eq!(days.len(), 4);
    assert_eq!(days[0]["started"], "2026-11-17T03:00:00.000Z", "the latest ones, oldest first");
    assert_eq!((&last["unit"], &days[0]["value"]), (&Value::from("1/s"), &Value::from(10.0)));
    assert_eq!(last["changes"], Value::Array(Vec::new()));
    let phase = as_json(&sandbox, &["Other", "--phase", "Normal load"]);
    assert_eq!(phase["runs"][2]["value_text"], "10.0 ms");
    let nowhere = as_json(&sandbox, &["Other", "--phase", "Nowhere"]);
    assert_eq!(nowhere["runs"][2]["value"], Value::Null);
    // The file of a plan stands for its name.
    let text = plan(&friendly(), "[[phase]]\nusers = 1\niterations = 1");
    sandbox.write("plan.toml", text.replace("name = \"test\"", "name = \"Other\""));
    assert_eq!(as_json(&sandbox, &["plan.toml"])["runs"].as_array().map(Vec::len), Some(3));

    let nobody = sandbox.run(["history", "Nobody"]).end().with(0).says(&["no run of `Nobody`"]);
    assert!(nobody.stdout.contains("no runs found"), "{}", nobody.stdout);
    sandbox.run(["history", "-m", "p59x"]).end().with(64).says(&["unknown measure"]);
    sandbox.run(["history", "--results", "nowhere"]).end().with(65).says(&["nowhere"]);
}

#[test]
fn foreign_and_broken_files_are_named_and_never_fatal() {
    let sandbox = month();
    let root = sandbox.path("proofload-results");
    fs::create_dir_all(root.join("killed-20261121-030000")).expect("a folder");
    fs::create_dir_all(root.join("late-20261122-030000")).expect("a folder");
    fs::write(root.join("late-20261122-030000/result.json"), "{\"schema\": 99}").expect("a file");
    fs::create_dir_all(root.join("cut-20261123-030000")).expect("a folder");
    fs::write(root.join("cut-20261123-030000/result.json"), "{\"schema\": 1,").expect("a file");
    fs::write(root.join("notes.txt"), "x").expect("a file");
    fs::write(root.join("binary.json"), [0xff, 0xfe]).expect("a file");
    // What older versions left, and what suites leave.
    let old = result("Shop", 21, 131).to_json().expect("JSON");
    fs::write(root.join("shop-20261121-030000.json"), old).expect("a file");
    keep(&sandbox, "suite-20261122-030000/1-shop", &result("Shop", 22, 132));
    for (number, day) in [(1, 23), (2, 24)] {
        let again = result("Shop", day, 130).to_json().expect("JSON");
        fs::create_dir_all(root.join("shop-20261123-030000")).expect("a folder");
        fs::write(root.join(format!("shop-20261123-030000/run-{number}.json")), again)
            .expect("a file");
    }
    fs::write(root.join("suite-20261122-030000/suite.json"), "{}").expect("a file");

    let found = as_json(&sandbox, &["Shop", "--last", "100"]);
    assert_eq!(found["runs"].as_array().map(Vec::len), Some(24));
    let skipped = found["skipped"].as_array().expect("a list");
    let names: Vec<&str> = skipped.iter().filter_map(|file| file["file"].as_str()).collect();
    for name in ["killed-", "notes.txt"] {
        assert!(names.iter().any(|found| found.contains(name)), "no {name} in {names:?}");
    }
    let all = as_json(&sandbox, &["--last", "100"]);
    assert_eq!(count(&all, "/skipped_files"), 5);
    let reasons = all["skipped"].to_string();
    for reason in ["schema 99", "not a result of Proofload", "not text", "did not come to its end"]
    {
        assert!(reasons.contains(reason), "no {reason:?} in {reasons}");
    }
    let shown = history(&sandbox, &["--last", "100"]);
    assert!(shown.contains("5 files that are not results of runs"), "{shown}");
}

#[test]
fn a_run_lands_in_the_history() {
    let fixture = friendly();
    let sandbox = Sandbox::new();
    sandbox.write("plan.toml", plan(&fixture, "[[phase]]\nusers = 1\niterations = 7"));
    sandbox.run(["run", "plan.toml", "-q"]).end().with(0);
    sandbox.run(["run", "plan.toml", "-q", "--iterations", "9"]).end().with(0);
    let found = as_json(&sandbox, &["plan.toml", "-m", "requests"]);
    assert_eq!(count(&found, "/runs/0/total_requests"), 7);
    assert_eq!(
        (&found["runs"][0]["value"], &found["runs"][1]["value"]),
        (&7.0.into(), &9.0.into())
    );
}
