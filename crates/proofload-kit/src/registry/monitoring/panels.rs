//! What the dashboard shows, as data: a section for each kind of part, questions from the outside in.

/// Panels under one heading.
pub(super) struct Section {
    pub(super) title: &'static str,
    pub(super) panels: &'static [Panel],
}

/// One picture.
pub(super) struct Panel {
    pub(super) title: &'static str,
    pub(super) description: &'static str,
    pub(super) unit: Unit,
    /// Drawn as a red line: where the alert rules have their bound.
    pub(super) bound: Option<f64>,
    /// Expressions as `promql` reads them, each with its legend.
    pub(super) queries: &'static [(&'static str, &'static str)],
}

#[derive(Clone, Copy)]
pub(super) enum Unit {
    PerSecond,
    Share,
    Seconds,
    Number,
}

impl Unit {
    /// As Grafana calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::PerSecond => "ops",
            Self::Share => "percentunit",
            Self::Seconds => "s",
            Self::Number => "short",
        }
    }
}

pub(super) const SECTIONS: &[Section] =
    &[HTTP, CACHES, SHARED_CACHE, BREAKERS, LIMITERS, RETRIES, POOLS];

const HTTP: Section = Section {
    title: "Requests",
    panels: &[
        Panel {
            title: "Requests by status",
            description: "Answers by status. `error`: the service failed without one; `cancelled`: the client had gone.",
            unit: Unit::PerSecond,
            bound: None,
            queries: &[("sum by (status) (rate(http_requests_total{$}[w]))", "{{status}}")],
        },
        Panel {
            title: "Failed requests",
            description: "Part of the requests of a route that were answered 5xx or not at all.",
            unit: Unit::Share,
            bound: Some(0.01),
            queries: &[(
                "sum by (route) (rate(http_requests_total{status=~\"5..|error\"$}[w])) / sum by (route) (rate(http_requests_total{$}[w]))",
                "{{route}}",
            )],
        },
        Panel {
            title: "Time to answer",
            description: "From a request until its response begins.",
            unit: Unit::Seconds,
            bound: None,
            queries: &[
                (
                    "histogram_quantile(0.5, sum by (le) (rate(http_request_duration_seconds_bucket{$}[w])))",
                    "p50",
                ),
                (
                    "histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket{$}[w])))",
                    "p95",
                ),
                (
                    "histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket{$}[w])))",
                    "p99",
                ),
            ],
        },
        Panel {
            title: "Requests by route",
            description: "",
            unit: Unit::PerSecond,
            bound: None,
            queries: &[("sum by (route) (rate(http_requests_total{$}[w]))", "{{route}}")],
        },
        Panel {
            title: "Slowest routes",
            description: "p99 of the ten slowest.",
            unit: Unit::Seconds,
            bound: None,
            queries: &[(
                "topk(10, histogram_quantile(0.99, sum by (le, route) (rate(http_request_duration_seconds_bucket{$}[w]))))",
                "{{route}}",
            )],
        },
        Panel {
            title: "In flight",
            description: "Requests being answered now.",
            unit: Unit::Number,
            bound: None,
            queries: &[("sum(http_requests_in_flight{$})", "requests")],
        },
    ],
};

const CACHES: Section = Section {
    title: "Caches",
    panels: &[
        Panel {
            title: "Hit rate",
            description: "Part of the lookups that memory answered, stale values and known absences included.",
            unit: Unit::Share,
            bound: Some(0.5),
            queries: &[(
                "1 - sum by (cache) (rate(cache_misses_total{$}[w])) / (sum by (cache) (rate(cache_hits_total{$}[w])) + sum by (cache) (rate(cache_stale_hits_total{$}[w])) + sum by (cache) (rate(cache_negative_hits_total{$}[w])) + sum by (cache) (rate(cache_misses_total{$}[w])))",
                "{{cache}}",
            )],
        },
        Panel {
            title: "Lookups",
            description: "How lookups were answered.",
            unit: Unit::PerSecond,
            bound: None,
            queries: &[
                ("sum(rate(cache_hits_total{$}[w]))", "hit"),
                ("sum(rate(cache_stale_hits_total{$}[w]))", "stale"),
                ("sum(rate(cache_negative_hits_total{$}[w]))", "known absent"),
                ("sum(rate(cache_misses_total{$}[w]))", "miss"),
            ],
        },
        Panel {
            title: "Stale answers",
            description: "Answers from values past their time, while a new one is loaded or cannot be.",
            unit: Unit::PerSecond,
            bound: None,
            queries: &[("sum by (cache) (rate(cache_stale_hits_total{$}[w]))", "{{cache}}")],
        },
        Panel {
            title: "Loads",
            description: "Loads from the source, those that failed, and callers that shared another's load.",
            unit: Unit::PerSecond,
            bound: None,
            queries: &[
                ("sum by (cache) (rate(cache_load_duration_seconds_count{$}[w]))", "{{cache}}"),
                ("sum by (cache) (rate(cache_load_failures_total{$}[w]))", "{{cache}}: failed"),
                ("sum by (cache) (rate(cache_coalesced_total{$}[w]))", "{{cache}}: shared"),
            ],
        },
        Panel {
            title: "Time of a load",
            description: "p95 of loads from the source.",
            unit: Unit::Seconds,
            bound: None,
            queries: &[(
                "histogram_quantile(0.95, sum by (le, cache) (rate(cache_load_duration_seconds_bucket{$}[w])))",
                "{{cache}}",
            )],
        },
        Panel {
            title: "Entries",
            description: "Entries in memory.",
            unit: Unit::Number,
            bound: None,
            queries: &[("sum by (cache) (cache_entries{$})", "{{cache}}")],
        },
        Panel {
            title: "Weight",
            description: "Weight of the entries in memory, in the unit of the cache.",
            unit: Unit::Number,
            bound: None,
            queries: &[("sum by (cache) (cache_weight{$})", "{{cache}}")],
        },
        Panel {
            title: "Entries that went",
            description: "Evicted entries were still of use: the cache is too small if there are many.",
            unit: Unit::PerSecond,
            bound: None,
            queries: &[
                ("sum by (cache) (rate(cache_evictions_total{$}[w]))", "{{cache}}: evicted"),
                ("sum by (cache) (rate(cache_expirations_total{$}[w]))", "{{cache}}: expired"),
                (
                    "sum by (cache) (rate(cache_invalidations_total{$}[w]))",
                    "{{cache}}: invalidated",
                ),
            ],
        },
    ],
};

