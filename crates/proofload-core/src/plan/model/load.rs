//! Phases: how much load, when, and who makes it.

use std::sync::Arc;
use std::time::Duration;

use super::ThinkTime;
use crate::schedule::MixEntry;
use crate::verdict::{Bound, Expectation, Measure};

/// One part of a run, with its own load and its own expectations.
#[derive(Clone, Debug, PartialEq)]
pub struct Phase {
    /// Unique among phases.
    pub name: Arc<str>,
    /// How much load, when.
    pub load: Load,
    /// Who makes it, by index into [`Plan::users`](super::Plan::users) and, behind those, into
    /// [`Plan::other_kinds`](super::Plan::other_kinds); at least one with a weight or a count above 0.
    pub kinds: Vec<MixEntry>,
    /// Load on top of `load`, at given times.
    pub bursts: Vec<Burst>,
    /// What the phase must hold.
    pub expect: Vec<Expectation>,
    /// The phase ends early, without blame, when one of these holds: over the current step where
    /// the load rises in steps, else over the last 10 s.
    pub stop_when: Vec<StopRule>,
    /// The load rises in steps of this length, and each is judged by itself: after a warm-up within
    /// the step, `stop_when` looks at the current step only. The stages of `load` have the steps in
    /// them.
    pub step_every: Option<Duration>,
    /// How long requests in flight may take at the end before they are cut off.
    pub graceful_stop: Duration,
    /// Instead of the kinds' and tasks' think times.
    pub think_time: Option<ThinkTime>,
    /// End the whole run as soon as an expectation's limit is broken for good.
    pub abort_on_fail: bool,
    /// How long to wait before `abort_on_fail` looks for the first time.
    pub abort_delay: Duration,
}

/// A limit that ends a phase: the breaking point of a stress test.
#[derive(Clone, Debug, PartialEq)]
pub struct StopRule {
    /// What is measured.
    pub measure: Measure,
    /// The phase ends when this holds.
    pub bound: Bound,
}

/// How much load, when.
#[derive(Clone, Debug, PartialEq)]
pub enum Load {
    /// Closed model: so many users, each waits for its answer before it asks again.
    Users(UserLoad),
    /// Closed model: so many iterations, shared by all users as they come.
    SharedIterations {
        /// How many users share; above 0, all from the start.
        users: u32,
        /// How many iterations together; above 0.
        iterations: u64,
        /// Time after which it ends all the same; `None` waits for the last iteration.
        max_duration: Option<Duration>,
    },
    /// Open model: iterations start at a given rate, whether or not the service keeps up.
    Arrivals(ArrivalLoad),
}

/// Closed model. The number of users is 0 at the start and then follows the stages.
#[derive(Clone, Debug, PartialEq)]
pub struct UserLoad {
    /// Piecewise linear; empty only if `iterations_per_user` is given with `start_users`.
    pub stages: Vec<UserStage>,
    /// Each user stops after so many iterations; the phase ends with the last of them. The stages
    /// bound how long it may take; see `unbounded`.
    pub iterations_per_user: Option<u64>,
    /// The last stage's number of users stays until all iterations are done. Only with
    /// `iterations_per_user`.
    pub unbounded: bool,
}

/// A straight line from the number of users before to `users`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserStage {
    /// Users at the end of the stage.
    pub users: u32,
    /// Length; zero jumps.
    pub over: Duration,
}

/// Open model. The rate is 0 at the start and then follows the stages.
#[derive(Clone, Debug, PartialEq)]
pub struct ArrivalLoad {
    /// Piecewise linear; at least one with a length.
    pub stages: Vec<RateStage>,
    /// Most virtual users at work at once; above 0.
    pub max_users: u32,
    /// How arrivals are spread.
    pub spacing: Spacing,
    /// What happens to an arrival when all virtual users are at work.
    pub overload: Overload,
    /// End after this many arrivals, if the stages have not ended by then.
    pub max_arrivals: Option<u64>,
}

/// A straight line from the rate before to `per_second`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateStage {
    /// Iterations a second at the end of the stage; finite, not negative.
    pub per_second: f64,
    /// Length; zero jumps.
    pub over: Duration,
}

/// How arrivals are spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spacing {
    /// As even as the rate allows.
    Even,
    /// Independent of each other (exponential gaps), as real visitors come.
    Poisson,
}

impl Spacing {
    /// Every spacing with its word in a plan.
    pub const WORDS: &'static [(&'static str, Self)] =
        &[("even", Self::Even), ("poisson", Self::Poisson)];
}

/// What happens to an arrival when all virtual users are at work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overload {
    /// It waits, and its response time counts from the intended start.
    Queue {
        /// How many may wait; those beyond are dropped and counted.
        limit: u32,
    },
    /// It is dropped and counted, as k6 does.
    Drop,
}

/// Load on top of a phase's steady load.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Burst {
    /// How much.
    pub size: BurstSize,
    /// When the first begins, from the start of the phase.
    pub first_at: Duration,
    /// Time from one to the next; `None` for a single burst. Longer than the burst.
    pub every: Option<Duration>,
}

/// How much a burst adds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum BurstSize {
    /// So many iterations at once.
    Requests(u32),
    /// So many more users for a while (closed model).
    Users {
        /// How many more.
        users: u32,
        /// For how long; above zero.
        lasts: Duration,
    },
    /// So many more arrivals a second for a while (open model).
    Rate {
        /// How many more a second.
        per_second: f64,
        /// For how long; above zero.
        lasts: Duration,
    },
}

impl Load {
    /// How long the load lasts by the clock; `None` if it ends when its work is done.
    #[must_use]
    pub fn duration(&self) -> Option<Duration> {
        match self {
            Self::Users(load) if load.unbounded => None,
            Self::Users(load) => Some(load.stages.iter().map(|s| s.over).sum()),
            Self::SharedIterations { max_duration, .. } => *max_duration,
            Self::Arrivals(load) => Some(load.stages.iter().map(|s| s.over).sum()),
        }
    }

    /// The most users at once: the peak in the closed model, the allowance in the open one. Bursts
    /// not counted.
    #[must_use]
    pub fn peak_users(&self) -> u32 {
        match self {
            Self::Users(load) => load.stages.iter().map(|s| s.users).max().unwrap_or(0),
            Self::SharedIterations { users, .. } => *users,
            Self::Arrivals(load) => load.max_users,
        }
    }

    /// The highest rate, arrivals a second; `None` in the closed model.
    #[must_use]
    pub fn peak_rate(&self) -> Option<f64> {
        match self {
            Self::Arrivals(load) => {
                Some(load.stages.iter().map(|s| s.per_second).fold(0.0, f64::max))
            }
            Self::Users(_) | Self::SharedIterations { .. } => None,
        }
    }
}
