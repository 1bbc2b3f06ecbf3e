//! What happens in a run, told to whoever renders, stores or forwards it.
//!
//! One vocabulary for all: the console's progress line, the live page, the journal and every output.
//! Listeners know the plan; events only say what cannot be known from it. Whoever hears all events can
//! build the same [`RunRecord`](crate::record::RunRecord) as the run itself keeps.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::metrics::{GeneratorStats, IntervalSnapshot, IterationStats, RequestStats};

/// Something that happened in a run. Cheap to clone.
#[derive(Clone, Debug, PartialEq)]
pub enum RunEvent {
    /// A phase begins.
    PhaseStarted {
        /// Its place in the plan.
        phase: usize,
        /// When, since the start of the run.
        at: Duration,
        /// How many shards will report its intervals.
        shards: u32,
    },
    /// What one shard measured in an interval: the whole truth, which all else is computed from.
    Snapshot(Arc<IntervalSnapshot>),
    /// An interval of a phase, about a second, has been measured by all shards.
    Interval(Arc<Interval>),
    /// A phase is over; all its intervals have been told.
    PhaseEnded {
        /// Its place in the plan.
        phase: usize,
        /// When, since the start of the run.
        at: Duration,
        /// Why it ended before its load was done; nothing if it was done.
        early: Option<String>,
    },
    /// Something that belongs on the time axis: an alert, a change of the load, a fault.
    Mark(Mark),
    /// The load was paused, resumed or scaled; a mark of kind [`MarkKind::Control`] tells people.
    Control(ControlState),
    /// Something the user should know now rather than in the report.
    Notice(String),
}

/// What somebody has made of the planned load while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ControlState {
    /// No iterations start.
    pub paused: bool,
    /// How many times the plan's users and rates there are; 1 is what was planned.
    pub scale: f64,
}

impl Default for ControlState {
    fn default() -> Self {
        Self { paused: false, scale: 1.0 }
    }
}

/// What was measured in one interval of a phase, by all shards together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Interval {
    /// The phase's place in the plan.
    pub phase: usize,
    /// When it began, since the start of the phase.
    pub start: Duration,
    /// How long it was, pauses included; about a second, less for the last of a phase.
    pub length: Duration,
    /// How much of it the load was paused.
    pub paused: Duration,
    /// How much of the phase before it the load was paused.
    pub paused_before: Duration,
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
    /// How much of it there was load.
    #[must_use]
    pub fn measured(&self) -> Duration {
        self.length.saturating_sub(self.paused)
    }

    /// When it ended, since the start of the phase, in load time: pauses are not counted.
    #[must_use]
    pub fn load_end(&self) -> Duration {
        (self.start + self.length).saturating_sub(self.paused_before + self.paused)
    }

    /// Requests a second as the service saw them, so few while the load is paused; zero for an
    /// interval without length.
    #[must_use]
    pub fn requests_per_second(&self) -> f64 {
        let seconds = self.length.as_secs_f64();
        if seconds > 0.0 { self.requests.requests() as f64 / seconds } else { 0.0 }
    }
}

/// Something that happened at a moment of a run, or lasted for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// When it happened or began, since the start of the run.
    pub at: Duration,
    /// When it was over; nothing for a moment, or while it lasts. The same mark is told again, with
    /// this set, when it is over.
    pub until: Option<Duration>,
    /// What sort of thing.
    pub kind: MarkKind,
    /// How bad it is.
    pub level: MarkLevel,
    /// What happened, for people.
    pub text: String,
}

impl Mark {
    /// Whether `other` tells of the same thing, perhaps of its end.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.at == other.at && self.kind == other.kind && self.text == other.text
    }
}

/// What sort of thing a mark tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MarkKind {
    /// A measure crossed its threshold.
    Alert,
    /// Somebody paused, resumed or scaled the load.
    Control,
    /// A fault was injected into the system under test.
    Fault,
    /// Anything else that the user was told while it ran.
    Notice,
}

impl MarkKind {
    /// Stable identifier, as it stands in `result.json`.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Control => "control",
            Self::Fault => "fault",
            Self::Notice => "notice",
        }
    }
}

/// How bad what a mark tells of is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MarkLevel {
    /// To know.
    Info,
    /// A target is missed.
    Warning,
    /// A limit is broken.
    Critical,
}

impl MarkLevel {
    /// Stable identifier, as it stands in `result.json`.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}
