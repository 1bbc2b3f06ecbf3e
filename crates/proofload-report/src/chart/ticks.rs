//! Where an axis has its ticks: round numbers, powers of ten, round times.

/// The most ticks that any of these gives.
pub(super) const MAX_TICKS: usize = 24;

/// The smallest of 1, 2, 2.5 or 5 times a power of ten that is not below a number. `wanted` is positive.
fn nice_at_least(wanted: f64) -> f64 {
    let power = 10_f64.powf(wanted.log10().floor());
    let steps = [1.0, 2.0, 2.5, 5.0, 10.0];
    let step = steps.into_iter().find(|step| step * power >= wanted * (1.0 - 1e-9));
    step.unwrap_or(10.0) * power
}

/// Step, lowest and highest value of a linear axis that holds `low…high` with about `wanted` ticks. Nothing to
/// show and what cannot be shown give 0…1. Whole things are not counted in halves.
pub(super) fn linear(low: f64, high: f64, wanted: usize, is_whole: bool) -> (f64, f64, f64) {
    let range = high - low;
    if !(range.is_finite() && range > f64::MIN_POSITIVE * 1e3) {
        return (if is_whole { 1.0 } else { 0.5 }, 0.0, 1.0);
    }
    let mut step = nice_at_least(range / wanted.max(1) as f64);
    if is_whole {
        step = if step < 1.0 { 1.0 } else { step.ceil() };
    }
    let (from, to) = ((low / step).floor() * step, (high / step).ceil() * step);
    if (to - from) / step > MAX_TICKS as f64 || !(from.is_finite() && to.is_finite()) {
        // Far from zero with a small range: floats no longer tell the ticks apart.
        return (range, low, high);
    }
    (step, from, to)
}

/// The values from `from` to `to` in steps, at most [`MAX_TICKS`].
pub(super) fn steps(step: f64, from: f64, to: f64) -> Vec<f64> {
    let count = ((to - from) / step).round();
    if !count.is_finite() || count < 0.0 {
        return Vec::new();
    }
    (0..=(count as usize).min(MAX_TICKS - 1)).map(|at| from + step * at as f64).collect()
}

/// Ends of a logarithmic axis that holds `low…high`, both positive: the next 1, 2 or 5 times a power of ten.
pub(super) fn log_ends(low: f64, high: f64) -> (f64, f64) {
    let up = |value: f64| {
        let power = 10_f64.powf(value.log10().floor());
        let steps = [1.0, 2.0, 5.0, 10.0];
        steps.map(|step| step * power).into_iter().find(|&end| end >= value * (1.0 - 1e-9))
    };
    let down = |value: f64| {
        let power = 10_f64.powf(value.log10().floor());
        let steps = [5.0, 2.0, 1.0];
        steps.map(|step| step * power).into_iter().find(|&end| end <= value * (1.0 + 1e-9))
    };
    let (from, to) = (down(low).unwrap_or(low), up(high).unwrap_or(high));
    if from < to { (from, to) } else { (from / 2.0, from * 2.0) }
}

/// Ticks of a logarithmic axis: every power of ten, with 2 and 5 between them where there is room.
pub(super) fn log(from: f64, to: f64) -> Vec<f64> {
    let (first, last) = (from.log10().floor() as i32, to.log10().ceil() as i32);
    let decades = last.saturating_sub(first).max(1) as usize;
    let steps: &[f64] = match (to / from).log10() {
        ratio if ratio <= 2.1 => &[1.0, 2.0, 5.0],
        ratio if ratio <= 3.5 => &[1.0, 3.0],
        _ => &[1.0],
    };
    let every = decades.div_ceil(8);
    (first..=last)
        .step_by(every)
        .flat_map(|power| steps.iter().map(move |step| step * 10_f64.powi(power)))
        .filter(|&tick| tick >= from * (1.0 - 1e-9) && tick <= to * (1.0 + 1e-9))
        .take(MAX_TICKS)
        .collect()
}

