//! The difference of two sides in one measure: estimate, interval and p-value.
//!
//! **Several runs a side** (from [`MIN_REPEATED_DF`] degrees of freedom on): each run gives one value,
//! and the two means are compared with Welch's t-test (Biometrika 34, 1947). The spread between runs is
//! seen in the data, nothing is assumed about it. Where one side is a single run, both are taken to
//! spread alike (Student's test).
//!
//! **Fewer runs**, above all one a side: what differs between two runs although nothing was changed
//! (memory layout, placement on cores, other work on the machine; Kalibera and Jones, ISMM 2013;
//! Maricq et al., OSDI 2018) cannot be seen in them. It is *assumed* to be [`floor`], which stands for a
//! quiet machine and short runs, and added to what the blocks within the runs show. Where the few runs
//! differ by more than that, what they show is taken. Small changes cannot be found in this way; the
//! interval says so.
//!
//! A side of fewer than [`MIN_SEEN`] runs shows little of its own tails: whether a stall fell into one of
//! them is chance. So for such a side the interval is never narrower than the blocks within its runs
//! allow. Limits of the sides are not symmetric; they are joined by the method of variance estimates
//! recovery (Zou and Donner, Statistics in Medicine 27, 2008). The p-value is that of the narrowest
//! interval which still holds "no difference".

use super::evidence::{Figures, PhaseEvidence};
use super::measured::{on_scale, scale_of, value};
use super::within::{Stray, Within, mean_and_variance, of_share};
use crate::result::{ChangeScale, RequestName};
use crate::stats::student;
use crate::verdict::{Measure, Statistic};
use std::cell::OnceCell;

/// Confidence level of the intervals of changes.
pub const LEVEL: f64 = 0.99;
/// Degrees of freedom from which on the spread between runs is taken from the runs alone: three runs a
/// side, or five and one.
pub const MIN_REPEATED_DF: f64 = 4.0;
/// Runs from which on a side shows its own tails.
pub const MIN_SEEN: usize = 4;
/// Degrees of freedom from which on blocks within runs say something that repeated runs do not.
const MIN_BLOCK_DF: f64 = 2.0;
/// What a histogram cannot resolve: a bucket is up to 1/1024 wide. Keeps runs that agree to the last
/// bucket from looking certain beyond what was measured.
const RESOLUTION: f64 = 1.0 / 1024.0;

/// The spread between runs of an unchanged service that is assumed where the runs are too few to show
/// it, as a standard deviation of the logarithm (about: as a share).
///
/// The numbers come from real runs of the demo service against itself; docs/operating-characteristic.md
/// has the table and the command that repeats it. Tails spread more than centres.
#[must_use]
pub fn floor(measure: &Measure) -> f64 {
    match measure {
        Measure::Time(_, Statistic::Percentile(percentile)) if percentile.percent() >= 99.0 => 0.10,
        Measure::Time(_, Statistic::Percentile(percentile)) if percentile.percent() >= 95.0 => 0.07,
        Measure::Time(_, Statistic::Max | Statistic::Stdev) => 0.25,
        _ => 0.05,
    }
}

/// Runs shorter than this show less of slow changes: what is assumed grows.
const SHORT_SECONDS: f64 = 10.0;
/// The spread of shares between runs, as a part of the share itself: error rates of a few per mille
/// do not stay within a tenth of themselves from run to run.
const SHARE_FLOOR: f64 = 0.25;

/// A phase of a run.
#[derive(Debug)]
pub(super) struct PhaseOfRun<'a> {
    pub(super) evidence: &'a PhaseEvidence,
    /// What its blocks show, computed when it is first needed: several runs a side do not need it.
    within: OnceCell<Within>,
}

impl<'a> PhaseOfRun<'a> {
    pub(super) fn new(evidence: &'a PhaseEvidence) -> Self {
        Self { evidence, within: OnceCell::new() }
    }

    fn within(&self) -> &Within {
        self.within.get_or_init(|| Within::of(self.evidence))
    }
}

/// One side: the same phase in each of its runs, and the request, if it is about one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) phases: &'a [PhaseOfRun<'a>],
    pub(super) request: Option<&'a RequestName>,
}

/// How the two sides differ in a measure, on its scale.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Difference {
    pub(super) scale: ChangeScale,
    /// Means of the two sides, on the scale.
    pub(super) old: f64,
    pub(super) new: f64,
    /// What is known about `new - old`; none if the runs cannot tell.
    pub(super) known: Option<Known>,
}

/// What is known about a difference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Known {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) p_value: f64,
}

/// A side in one measure.
struct Side<'a> {
    place: &'a Place<'a>,
    /// One for each run, on the scale.
    values: Vec<f64>,
}

