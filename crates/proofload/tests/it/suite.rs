//! `proofload suite`: tests one after the other, the requirement matrix, and nothing lost on the way.

use std::path::PathBuf;
use std::time::Duration;

use proofload_core::baseline::Baseline;
use proofload_core::compare::RunEvidence;
use proofload_core::result::RunResult;
use proofload_testbed::fixture::{Behaviour, Fixture, Reply, refused_addr};
use serde_json::Value;

use super::support::{DemoProcess, Ended, Sandbox, count, fixture, friendly, json, plan};

/// Two tests of five requests each, of different kinds, and requirements on both.
const SUITE: &str = r#"
name = "shop"

[[test]]
name = "Hooks"
kind = "webhook"
plan = "a.toml"

[[test]]
name = "Pages"
kind = "load"
plan = "b.toml"
iterations = 3

[[requirement]]
id = "1"
text = "hooks are answered within a minute"
by = { test = "Hooks", phase = "short", expect = { p95 = "<1m", success_rate = ">99%" } }

[[requirement]]
id = "2"
text = "pages hold what they must"
by = { test = "Pages" }

[[requirement]]
id = "3"
text = "nobody looks at this"
"#;

const SHORT: &str =
    "[[phase]]\nname = 'short'\nusers = 1\niterations = 5\nexpect = { p95 = '<1m' }";

/// A suite of two plans against the fixture.
fn sandbox(fixture: &Fixture, suite: &str, second: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("suite.toml", suite).write("a.toml", plan(fixture, SHORT));
    sandbox.write("b.toml", plan(fixture, second));
    sandbox
}

#[track_caller]
fn run(sandbox: &Sandbox, flags: &[&str]) -> Ended {
    let line = ["suite", "suite.toml", "-o", "suite.json"];
    sandbox.run(line.iter().chain(flags)).end()
}

fn column<'v>(result: &'v Value, table: &str, key: &str) -> Vec<&'v str> {
    let rows = result[table].as_array().expect("rows");
    rows.iter().map(|row| row[key].as_str().unwrap_or("")).collect()
}

fn verdicts(result: &Value) -> Vec<&str> {
    column(result, "requirements", "verdict")
}

#[test]
fn tests_run_in_order_and_prove_what_they_prove() {
    let fixture = friendly();
    let sandbox = sandbox(&fixture, SUITE, SHORT);
    let ended = run(&sandbox, &[]).with(0);
    let result = sandbox.result("suite.json");
    assert_eq!(column(&result, "tests", "name"), ["Hooks", "Pages"]);
    assert_eq!(column(&result, "tests", "state"), ["finished", "finished"]);
    assert_eq!(count(&result, "/tests/0/total_requests"), 5);
    assert_eq!(count(&result, "/tests/1/total_requests"), 3, "the test's own iterations");
    // A busy machine may make a measurement suspect; then nothing is proven, and nothing fails.
    let trusted = result["summary"]["trustworthy"] == true;
    if trusted {
        assert_eq!(verdicts(&result), ["proven", "proven", "unproven"]);
    }
    assert_eq!(count(&result, "/summary/failed"), 0);
    assert_eq!(result["requirements"][2]["reason"], "no test proves it");
    for part in ["Hooks", "EXCELLENT", "Requirements", "no test proves it", "suite.json"] {
        assert!(ended.stdout.contains(part), "no {part:?} in:\n{}", ended.stdout);
    }
    assert!(!ended.stdout.contains("Requests of phase"), "{}", ended.stdout);
    // Each test's own result lies in the suite's folder, and is a result like any other.
    let files = sandbox.files();
    let kept: Vec<&str> =
        files.iter().filter_map(|name| name.strip_prefix("proofload-results/")).collect();
    let folder = kept[0].split('/').next().expect("a folder");
    assert!(folder.starts_with("shop-"), "{kept:?}");
    for name in ["1-hooks/result.json", "2-pages/result.json", "suite.json"] {
        assert!(kept.contains(&format!("{folder}/{name}").as_str()), "no {name} in {kept:?}");
    }
    let path = result["tests"][1]["result_path"].as_str().expect("a path");
    assert_eq!(count(&sandbox.result(path), "/summary/total_requests"), 3);
    assert_eq!(sandbox.result(&format!("proofload-results/{folder}/suite.json")), result);
}

