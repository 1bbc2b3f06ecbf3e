//! The example `outage` in short: its counts agree with each other and with the backend's.

#[path = "../../examples/outage/backend.rs"]
mod backend;
#[path = "../../examples/outage/scenario.rs"]
mod scenario;

use std::time::Duration;

use proofload_kit::breaker::State;
use scenario::{Ending, Phase, Plan, times};

#[tokio::test(flavor = "multi_thread")]
async fn the_example_counts_right() {
    let ms = Duration::from_millis;
    let plan = Plan {
        rate: 200,
        phases: [ms(300), ms(700), ms(500)],
        patience: ms(200),
        open_for: ms(50),
        minimum_calls: 5,
        limit: 10,
    };
    let report = scenario::run(plan).await.expect("servers on loopback");
    let callers = 300;
    for side in [&report.direct, &report.guarded] {
        assert_eq!(side.calls.len(), callers);
        let sorted: usize = Phase::ALL.map(|phase| side.sorted(phase).len()).iter().sum();
        assert_eq!(sorted, callers);
    }
    let count = |side: &scenario::Side, which: fn(Ending) -> bool| -> u64 {
        Phase::ALL.map(|phase| side.count(phase, which) as u64).iter().sum()
    };
    let refused = |ending| matches!(ending, Ending::RefusedByBreaker | Ending::RefusedByLimiter);
    assert_eq!(count(&report.direct, refused), 0);

    let (guarded, breaker, limiter) = (&report.guarded, report.breaker, report.limiter);
    let by_breaker = count(guarded, |ending| ending == Ending::RefusedByBreaker);
    let by_limiter = count(guarded, |ending| ending == Ending::RefusedByLimiter);
    assert_eq!(breaker.refused, by_breaker);
    assert_eq!(limiter.refused_full + limiter.refused_deadline, by_limiter);
    assert_eq!(limiter.granted, callers as u64 - by_limiter);
    assert_eq!(breaker.successes, count(guarded, |ending| ending == Ending::Good));
    let failed = |ending| matches!(ending, Ending::Failed | Ending::TimedOut);
    assert_eq!(breaker.failures, count(guarded, failed));
    assert!(guarded.seen <= breaker.successes + breaker.failures, "nobody else asks it");
    assert_eq!((limiter.in_use, limiter.queued), (0, 0));

    assert!(report.direct.first_good(Phase::Well).is_some());
    // Down for more than three times as long as a call and the window take: nothing but a breaker
    // that does not work stays closed.
    assert!(times(&report.steps, State::Open) >= 1);
    assert!(by_breaker > 0);
    assert_eq!(breaker.transitions_to(State::Open), times(&report.steps, State::Open) as u64);
}
