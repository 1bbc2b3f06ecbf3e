//! What a change of the service has brought: how it was set up before and after, what was claimed of the
//! change and what was measured, and the requirements that are proven.

use maud::{Markup, html};
use proofload_core::improvement::{ClaimRow, Improvement, SettingRow};
use proofload_core::result::GoalOutcome;
use proofload_core::suite::{ProofRow, ProofVerdict, RequirementRow};

use super::text::{Outcome, label, message, name, scroll};
use super::view::View;

/// Rows of a table, at most.
const MAX_ROWS: usize = 100;

/// The section with the improvement; empty if nobody asked for one.
#[must_use]
pub fn improvement(view: &View<'_>) -> Markup {
    let Some(found) = &view.result.improvement else { return html! {} };
    let met = found.claims_with(GoalOutcome::Reached);
    let class = if met < found.claims.len() { "sentence" } else { "sentence o-good" };
    html! {
        section #improvement aria-labelledby="improvement-h" {
            h2 #improvement-h { "Before and after" }
            p class=(class) { (met) " of " (found.claims.len()) " claims met." (requirement_sentence(found)) }
            @if let Some(href) = report_before(found) { p.note { a href=(href) { "The report of the run before" } } }
            @if !found.claims.is_empty() { (scroll("Claims", &claims(&found.claims))) }
            @if !found.requirements.is_empty() {
                h3 { "Requirements" }
                (scroll("Requirements", &requirements(&found.requirements, false)))
            }
            @if !found.settings.is_empty() {
                h3 { "How the service was set up" }
                (scroll("How the service was set up", &settings(&found.settings)))
            }
            @if !found.notes.is_empty() {
                h3 { "To read this" }
                ul { @for note in found.notes.iter().take(MAX_ROWS) { li { (message(note)) } } }
            }
        }
    }
}

/// Where the report of the run before is: beside its result, and never anywhere else than in a folder near
/// this one.
fn report_before(found: &Improvement) -> Option<String> {
    let folder = found.before.strip_suffix("result.json")?;
    folder.starts_with("../").then(|| format!("{folder}report.html"))
}

fn requirement_sentence(found: &Improvement) -> String {
    let proven =
        found.requirements.iter().filter(|row| row.verdict == ProofVerdict::Proven).count();
    match found.requirements.len() {
        0 => String::new(),
        all => format!(" {proven} of {all} requirements proven."),
    }
}

fn claims(rows: &[ClaimRow]) -> Markup {
    html! {
        table.expect {
            thead { tr {
                th scope="col" { "Claim" } th scope="col" { "Claimed" } th.n scope="col" { "Before" } th.n scope="col" { "After" }
                th.n scope="col" { "Change" } th scope="col" { "99% interval" } th scope="col" { "Verdict" }
            } }
            tbody {
                @for row in rows.iter().take(MAX_ROWS) {
                    @let (outcome, word) = meaning(row.outcome);
                    tr {
                        th scope="row" { (label(&row.name, 80)) }
                        td { (label(&row.claimed, 80)) }
                        td.n { (label(&row.before_text, 40)) }
                        td.n { strong { (label(&row.after_text, 40)) } }
                        td.n { (label(&row.change_text, 40)) }
                        td { (message(&row.confidence_text)) }
                        td { (outcome.mark("")) " " (word) @if let Some(why) = &row.why { span.remark { (message(why)) } } }
                    }
                }
            }
        }
    }
}

const fn meaning(outcome: GoalOutcome) -> (Outcome, &'static str) {
    match outcome {
        GoalOutcome::Reached => (Outcome::Good, "met"),
        GoalOutcome::NotReached => (Outcome::Missed, "not met"),
        GoalOutcome::CannotTell => (Outcome::Unknown, "cannot tell"),
    }
}

pub(super) fn requirements(rows: &[RequirementRow], names_tests: bool) -> Markup {
    html! {
        table.expect {
            thead { tr {
                th scope="col" { "Requirement" } th scope="col" { "Verdict" } th scope="col" { "Measure" }
                th.n scope="col" { "Measured" } th.n scope="col" { "Bound" }
            } }
            tbody {
                @for row in rows.iter().take(MAX_ROWS) {
                    @for (at, proof) in proofs(row).iter().enumerate() {
                        tr class=[(at == 0).then_some("first")] {
                            th scope="row" { @if at == 0 { (label(&row.id, 40)) " " (message(&row.text)) } @else { span.vh { (label(&row.id, 40)) } } }
                            @let (outcome, word) = verdict(proof.verdict);
                            td { (outcome.mark("")) " " (word) @if let Some(why) = &proof.reason { span.remark { (message(why)) } } }
                            td { (label(&proof.measure, 60)) (place(proof, names_tests)) }
                            td.n { (label(&proof.measured_text, 40)) }
                            td.n { @if let Some(bound) = &proof.bound { (label(&bound.text, 40)) } }
                        }
                    }
                }
            }
        }
    }
}

/// Where something is proven: the test, if there are several, and the phase.
fn place(proof: &ProofRow, names_test: bool) -> Markup {
    let test = Some(&proof.test).filter(|test| names_test && !test.is_empty());
    html! {
        @if test.is_some() || proof.phase.is_some() {
            span.remark {
                @if let Some(test) = test { (name(test)) @if proof.phase.is_some() { ": " } }
                @if let Some(phase) = &proof.phase { (name(phase)) }
            }
        }
    }
}

/// At least one row for each: a requirement that nobody proves is shown as that.
fn proofs(row: &RequirementRow) -> Vec<ProofRow> {
    if row.proofs.is_empty() {
        let nobody =
            ProofRow { verdict: row.verdict, reason: row.reason.clone(), ..ProofRow::default() };
        return vec![nobody];
    }
    row.proofs.clone()
}

const fn verdict(verdict: ProofVerdict) -> (Outcome, &'static str) {
    match verdict {
        ProofVerdict::Proven => (Outcome::Good, "proven"),
        ProofVerdict::Failed => (Outcome::Broken, "failed"),
        ProofVerdict::Unproven => (Outcome::Unknown, "unproven"),
    }
}

fn settings(rows: &[SettingRow]) -> Markup {
    html! {
        table.expect {
            thead { tr { th scope="col" { "Setting" } th scope="col" { "Before" } th scope="col" { "After" } } }
            tbody {
                @for row in rows.iter().take(MAX_ROWS) {
                    tr { th scope="row" { (label(&row.name, 80)) } td { (label(&row.before, 80)) } td { (label(&row.after, 80)) } }
                }
            }
        }
    }
}