#[test]
fn the_result_goes_out_in_every_format_that_suites_have() {
    let fixture = friendly();
    let sandbox = sandbox(&fixture, SUITE, SHORT);
    let outs = "--out html=a.html --out json=b.json --out junit --out markdown=d/e.md --out ndjson";
    let flags: Vec<&str> = outs.split_whitespace().collect();
    run(&sandbox, &flags).with(0);
    assert_eq!(sandbox.result("b.json"), sandbox.result("suite.json"));
    let page = sandbox.read("a.html");
    assert!(page.contains("requirements proven") && page.contains("Hooks"), "{page}");
    assert!(!page.contains("href=\"1-hooks"), "it lies elsewhere");
    assert!(sandbox.read("d/e.md").contains("Requirements"));
    let files = sandbox.files();
    let kept = |end: &str| {
        let mut found = files
            .iter()
            .filter(|name| name.starts_with("proofload-results/") && name.ends_with(end));
        found.next().unwrap_or_else(|| panic!("no {end} in {files:?}"))
    };
    assert!(sandbox.read(kept("/junit.xml")).contains("<testcase"));
    let beside = kept("/suite.json").replace("suite.json", "report.html");
    assert!(sandbox.read(&beside).contains("href=\"1-hooks/report.html\""));
    kept("2-pages/intervals.ndjson");
    // As after the suite, so from its folder.
    let folder = beside.trim_end_matches("/report.html");
    let shown = sandbox.run(["report", folder, "-f", "html"]).end().with(0).stdout.clone();
    assert!(shown.contains("requirements proven"), "{shown}");
    // What suites do not have is told before any load is put on.
    let seen = fixture.ledger().path("/");
    run(&sandbox, &["--out", "csv=x"]).with(64).says(&["a suite has no such format"]);
    run(&sandbox, &["--out", "html=suite.toml/x"]).with(74);
    assert_eq!(fixture.ledger().path("/"), seen);
}

#[test]
fn only_the_kinds_that_are_wanted_are_run_and_the_rest_stays_unproven() {
    let fixture = friendly();
    let sandbox = sandbox(&fixture, SUITE, SHORT);
    run(&sandbox, &["--only", "load"]).with(0);
    let result = sandbox.result("suite.json");
    assert_eq!(column(&result, "tests", "state"), ["not_run", "finished"]);
    assert_eq!(result["tests"][0]["exit_code"], Value::Null);
    assert_eq!(result["requirements"][0]["verdict"], "unproven");
    assert_eq!(result["requirements"][0]["reason"], "the test was not run: not asked for");
    run(&sandbox, &["--only", "load", "--strict"]).with(3);
    run(&sandbox, &["--only", "redis"]).with(64).says(&["suite.toml has no test of kind redis"]);
    run(&sandbox, &["--only", "lode"]).with(64).says(&["webhook", "baseline"]);
}

