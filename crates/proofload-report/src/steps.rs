//! What all renderers say of a step: its load, and whether it alone kept what its phase expects.

use proofload_core::result::{ExpectationRow, PhaseResult, StepRow};
use proofload_core::units::{human_count, human_rate};

/// How a step came out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum StepOutcome<'a> {
    /// Everything that is known by step was kept.
    Kept,
    /// A target was missed, and no limit broken.
    Missed(&'a ExpectationRow),
    /// A limit was broken.
    Broken(&'a ExpectationRow),
    /// There was nothing to judge it by.
    NotJudged,
}

impl<'a> StepOutcome<'a> {
    /// The worst of what was expected; of equals the first.
    pub(crate) fn of(step: &'a StepRow) -> Self {
        let rows = &step.expectations;
        let first = |of: fn(&ExpectationRow) -> Option<bool>| {
            rows.iter().find(|row| of(row) == Some(false))
        };
        match (first(|row| row.limit_met), first(|row| row.target_met)) {
            (Some(row), _) => Self::Broken(row),
            (None, Some(row)) => Self::Missed(row),
            (None, None) if rows.is_empty() => Self::NotJudged,
            (None, None) => Self::Kept,
        }
    }
}

/// What there is to say of a phase none of whose steps has anything measured.
pub(crate) const TOO_SHORT: &str =
    "too short to be judged by themselves: steps need some seconds each";

/// Whether any step has something measured.
pub(crate) fn are_measured(steps: &[StepRow]) -> bool {
    steps.iter().any(|step| step.total_requests > 0)
}

/// `50 users`, `20/s`.
pub(crate) fn load(step: &StepRow) -> String {
    match (step.users, step.rate) {
        (Some(1), _) => "1 user".to_owned(),
        (Some(users), _) => format!("{} users", human_count(users.into())),
        (None, Some(rate)) => human_rate(rate),
        (None, None) => "–".to_owned(),
    }
}

/// The outcome in words: `met`, `limit broken: p99`; and whether the step was cut short.
pub(crate) fn words(step: &StepRow) -> String {
    let of = |what: &str, row: &ExpectationRow| format!("{what}: {}", row.measure);
    let mut words = match StepOutcome::of(step) {
        StepOutcome::Kept => "met".to_owned(),
        StepOutcome::Missed(row) => of("target missed", row),
        StepOutcome::Broken(row) => of("limit broken", row),
        StepOutcome::NotJudged if step.total_requests == 0 => "nothing measured".to_owned(),
        StepOutcome::NotJudged => String::new(),
    };
    if !step.completed {
        words.push_str(if words.is_empty() { "cut short" } else { ", cut short" });
    }
    words
}

/// Phases with steps, and of each at most so many of the last: where a service breaks is at their end. With them, how
/// many are left out before.
pub(crate) fn of_phases(
    phases: &[PhaseResult],
    most: usize,
) -> impl Iterator<Item = (usize, &PhaseResult, &[StepRow], usize)> {
    let in_steps = phases.iter().enumerate().filter(|(_, phase)| !phase.steps.is_empty());
    in_steps.map(move |(number, phase)| {
        let left_out = phase.steps.len().saturating_sub(most);
        (number, phase, &phase.steps[left_out..], left_out)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_as_bad_as_what_it_broke() {
        let row = |measure: &str, target_met: bool, limit_met: bool| ExpectationRow {
            measure: measure.to_owned(),
            target_met: Some(target_met),
            limit_met: Some(limit_met),
            ..ExpectationRow::default()
        };
        let check = |expectations: Vec<ExpectationRow>, requests: u64, completed: bool, expect| {
            let total_requests = requests;
            let step = StepRow { expectations, total_requests, completed, ..StepRow::default() };
            assert_eq!(words(&step), expect);
        };
        let (kept, missed) = (row("avg", true, true), row("p95", false, true));
        let broken = row("p99", false, false);
        check(vec![kept.clone()], 9, true, "met");
        check(vec![kept.clone(), missed.clone()], 9, true, "target missed: p95");
        check(vec![missed, broken, kept.clone()], 9, true, "limit broken: p99");
        check(vec![kept], 9, false, "met, cut short");
        check(vec![], 9, true, "");
        check(vec![], 9, false, "cut short");
        check(vec![], 0, false, "nothing measured, cut short");
    }

    #[test]
    fn a_load_is_users_or_a_rate() {
        let check = |users: Option<u32>, rate: Option<f64>, expect: &str| {
            assert_eq!(load(&StepRow { users, rate, ..StepRow::default() }), expect);
        };
        check(Some(1), None, "1 user");
        check(Some(1_000), None, "1,000 users");
        check(None, Some(20.0), "20.0/s");
        check(None, None, "–");
    }
}