const SHARED_CACHE: Section = Section {
    title: "Shared cache (Redis)",
    panels: &[
        Panel {
            title: "Available",
            description: "0 while Redis is given up for the moment; the service works on from memory and source.",
            unit: Unit::Number,
            bound: None,
            queries: &[("min by (redis) (cache_redis_available{$})", "{{redis}}")],
        },
        Panel {
            title: "Answers of the shared layer",
            description: "Misses of memory that Redis answered, and those it could not.",
            unit: Unit::PerSecond,
            bound: None,
            queries: &[
                ("sum by (cache) (rate(cache_remote_hits_total{$}[w]))", "{{cache}}: hit"),
                ("sum by (cache) (rate(cache_remote_misses_total{$}[w]))", "{{cache}}: miss"),
                ("sum by (cache) (rate(cache_remote_errors_total{$}[w]))", "{{cache}}: error"),
            ],
        },
        Panel {
            title: "Time of a command",
            description: "p99, given up ones included.",
            unit: Unit::Seconds,
            bound: None,
            queries: &[(
                "histogram_quantile(0.99, sum by (le, redis) (rate(cache_redis_answer_seconds_bucket{$}[w])))",
                "{{redis}}",
            )],
        },
        Panel {
            title: "Failures",
            description: "Commands that failed, by kind, and commands that were not sent during an outage.",
            unit: Unit::PerSecond,
            bound: None,
            queries: &[
                (
                    "sum by (redis, kind) (rate(cache_redis_failures_total{$}[w]))",
                    "{{redis}}: {{kind}}",
                ),
                ("sum by (redis) (rate(cache_redis_skipped_total{$}[w]))", "{{redis}}: not sent"),
            ],
        },
    ],
};

const BREAKERS: Section = Section {
    title: "Circuit breakers",
    panels: &[
        Panel {
            title: "Not closed",
            description: "Breakers that are open (calls are refused) or half open (a few are tried).",
            unit: Unit::Number,
            bound: None,
            queries: &[(
                "max by (breaker, state) (circuit_breaker_state{state!~\"closed|forced_closed\"$})",
                "{{breaker}}: {{state}}",
            )],
        },
        Panel {
            title: "Calls by outcome",
            description: "Refused calls were not made.",
            unit: Unit::PerSecond,
            bound: None,
            queries: &[(
                "sum by (breaker, outcome) (rate(circuit_breaker_calls_total{$}[w]))",
                "{{breaker}}: {{outcome}}",
            )],
        },
        Panel {
            title: "Failing and slow calls",
            description: "Parts of the calls in the breaker's window.",
            unit: Unit::Share,
            bound: None,
            queries: &[
                ("max by (breaker) (circuit_breaker_failure_ratio{$})", "{{breaker}}: failed"),
                ("max by (breaker) (circuit_breaker_slow_call_ratio{$})", "{{breaker}}: slow"),
            ],
        },
        Panel {
            title: "Transitions",
            description: "Times a breaker went into a state.",
            unit: Unit::Number,
            bound: None,
            queries: &[(
                "sum by (breaker, state) (increase(circuit_breaker_transitions_total{$}[w]))",
                "{{breaker}}: {{state}}",
            )],
        },
    ],
};