#[test]
fn a_broken_limit_fails_the_suite_and_a_failed_requirement_too() {
    let fixture =
        fixture(Behaviour::new().exact("/", Reply::text("ok").after(Duration::from_millis(5))));
    let poor = SHORT.replace("p95 = '<1m'", "p95 = '<2ms'");
    let sandbox = sandbox(&fixture, SUITE, &poor);
    run(&sandbox, &[]).with(2);
    let result = sandbox.result("suite.json");
    assert_eq!(result["summary"]["grade"], "POOR");
    if result["summary"]["trustworthy"] == true {
        assert_eq!(verdicts(&result), ["proven", "failed", "unproven"]);
    }
    // The first test is fine by its own limits; the requirement asks for more.
    sandbox.write("suite.toml", SUITE.replace("p95 = \"<1m\"", "p95 = \"<2ms\""));
    run(&sandbox, &["--only", "webhook"]);
    let result = sandbox.result("suite.json");
    if result["summary"]["trustworthy"] == true {
        assert_eq!(
            (&result["tests"][0]["grade"], &result["summary"]["grade"]),
            (&Value::from("EXCELLENT"), &Value::from("POOR"))
        );
        assert_eq!(verdicts(&result), ["failed", "unproven", "unproven"]);
        assert_eq!(count(&result, "/summary/exit_code"), 2);
    }
}

#[test]
fn after_a_failure_the_rest_is_run_unless_it_should_not() {
    let fixture = friendly();
    let sandbox = sandbox(&fixture, SUITE, SHORT);
    let nobody = format!("http://{}", refused_addr().expect("a port"));
    let suite =
        SUITE.replace("kind = \"webhook\"", &format!("kind = \"webhook\"\ntarget = \"{nobody}\""));
    sandbox.write("suite.toml", suite);
    run(&sandbox, &[]).with(69).says(&["no load was put on"]);
    let result = sandbox.result("suite.json");
    assert_eq!(column(&result, "tests", "state"), ["failed", "finished"]);
    assert_eq!(count(&result, "/tests/0/exit_code"), 69);
    assert_eq!(result["summary"]["grade"], "POOR");
    assert_eq!(result["requirements"][0]["reason"], "the test could not be run");

    run(&sandbox, &["--fail-fast"]).with(69);
    let result = sandbox.result("suite.json");
    assert_eq!(column(&result, "tests", "state"), ["failed", "not_run"]);
    assert_eq!(result["tests"][1]["reason"], "a test before it failed (--fail-fast)");
    // The flag's target wins over the suite's.
    run(&sandbox, &["--target", &fixture.url("")]).with(0);
}

#[test]
fn mistakes_are_told_before_any_load_is_put_on() {
    let fixture = friendly();
    let sandbox = sandbox(&fixture, SUITE, "[[phase]]\nname = 'short'\nuser = 1");
    let redis = "[[test]]\nname = \"Store\"\nkind = \"redis\"\nplan = \"nowhere.toml\"\n";
    sandbox.write("suite.toml", format!("{SUITE}{redis}"));
    run(&sandbox, &[]).with(65).silent().says(&[
        "this build cannot run redis tests yet",
        "suite.toml:30:8",
        "in the test `Pages`",
        "b.toml:8",
    ]);
    sandbox.write("suite.toml", SUITE.replace("phase = \"short\"", "phase = \"shrot\""));
    sandbox.write("b.toml", plan(&fixture, SHORT));
    run(&sandbox, &[]).with(65).says(&["no phase `shrot`", "did you mean `short`?"]);
    sandbox.write("suite.toml", "[[tset]]\n");
    run(&sandbox, &[]).with(65).says(&["unknown key `tset` in a suite", "suite.toml:1:3"]);
    sandbox.run(["suite", "nowhere.toml"]).end().with(65).says(&["cannot read `nowhere.toml`"]);
    assert_eq!(fixture.ledger().requests, 0);
    assert_eq!(sandbox.files_beside_results(), ["a.toml", "b.toml", "suite.toml"]);
    // What cannot be run does not matter where it is not asked for.
    sandbox.write("suite.toml", format!("{SUITE}{redis}"));
    run(&sandbox, &["--only", "webhook"]).with(0);
}

