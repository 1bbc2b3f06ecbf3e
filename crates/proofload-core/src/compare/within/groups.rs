//! The blocks of a phase in groups, and the variance of what is a ratio of sums over them.
//!
//! Neighbouring groups may depend on one another. So the variance is computed with groups of 1, 2, 4 …
//! blocks, as long as enough groups are left, and the largest is taken (Flyvbjerg and Petersen, Journal of
//! Chemical Physics 91, 1989: with growing blocks the estimate rises until they are independent).

use super::super::evidence::{Block, Figures, PhaseEvidence, join_neighbours};
use crate::verdict::{Measure, Statistic, Timing};

/// Groups that must be left for a coarser grouping to be looked at.
const MIN_GROUPS: usize = 5;
/// A block that the run filled less than this is left out of rates: its rate is mostly rounding.
const MIN_FILLED: f64 = 0.5;

/// The blocks of a phase in all groupings that have enough groups.
#[derive(Debug)]
pub(super) struct Groupings {
    levels: Vec<Level>,
}

/// Blocks in groups of one size.
#[derive(Debug)]
struct Level {
    groups: Vec<Block>,
    /// Time that each group covers, in seconds.
    seconds: Vec<f64>,
}

impl Groupings {
    pub(super) fn of(phase: &PhaseEvidence) -> Self {
        let mut levels = Vec::new();
        let mut size = 1;
        while size == 1 || phase.blocks.len() / size >= MIN_GROUPS {
            let groups = join_neighbours(&phase.blocks, size);
            let length = phase.block_seconds * size as f64;
            let covered = |at: usize| (phase.all.seconds - at as f64 * length).clamp(0.0, length);
            let seconds = (0..groups.len()).map(covered).collect();
            levels.push(Level { groups, seconds });
            size *= 2;
        }
        Self { levels }
    }

    /// The runs of the same test as groups: one level, for runs are as far apart as anything can be.
    pub(super) fn of_runs(runs: &[&PhaseEvidence]) -> Self {
        let group = |run: &&PhaseEvidence| Block {
            response: run.all.response.clone(),
            failed: run.all.failed,
        };
        let seconds = runs.iter().map(|run| run.all.seconds).collect();
        Self { levels: vec![Level { groups: runs.iter().map(group).collect(), seconds }] }
    }

    /// The variance of a measure of the whole phase, and its degrees of freedom; none where blocks cannot
    /// tell.
    pub(super) fn variance(&self, measure: &Measure, all: &Figures) -> Option<(f64, f64)> {
        let by_level = self.levels.iter().filter_map(|level| level.variance(measure, all));
        by_level.max_by(|a, b| a.0.total_cmp(&b.0))
    }

    /// The groups of each size.
    pub(super) fn levels(&self) -> impl Iterator<Item = &[Block]> {
        self.levels.iter().map(|level| &*level.groups)
    }
}

/// The variance of a share, with half a failure and half a success added: none of 100 does not mean
/// never (Jeffreys' prior; Brown, Cai and DasGupta, Statistical Science 16, 2001).
pub(in crate::compare) fn of_share(part: u64, whole: u64) -> f64 {
    let n = whole as f64;
    let share = (part as f64 + 0.5) / (n + 1.0);
    share * (1.0 - share) / n.max(1.0)
}

impl Level {
    /// The variance and its degrees of freedom.
    fn variance(&self, measure: &Measure, all: &Figures) -> Option<(f64, f64)> {
        match measure {
            Measure::Time(Timing::Response, Statistic::Average) => {
                let mean = all.response.mean().filter(|mean| *mean > 0.0)?;
                let sums = self
                    .groups
                    .iter()
                    .map(|group| (group.response.sum() as f64, group.response.count() as f64));
                of_ratio(sums, mean)
            }
            Measure::RequestsPerSecond => self.of_rate(),
            Measure::ErrorRate | Measure::SuccessRate => {
                let counts = self
                    .groups
                    .iter()
                    .map(|group| (group.failed as f64, group.response.count() as f64));
                of_ratio(counts, all.failed as f64 / all.requests().max(1) as f64)
            }
            _ => None,
        }
    }

    /// The relative variance of the mean of the groups' rates.
    fn of_rate(&self) -> Option<(f64, f64)> {
        let full = self.seconds.first().copied()?;
        let filled = self.groups.iter().zip(&self.seconds);
        let filled =
            filled.filter(|(_, seconds)| **seconds > 0.0 && **seconds >= MIN_FILLED * full);
        let rates: Vec<f64> =
            filled.map(|(group, seconds)| group.response.count() as f64 / seconds).collect();
        let (mean, variance) = mean_and_variance(&rates)?;
        let relative = variance / (mean * mean) / rates.len() as f64;
        (mean > 0.0).then_some((relative, rates.len() as f64 - 1.0))
    }
}

/// The variance of Σ part ÷ Σ whole over groups, by linearisation.
pub(super) fn of_ratio(groups: impl Iterator<Item = (f64, f64)>, ratio: f64) -> Option<(f64, f64)> {
    let (mut count, mut total, mut squares) = (0.0, 0.0, 0.0);
    for (part, whole) in groups.filter(|(_, whole)| *whole > 0.0) {
        let residual = part - ratio * whole;
        count += 1.0;
        total += whole;
        squares += residual * residual;
    }
    (count >= 2.0).then(|| (count / (count - 1.0) * squares / (total * total), count - 1.0))
}

/// Mean and sample variance; none of fewer than two values.
pub(in crate::compare) fn mean_and_variance(values: &[f64]) -> Option<(f64, f64)> {
    if values.len() < 2 {
        return None;
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    Some((mean, squares / (n - 1.0)))
}
