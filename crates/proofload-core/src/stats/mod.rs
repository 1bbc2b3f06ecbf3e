//! How certain a measured percentile is.
//!
//! Two intervals exist, both at [`LEVEL`], and [`QuantileIntervals`] picks by this rule:
//!
//! - Requests of a load test are not independent: a stall, a collection or a cold cache hits many
//!   requests in a row. The order-statistic interval, which assumes independence, is then too
//!   narrow. So if there are at least [`MIN_BLOCKS`] time blocks with samples, whole blocks are
//!   resampled ([`bootstrap`]), which keeps the dependence within a block. The result is never
//!   narrower than the order-statistic interval: with few blocks the bootstrap is known to be too
//!   optimistic.
//! - Resampling cannot say anything about what is beyond the largest sample. If fewer than
//!   [`MIN_BEYOND`] samples lie beyond the percentile, or if there are too few blocks, the
//!   order-statistic interval is taken ([`order`]); it knows when an end is open.

pub mod bootstrap;
pub mod change_points;
pub mod multiple;
pub mod order;
pub mod proportion;
pub mod student;

use crate::metrics::{BlockedHistogram, Histogram};
use bootstrap::BlockBootstrap;

/// Confidence level of all intervals.
pub const LEVEL: f64 = 0.95;
/// Blocks with samples from which on blocks are resampled.
pub const MIN_BLOCKS: usize = 10;
/// Samples expected beyond a percentile from which on blocks are resampled.
pub const MIN_BEYOND: f64 = 10.0;

/// How an interval was computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IntervalMethod {
    /// From the binomial distribution of ranks; assumes independent samples.
    OrderStatistics,
    /// By resampling blocks of time.
    BlockBootstrap,
}

impl IntervalMethod {
    /// Stable identifier, as it stands in `result.json`.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::OrderStatistics => "order_statistics",
            Self::BlockBootstrap => "block_bootstrap",
        }
    }
}

/// A confidence interval in nanoseconds. An end is absent where the samples cannot bound it: the
/// p99.9 of 100 samples may be anything above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// Lower end.
    pub low_ns: Option<u64>,
    /// Upper end.
    pub high_ns: Option<u64>,
    /// How it was computed.
    pub method: IntervalMethod,
}

/// Confidence intervals of the percentiles of one distribution.
#[derive(Clone, Debug)]
pub struct QuantileIntervals<'a> {
    total: &'a Histogram,
    bootstrap: Option<BlockBootstrap>,
}

impl<'a> QuantileIntervals<'a> {
    /// Of a distribution and the same samples by time block.
    #[must_use]
    pub fn new(total: &'a Histogram, blocks: &BlockedHistogram) -> Self {
        let used = blocks.blocks().iter().filter(|block| !block.is_empty()).count();
        let bootstrap = (used >= MIN_BLOCKS).then(|| BlockBootstrap::new(blocks));
        Self { total, bootstrap }
    }

    /// Of a distribution of which the times are not known: order statistics only.
    #[must_use]
    pub fn without_blocks(total: &'a Histogram) -> Self {
        Self { total, bootstrap: None }
    }

