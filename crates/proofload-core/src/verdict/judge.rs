//! The verdict of a run: every phase judged, every threshold evaluated, one grade.

use super::grade::Tally;
use super::threshold::PhaseView;
use super::{
    Expectation, ExpectationOutcome, Grade, GradingRule, PhaseFigures, Threshold, ThresholdOutcome,
    Trust,
};
use crate::metrics::PhaseTotals;
use std::collections::BTreeMap;

/// A phase to be judged.
#[derive(Clone, Debug)]
pub struct PhaseToJudge<'a> {
    /// Its name.
    pub name: &'a str,
    /// What was measured; none if the phase was never started.
    pub figures: Option<PhaseFigures<'a>>,
    /// What is expected.
    pub expectations: &'a [Expectation],
    /// Measures that come from monitors, in the base unit that their bounds have.
    pub monitors: BTreeMap<String, f64>,
}

impl<'a> PhaseToJudge<'a> {
    /// A phase without monitors.
    #[must_use]
    pub fn new(
        name: &'a str,
        totals: Option<&'a PhaseTotals>,
        expectations: &'a [Expectation],
    ) -> Self {
        let figures = totals.map(PhaseFigures::new);
        Self { name, figures, expectations, monitors: BTreeMap::new() }
    }
}

/// What a ladder says of a phase.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LadderOutcome {
    /// What was measured, in the base unit; nothing without data.
    pub measured: Option<f64>,
    /// The grade of that.
    pub grade: Grade,
}

/// How a phase came out.
#[derive(Clone, Debug, PartialEq)]
pub struct PhaseVerdict {
    /// Its name.
    pub name: String,
    /// The grade; none if nothing was expected, or if the phase was never started.
    pub grade: Option<Grade>,
    /// Every expectation; empty if the phase was never started.
    pub expectations: Vec<ExpectationOutcome>,
    /// What the ladder's measure was, in its base unit; none without a ladder, or where the phase never started.
    pub ladder: Option<LadderOutcome>,
    /// How many targets and limits were met.
    pub tally: Tally,
    /// Doubts about the measurement.
    pub trust: Trust,
    /// Whether the phase was started.
    pub was_run: bool,
    /// Whether at least one request finished: a phase without one is POOR.
    pub has_requests: bool,
}

impl PhaseVerdict {
    /// Judges a phase. One that was started but finished no request is POOR whatever was expected:
    /// nothing was shown. One that was never started has no grade.
    #[must_use]
    pub fn of(phase: &PhaseToJudge<'_>, rule: &GradingRule) -> Self {
        let mut verdict = Self {
            name: phase.name.to_owned(),
            grade: None,
            expectations: Vec::new(),
            ladder: None,
            tally: Tally::default(),
            trust: Trust::default(),
            was_run: phase.figures.is_some(),
            has_requests: false,
        };
        let Some(figures) = &phase.figures else { return verdict };
        for expectation in phase.expectations {
            let measured = figures.value(expectation.measure(), &phase.monitors);
            let outcome = expectation.judge(measured);
            verdict.tally.add(&outcome);
            verdict.expectations.push(outcome);
        }
        verdict.ladder = rule.ladder.as_ref().map(|ladder| {
            let measured = figures.value(ladder.measure(), &phase.monitors);
            LadderOutcome { measured, grade: ladder.grade(measured) }
        });
        let ladder = verdict.ladder.map(|ladder| ladder.grade);
        verdict.trust = Trust::of(figures);
        verdict.has_requests = figures.requests().requests() > 0;
        verdict.grade = if verdict.has_requests {
            Grade::worse(verdict.tally.grade(rule), ladder)
        } else {
            Some(Grade::Poor)
        };
        verdict
    }

    /// Whether the phase passed: it was run, made requests, and is not POOR.
    #[must_use]
    pub fn has_passed(&self) -> bool {
        self.was_run && self.has_requests && self.grade != Some(Grade::Poor)
    }
}

/// How a run came out.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// The grade by the targets and limits of all phases and thresholds together, and no better
    /// than a phase without requests or a ladder allows; none if nothing was expected.
    pub grade: Option<Grade>,
    /// Every phase, in the order of the plan.
    pub phases: Vec<PhaseVerdict>,
    /// Every threshold.
    pub thresholds: Vec<ThresholdOutcome>,
    /// Targets and limits of all phases and thresholds.
    pub tally: Tally,
}

