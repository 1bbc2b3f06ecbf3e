//! Two runs beside each other: what changed, how certain that is.

use maud::{Markup, html};
use proofload_core::compare::{Aspect, ComparisonRules, RunEvidence, Side, compare as judge};
use proofload_core::result::{ChangeRow, ChangeVerdict, Comparison, ComparisonEntry, RunResult};

use super::layout::simple;
use super::text::when;

/// Phases and requests that are shown.
const MAX_ENTRIES: usize = 200;

/// The page of two runs beside each other. Takes its time: intervals are found by resampling.
pub(crate) fn compare(old: &RunResult, new: &RunResult, instance: &str) -> Markup {
    let side = |result: &RunResult| Side {
        label: format!("{} of {}", result.run.name, when(&result.run.started)),
        runs: RunEvidence::all_of(result),
    };
    let (old, new) = (side(old), side(new));
    let rules = ComparisonRules::default();
    let (compared, doubt) = match judge(&old, &new, &rules, &[]) {
        Ok(comparison) => (Ok(comparison), None),
        // Shown all the same, but not without saying so.
        Err(error) => (judge(&old, &new, &rules, &Aspect::ALL), Some(error.to_string())),
    };
    let main = html! {
        h1 { "Two runs beside each other" }
        p.sub { span { "from " bdi { (old.label) } } span { "to " bdi { (new.label) } } }
        @match compared {
            Ok(comparison) => {
                @if let Some(doubt) = doubt { div.banner.warn { strong { "These runs are not alike. " } (doubt) } }
                (result(&comparison))
            }
            Err(error) => div.banner.bad { (error) }
        }
    };
    simple("Comparison", instance, &main)
}

fn result(comparison: &Comparison) -> Markup {
    html! {
        @for warning in &comparison.warnings { div.banner.warn { (warning) } }
        @if comparison.has_regressed { (fired(comparison)) }
        @for entry in comparison.entries.iter().take(MAX_ENTRIES) { (table(entry)) }
        @if let Some(hint) = &comparison.hint { p.note { (hint) } }
        p.note {
            "Intervals hold with " (format!("{:.0} %", comparison.level * 100.0))
            " confidence; “cannot tell” means that the measurement does not tell, not that nothing changed."
        }
    }
}

fn fired(comparison: &Comparison) -> Markup {
    html! {
        div.banner.bad {
            strong { "A regression:" }
            ul { @for rule in comparison.rules.iter().filter(|rule| rule.fired) {
                li { (rule.text) " by more than " (rule.limit) ": " (rule.places.join(", ")) }
            } }
        }
    }
}

fn table(entry: &ComparisonEntry) -> Markup {
    let title = match &entry.request {
        Some(request) => format!("{} in {}", request.name, entry.phase),
        None => entry.phase.clone(),
    };
    html! {
        section {
            h2 { bdi { (title) } }
            div.scroll tabindex="0" role="region" aria-label=(title) {
                table {
                    thead { tr {
                        th scope="col" { "Measure" } th.n scope="col" { "Before" } th.n scope="col" { "After" }
                        th.n scope="col" { "Change" } th.n scope="col" { "Interval" } th scope="col" { "Verdict" }
                    } }
                    tbody { @for change in &entry.changes { (row(change)) } }
                }
            }
        }
    }
}

fn row(change: &ChangeRow) -> Markup {
    let class = match change.verdict {
        ChangeVerdict::Better => "better",
        ChangeVerdict::Worse => "worse",
        ChangeVerdict::NoChange | ChangeVerdict::CannotTell => "",
    };
    html! {
        tr {
            th scope="row" { (change.measure) }
            td.n { (change.old_text) } td.n { (change.new_text) }
            td.n { (change.change_text) } td.n { (change.interval_text) }
            td class=(class) {
                (change.verdict.words())
                @if let Some(why) = &change.why { span.remark { (why) } }
            }
        }
    }
}
