//! Bad days: the target is not there, goes away, never answers; the generator runs out of
//! descriptors; somebody stops the run. It ends in time, and every count adds up.

use std::time::{Duration, Instant};

use proofload_core::event::RunEvent;
use proofload_core::metrics::ErrorKind;
use proofload_engine::Stop;
use proofload_engine::run::PhaseEnd;
use proofload_testbed::fixture::{Behaviour, Delay, Fixture, Reply, refused_addr};
use rustix::process::{Resource, Rlimit, setrlimit};

use super::support::{GET_X, Ran, finish, launch, plan, run, scheduled, settled};

const SOON: Duration = Duration::from_millis(5);

/// Longer than any test.
const NEVER: Duration = Duration::from_secs(300);

/// Longer than a run may take that is told to end, on the busiest of machines, and much shorter than
/// it would take otherwise.
const IN_TIME: Duration = Duration::from_secs(60);

#[test]
fn nobody_is_there() {
    let target = format!("http://{}", refused_addr().unwrap());
    for phase in
        ["users = 3\nduration = \"500ms\"\nthink_time = \"20ms\"", "users = 3\niterations = 20"]
    {
        let text = format!("{GET_X}[[phase]]\nname = \"p\"\n{phase}\n");
        let ran = run(&plan(&target, &text), 2);
        let stats = ran.requests(0);
        assert!(stats.requests() > 0);
        assert_eq!(stats.errors.get(ErrorKind::ConnectRefused), stats.requests());
        assert_eq!((stats.successful(), stats.interrupted), (0, 0));
        assert_eq!(stats.new_connections, 0, "a refused connection was not opened");
        assert_eq!((stats.bytes_sent, stats.bytes_received), (0, 0));
        assert_eq!(ran.outcome.ends[0], PhaseEnd::Completed);
        let example = ran.phase(0).errors.samples().first().expect("an example");
        assert_eq!(example.kind, ErrorKind::ConnectRefused);
    }
}

#[test]
fn an_outage() {
    let behaviour = || Behaviour::new().prefix("/", Reply::text("x").after(SOON));
    let before = Fixture::start(behaviour()).unwrap();
    let port = before.addr().port();
    let text = format!("{GET_X}[[phase]]\nname = \"p\"\nrate = \"100/s\"\nduration = \"4s\"\n");
    let plan = plan(&before.url(""), &text);
    let handle = launch(&plan, 2);
    // What happens when follows from what the server has seen, not from a clock.
    let wait_for = |server: &Fixture, requests| {
        while server.ledger().requests < requests {
            std::thread::sleep(SOON);
        }
    };
    wait_for(&before, 50);
    let before = before.stop();
    std::thread::sleep(Duration::from_millis(500));
    let after = Fixture::start_on(behaviour(), port).expect("the port is free again");
    let ran = finish(handle);
    let after = settled(&after);
    let stats = ran.requests(0);
    assert_eq!(stats.requests(), scheduled(&plan, 0, 2));
    assert!(after.responses > 0, "users come back");
    assert_eq!(stats.successful(), before.responses + after.responses);
    assert_eq!(stats.new_connections, before.connections + after.connections);
    assert!(stats.errors.get(ErrorKind::ConnectRefused) > 0);
    let kinds = [ErrorKind::ConnectRefused, ErrorKind::Reset, ErrorKind::Closed];
    let known: u64 = kinds.iter().map(|&kind| stats.errors.get(kind)).sum();
    assert_eq!(stats.failed(), known, "{:?}", stats.errors);
    assert_eq!(ran.outcome.ends[0], PhaseEnd::Completed);
}

#[test]
fn a_server_that_accepts_and_says_nothing() {
    let fixture = Fixture::start(Behaviour::new().mute()).unwrap();
    let text = format!(
        "[http]\ntimeout = \"100ms\"\n{GET_X}[[phase]]\nname = \"p\"\nusers = 4\niterations = 3\n"
    );
    let ran = run(&plan(&fixture.url(""), &text), 2);
    let (ledger, stats) = (settled(&fixture), ran.requests(0));
    assert_eq!((stats.requests(), stats.errors.get(ErrorKind::Timeout)), (12, 12));
    assert_eq!(stats.statuses.iter().count(), 0);
    assert_eq!(stats.new_connections, ledger.connections);
}

