//! From a value to a place on an axis.

use super::Unit;
use super::ticks;

/// How values are spread over an axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ScaleKind {
    /// Evenly, from zero.
    #[default]
    Linear,
    /// By their logarithm; values that are not positive are gaps.
    Log,
    /// By their logarithm where the largest is more than 30 times the smallest, else evenly.
    Auto,
}

/// The ratio of the largest to the smallest value from which [`ScaleKind::Auto`] is logarithmic.
const AUTO_RATIO: f64 = 30.0;

/// A tick: where (0 at the low end, 1 at the high end) and what is written there.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    pub(super) at: f64,
    pub(super) text: String,
}

/// An axis of values.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Scale {
    is_log: bool,
    low: f64,
    high: f64,
    step: f64,
}

impl Scale {
    /// A scale that holds all these values; those that are not finite are left out.
    pub(super) fn new(
        kind: ScaleKind,
        unit: Unit,
        values: impl Iterator<Item = f64> + Clone,
    ) -> Self {
        let finite = values.filter(|value| value.is_finite());
        let positive = finite.clone().filter(|&value| value > 0.0);
        let low = positive.clone().fold(f64::INFINITY, f64::min);
        let high = finite.clone().fold(0.0, f64::max);
        let is_log = match kind {
            ScaleKind::Linear => false,
            ScaleKind::Log => low <= high,
            ScaleKind::Auto => low <= high && high / low > AUTO_RATIO,
        };
        if is_log {
            // More decades than these do not fit below each other.
            let (low, high) = ticks::log_ends(low.max(high * 1e-12).max(1e-300), high);
            return Self { is_log, low, high, step: 0.0 };
        }
        let low = finite.fold(0.0, f64::min);
        let (step, low, high) = ticks::linear(low, high, 4, unit == Unit::Count);
        Self { is_log, low, high, step }
    }

    pub(super) fn is_log(&self) -> bool {
        self.is_log
    }

    /// Lowest and highest value.
    pub(super) fn ends(&self) -> (f64, f64) {
        (self.low, self.high)
    }

    /// Where a value is: 0 at the low end, 1 at the high end, never outside. None for what has no place.
    pub(super) fn place(&self, value: f64) -> Option<f64> {
        if !value.is_finite() {
            return None;
        }
        let at = if self.is_log {
            if value <= 0.0 {
                return None;
            }
            (value.ln() - self.low.ln()) / (self.high.ln() - self.low.ln())
        } else {
            (value - self.low) / (self.high - self.low)
        };
        at.is_finite().then(|| at.clamp(0.0, 1.0))
    }

    pub(super) fn ticks(&self, unit: Unit) -> Vec<Tick> {
        let values = if self.is_log {
            ticks::log(self.low, self.high)
        } else {
            ticks::steps(self.step, self.low, self.high)
        };
        let tick = |value: f64| {
            let at = self.place(value)?;
            // On a logarithmic axis each tick has its own unit.
            let text = if self.is_log {
                unit.tick(value, value, value)
            } else {
                unit.tick(value, self.step, self.low.abs().max(self.high.abs()))
            };
            Some(Tick { at, text })
        };
        values.into_iter().filter_map(tick).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(kind: ScaleKind, unit: Unit, values: &[f64]) -> Vec<String> {
        let scale = Scale::new(kind, unit, values.iter().copied());
        scale.ticks(unit).into_iter().map(|tick| tick.text.replace('\u{a0}', " ")).collect()
    }

    #[test]
    fn axes_as_they_are_read() {
        let check = |kind, unit, values: &[f64], expect: &[&str]| {
            assert_eq!(texts(kind, unit, values), expect);
        };
        use ScaleKind::{Auto, Linear, Log};
        let ms = Unit::Milliseconds;
        check(Linear, ms, &[3.0, 180.0], &["0", "50 ms", "100 ms", "150 ms", "200 ms"]);
        check(Auto, ms, &[20.0, 180.0], &["0", "50 ms", "100 ms", "150 ms", "200 ms"]);
        check(Auto, ms, &[0.3, 180.0], &["300 µs", "1 ms", "3 ms", "10 ms", "30 ms", "100 ms"]);
        check(
            Log,
            ms,
            &[40.0, 1900.0],
            &["20 ms", "50 ms", "100 ms", "200 ms", "500 ms", "1 s", "2 s"],
        );
        check(Linear, Unit::Count, &[], &["0", "1"]);
        check(Log, ms, &[0.0], &["0", "0.5 ms", "1.0 ms"]);
        check(Linear, Unit::Share, &[0.0, 1.0], &["0", "25%", "50%", "75%", "100%"]);
    }

    proptest! {
        #[test]
        fn places_and_ticks_are_inside(values in prop::collection::vec(any::<f64>(), 0..8), kind in 0..3_u8) {
            let kind = [ScaleKind::Linear, ScaleKind::Log, ScaleKind::Auto][usize::from(kind)];
            let scale = Scale::new(kind, Unit::Number, values.iter().copied());
            for tick in scale.ticks(Unit::Number) {
                prop_assert!((0.0..=1.0).contains(&tick.at));
            }
            for value in values {
                let place = scale.place(value);
                prop_assert!(place.is_none_or(|place| (0.0..=1.0).contains(&place)));
                prop_assert!(place.is_some() || !value.is_finite() || scale.is_log() || value.abs() > 1e300);
            }
        }
    }
}
