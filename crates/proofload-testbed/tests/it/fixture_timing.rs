//! Delays and stalls: the order of magnitude through the server's own clock, never a race against
//! the machine's load. Lower bounds are hard, upper bounds are not asserted.

use std::time::{Duration, Instant};

use proofload_testbed::fixture::{Behaviour, Delay, Fixture, Reply, Stall};

use crate::client::{PATIENCE, connect};

#[test]
fn no_answer_leaves_before_its_delay() {
    let delay = Delay::Bimodal {
        share: 0.25,
        first: Duration::from_micros(7_300),
        rest: Duration::from_micros(700),
    };
    let fixture = Fixture::start(
        Behaviour::new().exact("/", Reply::text("ok").delay(delay)).record_samples(64),
    )
    .unwrap();
    let mut client = connect(fixture.addr());
    let mut seen = Vec::new();
    for _ in 0..80 {
        let sent = Instant::now();
        assert_eq!(client.get("/").status, 200);
        seen.push(sent.elapsed());
    }
    let ledger = fixture.settled_ledger(PATIENCE).unwrap();
    assert_eq!((ledger.samples.len(), ledger.samples_dropped), (64, 16));
    for (number, sample) in (16..80).zip(&ledger.samples) {
        let planned = delay.of(number);
        assert!(sample.service >= planned, "request {number}: {sample:?} before {planned:?}");
        // What the client saw contains what the server measured: both clocks are the same.
        let seen = seen[number as usize];
        assert!(seen >= planned, "request {number}: {seen:?} before {planned:?}");
    }
}

#[test]
fn delays_are_finer_than_the_runtimes_milliseconds() {
    // Not a speed test: in this loop the runtime's own timer would answer at whole milliseconds,
    // about 1.94 ms after each request. Of 200 delays of 1.25 ms the best ten must be well under
    // that, however busy the machine is.
    let delay = Duration::from_micros(1_250);
    let fixture = Fixture::start(
        Behaviour::new().exact("/", Reply::text("ok").after(delay)).record_samples(200),
    )
    .unwrap();
    let mut client = connect(fixture.addr());
    for _ in 0..200 {
        client.get("/");
    }
    let ledger = fixture.settled_ledger(PATIENCE).unwrap();
    let mut services: Vec<_> = ledger.samples.iter().map(|sample| sample.service).collect();
    services.sort();
    assert!(services[0] >= delay);
    assert!(services[9] < Duration::from_micros(1_650), "{:?}", &services[..10]);
}

#[test]
fn delays_end_in_the_order_of_their_deadlines() {
    let fixture = Fixture::start(
        Behaviour::new()
            .exact("/late", Reply::text("late").after(Duration::from_millis(150)))
            .exact("/early", Reply::text("early").after(Duration::from_millis(1))),
    )
    .unwrap();
    let mut late = connect(fixture.addr());
    late.send("GET", "/late", &[], b"");
    // The second deadline is earlier than the one the timer is armed for.
    let mut early = connect(fixture.addr());
    assert_eq!(early.get("/early").text(), "early");
    assert_eq!(late.answer("GET").unwrap().text(), "late");
}

#[test]
fn nothing_is_answered_during_a_stall() {
    let stall = Stall::new(Duration::from_secs(3600), Duration::from_millis(200)).when_armed();
    let fixture = Fixture::start(
        Behaviour::new().prefix("/", Reply::text("ok")).stall(stall).record_samples(10),
    )
    .unwrap();
    let mut client = connect(fixture.addr());
    assert_eq!(client.get("/").status, 200);
    let armed = Instant::now();
    fixture.arm(armed);
    assert_eq!(client.get("/").status, 200);
    assert!(armed.elapsed() >= Duration::from_millis(200));
    let ledger = fixture.settled_ledger(PATIENCE).unwrap();
    let held = &ledger.samples[1];
    let left = held.arrived + held.service;
    assert!(left >= armed + Duration::from_millis(200));
}

#[test]
fn a_client_that_gives_up_is_not_booked_as_answered() {
    let fixture = Fixture::start(
        Behaviour::new()
            .exact("/never", Reply::text("late").after(Duration::from_secs(3600)))
            .exact("/soon", Reply::text("soon").after(Duration::from_millis(50)))
            .record_samples(10),
    )
    .unwrap();
    let mut impatient = connect(fixture.addr());
    impatient.send("GET", "/never", &[], b"");
    crate::fixture_basics::wait_for(&fixture, |ledger| ledger.in_flight == 1);
    drop(impatient);
    // One that pipelines meanwhile is still there.
    let mut client = connect(fixture.addr());
    client.send("GET", "/soon", &[], b"");
    client.send("GET", "/soon", &[], b"");
    for _ in 0..2 {
        assert_eq!(client.answer("GET").unwrap().text(), "soon");
    }
    let ledger = fixture.settled_ledger(PATIENCE).unwrap();
    assert_eq!((ledger.requests, ledger.responses, ledger.aborted), (3, 2, 1));
    assert_eq!((ledger.arrivals.len(), ledger.samples.len()), (3, 2));
}
