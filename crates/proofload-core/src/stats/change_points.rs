//! Where a series of runs changed its level.
//!
//! The method is E-divisive: D. S. Matteson and N. A. James, "A Nonparametric Approach for Multiple Change Point
//! Analysis of Multivariate Data", Journal of the American Statistical Association 109 (2014), with exponent 1. It is
//! what MongoDB uses for its performance tests (D. Daly et al., "The Use of Change Point Detection to Identify
//! Software Performance Regressions in a Continuous Integration System", ICPE 2020), because it assumes no
//! distribution and works on short, noisy series.
//!
//! A series is split where the energy distance between both sides, weighted by their sizes, is largest. Whether that
//! could be chance is found by shuffling the values within the present segments and splitting again: the split stands
//! if at most [`LEVEL`] of the shuffled series, the series itself counted among them, come as far. Then the segments
//! are split further, until a split is not significant. The false alarm rate of a series without any change is
//! therefore at most [`LEVEL`], whatever the distribution, as long as runs do not depend on each other.

/// Share of unchanged series in which a change is found by chance.
pub const LEVEL: f64 = 0.01;
/// Shuffled series that a split is compared with.
const PERMUTATIONS: usize = 999;
/// Least values between two changes: one odd run is not a change.
pub const MIN_SEGMENT: usize = 3;
/// Most values that are looked at, the last ones; the effort grows with the square of their number.
pub const MAX_VALUES: usize = 400;
/// Any number, always the same one: the same history has the same changes.
const SEED: u64 = 0x5EED_0FC4_A263;

/// A change of level between two runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChangePoint {
    /// Index of the first value after it.
    pub at: usize,
    /// Median of the values since the change before it.
    pub before: f64,
    /// Median of the values up to the next change.
    pub after: f64,
    /// Share of shuffled series in which a split is at least as strong; at most [`LEVEL`].
    pub p_value: f64,
}

/// The changes of level in a series of finite values, in its order. Of a series with more than [`MAX_VALUES`] only the
/// last ones are looked at; one with values that are not finite has no changes.
#[must_use]
pub fn change_points(values: &[f64]) -> Vec<ChangePoint> {
    let skipped = values.len().saturating_sub(MAX_VALUES);
    let values = &values[skipped..];
    if values.iter().any(|value| !value.is_finite()) {
        return Vec::new();
    }
    let mut random = fastrand::Rng::with_seed(SEED);
    // Bounds of segments: the first is 0, the last the length.
    let mut bounds = vec![0, values.len()];
    let mut found: Vec<(usize, f64)> = Vec::new();
    while let Some(split) = strongest_split(values, &bounds) {
        let Some(p_value) = significance(values, &bounds, split.strength, &mut random) else {
            break;
        };
        found.push((split.at, p_value));
        let place = bounds.partition_point(|bound| *bound < split.at);
        bounds.insert(place, split.at);
    }
    found.sort_by_key(|(at, _)| *at);
    let point = |(at, p_value): (usize, f64)| {
        let place = bounds.partition_point(|bound| *bound < at);
        let (start, end) = (bounds[place - 1], bounds[place + 1]);
        ChangePoint {
            at: at + skipped,
            before: median(&values[start..at]),
            after: median(&values[at..end]),
            p_value,
        }
    };
    found.into_iter().map(point).collect()
}

#[derive(Clone, Copy, Debug)]
struct Split {
    at: usize,
    strength: f64,
}

/// The strongest split of any segment.
fn strongest_split(values: &[f64], bounds: &[usize]) -> Option<Split> {
    let splits = bounds.windows(2).filter_map(|bounds| {
        let split = best_split(&values[bounds[0]..bounds[1]])?;
        Some(Split { at: split.at + bounds[0], ..split })
    });
    splits.reduce(|a, b| if b.strength > a.strength { b } else { a })
}

/// The split of a segment at which the energy statistic of both sides is largest.
///
/// With `m` values on the left and `n` on the right it is `mn/(m+n)` times
/// `2/(mn)·Σ|x−y| − 1/C(m,2)·Σ|x−x'| − 1/C(n,2)·Σ|y−y'|`.
fn best_split(values: &[f64]) -> Option<Split> {
    let length = values.len();
    if length < 2 * MIN_SEGMENT {
        return None;
    }
    // Sums of distances; everything is on the right at first.
    let (mut left, mut between) = (0.0, 0.0);
    let mut right: f64 = (0..length).map(|at| distances(values[at], &values[at + 1..])).sum();
    let mut best: Option<Split> = None;
    for at in 1..=length - MIN_SEGMENT {
        let moved = values[at - 1];
        let (to_left, to_right) =
            (distances(moved, &values[..at - 1]), distances(moved, &values[at..]));
        left += to_left;
        right -= to_right;
        between += to_right - to_left;
        if at < MIN_SEGMENT {
            continue;
        }
        let (m, n) = (at as f64, (length - at) as f64);
        let energy =
            2.0 * between / (m * n) - 2.0 * left / (m * (m - 1.0)) - 2.0 * right / (n * (n - 1.0));
        let strength = energy * m * n / (m + n);
        if best.is_none_or(|best| strength > best.strength) {
            best = Some(Split { at, strength });
        }
    }
    best
}

fn distances(value: f64, others: &[f64]) -> f64 {
    others.iter().map(|other| (value - other).abs()).sum()
}

