//! The examples do what they say.

#[cfg(feature = "tower")]
mod axum_service {
    #[path = "../../../examples/axum_service/backend.rs"]
    mod backend;
    #[path = "../../../examples/axum_service/service.rs"]
    mod service;
    #[path = "../../../examples/axum_service/tour.rs"]
    mod tour;

    #[tokio::test(flavor = "multi_thread")]
    async fn every_request_of_the_tour_is_answered_as_it_should_be() {
        let lines = tour::run().await.expect("a tour");
        assert!(lines.len() > 30, "{lines:#?}");
    }
}

mod plain_tokio {
    #[path = "../../../examples/plain_tokio/worker.rs"]
    mod worker;

    use proofload_kit::breaker::State;

    #[tokio::test(flavor = "multi_thread")]
    async fn the_parts_work_without_http() {
        let seen = worker::run().await.expect("a run");
        assert_eq!(seen.stale_rate, 1.08);
        // The minimum of calls that a rate is taken of, and nobody after them.
        assert_eq!((seen.calls_in_outage, seen.breaker), (10, State::Open));
        assert_eq!(seen.jobs_done + seen.jobs_refused, worker::JOBS);
        assert!(seen.jobs_done >= 12, "{seen:?}");
        assert!(seen.loads_of_crowd >= 1 && seen.loads_of_crowd < worker::ORDERS, "{seen:?}");
        for metric in ["cache_stale_hits_total", "circuit_breaker_state", "limiter_refused_total"] {
            assert!(seen.metrics.contains(metric), "{}", seen.metrics);
        }
    }
}
