//! What is left of a run that is killed, against what the service has seen.

use rustix::process::Signal;
use serde_json::Value;

use super::support::{Sandbox, count, friendly, json, plan, wait_until};

/// The lines of the journal that hold measurements; the last line may be torn.
fn snapshots(sandbox: &Sandbox, journal: &str) -> usize {
    let text = sandbox.read(journal);
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole.lines().filter(|line| line.starts_with("{\"snapshot\"")).count()
}

/// The rule: whatever had ended before an interval that is in the journal, is in what is recovered; and
/// nothing is in it that the service has not seen.
#[test]
fn kill_9_loses_at_most_the_second_that_was_under_way() {
    const USERS: u64 = 3;
    let (sandbox, fixture) = (Sandbox::new(), friendly());
    let phases = format!(
        "[[phase]]\nname = 'killed'\nusers = {USERS}\nduration = '10m'\nthink_time = '5ms'\n\
         expect = {{ p95 = '<60s', error_rate = '<50%' }}"
    );
    sandbox.write("plan.toml", plan(&fixture, &phases));
    let arguments = ["run", "plan.toml", "-q", "--results", "runs", "--workers", "1"];
    let running = sandbox.run(arguments).start();
    let mut journal = None;
    wait_until("there is a journal", || {
        journal = sandbox.files().into_iter().find(|name| name.ends_with("/journal.ndjson"));
        journal.is_some()
    });
    let journal = journal.expect("it is there");
    wait_until("something is measured", || snapshots(&sandbox, &journal) > 0);
    let seen_before = fixture.ledger().requests;
    let known = snapshots(&sandbox, &journal);
    // The interval that was under way when we looked, and one more.
    wait_until("it goes on", || snapshots(&sandbox, &journal) >= known + 2);
    running.signal(Signal::KILL);
    running.end();
    let folder = journal.trim_end_matches("/journal.ndjson");
    let shown = sandbox.run(["report", folder, "-f", "json"]).end().with(0).stdout;
    let result: Value = json(&shown);
    let recovered = count(&result, "/summary/total_requests");
    // What was on its way to the service when we looked had not ended.
    assert!(recovered + USERS >= seen_before, "{recovered} of {seen_before}");
    assert!(recovered <= fixture.ledger().requests);
    assert_eq!(
        (&result["run"]["incomplete"], &result["run"]["name"]),
        (&true.into(), &"test".into())
    );
    let phase = &result["test_results"][0];
    assert_eq!((&phase["scenario"], &phase["was_run"]), (&"killed".into(), &true.into()));
    assert_eq!(phase["expectations"].as_array().map(Vec::len), Some(2));
    assert_eq!(phase["ended_early"], "the run was cut off");
}

/// A folder that disappears under a run is told of once, and costs neither the run nor its result.
#[test]
fn a_run_goes_on_without_its_folder() {
    let (sandbox, fixture) = (Sandbox::new(), friendly());
    let phases = "[[phase]]\nname = 'p'\nusers = 1\nduration = '6s'\nthink_time = '20ms'";
    sandbox.write("plan.toml", plan(&fixture, phases));
    let arguments = ["run", "plan.toml", "--results", "runs", "-o", "result.json"];
    let running = sandbox.run(arguments).start();
    wait_until("there is a journal", || {
        sandbox.files().iter().any(|name| name.ends_with("/journal.ndjson"))
    });
    std::fs::remove_dir_all(sandbox.path("runs")).expect("it can be removed");
    let ended = running.end();
    let result = sandbox.result("result.json");
    assert!(count(&result, "/summary/total_requests") > 0);
    assert_eq!(ended.stderr.matches("goes on trying").count(), 1, "{}", ended.stderr);
}
