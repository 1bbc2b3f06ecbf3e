//! A load that is paused, resumed, scaled and sent to its next phase while it runs: what the server
//! saw equals what is reported, and nothing of a pause is in any measurement.
//!
//! These tests wait for what they need to have happened, by events and by the server's ledger. How long
//! that takes changes nothing.

use std::time::Duration;

use proofload_core::event::{ControlState, Interval, MarkKind, RunEvent};
use proofload_core::metrics::{IterationStats, RequestStats};
use proofload_core::plan::Plan;
use proofload_core::record::RunRecord;
use proofload_engine::Stop;
use proofload_engine::run::{PhaseEnd, RunHandle, RunOutcome};
use proofload_testbed::fixture::{Behaviour, Fixture, Ledger, Reply};

use super::support::{GET_X, launch, plan, scheduled, settled};

const SOON: Duration = Duration::from_millis(5);

/// Longer than anything takes; only a test that fails waits so long.
const PATIENCE: Duration = Duration::from_secs(40);

fn fixture(answers_after: Duration) -> Fixture {
    Fixture::start(Behaviour::new().prefix("/", Reply::text("x").after(answers_after))).unwrap()
}

/// A run under way, with everything that has been told of it.
struct Live {
    handle: RunHandle,
    events: Vec<RunEvent>,
}

impl Live {
    fn start(fixture: &Fixture, phases: &str, workers: u32) -> (Self, std::sync::Arc<Plan>) {
        let plan = plan(&fixture.url(""), &format!("{GET_X}{phases}"));
        (Self { handle: launch(&plan, workers), events: Vec::new() }, plan)
    }

    /// Waits for an event from now on.
    fn wait_for(&mut self, what: &str, is_it: impl Fn(&RunEvent) -> bool) {
        let mut intervals = 0;
        while intervals < PATIENCE.as_secs() {
            let event = self.handle.next_event(PATIENCE);
            let event = event.unwrap_or_else(|error| panic!("no {what}: {error}"));
            self.events.push(event);
            if self.events.last().is_some_and(&is_it) {
                return;
            }
            intervals += u64::from(matches!(self.events.last(), Some(RunEvent::Interval(_))));
        }
        panic!("no {what}");
    }

    fn wait_for_interval(&mut self, what: &str, is_it: impl Fn(&Interval) -> bool) {
        self.wait_for(what, |event| match event {
            RunEvent::Interval(interval) => is_it(interval),
            _ => false,
        });
    }

    /// Pauses and waits until nothing is in flight any more; then for so many seconds of quiet, in
    /// which the server must not hear anything.
    fn pause(&mut self, fixture: &Fixture, seconds: usize) {
        self.handle.controls().pause();
        self.wait_for("pause", |event| matches!(event, RunEvent::Control(state) if state.paused));
        let is_quiet = |interval: &Interval| {
            interval.paused == interval.length && interval.requests.requests() == 0
        };
        // The workers know of the pause, or they would not have counted it.
        self.wait_for_interval("quiet", is_quiet);
        let before = fixture.ledger().requests;
        for _ in 0..seconds {
            self.wait_for_interval("quiet", is_quiet);
        }
        assert_eq!(fixture.ledger().requests, before, "requests in a pause");
    }

    fn resume(&mut self) {
        self.handle.controls().resume();
        self.wait_for("end", |event| matches!(event, RunEvent::Control(state) if !state.paused));
    }

    /// Waits for the end. All that was told adds up to what was measured.
    fn finish(mut self) -> RunOutcome {
        self.events.extend(self.handle.events());
        let outcome = self.handle.wait();
        let mut record = RunRecord::default();
        self.events.iter().for_each(|event| record.hear(event));
        assert_eq!(record.totals, outcome.record.totals);
        assert_eq!(record.control, outcome.record.control);
        assert_eq!(record.phases, outcome.record.phases);
        assert_eq!(record.timeline, outcome.record.timeline);
        let points = outcome.record.timeline.points();
        let (mut requests, mut measured) = (0, Duration::ZERO);
        for point in points {
            requests += point.requests;
            measured += point.length;
        }
        assert_eq!(requests, all(&outcome).requests());
        // Every point stands for measured time, and together they are all of it.
        let totals: u64 = outcome.record.totals.phases().map(|(_, t)| t.measured_ns()).sum();
        assert!(measured.abs_diff(Duration::from_nanos(totals)) < Duration::from_millis(1));
        outcome
    }
}

