//! Rules and goals.

use proofload_core::result::{Comparison, GoalOutcome, RuleRow};

use crate::style::{Style, Tone};
use crate::summary::heading;
use crate::text::{Column, Line, Table};

/// Places of a rule that are named.
const MAX_PLACES: usize = 3;

pub(super) fn rules(style: &Style, comparison: &Comparison) -> Vec<Line> {
    let columns =
        [Column::words("", 0), Column::name("rule"), Column::number("limit", 0), Column::name("")];
    let mut table = Table::new(style, &columns);
    for rule in &comparison.rules {
        let symbols = style.symbols();
        let (mark, tone, text) = if rule.fired {
            (symbols.bad, Tone::Bad, format!("fired: {}", named(&rule.places)))
        } else if !rule.undecided.is_empty() {
            (symbols.fair, Tone::Fair, format!("may be chance: {}", named(&rule.undecided)))
        } else if is_measured(rule, comparison) {
            (symbols.good, Tone::Good, "kept".to_owned())
        } else {
            (symbols.none, Tone::Dim, "not measured".to_owned())
        };
        table.row(vec![
            (mark.to_owned(), tone),
            (rule.text.clone(), Tone::Plain),
            (rule.limit.clone(), Tone::Dim),
            (text, tone),
        ]);
    }
    titled(style, "Rules", &table)
}

/// A measure that nobody measured keeps nothing.
fn is_measured(rule: &RuleRow, comparison: &Comparison) -> bool {
    let mut changes = comparison.entries.iter().flat_map(|entry| &entry.changes);
    changes.any(|change| change.measure == rule.measure && change.change.is_some())
}

pub(super) fn goals(style: &Style, comparison: &Comparison) -> Vec<Line> {
    let columns = [
        Column::words("", 0),
        Column::name("phase"),
        Column::words("measure", 0),
        Column::number("goal", 0),
        Column::words("measured", 1),
        Column::words("", 0),
    ];
    let mut table = Table::new(style, &columns);
    for goal in &comparison.goals {
        let symbols = style.symbols();
        let (mark, tone) = match goal.outcome {
            GoalOutcome::Reached => (symbols.good, Tone::Good),
            GoalOutcome::NotReached => (symbols.bad, Tone::Bad),
            GoalOutcome::CannotTell => (symbols.fair, Tone::Fair),
        };
        table.row(vec![
            (mark.to_owned(), tone),
            (goal.phase.clone(), Tone::Plain),
            (goal.measure.clone(), Tone::Plain),
            (goal.goal.clone(), Tone::Plain),
            (goal.measured.clone(), Tone::Dim),
            (goal.outcome.words().to_owned(), tone),
        ]);
    }
    titled(style, "Goals", &table)
}

fn titled(style: &Style, title: &str, table: &Table) -> Vec<Line> {
    let mut lines = table.lines();
    if table.is_empty() {
        return Vec::new();
    }
    lines.insert(0, heading(style, title, ""));
    lines
}

fn named(places: &[String]) -> String {
    let mut text = places.iter().take(MAX_PLACES).cloned().collect::<Vec<_>>().join(", ");
    if places.len() > MAX_PLACES {
        text.push_str(&format!(" and {} more", places.len() - MAX_PLACES));
    }
    text
}
