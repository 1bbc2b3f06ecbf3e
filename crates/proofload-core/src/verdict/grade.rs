//! Grades: how good a phase, and a run, was.
//!
//! EXCELLENT: every target met. GOOD: every limit kept and at least 80 % of the targets met. FAIR:
//! every limit kept, fewer targets met. POOR: a limit broken, or no request was made at all. A k6
//! threshold is target and limit in one. Where nothing was expected there is no grade.
//!
//! A plan may set another share, or a ladder of bounds on one measure beside the expectations; then
//! the worse of both grades counts.

use super::{Bound, ExpectationOutcome, ExpressionError, Measure};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How good a phase or a run was, from best to worst.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "UPPERCASE")]
pub enum Grade {
    /// Every target met.
    Excellent,
    /// Every limit kept and most targets met.
    Good,
    /// Every limit kept, but too few targets met.
    Fair,
    /// A limit broken, or nothing measured.
    Poor,
}

impl Grade {
    /// As it is shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Excellent => "EXCELLENT",
            Self::Good => "GOOD",
            Self::Fair => "FAIR",
            Self::Poor => "POOR",
        }
    }

    /// The worse of two, where each may be absent.
    #[must_use]
    pub fn worse(a: Option<Self>, b: Option<Self>) -> Option<Self> {
        // None is the smallest of an Option, so the larger is the worse.
        a.max(b)
    }
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Bounds on one measure, a grade each: `avg < 3 s` EXCELLENT, `< 5 s` GOOD, `< 10 s` FAIR, else
/// POOR.
#[derive(Clone, Debug, PartialEq)]
pub struct Ladder {
    measure: Measure,
    excellent: Bound,
    good: Bound,
    fair: Bound,
}

impl Ladder {
    /// A ladder of bounds, each looser than the one before.
    ///
    /// # Errors
    /// When a bound is tighter than the one before.
    pub fn new(
        measure: Measure,
        excellent: Bound,
        good: Bound,
        fair: Bound,
    ) -> Result<Self, ExpressionError> {
        for (tighter, looser, grades) in
            [(excellent, good, "EXCELLENT and GOOD"), (good, fair, "GOOD and FAIR")]
        {
            if !tighter.is_within(&looser) {
                let name = measure.to_string();
                let message = format!(
                    "the ladder of `{name}` is out of order at {grades}: {tighter}, {looser}"
                );
                return Err(ExpressionError::new(&name, 0..name.len(), message));
            }
        }
        Ok(Self { measure, excellent, good, fair })
    }

    /// What is measured.
    #[must_use]
    pub fn measure(&self) -> &Measure {
        &self.measure
    }

    /// The bounds, from EXCELLENT to FAIR.
    #[must_use]
    pub fn rungs(&self) -> [&Bound; 3] {
        [&self.excellent, &self.good, &self.fair]
    }

    /// The grade of a measured value in the base unit; POOR without data.
    #[must_use]
    pub fn grade(&self, measured: Option<f64>) -> Grade {
        let keeps = |bound: &Bound| measured.is_some_and(|value| bound.holds(value));
        if keeps(&self.excellent) {
            Grade::Excellent
        } else if keeps(&self.good) {
            Grade::Good
        } else if keeps(&self.fair) {
            Grade::Fair
        } else {
            Grade::Poor
        }
    }
}

/// How grades are computed.
#[derive(Clone, Debug, PartialEq)]
pub struct GradingRule {
    /// Share of the targets that must be met for GOOD, 0…1.
    pub good_share: f64,
    /// Applied to every phase beside its expectations.
    pub ladder: Option<Ladder>,
}

impl Default for GradingRule {
    fn default() -> Self {
        Self { good_share: 0.8, ladder: None }
    }
}

/// How many targets and limits there were, and how many were met.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Targets.
    pub targets: u32,
    /// Targets met.
    pub targets_met: u32,
    /// Limits.
    pub limits: u32,
    /// Limits kept.
    pub limits_met: u32,
}

