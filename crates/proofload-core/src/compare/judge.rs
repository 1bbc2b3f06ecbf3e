//! From differences to verdicts.
//!
//! - `better` / `worse`: the change is real. Its p-value, corrected for all measures of the comparison
//!   (Benjamini and Hochberg, see [`crate::stats::multiple`]), is at most [`FALSE_DISCOVERY_RATE`].
//! - `no change`: the whole confidence interval lies within the margin around nothing, so whatever
//!   changed is too small to matter (an equivalence test by interval inclusion: Schuirmann, Journal of
//!   Pharmacokinetics and Biopharmaceutics 15, 1987). This goes first: with enough runs anything is
//!   real.
//! - `cannot tell`: neither. The interval is too wide, or it is one of so many measures that one as far from
//!   nothing is to be expected (`Change::is_clear_only_by_itself`): the interval is that of the measure alone,
//!   the verdict is not.

use super::difference::{Difference, Known, LEVEL};
use crate::result::{ChangeScale, ChangeVerdict};
use crate::stats::multiple::benjamini_hochberg;
use crate::verdict::{Direction, Measure};

/// Expected share of false ones among all changes called better or worse; if nothing changed, the
/// chance of any in a comparison.
pub const FALSE_DISCOVERY_RATE: f64 = 0.01;
/// A relative change up to this is too small to matter.
pub const MARGIN_RELATIVE: f64 = 0.03;
/// A change of a share up to this is too small to matter: a tenth of a percentage point.
pub const MARGIN_POINTS: f64 = 0.001;

/// A measure of a phase or request, compared.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) measure: Measure,
    pub(super) difference: Option<Difference>,
    /// Why nothing is to be taken from it.
    pub(super) why: Option<String>,
    /// Corrected for all measures of the comparison.
    pub(super) adjusted_p: Option<f64>,
    pub(super) verdict: ChangeVerdict,
}

impl Change {
    /// Not yet judged.
    pub(super) fn new(
        measure: Measure,
        difference: Option<Difference>,
        why: Option<String>,
    ) -> Self {
        let verdict = ChangeVerdict::CannotTell;
        Self { measure, difference, why, adjusted_p: None, verdict }
    }

    /// What is known about the difference, unless something speaks against taking it for anything.
    pub(super) fn known(&self) -> Option<Known> {
        self.difference.and_then(|difference| difference.known).filter(|_| self.why.is_none())
    }

    /// Whether nothing can be told of it.
    pub(super) fn is_open(&self) -> bool {
        self.verdict == ChangeVerdict::CannotTell
    }

    /// Whether it would be called better or worse if it were the only measure, and is not because of the others.
    pub(super) fn is_clear_only_by_itself(&self) -> bool {
        self.is_open() && self.known().is_some_and(|known| known.p_value <= 1.0 - LEVEL)
    }
}

/// Judges all changes of a comparison together, and says how many that were.
pub(super) fn judge<'a>(changes: impl Iterator<Item = &'a mut Change>) -> usize {
    let mut known: Vec<(&mut Change, Known)> =
        changes.filter_map(|change| change.known().map(|known| (change, known))).collect();
    let p_values: Vec<f64> = known.iter().map(|(_, known)| known.p_value).collect();
    for ((change, known), adjusted) in known.iter_mut().zip(benjamini_hochberg(&p_values)) {
        let scale = change.difference.map_or(ChangeScale::Relative, |difference| difference.scale);
        change.adjusted_p = Some(adjusted);
        change.verdict = verdict(*known, adjusted, scale, change.measure.direction());
    }
    known.len()
}

fn verdict(
    known: Known,
    adjusted_p: f64,
    scale: ChangeScale,
    direction: Direction,
) -> ChangeVerdict {
    // On the scale of logarithms the margin is the same factor both ways.
    let margin = match scale {
        ChangeScale::Relative => MARGIN_RELATIVE.ln_1p(),
        ChangeScale::Points => MARGIN_POINTS,
    };
    if known.low >= -margin && known.high <= margin {
        return ChangeVerdict::NoChange;
    }
    if adjusted_p > FALSE_DISCOVERY_RATE {
        return ChangeVerdict::CannotTell;
    }
    let rises = known.low + known.high > 0.0;
    if rises == (direction == Direction::HigherIsBetter) {
        ChangeVerdict::Better
    } else {
        ChangeVerdict::Worse
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_by_interval_and_p_value() {
        let check = |low: f64, high: f64, p: f64, direction, expect| {
            let known = Known { low, high, p_value: p };
            assert_eq!(verdict(known, p, ChangeScale::Relative, direction), expect, "{low} {high}");
        };
        let lower = Direction::LowerIsBetter;
        check(0.05, 0.15, 1e-4, lower, ChangeVerdict::Worse);
        check(0.05, 0.15, 1e-4, Direction::HigherIsBetter, ChangeVerdict::Better);
        check(-0.15, -0.05, 1e-4, lower, ChangeVerdict::Better);
        check(0.05, 0.15, 0.011, lower, ChangeVerdict::CannotTell);
        check(-0.02, 0.02, 0.9, lower, ChangeVerdict::NoChange);
        // Real, but too small to matter.
        check(0.01, 0.02, 1e-9, lower, ChangeVerdict::NoChange);
        check(0.01, 0.04, 1e-9, lower, ChangeVerdict::Worse);
        check(-0.1, 0.1, 0.9, lower, ChangeVerdict::CannotTell);
    }
}
