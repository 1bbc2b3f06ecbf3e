//! The state machine, driven by hand: first what it promises, then the ways in which others'
//! breakers are known to have got stuck half-open, then chance against a model.

use proptest::prelude::*;

use super::{super::settings::SlowCalls, *};
use crate::breaker::Window;

/// A machine and its clock.
struct Bench {
    machine: Machine,
    now: Instant,
}

fn settings() -> Settings {
    Settings {
        window: Window::calls(10),
        minimum_calls: 4,
        open_for: Duration::from_secs(5),
        jitter: 0.0,
        half_open_calls: 3,
        half_open_timeout: Duration::from_secs(20),
        ..Settings::default()
    }
}

impl Bench {
    fn new(settings: Settings) -> Self {
        let now = Instant::now();
        Self { machine: Machine::new(settings, 7, now), now }
    }

    fn pass(&mut self, duration: Duration) -> &mut Self {
        self.now += duration;
        self
    }

    fn try_acquire(&mut self) -> Result<Ticket, Duration> {
        self.machine.acquire(self.now).0
    }

    fn acquire(&mut self) -> Ticket {
        self.try_acquire().expect("a permit")
    }

    fn end(&mut self, ticket: Ticket, ending: Ending) {
        self.machine.record(ticket, ending, false, self.now);
    }

    fn call(&mut self, ending: Ending) -> &mut Self {
        let ticket = self.acquire();
        self.end(ticket, ending);
        self
    }

    fn calls(&mut self, endings: &[Ending]) -> &mut Self {
        for &ending in endings {
            self.call(ending);
        }
        self
    }

    fn state(&self) -> State {
        self.machine.state()
    }

    fn opened(settings: Settings) -> Self {
        let mut bench = Self::new(settings);
        while bench.state() == State::Closed {
            bench.call(Failure);
        }
        bench
    }

    /// Opened, its time over, nobody has asked yet.
    fn due(settings: Settings) -> Self {
        let mut bench = Self::opened(settings);
        let until = bench.machine.open_until().expect("open");
        bench.now = until;
        bench
    }
}

use Ending::{Cancelled, Failure, Ignored, Success};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn opens_at_its_rate_and_not_before_enough_calls() {
    let check = |endings: &[Ending], expected: State| {
        let mut bench = Bench::new(settings());
        bench.calls(endings);
        assert_eq!(bench.state(), expected, "{endings:?}");
    };
    check(&[Failure, Failure, Failure], State::Closed);
    check(&[Failure, Failure, Failure, Failure], State::Open);
    check(&[Failure, Success, Success, Success], State::Closed);
    check(&[Failure, Failure, Success, Success], State::Open);
    check(&[Failure, Ignored, Cancelled, Failure, Ignored, Failure], State::Closed);
    check(&[Success, Success, Success, Success, Failure, Failure, Failure], State::Closed);
    check(&[Success, Success, Success, Success, Failure, Failure, Failure, Failure], State::Open);
}

#[test]
fn slow_calls_open_it_even_when_they_succeed() {
    let slow_calls = Some(SlowCalls { longer_than: SECOND, rate: 0.75 });
    let mut bench = Bench::new(Settings { slow_calls, ..settings() });
    for (ending, slow) in [(Success, true), (Success, false), (Success, true), (Cancelled, true)] {
        let ticket = bench.acquire();
        bench.machine.record(ticket, ending, slow, bench.now);
    }
    assert_eq!(bench.state(), State::Open);
    assert_eq!(bench.machine.totals().slow, 3);
}

#[test]
fn refuses_while_open_and_says_for_how_long() {
    let mut bench = Bench::opened(settings());
    assert_eq!(bench.try_acquire(), Err(5 * SECOND));
    assert_eq!(bench.pass(3 * SECOND).try_acquire(), Err(2 * SECOND));
    assert!(bench.pass(2 * SECOND).try_acquire().is_ok());
    assert_eq!(bench.state(), State::HalfOpen);
}

#[test]
fn half_open_lets_through_as_many_as_it_was_told() {
    let mut bench = Bench::due(settings());
    let tickets = [bench.acquire(), bench.acquire(), bench.acquire()];
    assert_eq!(bench.try_acquire(), Err(5 * SECOND), "three are under way");
    bench.end(tickets[0], Success);
    assert!(bench.try_acquire().is_err(), "a result takes a place as well");
    bench.end(tickets[1], Success);
    assert_eq!(bench.state(), State::Closed, "two of three good: the last cannot make it 50 %");
}

