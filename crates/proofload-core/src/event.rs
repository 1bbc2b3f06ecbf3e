//! What happens in a run, told to whoever renders it.
//!
//! One vocabulary for all: the console's progress line, the live page and the journal. Renderers know
//! the plan; events only say what cannot be known from it.

use std::time::Duration;

use crate::metrics::{GeneratorStats, IterationStats, RequestStats};

/// Something that happened in a run.
#[derive(Clone, Debug, PartialEq)]
pub enum RunEvent {
    /// A phase begins.
    PhaseStarted {
        /// Its place in the plan.
        phase: usize,
    },
    /// An interval of a phase, about a second, has been measured by all workers.
    Interval(Box<Interval>),
    /// The schedule of a phase has ended or was ended; requests in flight may finish.
    PhaseEnded {
        /// Its place in the plan.
        phase: usize,
    },
    /// Something the user should know now rather than in the report.
    Notice(String),
}

/// What was measured in one interval of a phase, by all workers together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Interval {
    /// The phase's place in the plan.
    pub phase: usize,
    /// When it began, since the start of the phase.
    pub start: Duration,
    /// How long it was; about a second, less for the last of a phase.
    pub length: Duration,
    /// Users there were at its end.
    pub users_active: u32,
    /// All requests that ended in it. Checks are those of all series by index and mean nothing here.
    pub requests: RequestStats,
    /// Iterations that ended in it.
    pub iterations: IterationStats,
    /// How the load generator did.
    pub generator: GeneratorStats,
}

impl Interval {
    /// Requests a second; zero for an interval without length.
    #[must_use]
    pub fn requests_per_second(&self) -> f64 {
        let seconds = self.length.as_secs_f64();
        if seconds > 0.0 { self.requests.requests() as f64 / seconds } else { 0.0 }
    }
}