    /// The interval of quantile `q` (0…1) by the rule of the module's documentation; none without
    /// samples.
    #[must_use]
    pub fn at(&self, q: f64) -> Option<Interval> {
        let independent = order::quantile_interval(self.total, q)?;
        let beyond = self.total.count() as f64 * q.min(1.0 - q);
        let Some(bootstrap) = self.bootstrap.as_ref().filter(|_| beyond >= MIN_BEYOND) else {
            return Some(independent);
        };
        let Some((low_ns, high_ns)) = bootstrap.interval(q) else { return Some(independent) };
        // Resampled values are upper ends of buckets, which may exceed the exact maximum.
        let max_ns = self.total.max().unwrap_or(u64::MAX);
        Some(Interval {
            low_ns: independent.low_ns.map(|ns| ns.min(low_ns)),
            high_ns: independent.high_ns.map(|ns| ns.max(high_ns.min(max_ns))),
            method: IntervalMethod::BlockBootstrap,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::FIRST_BLOCK_NS;

    /// A deterministic stand-in for a random number, 0…1.
    fn noise(index: u64) -> f64 {
        let mut z = index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// 60 seconds of 200 requests; the latency of each is given by second and index.
    fn run(latency_ns: impl Fn(u64, u64) -> f64) -> (Histogram, BlockedHistogram) {
        let mut blocks = BlockedHistogram::default();
        for second in 0..60 {
            let block: Histogram = (0..200).map(|index| latency_ns(second, index) as u64).collect();
            blocks.merge_at(second * FIRST_BLOCK_NS, &block);
        }
        (blocks.total(), blocks)
    }

    fn width(interval: Interval) -> f64 {
        (interval.high_ns.unwrap() - interval.low_ns.unwrap()) as f64
    }

    #[test]
    fn dependence_in_time_widens_the_interval() {
        let independent = run(|second, index| 1e6 + 1e6 * noise(second * 200 + index));
        // Whole seconds are slow or fast.
        let dependent =
            run(|second, index| 1e6 + 1e6 * (noise(second) + 0.01 * noise(second * 200 + index)));
        let at = |(total, blocks): &(Histogram, BlockedHistogram)| {
            QuantileIntervals::new(total, blocks).at(0.5).unwrap()
        };
        // Both ends move.
        let naive = order::quantile_interval(&dependent.0, 0.5).unwrap();
        let (independent, dependent) = (at(&independent), at(&dependent));
        assert!(dependent.low_ns.unwrap() + 50_000 < naive.low_ns.unwrap());
        assert!(dependent.high_ns.unwrap() > naive.high_ns.unwrap() + 50_000);
        assert_eq!(independent.method, IntervalMethod::BlockBootstrap);
        assert!(width(dependent) > 4.0 * width(independent), "{dependent:?} {independent:?}");
        assert!(independent.low_ns.unwrap() < 1_500_000);
        assert!(independent.high_ns.unwrap() > 1_500_000);
    }

    #[test]
    fn too_little_data_falls_back_to_order_statistics() {
        let (total, blocks) = run(|second, index| 1e6 + 1e6 * noise(second * 200 + index));
        let intervals = QuantileIntervals::new(&total, &blocks);
        // 12,000 samples: 12 beyond p99.9, 1.2 beyond p99.99.
        assert_eq!(intervals.at(0.999).unwrap().method, IntervalMethod::BlockBootstrap);
        let extreme = intervals.at(0.9999).unwrap();
        assert_eq!(extreme.method, IntervalMethod::OrderStatistics);
        assert_eq!(extreme.high_ns, None);
        let without = QuantileIntervals::without_blocks(&total).at(0.5).unwrap();
        assert_eq!(without.method, IntervalMethod::OrderStatistics);
        let short = BlockedHistogram::default();
        assert!(QuantileIntervals::new(&Histogram::new(), &short).at(0.5).is_none());
    }

    #[test]
    fn the_interval_holds_the_value_and_keeps_within_the_extremes() {
        let (total, blocks) = run(|second, index| 1e6 + 9e6 * noise(second * 200 + index).powi(3));
        let intervals = QuantileIntervals::new(&total, &blocks);
        for q in [0.5, 0.9, 0.95, 0.99, 0.999] {
            let interval = intervals.at(q).unwrap();
            let value = total.value_at_quantile(q).unwrap();
            assert!(interval.low_ns.unwrap() <= value, "{q}: {interval:?} {value}");
            assert!(interval.high_ns.unwrap_or(u64::MAX) >= value, "{q}: {interval:?} {value}");
            assert!(interval.high_ns.unwrap_or(0) <= total.max().unwrap());
        }
    }

    /// Many runs whose true median is known: how often does the interval hold it?
    #[test]
    fn the_bootstrap_covers_what_order_statistics_miss() {
        let (mut resampled, mut naive) = (0, 0);
        const RUNS: u64 = 60;
        for run in 0..RUNS {
            let mut blocks = BlockedHistogram::default();
            for second in 0..60 {
                let level = noise(run * 1_000 + second);
                let jitter = |index| noise(run * 1_000_000 + second * 100 + index);
                let block: Histogram = (0..20)
                    .map(|index| (1e6 + 1e6 * (level + 0.01 * jitter(index))) as u64)
                    .collect();
                blocks.merge_at(second * FIRST_BLOCK_NS, &block);
            }
            let total = blocks.total();
            let holds = |interval: Interval| {
                (interval.low_ns.unwrap()..=interval.high_ns.unwrap()).contains(&1_505_000)
            };
            resampled += u64::from(holds(QuantileIntervals::new(&total, &blocks).at(0.5).unwrap()));
            naive += u64::from(holds(order::quantile_interval(&total, 0.5).unwrap()));
        }
        assert!(resampled * 100 >= RUNS * 88, "{resampled} of {RUNS}");
        assert!(naive * 100 <= RUNS * 60, "{naive} of {RUNS}");
    }
}
