//! Between which limits a measure would stray from run to run if a run were nothing but its blocks of
//! time.
//!
//! Requests in a run depend on one another, so a run is taken as groups of neighbouring blocks
//! (`groups`), and the variance comes from how these groups differ. It is never below what independent
//! samples would give.
//!
//! - Averages and shares are ratios of sums over groups (Cochran, Sampling Techniques, 3rd ed. 1977,
//!   sections 6.4 and 9A.1), rates are means over groups.
//! - Quantiles are turned into shares (`quantile`).
//!
//! What comes out are limits at a number of standard errors, not one symmetric error: one stall in a run
//! leaves its p99 between that of a healthy run and that of the stall, and only limits that are computed
//! on the scale of shares or sums reach down to the healthy value.
//!
//! Not in here is what differs between two runs although nothing was changed; a run does not know that.

mod groups;
mod quantile;

use super::evidence::{Figures, PhaseEvidence};
use crate::verdict::{Measure, Statistic, Timing};
use groups::Groupings;
use quantile::{Reaches, ShareDoubt};

pub(super) use groups::{mean_and_variance, of_share};

/// What the blocks of a phase show.
#[derive(Debug)]
pub(super) struct Within {
    groupings: Groupings,
    shares: ShareDoubt,
}

/// How far one measure strays in one run.
#[derive(Clone, Debug)]
pub(super) struct Stray {
    reach: Reach,
    /// Degrees of freedom.
    pub(super) df: f64,
}

#[derive(Clone, Debug)]
enum Reach {
    /// The same way up and down, on the measure's scale.
    Error(f64),
    /// Of a mean, as a part of it.
    OfMean(f64),
    OfQuantile(Reaches),
}

impl Stray {
    /// A measure of which nothing is known within a run.
    pub(super) const NONE: Self = Self { reach: Reach::Error(0.0), df: f64::INFINITY };

    /// How far below and above its value the measure may lie at so many standard errors, on the scale of
    /// [`on_scale`](super::measured::on_scale); infinite where the samples do not bound it.
    pub(super) fn reach(&self, errors: f64) -> (f64, f64) {
        match &self.reach {
            Reach::Error(error) => (errors * error, errors * error),
            Reach::OfMean(error) => {
                let part = errors * error;
                (if part < 1.0 { -(-part).ln_1p() } else { f64::INFINITY }, part.ln_1p())
            }
            Reach::OfQuantile(reaches) => reaches.at(errors),
        }
    }
}

impl Within {
    pub(super) fn of(phase: &PhaseEvidence) -> Self {
        let groupings = Groupings::of(phase);
        let shares = ShareDoubt::of(&phase.all.response, &groupings);
        Self { groupings, shares }
    }

    /// What several runs of the same test show, taken together as `pooled`.
    pub(super) fn of_runs(pooled: &PhaseEvidence, runs: &[&PhaseEvidence]) -> Self {
        let groupings = Groupings::of_runs(runs);
        let shares = ShareDoubt::of(&pooled.all.response, &groupings);
        Self { groupings, shares }
    }

    /// How far a measure of a phase strays, or of one of its requests (`part`); none where blocks cannot
    /// tell.
    ///
    /// Requests have no blocks of their own. One strays as if its samples were independent, times what
    /// dependence does to the phase as a whole (Kish's design effect, Survey Sampling, 1965). It has a part
    /// of the phase's samples in each block, so dependence does less to it: this is an upper estimate.
    pub(super) fn stray(
        &self,
        measure: &Measure,
        phase: &PhaseEvidence,
        part: Option<&Figures>,
    ) -> Option<Stray> {
        let figures = part.unwrap_or(&phase.all);
        if let Measure::Time(Timing::Response, Statistic::Percentile(percentile)) = measure {
            let reaches = self.shares.reaches(&figures.response, percentile.quantile())?;
            return Some(Stray { reach: Reach::OfQuantile(reaches), df: self.shares.df() });
        }
        let (clustered, df) = self.groupings.variance(measure, &phase.all)?;
        let whole = independent(measure, &phase.all)?;
        let design_effect = if whole > 0.0 { (clustered / whole).max(1.0) } else { 1.0 };
        let error = (independent(measure, figures)? * design_effect).sqrt();
        let reach = match measure {
            Measure::Time(..) => Reach::OfMean(error / figures.response.mean()?.max(1.0)),
            _ => Reach::Error(error),
        };
        Some(Stray { reach, df })
    }
}

/// The variance that independent samples would have: of a mean in square nanoseconds, of a rate as a part
/// of it, of a share.
fn independent(measure: &Measure, all: &Figures) -> Option<f64> {
    let n = all.requests() as f64;
    if n < 2.0 {
        return None;
    }
    match measure {
        Measure::Time(Timing::Response, Statistic::Average) => {
            let stdev = all.response.stdev()?;
            Some(stdev * stdev / n)
        }
        // That of a Poisson process.
        Measure::RequestsPerSecond => Some(1.0 / n),
        Measure::ErrorRate | Measure::SuccessRate => Some(of_share(all.failed, all.requests())),
        _ => None,
    }
}
