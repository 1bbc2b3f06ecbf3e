//! Runs of the same test taken together: the value of a measure over all their requests, and between which
//! limits it would stray if the same number of runs were made again.
//!
//! A run's requests have more in common with one another than with those of the next run, so runs are the
//! clusters from whose differences the interval comes, by the same estimates that take blocks of time as
//! clusters within one run ([`within`](super::within)). With n runs there are n − 1 degrees of freedom: two
//! runs bound hardly anything, and the interval says so.

use super::evidence::{Figures, PhaseEvidence, RequestEvidence, RunEvidence};
use super::measured::{off_scale, on_scale, scale_of, value};
use super::within::Within;
use crate::metrics::Histogram;
use crate::result::{ChangeScale, RequestName};
use crate::stats::{LEVEL, student};
use crate::verdict::Measure;

/// A phase over several runs.
#[derive(Debug)]
pub struct PooledPhase {
    all: PhaseEvidence,
    within: Within,
}

/// A measure over several runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pooled {
    /// Over the requests of all runs, in the base unit.
    pub value: f64,
    /// Lower end of the interval at [`LEVEL`]; none where the runs do not bound it.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
}

impl PooledPhase {
    /// The phase of this name in all runs that have it; none without one.
    #[must_use]
    pub fn of(runs: &[RunEvidence], name: &str) -> Option<Self> {
        let phases: Vec<&PhaseEvidence> = runs.iter().filter_map(|run| run.phase(name)).collect();
        let all = joined(&phases)?;
        let within = Within::of_runs(&all, &phases);
        Some(Self { all, within })
    }

    /// A measure of the phase, or of one of its requests; none without data, or where it is not kept of runs.
    #[must_use]
    pub fn value(&self, measure: &Measure, request: Option<&RequestName>) -> Option<Pooled> {
        let part = match request {
            None => None,
            Some(name) => Some(&self.all.request(name)?.figures),
        };
        let (figures, scale) = (part.unwrap_or(&self.all.all), scale_of(measure));
        let measured = value(measure, figures, None)?;
        let ends = self.within.stray(measure, &self.all, part).zip(on_scale(measured, scale));
        let (low, high) = ends.map_or((f64::NEG_INFINITY, f64::INFINITY), |(stray, middle)| {
            let (below, above) = stray.reach(student::two_sided_quantile(1.0 - LEVEL, stray.df));
            (middle - below, middle + above)
        });
        let end =
            |end: f64| end.is_finite().then(|| off_scale(end, scale)).filter(|end| end.is_finite());
        let within =
            |end: f64| if scale == ChangeScale::Points { end.clamp(0.0, 1.0) } else { end };
        Some(Pooled { value: measured, low: end(low).map(within), high: end(high).map(within) })
    }
}

/// All of a phase in one, without its blocks of time and without what monitors said.
fn joined(phases: &[&PhaseEvidence]) -> Option<PhaseEvidence> {
    let mut all = PhaseEvidence { name: phases.first()?.name.clone(), ..PhaseEvidence::default() };
    for phase in phases {
        add(&mut all.all, &phase.all);
        for request in &phase.requests {
            match all.requests.iter_mut().find(|known| known.name == request.name) {
                Some(known) => add(&mut known.figures, &request.figures),
                None => all.requests.push(RequestEvidence {
                    name: request.name.clone(),
                    figures: Figures { cache_hit_rate: None, ..request.figures.clone() },
                }),
            }
        }
    }
    Some(all)
}

fn add(to: &mut Figures, figures: &Figures) {
    Histogram::merge(&mut to.response, &figures.response);
    to.failed = to.failed.saturating_add(figures.failed);
    to.seconds += figures.seconds;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::{Percentile, Statistic, Timing};

    /// A run of ten seconds with so many answers of these times.
    fn run(ms: &[u64], each: usize, failed: u64) -> RunEvidence {
        let samples = ms.iter().flat_map(|ms| std::iter::repeat_n(ms * 1_000_000, each));
        let all =
            Figures { response: samples.collect(), failed, seconds: 10.0, cache_hit_rate: None };
        let phase = PhaseEvidence { name: "p".to_owned(), all, ..PhaseEvidence::default() };
        RunEvidence { phases: vec![phase], ..RunEvidence::default() }
    }

    fn p50() -> Measure {
        Measure::Time(Timing::Response, Statistic::Percentile(Percentile::P50))
    }

    fn pooled(runs: &[RunEvidence], measure: &Measure) -> Pooled {
        PooledPhase::of(runs, "p").unwrap().value(measure, None).unwrap()
    }

    #[test]
    fn the_value_is_that_of_all_requests_together() {
        let runs = [run(&[10], 100, 0), run(&[30], 300, 40)];
        assert!((pooled(&runs, &p50()).value / 30e6 - 1.0).abs() < 0.001, "not 20 ms");
        assert_eq!(pooled(&runs, &Measure::RequestsPerSecond).value, 20.0);
        assert_eq!(pooled(&runs, &Measure::ErrorRate).value, 0.1);
        assert!(PooledPhase::of(&runs, "q").is_none());
    }

    #[test]
    fn runs_that_differ_make_the_interval_wide_however_many_requests_they_have() {
        let times = |shift: u64| (0..50).map(|at| 100 + at + shift).collect::<Vec<u64>>();
        let width = |runs: &[RunEvidence]| {
            let found = pooled(runs, &p50());
            assert!(found.low.is_none_or(|low| low <= found.value), "{found:?}");
            assert!(found.high.is_none_or(|high| high >= found.value), "{found:?}");
            found.low.zip(found.high).map_or(f64::INFINITY, |(low, high)| (high / low).ln())
        };
        let same = width(&[0; 6].map(|shift| run(&times(shift), 200, 0)));
        let apart = [0, 5, 10, 15, 20, 25].map(|shift| run(&times(shift), 200, 0));
        assert!(same < 0.02, "{same}");
        assert!(width(&apart) > 0.1, "{}", width(&apart));
        // Two runs say next to nothing; one says nothing at all.
        assert!(width(&apart[..2]) > 2.0 * width(&apart), "{}", width(&apart[..2]));
        assert_eq!(width(&apart[..1]), f64::INFINITY);
    }

    #[test]
    fn shares_stay_shares() {
        let found = pooled(&[run(&[1], 100, 0), run(&[1], 100, 3)], &Measure::ErrorRate);
        assert_eq!((found.value, found.low), (0.015, Some(0.0)), "{found:?}");
        assert!(found.high.unwrap() > 0.03 && found.high.unwrap() <= 1.0, "{found:?}");
    }
}
