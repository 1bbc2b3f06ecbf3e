//! The value of a measure in one run, on the scale on which changes of it are judged.

use super::evidence::{Figures, PhaseEvidence};
use crate::result::ChangeScale;
use crate::verdict::{Measure, Quantity, Timing, measured, statistic_of};

/// The scale of a measure: shares change by points, everything else by a factor. Factors are added up
/// as logarithms, on which +10 % and −9.1 % are the same step in two directions.
#[must_use]
pub(super) fn scale_of(measure: &Measure) -> ChangeScale {
    if measure.quantity() == Quantity::Ratio { ChangeScale::Points } else { ChangeScale::Relative }
}

/// A value of a measure on its scale; none where it has no place there (a time of nothing).
#[must_use]
pub(super) fn on_scale(value: f64, scale: ChangeScale) -> Option<f64> {
    match scale {
        ChangeScale::Relative => (value > 0.0 && value.is_finite()).then(|| value.ln()),
        ChangeScale::Points => value.is_finite().then_some(value),
    }
}

/// Back from the scale.
#[must_use]
pub(super) fn off_scale(value: f64, scale: ChangeScale) -> f64 {
    match scale {
        ChangeScale::Relative => value.exp(),
        ChangeScale::Points => value,
    }
}

/// A difference on the scale as people know changes: a share of the old value, or points.
#[must_use]
pub(super) fn as_change(difference: f64, scale: ChangeScale) -> f64 {
    match scale {
        ChangeScale::Relative => difference.exp_m1(),
        ChangeScale::Points => difference,
    }
}

/// What a measure is in a run, in its base unit.
pub(super) fn value(
    measure: &Measure,
    figures: &Figures,
    phase: Option<&PhaseEvidence>,
) -> Option<f64> {
    match measure {
        Measure::Time(Timing::Response, statistic) => statistic_of(&figures.response, *statistic),
        Measure::RequestsPerSecond => measured::per_second(figures.requests(), figures.seconds),
        Measure::ErrorRate => measured::share(figures.failed, figures.requests()),
        Measure::SuccessRate => {
            let succeeded = figures.requests().saturating_sub(figures.failed);
            measured::share(succeeded, figures.requests())
        }
        Measure::CacheHitRate => figures.cache_hit_rate,
        Measure::Requests => Some(figures.requests() as f64),
        Measure::Failed => Some(figures.failed as f64),
        Measure::Monitor(name) => phase?.monitors.get(name).copied(),
        _ => None,
    }
}
