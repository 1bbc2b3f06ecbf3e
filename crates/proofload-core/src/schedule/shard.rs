//! Which part of the whole load one worker carries.

/// Part `index` of `count` equal parts of a load.
///
/// Things are dealt out round robin, like cards: thing *k* belongs to part `k % count`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    index: u32,
    count: u32,
}

impl Shard {
    /// The whole load in one part.
    pub const WHOLE: Self = Self { index: 0, count: 1 };

    /// Part `index` of `count`.
    ///
    /// # Panics
    /// If `index` is not below `count`: a shard that does not exist is a bug of the caller.
    #[must_use]
    pub const fn new(index: u32, count: u32) -> Self {
        assert!(index < count, "a shard's index is below the number of shards");
        Self { index, count }
    }

    /// This part's place, from 0.
    #[must_use]
    pub const fn index(self) -> u32 {
        self.index
    }

    /// How many parts there are.
    #[must_use]
    pub const fn count(self) -> u32 {
        self.count
    }

    /// How many of `total` things belong to this part. Summed over all parts that is `total`.
    #[must_use]
    pub const fn share_of(self, total: u32) -> u32 {
        total / self.count + if total % self.count > self.index { 1 } else { 0 }
    }

    /// Like [`Shard::share_of`], for counts that may not fit 32 bits.
    #[must_use]
    pub const fn share_of_u64(self, total: u64) -> u64 {
        let count = self.count as u64;
        total / count + if total % count > self.index as u64 { 1 } else { 0 }
    }

    /// The number, within the whole, of this part's `local`-th thing.
    #[must_use]
    pub const fn global(self, local: u64) -> u64 {
        local * self.count as u64 + self.index as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_and_agree_with_dealing() {
        for count in 1..=7 {
            for total in 0..50 {
                let shards: Vec<_> = (0..count).map(|index| Shard::new(index, count)).collect();
                let sum: u32 = shards.iter().map(|shard| shard.share_of(total)).sum();
                assert_eq!(sum, total);
                for shard in shards {
                    let dealt = (0..total).filter(|k| k % count == shard.index()).count();
                    assert_eq!(shard.share_of(total) as usize, dealt);
                    assert_eq!(shard.share_of_u64(u64::from(total)) as usize, dealt);
                    if dealt > 0 {
                        let last = shard.global(dealt as u64 - 1);
                        assert!(last < u64::from(total));
                        assert_eq!(last % u64::from(count), u64::from(shard.index()));
                    }
                }
            }
        }
    }
}