/// Steps in which people count time, in seconds.
const TIME_STEPS: [f64; 24] = [
    0.001, 0.01, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0,
    1800.0, 3600.0, 7200.0, 10_800.0, 21_600.0, 43_200.0, 86_400.0, 172_800.0,
];

/// The step of a time axis of so many seconds with at most `most` ticks.
pub(super) fn time_step(seconds: f64, most: usize) -> f64 {
    let wanted = seconds / most.max(1) as f64;
    let week = 604_800.0;
    let found = TIME_STEPS.into_iter().find(|&step| step >= wanted * (1.0 - 1e-9));
    found.unwrap_or_else(|| (wanted / week).ceil() * week)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn linear_axes() {
        let check = |low: f64, high: f64, is_whole: bool, expect: (f64, f64, f64)| {
            assert_eq!(linear(low, high, 4, is_whole), expect);
        };
        check(0.0, 100.0, false, (25.0, 0.0, 100.0));
        check(0.0, 87.0, false, (25.0, 0.0, 100.0));
        check(0.0, 3.0, false, (1.0, 0.0, 3.0));
        check(0.0, 3.0, true, (1.0, 0.0, 3.0));
        check(0.0, 1.0, true, (1.0, 0.0, 1.0));
        check(0.0, 10.0, true, (3.0, 0.0, 12.0));
        check(-5.0, 5.0, false, (2.5, -5.0, 5.0));
        check(0.0, 0.0, false, (0.5, 0.0, 1.0));
        check(0.0, f64::INFINITY, false, (0.5, 0.0, 1.0));
        check(f64::NAN, 1.0, false, (0.5, 0.0, 1.0));
    }

    #[test]
    fn log_axes() {
        let check = |low: f64, high: f64, ends: (f64, f64), ticks: &[f64]| {
            assert_eq!(log_ends(low, high), ends);
            assert_eq!(log(ends.0, ends.1), ticks);
        };
        check(3.0, 70.0, (2.0, 100.0), &[2.0, 5.0, 10.0, 20.0, 50.0, 100.0]);
        check(1.0, 1000.0, (1.0, 1000.0), &[1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0]);
        check(1.0, 1.0, (0.5, 2.0), &[0.5, 1.0, 2.0]);
        assert_eq!(log(1.0, 1e7).len(), 8);
        assert!(log(1e-9, 1e9).len() <= 10);
    }

    #[test]
    fn time_axes() {
        let check = |seconds: f64, step: f64| assert_eq!(time_step(seconds, 8), step);
        check(8.0, 1.0);
        check(60.0, 10.0);
        check(420.0, 60.0);
        check(86_400.0, 10_800.0);
        check(30.0 * 86_400.0, 604_800.0);
        check(0.0, 0.001);
    }

    proptest! {
        #[test]
        fn linear_axes_hold_their_values(low in -1e12..1e12_f64, range in 1e-9..1e12_f64, whole: bool) {
            let high = low + range;
            let (step, from, to) = linear(low, high, 5, whole);
            let ticks = steps(step, from, to);
            prop_assert!(ticks.len() <= MAX_TICKS);
            if range > low.abs() * 1e-6 {
                let slack = step * 1e-6;
                prop_assert!(from <= low + slack && to >= high - slack, "{} {} {:?}", low, high, (step, from, to));
                prop_assert!(ticks.len() >= 2);
            }
        }

        #[test]
        fn log_axes_hold_their_values(low in 1e-9..1e9_f64, factor in 1.0..1e9_f64) {
            let (from, to) = log_ends(low, low * factor);
            prop_assert!(from <= low * 1.000_001 && to >= low * factor * 0.999_999);
            let ticks = log(from, to);
            prop_assert!(!ticks.is_empty() && ticks.len() <= MAX_TICKS);
            prop_assert!(ticks.iter().all(|&t| t >= from * 0.999_999 && t <= to * 1.000_001));
        }
    }
}
