//! What is worth waking somebody for, and what is worth knowing in the morning, as data.

/// One alert rule.
pub(super) struct Alert {
    pub(super) name: &'static str,
    /// As `promql` reads it.
    pub(super) expr: &'static str,
    /// How long it must hold, in Prometheus' words.
    pub(super) lasting: &'static str,
    pub(super) severity: Severity,
    /// With Prometheus' templates.
    pub(super) summary: &'static str,
    /// What it means and what to do.
    pub(super) description: &'static str,
}

#[derive(Clone, Copy)]
pub(super) enum Severity {
    Warning,
    Critical,
}

impl Severity {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

pub(super) const ALERTS: &[Alert] = &[
    Alert {
        name: "RequestsFail",
        expr: "sum(rate(http_requests_total{status=~\"5..|error\"$}[5m])) / sum(rate(http_requests_total{$}[5m])) > 0.01",
        lasting: "5m",
        severity: Severity::Critical,
        summary: "{{ $value | humanizePercentage }} of requests fail",
        description: "Answers 5xx or none at all. The panel of failed requests shows which routes.",
    },
    Alert {
        name: "CacheHitRateLow",
        expr: "sum by (cache) (rate(cache_misses_total{$}[10m])) / (sum by (cache) (rate(cache_hits_total{$}[10m])) + sum by (cache) (rate(cache_stale_hits_total{$}[10m])) + sum by (cache) (rate(cache_negative_hits_total{$}[10m])) + sum by (cache) (rate(cache_misses_total{$}[10m]))) > 0.5 and sum by (cache) (rate(cache_misses_total{$}[10m])) > 1",
        lasting: "10m",
        severity: Severity::Warning,
        summary: "Cache {{ $labels.cache }} answers less than half of its lookups",
        description: "{{ $value | humanizePercentage }} miss. Is it too small, its time to live too short, or something invalidated too often?",
    },
    Alert {
        name: "CacheLoadsFail",
        expr: "sum by (cache) (rate(cache_load_failures_total{$}[5m])) / sum by (cache) (rate(cache_load_duration_seconds_count{$}[5m])) > 0.05",
        lasting: "5m",
        severity: Severity::Critical,
        summary: "{{ $value | humanizePercentage }} of the loads of cache {{ $labels.cache }} fail",
        description: "Its source is in trouble. Stale values hide that from users until they are too old.",
    },
    Alert {
        name: "CacheServesStale",
        expr: "sum by (cache) (rate(cache_stale_hits_total{$}[10m])) / (sum by (cache) (rate(cache_hits_total{$}[10m])) + sum by (cache) (rate(cache_stale_hits_total{$}[10m]))) > 0.1",
        lasting: "10m",
        severity: Severity::Warning,
        summary: "{{ $value | humanizePercentage }} of the answers of cache {{ $labels.cache }} are stale",
        description: "Loads fail or take long: look at their time and their failures.",
    },
    Alert {
        name: "CacheTooSmall",
        expr: "sum by (cache) (rate(cache_evictions_total{$}[30m])) / sum by (cache) (rate(cache_load_duration_seconds_count{$}[30m])) > 0.5",
        lasting: "30m",
        severity: Severity::Warning,
        summary: "Cache {{ $labels.cache }} evicts more than half of what it loads",
        description: "Entries go while they are still of use. Give it more room if there is memory.",
    },
    Alert {
        name: "SharedCacheDown",
        expr: "max by (redis) (cache_redis_available{$}) == 0",
        lasting: "2m",
        severity: Severity::Critical,
        summary: "No process reaches Redis {{ $labels.redis }}",
        description: "Caches work on from memory and source, each process for itself: the source gets more load.",
    },
    Alert {
        name: "CircuitBreakerOpen",
        expr: "max by (breaker) (circuit_breaker_state{state=~\"open|forced_open\"$}) == 1",
        lasting: "1m",
        severity: Severity::Critical,
        summary: "Circuit breaker {{ $labels.breaker }} is open",
        description: "What is behind it fails or is slow, and calls to it are refused.",
    },
    Alert {
        name: "CircuitBreakerFlaps",
        expr: "sum by (breaker) (increase(circuit_breaker_transitions_total{state=\"open\"$}[15m])) > 5",
        lasting: "1m",
        severity: Severity::Warning,
        summary: "Circuit breaker {{ $labels.breaker }} opens again and again",
        description: "It recovers just enough to be tried. Stay open for longer, or mend what is behind it.",
    },
    Alert {
        name: "QueueDeep",
        expr: "sum by (limiter) (avg_over_time(limiter_queued{$}[2m])) > 100",
        lasting: "2m",
        severity: Severity::Warning,
        summary: "{{ $value | humanize }} callers wait at limiter {{ $labels.limiter }}",
        description: "More comes in than is served. Those at the end of the queue will have left before it is their turn.",
    },
    Alert {
        name: "CallsRefused",
        expr: "sum by (limiter) (rate(limiter_refused_total{$}[5m])) / (sum by (limiter) (rate(limiter_refused_total{$}[5m])) + sum by (limiter) (rate(limiter_granted_total{$}[5m]))) > 0.01",
        lasting: "5m",
        severity: Severity::Critical,
        summary: "Limiter {{ $labels.limiter }} refuses {{ $value | humanizePercentage }} of calls",
        description: "The service is at its capacity: add some, or find what made calls slower.",
    },
    Alert {
        name: "RetriesExhausted",
        expr: "sum by (retry) (rate(retry_given_up_total{reason=~\"exhausted|deadline|budget\"$}[5m])) / sum by (retry) (rate(retry_calls_total{$}[5m])) > 0.05",
        lasting: "5m",
        severity: Severity::Warning,
        summary: "{{ $value | humanizePercentage }} of the calls of {{ $labels.retry }} fail in spite of retries",
        description: "What is called is down for longer than retries bridge, or their budget is spent.",
    },
    Alert {
        name: "PoolNearlyUsedUp",
        expr: "sum by (pool) (avg_over_time(pool_in_use{$}[5m])) / sum by (pool) (avg_over_time(pool_max_size{$}[5m])) > 0.8",
        lasting: "5m",
        severity: Severity::Warning,
        summary: "Pool {{ $labels.pool }} is used at {{ $value | humanizePercentage }}",
        description: "Hold connections for less time, or make the pool larger if the server allows.",
    },
    Alert {
        name: "PoolTimeouts",
        expr: "sum by (pool) (increase(pool_acquire_failures_total{reason=\"wait_timeout\"$}[5m])) > 0",
        lasting: "1m",
        severity: Severity::Critical,
        summary: "Callers of pool {{ $labels.pool }} give up waiting",
        description: "All connections were in use for as long as a caller may wait.",
    },
    Alert {
        name: "PoolCannotConnect",
        expr: "sum by (pool) (increase(pool_acquire_failures_total{reason=~\"connect_error|connect_timeout\"$}[5m])) > 0",
        lasting: "1m",
        severity: Severity::Critical,
        summary: "Pool {{ $labels.pool }} cannot connect",
        description: "Is the server up and reachable, and does it have connections left?",
    },
    Alert {
        name: "ConnectionLeak",
        expr: "sum by (pool) (rate(pool_leaks_total{$}[10m])) > 0",
        lasting: "1m",
        severity: Severity::Warning,
        summary: "Connections of pool {{ $labels.pool }} are held for too long",
        description: "The log has the place in the source where each was taken.",
    },
];
