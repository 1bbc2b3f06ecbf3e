//! The picture of a distribution of times.

use std::ops::RangeInclusive;

/// How many bars are shown at most.
const MAX_BARS: usize = 12;

/// Bounds that a bar may have, as multiples of a power of ten: steps that people count in.
const STEPS: &[&[f64]] = &[
    &[1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0],
    &[1.0, 1.5, 2.0, 3.0, 5.0, 7.0],
    &[1.0, 2.0, 5.0],
    &[1.0, 3.0],
    &[1.0],
];

/// One bar: the times up to a bound, and how many there were.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct LatencyBar {
    /// Upper bound in nanoseconds; the lower one is that of the bar before.
    pub(crate) up_to_ns: f64,
    /// How many.
    pub(crate) count: u64,
}

/// Sorts buckets of a histogram, given as a time in nanoseconds and a count each, into at most
/// [`MAX_BARS`] bars whose bounds grow in even ratios. Bars without samples between others stay.
pub(crate) fn latency_bars(buckets: &[(f64, u64)]) -> Vec<LatencyBar> {
    let times = || buckets.iter().filter(|(ns, count)| ns.is_finite() && *count > 0);
    let low = times().map(|(ns, _)| *ns).fold(f64::INFINITY, f64::min).max(1.0);
    let high = times().map(|(ns, _)| *ns).fold(0.0, f64::max).max(low);
    if times().next().is_none() {
        return Vec::new();
    }
    let bounds = bounds(low..=high);
    let mut bars: Vec<LatencyBar> =
        bounds.into_iter().map(|up_to_ns| LatencyBar { up_to_ns, count: 0 }).collect();
    for &(ns, count) in times() {
        let at = bars.partition_point(|bar| bar.up_to_ns < ns).min(bars.len() - 1);
        bars[at].count = bars[at].count.saturating_add(count);
    }
    bars
}

/// The finest bounds that give few enough bars, from the first at or above the lowest time to the
/// first at or above the highest.
fn bounds(range: RangeInclusive<f64>) -> Vec<f64> {
    let mut bounds = Vec::new();
    for steps in STEPS {
        bounds = bounds_of(steps, &range);
        if bounds.len() <= MAX_BARS {
            break;
        }
    }
    // 14 decades is more than a histogram holds.
    bounds
}

fn bounds_of(steps: &[f64], range: &RangeInclusive<f64>) -> Vec<f64> {
    let mut bounds = Vec::new();
    let decade = range.start().log10().floor() as i32;
    for power in decade..=decade.saturating_add(20) {
        for step in steps {
            let bound = step * 10_f64.powi(power);
            if bound >= *range.start() {
                bounds.push(bound);
            }
            if bound >= *range.end() {
                return bounds;
            }
        }
    }
    bounds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_have_round_bounds_and_all_samples() {
        let check = |buckets: &[(f64, u64)], expect: &[(f64, u64)]| {
            let bars: Vec<_> =
                latency_bars(buckets).iter().map(|b| (b.up_to_ns.round(), b.count)).collect();
            assert_eq!(bars, expect);
        };
        check(&[], &[]);
        check(&[(5e6, 0)], &[]);
        check(&[(5e6, 3)], &[(5e6, 3)]);
        check(&[(0.0, 3)], &[(1.0, 3)]);
        check(&[(5.1e6, 3), (7e6, 1)], &[(6e6, 3), (8e6, 1)]);
        check(
            &[(0.9e6, 1), (1.1e6, 5), (90e6, 2)],
            &[(1e6, 1), (2e6, 5), (5e6, 0), (1e7, 0), (2e7, 0), (5e7, 0), (1e8, 2)],
        );
        check(&[(1.0, 1), (3.6e12, 1)].map(|(ns, count): (f64, u64)| (ns, count)), &{
            let mut all: Vec<_> = (0..=13).map(|power| (10_f64.powi(power), 0)).collect();
            all[0].1 = 1;
            all[13].1 = 1;
            all
        });
        check(&[(f64::NAN, 1), (f64::INFINITY, 1)], &[]);
    }
}
