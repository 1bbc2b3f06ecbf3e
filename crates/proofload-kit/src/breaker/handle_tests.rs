//! The breaker as services hold it: permits come back whatever way a call ends.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::AtomicUsize,
};

use proptest::prelude::*;

use super::*;
use crate::breaker::Window;
use crate::breaker::settings::{Settings, Span};

const SECOND: Duration = Duration::from_secs(1);

fn builder() -> CircuitBreakerBuilder {
    CircuitBreaker::builder("backend")
        .minimum_calls(2)
        .open_for(SECOND)
        .jitter(0.0)
        .half_open_calls(2)
}

/// Open, its time over.
async fn due(builder: CircuitBreakerBuilder) -> CircuitBreaker {
    let breaker = builder.build().expect("settings");
    while breaker.state() == State::Closed {
        let _ = breaker.call_sync(|| Err::<(), _>("down"));
    }
    tokio::time::advance(SECOND).await;
    breaker
}

fn good() -> impl Future<Output = Result<u8, &'static str>> {
    std::future::ready(Ok(1))
}

#[tokio::test(start_paused = true)]
async fn opens_refuses_probes_and_closes() {
    let breaker = builder().build().expect("settings");
    for _ in 0..2 {
        let result = breaker.call(async { Err::<(), _>("down") }).await;
        assert_eq!(result, Err(CallError::Failed("down")));
    }
    assert_eq!(breaker.state(), State::Open);
    tokio::time::advance(SECOND / 4).await;
    let refused = breaker.call(good()).await.expect_err("open");
    let open = Refused { state: State::Open, retry_after: SECOND * 3 / 4 };
    assert_eq!(refused, CallError::Refused(open));
    assert_eq!(breaker.refusal(), Some(open));
    assert_eq!(refused.to_string(), "circuit breaker is open: try again in 750ms");
    tokio::time::advance(SECOND * 3 / 4).await;
    assert_eq!(breaker.refusal(), None);
    assert_eq!(breaker.call(good()).await, Ok(1));
    assert_eq!(breaker.state(), State::HalfOpen);
    assert_eq!(breaker.call(good()).await, Ok(1));
    assert_eq!(breaker.state(), State::Closed);

    let stats = breaker.stats();
    assert_eq!((stats.successes, stats.failures, stats.refused, stats.late), (2, 2, 1, 0));
    let transitions: Vec<u64> =
        State::ALL.iter().map(|&state| stats.transitions_to(state)).collect();
    assert_eq!(transitions, [1, 1, 1, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_call_gives_its_permit_back() {
    let breaker = due(builder()).await;
    for _ in 0..10 {
        let calls = [
            breaker.call(std::future::pending::<Result<(), ()>>()),
            breaker.call(std::future::pending()),
        ];
        for call in calls {
            assert!(tokio::time::timeout(SECOND / 100, call).await.is_err());
        }
    }
    assert_eq!(breaker.state(), State::HalfOpen);
    assert_eq!(breaker.stats().ignored, 20);
    let permits = [breaker.acquire().expect("free"), breaker.acquire().expect("free")];
    assert!(breaker.acquire().is_err(), "never more than two");
    permits.into_iter().for_each(CircuitBreakerPermit::success);
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_call_given_up_late_is_slow() {
    let breaker = builder().slow_call(SECOND, 1.0).build().expect("settings");
    for _ in 0..2 {
        let call = breaker.call(std::future::pending::<Result<(), ()>>());
        assert!(tokio::time::timeout(2 * SECOND, call).await.is_err());
    }
    assert_eq!(breaker.state(), State::Open, "callers that run out of patience are a sign");
    let stats = breaker.stats();
    assert_eq!((stats.slow, stats.ignored, stats.failures), (2, 2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_panicking_call_is_a_failed_call() {
    let breaker = due(builder()).await;
    let call = AssertUnwindSafe(|| breaker.call_sync(|| -> Result<(), ()> { panic!("a bug") }));
    assert!(catch_unwind(call).is_err());
    assert_eq!(breaker.state(), State::Open, "one of two probes failed, that is enough");
    tokio::time::advance(SECOND).await;
    let task = breaker.clone();
    let panicked = tokio::spawn(async move {
        task.call(async { panic!("a bug") as Result<(), ()> }).await.is_ok()
    });
    assert!(panicked.await.is_err());
    assert_eq!(breaker.stats().failures, 4);
    assert_eq!(breaker.state(), State::Open);
}

/// The predicate throws: its permit was neither released nor recorded.
#[tokio::test(start_paused = true)]
async fn half_open_does_not_wedge_when_a_predicate_panics_resilience4j_2324() {
    let breaker = due(builder()).await;
    for _ in 0..20 {
        let breaker = breaker.clone();
        let call = async move {
            breaker.call_classified(good(), |_| panic!("a bug in the predicate")).await.is_ok()
        };
        assert!(tokio::spawn(call).await.expect_err("panics").is_panic(), "the caller is told");
    }
    let permit = breaker.acquire().expect("free");
    let judged = catch_unwind(AssertUnwindSafe(|| {
        permit.classify(&1, |_| panic!("a bug in the predicate"));
    }));
    assert!(judged.is_err());
    let stats = breaker.stats();
    assert_eq!(stats.state, State::HalfOpen);
    assert_eq!((stats.failures, stats.ignored), (2, 21), "says nothing of the backend");
    for _ in 0..2 {
        assert_eq!(breaker.call(good()).await, Ok(1));
    }
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn an_observer_sees_every_transition_and_may_panic() {
    let seen = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&seen);
    let breaker = due(builder().on_transition(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        panic!("a bug in the observer");
    }))
    .await;
    // Also from a drop during unwinding, where a second panic would abort.
    let call = AssertUnwindSafe(|| breaker.call_sync(|| -> Result<(), ()> { panic!("a bug") }));
    assert!(catch_unwind(call).is_err());
    assert_eq!(breaker.state(), State::Open);
    tokio::time::advance(SECOND).await;
    for _ in 0..2 {
        assert_eq!(breaker.call(good()).await, Ok(1));
    }
    assert_eq!(breaker.state(), State::Closed);
    assert_eq!(seen.load(Ordering::Relaxed), 5);
}

#[tokio::test(start_paused = true)]
async fn an_observer_may_use_the_breaker() {
    let breaker = builder().build().expect("settings");
    let states = Arc::new(Mutex::new(Vec::new()));
    let (seen, handle) = (Arc::clone(&states), Arc::new(Mutex::new(None::<CircuitBreaker>)));
    let inside = Arc::clone(&handle);
    let observed = builder()
        .on_transition(move |transition| {
            let inside = inside.lock().expect("lock");
            let state = inside.as_ref().map(CircuitBreaker::state);
            seen.lock().expect("lock").push((transition.to, state));
        })
        .build()
        .expect("settings");
    *handle.lock().expect("lock") = Some(observed.clone());
    observed.force_open();
    observed.reset();
    let expected =
        [(State::ForcedOpen, Some(State::ForcedOpen)), (State::Closed, Some(State::Closed))];
    assert_eq!(*states.lock().expect("lock"), expected);
    assert_eq!(breaker.state(), State::Closed);
    *handle.lock().expect("lock") = None;
}

#[test]
fn two_threads_never_hold_more_probes_than_there_are() {
    let breaker = builder()
        .half_open_calls(3)
        .half_open_timeout(Duration::from_hours(1))
        .build()
        .expect("settings");
    breaker.inner.force(State::HalfOpen);
    let (out, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..5_000 {
                    if let Ok(permit) = breaker.acquire() {
                        let now_out = out.fetch_add(1, Ordering::SeqCst) + 1;
                        most.fetch_max(now_out, Ordering::SeqCst);
                        out.fetch_sub(1, Ordering::SeqCst);
                        permit.ignore();
                    }
                }
            });
        }
    });
    assert!((1..=3).contains(&most.load(Ordering::SeqCst)), "{most:?}");
    assert_eq!(breaker.state(), State::HalfOpen);
    let permits: Vec<_> = std::iter::from_fn(|| breaker.acquire().ok()).collect();
    assert_eq!(permits.len(), 3, "and none got lost");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    /// Batches are not to be noticed: a breaker does what its machine alone would do.
    #[test]
    fn is_in_the_same_state_as_its_machine(
        window in prop_oneof![
            (1_u32..60).prop_map(Window::calls),
            (10_u64..3_000).prop_map(|ms| Window::time(Duration::from_millis(ms))),
        ],
        minimum in 1_u32..30,
        rate in 0.1..=1.0,
        calls in prop::collection::vec((prop::bool::weighted(0.85), 1_u32..80, 0_u64..300), 0..80),
    ) {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().expect("runtime");
        let minimum = if let Window(Span::Calls(count)) = window { minimum.min(count) } else { minimum };
        let settings = Settings {
            window,
            minimum_calls: minimum,
            failure_rate: rate,
            jitter: 0.0,
            open_for: SECOND,
            ..Settings::default()
        };
        runtime.block_on(async {
            let builder = CircuitBreaker::builder("b").window(window).minimum_calls(minimum);
            let builder = builder.failure_rate(rate).jitter(0.0).open_for(SECOND);
            let breaker = builder.build().expect("settings");
            let mut machine = Machine::new(settings, 0, Instant::now());
            for (good, times, ms) in calls {
                for _ in 0..times {
                    let permit = breaker.acquire();
                    let (ticket, _) = machine.acquire(Instant::now());
                    prop_assert_eq!(permit.is_ok(), ticket.is_ok());
                    let (Ok(permit), Ok(ticket)) = (permit, ticket) else { break };
                    let (outcome, ending) = if good {
                        (Outcome::Success, Ending::Success)
                    } else {
                        (Outcome::Failure, Ending::Failure)
                    };
                    permit.record(outcome);
                    machine.record(ticket, ending, false, Instant::now());
                    prop_assert_eq!(breaker.state(), machine.state());
                }
                tokio::time::advance(Duration::from_millis(ms)).await;
            }
            machine.advance(Instant::now());
            let (stats, totals) = (breaker.stats(), machine.totals());
            prop_assert_eq!(stats.state, machine.state());
            prop_assert_eq!((stats.successes, stats.failures), (totals.successes, totals.failures));
            prop_assert_eq!((stats.late, totals.late), (0, 0));
            if matches!(window, Window(Span::Calls(_))) {
                let tally = machine.tally(Instant::now());
                prop_assert_eq!(stats.failure_rate, tally.failure_rate());
            }
            Ok(())
        })?;
    }
}

#[test]
fn threads_in_a_hurry_are_all_counted() {
    let breaker = builder().failure_rate(1.0).build().expect("settings");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for call in 0..10_000 {
                    let result = if call % 100 == 7 { Err(()) } else { Ok(()) };
                    assert_eq!(breaker.call_sync(|| result).is_ok(), result.is_ok());
                }
            });
        }
    });
    let stats = breaker.stats();
    assert_eq!((stats.successes, stats.failures, stats.late), (39_600, 400, 0));
    assert!(stats.failure_rate < 0.5, "{}", stats.failure_rate);
}

