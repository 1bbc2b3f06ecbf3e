//! How a comparison with a baseline counts as a test.

use super::result::{TestRow, TestState};
use crate::result::{Comparison, GoalOutcome};
use crate::verdict::{ExitCode, Grade};

impl TestRow {
    /// The row of a comparison. POOR where a rule fired; no grade where it cannot be told whether one should, or
    /// whether a goal is reached; FAIR where a goal is not reached; else EXCELLENT.
    #[must_use]
    pub fn compared(self, comparison: Comparison) -> Self {
        let rules = &comparison.rules;
        let goals = &comparison.goals;
        let with = |outcome: GoalOutcome| goals.iter().filter(move |goal| goal.outcome == outcome);
        let (grade, reason) = if let Some(fired) = rules.iter().find(|rule| rule.fired) {
            let places = fired.places.join(", ");
            (Some(Grade::Poor), Some(format!("regressed, {}: {places}", fired.text)))
        } else if let Some(rule) = rules.iter().find(|rule| !rule.undecided.is_empty()) {
            let places = rule.undecided.join(", ");
            (None, Some(format!("cannot tell whether it regressed, {}: {places}", rule.text)))
        } else if let Some(goal) = with(GoalOutcome::CannotTell).next() {
            let text =
                format!("cannot tell whether a goal is reached: {} {}", goal.measure, goal.goal);
            (None, Some(text))
        } else if let Some(goal) = with(GoalOutcome::NotReached).next() {
            let (measure, wanted) = (&goal.measure, &goal.goal);
            let text = format!(
                "goal not reached, {measure} {wanted} in {}: {}",
                goal.phase, goal.measured
            );
            (Some(Grade::Fair), Some(text))
        } else {
            (Some(Grade::Excellent), None)
        };
        let code = match grade {
            Some(Grade::Poor) => ExitCode::Poor,
            Some(Grade::Fair) => ExitCode::Fair,
            None | Some(Grade::Excellent | Grade::Good) => ExitCode::Passed,
        };
        Self {
            state: TestState::Finished,
            exit_code: Some(code.code()),
            grade,
            reason,
            limits: rules.len() as u32,
            limits_met: rules.iter().filter(|rule| !rule.fired).count() as u32,
            targets: goals.len() as u32,
            targets_met: with(GoalOutcome::Reached).count() as u32,
            comparison: Some(comparison),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::{GoalRow, RuleRow};

    fn rule(fired: bool, undecided: bool) -> RuleRow {
        let place = || vec!["Peak: +26%".to_owned()];
        RuleRow {
            text: "p95 of every phase".to_owned(),
            fired,
            places: if fired { place() } else { Vec::new() },
            undecided: if undecided { place() } else { Vec::new() },
            ..RuleRow::default()
        }
    }

    #[test]
    fn rules_are_limits_and_goals_are_targets() {
        let check = |rules: &[RuleRow], goals: &[GoalOutcome], grade, code: u8, reason: &str| {
            let goal = |&outcome: &GoalOutcome| GoalRow { outcome, ..GoalRow::default() };
            let goals = goals.iter().map(goal).collect();
            let comparison = Comparison { rules: rules.to_vec(), goals, ..Comparison::default() };
            let row = TestRow::default().compared(comparison);
            assert_eq!((row.grade, row.exit_code), (grade, Some(code)));
            assert!(row.reason.unwrap_or_default().starts_with(reason));
        };
        use GoalOutcome::{CannotTell, NotReached, Reached};
        use Grade::{Excellent, Fair, Poor};
        let (fine, fired, open) = (rule(false, false), rule(true, false), rule(false, true));
        check(std::slice::from_ref(&fine), &[Reached], Some(Excellent), 0, "");
        check(&[], &[], Some(Excellent), 0, "");
        check(
            &[fine.clone(), fired.clone()],
            &[Reached],
            Some(Poor),
            2,
            "regressed, p95 of every phase: Peak",
        );
        check(&[open.clone(), fired], &[], Some(Poor), 2, "regressed");
        check(&[fine.clone(), open], &[NotReached], None, 0, "cannot tell whether it regressed");
        check(
            std::slice::from_ref(&fine),
            &[Reached, CannotTell],
            None,
            0,
            "cannot tell whether a goal",
        );
        check(&[fine], &[Reached, NotReached], Some(Fair), 1, "goal not reached");
    }
}
