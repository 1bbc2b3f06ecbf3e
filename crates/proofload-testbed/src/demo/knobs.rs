//! What can be set while the demo runs, to provoke limits, errors and stalls.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// How the service behaves under all its endpoints except `/`, `/health`, `/metrics` and `/admin`.
///
/// As JSON (`GET` and `POST /admin/knobs`), durations are numbers of milliseconds under the name of
/// the field with `_ms` appended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Knobs {
    /// The least a request takes.
    #[serde(rename = "latency_ms", with = "milliseconds")]
    pub latency: Duration,
    /// Added to the latency: uniformly between nothing and this.
    #[serde(rename = "jitter_ms", with = "milliseconds")]
    pub jitter: Duration,
    /// Share of requests, from 0 to 1, that take `slow_latency` instead of `latency`.
    pub slow_share: f64,
    /// The least a slow request takes.
    #[serde(rename = "slow_latency_ms", with = "milliseconds")]
    pub slow_latency: Duration,
    /// Share of requests, from 0 to 1, that are answered 500.
    pub error_rate: f64,
    /// Most requests served at a time; `None` (JSON `null`) is without limit. Others wait.
    pub capacity: Option<usize>,
    /// Most requests that wait for capacity; further ones are answered 503 with `Retry-After`.
    pub queue: usize,
    /// From the start of one stall to the next; zero for no stalls. Measured from when it was set.
    #[serde(rename = "stall_every_ms", with = "milliseconds")]
    pub stall_every: Duration,
    /// How long a stall lasts, at the end of each `stall_every`. Requests that arrive within it
    /// wait until it ends.
    #[serde(rename = "stall_ms", with = "milliseconds")]
    pub stall: Duration,
    /// What a chat answer costs that is not in the cache.
    #[serde(rename = "miss_latency_ms", with = "milliseconds")]
    pub miss_latency: Duration,
    /// What a simple analytics query costs that is not in the cache; heavy ones cost twice that.
    #[serde(rename = "query_latency_ms", with = "milliseconds")]
    pub query_latency: Duration,
    /// What checking the message of a webhook costs that is not in the cache; zero checks it here,
    /// without the backend.
    #[serde(rename = "check_latency_ms", with = "milliseconds")]
    pub check_latency: Duration,
    /// Share of calls of the backend, from 0 to 1, that fail.
    pub backend_error_rate: f64,
    /// Connections to the backend; each call holds one while it lasts. `None` (JSON `null`) has as
    /// many as there are calls.
    pub connections: Option<usize>,
    /// Longest wait for a connection, then 503; zero waits for as long as it takes.
    #[serde(rename = "connection_wait_ms", with = "milliseconds")]
    pub connection_wait: Duration,
    /// Whether a circuit breaker leaves the backend alone for a while when it fails too often.
    pub breaker: bool,
    /// Whether the caches are used at all.
    pub cache: bool,
}

impl Default for Knobs {
    fn default() -> Self {
        Self {
            latency: Duration::from_millis(2),
            jitter: Duration::from_millis(2),
            slow_share: 0.0,
            slow_latency: Duration::from_millis(100),
            error_rate: 0.0,
            capacity: None,
            queue: 1_000,
            stall_every: Duration::ZERO,
            stall: Duration::ZERO,
            miss_latency: Duration::from_millis(40),
            query_latency: Duration::from_millis(8),
            check_latency: Duration::ZERO,
            backend_error_rate: 0.0,
            connections: None,
            connection_wait: Duration::ZERO,
            breaker: true,
            cache: true,
        }
    }
}

/// Why knobs were refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadKnobs(String);

impl std::fmt::Display for BadKnobs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadKnobs {}

impl Knobs {
    /// A service as it is before anybody made it hold its load: a backend that takes its time, few
    /// connections to it, no cache, and no bound on who waits.
    #[must_use]
    pub fn before() -> Self {
        Self {
            miss_latency: Duration::from_millis(500),
            check_latency: Duration::from_millis(200),
            connections: Some(5),
            breaker: false,
            cache: false,
            ..Self::default()
        }
    }

    /// The same service on the same backend with what the kit gives it: a cache, a pool of the size that the
    /// load needs, and bounds on who waits and for how long.
    #[must_use]
    pub fn after() -> Self {
        Self {
            connections: Some(80),
            connection_wait: Duration::from_secs(1),
            breaker: true,
            cache: true,
            capacity: Some(200),
            queue: 400,
            ..Self::before()
        }
    }

    /// No latency, no misses' cost, no errors: as quick as the machine allows.
    #[must_use]
    pub fn instant() -> Self {
        Self {
            latency: Duration::ZERO,
            jitter: Duration::ZERO,
            miss_latency: Duration::ZERO,
            query_latency: Duration::ZERO,
            ..Self::default()
        }
    }