impl Verdict {
    /// Judges a run. `run_seconds` is the time over which rates of the whole run are computed.
    #[must_use]
    pub fn of(
        phases: &[PhaseToJudge<'_>],
        thresholds: &[Threshold],
        run_seconds: f64,
        rule: &GradingRule,
    ) -> Self {
        let verdicts: Vec<_> = phases.iter().map(|phase| PhaseVerdict::of(phase, rule)).collect();
        let views: Vec<_> = phases
            .iter()
            .filter_map(|phase| {
                let figures = phase.figures.as_ref()?;
                Some(PhaseView { name: phase.name, totals: figures.totals() })
            })
            .collect();
        let thresholds: Vec<_> =
            thresholds.iter().map(|threshold| threshold.evaluate(&views, run_seconds)).collect();
        let mut tally = Tally::default();
        verdicts.iter().for_each(|phase| tally.merge(phase.tally));
        for outcome in &thresholds {
            tally.add_levels(Some(outcome.is_met), Some(outcome.is_met));
        }
        let mut grade = tally.grade(rule);
        for phase in &verdicts {
            // A single phase's share of targets may be worse than the whole run's; what it adds
            // beyond the pooled targets is its ladder and that it made requests at all.
            let pooled = phase.tally.grade(rule);
            if phase.grade > pooled {
                grade = Grade::worse(grade, phase.grade);
            }
        }
        // A ladder that says EXCELLENT is a grade too where nothing else was expected.
        if grade.is_none() {
            grade = verdicts.iter().filter_map(|phase| phase.grade).max();
        }
        Self { grade, phases: verdicts, thresholds, tally }
    }

    /// Whether no phase gives reason for doubt.
    #[must_use]
    pub fn is_trustworthy(&self) -> bool {
        self.phases.iter().all(|phase| phase.trust.is_trustworthy())
    }

    /// Doubts with the name of their phase.
    pub fn doubts(&self) -> impl Iterator<Item = (&str, &super::Doubt)> {
        self.phases.iter().flat_map(|phase| {
            phase.trust.doubts.iter().map(move |doubt| (phase.name.as_str(), doubt))
        })
    }

    /// Phases that passed, see [`PhaseVerdict::has_passed`].
    #[must_use]
    pub fn phases_passed(&self) -> usize {
        self.phases.iter().filter(|phase| phase.has_passed()).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::testing::{phase_of, sample};
    use crate::verdict::{Bound, Ladder, Measure};

    fn expectations(texts: &[(&str, &str, &str)]) -> Vec<Expectation> {
        let read = |&(measure, target, limit): &(&str, &str, &str)| {
            let measure = Measure::parse(measure).unwrap();
            let bound =
                |text: &str| (!text.is_empty()).then(|| Bound::parse(text, &measure).unwrap());
            let (target, limit) = (bound(target), bound(limit));
            Expectation::two_level(measure, target, limit).unwrap()
        };
        texts.iter().map(read).collect()
    }

    /// The grade of a run of one phase with 100 requests of 1…100 ms.
    fn grade(texts: &[(&str, &str, &str)], thresholds: &[(&str, &str)]) -> Option<Grade> {
        let samples: Vec<_> = (1..=100).map(|ms| sample(ms * 1_000_000)).collect();
        let totals = phase_of("a", 10, &samples);
        let expectations = expectations(texts);
        let thresholds: Vec<_> =
            thresholds.iter().map(|(m, c)| Threshold::parse(m, c).unwrap()).collect();
        let phases = [PhaseToJudge::new("a", Some(&totals), &expectations)];
        Verdict::of(&phases, &thresholds, 10.0, &GradingRule::default()).grade
    }

    #[test]
    fn from_expectations_and_thresholds_to_a_grade() {
        assert_eq!(grade(&[], &[]), None);
        assert_eq!(grade(&[("p95", "<200ms", "<200ms")], &[]), Some(Grade::Excellent));
        assert_eq!(grade(&[("p95", "<50ms", "<200ms")], &[]), Some(Grade::Fair));
        assert_eq!(grade(&[("p95", "<50ms", "<90ms")], &[]), Some(Grade::Poor));
        let four_of_five = [
            ("p95", "<50ms", "<200ms"),
            ("p99", "<200ms", ""),
            ("success_rate", ">99%", ""),
            ("rps", ">=10/s", ""),
            ("avg", "<51ms", ""),
        ];
        assert_eq!(grade(&four_of_five, &[]), Some(Grade::Good));
        assert_eq!(grade(&four_of_five[..4], &[]), Some(Grade::Fair));
        assert_eq!(grade(&[], &[("http_req_failed", "rate<0.01")]), Some(Grade::Excellent));
        assert_eq!(grade(&[], &[("http_req_duration", "max<50")]), Some(Grade::Poor));
        assert_eq!(grade(&[("memory", "<1GB", "<2GB")], &[]), Some(Grade::Poor));
    }

    #[test]
    fn a_phase_without_requests_does_not_pass() {
        let totals = phase_of("a", 10, &[]);
        let nothing = expectations(&[("failed", "<1", "<1")]);
        for expectations in [&nothing[..], &[]] {
            let phases = [PhaseToJudge::new("a", Some(&totals), expectations)];
            let verdict = Verdict::of(&phases, &[], 10.0, &GradingRule::default());
            assert_eq!(verdict.grade, Some(Grade::Poor));
            assert_eq!(verdict.phases_passed(), 0);
        }
    }

    #[test]
    fn a_phase_that_was_never_started_is_neither_good_nor_bad() {
        let samples = [sample(1_000_000)];
        let totals = phase_of("a", 1, &samples);
        let expected = expectations(&[("p95", "<5ms", "<5ms")]);
        let phases = [
            PhaseToJudge::new("a", Some(&totals), &expected),
            PhaseToJudge::new("b", None, &expected),
        ];
        let verdict = Verdict::of(&phases, &[], 1.0, &GradingRule::default());
        assert_eq!(verdict.grade, Some(Grade::Excellent));
        assert_eq!(verdict.phases[1].grade, None);
        assert_eq!(verdict.phases_passed(), 1);
    }

    #[test]
    fn targets_are_pooled_over_phases_but_a_broken_limit_is_poor() {
        let totals = phase_of("a", 1, &[sample(1_000_000)]);
        let met = expectations(&[
            ("p95", "<5ms", ""),
            ("p99", "<5ms", ""),
            ("avg", "<5ms", ""),
            ("max", "<5ms", ""),
        ]);
        let missed = expectations(&[("p95", "<0.5ms", "<5ms")]);
        let broken = expectations(&[("p95", "", "<0.5ms")]);
        let run = |second: &[Expectation]| {
            let phases = [
                PhaseToJudge::new("a", Some(&totals), &met),
                PhaseToJudge::new("b", Some(&totals), second),
            ];
            Verdict::of(&phases, &[], 2.0, &GradingRule::default())
        };
        assert_eq!(run(&missed).grade, Some(Grade::Good));
        assert_eq!(run(&missed).phases[1].grade, Some(Grade::Fair));
        assert_eq!(run(&broken).grade, Some(Grade::Poor));
    }

    #[test]
    fn a_ladder_counts_beside_expectations() {
        let avg = Measure::parse("avg").unwrap();
        let bound = |text: &str| Bound::parse(text, &avg).unwrap();
        let ladder = Ladder::new(avg.clone(), bound("<3s"), bound("<5s"), bound("<10s")).unwrap();
        let rule = GradingRule { ladder: Some(ladder), ..GradingRule::default() };
        let met = expectations(&[("success_rate", ">99%", ">99%")]);
        let check = |seconds: u64, expectations: &[Expectation], grade: Grade| {
            let totals = phase_of("a", 60, &[sample(seconds * 1_000_000_000)]);
            let phases = [PhaseToJudge::new("a", Some(&totals), expectations)];
            assert_eq!(Verdict::of(&phases, &[], 60.0, &rule).grade, Some(grade));
        };
        check(1, &met, Grade::Excellent);
        check(4, &met, Grade::Good);
        check(7, &met, Grade::Fair);
        check(20, &met, Grade::Poor);
        check(1, &[], Grade::Excellent);
        check(4, &[], Grade::Good);
    }
}