#[test]
fn half_open_decides_as_soon_as_it_can() {
    let check = |endings: &[Ending], expected: State| {
        let mut bench = Bench::due(Settings { half_open_calls: 4, ..settings() });
        bench.calls(endings);
        assert_eq!(bench.state(), expected, "{endings:?}");
    };
    check(&[Success], State::HalfOpen);
    check(&[Success, Success], State::HalfOpen);
    check(&[Success, Success, Success], State::Closed);
    check(&[Failure], State::HalfOpen);
    check(&[Failure, Failure], State::Open);
    check(&[Success, Failure, Failure], State::Open);
    check(&[Success, Failure, Ignored, Cancelled, Success, Success], State::Closed);
}

#[test]
fn stays_open_longer_after_every_failed_probe_up_to_a_bound() {
    let mut bench = Bench::opened(Settings {
        backoff_factor: 2.0,
        open_at_most: 15 * SECOND,
        half_open_calls: 1,
        ..settings()
    });
    for seconds in [5, 10, 15, 15] {
        assert_eq!(bench.try_acquire(), Err(seconds * SECOND));
        bench.pass(seconds * SECOND).call(Failure);
    }
    bench.pass(15 * SECOND).call(Success);
    assert_eq!(bench.state(), State::Closed);
    bench.calls(&[Failure; 4]);
    assert_eq!(bench.try_acquire(), Err(5 * SECOND), "starts over once it was closed");
}

#[test]
fn jitter_keeps_within_its_part_and_differs() {
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..50 {
        let now = Instant::now();
        let mut machine = Machine::new(Settings { jitter: 0.2, ..settings() }, seed, now);
        machine.force(State::Open, now);
        let open_for = machine.open_until().expect("open") - now;
        assert!((4 * SECOND..=6 * SECOND).contains(&open_for), "{open_for:?}");
        seen.insert(open_for);
    }
    assert!(seen.len() > 40);
}

#[test]
fn outcomes_of_an_earlier_state_do_not_count() {
    let mut bench = Bench::new(settings());
    let stragglers: Vec<_> = (0..20).map(|_| bench.acquire()).collect();
    bench.calls(&[Failure; 4]).pass(5 * SECOND);
    let probe = bench.acquire();
    for &ticket in &stragglers[..10] {
        bench.end(ticket, Failure);
    }
    assert_eq!(bench.state(), State::HalfOpen, "old failures do not end the probe");
    bench.end(probe, Success);
    bench.calls(&[Success]);
    assert_eq!(bench.state(), State::Closed);
    for &ticket in &stragglers[10..] {
        bench.end(ticket, Failure);
    }
    assert_eq!(bench.state(), State::Closed, "nor do they open it again");
    assert_eq!(bench.machine.totals().late, 20);
    assert_eq!(bench.machine.totals().failures, 24, "but they are counted");
}

#[test]
fn what_is_forced_stays_until_told_otherwise() {
    let mut bench = Bench::new(settings());
    bench.machine.force(State::ForcedOpen, bench.now);
    assert!(bench.pass(1000 * SECOND).try_acquire().is_err());
    bench.machine.force(State::ForcedClosed, bench.now);
    bench.calls(&[Failure; 50]);
    assert_eq!(bench.state(), State::ForcedClosed);
    bench.machine.force(State::Closed, bench.now);
    assert_eq!(
        bench.machine.tally(bench.now),
        Tally::default(),
        "nothing of the forced time is kept"
    );
    bench.calls(&[Failure; 4]);
    assert_eq!(bench.state(), State::Open);
    bench.machine.force(State::Closed, bench.now);
    assert_eq!(bench.state(), State::Closed);
}

#[test]
fn a_time_window_forgets() {
    let mut bench = Bench::new(Settings { window: Window::time(10 * SECOND), ..settings() });
    bench.calls(&[Failure; 3]).pass(11 * SECOND).calls(&[Failure; 3]);
    assert_eq!(bench.state(), State::Closed);
    bench.call(Failure);
    assert_eq!(bench.state(), State::Open);
}

/// The last permit's call ends with an error that does not count: its permit was neither released
/// nor recorded.
#[test]
fn half_open_does_not_wedge_when_the_last_call_is_ignored_resilience4j_544() {
    for ending in [Ignored, Cancelled] {
        let mut bench = Bench::due(settings());
        let tickets = [bench.acquire(), bench.acquire(), bench.acquire()];
        bench.end(tickets[0], Success);
        bench.end(tickets[1], Failure);
        bench.end(tickets[2], ending);
        assert_eq!(bench.state(), State::HalfOpen);
        bench.call(Success);
        assert_eq!(bench.state(), State::Closed, "{ending:?} gave its permit back");
    }
}