    /// These knobs with the given keys changed.
    ///
    /// # Errors
    /// For an unknown key, a wrong type or an impossible value; nothing is changed then.
    pub fn updated(&self, changes: &Map<String, Value>) -> Result<Self, BadKnobs> {
        let mut all = match serde_json::to_value(self) {
            Ok(Value::Object(all)) => all,
            _ => Map::new(),
        };
        all.extend(changes.clone());
        let knobs: Self = serde_json::from_value(Value::Object(all))
            .map_err(|error| BadKnobs(error.to_string()))?;
        knobs.checked()
    }

    /// These knobs, if they are possible.
    ///
    /// # Errors
    /// When a share is not within 0 and 1, the capacity is 0, or a stall is not shorter than its
    /// period.
    pub fn checked(self) -> Result<Self, BadKnobs> {
        for (name, share) in [
            ("slow_share", self.slow_share),
            ("error_rate", self.error_rate),
            ("backend_error_rate", self.backend_error_rate),
        ] {
            if !(0.0..=1.0).contains(&share) {
                return Err(BadKnobs(format!("{name} must be from 0 to 1, not {share}")));
            }
        }
        for (name, bound) in [("capacity", self.capacity), ("connections", self.connections)] {
            if bound == Some(0) {
                return Err(BadKnobs(format!("{name} must be at least 1, or null for no limit")));
            }
        }
        if !self.stall_every.is_zero() && self.stall >= self.stall_every {
            return Err(BadKnobs("stall_ms must be less than stall_every_ms".to_owned()));
        }
        Ok(self)
    }

    /// What is left of a stall for a request that arrives `since_set` after the knobs were set.
    #[must_use]
    pub fn stall_left(&self, since_set: Duration) -> Duration {
        if self.stall_every.is_zero() {
            return Duration::ZERO;
        }
        let into_period = since_set.as_nanos() % self.stall_every.as_nanos();
        let into_period = Duration::from_nanos(u64::try_from(into_period).unwrap_or(u64::MAX));
        let is_stalled = into_period >= self.stall_every - self.stall;
        if is_stalled { self.stall_every - into_period } else { Duration::ZERO }
    }
}

/// Durations as numbers of milliseconds.
mod milliseconds {
    use std::time::Duration;

    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    /// No knob needs more than a day.
    const MAX_MS: f64 = 86_400_000.0;

    pub(super) fn serialize<S: Serializer>(value: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(value.as_secs_f64() * 1e3)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        let milliseconds = f64::deserialize(from)?;
        if !(0.0..=MAX_MS).contains(&milliseconds) {
            return Err(D::Error::custom(format!(
                "a duration must be from 0 to {MAX_MS} ms, not {milliseconds}"
            )));
        }
        Ok(Duration::from_secs_f64(milliseconds / 1e3))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn update(changes: &Value) -> Result<Knobs, String> {
        let changes = changes.as_object().unwrap();
        Knobs::default().updated(changes).map_err(|error| error.to_string())
    }

    #[test]
    fn an_update_changes_what_it_names_and_nothing_else() {
        let changed = update(&json!({"latency_ms": 1.5, "capacity": 7})).unwrap();
        let expected =
            Knobs { latency: Duration::from_micros(1500), capacity: Some(7), ..Knobs::default() };
        assert_eq!(changed, expected);
        assert_eq!(update(&json!({})).unwrap(), Knobs::default());
        let unlimited = changed.updated(json!({"capacity": null}).as_object().unwrap()).unwrap();
        assert_eq!(unlimited.capacity, None);
    }

    #[test]
    fn impossible_knobs_are_refused() {
        for (changes, word) in [
            (json!({"latncy_ms": 1}), "latncy_ms"),
            (json!({"latency_ms": "1"}), "expected"),
            (json!({"latency_ms": -1}), "from 0 to"),
            (json!({"latency_ms": 1e300}), "from 0 to"),
            (json!({"error_rate": 1.1}), "error_rate"),
            (json!({"slow_share": -0.1}), "slow_share"),
            (json!({"capacity": 0}), "capacity"),
            (json!({"connections": 0}), "connections"),
            (json!({"backend_error_rate": 2}), "backend_error_rate"),
            (json!({"stall_every_ms": 100, "stall_ms": 100}), "stall_ms"),
        ] {
            let error = update(&changes).unwrap_err();
            assert!(error.contains(word), "{changes}: {error}");
        }
    }

    #[test]
    fn a_stall_is_the_end_of_each_period() {
        let ms = Duration::from_millis;
        let knobs = Knobs { stall_every: ms(5_000), stall: ms(1_000), ..Knobs::default() };
        for (arrival, left) in
            [(0, 0), (3_999, 0), (4_000, 1_000), (4_750, 250), (5_000, 0), (9_001, 999)]
        {
            assert_eq!(knobs.stall_left(ms(arrival)), ms(left), "arrival at {arrival} ms");
        }
        assert_eq!(Knobs::default().stall_left(ms(4_500)), Duration::ZERO);
    }
}
