//! What was expected and how it came out, with a picture of each measure.

use maud::{Markup, PreEscaped, html};
use proofload_core::result::{BoundRow, ExpectationRow};

use super::text::{Outcome, and_more, cell, label, name, scroll};
use super::view::{MAX_PHASES, View};
use crate::chart::{Bullet, BulletBound, Tone};

/// Expectations or thresholds that are shown.
const MAX_ROWS: usize = 300;

/// The section with each phase's expectations; empty if nothing was expected.
#[must_use]
pub fn expectations(view: &View<'_>) -> Markup {
    let phases = view.result.test_results.iter().enumerate().take(MAX_PHASES);
    let rows: Vec<_> = phases
        .flat_map(|(number, phase)| phase.expectations.iter().map(move |row| (number, phase, row)))
        .collect();
    if rows.is_empty() {
        return html! {};
    }
    let mut last = None;
    let table = html! {
        table.expect {
            thead { tr {
                @if view.has_phases() { th scope="col" { "Phase" } }
                th scope="col" { "Measure" } th scope="col" { "Outcome" } th.n scope="col" { "Measured" }
                th.pic scope="col" { span.vh { "Picture" } } th.n scope="col" { "Target" } th.n scope="col" { "Limit" }
            } }
            tbody {
                @for (number, phase, row) in rows.iter().take(MAX_ROWS) {
                    @let is_first = last.replace(*number) != Some(*number);
                    tr data-phase=(number) class=[is_first.then_some("first")] {
                        @if view.has_phases() { td { @if is_first { (name(&phase.scenario)) } @else { span.vh { (name(&phase.scenario)) } } } }
                        th scope="row" { (label(&row.measure, 60)) }
                        td.nowrap { (outcome(row).mark(word(outcome(row)))) " " (word(outcome(row))) }
                        (cell(&label(&row.measured_text, 40), row.measured))
                        td.pic { (PreEscaped(bullet(row).to_svg())) }
                        (bound_cell(row.target.as_ref(), row.target_met, Outcome::Missed))
                        (bound_cell(row.limit.as_ref(), row.limit_met, Outcome::Broken))
                    }
                }
            }
        }
    };
    html! {
        section #expectations aria-labelledby="expectations-h" {
            h2 #expectations-h { "Expectations" }
            p.note { "Bars are what was measured; the thin line is the target, the thick one the limit, and what is beyond the limit is shaded." }
            (scroll("Expectations", &table))
            (and_more(rows.len(), MAX_ROWS, "expectations"))
        }
    }
}

fn outcome(row: &ExpectationRow) -> Outcome {
    match (row.limit_met, row.target_met) {
        (Some(false), _) => Outcome::Broken,
        (_, Some(false)) => Outcome::Missed,
        (None, None) => Outcome::Unknown,
        _ => Outcome::Good,
    }
}

const fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Good => "met",
        Outcome::Missed => "target missed",
        Outcome::Broken => "limit broken",
        Outcome::Same | Outcome::Unknown => "not judged",
    }
}

fn bullet(row: &ExpectationRow) -> Bullet {
    let bound = |bound: &Option<BoundRow>| {
        bound.as_ref().map(|bound| BulletBound {
            value: bound.value,
            is_floor: bound.comparison.starts_with('>'),
        })
    };
    let outcome = outcome(row);
    Bullet {
        measured: row.measured,
        target: bound(&row.target),
        limit: bound(&row.limit),
        tone: match outcome {
            Outcome::Broken => Tone::Bad,
            Outcome::Missed => Tone::Warn,
            Outcome::Good | Outcome::Same | Outcome::Unknown => Tone::Info,
        },
        is_share: row.unit == "ratio",
        text: format!("{} {}, {}", row.measure, row.measured_text, word(outcome)),
    }
}

fn bound_cell(bound: Option<&BoundRow>, is_met: Option<bool>, outcome: Outcome) -> Markup {
    let class = if is_met == Some(false) { outcome.class() } else { "" };
    html! { td class={ "n " (class) } { (bound.map_or_else(String::new, |bound| label(&bound.text, 40))) } }
}

/// The section with k6 thresholds over the whole run; empty if there are none.
#[must_use]
pub fn thresholds(view: &View<'_>) -> Markup {
    let rows = &view.result.thresholds;
    if rows.is_empty() {
        return html! {};
    }
    let table = html! {
        table {
            thead { tr { th scope="col" { "Metric" } th scope="col" { "Outcome" } th.n scope="col" { "Measured" } th scope="col" { "Condition" } } }
            tbody {
                @for row in rows.iter().take(MAX_ROWS) {
                    @let outcome = if row.met { Outcome::Good } else { Outcome::Broken };
                    tr {
                        th scope="row" { (name(&row.metric)) }
                        td { (outcome.mark(word(outcome))) " " (if row.met { "met" } else { "crossed" }) }
                        (cell(&label(&row.measured_text, 40), row.measured))
                        td { (label(&row.condition, 80)) }
                    }
                }
            }
        }
    };
    html! {
        section #thresholds aria-labelledby="thresholds-h" {
            h2 #thresholds-h { "Thresholds" }
            (scroll("Thresholds", &table))
            (and_more(rows.len(), MAX_ROWS, "thresholds"))
        }
    }
}