/// A server that answers two of three requests, and never the third.
fn tiring() -> Fixture {
    let delay = Delay::Bimodal { share: 0.67, first: SOON, rest: NEVER };
    Fixture::start(Behaviour::new().prefix("/", Reply::text("x").delay(delay))).unwrap()
}

/// Stops a run once all its users wait for an answer that never comes; checks that it adds up.
fn stopped(how: &[Stop], (users, phase): (u64, &str), workers: u32) {
    let fixture = tiring();
    let text = format!(
        "{GET_X}[[phase]]\nname = \"p\"\n{phase}\n\
         [[phase]]\nname = \"later\"\nusers = 1\niterations = 1\n"
    );
    let handle = launch(&plan(&fixture.url(""), &text), workers);
    loop {
        let before = fixture.ledger();
        std::thread::sleep(40 * SOON);
        if before.in_flight == users && fixture.ledger().requests == before.requests {
            break;
        }
    }
    let stopped_at = Instant::now();
    for &how in how {
        handle.controls().stop(how);
    }
    let ran = finish(handle);
    assert!(stopped_at.elapsed() < IN_TIME, "it takes {:?} to stop", stopped_at.elapsed());
    let (ledger, stats) = (settled(&fixture), ran.requests(0));
    assert_interrupted(&ran);
    assert_eq!(stats.requests(), ledger.responses, "{phase}");
    assert_eq!(stats.successful(), ledger.status(200), "{phase}");
    assert_eq!((stats.interrupted, ledger.aborted), (users, users), "{phase}");
    let iterations = &ran.phase(0).iterations;
    assert_eq!(iterations.completed, stats.requests());
    assert_eq!(iterations.interrupted, stats.interrupted);
}

fn assert_interrupted(ran: &Ran) {
    assert!(ran.outcome.interrupted);
    assert_eq!(ran.outcome.ends.len(), 1, "the later phase does not begin");
    assert_eq!(ran.outcome.ends[0], PhaseEnd::Interrupted);
    assert!(ran.outcome.record.totals.phase(1).is_none());
    assert_eq!(ran.outcome.workers_lost, 0);
}

#[test]
fn stopped_in_full_flight() {
    // Nobody waits for anything: some answers have been written when they are cut off, and some
    // requests have not been sent.
    for workers in 1..=2 {
        let behaviour = Behaviour::new().prefix("/", Reply::text("x").after(SOON));
        let fixture = Fixture::start(behaviour).unwrap();
        let text = format!("{GET_X}[[phase]]\nname = \"p\"\nusers = 20\nduration = \"10m\"\n");
        let handle = launch(&plan(&fixture.url(""), &text), workers);
        while fixture.ledger().requests < 100 {
            std::thread::sleep(SOON);
        }
        handle.controls().stop(Stop::Now);
        let ran = finish(handle);
        assert_interrupted(&ran);
        let (ledger, stats) = (settled(&fixture), ran.requests(0));
        assert!(stats.interrupted <= 20);
        let cut_off = ledger.requests - stats.requests();
        assert!(cut_off <= stats.interrupted, "{cut_off} of {}", stats.interrupted);
        assert!(ledger.responses >= stats.requests());
        assert_eq!(ran.phase(0).iterations.interrupted, stats.interrupted);
    }
}

const CLOSED: (u64, &str) = (12, "users = 12\nduration = \"10m\"");
const OPEN: (u64, &str) = (5, "rate = \"50/s\"\nduration = \"10m\"\nmax_users = 5");

#[test]
fn stopped_now() {
    for workers in 1..=2 {
        for (users, phase) in [CLOSED, OPEN] {
            // Neither the duration nor the graceful stop is waited for.
            let phase = format!("{phase}\ngraceful_stop = \"10m\"");
            stopped(&[Stop::Now], (users, &phase), workers);
        }
    }
}

