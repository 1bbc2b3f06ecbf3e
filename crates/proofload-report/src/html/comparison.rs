//! What became of each measure since an earlier run: better, worse, no change or cannot tell.

use maud::{Markup, PreEscaped, html};
use proofload_core::result::{
    ChangeRow, ChangeScale, ChangeVerdict, Comparison, ComparisonEntry, GoalOutcome, SideRow,
};

use super::text::{Outcome, count, label, message, name, scroll, when};
use super::view::View;
use crate::chart::{IntervalBar, Tone};

/// Rows of all tables together.
const MAX_ROWS: usize = 400;
/// Rules, goals or warnings that are shown.
const MAX_LINES: usize = 60;

/// The section with the comparison with earlier runs; empty if there was none.
#[must_use]
pub fn comparison(view: &View<'_>) -> Markup {
    let Some(comparison) = &view.result.comparison else { return html! {} };
    let (phases, requests): (Vec<_>, Vec<_>) =
        comparison.entries.iter().partition(|entry| entry.request.is_none());
    let left = MAX_ROWS.saturating_sub(phases.iter().map(|entry| entry.changes.len()).sum());
    html! {
        section #comparison aria-labelledby="comparison-h" {
            h2 #comparison-h { "Compared with " (name(&comparison.old.label)) }
            p class=(if comparison.has_regressed { "sentence o-broken" } else { "sentence" }) { (sentence(comparison)) }
            p.note { (side("Before", &comparison.old)) "; " (side("now", &comparison.new)) "." }
            @if !comparison.warnings.is_empty() {
                div.trust.suspect { ul { @for warning in comparison.warnings.iter().take(MAX_LINES) { li { (message(warning)) } } } }
            }
            (rules(comparison))
            (goals(comparison))
            p.note {
                "Dots are changes, lines their " (format!("{:.0}", comparison.level * 100.0))
                "% confidence intervals; the line in the middle is no change. A hollow dot may be chance."
            }
            (scroll("Changes by phase", &table(&phases, MAX_ROWS)))
            @if !requests.is_empty() && left > 0 {
                details { summary { "Changes by request" } (scroll("Changes by request", &table(&requests, left))) }
            }
            @if let Some(hint) = &comparison.hint { p.note { (message(hint)) } }
        }
    }
}

/// What the comparison comes to, in the words of the terminal.
pub(super) fn sentence(comparison: &Comparison) -> String {
    let of = |verdict: ChangeVerdict| {
        let changes = comparison.entries.iter().flat_map(|entry| &entry.changes);
        changes.filter(|row| row.verdict == verdict).count()
    };
    let [worse, better, same, open] = [
        ChangeVerdict::Worse,
        ChangeVerdict::Better,
        ChangeVerdict::NoChange,
        ChangeVerdict::CannotTell,
    ]
    .map(of);
    let word = if comparison.has_regressed {
        "Regression"
    } else if worse > 0 {
        "Worse, within the rules"
    } else if better > 0 {
        "Better"
    } else if same > 0 {
        "No change found"
    } else {
        "Cannot tell"
    };
    let counts = [(worse, "worse"), (better, "better"), (same, "no change"), (open, "cannot tell")];
    let parts: Vec<String> =
        counts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
    if parts.is_empty() { format!("{word}.") } else { format!("{word}: {}.", parts.join(", ")) }
}

fn side(word: &str, side: &SideRow) -> Markup {
    let began = side.runs.iter().find(|began| !began.is_empty());
    let runs = side.runs.len() as u64;
    html! {
        (word) ": " @if runs > 1 { (count(runs)) " runs, " } (count(side.requests)) " requests"
        @if let Some(began) = began { ", " @if runs > 1 { "first " } (when(began)) }
    }
}

/// Rules that fired, or may have; the others are counted.
fn rules(comparison: &Comparison) -> Markup {
    let told: Vec<_> =
        comparison.rules.iter().filter(|rule| rule.fired || !rule.undecided.is_empty()).collect();
    html! {
        @if !told.is_empty() {
            ul.reasons {
                @for rule in told.iter().take(MAX_LINES) {
                    @let outcome = if rule.fired { Outcome::Broken } else { Outcome::Unknown };
                    @let places = if rule.fired { &rule.places } else { &rule.undecided };
                    li {
                        (outcome.mark(if rule.fired { "broken:" } else { "undecided:" })) " "
                        strong { (message(&rule.text)) } " beyond " (label(&rule.limit, 40)) ": "
                        @for (at, place) in places.iter().take(6).enumerate() { @if at > 0 { "; " } (message(place)) }
                        @if !rule.fired { " (may be chance)" }
                    }
                }
            }
        }
    }
}