impl Tally {
    /// Counts the outcome of an expectation.
    pub fn add(&mut self, outcome: &ExpectationOutcome) {
        self.add_levels(outcome.target_met, outcome.limit_met);
    }

    /// Counts a target and a limit, where they exist.
    pub fn add_levels(&mut self, target_met: Option<bool>, limit_met: Option<bool>) {
        self.targets += u32::from(target_met.is_some());
        self.targets_met += u32::from(target_met == Some(true));
        self.limits += u32::from(limit_met.is_some());
        self.limits_met += u32::from(limit_met == Some(true));
    }

    /// Adds the counts of another.
    pub fn merge(&mut self, other: Self) {
        self.targets += other.targets;
        self.targets_met += other.targets_met;
        self.limits += other.limits;
        self.limits_met += other.limits_met;
    }

    /// The grade by the rule's shares; none if there was nothing to meet.
    #[must_use]
    pub fn grade(&self, rule: &GradingRule) -> Option<Grade> {
        if self.targets == 0 && self.limits == 0 {
            return None;
        }
        if self.limits_met < self.limits {
            return Some(Grade::Poor);
        }
        if self.targets_met == self.targets {
            return Some(Grade::Excellent);
        }
        // Compared by multiplication with a hair of tolerance: 0.8 × 5 must be 4.
        let needed = rule.good_share * f64::from(self.targets);
        let is_good = f64::from(self.targets_met) >= needed - 1e-9;
        Some(if is_good { Grade::Good } else { Grade::Fair })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_grades() {
        let check = |targets_met: u32, targets: u32, limits_met: u32, limits: u32, grade| {
            let tally = Tally { targets, targets_met, limits, limits_met };
            assert_eq!(tally.grade(&GradingRule::default()), grade, "{tally:?}");
        };
        use Grade::{Excellent, Fair, Good, Poor};
        check(0, 0, 0, 0, None);
        check(5, 5, 5, 5, Some(Excellent));
        check(5, 5, 0, 0, Some(Excellent));
        check(0, 0, 3, 3, Some(Excellent));
        check(4, 5, 5, 5, Some(Good));
        check(8, 10, 10, 10, Some(Good));
        check(7, 10, 10, 10, Some(Fair));
        check(3, 5, 5, 5, Some(Fair));
        check(0, 1, 1, 1, Some(Fair));
        check(5, 5, 4, 5, Some(Poor));
        check(0, 5, 0, 5, Some(Poor));
        let strict = GradingRule { good_share: 1.0, ladder: None };
        let tally = Tally { targets: 10, targets_met: 9, limits: 0, limits_met: 0 };
        assert_eq!(tally.grade(&strict), Some(Fair));
    }

    #[test]
    fn the_ladder_of_latencies() {
        let avg = Measure::parse("avg").unwrap();
        let bound = |text: &str| Bound::parse(text, &avg).unwrap();
        let ladder = Ladder::new(avg.clone(), bound("<3s"), bound("<5s"), bound("<10s")).unwrap();
        let check =
            |seconds: f64, grade: Grade| assert_eq!(ladder.grade(Some(seconds * 1e9)), grade);
        check(2.9, Grade::Excellent);
        check(3.0, Grade::Good);
        check(7.0, Grade::Fair);
        check(10.0, Grade::Poor);
        assert_eq!(ladder.grade(None), Grade::Poor);
        assert!(Ladder::new(avg.clone(), bound("<5s"), bound("<3s"), bound("<10s")).is_err());
    }

    #[test]
    fn the_worse_grade_counts() {
        use Grade::{Excellent, Poor};
        assert_eq!(Grade::worse(Some(Excellent), Some(Poor)), Some(Poor));
        assert_eq!(Grade::worse(None, Some(Excellent)), Some(Excellent));
        assert_eq!(Grade::worse(None, None), None);
        assert_eq!(serde_json::to_string(&Poor).unwrap(), "\"POOR\"");
    }
}