#[test]
fn verbose_shows_every_test_in_full() {
    let fixture = friendly();
    let sandbox = sandbox(&fixture, SUITE, SHORT);
    let shown = run(&sandbox, &["--verbose"]).with(0).stdout;
    assert_eq!(shown.matches("Requests of phase  short").count(), 2, "{shown}");
    assert_eq!(shown.matches("Where the time went in phase  short").count(), 2, "{shown}");
    assert!(shown.contains("waiting for the first byte"), "{shown}");
    let shown = sandbox.run(["run", "a.toml", "--verbose"]).end().with(0).stdout;
    assert!(shown.contains("Where the time went in phase  short"), "{shown}");
    let shown = sandbox.run(["run", "a.toml"]).end().with(0).stdout;
    assert!(!shown.contains("Where the time went"), "{shown}");
}

#[test]
fn the_result_on_standard_output_is_alone_there() {
    let fixture = friendly();
    let sandbox = sandbox(&fixture, SUITE, SHORT);
    let ended = sandbox.run(["suite", "suite.toml", "-o", "-"]).end().with(0);
    assert_eq!(count(&json(&ended.stdout), "/suite_schema"), 1);
    let quiet = sandbox.run(["suite", "suite.toml", "-q"]).end().with(0).silent();
    assert_eq!(quiet.stderr, "");
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_the_test_and_then_the_suite() {
    use super::support::wait_until;

    let fixture =
        fixture(Behaviour::new().exact("/", Reply::text("ok").after(Duration::from_millis(20))));
    let long = "[[phase]]\nname = 'short'\nusers = 2\nduration = '1h'\nexpect = { p95 = '<1m' }";
    let sandbox = sandbox(&fixture, SUITE, SHORT);
    sandbox.write("a.toml", plan(&fixture, long));
    let running = sandbox.run(["suite", "suite.toml", "-o", "suite.json"]).start();
    wait_until("requests arrive", || fixture.ledger().requests > 20);
    running.signal(rustix::process::Signal::INT);
    let ended = running.end().with(130).says(&["stopping"]);
    let result = sandbox.result("suite.json");
    assert_eq!(column(&result, "tests", "state"), ["interrupted", "not_run"]);
    assert_eq!(result["suite"]["interrupted"], true);
    assert_eq!(result["tests"][1]["reason"], "the suite was interrupted before");
    assert_eq!(verdicts(&result), ["unproven"; 3]);
    assert!(count(&result, "/tests/0/total_requests") > 10, "what was measured is kept");
    assert!(ended.stdout.contains("Interrupted"), "{}", ended.stdout);
}

#[test]
fn schemas_are_published() {
    let sandbox = Sandbox::new();
    for (of, key) in [("suite", "requirement"), ("suite-result", "requirements")] {
        let schema = json(&sandbox.run(["schema", of]).end().with(0).stdout);
        assert!(schema["properties"][key].is_object(), "{of}");
    }
}

#[test]
fn reality_checkers_suite_proves_its_requirements_against_the_demo() {
    let demo = DemoProcess::start();
    let sandbox = Sandbox::new();
    let suite =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples/reality-checker-suite.toml");
    let suite = suite.to_string_lossy();
    // In short: the numbers of the example are for a minute.
    let short = [
        "-e",
        "REQUESTS_PER_USER=2",
        "-e",
        "RAMP=200ms",
        "-e",
        "STEP=200ms",
        "-e",
        "PACE=1ms..5ms",
    ];
    let line = ["suite", &suite, "-o", "suite.json", "--only", "webhook", "--target", &demo.url];
    let ended = sandbox.run(line.iter().chain(&short)).end();
    // A grade is not asked for: a busy machine may miss what a phase of a blink expects.
    assert!(matches!(ended.code, Some(0..=2)), "{ended:?}");
    let result = sandbox.result("suite.json");
    let ids = column(&result, "requirements", "id");
    assert_eq!(ids, ["2.1", "2.2", "4.1", "4.2", "4.3", "5.1", "5.2"]);
    assert_eq!(column(&result, "tests", "state"), ["finished", "finished", "not_run"]);
    assert_eq!(verdicts(&result)[3..], ["unproven"; 4]);
    for requirement in &result["requirements"].as_array().expect("requirements")[..3] {
        for proof in requirement["proofs"].as_array().expect("proofs") {
            assert!(proof["measured"].is_f64(), "{proof}");
        }
    }
    assert_eq!(count(&result, "/tests/0/total_requests"), 100);
    assert_eq!(count(&result, "/tests/0/failed"), 0);
}

/// One test, and its comparison with a baseline.
const COMPARED: &str = r#"
[[test]]
name = "Pages"
kind = "load"
plan = "a.toml"

[[test]]
name = "No worse"
kind = "baseline"
test = "Pages"
baseline = "a.baseline.toml"

[[requirement]]
id = "1"
text = "pages are no slower than they were"
by = { test = "No worse" }
"#;

#[test]
fn a_run_is_compared_with_a_baseline() {
    let answering = |ms| {
        let reply = Reply::text("ok").after(Duration::from_millis(ms));
        fixture(Behaviour::new().exact("/", reply))
    };
    let (fast, slow) = (answering(20), answering(60));
    let sandbox = Sandbox::new();
    let phase = "[[phase]]\nname = 'load'\nusers = 2\nduration = '2s'\nexpect = { p95 = '<1m' }";
    sandbox.write("a.toml", plan(&fast, phase)).write("suite.toml", COMPARED);
    run(&sandbox, &[]).with(65).says(&["in the test `No worse`", "a.baseline.toml cannot be read"]);
    assert_eq!(fast.ledger().requests, 0, "no load before everything is there");

    sandbox.run(["run", "a.toml", "-q", "-o", "old.json"]).end().with(0);
    let old = RunResult::from_json(&sandbox.read("old.json")).expect("a result");
    let baseline = Baseline {
        name: "a".to_owned(),
        accepted: "2026-11-01T00:00:00Z".to_owned(),
        sources: Vec::new(),
        runs: vec![RunEvidence::of(&old)],
    };
    sandbox.write("a.baseline.toml", baseline.to_toml());
    // The same service: whatever the machine does to a blink of load, three times as slow it is not.
    let ended = run(&sandbox, &["--only", "baseline"]);
    assert!(matches!(ended.code, Some(0 | 2)), "{ended:?}");
    let result = sandbox.result("suite.json");
    assert_eq!(
        column(&result, "tests", "state"),
        ["finished", "finished"],
        "the compared test runs too"
    );
    assert_eq!(result["tests"][1]["comparison"]["old"]["label"], "a.baseline.toml");

    sandbox.write("a.toml", plan(&slow, phase));
    run(&sandbox, &[]).with(65).says(&["not comparable", "allow_different = [\"", "\"target\""]);
    let result = sandbox.result("suite.json");
    assert_eq!(column(&result, "tests", "state"), ["finished", "failed"]);
    assert_eq!(verdicts(&result), ["unproven"]);

    let all = "allow_different = [\"plan\", \"target\"]\nbaseline = \"a.b";
    sandbox.write("suite.toml", COMPARED.replace("baseline = \"a.b", all));
    let ended = run(&sandbox, &[]).with(2);
    let result = sandbox.result("suite.json");
    assert_eq!(result["tests"][1]["grade"], "POOR");
    assert_eq!(result["tests"][1]["comparison"]["has_regressed"], true);
    let reason = result["tests"][1]["reason"].as_str().unwrap_or_default();
    assert!(reason.starts_with("regressed, "), "{reason}");
    if result["tests"][0]["trustworthy"] == true {
        assert_eq!(verdicts(&result), ["failed"]);
    }
    assert!(ended.stdout.contains("worse"), "{}", ended.stdout);
    // A comparison of a test that was not run is not run either.
    sandbox.write(
        "suite.toml",
        COMPARED.replace("plan = \"a", "target = \"http://127.0.0.1:9\"\nplan = \"a"),
    );
    run(&sandbox, &[]).with(69);
    let result = sandbox.result("suite.json");
    assert_eq!(column(&result, "tests", "state"), ["failed", "not_run"]);
}