#[test]
fn its_registry_shows_it_while_it_lives() {
    let registry = Registry::new();
    let breaker = builder().registry(&registry).build().expect("settings");
    let _ = breaker.call_sync(|| Err::<(), _>(()));
    breaker.force_open();
    let _ = breaker.acquire();
    let families = registry.families();
    let value = |name: &str, label: &str| {
        let (_, family) = families.iter().find(|&(family, _)| family == name).expect("family");
        let sample = family
            .samples
            .iter()
            .find(|sample| sample.labels.last().is_some_and(|(_, value)| value == label));
        format!("{:?}", sample.expect("sample").value)
    };
    assert_eq!(value("circuit_breaker_state", "forced_open"), "Gauge(1.0)");
    assert_eq!(value("circuit_breaker_state", "closed"), "Gauge(0.0)");
    assert_eq!(value("circuit_breaker_calls", "failure"), "Counter(1.0)");
    assert_eq!(value("circuit_breaker_calls", "refused"), "Counter(1.0)");
    assert_eq!(value("circuit_breaker_transitions", "forced_open"), "Counter(1.0)");
    assert_eq!(value("circuit_breaker_failure_ratio", "backend"), "Gauge(1.0)");
    drop(breaker);
    assert_eq!(registry.families().iter().count(), 0);
}