/// Waits until the server has seen so many requests.
fn wait_for_requests(fixture: &Fixture, requests: u64) -> Ledger {
    loop {
        let ledger = fixture.ledger();
        if ledger.requests >= requests {
            return ledger;
        }
        std::thread::sleep(SOON);
    }
}

fn all(outcome: &RunOutcome) -> RequestStats {
    let mut all = RequestStats::default();
    outcome.record.totals.phases().for_each(|(_, totals)| all.merge(&totals.requests()));
    all
}

fn iterations(outcome: &RunOutcome) -> IterationStats {
    let mut all = IterationStats::default();
    outcome.record.totals.phases().for_each(|(_, totals)| all.merge(&totals.iterations));
    all
}

/// Nothing was lost: not a request, not an iteration.
fn compare(outcome: &RunOutcome, ledger: &Ledger) {
    let (stats, iterations) = (all(outcome), iterations(outcome));
    assert_eq!((stats.requests(), stats.failed()), (ledger.requests, 0));
    assert_eq!((stats.interrupted, iterations.interrupted, iterations.dropped), (0, 0, 0));
    assert_eq!(iterations.completed, ledger.requests);
    assert_eq!(stats.new_connections, ledger.connections);
}

/// What somebody did, as it is told to people.
fn marks(outcome: &RunOutcome) -> Vec<&str> {
    let marks = outcome.record.marks.all().iter();
    marks.filter(|mark| mark.kind == MarkKind::Control).map(|mark| &*mark.text).collect()
}

#[test]
fn users_wait_while_the_load_is_paused() {
    for workers in 1..=2 {
        let fixture = fixture(SOON);
        let phase = "[[phase]]\nname = \"p\"\nusers = 6\nduration = \"3s\"\n";
        let (mut live, _) = Live::start(&fixture, phase, workers);
        wait_for_requests(&fixture, 30);
        live.pause(&fixture, 2);
        let before = fixture.ledger();
        live.resume();
        wait_for_requests(&fixture, before.requests + 1);
        let outcome = live.finish();
        let ledger = settled(&fixture);
        compare(&outcome, &ledger);
        assert_eq!(ledger.connections, 6, "users kept their connections");
        let totals = outcome.record.totals.phase(0).expect("it ran");
        let paused = Duration::from_nanos(totals.paused_ns);
        assert!(paused > Duration::from_secs(2), "{paused:?}");
        assert!(totals.measured_ns() >= 3_000_000_000, "no time was taken from the phase");
        assert!(totals.requests().response().max().unwrap() < totals.paused_ns);
        assert_eq!(outcome.ends, [PhaseEnd::Completed]);
        let [pause, resumed] = outcome.record.marks.all() else { panic!("two marks") };
        assert_eq!((&*pause.text, pause.until), ("paused", Some(resumed.at)));
        assert!(resumed.text.starts_with("resumed after "), "{}", resumed.text);
        let lasted = resumed.at - pause.at;
        assert!(lasted.abs_diff(paused) < Duration::from_millis(500), "{lasted:?} {paused:?}");
    }
}

#[test]
fn no_arrival_is_lost_to_a_pause_and_none_is_late_by_it() {
    let phases = [
        "rate = \"200/s\"\nduration = \"2s\"",
        "rate = \"150/s\"\nduration = \"2s\"\narrivals = \"poisson\"",
        "rate = \"50/s\"\nduration = \"2s\"\n\
         burst = { requests = 20, at = \"100ms\", every = \"400ms\" }",
    ];
    for phase in phases {
        let fixture = fixture(SOON);
        let phase = format!("[[phase]]\nname = \"p\"\nmax_users = 40\n{phase}\n");
        let (mut live, plan) = Live::start(&fixture, &phase, 2);
        wait_for_requests(&fixture, 10);
        live.pause(&fixture, 2);
        live.resume();
        let outcome = live.finish();
        compare(&outcome, &settled(&fixture));
        assert_eq!(all(&outcome).requests(), scheduled(&plan, 0, 2), "{phase}");
        let totals = outcome.record.totals.phase(0).expect("it ran");
        assert!(totals.paused_ns > 2_000_000_000);
        let stats = totals.requests();
        assert!(stats.response().max().unwrap() < totals.paused_ns, "{phase}");
        assert!(totals.iterations.start_lag.max().unwrap() < totals.paused_ns, "{phase}");
    }
}

