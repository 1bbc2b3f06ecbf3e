//! A histogram cut into time blocks, for confidence intervals that respect dependence in time.

use super::Histogram;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use std::num::NonZeroU64;

/// At most this many blocks are kept.
pub const MAX_BLOCKS: usize = 64;
/// Length of a block at first, in nanoseconds.
pub const FIRST_BLOCK_NS: u64 = 1_000_000_000;

/// One histogram for each block of time, at most [`MAX_BLOCKS`]. When time runs past the last one,
/// neighbours are merged and the block length doubles, so memory does not grow with the length of
/// the phase. The result does not depend on the order in which intervals arrive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockedHistogram {
    #[serde(deserialize_with = "positive")]
    block_ns: u64,
    blocks: Vec<Histogram>,
    /// Failures in each block; as long as `blocks`.
    failed: Vec<u64>,
}

fn positive<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let wrong = || D::Error::custom("a block must have a length");
    NonZeroU64::deserialize(deserializer).map(NonZeroU64::get).map_err(|_| wrong())
}

impl Default for BlockedHistogram {
    fn default() -> Self {
        Self { block_ns: FIRST_BLOCK_NS, blocks: Vec::new(), failed: Vec::new() }
    }
}

impl BlockedHistogram {
    /// Adds the samples of an interval that started `start_ns` nanoseconds into the phase.
    pub fn merge_at(&mut self, start_ns: u64, samples: &Histogram) {
        self.add(start_ns, samples, 0);
    }

    /// The same for samples of requests that failed.
    pub fn merge_failed_at(&mut self, start_ns: u64, samples: &Histogram) {
        self.add(start_ns, samples, samples.count());
    }

    fn add(&mut self, start_ns: u64, samples: &Histogram, failed: u64) {
        if samples.is_empty() {
            return;
        }
        while start_ns / self.block_ns >= MAX_BLOCKS as u64 {
            self.double();
        }
        // Below MAX_BLOCKS by the loop above.
        let block = (start_ns / self.block_ns) as usize;
        if block >= self.blocks.len() {
            self.blocks.resize_with(block + 1, Histogram::new);
            self.failed.resize(block + 1, 0);
        }
        self.blocks[block].merge(samples);
        self.failed[block] = self.failed[block].saturating_add(failed);
    }

    /// Adds another one.
    pub fn merge(&mut self, other: &Self) {
        while self.block_ns < other.block_ns {
            self.double();
        }
        for (index, (block, failed)) in other.blocks.iter().zip(&other.failed).enumerate() {
            self.add(other.block_ns.saturating_mul(index as u64), block, *failed);
        }
    }

    fn double(&mut self) {
        self.block_ns *= 2;
        let mut blocks = Vec::with_capacity(self.blocks.len().div_ceil(2));
        for pair in self.blocks.chunks(2) {
            let mut merged = pair[0].clone();
            pair[1..].iter().for_each(|block| merged.merge(block));
            blocks.push(merged);
        }
        self.blocks = blocks;
        self.failed = self
            .failed
            .chunks(2)
            .map(|pair| pair.iter().copied().fold(0, u64::saturating_add))
            .collect();
    }

    /// Length of a block in nanoseconds.
    #[must_use]
    pub fn block_ns(&self) -> u64 {
        self.block_ns
    }

    /// The blocks from the start of the phase; a block without samples is empty.
    #[must_use]
    pub fn blocks(&self) -> &[Histogram] {
        &self.blocks
    }

    /// How many samples of each block are of requests that failed; as long as
    /// [`BlockedHistogram::blocks`].
    #[must_use]
    pub fn failed(&self) -> &[u64] {
        &self.failed
    }

    /// All blocks in one.
    #[must_use]
    pub fn total(&self) -> Histogram {
        let mut total = Histogram::new();
        self.blocks.iter().for_each(|block| total.merge(block));
        total
    }

    /// Heap memory in bytes, for accounting.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.blocks.capacity() * size_of::<Histogram>()
            + self.failed.capacity() * size_of::<u64>()
            + self.blocks.iter().map(Histogram::heap_bytes).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_double_when_time_runs_out() {
        let mut blocked = BlockedHistogram::default();
        for second in 0..64 {
            blocked.merge_at(second * FIRST_BLOCK_NS, &Histogram::from_iter([second]));
        }
        assert_eq!((blocked.blocks().len(), blocked.block_ns()), (64, FIRST_BLOCK_NS));
        blocked.merge_at(64 * FIRST_BLOCK_NS, &Histogram::from_iter([64]));
        assert_eq!((blocked.blocks().len(), blocked.block_ns()), (33, 2 * FIRST_BLOCK_NS));
        assert_eq!(blocked.blocks()[1], Histogram::from_iter([2, 3]));
        assert_eq!(blocked.total(), (0..=64).collect());
        // A day, and the end of time, still fit.
        blocked.merge_at(86_400 * FIRST_BLOCK_NS, &Histogram::from_iter([1]));
        assert!(blocked.blocks().len() <= MAX_BLOCKS);
        blocked.merge_at(u64::MAX, &Histogram::from_iter([1]));
        assert!(blocked.blocks().len() <= MAX_BLOCKS);
        assert_eq!(blocked.total().count(), 67);
    }

    #[test]
    fn failures_are_counted_by_block() {
        let mut blocked = BlockedHistogram::default();
        blocked.merge_at(0, &Histogram::from_iter([1, 2]));
        blocked.merge_failed_at(FIRST_BLOCK_NS, &Histogram::from_iter([3, 4, 5]));
        blocked.merge_failed_at(3 * FIRST_BLOCK_NS, &Histogram::from_iter([6]));
        assert_eq!(blocked.failed(), [0, 3, 0, 1]);
        assert_eq!(blocked.total().count(), 6);
        let mut twice = blocked.clone();
        twice.merge(&blocked);
        assert_eq!(twice.failed(), [0, 6, 0, 2]);
        blocked.merge_at(64 * FIRST_BLOCK_NS, &Histogram::from_iter([7]));
        assert_eq!(blocked.failed()[..2], [3, 1]);
        assert_eq!(blocked.failed().len(), blocked.blocks().len());
    }

    #[test]
    fn the_order_of_arrival_does_not_matter() {
        let seconds: Vec<u64> = vec![0, 3, 1, 900, 70, 5000, 2, 64];
        let build = |order: &[u64]| {
            let mut blocked = BlockedHistogram::default();
            for &second in order {
                blocked.merge_at(second * FIRST_BLOCK_NS, &Histogram::from_iter([second]));
            }
            blocked
        };
        let mut reversed = seconds.clone();
        reversed.reverse();
        assert_eq!(build(&seconds), build(&reversed));
        let mut halves = build(&seconds[..4]);
        halves.merge(&build(&seconds[4..]));
        assert_eq!(halves, build(&seconds));
        let mut other_way = build(&seconds[4..]);
        other_way.merge(&build(&seconds[..4]));
        assert_eq!(other_way, halves);
    }
}
