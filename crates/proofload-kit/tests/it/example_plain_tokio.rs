//! The example `plain_tokio`: what it prints is what happened.

#[path = "../../examples/plain_tokio/worker.rs"]
mod worker;

use proofload_kit::breaker::State;

#[tokio::test(flavor = "multi_thread")]
async fn the_parts_work_without_http() {
    let seen = worker::run().await.expect("a run");
    assert_eq!(seen.stale_rate, 1.08);
    // As many calls as a rate is taken of, and nobody after them.
    assert_eq!((seen.calls_in_outage, seen.breaker), (10, State::Open));
    assert_eq!(seen.jobs_done + seen.jobs_refused, worker::JOBS);
    assert!(seen.jobs_done >= 12, "{seen:?}");
    assert!(seen.loads_of_crowd >= 1 && seen.loads_of_crowd < worker::ORDERS, "{seen:?}");
    for metric in ["cache_stale_hits_total", "circuit_breaker_state", "limiter_refused_total"] {
        assert!(seen.metrics.contains(metric), "{}", seen.metrics);
    }
}