#[test]
fn stopped_gracefully() {
    for workers in 1..=2 {
        for (users, phase) in [CLOSED, OPEN] {
            let phase = format!("{phase}\ngraceful_stop = \"300ms\"");
            stopped(&[Stop::Gracefully], (users, &phase), workers);
        }
    }
}

#[test]
fn stopped_twice() {
    for (users, phase) in [CLOSED, OPEN] {
        let phase = format!("{phase}\ngraceful_stop = \"10m\"");
        stopped(&[Stop::Gracefully, Stop::Now], (users, &phase), 2);
    }
}

#[test]
fn a_graceful_stop_waits_for_what_is_under_way() {
    let behaviour = Behaviour::new().prefix("/", Reply::text("x").after(100 * SOON));
    let fixture = Fixture::start(behaviour).unwrap();
    let phase = "users = 6\nduration = \"10m\"";
    let text = format!("{GET_X}[[phase]]\nname = \"p\"\n{phase}\n");
    let handle = launch(&plan(&fixture.url(""), &text), 2);
    while fixture.ledger().requests < 6 {
        std::thread::sleep(SOON);
    }
    handle.controls().stop(Stop::Gracefully);
    let ran = finish(handle);
    let (ledger, stats) = (settled(&fixture), ran.requests(0));
    assert_eq!((ledger.aborted, stats.interrupted), (0, 0));
    assert_eq!((stats.requests(), stats.successful()), (ledger.requests, ledger.responses));
    assert!(ran.outcome.interrupted);
}

#[test]
fn a_dropped_handle_ends_the_run() {
    let fixture = tiring();
    let text = format!("{GET_X}[[phase]]\nname = \"p\"\nusers = 4\nduration = \"10m\"\n");
    let handle = launch(&plan(&fixture.url(""), &text), 2);
    let is_interval = |event| matches!(event, RunEvent::Interval(_));
    assert!(handle.events().any(is_interval), "it runs");
    drop(handle);
    let ledger = settled(&fixture);
    assert_eq!(ledger.requests, ledger.responses + ledger.aborted);
}

/// Says to a copy of this test where its target is; the copy has few descriptors.
const FEW_DESCRIPTORS: &str = "PROOFLOAD_TEST_FEW_DESCRIPTORS";

const FEW: u64 = 60;

#[test]
fn out_of_descriptors() {
    if let Ok(target) = std::env::var(FEW_DESCRIPTORS) {
        return use_up_descriptors(&target);
    }
    // The limit is the process's: another one has to do it.
    let fixture =
        Fixture::start(Behaviour::new().prefix("/", Reply::text("x").after(SOON))).unwrap();
    let copy = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "days::out_of_descriptors", "--nocapture"])
        .env(FEW_DESCRIPTORS, fixture.url(""))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&copy.stdout) + String::from_utf8_lossy(&copy.stderr);
    assert!(copy.status.success(), "{said}");
    let ledger = settled(&fixture);
    let counts = format!("{} answers, {} connections", ledger.responses, ledger.connections);
    assert!(said.contains(&counts), "{counts}, but: {said}");
    assert!(ledger.connections > 10 && ledger.connections < FEW);
}

fn use_up_descriptors(target: &str) {
    setrlimit(Resource::Nofile, Rlimit { current: Some(FEW), maximum: Some(FEW) }).unwrap();
    let text = format!(
        "{GET_X}[[phase]]\nname = \"p\"\nusers = 100\niterations = 10\nthink_time = \"50ms\"\n"
    );
    let ran = run(&plan(target, &text), 1);
    let stats = ran.requests(0);
    assert_eq!(ran.outcome.facts.descriptor_limit.soft, FEW);
    assert_eq!(stats.requests(), 1_000);
    assert!(stats.errors.get(ErrorKind::TooManyOpenFiles) > 0, "{:?}", stats.errors);
    assert_eq!(stats.errors.get(ErrorKind::TooManyOpenFiles), stats.failed());
    let counts = format!("{} answers, {} connections\n", stats.successful(), stats.new_connections);
    std::io::Write::write_all(&mut std::io::stdout(), counts.as_bytes()).unwrap();
}