#[tokio::test(start_paused = true)]
async fn who_looks_sees_what_is_due_without_any_call() {
    let registry = Registry::new();
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = Arc::clone(&told);
    let breaker = builder()
        .half_open_timeout(SECOND * 4)
        .registry(&registry)
        .on_transition(move |transition| tell.lock().unwrap().push(transition.to))
        .build()
        .unwrap();
    for _ in 0..2 {
        let _ = breaker.call_sync(|| Err::<(), _>("down"));
    }
    let shown = |state: &str| {
        let line = format!("circuit_breaker_state{{breaker=\"backend\",state=\"{state}\"}} 1");
        registry.prometheus_text().lines().any(|found| found == line)
    };
    assert!(shown("open"));
    tokio::time::advance(SECOND * 2).await;
    assert!(shown("half_open"), "a scrape is enough");
    assert_eq!(breaker.state(), State::HalfOpen);
    assert_eq!(*told.lock().unwrap(), [State::Open, State::HalfOpen]);

    // However long ago that was, the first probe has the whole half-open time.
    tokio::time::advance(SECOND * 3600).await;
    assert_eq!(breaker.state(), State::HalfOpen);
    let permit = breaker.acquire().unwrap();
    tokio::time::advance(SECOND * 3).await;
    assert_eq!(breaker.state(), State::HalfOpen, "4 s of half-open are not over");
    tokio::time::advance(SECOND).await;
    assert_eq!(breaker.stats().state, State::Open, "the probe ran out of time, and nobody called");
    drop(permit);
}
