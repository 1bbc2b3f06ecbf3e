//! What a circuit breaker counts, and how its registry shows it.

use tokio::time::Instant;

use super::{State, handle::Inner, machine::Machine};
use crate::registry::{Component, Families};

/// What a circuit breaker has counted since it was built, and its present rates.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct CircuitBreakerStats {
    /// What it does at present.
    pub state: State,
    /// Calls that succeeded.
    pub successes: u64,
    /// Calls that failed.
    pub failures: u64,
    /// Calls that said nothing of the backend, or were given up.
    pub ignored: u64,
    /// Calls that took longer than a slow call may, whatever they ended like.
    pub slow: u64,
    /// Calls that ended after the state they were let through in: counted above, but in no window.
    pub late: u64,
    /// Calls that were refused.
    pub refused: u64,
    /// Part of the window's calls that failed, 0 to 1. Of the probes while half-open.
    pub failure_rate: f64,
    /// Part of the window's calls that were slow, 0 to 1. Of the probes while half-open.
    pub slow_rate: f64,
    transitions_to: [u64; State::ALL.len()],
}

impl CircuitBreakerStats {
    /// How often it went into this state.
    #[must_use]
    pub fn transitions_to(&self, state: State) -> u64 {
        self.transitions_to[state as usize]
    }
}

impl Inner {
    pub(super) fn stats(&self) -> CircuitBreakerStats {
        let now = Instant::now();
        let look = |machine: &mut Machine| (machine.state(), machine.totals(), machine.tally(now));
        let (state, totals, tally) = self.look(now, look);
        CircuitBreakerStats {
            state,
            successes: totals.successes,
            failures: totals.failures,
            ignored: totals.ignored,
            slow: totals.slow,
            late: totals.late,
            refused: self.refused.sum(),
            failure_rate: tally.failure_rate(),
            slow_rate: tally.slow_rate(),
            transitions_to: totals.transitions_to,
        }
    }
}

impl Component for Inner {
    fn name(&self) -> &str {
        &self.name
    }

    fn collect(&self, families: &mut Families) {
        let stats = self.stats();
        let breaker = ("breaker", self.name.as_str());
        for &state in State::ALL {
            let state_label = ("state", state.as_str());
            families.gauge(
                "circuit_breaker_state",
                "1 for the state the circuit breaker is in, 0 for the others.",
                &[breaker, state_label],
                f64::from(u8::from(stats.state == state)),
            );
            families.counter(
                "circuit_breaker_transitions",
                "Times the circuit breaker went into a state.",
                &[breaker, state_label],
                stats.transitions_to(state),
            );
        }
        let outcomes = [
            ("success", stats.successes),
            ("failure", stats.failures),
            ("ignored", stats.ignored),
            ("refused", stats.refused),
        ];
        for (outcome, count) in outcomes {
            families.counter(
                "circuit_breaker_calls",
                "Calls by what they ended like; refused ones were not made.",
                &[breaker, ("outcome", outcome)],
                count,
            );
        }
        let one = [breaker];
        families.counter(
            "circuit_breaker_slow_calls",
            "Calls that took longer than a slow call may.",
            &one,
            stats.slow,
        );
        families.counter(
            "circuit_breaker_late_calls",
            "Calls that ended after the state they began in, and so were in no window.",
            &one,
            stats.late,
        );
        families.gauge(
            "circuit_breaker_failure_ratio",
            "Part of the window's calls that failed, 0 to 1.",
            &one,
            stats.failure_rate,
        );
        families.gauge(
            "circuit_breaker_slow_call_ratio",
            "Part of the window's calls that were slow, 0 to 1.",
            &one,
            stats.slow_rate,
        );
    }
}
