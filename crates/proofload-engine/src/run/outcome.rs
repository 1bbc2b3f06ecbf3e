//! What is left when a run has ended.

use proofload_core::record::RunRecord;

use crate::system::DescriptorLimit;

/// Everything measured in a run, and how it ended.
#[derive(Debug)]
pub struct RunOutcome {
    /// What was measured, and what happened.
    pub record: RunRecord,
    /// How each phase that was begun ended, in order.
    pub ends: Vec<PhaseEnd>,
    /// Someone asked the run to end before its time.
    pub interrupted: bool,
    /// Workers that ended without being told to, by a bug of ours or of user code. What they measured
    /// in their last second is missing.
    pub workers_lost: u32,
    /// What the run was made of.
    pub facts: RunFacts,
}

/// What a run is made of, known from its start.
#[derive(Clone, Copy, Debug)]
pub struct RunFacts {
    /// Workers it begins with.
    pub workers: u32,
    /// Seed of every random choice.
    pub seed: u64,
    /// How many connections this process can open.
    pub descriptor_limit: DescriptorLimit,
}

/// Why a phase ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PhaseEnd {
    /// Its load was done.
    Completed,
    /// The limit it was to find was found; the text says which one broke and when.
    LimitFound(String),
    /// It was given up because a limit broke; the text says which one. Later phases did not run.
    Aborted(String),
    /// Someone asked the run to end.
    Interrupted,
    /// Someone asked for the next phase.
    Skipped,
    /// All workers were lost.
    Lost,
}

impl PhaseEnd {
    /// Why the phase ended before its load was done, in words; `None` if it was done.
    #[must_use]
    pub fn why_early(&self) -> Option<String> {
        match self {
            Self::Completed => None,
            Self::LimitFound(why) | Self::Aborted(why) => Some(why.clone()),
            Self::Interrupted => Some("interrupted".to_owned()),
            Self::Skipped => Some("ended by hand".to_owned()),
            Self::Lost => Some("all workers were lost".to_owned()),
        }
    }
}
