//! What a comparison needs of a run: no more than this is kept in baselines.

use super::ground::Ground;
use crate::metrics::Histogram;
use crate::result::{PhaseResult, RequestName, RequestRow, RunResult};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A run, as far as it can be compared with others.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunEvidence {
    /// Start, RFC 3339.
    pub started: String,
    /// What has to be equal.
    pub ground: Ground,
    /// The phases that were run, in the order of the plan.
    pub phases: Vec<PhaseEvidence>,
}

/// A phase of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PhaseEvidence {
    /// Its name.
    pub name: String,
    /// The phase as a whole.
    pub all: Figures,
    /// Length of a block in seconds.
    pub block_seconds: f64,
    /// The response times by block of time.
    pub blocks: Vec<Block>,
    /// Measures of the system under test, by name.
    pub monitors: BTreeMap<String, f64>,
    /// Whether nothing spoke against the measurement.
    pub is_trustworthy: bool,
    /// The requests of the plan.
    pub requests: Vec<RequestEvidence>,
}

/// What was measured of a phase or of a request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Figures {
    /// Response times of all requests.
    pub response: Histogram,
    /// Requests that failed.
    pub failed: u64,
    /// Time over which rates are computed, in seconds.
    pub seconds: f64,
    /// Cached answers divided by the answers that say whether they are.
    pub cache_hit_rate: Option<f64>,
}

/// A block of time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Block {
    /// Response times of the requests that ended in it.
    pub response: Histogram,
    /// Those that failed.
    pub failed: u64,
}

/// A request of the plan.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RequestEvidence {
    /// Which one.
    pub name: RequestName,
    /// What was measured of it.
    pub figures: Figures,
}

impl RunEvidence {
    /// Takes what is needed out of a result. Phases that were not run are left out.
    #[must_use]
    pub fn of(result: &RunResult) -> Self {
        let run = result.test_results.iter().filter(|phase| phase.was_run);
        Self {
            started: result.run.started.clone(),
            ground: Ground::of(result),
            phases: run.map(PhaseEvidence::of).collect(),
        }
    }

    /// The same of every run in a result: several where it is that of repeated runs.
    #[must_use]
    pub fn all_of(result: &RunResult) -> Vec<Self> {
        match &result.repeats {
            Some(repeats) => repeats.evidence.clone(),
            None => vec![Self::of(result)],
        }
    }

    /// The same with at most so many blocks of time in each phase.
    #[must_use]
    pub fn with_blocks_at_most(&self, most: usize) -> Self {
        let phases = self.phases.iter().map(|phase| phase.with_blocks_at_most(most)).collect();
        Self { phases, started: self.started.clone(), ground: self.ground.clone() }
    }

    /// The phase of this name.
    #[must_use]
    pub fn phase(&self, name: &str) -> Option<&PhaseEvidence> {
        self.phases.iter().find(|phase| phase.name == name)
    }

    /// Requests of all phases.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.phases.iter().fold(0, |sum, phase| sum.saturating_add(phase.all.requests()))
    }
}

impl PhaseEvidence {
    fn of(phase: &PhaseResult) -> Self {
        let histograms = &phase.histograms;
        let mut response = histograms.response_successful.clone();
        response.merge(&histograms.response_failed);
        let failed = histograms.failed_per_block.iter().copied().chain(std::iter::repeat(0));
        let blocks = histograms.response_blocks.iter().cloned().zip(failed);
        Self {
            name: phase.scenario.clone(),
            all: Figures {
                response,
                failed: phase.failed,
                seconds: phase.elapsed_seconds,
                cache_hit_rate: phase.cache_hit_rate,
            },
            block_seconds: histograms.block_seconds,
            blocks: blocks.map(|(response, failed)| Block { response, failed }).collect(),
            monitors: phase.monitors.clone(),
            is_trustworthy: phase.trust.trustworthy,
            requests: phase.requests.iter().map(|row| of_row(row, phase.elapsed_seconds)).collect(),
        }
    }

    /// The request of this name.
    #[must_use]
    pub fn request(&self, name: &RequestName) -> Option<&RequestEvidence> {
        self.requests.iter().find(|request| request.name == *name)
    }

    /// The same with at most `most` blocks: neighbours are merged, and blocks get longer.
    #[must_use]
    pub fn with_blocks_at_most(&self, most: usize) -> Self {
        let mut coarse = self.clone();
        while coarse.blocks.len() > most.max(1) {
            coarse.blocks = join_neighbours(&coarse.blocks, 2);
            coarse.block_seconds *= 2.0;
        }
        coarse
    }
}

impl Figures {
    /// Finished requests.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.response.count()
    }
}

fn of_row(row: &RequestRow, seconds: f64) -> RequestEvidence {
    RequestEvidence {
        name: RequestName {
            name: row.name.clone(),
            user: row.user.clone(),
            task: row.task.clone(),
        },
        figures: Figures {
            response: row.response_histogram.clone(),
            failed: row.failed,
            seconds,
            cache_hit_rate: row.cache_hit_rate,
        },
    }
}

/// Every `size` neighbouring blocks as one; the last may be shorter.
pub(super) fn join_neighbours(blocks: &[Block], size: usize) -> Vec<Block> {
    let join = |neighbours: &[Block]| {
        let mut joined = Block::default();
        for block in neighbours {
            joined.response.merge(&block.response);
            joined.failed = joined.failed.saturating_add(block.failed);
        }
        joined
    };
    blocks.chunks(size.max(1)).map(join).collect()
}
