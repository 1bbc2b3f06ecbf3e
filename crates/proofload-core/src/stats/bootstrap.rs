//! Confidence intervals by resampling blocks of time.
//!
//! Whole blocks are drawn with replacement, the quantile of the drawn samples is computed, and the
//! interval is what the middle 95 % of such draws give (percentile bootstrap). Within a block the
//! samples stay together, so dependence that is shorter than a block is kept. Sources: Carlstein,
//! Annals of Statistics 14 (1986), non-overlapping blocks; Künsch, Annals of Statistics 17 (1989);
//! Lahiri, Resampling Methods for Dependent Data (2003), chapters 2 and 5 for quantiles.
//!
//! The draws are made with a fixed seed: the same samples give the same interval.

use super::LEVEL;
use crate::metrics::{BlockedHistogram, Histogram};

/// Draws; the interval's ends are then the 25th smallest and largest.
const DRAWS: usize = 999;
const SEED: u64 = 0x5eed_0f10_ad00_0001;

/// Blocks prepared for drawing.
#[derive(Clone, Debug)]
pub struct BlockBootstrap {
    /// Upper ends of all buckets that have samples in any block, ascending, in nanoseconds.
    highs: Vec<u64>,
    /// Samples at or below each of `highs`, by bucket and then block: a probe reads one row.
    cumulative: Vec<u64>,
    blocks: usize,
    /// How often each block was drawn, by draw and then block.
    weights: Vec<u8>,
}

impl BlockBootstrap {
    /// Prepares the draws; empty blocks within the run count as blocks.
    #[must_use]
    pub fn new(blocked: &BlockedHistogram) -> Self {
        let blocks = blocked.blocks();
        let highs: Vec<u64> = blocked.total().buckets().map(|bucket| bucket.high_ns).collect();
        let mut cumulative = vec![0; highs.len() * blocks.len()];
        for (index, block) in blocks.iter().enumerate() {
            fill_cumulative(&highs, block, &mut cumulative, index, blocks.len());
        }
        Self { highs, cumulative, blocks: blocks.len(), weights: draw(blocks.len()) }
    }

    /// The ends of the interval of quantile `q` (0…1) in nanoseconds; none without samples.
    #[must_use]
    pub fn interval(&self, q: f64) -> Option<(u64, u64)> {
        if self.highs.is_empty() {
            return None;
        }
        let mut values: Vec<u64> =
            self.weights.chunks(self.blocks).filter_map(|draw| self.quantile(draw, q)).collect();
        values.sort_unstable();
        let tail = (1.0 - LEVEL) / 2.0;
        let skip = (tail * (values.len() + 1) as f64).round().max(1.0) as usize - 1;
        Some((*values.get(skip)?, *values.get(values.len().checked_sub(skip + 1)?)?))
    }

    /// Samples of a draw at or below the bucket.
    fn count(&self, draw: &[u8], bucket: usize) -> u64 {
        let row = &self.cumulative[bucket * self.blocks..(bucket + 1) * self.blocks];
        row.iter().zip(draw).map(|(&count, &weight)| count * u64::from(weight)).sum()
    }

    /// The quantile of a draw, to the precision of a bucket; none if only empty blocks were drawn.
    fn quantile(&self, draw: &[u8], q: f64) -> Option<u64> {
        let total = self.count(draw, self.highs.len() - 1);
        if total == 0 {
            return None;
        }
        let rank = ((q * total as f64).ceil() as u64).clamp(1, total);
        let (mut low, mut high) = (0, self.highs.len() - 1);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.count(draw, middle) >= rank {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        Some(self.highs[low])
    }
}

fn fill_cumulative(
    highs: &[u64],
    block: &Histogram,
    out: &mut [u64],
    column: usize,
    stride: usize,
) {
    let mut buckets = block.buckets().peekable();
    let mut seen = 0;
    for (row, &high) in highs.iter().enumerate() {
        while let Some(bucket) = buckets.next_if(|bucket| bucket.high_ns <= high) {
            seen += bucket.count;
        }
        out[row * stride + column] = seen;
    }
}

/// How often each of `blocks` blocks is drawn, for every draw.
fn draw(blocks: usize) -> Vec<u8> {
    let mut weights = vec![0_u8; DRAWS * blocks];
    let mut state = SEED;
    for draw in weights.chunks_mut(blocks.max(1)) {
        for _ in 0..blocks {
            // At most 64 blocks exist, so a weight fits a byte.
            draw[(next_random(&mut state) % blocks as u64) as usize] += 1;
        }
    }
    weights
}

/// SplitMix64 (Steele, Lea and Flood 2014): our own, so that intervals do not change with a
/// dependency.
fn next_random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::FIRST_BLOCK_NS;

    fn blocked(blocks: &[&[u64]]) -> BlockedHistogram {
        let mut blocked = BlockedHistogram::default();
        for (second, values) in blocks.iter().enumerate() {
            let values = values.iter().copied().collect();
            blocked.merge_at(second as u64 * FIRST_BLOCK_NS, &values);
        }
        blocked
    }

    #[test]
    fn every_draw_has_as_many_blocks_as_there_are() {
        for draw in draw(17).chunks(17) {
            assert_eq!(draw.iter().map(|&weight| u32::from(weight)).sum::<u32>(), 17);
        }
    }

    #[test]
    fn one_draw_is_the_quantile_of_its_samples() {
        let bootstrap = BlockBootstrap::new(&blocked(&[&[1, 2, 3], &[10, 20], &[5]]));
        let check = |draw: [u8; 3], q: f64, value: u64| {
            assert_eq!(bootstrap.quantile(&draw, q), Some(value), "{draw:?} {q}");
        };
        check([1, 1, 1], 0.5, 3);
        check([1, 1, 1], 1.0, 20);
        check([3, 0, 0], 0.5, 2);
        check([0, 2, 1], 0.5, 10);
        check([0, 0, 3], 0.9, 5);
        assert_eq!(bootstrap.quantile(&[0, 0, 0], 0.5), None);
    }

    #[test]
    fn equal_blocks_leave_no_doubt_and_unequal_ones_do() {
        let same = BlockBootstrap::new(&blocked(&[&[1, 2, 3][..]; 20]));
        assert_eq!(same.interval(0.5), Some((2, 2)));
        let mut blocks: Vec<&[u64]> = vec![&[10]; 15];
        blocks.extend([&[1000_u64][..]; 5]);
        let mixed = BlockBootstrap::new(&blocked(&blocks));
        // A quarter of the blocks is slow: p75 may be either, p50 hardly.
        assert_eq!(mixed.interval(0.75), Some((10, 1000)));
        assert_eq!(mixed.interval(0.25), Some((10, 10)));
        assert_eq!(mixed.interval(0.75), mixed.clone().interval(0.75));
    }

    #[test]
    fn nothing_gives_nothing() {
        assert_eq!(BlockBootstrap::new(&BlockedHistogram::default()).interval(0.5), None);
    }
}
