//! Ctrl-C and SIGTERM: once to end in good order, twice to end now. Either way there is a result.

use std::time::{Duration, Instant};

use proofload_testbed::fixture::{Behaviour, Fault, Reply};
use rustix::process::Signal;

use super::support::{DemoProcess, Sandbox, count, fixture, plan, settled, wait_until};

/// A phase much longer than any test waits.
const LONG: &str = "[[phase]]\nusers = 2\nduration = '1h'\nexpect = { p95 = '<1m' }";

#[track_caller]
fn one_signal_ends_in_good_order(signal: Signal) {
    let sandbox = Sandbox::new();
    let fixture =
        fixture(Behaviour::new().exact("/", Reply::text("ok").after(Duration::from_millis(20))));
    sandbox.write("plan.toml", plan(&fixture, LONG));
    let run = sandbox.run(["run", "plan.toml", "-q", "-o", "result.json"]).start();
    wait_until("requests arrive", || fixture.ledger().requests > 20);
    assert_eq!(sandbox.files_beside_results(), ["plan.toml"], "no half of a result is seen");
    run.signal(signal);
    run.end().with(130).silent().says(&["stopping"]);

    assert_eq!(sandbox.files_beside_results(), ["plan.toml", "result.json"]);
    let result = sandbox.result("result.json");
    assert_eq!(result["run"]["interrupted"], true);
    let ledger = settled(&fixture);
    // The health check is a request of its own.
    assert_eq!(count(&result, "/summary/total_requests") + 1, ledger.requests);
    assert_eq!(count(&result, "/summary/failed"), 0, "requests in flight may finish");
    assert_eq!(ledger.aborted, 0);
}

#[test]
fn ctrl_c_ends_in_good_order() {
    one_signal_ends_in_good_order(Signal::INT);
}

#[test]
fn sigterm_ends_in_good_order() {
    one_signal_ends_in_good_order(Signal::TERM);
}

#[test]
fn two_signals_end_at_once_and_still_leave_a_result() {
    let sandbox = Sandbox::new();
    // The health check is answered; every other request would wait for ever.
    let fixture = fixture(
        Behaviour::new()
            .exact("/health", Reply::text("fine"))
            .exact("/", Reply::new(200).fault(Fault::Silence)),
    );
    let text = plan(&fixture, LONG).replacen(
        "[[user]]",
        "health = '/health'\n[http]\ntimeout = '1h'\n[[user]]",
        1,
    );
    sandbox.write("plan.toml", text);
    let mut run = sandbox.run(["run", "plan.toml", "-q", "-o", "result.json"]).start();
    wait_until("both users wait for an answer", || fixture.ledger().path("/") == 2);
    run.signal(Signal::INT);
    wait_until("the first is heard", || run.stderr().contains("once more"));
    assert!(run.is_running(), "requests in flight are waited for");
    run.signal(Signal::INT);
    run.end().with(130).says(&["stopping now"]);
    let result = sandbox.result("result.json");
    assert_eq!(result["run"]["interrupted"], true);
    assert_eq!(sandbox.files_beside_results(), ["plan.toml", "result.json"]);
}

#[test]
fn a_signal_during_the_health_check_ends_it() {
    let sandbox = Sandbox::new();
    let fixture = fixture(Behaviour::new().exact("/", Reply::new(200).fault(Fault::Silence)));
    let text = plan(&fixture, LONG).replacen(
        "[[user]]",
        "health = { url = '/', timeout = '5m', wait = '10m' }\n[[user]]",
        1,
    );
    sandbox.write("plan.toml", text);
    let begun = Instant::now();
    let run = sandbox.run(["run", "plan.toml", "-q", "-o", "result.json"]).start();
    wait_until("it asks", || fixture.ledger().requests == 1);
    run.signal(Signal::INT);
    run.end().with(130).says(&["interrupted while", "no load was put on"]);
    assert!(begun.elapsed() < Duration::from_secs(300), "the health check was not waited for");
    assert_eq!(
        sandbox.files_beside_results(),
        ["plan.toml"],
        "a run that never began leaves no draft"
    );
}

#[test]
fn the_demo_serves_until_it_is_told_to_end() {
    let demo = DemoProcess::start();
    demo.stop(Signal::INT).with(0);
    let demo = DemoProcess::start();
    demo.stop(Signal::TERM).with(0);
}
