//! Every documented exit code, brought about by a run. 130 is in `signals`.
//!
//! 4 (a worker was lost) has no test here: a worker is lost only by a panic in it, and there is no way
//! to bring one about from outside.

use std::time::Duration;

use proofload_testbed::fixture::{Behaviour, Fixture, Reply, refused_addr};

use super::support::{Sandbox, count, fixture, friendly, plan};

/// Runs one phase of five requests against the fixture; gives the code and the grade.
#[track_caller]
fn check(fixture: &Fixture, expect: &str, code: i32, grade: Option<&str>) {
    let sandbox = Sandbox::new();
    let phase = format!("[[phase]]\nusers = 1\niterations = 5\n{expect}");
    sandbox.write("plan.toml", plan(fixture, &phase));
    sandbox.run(["run", "plan.toml", "-q", "-o", "result.json"]).end().with(code).silent();
    let result = sandbox.result("result.json");
    assert_eq!(result["summary"]["grade"].as_str(), grade, "{expect}");
    assert_eq!(count(&result, "/summary/total_requests"), 5);
    assert_eq!(sandbox.files_beside_results(), ["plan.toml", "result.json"]);
}

#[test]
fn grades_have_their_codes() {
    let fixture =
        fixture(Behaviour::new().exact("/", Reply::text("ok").after(Duration::from_millis(5))));
    check(&fixture, "", 0, None);
    check(&fixture, "expect = { p95 = '<1m', success_rate = '>99%' }", 0, Some("EXCELLENT"));
    // Four of five targets are the 80 % that make it good.
    let four = "p50 = '<1m', p95 = '<1m', p99 = '<1m', error_rate = '<1%'";
    let missed = "avg = { target = '<1ms', limit = '<1m' }";
    check(&fixture, &format!("expect = {{ {four}, {missed} }}"), 0, Some("GOOD"));
    check(&fixture, &format!("expect = {{ {missed} }}"), 1, Some("FAIR"));
    check(&fixture, "expect = { avg = { target = '<1ms', limit = '<2ms' } }", 2, Some("POOR"));
}

#[test]
fn errors_break_limits() {
    let fixture = fixture(Behaviour::new().exact("/", Reply::new(500)));
    check(&fixture, "expect = { error_rate = '<1%' }", 2, Some("POOR"));
    check(&fixture, "", 0, None);
}

#[test]
fn strict_asks_for_a_measurement_to_be_trusted() {
    let fixture =
        fixture(Behaviour::new().exact("/", Reply::text("slow").after(Duration::from_millis(300))));
    let sandbox = Sandbox::new();
    // One user cannot make 50 requests a second of 300 ms: most are dropped, on any machine.
    let phase = "[[phase]]\nrate = '50/s'\nmax_users = 1\noverload = 'drop'\nduration = '1s'\nexpect = { p95 = '<1m' }";
    sandbox.write("plan.toml", plan(&fixture, phase));
    let run = ["run", "plan.toml", "-q", "-o", "result.json"];
    sandbox.run(run).end().with(0);
    sandbox.run(run.into_iter().chain(["--strict"])).end().with(3);
    let result = sandbox.result("result.json");
    assert_eq!(result["summary"]["trustworthy"], false);
    assert!(count(&result, "/test_results/0/iterations/dropped") > 20);
    let reasons = result["test_results"][0]["trust"]["reasons"].to_string();
    assert!(reasons.contains("dropped_iterations"), "{reasons}");
}

#[test]
fn nothing_is_run_where_the_command_line_is_wrong() {
    let sandbox = Sandbox::new();
    for line in [
        &[][..],
        &["rum"],
        &["run"],
        &["run", "plan.toml", "--userz", "3"],
        &["run", "plan.toml", "--users", "many"],
        &["run", "plan.toml", "--duration", "soon"],
        &["run", "plan.toml", "-e", "novalue"],
        &["run", "plan.toml", "--workers", "0"],
        &["http"],
        &["check"],
        &["schema", "plans"],
        &["demo", "--error-rate", "200%"],
    ] {
        sandbox.run(line).end().with(64).silent();
    }
    assert!(sandbox.files_beside_results().is_empty());
    sandbox.run(["--help"]).end().with(0);
    sandbox.run(["run", "--help"]).end().with(0);
    sandbox.run(["--version"]).end().with(0);
}

#[test]
fn nothing_is_run_without_a_target() {
    let sandbox = Sandbox::new();
    let target = refused_addr().expect("a port");
    let url = format!("http://{target}/");
    sandbox.run(["http", &url, "-n", "1", "-o", "result.json"]).end().with(69).silent().says(&[
        "error: ",
        &target.to_string(),
        "refused",
        "--no-health-check",
    ]);
    assert!(sandbox.files().is_empty(), "neither a result nor a draft");
}

#[test]
fn where_a_result_cannot_go_no_load_is_put_on() {
    let sandbox = Sandbox::new();
    let fixture = friendly();
    let url = fixture.url("/");
    sandbox.write("file", "");
    std::fs::create_dir(sandbox.path("folder")).expect("a folder");
    for (place, why) in [
        ("file/result.json", "`file` is not a folder"),
        ("file/deeper/result.json", "`file` is not a folder"),
        ("folder", "is a folder"),
        ("folder/", "is a folder"),
        ("new/", "names no file"),
        ("/proc/result.json", ""),
    ] {
        let said = sandbox.run(["http", &url, "-n", "1", "-o", place]).end().with(74).silent();
        said.says(&["error: ", place, why]);
    }
    assert_eq!(fixture.ledger().requests, 0, "not even a health check");
    assert_eq!(sandbox.files_beside_results(), ["file"]);
}

#[test]
fn a_limit_that_is_found_is_told_and_is_no_failure() {
    let fixture =
        fixture(Behaviour::new().exact("/", Reply::text("slow").after(Duration::from_millis(50))));
    let sandbox = Sandbox::new();
    let stress =
        "[[phase]]\nname = 'stress'\nusers = 2\nduration = '60s'\nuntil = { p95 = '>10ms' }";
    sandbox.write("plan.toml", plan(&fixture, stress));
    let ended = sandbox.run(["run", "plan.toml", "-o", "result.json"]).end().with(0);
    let result = sandbox.result("result.json");
    let why = result["test_results"][0]["ended_early"].as_str().expect("it says why");
    assert!(why.starts_with("p95 > 10.0 ms reached"), "{why}");
    assert!(ended.stdout.contains(&format!("stress ended early: {why}")), "{}", ended.stdout);
    assert!(ended.stderr.contains(&format!("stress ends: {why}")), "{}", ended.stderr);
}

#[test]
fn a_limit_that_breaks_and_aborts_is_told() {
    let fixture = fixture(Behaviour::new().exact("/", Reply::new(500)));
    let sandbox = Sandbox::new();
    let phase = |name: &str| {
        format!(
            "[[phase]]\nname = '{name}'\nusers = 1\nduration = '60s'\nthink_time = '50ms'\n\
             expect = {{ error_rate = '<1%' }}\nabort_on_fail = true\n"
        )
    };
    sandbox.write("plan.toml", plan(&fixture, &[phase("first"), phase("second")].concat()));
    sandbox.run(["run", "plan.toml", "-q", "-o", "result.json"]).end().with(2);
    let result = sandbox.result("result.json");
    let why = result["test_results"][0]["ended_early"].as_str().expect("it says why");
    assert!(why.contains("error_rate") && why.contains("100%"), "{why}");
    assert_eq!(result["test_results"][1]["was_run"], false);
}