const LIMITERS: Section = Section {
    title: "Limiters and queues",
    panels: &[
        Panel {
            title: "Queue",
            description: "Callers that wait for a permit.",
            unit: Unit::Number,
            bound: Some(100.0),
            queries: &[("sum by (limiter) (limiter_queued{$})", "{{limiter}}")],
        },
        Panel {
            title: "Permits",
            description: "Calls at a time, and how many there may be.",
            unit: Unit::Number,
            bound: None,
            queries: &[
                ("sum by (limiter) (limiter_in_use{$})", "{{limiter}}"),
                ("sum by (limiter) (limiter_limit{$})", "{{limiter}}: limit"),
            ],
        },
        Panel {
            title: "Refused",
            description: "Calls refused because the queue was full or their time was over, and callers that left.",
            unit: Unit::PerSecond,
            bound: None,
            queries: &[
                (
                    "sum by (limiter, reason) (rate(limiter_refused_total{$}[w]))",
                    "{{limiter}}: {{reason}}",
                ),
                ("sum by (limiter) (rate(limiter_given_up_total{$}[w]))", "{{limiter}}: left"),
            ],
        },
        Panel {
            title: "Time in the queue",
            description: "p95 of those that had to wait.",
            unit: Unit::Seconds,
            bound: None,
            queries: &[(
                "histogram_quantile(0.95, sum by (le, limiter) (rate(limiter_wait_seconds_bucket{$}[w])))",
                "{{limiter}}",
            )],
        },
    ],
};

const RETRIES: Section = Section {
    title: "Retries",
    panels: &[
        Panel {
            title: "Calls and retries",
            description: "Calls, tries after the first ones, and calls that a retry saved.",
            unit: Unit::PerSecond,
            bound: None,
            queries: &[
                ("sum by (retry) (rate(retry_calls_total{$}[w]))", "{{retry}}: calls"),
                ("sum by (retry) (rate(retry_retries_total{$}[w]))", "{{retry}}: retries"),
                ("sum by (retry) (rate(retry_recovered_total{$}[w]))", "{{retry}}: saved"),
            ],
        },
        Panel {
            title: "Given up",
            description: "Calls that failed, by why they were not tried again.",
            unit: Unit::PerSecond,
            bound: None,
            queries: &[(
                "sum by (retry, reason) (rate(retry_given_up_total{$}[w]))",
                "{{retry}}: {{reason}}",
            )],
        },
        Panel {
            title: "Budget",
            description: "Retries left. Without any, a failing service is not made worse by retries.",
            unit: Unit::Number,
            bound: None,
            queries: &[("min by (retry) (retry_budget{$})", "{{retry}}")],
        },
    ],
};

const POOLS: Section = Section {
    title: "Connection pools",
    panels: &[
        Panel {
            title: "Use",
            description: "Part of the connections in use.",
            unit: Unit::Share,
            bound: Some(0.8),
            queries: &[(
                "sum by (pool) (pool_in_use{$}) / sum by (pool) (pool_max_size{$})",
                "{{pool}}",
            )],
        },
        Panel {
            title: "Connections",
            description: "In use, idle, and callers for whom there is no room.",
            unit: Unit::Number,
            bound: None,
            queries: &[
                ("sum by (pool) (pool_in_use{$})", "{{pool}}: in use"),
                ("sum by (pool) (pool_idle{$})", "{{pool}}: idle"),
                ("sum by (pool) (pool_waiting{$})", "{{pool}}: waiting"),
            ],
        },
        Panel {
            title: "Time until there is a connection",
            description: "p95 of all callers, those that got none included.",
            unit: Unit::Seconds,
            bound: None,
            queries: &[(
                "histogram_quantile(0.95, sum by (le, pool) (rate(pool_wait_seconds_bucket{$}[w])))",
                "{{pool}}",
            )],
        },
        Panel {
            title: "Time a connection is held",
            description: "p95. The longer, the fewer callers a pool of a size can serve.",
            unit: Unit::Seconds,
            bound: None,
            queries: &[(
                "histogram_quantile(0.95, sum by (le, pool) (rate(pool_held_seconds_bucket{$}[w])))",
                "{{pool}}",
            )],
        },
        Panel {
            title: "Callers without a connection",
            description: "By reason.",
            unit: Unit::PerSecond,
            bound: None,
            queries: &[(
                "sum by (pool, reason) (rate(pool_acquire_failures_total{$}[w]))",
                "{{pool}}: {{reason}}",
            )],
        },
        Panel {
            title: "Connections made and thrown away",
            description: "Thrown away because their check failed or because of their age.",
            unit: Unit::PerSecond,
            bound: None,
            queries: &[
                ("sum by (pool) (rate(pool_created_total{$}[w]))", "{{pool}}: made"),
                ("sum by (pool) (rate(pool_recycle_failures_total{$}[w]))", "{{pool}}: bad"),
                ("sum by (pool) (rate(pool_expired_total{$}[w]))", "{{pool}}: old"),
            ],
        },
        Panel {
            title: "Leaks and alerts",
            description: "Connections held for too long (the log has the place in the source), and times use became high.",
            unit: Unit::Number,
            bound: None,
            queries: &[
                ("sum by (pool) (increase(pool_leaks_total{$}[w]))", "{{pool}}: leaks"),
                ("sum by (pool) (increase(pool_alerts_total{$}[w]))", "{{pool}}: alerts"),
            ],
        },
    ],
};
