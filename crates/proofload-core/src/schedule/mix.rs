//! Which kind the *n*-th user or arrival is of.

/// Deals out kinds by weight, the same way in every worker and every run.
///
/// Kinds with a fixed count come first. The rest follows smooth weighted round robin (as nginx does
/// for upstreams): over any `total weight` users in a row every kind gets exactly its share, spread
/// as evenly as possible. A random draw would need thousands of users to come near its weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mix {
    fixed: Vec<usize>,
    round: Vec<usize>,
}

/// A kind's part in a [`Mix`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MixEntry {
    /// The kind, as the caller numbers them.
    pub kind: usize,
    /// Share among the kinds.
    pub weight: u32,
    /// Exactly this many, before shares are taken.
    pub count: Option<u32>,
}

/// The longest round that is laid out; larger weights are scaled down to it.
const MAX_ROUND: u64 = 10_000;

impl Mix {
    /// Lays out the order for `entries`. Entries with a count take part with that alone; if no
    /// entry has a weight, the counts serve as weights once they are used up.
    ///
    /// # Panics
    /// If no entry has a weight or a count above 0: a plan is checked for that.
    #[must_use]
    pub fn new(entries: &[MixEntry]) -> Self {
        let fixed = entries
            .iter()
            .flat_map(|entry| std::iter::repeat_n(entry.kind, entry.count.unwrap_or(0) as usize))
            .collect();
        let mut weights: Vec<_> = entries
            .iter()
            .map(|e| (e.kind, if e.count.is_some() { 0 } else { u64::from(e.weight) }))
            .collect();
        if weights.iter().all(|&(_, weight)| weight == 0) {
            weights = entries.iter().map(|e| (e.kind, u64::from(e.count.unwrap_or(0)))).collect();
        }
        Self { fixed, round: smooth_round(&weights) }
    }

    /// The kind of user number `index` (from 0) of the whole load.
    #[must_use]
    pub fn kind_of_user(&self, index: u64) -> usize {
        usize::try_from(index)
            .ok()
            .and_then(|at| self.fixed.get(at).copied())
            .unwrap_or_else(|| self.kind_of_arrival(index - self.fixed.len() as u64))
    }

    /// The kind of arrival number `index` (from 0). Counts mean users, so only weights matter here.
    #[must_use]
    pub fn kind_of_arrival(&self, index: u64) -> usize {
        self.round[(index % self.round.len() as u64) as usize]
    }
}

fn smooth_round(weights: &[(usize, u64)]) -> Vec<usize> {
    let divisor = weights.iter().fold(0, |divisor, &(_, weight)| gcd(divisor, weight)).max(1);
    let total: u64 = weights.iter().map(|&(_, weight)| weight / divisor).sum();
    let scale = total.div_ceil(MAX_ROUND).max(1);
    let weights: Vec<_> = weights
        .iter()
        .filter(|&&(_, weight)| weight > 0)
        .map(|&(kind, weight)| (kind, (weight / divisor / scale).max(1).cast_signed()))
        .collect();
    let total: i64 = weights.iter().map(|&(_, weight)| weight).sum();
    let mut credit = vec![0_i64; weights.len()];
    let round: Vec<_> = (0..total)
        .map(|_| {
            for (credit, &(_, weight)) in credit.iter_mut().zip(&weights) {
                *credit += weight;
            }
            // The first of equals wins, so that the plan's order decides.
            let best = (0..credit.len()).rev().max_by_key(|&at| credit[at]).unwrap_or(0);
            credit[best] -= total;
            weights[best].0
        })
        .collect();
    assert!(!round.is_empty(), "a mix has at least one kind that takes part");
    round
}

const fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(kind: usize, weight: u32, count: Option<u32>) -> MixEntry {
        MixEntry { kind, weight, count }
    }

    fn users(entries: &[MixEntry], n: u64) -> Vec<usize> {
        let mix = Mix::new(entries);
        (0..n).map(|index| mix.kind_of_user(index)).collect()
    }

    #[test]
    fn shares_are_exact_and_spread() {
        assert_eq!(users(&[entry(0, 3, None), entry(1, 1, None)], 8), [0, 0, 1, 0, 0, 0, 1, 0]);
        let dealt = users(&[entry(0, 70, None), entry(1, 25, None), entry(2, 5, None)], 100);
        let count = |kind| dealt.iter().filter(|&&k| k == kind).count();
        assert_eq!([count(0), count(1), count(2)], [70, 25, 5]);
    }

    #[test]
    fn counts_come_first() {
        let dealt = users(&[entry(0, 1, None), entry(7, 0, Some(2))], 5);
        assert_eq!(dealt, [7, 7, 0, 0, 0]);
        assert_eq!(users(&[entry(7, 0, Some(2)), entry(8, 0, Some(1))], 6), [7, 7, 8, 7, 8, 7]);
    }

    #[test]
    fn a_weight_of_zero_takes_no_part_and_huge_weights_stay_small() {
        assert_eq!(users(&[entry(0, 0, None), entry(1, 5, None)], 3), [1, 1, 1]);
        let mix = Mix::new(&[entry(0, 1_999_999_999, None), entry(1, 1_000_000_007, None)]);
        assert!(mix.round.len() as u64 <= MAX_ROUND);
        let share = mix.round.iter().filter(|&&k| k == 0).count() as f64 / mix.round.len() as f64;
        assert!((share - 2.0 / 3.0).abs() < 1e-3);
    }
}
