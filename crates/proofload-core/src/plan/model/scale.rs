//! The same phase with more or less load.

use super::{ArrivalLoad, Burst, BurstSize, Load, Phase, RateStage, UserLoad, UserStage};

impl Phase {
    /// This part of each step, at its beginning, is not looked at when the step is judged: the service gets
    /// used to the load. A fifth.
    pub const STEP_WARM_UP: u32 = 5;

    /// The phase with `factor` times its users and arrivals: stages, bursts, and the most users that
    /// serve arrivals. What is to be done in all stays the same (iterations, shared ones and each
    /// user's own; a limit on arrivals), and so does the time it takes. Users are rounded to whole
    /// ones, and some stay some: at least one. Kinds with a fixed count keep it.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Self {
        let load = match &self.load {
            Load::Users(load) => Load::Users(UserLoad {
                stages: load
                    .stages
                    .iter()
                    .map(|&UserStage { users, over }| UserStage {
                        users: times(users, factor),
                        over,
                    })
                    .collect(),
                ..load.clone()
            }),
            &Load::SharedIterations { users, iterations, max_duration } => {
                Load::SharedIterations { users: times(users, factor), iterations, max_duration }
            }
            Load::Arrivals(load) => Load::Arrivals(ArrivalLoad {
                stages: load
                    .stages
                    .iter()
                    .map(|stage| RateStage { per_second: stage.per_second * factor, ..*stage })
                    .collect(),
                max_users: times(load.max_users, factor),
                ..load.clone()
            }),
        };
        let bursts = self.bursts.iter().map(|&burst| scaled_burst(burst, factor)).collect();
        Self { load, bursts, ..self.clone() }
    }
}

fn scaled_burst(burst: Burst, factor: f64) -> Burst {
    let size = match burst.size {
        BurstSize::Requests(requests) => BurstSize::Requests(times(requests, factor)),
        BurstSize::Users { users, lasts } => {
            BurstSize::Users { users: times(users, factor), lasts }
        }
        BurstSize::Rate { per_second, lasts } => {
            BurstSize::Rate { per_second: per_second * factor, lasts }
        }
    };
    Burst { size, ..burst }
}

/// Whole things: none of none, at least one of some.
fn times(count: u32, factor: f64) -> u32 {
    // The conversion saturates.
    if count == 0 { 0 } else { ((f64::from(count) * factor).round() as u32).max(1) }
}

#[cfg(test)]
mod tests {
    use super::times;

    #[test]
    fn some_stay_some() {
        for (count, factor, expect) in [
            (0, 100.0, 0),
            (1, 0.01, 1),
            (10, 1.1, 11),
            (10, 0.25, 3),
            (3, 1.0, 3),
            (7, 2.0, 14),
            (u32::MAX, 2.0, u32::MAX),
        ] {
            assert_eq!(times(count, factor), expect, "{count} × {factor}");
        }
    }
}
