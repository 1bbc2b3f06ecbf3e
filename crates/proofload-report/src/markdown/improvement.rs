//! What a change of the service has brought, by a run before and one after it.

use proofload_core::improvement::ClaimRow;
use proofload_core::result::{GoalOutcome, RunResult};

use super::sections::MAX_OPEN;
use super::suite;
use super::table::{Section, Table};
use super::text::plain;

/// Every part of the improvement; nothing where nobody asked for one.
pub(super) fn sections(result: &RunResult) -> Vec<Section> {
    let Some(found) = &result.improvement else { return Vec::new() };
    let mut claims = Table::new(
        &["", "claim", "claimed", ">before", ">after", ">change", "99% interval"],
        MAX_OPEN,
    );
    found.claims.iter().for_each(|row| claims.row(|| claim(row)));
    let mut settings = Table::new(&["", "before", "after"], MAX_OPEN);
    for row in &found.settings {
        settings.row(|| [plain(&row.name), plain(&row.before), plain(&row.after)]);
    }
    let (met, all) = (found.claims_with(GoalOutcome::Reached), found.claims.len());
    let notes: Vec<String> =
        found.notes.iter().take(MAX_OPEN).map(|note| format!("- {}\n", plain(note))).collect();
    let sections = [
        (!claims.is_empty())
            .then(|| claims.under(&format!("Before and after: {met} of {all} claims met"))),
        suite::matrix(&found.requirements),
        (!settings.is_empty()).then(|| settings.under("How the service was set up")),
        (!notes.is_empty())
            .then(|| Section { before: notes.concat() + "\n", ..Section::default() }),
    ];
    sections.into_iter().flatten().collect()
}

fn claim(row: &ClaimRow) -> [String; 7] {
    let outcome = match row.outcome {
        GoalOutcome::Reached => "✅ met",
        GoalOutcome::NotReached => "⚠️ not met",
        GoalOutcome::CannotTell => "❔ cannot tell",
    };
    let outcome = match &row.why {
        Some(why) => format!("{outcome}: {}", plain(why)),
        None => outcome.to_owned(),
    };
    let [name, claimed, before, after, change, interval] = [
        &row.name,
        &row.claimed,
        &row.before_text,
        &row.after_text,
        &row.change_text,
        &row.confidence_text,
    ]
    .map(|text| plain(text));
    [outcome, name, claimed, before, after, change, interval]
}