impl Place<'_> {
    fn figures<'a>(&self, phase: &'a PhaseEvidence) -> Option<&'a Figures> {
        match self.request {
            None => Some(&phase.all),
            Some(name) => phase.request(name).map(|request| &request.figures),
        }
    }

    fn side(&self, measure: &Measure) -> Option<Side<'_>> {
        let scale = scale_of(measure);
        let of_phase = |phase: &PhaseOfRun<'_>| {
            let monitors = self.request.is_none().then_some(phase.evidence);
            on_scale(value(measure, self.figures(phase.evidence)?, monitors)?, scale)
        };
        // A run that has no value is missing: to leave it out would compare something else.
        let values: Option<Vec<f64>> = self.phases.iter().map(of_phase).collect();
        values.filter(|values| !values.is_empty()).map(|values| Side { place: self, values })
    }
}

impl Side<'_> {
    fn mean(&self) -> f64 {
        self.values.iter().sum::<f64>() / self.count()
    }

    fn count(&self) -> f64 {
        self.values.len() as f64
    }

    /// Length of the shortest run in seconds.
    fn shortest(&self) -> f64 {
        let seconds = self.place.phases.iter().map(|phase| phase.evidence.all.seconds);
        seconds.fold(f64::INFINITY, f64::min)
    }

    /// Variance between runs.
    fn between(&self) -> Option<f64> {
        mean_and_variance(&self.values).map(|(_, variance)| variance)
    }

    /// How far each run strays by what its blocks show; none if they show nothing.
    fn strays(&self, measure: &Measure) -> Option<Vec<Stray>> {
        let of_run = |phase: &PhaseOfRun<'_>| {
            if matches!(measure, Measure::Monitor(_) | Measure::CacheHitRate) {
                // One value a run.
                return Some(Stray::NONE);
            }
            let part = match self.place.request {
                None => None,
                Some(_) => Some(self.place.figures(phase.evidence)?),
            };
            phase.within().stray(measure, phase.evidence, part)
        };
        self.place.phases.iter().map(of_run).collect()
    }

    /// How far below and above its mean the side may lie by what its blocks show.
    fn reach(&self, strays: &[Stray], errors: f64) -> (f64, f64) {
        let (mut below, mut above) = (0.0, 0.0);
        for stray in strays {
            let (down, up) = stray.reach(errors);
            below += down * down;
            above += up * up;
        }
        (f64::sqrt(below) / self.count(), f64::sqrt(above) / self.count())
    }

    /// The least variance of the mean of shares, from the number of requests behind it.
    fn of_shares(&self) -> f64 {
        let phases = self.place.phases.iter();
        let figures = phases.filter_map(|phase| self.place.figures(phase.evidence));
        let (failed, requests) = figures.fold((0_u64, 0_u64), |(failed, requests), figures| {
            (failed.saturating_add(figures.failed), requests.saturating_add(figures.requests()))
        });
        of_share(failed, requests)
    }
}

/// Compares two sides; none where one of them has no value.
pub(super) fn difference(
    measure: &Measure,
    old: &Place<'_>,
    new: &Place<'_>,
) -> Option<Difference> {
    let scale = scale_of(measure);
    let (old, new) = (old.side(measure)?, new.side(measure)?);
    let known = Doubt::of(measure, &old, &new).map(|doubt| {
        let difference = new.mean() - old.mean();
        let errors = student::two_sided_quantile(1.0 - LEVEL, doubt.df);
        let (below, above) = doubt.reach(errors);
        Known {
            low: difference - below,
            high: difference + above,
            p_value: student::two_sided_p(doubt.errors_to(difference), doubt.df),
        }
    });
    Some(Difference { scale, old: old.mean(), new: new.mean(), known })
}

/// What stands between the measured difference and the true one.
struct Doubt<'a> {
    /// Variance of the difference by the spread between runs, seen or assumed.
    between: f64,
    /// What the blocks of each side show, where that counts.
    old: (&'a Side<'a>, Option<Vec<Stray>>),
    new: (&'a Side<'a>, Option<Vec<Stray>>),
    /// Whether the two add up, or the larger counts.
    adds: bool,
    df: f64,
}