#[test]
fn arrivals_that_wait_are_served_in_the_pause() {
    // One user serves 20 a second of 40.
    let fixture = fixture(10 * SOON);
    let phase = "[[phase]]\nname = \"p\"\nrate = \"40/s\"\nduration = \"3s\"\nmax_users = 1\n";
    let (mut live, _) = Live::start(&fixture, phase, 1);
    wait_for_requests(&fixture, 5);
    live.pause(&fixture, 1);
    assert_eq!(fixture.ledger().in_flight, 0);
    live.resume();
    let outcome = live.finish();
    compare(&outcome, &settled(&fixture));
    assert_eq!(all(&outcome).requests(), 120);
}

#[test]
fn the_next_phase_can_be_had_at_once_and_a_pause_goes_over() {
    let fixture = fixture(SOON);
    let phases = "[[phase]]\nname = \"one\"\nusers = 4\nduration = \"10m\"\n\
                  [[phase]]\nname = \"two\"\nrate = \"100/s\"\nduration = \"300ms\"\n\
                  [[phase]]\nname = \"three\"\nusers = 2\nshared_iterations = 20\n";
    let (mut live, _) = Live::start(&fixture, phases, 2);
    wait_for_requests(&fixture, 20);
    live.pause(&fixture, 1);
    live.handle.controls().end_phase();
    live.wait_for("end", |event| matches!(event, RunEvent::PhaseEnded { phase: 0, .. }));
    let before = fixture.ledger().requests;
    live.wait_for_interval("quiet", |interval| interval.phase == 1 && interval.start > SOON);
    assert_eq!(fixture.ledger().requests, before, "the second phase begins paused");
    live.resume();
    let outcome = live.finish();
    compare(&outcome, &settled(&fixture));
    assert_eq!(outcome.ends, [PhaseEnd::Skipped, PhaseEnd::Completed, PhaseEnd::Completed]);
    assert_eq!(outcome.record.phases[0].early.as_deref(), Some("ended by hand"));
    let phase = |index| outcome.record.totals.phase(index).expect("it ran").requests().requests();
    assert_eq!((phase(0), phase(1), phase(2)), (before, 30, 20));
    assert!(!outcome.interrupted);
    assert_eq!(marks(&outcome)[..2], ["paused", "one ended by hand"]);
}

#[test]
fn a_paused_run_can_be_stopped() {
    for how in [Stop::Gracefully, Stop::Now] {
        for phase in ["users = 5", "rate = \"100/s\"\nmax_users = 5"] {
            let fixture = fixture(SOON);
            let phase = format!("[[phase]]\nname = \"p\"\nduration = \"10m\"\n{phase}\n");
            let (mut live, _) = Live::start(&fixture, &phase, 2);
            wait_for_requests(&fixture, 10);
            live.pause(&fixture, 0);
            live.handle.controls().stop(how);
            let outcome = live.finish();
            compare(&outcome, &settled(&fixture));
            assert_eq!(outcome.ends, [PhaseEnd::Interrupted]);
            assert!(outcome.record.control.paused);
            let pause = &outcome.record.marks.all()[0];
            assert!(pause.until.is_some(), "the pause ends with the run");
        }
    }
}

#[test]
fn a_limit_that_breaks_in_a_pause_ends_the_run() {
    let fixture = fixture(300 * SOON);
    let phase = "[[phase]]\nname = \"p\"\nusers = 1\nduration = \"10m\"\n\
                 expect = { max = \"<50ms\" }\nabort_on_fail = true\n";
    let (live, _) = Live::start(&fixture, phase, 1);
    wait_for_requests(&fixture, 1);
    live.handle.controls().pause();
    let outcome = live.finish();
    assert_eq!(all(&outcome).requests(), 1);
    assert!(matches!(outcome.ends[..], [PhaseEnd::Aborted(_)]), "{:?}", outcome.ends);
}

#[test]
fn users_follow_the_scale_and_so_do_those_of_later_phases() {
    for workers in 1..=2 {
        let fixture = fixture(SOON);
        let phases = "[[phase]]\nname = \"one\"\nusers = 4\nduration = \"10m\"\n\
                      [[phase]]\nname = \"two\"\nusers = 6\nshared_iterations = 200\n";
        let (mut live, _) = Live::start(&fixture, phases, workers);
        let controls = live.handle.controls();
        live.wait_for_interval("4 users", |interval| interval.users_active == 4);
        controls.scale(2.0).expect("in range");
        live.wait_for_interval("8 users", |interval| interval.users_active == 8);
        assert_eq!(fixture.ledger().connections, 8, "those who were there stayed");
        controls.scale(0.5).expect("in range");
        live.wait_for_interval("2 users", |interval| interval.users_active == 2);
        controls.end_phase();
        let outcome = live.finish();
        let ledger = settled(&fixture);
        compare(&outcome, &ledger);
        assert_eq!(outcome.record.control, ControlState { paused: false, scale: 0.5 });
        let two = outcome.record.totals.phase(1).expect("it ran");
        assert_eq!((two.requests().requests(), two.users_max()), (200, 3));
        let expect = ["load scaled to 200 %", "load scaled to 50 %", "one ended by hand"];
        assert_eq!(marks(&outcome), expect);
    }
}

