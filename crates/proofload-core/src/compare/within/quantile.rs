//! How far a quantile strays.
//!
//! A value x is compatible with being the quantile q if the share of samples at or below x does not differ
//! from q by more than its error. That turns the question into one about shares, whose variance over
//! clusters is known, as in the intervals of Woodruff (Journal of the American Statistical Association 47,
//! 1952) and, with the error computed at x and not at the measured quantile, of Francisco and Fuller
//! (Annals of Statistics 19, 1991). The difference matters: at a p99 that lies within a stall, the stall's
//! share of samples beyond it hardly varies; at the value that the p99 has without a stall, it varies by all
//! of the stall.

use super::groups::{Groupings, of_ratio};
use crate::metrics::Histogram;

/// How uncertain shares are in a phase: for each share of samples at or below some value, how many times
/// the variance of independent samples its variance is.
#[derive(Clone, Debug)]
pub(super) struct ShareDoubt {
    /// Share and design effect, by ascending share.
    points: Vec<(f64, f64)>,
    /// Degrees of freedom of the finest grouping.
    df: f64,
}

/// How far a quantile may lie at how many errors: ascending errors, ascending distances (of logarithms).
#[derive(Clone, Debug)]
pub(super) struct Reaches {
    below: Vec<(f64, f64)>,
    above: Vec<(f64, f64)>,
}

impl ShareDoubt {
    pub(super) fn of(response: &Histogram, groupings: &Groupings) -> Self {
        let highs: Vec<u64> = response.buckets().map(|bucket| bucket.high_ns).collect();
        let n = response.count() as f64;
        let mut points: Vec<(f64, f64)> = Vec::with_capacity(highs.len());
        let mut seen = 0;
        for bucket in response.buckets() {
            seen += bucket.count;
            points.push((seen as f64 / n, 1.0));
        }
        let mut df: f64 = 0.0;
        for groups in groupings.levels() {
            let counts: Vec<f64> =
                groups.iter().map(|group| group.response.count() as f64).collect();
            let used = counts.iter().filter(|&&count| count > 0.0).count();
            df = df.max(used.saturating_sub(1) as f64);
            let mut walks: Vec<_> =
                groups.iter().map(|group| (group.response.buckets().peekable(), 0_u64)).collect();
            for (&high, (share, effect)) in highs.iter().zip(&mut points) {
                for (buckets, below) in &mut walks {
                    while let Some(bucket) = buckets.next_if(|bucket| bucket.high_ns <= high) {
                        *below += bucket.count;
                    }
                }
                let independent = *share * (1.0 - *share) / n;
                let parts = walks.iter().zip(&counts).map(|((_, below), n)| (*below as f64, *n));
                if let Some((variance, _)) = of_ratio(parts, *share).filter(|_| independent > 0.0) {
                    *effect = effect.max(variance / independent);
                }
            }
        }
        Self { points, df }
    }

    /// Degrees of freedom.
    pub(super) fn df(&self) -> f64 {
        self.df
    }

    /// How many times the variance of independent samples that of a share is.
    fn design_effect(&self, share: f64) -> f64 {
        let at = self.points.partition_point(|(known, _)| *known < share);
        let near = [at.checked_sub(1), Some(at)].into_iter().flatten();
        near.filter_map(|at| self.points.get(at)).map(|(_, effect)| *effect).fold(1.0, f64::max)
    }

    /// How far the quantile `q` of these samples may lie from its value; none without groups.
    pub(super) fn reaches(&self, response: &Histogram, q: f64) -> Option<Reaches> {
        if self.df < 1.0 || response.count() < 2 {
            return None;
        }
        let n = response.count() as f64;
        let measured = (response.value_at_quantile(q)?.max(1) as f64).ln();
        let expected = q * (1.0 - q) / n;
        let (mut below, mut above) = (Vec::new(), Vec::new());
        let mut seen = 0;
        for bucket in response.buckets() {
            let before = seen as f64 / n;
            seen += bucket.count;
            let share = seen as f64 / n;
            let value = (bucket.high_ns.max(1) as f64).ln();
            if value <= measured {
                // The quantile may be here if that few samples at or below are no surprise.
                below.push((self.errors(q - share, share, expected, n), measured - value));
            }
            if value >= measured {
                above.push((self.errors(before - q, before, expected, n), value - measured));
            }
        }
        // Beyond all samples.
        below.push((q / expected.sqrt(), f64::INFINITY));
        above.push(((1.0 - q) / expected.sqrt(), f64::INFINITY));
        Some(Reaches { below: staircase(below), above: staircase(above) })
    }