impl<'a> Doubt<'a> {
    /// None if the runs cannot tell.
    fn of(measure: &Measure, old: &'a Side<'a>, new: &'a Side<'a>) -> Option<Self> {
        if let Some((between, df)) = between_runs(measure, old, new) {
            // Of a run with hardly any blocks they show nothing that the runs would not.
            let show = |strays: &Vec<Stray>| strays.iter().all(|stray| stray.df >= MIN_BLOCK_DF);
            let strays = |side: &Side<'_>| {
                let is_small = side.values.len() < MIN_SEEN;
                is_small.then(|| side.strays(measure)).flatten().filter(show)
            };
            let (of_old, of_new) = (strays(old), strays(new));
            return Some(Self { between, old: (old, of_old), new: (new, of_new), adds: false, df });
        }
        let (of_old, of_new) = (old.strays(measure)?, new.strays(measure)?);
        let between = assumed_between(measure, old, new);
        let mut doubt = Self {
            between,
            old: (old, Some(of_old)),
            new: (new, Some(of_new)),
            adds: true,
            df: f64::INFINITY,
        };
        doubt.df = doubt.satterthwaite();
        Some(doubt)
    }

    /// How far below and above the measured difference the true one may lie at so many errors.
    fn reach(&self, errors: f64) -> (f64, f64) {
        let of_side = |(side, strays): &(&Side<'_>, Option<Vec<Stray>>)| match strays {
            Some(strays) => side.reach(strays, errors),
            None => (0.0, 0.0),
        };
        let (old, new) = (of_side(&self.old), of_side(&self.new));
        let between = errors * errors * self.between;
        let join = |a: f64, b: f64| {
            let within = a * a + b * b;
            f64::sqrt(if self.adds { within + between } else { within.max(between) })
        };
        // The difference is smallest where the new side is low and the old one high.
        (join(new.0, old.1), join(new.1, old.0))
    }

    /// The number of errors at which the interval just reaches back to nothing.
    fn errors_to(&self, difference: f64) -> f64 {
        /// Beyond any number of errors that could matter after correction for many measures.
        const MOST: f64 = 1e4;
        let holds_nothing = |errors: f64| {
            let (below, above) = self.reach(errors);
            if difference > 0.0 { below >= difference } else { above >= -difference }
        };
        if holds_nothing(0.0) {
            return 0.0;
        }
        if !holds_nothing(MOST) {
            return f64::INFINITY;
        }
        let (mut low, mut high) = (0.0, MOST);
        // To a relative precision that a p-value cannot show; the interval may jump, so no more.
        while high - low > 1e-9 * high {
            let middle = f64::midpoint(low, high);
            if holds_nothing(middle) {
                high = middle;
            } else {
                low = middle;
            }
        }
        high
    }

    /// Degrees of freedom of the sum of the variances (Satterthwaite, Biometrics Bulletin 2, 1946), with
    /// the reach at one error for a standard error. What is assumed counts as known.
    fn satterthwaite(&self) -> f64 {
        let (mut variance, mut weights) = (self.between, 0.0);
        for (side, strays) in [&self.old, &self.new] {
            let Some(strays) = strays else { continue };
            let (below, above) = side.reach(strays, 1.0);
            let part = if below.is_finite() && above.is_finite() {
                (below * below + above * above) / 2.0
            } else {
                below.min(above).powi(2)
            };
            let df = strays.iter().map(|stray| stray.df).sum::<f64>();
            variance += part;
            weights += part * part / df;
        }
        if weights > 0.0 && weights.is_finite() {
            variance * variance / weights
        } else {
            f64::INFINITY
        }
    }
}

/// Variance of the difference and its degrees of freedom, from the spread between runs; none if there
/// are too few.
fn between_runs(measure: &Measure, old: &Side<'_>, new: &Side<'_>) -> Option<(f64, f64)> {
    if old.count() + new.count() - 2.0 < MIN_REPEATED_DF {
        return None;
    }
    let (variance, df) = match (old.between(), new.between()) {
        (Some(of_old), Some(of_new)) => {
            let (of_old, of_new) = (of_old / old.count(), of_new / new.count());
            let weights =
                of_old * of_old / (old.count() - 1.0) + of_new * of_new / (new.count() - 1.0);
            let sum = of_old + of_new;
            // Without any spread the degrees do not matter: the least variance below decides.
            let df = if weights > 0.0 { sum * sum / weights } else { f64::INFINITY };
            (sum, df)
        }
        (Some(spread), None) | (None, Some(spread)) => {
            let df = old.count() + new.count() - 2.0;
            (spread * (1.0 / old.count() + 1.0 / new.count()), df)
        }
        (None, None) => return None,
    };
    Some((variance.max(least(measure, old, new)), df))
}

/// The same where runs are few: assumed, or what the few show if that is more.
fn assumed_between(measure: &Measure, old: &Side<'_>, new: &Side<'_>) -> f64 {
    let spread = match scale_of(measure) {
        ChangeScale::Relative => floor(measure),
        // Of the larger share: the two sides are taken to spread alike.
        ChangeScale::Points => {
            let share = old.mean().max(new.mean());
            SHARE_FLOOR * share.min(1.0 - share).max(0.0)
        }
    };
    let seconds = [old, new].iter().map(|side| side.shortest()).fold(f64::INFINITY, f64::min);
    let spread = spread * (SHORT_SECONDS / seconds.max(1.0)).max(1.0).sqrt();
    let seen = [old, new].iter().filter_map(|side| side.between()).fold(0.0, f64::max);
    let variance = seen.max(spread * spread) * (1.0 / old.count() + 1.0 / new.count());
    variance.max(least(measure, old, new))
}

/// The least variance that a difference can have, by what was measured.
fn least(measure: &Measure, old: &Side<'_>, new: &Side<'_>) -> f64 {
    match (scale_of(measure), measure) {
        (ChangeScale::Points, Measure::ErrorRate | Measure::SuccessRate) => {
            old.of_shares() + new.of_shares()
        }
        (ChangeScale::Points, _) => 1e-12,
        (ChangeScale::Relative, _) => {
            RESOLUTION * RESOLUTION / 12.0 * (1.0 / old.count() + 1.0 / new.count())
        }
    }
}
