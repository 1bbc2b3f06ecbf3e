//! How many users a service holds: the largest step whose limits are kept, and those of all before it.

use crate::result::PhaseResult;

/// What a step has to keep.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeldLimits {
    /// The 99th percentile of the response time stays below, in milliseconds.
    pub p99_ms: f64,
    /// The success rate is at least this, 0…1.
    pub success_rate: f64,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Held {
    /// Users of the largest step that was held; none if not even the first was.
    pub users: Option<u32>,
    /// The first step that was not held, and why.
    pub broken: Option<(u32, String)>,
}

/// How many users a phase in steps shows to be held. A step that was not run to its end, or in which
/// nothing was measured, is not held.
#[must_use]
pub fn held(phase: &PhaseResult, limits: &HeldLimits) -> Held {
    let mut found = Held::default();
    for step in &phase.steps {
        let Some(users) = step.users else { continue };
        let (p99_ms, success) = (step.p99_latency_ms, step.success_rate);
        let why = match (p99_ms, success) {
            (Some(p99_ms), _) if p99_ms >= limits.p99_ms => {
                Some(format!("P99 {}", crate::units::human_ns(p99_ms * 1e6)))
            }
            (_, Some(rate)) if rate < limits.success_rate => {
                Some(format!("{} succeed", crate::units::human_ratio(rate)))
            }
            (Some(_), Some(_)) if step.completed => None,
            (Some(_), Some(_)) => Some("not run to its end".to_owned()),
            _ => Some("nothing was measured".to_owned()),
        };
        match why {
            None => found.users = Some(users),
            Some(why) => {
                found.broken = Some((users, why));
                break;
            }
        }
    }
    found
}