    /// By how many errors a share differs from what it should be.
    fn errors(&self, difference: f64, share: f64, expected: f64, n: f64) -> f64 {
        let clustered = share * (1.0 - share) / n * self.design_effect(share);
        difference.max(0.0) / clustered.max(expected).sqrt()
    }
}

/// The farthest distance for each number of errors.
fn staircase(mut points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut farthest = f64::NEG_INFINITY;
    points.retain(|(_, distance)| {
        let is_farther = *distance > farthest;
        farthest = farthest.max(*distance);
        is_farther
    });
    points
}

impl Reaches {
    /// How far below and above at so many errors.
    pub(super) fn at(&self, errors: f64) -> (f64, f64) {
        let farthest = |steps: &[(f64, f64)]| {
            let at = steps.partition_point(|(needed, _)| *needed <= errors);
            at.checked_sub(1).map_or(0.0, |at| steps[at].1)
        };
        (farthest(&self.below), farthest(&self.above))
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::evidence::{Block, Figures, PhaseEvidence};
    use super::*;

    fn phase(blocks: &[Histogram]) -> PhaseEvidence {
        let mut response = Histogram::new();
        blocks.iter().for_each(|block| response.merge(block));
        PhaseEvidence {
            all: Figures { response, seconds: blocks.len() as f64, ..Figures::default() },
            block_seconds: 1.0,
            blocks: blocks.iter().map(|b| Block { response: b.clone(), failed: 0 }).collect(),
            ..PhaseEvidence::default()
        }
    }

    fn reaches(blocks: &[Histogram], q: f64) -> Reaches {
        let phase = phase(blocks);
        let doubt = ShareDoubt::of(&phase.all.response, &Groupings::of(&phase));
        doubt.reaches(&phase.all.response, q).unwrap()
    }

    #[test]
    fn equal_blocks_stray_as_far_as_order_statistics_say() {
        // 40 blocks of the same 25 values: 1,000 samples, uniform on 1…25 ms.
        let block: Histogram = (1..=25).map(|ms| ms * 1_000_000).collect();
        let reaches = reaches(&vec![block; 40], 0.5);
        // √(0.25/1000) = 1.58 % of the samples are one error; a value holds 4 % of them. The
        // median is 13 ms.
        let (below, above) = reaches.at(1.96);
        assert!((below - (13.0_f64 / 12.0).ln()).abs() < 2e-3, "{below}");
        assert!((above - (14.0_f64 / 13.0).ln()).abs() < 2e-3, "{above}");
        assert_eq!(reaches.at(0.0).1, 0.0);
        assert_eq!(reaches.at(1e6), (f64::INFINITY, f64::INFINITY));
    }

    #[test]
    fn the_p99_of_a_run_with_one_stall_reaches_back_to_health() {
        let healthy: Histogram = (0..100).map(|at| 20_000_000 + at * 100_000).collect();
        let stalled: Histogram = (0..100).map(|at| 500_000_000 + at * 10_000_000).collect();
        let mut blocks = vec![healthy; 30];
        blocks[17] = stalled;
        let reaches = reaches(&blocks, 0.99);
        let (below, _) = reaches.at(2.0);
        // From about 1.2 s to below 30 ms.
        assert!(below > (1200.0_f64 / 30.0).ln() - 0.2, "{below}");
        // The median does not care.
        let (below, above) = self::reaches(&blocks, 0.5).at(2.0);
        assert!(below < 0.1 && above < 0.1, "{below} {above}");
    }

    #[test]
    fn few_samples_do_not_bound_a_tail() {
        let blocks = vec![Histogram::from_iter([1_000_000, 2_000_000]); 20];
        let (below, above) = reaches(&blocks, 0.99).at(3.0);
        assert!(below.is_finite());
        assert_eq!(above, f64::INFINITY);
    }
}