/// The p-value of a split of this strength; `None` if it is above [`LEVEL`].
fn significance(
    values: &[f64],
    bounds: &[usize],
    strength: f64,
    random: &mut fastrand::Rng,
) -> Option<f64> {
    // All values equal: rounding must not make a change of it.
    let scale = values.iter().fold(0.0_f64, |scale, value| scale.max(value.abs()));
    if strength <= scale * 1e-9 {
        return None;
    }
    let most = (LEVEL * (PERMUTATIONS + 1) as f64) as usize;
    let mut shuffled = values.to_vec();
    // The series itself is one of its own permutations.
    let mut as_strong = 1;
    for _ in 0..PERMUTATIONS {
        for bounds in bounds.windows(2) {
            random.shuffle(&mut shuffled[bounds[0]..bounds[1]]);
        }
        let other = strongest_split(&shuffled, bounds).map_or(0.0, |split| split.strength);
        // Sums in another order differ in their last digits.
        as_strong += usize::from(other >= strength * (1.0 - 1e-9));
        if as_strong > most {
            return None;
        }
    }
    Some(as_strong as f64 / (PERMUTATIONS + 1) as f64)
}

/// The middle value; the mean of both in the middle of an even number.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        length if length % 2 == 1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Normal deviates by Box and Muller.
    fn normal(random: &mut fastrand::Rng) -> f64 {
        let radius = (-2.0 * (1.0 - random.f64()).ln()).sqrt();
        radius * (std::f64::consts::TAU * random.f64()).cos()
    }

    /// Values around 100 with a standard deviation of 5, or with the long tail of response times.
    fn flat(length: usize, long_tail: bool, random: &mut fastrand::Rng) -> Vec<f64> {
        let value = |random: &mut fastrand::Rng| {
            let z = normal(random);
            if long_tail { 100.0 * (0.3 * z).exp() } else { 100.0 + 5.0 * z }
        };
        (0..length).map(|_| value(random)).collect()
    }

    #[test]
    fn a_thousand_flat_series_have_no_more_false_alarms_than_stated() {
        let mut random = fastrand::Rng::with_seed(1);
        let mut alarms = 0;
        for index in 0..1000 {
            let length = [10, 16, 24, 32][index % 4];
            let series = flat(length, index % 2 == 0, &mut random);
            alarms += usize::from(!change_points(&series).is_empty());
        }
        // 10 are expected at most; more than 20 would be so by chance once in 700 times.
        assert!(alarms <= 20, "{alarms} false alarms");
        // A test that never finds anything is not bounded but blind.
        assert!(alarms >= 1, "{alarms} false alarms");
    }

    #[test]
    fn a_step_of_two_sigma_is_found_at_its_place() {
        let mut random = fastrand::Rng::with_seed(2);
        let (mut found, mut near) = (0, 0);
        for _ in 0..200 {
            let mut series = flat(40, false, &mut random);
            series[25..].iter_mut().for_each(|value| *value += 10.0);
            let points = change_points(&series);
            if let Some(point) = points.iter().min_by_key(|point| point.at.abs_diff(25)) {
                found += 1;
                near += usize::from(point.at.abs_diff(25) <= 2);
                assert!(point.after > point.before, "{point:?}");
            }
        }
        assert!(found >= 194, "{found} of 200 steps found");
        assert!(near >= 170, "{near} of 200 steps found within two runs of their place");
    }

    #[test]
    fn several_changes_are_found_and_told_apart() {
        let mut random = fastrand::Rng::with_seed(3);
        let mut series = flat(60, false, &mut random);
        series[20..40].iter_mut().for_each(|value| *value += 30.0);
        series[40..].iter_mut().for_each(|value| *value -= 20.0);
        let points = change_points(&series);
        let places: Vec<usize> = points.iter().map(|point| point.at).collect();
        assert_eq!(places, [20, 40]);
        let near = |value: f64, expect: f64| (value - expect).abs() < 3.0;
        assert!(near(points[0].before, 100.0) && near(points[0].after, 130.0), "{points:?}");
        assert!(near(points[1].before, 130.0) && near(points[1].after, 80.0), "{points:?}");
        assert!(points.iter().all(|point| point.p_value <= LEVEL));
    }

    #[test]
    fn one_odd_run_is_not_a_change() {
        let mut random = fastrand::Rng::with_seed(4);
        let mut series = flat(30, false, &mut random);
        series[15] = 5000.0;
        assert_eq!(change_points(&series), []);
    }

    #[test]
    fn short_equal_and_broken_series_have_no_changes() {
        for series in [
            &[][..],
            &[1.0],
            &[1.0, 2.0, 3.0, 9.0, 9.0],
            &[0.1; 50],
            &[0.0; 50],
            &[1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 9.0, 9.0, 9.0, 9.0, 9.0, f64::NAN],
        ] {
            assert_eq!(change_points(series), [], "{series:?}");
        }
        // Without noise a step needs only enough runs to be no chance.
        let step: Vec<f64> = [1.0; 6].into_iter().chain([2.0; 6]).collect();
        let points = change_points(&step);
        assert_eq!(points.iter().map(|point| point.at).collect::<Vec<_>>(), [6]);
        assert_eq!((points[0].before, points[0].after), (1.0, 2.0));
    }

    #[test]
    fn of_a_long_series_the_end_is_looked_at() {
        let step = 100 + MAX_VALUES - 20;
        let series: Vec<f64> = (0..100 + MAX_VALUES)
            .map(|at| if at < step { (at % 7) as f64 } else { 50.0 })
            .collect();
        assert_eq!(change_points(&series).iter().map(|p| p.at).collect::<Vec<_>>(), [step]);
    }
}