#[test]
fn iterations_are_each_users_own_or_all_users_together() {
    for (phase, expect) in [("shared_iterations = 300", 300), ("iterations = 50", 2 * 4 * 50)] {
        for workers in 1..=2 {
            let fixture = fixture(8 * SOON);
            let phase = format!("[[phase]]\nname = \"p\"\nusers = 4\n{phase}\n");
            let (live, _) = Live::start(&fixture, &phase, workers);
            live.handle.controls().scale(2.0).expect("in range");
            let outcome = live.finish();
            let ledger = settled(&fixture);
            compare(&outcome, &ledger);
            assert_eq!((ledger.requests, ledger.connections), (expect, 8), "{phase}");
        }
    }
}

#[test]
fn the_rate_follows_the_scale() {
    for workers in 1..=2 {
        let fixture = fixture(SOON);
        let phase = "[[phase]]\nname = \"p\"\nrate = \"100/s\"\nduration = \"3s\"\n";
        let (mut live, _) = Live::start(&fixture, phase, workers);
        live.wait_for_interval("an interval", |_| true);
        live.handle.controls().scale(3.0).expect("in range");
        let outcome = live.finish();
        compare(&outcome, &settled(&fixture));
        let began = outcome.record.phases[0].began;
        let scaled_at = (outcome.record.marks.all()[0].at - began).as_secs_f64();
        // All workers change over at the same moment, a little after it is told.
        let expect = 100.0 * scaled_at + 300.0 * (3.0 - scaled_at);
        let requests = all(&outcome).requests() as f64;
        assert!((requests - expect).abs() < 15.0, "{requests} at {scaled_at}, not {expect}");
    }
}

#[test]
fn there_are_as_many_to_serve_arrivals_as_the_scale_allows() {
    // Nobody gets an answer while it matters: all users there may be are at work.
    let fixture = fixture(PATIENCE);
    let phase = "[[phase]]\nname = \"p\"\nrate = \"100/s\"\nduration = \"10m\"\nmax_users = 5\n";
    let (mut live, _) = Live::start(&fixture, phase, 2);
    let controls = live.handle.controls();
    live.wait_for_interval("5 users", |interval| interval.users_active == 5);
    controls.scale(2.0).expect("in range");
    live.wait_for_interval("10 users", |interval| interval.users_active == 10);
    controls.stop(Stop::Now);
    let outcome = live.finish();
    let ledger = settled(&fixture);
    assert_eq!((all(&outcome).interrupted, ledger.requests, ledger.aborted), (10, 10, 10));
}

#[test]
fn users_too_many_finish_what_they_are_doing() {
    let fixture = fixture(20 * SOON);
    let phase = "[[phase]]\nname = \"p\"\nrate = \"100/s\"\nduration = \"2s\"\nmax_users = 20\n";
    let (mut live, _) = Live::start(&fixture, phase, 2);
    live.wait_for_interval("users", |interval| interval.users_active > 4);
    live.handle.controls().scale(0.1).expect("in range");
    live.wait_for_interval("2 users", |interval| interval.users_active <= 2);
    let outcome = live.finish();
    compare(&outcome, &settled(&fixture));
}

#[test]
fn a_pause_before_anything_began_and_a_scale_in_it() {
    let fixture = fixture(SOON);
    let phase = "[[phase]]\nname = \"p\"\nusers = 3\nduration = \"2s\"\n";
    let (mut live, _) = Live::start(&fixture, phase, 2);
    let controls = live.handle.controls();
    live.pause(&fixture, 1);
    controls.scale(2.0).expect("in range");
    let before = fixture.ledger();
    live.wait_for_interval("6 users", |interval| interval.users_active == 6);
    assert_eq!(fixture.ledger().requests, before.requests, "they wait like the others");
    live.resume();
    wait_for_requests(&fixture, before.requests + 10);
    let outcome = live.finish();
    compare(&outcome, &settled(&fixture));
    assert_eq!(outcome.record.totals.phase(0).expect("it ran").users_max(), 6);
}