/// A time window shorter than the probe, and a minimum of calls above the number of probes: the
/// results expired, or never sufficed, and no decision was ever taken.
#[test]
fn half_open_does_not_wedge_when_the_window_is_too_short_for_its_results_resilience4j_903() {
    let window = Window::time(SECOND);
    let mut bench =
        Bench::due(Settings { window, minimum_calls: 100, half_open_calls: 10, ..settings() });
    for _ in 0..6 {
        bench.call(Success).pass(3 * SECOND);
    }
    assert_eq!(bench.state(), State::Closed);
    // The same with results that come in one by one, failing: it opens again, and a later probe
    // closes it.
    let mut bench =
        Bench::due(Settings { window, minimum_calls: 100, half_open_calls: 10, ..settings() });
    for _ in 0..5 {
        bench.call(Failure).pass(3 * SECOND);
    }
    assert_eq!(bench.state(), State::Open);
    bench.pass(5 * SECOND).calls(&[Success; 6]);
    assert_eq!(bench.state(), State::Closed);
}

/// The permitted calls never come to an end, so that their number never is reached.
#[test]
fn half_open_does_not_wedge_when_permitted_calls_never_end_resilience4j_935() {
    let mut bench = Bench::due(settings());
    let lost = [bench.acquire(), bench.acquire(), bench.acquire()];
    assert!(bench.pass(19 * SECOND).try_acquire().is_err());
    assert_eq!(bench.state(), State::HalfOpen);
    assert_eq!(
        bench.pass(SECOND).try_acquire(),
        Err(5 * SECOND),
        "unfinished is as good as failed"
    );
    assert_eq!(bench.state(), State::Open);
    bench.pass(5 * SECOND).calls(&[Success, Success]);
    assert_eq!(bench.state(), State::Closed);
    for ticket in lost {
        bench.end(ticket, Failure);
    }
    assert_eq!(bench.state(), State::Closed, "and when they end at last, nobody minds");
}

/// The predicate that judges the error throws; nobody is left to give the permit back. Here as the
/// machine sees it, with the real predicate in `handle_tests`.
#[test]
fn half_open_does_not_wedge_when_every_probe_is_dropped_resilience4j_2324() {
    let mut bench = Bench::due(settings());
    for _ in 0..100 {
        bench.call(Ignored);
    }
    assert_eq!(bench.state(), State::HalfOpen);
    bench.pass(100 * SECOND).calls(&[Success, Success]);
    assert_eq!(bench.state(), State::Closed);
}

#[test]
fn a_probe_with_little_traffic_is_judged_by_what_came() {
    let check = |endings: &[Ending], expected: State| {
        let mut bench = Bench::due(Settings { half_open_calls: 10, ..settings() });
        bench.calls(endings).pass(20 * SECOND);
        let _ = bench.try_acquire();
        assert_eq!(bench.state(), expected, "{endings:?}");
    };
    check(&[Success], State::Closed);
    check(&[Success, Success, Failure], State::Closed);
    check(&[Success, Failure], State::Open);
    check(&[Ignored], State::HalfOpen);
}

#[test]
fn a_call_that_just_began_is_not_judged_by_the_timeout_of_others() {
    let mut bench = Bench::due(Settings { half_open_calls: 10, ..settings() });
    bench.call(Success).pass(19 * SECOND);
    let young = bench.acquire();
    assert!(bench.pass(2 * SECOND).try_acquire().is_ok(), "half of the timeout is theirs");
    assert_eq!(bench.state(), State::HalfOpen);
    bench.end(young, Success);
    bench.pass(11 * SECOND).acquire();
    assert_eq!(bench.state(), State::Closed, "one of three is unfinished: below half");
}

/// What chance does to a machine.
#[derive(Debug, Clone, Copy)]
enum Step {
    Acquire,
    End { which: usize, ending: Ending, slow: bool },
    Pass(u64),
    Force(State),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let ending = prop_oneof![Just(Success), Just(Failure), Just(Ignored), Just(Cancelled)];
    let forced =
        prop_oneof![Just(State::Closed), Just(State::ForcedOpen), Just(State::ForcedClosed)];
    let step = prop_oneof![
        8 => Just(Step::Acquire),
        6 => (any::<usize>(), ending, any::<bool>())
            .prop_map(|(which, ending, slow)| Step::End { which, ending, slow }),
        3 => (0_u64..8_000).prop_map(Step::Pass),
        1 => forced.prop_map(Step::Force),
    ];
    prop::collection::vec(step, 0..200)
}

