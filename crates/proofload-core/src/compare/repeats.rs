//! Runs of the same test: the middle, and how far they lie apart although nothing was changed.

use super::evidence::RunEvidence;
use super::measured::{off_scale, on_scale, scale_of, value};
use super::within::mean_and_variance;
use crate::result::ChangeScale;
use crate::verdict::{Measure, Percentile, Statistic, Timing};

/// A measure of a phase over several runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Spread {
    /// Name of the phase.
    pub phase: String,
    /// The measure.
    pub measure: Measure,
    /// What it was in each run, in the base unit; nothing in a run that does not have it.
    pub values: Vec<Option<f64>>,
    /// The middle run's value, in the base unit; the lower of two in the middle.
    pub median: f64,
    /// The smallest.
    pub least: f64,
    /// The largest.
    pub most: f64,
    /// Standard deviation between runs: as a part of the value, or of shares in shares; none of one run.
    pub deviation: Option<f64>,
}

/// How far runs lie apart, for the phases of the first one.
#[must_use]
pub fn spread(runs: &[RunEvidence]) -> Vec<Spread> {
    let percentile =
        |percentile| Measure::Time(Timing::Response, Statistic::Percentile(percentile));
    let measures = [
        percentile(Percentile::P50),
        percentile(Percentile::P95),
        percentile(Percentile::P99),
        Measure::RequestsPerSecond,
        Measure::ErrorRate,
    ];
    let phases = runs.iter().take(1).flat_map(|run| &run.phases);
    phases
        .flat_map(|phase| measures.iter().map(move |measure| (phase, measure)))
        .filter_map(|(phase, measure)| of_phase(runs, &phase.name, measure))
        .collect()
}

fn of_phase(runs: &[RunEvidence], phase: &str, measure: &Measure) -> Option<Spread> {
    let scale = scale_of(measure);
    let of_run = |run: &RunEvidence| {
        let phase = run.phase(phase)?;
        value(measure, &phase.all, Some(phase))
    };
    let all: Vec<Option<f64>> = runs.iter().map(of_run).collect();
    let mut values: Vec<f64> = all.iter().filter_map(|value| on_scale((*value)?, scale)).collect();
    values.sort_by(f64::total_cmp);
    let (least, most) = (*values.first()?, *values.last()?);
    let deviation = mean_and_variance(&values).map(|(_, variance)| match scale {
        ChangeScale::Relative => variance.sqrt().exp_m1(),
        ChangeScale::Points => variance.sqrt(),
    });
    Some(Spread {
        phase: phase.to_owned(),
        measure: measure.clone(),
        values: all,
        median: off_scale(values[(values.len() - 1) / 2], scale),
        least: off_scale(least, scale),
        most: off_scale(most, scale),
        deviation,
    })
}