fn goals(comparison: &Comparison) -> Markup {
    html! {
        @if !comparison.goals.is_empty() {
            ul.reasons {
                @for goal in comparison.goals.iter().take(MAX_LINES) {
                    @let outcome = match goal.outcome {
                        GoalOutcome::Reached => Outcome::Good,
                        GoalOutcome::NotReached => Outcome::Missed,
                        GoalOutcome::CannotTell => Outcome::Unknown,
                    };
                    li {
                        (outcome.mark(goal.outcome.words())) " Goal " strong { (label(&goal.measure, 60)) " " (label(&goal.goal, 40)) }
                        " in " (name(&goal.phase)) ": " (goal.outcome.words()) ", " (message(&goal.measured))
                    }
                }
            }
        }
    }
}

/// The change that reaches to the edge of its picture: the largest of the same scale, within reason.
fn reach(entries: &[&ComparisonEntry], scale: ChangeScale) -> f64 {
    let rows = entries.iter().flat_map(|entry| &entry.changes).filter(|row| row.scale == scale);
    let ends = rows.flat_map(|row| [row.change, row.low, row.high]).flatten();
    let largest = ends.filter(|end| end.is_finite()).map(f64::abs).fold(0.0, f64::max);
    let (least, most) = match scale {
        ChangeScale::Relative => (0.1, 1.0),
        ChangeScale::Points => (0.01, 1.0),
    };
    (largest * 1.05).clamp(least, most)
}

fn table(entries: &[&ComparisonEntry], most: usize) -> Markup {
    let reaches = (reach(entries, ChangeScale::Relative), reach(entries, ChangeScale::Points));
    let rows = entries.iter().flat_map(|entry| {
        entry.changes.iter().enumerate().map(move |(at, row)| (*entry, at == 0, row))
    });
    html! {
        table.expect {
            thead { tr {
                th scope="col" { "Of" } th scope="col" { "Measure" } th.n scope="col" { "Before" } th.n scope="col" { "Now" }
                th.n scope="col" { "Change" } th.pic scope="col" { span.vh { "Picture" } } th scope="col" { "Verdict" }
            } }
            tbody {
                @for (entry, is_first, row) in rows.take(most) {
                    @let (outcome, tone) = meaning(row.verdict);
                    tr class=[is_first.then_some("first")] {
                        td { @if is_first { (place(entry)) } @else { span.vh { (place(entry)) } } }
                        th scope="row" { (label(&row.measure, 60)) }
                        td.n { (label(&row.old_text, 40)) }
                        td.n { (label(&row.new_text, 40)) }
                        td.n { (label(&row.change_text, 40)) span.remark { (label(&row.interval_text, 60)) } }
                        td.pic { (PreEscaped(picture(row, tone, reaches).to_svg())) }
                        td { (outcome.mark("")) " " (row.verdict.words()) @if let Some(why) = &row.why { span.remark { (message(why)) } } }
                    }
                }
            }
        }
    }
}

fn place(entry: &ComparisonEntry) -> Markup {
    html! {
        (name(&entry.phase))
        @if let Some(request) = &entry.request { span.remark { (name(&request.name)) } }
    }
}

fn picture(row: &ChangeRow, tone: Tone, reaches: (f64, f64)) -> IntervalBar {
    IntervalBar {
        change: row.change,
        low: row.low,
        high: row.high,
        reach: if row.scale == ChangeScale::Relative { reaches.0 } else { reaches.1 },
        tone,
        is_certain: matches!(row.verdict, ChangeVerdict::Better | ChangeVerdict::Worse),
        text: format!("{} {}, {}", row.measure, row.change_text, row.verdict.words()),
    }
}

const fn meaning(verdict: ChangeVerdict) -> (Outcome, Tone) {
    match verdict {
        ChangeVerdict::Better => (Outcome::Good, Tone::Good),
        ChangeVerdict::Worse => (Outcome::Broken, Tone::Bad),
        ChangeVerdict::NoChange => (Outcome::Same, Tone::Info),
        ChangeVerdict::CannotTell => (Outcome::Unknown, Tone::Info),
    }
}