fn any_settings() -> impl Strategy<Value = Settings> {
    let window = prop_oneof![
        (1_u32..30).prop_map(Window::calls),
        (10_u64..20_000).prop_map(|ms| Window::time(Duration::from_millis(ms)))
    ];
    let slow =
        prop::option::of((0.05..=1.0).prop_map(|rate| SlowCalls { longer_than: SECOND, rate }));
    (window, slow, 0.05..=1.0, 1_u32..30, 1_u32..6, 1_u64..30_000, 1.0..3.0).prop_map(
        |(
            window,
            slow_calls,
            failure_rate,
            minimum_calls,
            half_open_calls,
            timeout_ms,
            backoff_factor,
        )| Settings {
            window,
            slow_calls,
            failure_rate,
            minimum_calls,
            half_open_calls,
            half_open_timeout: Duration::from_millis(timeout_ms),
            backoff_factor,
            open_at_most: 60 * SECOND,
            jitter: 0.3,
            ..settings()
        },
    )
}

/// The model: which permits of the present probe are out, and how many of them have brought a
/// result.
#[derive(Default)]
struct Model {
    generation: u64,
    unfinished: u64,
    finished: u64,
}

impl Model {
    fn at(&mut self, generation: u64) -> &mut Self {
        if self.generation != generation {
            *self = Self { generation, ..Self::default() };
        }
        self
    }
}

fn check_against_model(settings: &Settings, steps: &[Step]) -> Result<Bench, TestCaseError> {
    let mut bench = Bench::new(settings.clone());
    let mut model = Model::default();
    let mut under_way: Vec<Ticket> = Vec::new();
    for &step in steps {
        let before = (bench.state(), bench.machine.open_until());
        match step {
            Step::Acquire => {
                let answer = bench.try_acquire();
                let generation = bench.machine.generation();
                let probe = model.at(generation);
                match bench.state() {
                    State::Closed | State::ForcedClosed => prop_assert!(answer.is_ok()),
                    State::Open | State::ForcedOpen => prop_assert!(answer.is_err()),
                    State::HalfOpen => {
                        let free =
                            probe.unfinished + probe.finished < u64::from(settings.half_open_calls);
                        prop_assert_eq!(answer.is_ok(), free);
                        probe.unfinished += u64::from(free);
                    }
                }
                if let (State::Open, Some(until)) = before {
                    prop_assert_eq!(answer.is_err(), bench.now < until);
                }
                under_way.extend(answer.ok());
            }
            Step::End { which, ending, slow } if !under_way.is_empty() => {
                let ticket = under_way.swap_remove(which % under_way.len());
                let probe = model.at(bench.machine.generation());
                if ticket.generation == probe.generation && before.0 == State::HalfOpen {
                    probe.unfinished -= 1;
                    let counts =
                        matches!(ending, Success | Failure) || (ending == Cancelled && slow);
                    probe.finished += u64::from(counts);
                }
                let late = bench.machine.totals().late;
                let current = ticket.generation == bench.machine.generation();
                bench.machine.record(ticket, ending, slow, bench.now);
                prop_assert_eq!(bench.machine.totals().late - late, u64::from(!current));
                prop_assert!(current || bench.state() == before.0, "a straggler changed the state");
            }
            Step::End { .. } => {}
            Step::Pass(ms) => bench.now += Duration::from_millis(ms),
            Step::Force(state) => {
                bench.machine.force(state, bench.now);
                prop_assert_eq!(bench.state(), state);
            }
        }
        prop_assert!(model.unfinished + model.finished <= u64::from(settings.half_open_calls));
    }
    Ok(bench)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    /// Permits never exceed their number, whatever happens.
    #[test]
    fn behaves_as_its_model(settings in any_settings(), steps in steps()) {
        check_against_model(&settings, &steps)?;
    }

    /// From wherever it got to: callers go on calling, the backend is well, time passes; it closes.
    /// Calls that were under way before never come back.
    #[test]
    fn closes_in_the_end(
        settings in any_settings(),
        steps in steps(),
        every_ms in 100_u64..10_000,
    ) {
        let mut bench = check_against_model(&settings, &steps)?;
        if matches!(bench.state(), State::ForcedOpen | State::ForcedClosed) {
            return Ok(());
        }
        // Open for 78 s and half-open for 30 s at most, twice, and as many calls as a window has.
        let enough = 2 * 110_000 / every_ms + 60;
        for _ in 0..enough {
            bench.pass(Duration::from_millis(every_ms));
            if let Ok(ticket) = bench.try_acquire() {
                bench.end(ticket, Success);
            }
        }
        prop_assert_eq!(bench.state(), State::Closed);
    }
}
