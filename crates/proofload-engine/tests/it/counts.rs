//! Every count in a report equals the server's ledger, for every load shape.

use std::time::Duration;

use proofload_core::plan::{Load, UserLoad, UserStage};
use proofload_testbed::fixture::{Behaviour, Fixture, Reply};

use super::support::{arrivals, phase, plan, requests, run, users};

const PATIENCE: Duration = Duration::from_secs(10);

/// Runs `load` and compares what was counted with what the server saw. Every 10th answer is an error.
fn check(load: Load, workers: u32, expect: Option<u64>) {
    let behaviour = Behaviour::new().prefix("/", Reply::text("hello").error_every(10));
    let fixture = Fixture::start(behaviour).expect("a fixture");
    let outcome = run(plan(&fixture, "/x", vec![phase(load)]), workers);
    let ledger = fixture.settled_ledger(PATIENCE).expect("the server comes to rest");
    let stats = requests(&outcome, 0);
    assert_eq!(stats.interrupted, 0);
    assert_eq!(stats.requests(), ledger.requests, "requests");
    assert_eq!(stats.failed(), ledger.status(500), "failures");
    assert_eq!(stats.successful(), ledger.status(200), "successes");
    assert_eq!(stats.statuses.get(500), ledger.status(500));
    assert_eq!(stats.new_connections, ledger.connections, "connections");
    assert_eq!(stats.bytes_received, ledger.bytes_written, "bytes");
    if let Some(expect) = expect {
        assert_eq!(stats.requests(), expect);
    }
    assert!(stats.requests() > 0);
    let totals = outcome.totals.phase(0).expect("the phase ran");
    assert_eq!(totals.iterations.completed, stats.requests());
    assert_eq!(totals.snapshots_missing(), 0);
}

#[test]
fn closed_load_for_a_time() {
    check(users(7, Duration::from_millis(1_300)), 2, None);
}

#[test]
fn closed_load_with_stages() {
    let stage = |users, ms| UserStage { users, over: Duration::from_millis(ms) };
    let stages = vec![stage(10, 500), stage(10, 200), stage(0, 500)];
    check(Load::Users(UserLoad { stages, iterations_per_user: None, unbounded: false }), 2, None);
}

#[test]
fn iterations_of_each_user() {
    let stages = vec![UserStage { users: 5, over: Duration::from_millis(100) }];
    let load = UserLoad { stages, iterations_per_user: Some(40), unbounded: true };
    check(Load::Users(load), 2, Some(200));
}

#[test]
fn iterations_shared_by_all_users() {
    for users in [1, 8] {
        check(
            Load::SharedIterations { users, iterations: 1_001, max_duration: None },
            2,
            Some(1_001),
        );
    }
}

#[test]
fn open_load() {
    check(arrivals(300.0, 100, Duration::from_millis(1_500)), 2, Some(450));
    check(arrivals(50.0, 1, Duration::from_millis(500)), 2, Some(25));
}
