//! The metrics of the kit: their names are taken, and dashboard and alert rules may use no others.

/// Kinds as Prometheus tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

use Kind::{Counter, Gauge, Histogram};

/// All metrics of all parts, as parts name them: without the suffixes of the exposition.
pub(super) const METRICS: &[(&str, Kind)] = &[
    ("cache_coalesced", Counter),
    ("cache_entries", Gauge),
    ("cache_evictions", Counter),
    ("cache_expirations", Counter),
    ("cache_hits", Counter),
    ("cache_invalidations", Counter),
    ("cache_load_duration_seconds", Histogram),
    ("cache_load_failures", Counter),
    ("cache_misses", Counter),
    ("cache_negative_hits", Counter),
    ("cache_redis_answer_seconds", Histogram),
    ("cache_redis_available", Gauge),
    ("cache_redis_connections", Counter),
    ("cache_redis_failures", Counter),
    ("cache_redis_foreign", Counter),
    ("cache_redis_heard", Counter),
    ("cache_redis_last_outage_seconds", Gauge),
    ("cache_redis_outage_seconds", Counter),
    ("cache_redis_outages", Counter),
    ("cache_redis_recoveries", Counter),
    ("cache_redis_skipped", Counter),
    ("cache_redis_subscriptions", Counter),
    ("cache_remote_errors", Counter),
    ("cache_remote_hits", Counter),
    ("cache_remote_misses", Counter),
    ("cache_stale_hits", Counter),
    ("cache_weight", Gauge),
    ("circuit_breaker_calls", Counter),
    ("circuit_breaker_failure_ratio", Gauge),
    ("circuit_breaker_late_calls", Counter),
    ("circuit_breaker_slow_call_ratio", Gauge),
    ("circuit_breaker_slow_calls", Counter),
    ("circuit_breaker_state", Gauge),
    ("circuit_breaker_transitions", Counter),
    ("http_request_duration_seconds", Histogram),
    ("http_requests", Counter),
    ("http_requests_in_flight", Gauge),
    ("limiter_given_up", Counter),
    ("limiter_granted", Counter),
    ("limiter_in_use", Gauge),
    ("limiter_limit", Gauge),
    ("limiter_queue_limit", Gauge),
    ("limiter_queued", Gauge),
    ("limiter_refused", Counter),
    ("limiter_wait_seconds", Histogram),
    ("pool_acquire_failures", Counter),
    ("pool_acquired", Counter),
    ("pool_alert", Gauge),
    ("pool_alerts", Counter),
    ("pool_created", Counter),
    ("pool_expired", Counter),
    ("pool_held_seconds", Histogram),
    ("pool_idle", Gauge),
    ("pool_in_use", Gauge),
    ("pool_leaks", Counter),
    ("pool_max_size", Gauge),
    ("pool_recycle_failures", Counter),
    ("pool_recycled", Counter),
    ("pool_size", Gauge),
    ("pool_wait_seconds", Histogram),
    ("pool_waiting", Gauge),
    ("retry_budget", Gauge),
    ("retry_calls", Counter),
    ("retry_given_up", Counter),
    ("retry_recovered", Counter),
    ("retry_retries", Counter),
];

/// Whether the kit itself uses this name.
pub(super) fn is_known(name: &str) -> bool {
    METRICS.iter().any(|&(known, _)| known == name)
}

/// Whether the exposition of the kit has a series of this name.
pub(super) fn is_series(name: &str) -> bool {
    METRICS.iter().any(|&(known, kind)| {
        let Some(suffix) = name.strip_prefix(known) else { return false };
        match kind {
            Counter => suffix == "_total",
            Gauge => suffix.is_empty(),
            Histogram => matches!(suffix, "_bucket" | "_sum" | "_count"),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_conventions() {
        assert!(METRICS.is_sorted_by(|(a, _), (b, _)| a < b), "sorted, each once");
        for &(name, kind) in METRICS {
            let is_word = name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
            assert!(is_word && !name.ends_with("_total"), "{name}");
            assert!(kind != Histogram || name.ends_with("_seconds"), "{name}");
        }
    }

    #[test]
    fn series_are_known_by_their_suffix() {
        let check = |name, expect| assert_eq!(is_series(name), expect, "{name}");
        check("pool_leaks_total", true);
        check("pool_leaks", false);
        check("pool_waiting", true);
        check("pool_wait_seconds_bucket", true);
        check("pool_wait_seconds", false);
        check("pool_waiting_total", false);
        check("up", false);
    }
}
