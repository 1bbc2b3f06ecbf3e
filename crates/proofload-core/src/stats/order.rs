//! The order-statistic (binomial) confidence interval of a quantile.
//!
//! Of n independent samples, the number that are at or below the true quantile is binomial(n, q),
//! whatever the distribution. So the samples of ranks l and u bound it with the chance
//! P(l ≤ B < u). Sources: David and Nagaraja, Order Statistics (3rd ed., 2003), section 7.1; Le
//! Boudec, Performance Evaluation of Computer and Communication Systems (2010), theorem 2.1, from
//! which the normal approximation for large samples is taken too.

use super::{Interval, IntervalMethod, LEVEL};
use crate::metrics::Histogram;

/// The two-sided normal quantile of [`LEVEL`].
const Z: f64 = 1.959_963_984_540_054;
/// Above this variance of the rank, the normal approximation is used; its error in rank is then far
/// below the interval's width.
const NORMAL_VARIANCE: f64 = 400.0;

/// The interval of quantile `q` (0…1); none without samples. An end is open where no sample
/// bounds it at this level.
#[must_use]
pub fn quantile_interval(histogram: &Histogram, q: f64) -> Option<Interval> {
    let n = histogram.count();
    if n == 0 {
        return None;
    }
    let (low, high) = rank_interval(n, q.clamp(0.0, 1.0));
    let value = |rank: Option<u64>| rank.and_then(|rank| histogram.value_at_rank(rank));
    Some(Interval {
        low_ns: value(low),
        high_ns: value(high),
        method: IntervalMethod::OrderStatistics,
    })
}

/// The ranks (from 1) of the samples that bound quantile `q` of `n` samples; none for an open end.
#[must_use]
pub fn rank_interval(n: u64, q: f64) -> (Option<u64>, Option<u64>) {
    let variance = n as f64 * q * (1.0 - q);
    if variance > NORMAL_VARIANCE {
        let (center, reach) = (n as f64 * q, Z * variance.sqrt());
        let low = (center - reach).floor().max(0.0) as u64;
        let high = (center + reach).ceil() as u64 + 1;
        return ((low >= 1).then_some(low), (high <= n).then_some(high));
    }
    // Counted from the nearer end the numbers are small, so the sums are short.
    let (below, above) = tails(n, q.min(1.0 - q));
    let (low, high) = (below, above.filter(|&rank| rank <= n));
    if q <= 0.5 {
        (low, high)
    } else {
        // Mirrored: rank r from the top is rank n + 1 − r from the bottom.
        (high.map(|rank| n + 1 - rank), low.map(|rank| n + 1 - rank))
    }
}

/// For B ~ binomial(n, p): the largest l with P(B < l) ≤ α/2 (none if 0), and the smallest u with
/// P(B ≥ u) ≤ α/2.
fn tails(n: u64, p: f64) -> (Option<u64>, Option<u64>) {
    let tail = (1.0 - LEVEL) / 2.0;
    if p <= 0.0 {
        return (None, Some(1));
    }
    let n_float = n as f64;
    let odds = (p / (1.0 - p)).ln();
    let mut log_mass = n_float * (-p).ln_1p();
    let mut cumulative = 0.0;
    let mut low = 0;
    for k in 0..=n {
        // Here `cumulative` is P(B < k).
        if cumulative <= tail {
            low = k;
        }
        if cumulative >= 1.0 - tail {
            return ((low > 0).then_some(low), Some(k));
        }
        cumulative += log_mass.exp();
        log_mass += ((n_float - k as f64) / (k as f64 + 1.0)).ln() + odds;
    }
    ((low > 0).then_some(low), Some(n + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_those_of_the_binomial_distribution() {
        let check = |n: u64, q: f64, low: Option<u64>, high: Option<u64>| {
            assert_eq!(rank_interval(n, q), (low, high), "n = {n}, q = {q}");
        };
        // Computed apart from this code, with exact fractions of binomial sums.
        check(5, 0.5, None, None);
        check(6, 0.5, Some(1), Some(6));
        check(10, 0.5, Some(2), Some(9));
        check(20, 0.5, Some(6), Some(15));
        check(31, 0.5, Some(10), Some(22));
        check(50, 0.5, Some(18), Some(33));
        check(100, 0.5, Some(40), Some(61));
        // 0.95^71 > 0.025 > 0.95^72: the p95 of fewer than 72 samples has no upper bound.
        check(71, 0.95, Some(63), None);
        check(72, 0.95, Some(64), Some(72));
        check(200, 0.9, Some(171), Some(189));
        check(100, 0.999, Some(99), None);
        check(1, 0.5, None, None);
    }

    #[test]
    fn the_sides_mirror_each_other() {
        for n in [10, 73, 250, 1000] {
            for q in [0.01, 0.05, 0.1, 0.25] {
                let (low, high) = rank_interval(n, q);
                let mirror = |rank: Option<u64>| rank.map(|rank| n + 1 - rank);
                assert_eq!(rank_interval(n, 1.0 - q), (mirror(high), mirror(low)), "{n} {q}");
            }
        }
    }

    #[test]
    fn the_normal_approximation_joins_the_exact_ranks() {
        // Variance 400 at n = 1,600 for the median: both sides of the switch.
        let (exact_low, exact_high) = rank_interval(1_600, 0.5);
        let (normal_low, normal_high) = rank_interval(1_602, 0.5);
        assert!(normal_low.unwrap().abs_diff(exact_low.unwrap()) <= 2);
        assert!(normal_high.unwrap().abs_diff(exact_high.unwrap()) <= 3);
        // Le Boudec: n = 10,000, median: ranks 4,902 and 5,099.
        assert_eq!(rank_interval(10_000, 0.5), (Some(4_902), Some(5_099)));
    }

    #[test]
    fn the_coverage_is_what_it_says() {
        // Exactly uniform order statistics: with B ~ binomial(n, q), the chance that ranks bound the
        // quantile is the sum of the masses from l to u − 1.
        for (n, q) in [(20_u64, 0.5_f64), (100, 0.9), (500, 0.99), (1000, 0.95)] {
            let (low, high) = rank_interval(n, q);
            let (low, high) = (low.unwrap_or(0), high.unwrap_or(n + 1));
            let mut log_mass = n as f64 * (1.0 - q).ln();
            let mut covered = 0.0;
            for k in 0..=n {
                if (low..high).contains(&k) {
                    covered += log_mass.exp();
                }
                log_mass += ((n - k) as f64 / (k + 1) as f64).ln() + (q / (1.0 - q)).ln();
            }
            assert!((LEVEL..0.99).contains(&covered), "n = {n}, q = {q}: {covered}");
        }
    }

    #[test]
    fn values_come_from_the_histogram() {
        let histogram: Histogram = (1..=100).collect();
        let interval = quantile_interval(&histogram, 0.5).unwrap();
        assert_eq!((interval.low_ns, interval.high_ns), (Some(40), Some(61)));
        assert_eq!(quantile_interval(&Histogram::new(), 0.5), None);
    }
}
