//! Which rules fired, and which goals are reached.

use super::judge::Change;
use super::measured::as_change;
use super::rule::{Amount, ChangeSize, Goal, Rule, Scope};
use super::sides::{Entry, in_base_unit};
use super::words;
use crate::result::{ChangeVerdict, GoalOutcome, GoalRow, RuleRow};

/// A rule fires where a change is real, to the worse, and as large as the rule's.
pub(super) fn rules(rules: &[Rule], entries: &[Entry<'_>]) -> Vec<RuleRow> {
    rules.iter().map(|rule| rule_row(rule, entries)).collect()
}

fn rule_row(rule: &Rule, entries: &[Entry<'_>]) -> RuleRow {
    let (mut places, mut undecided) = (Vec::new(), Vec::new());
    for entry in entries.iter().filter(|entry| scope_covers(rule.scope, entry, entries)) {
        for change in entry.changes.iter().filter(|change| change.measure == rule.measure) {
            let Some(found) = change.difference else { continue };
            if !is_reached(&rule.limit, change, found.new - found.old) {
                continue;
            }
            let size = words::change(as_change(found.new - found.old, found.scale), found.scale);
            let place = format!("{}: {size}", entry.title());
            match change.verdict {
                ChangeVerdict::Worse => places.push(place),
                ChangeVerdict::CannotTell => undecided.push(place),
                ChangeVerdict::Better | ChangeVerdict::NoChange => {}
            }
        }
    }
    RuleRow {
        text: rule.to_string(),
        measure: rule.measure.to_string(),
        limit: rule.limit.to_string(),
        fired: !places.is_empty(),
        places,
        undecided,
    }
}

/// A request that is alone in its phase has no entry of its own: there the phase stands for it.
fn scope_covers(scope: Scope, entry: &Entry<'_>, all: &[Entry<'_>]) -> bool {
    match (scope, &entry.request) {
        (Scope::Phase, request) => request.is_none(),
        (Scope::Request, Some(_)) => true,
        (Scope::Request, None) => {
            !all.iter().any(|other| other.phase == entry.phase && other.request.is_some())
        }
    }
}

/// Whether a difference on the measure's scale goes as far as the size.
fn is_reached(size: &ChangeSize, change: &Change, difference: f64) -> bool {
    let Some(found) = change.difference else { return false };
    let amount = match size.amount {
        Amount::Relative(_) => as_change(difference, found.scale),
        Amount::Absolute(_) => in_base_unit(found.old, difference, found.scale),
    };
    // 1.2 times a number is not exactly 20 % more of it in binary: do not miss a rule by that.
    size.is_reached_by(amount * (1.0 + 1e-9))
}

/// Every goal in every phase.
pub(super) fn goals(goals: &[Goal], entries: &[Entry<'_>]) -> Vec<GoalRow> {
    let phases = || entries.iter().filter(|entry| entry.request.is_none());
    goals.iter().flat_map(|goal| phases().map(move |entry| goal_row(goal, entry))).collect()
}

fn goal_row(goal: &Goal, entry: &Entry<'_>) -> GoalRow {
    let change = entry.changes.iter().find(|change| change.measure == goal.measure);
    let found = change.and_then(|change| Some((change, change.difference?)));
    let measured = found.map_or_else(String::new, |(_, found)| {
        let size = words::change(as_change(found.new - found.old, found.scale), found.scale);
        match found.known {
            Some(known) => {
                format!("{size} ({})", words::interval(known.low, known.high, found.scale))
            }
            None => size,
        }
    });
    GoalRow {
        measure: goal.measure.to_string(),
        goal: goal.size.to_string(),
        phase: entry.phase.to_owned(),
        measured,
        outcome: change.map_or(GoalOutcome::CannotTell, |change| goal_outcome(goal, change)),
    }
}

/// Reached when the whole interval is beyond the goal, not reached when none of it is.
fn goal_outcome(goal: &Goal, change: &Change) -> GoalOutcome {
    let Some(known) = change.known() else { return GoalOutcome::CannotTell };
    let reaches = |difference| is_reached(&goal.size, change, difference);
    match (reaches(known.low), reaches(known.high)) {
        (true, true) => GoalOutcome::Reached,
        (false, false) => GoalOutcome::NotReached,
        _ => GoalOutcome::CannotTell,
    }
}
