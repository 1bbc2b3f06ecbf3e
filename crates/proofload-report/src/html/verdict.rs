//! The verdict: how good, why, and whether to believe it.

use maud::{Markup, html};
use proofload_core::metrics::Histogram;
use proofload_core::result::{BoundRow, PhaseResult, RunResult};
use proofload_core::verdict::{ExitCode, Grade};

use super::comparison::sentence as compared;
use super::text::{self, count, grade_sign, label, message, ms, name, rate, ratio, verdict_class};
use super::view::View;
use crate::chart::Unit;
use crate::repeats::remark;
use crate::summary::grade::meaning;

/// Reasons that are shown.
const MAX_REASONS: usize = 8;

/// The first section: grade, why, exit code, targets and limits, trust, and the figures of the whole run.
#[must_use]
pub fn verdict(view: &View<'_>, exit_code: ExitCode) -> Markup {
    let result = view.result;
    let summary = &result.summary;
    let all = reasons(result);
    let is_suspect = !summary.trustworthy && result.test_results.iter().any(|phase| phase.was_run);
    html! {
        section class={ "verdict " (verdict_class(summary.grade, is_suspect)) } #verdict aria-labelledby="verdict-h" {
            h2.vh #verdict-h { "Verdict" }
            div.grade {
                span.grade-sign aria-hidden="true" { (grade_sign(summary.grade)) }
                span.grade-word { (summary.grade.map_or("NO GRADE", Grade::name)) }
                @if is_suspect { span.exit { strong { "but the measurement is suspect" } } }
                span.exit { "exit code " (exit_code.code()) ": " (meaning(exit_code, summary.grade.is_some())) }
            }
            div.why {
                p.sentence { (sentence(result)) }
                @if let Some(remark) = result.repeats.as_ref().and_then(remark) {
                    p { (text::Outcome::Missed.mark("")) " " (remark) " " a href="#repeats" { "Runs" } }
                }
                @if !all.is_empty() {
                    ul.reasons {
                        @for reason in all.iter().take(MAX_REASONS) { li { (reason.markup(view.has_phases())) } }
                        @if all.len() > MAX_REASONS { li { "and " (all.len() - MAX_REASONS) " more" } }
                    }
                }
                @if let Some(comparison) = &result.comparison {
                    p {
                        a href="#comparison" { "Compared with " (name(&comparison.old.label)) } ": "
                        strong class=[comparison.has_regressed.then_some("o-broken")] { (compared(comparison)) }
                    }
                }
                @if summary.targets > 0 || summary.limits > 0 {
                    p.tally {
                        (tally(summary.targets_met, summary.targets, "targets met")) ", "
                        (tally(summary.limits_met, summary.limits, "limits kept"))
                    }
                }
            }
            (trust(result))
            (figures(result))
        }
    }
}

fn tally(met: u32, all: u32, what: &str) -> Markup {
    html! { strong { (met) " of " (all) } " " (what) }
}

/// One sentence: what the grade is due to.
#[must_use]
pub fn sentence(result: &RunResult) -> String {
    let summary = &result.summary;
    let run = &result.run;
    let prefix = match (run.interrupted, run.incomplete) {
        (true, _) => "Stopped before its end. ",
        (_, true) => "A part of the load generators was lost. ",
        _ => "",
    };
    let never = result.test_results.iter().filter(|phase| !phase.was_run).count();
    let broken = summary.limits.saturating_sub(summary.limits_met);
    let missed = summary.targets.saturating_sub(summary.targets_met);
    // What is said of the bounds is said of all runs together.
    let grade = result.repeats.as_ref().map_or(summary.grade, |repeats| repeats.pooled_grade);
    let text = match grade {
        _ if summary.total_requests == 0 => "No request was made.".to_owned(),
        None => "Nothing was expected of this run, so there is no grade.".to_owned(),
        Some(Grade::Excellent) => "Every target was met.".to_owned(),
        Some(grade @ (Grade::Good | Grade::Fair)) if missed == 0 && broken == 0 => {
            format!("Every target was met, but by the ladder of the grading it is {grade}.")
        }
        Some(Grade::Good) => {
            format!("Every limit was kept; {} missed.", was(missed, "target"))
        }
        Some(Grade::Fair) => {
            format!("Every limit was kept, but {} missed.", was(missed, "target"))
        }
        Some(Grade::Poor) if broken > 0 => format!("{} broken.", was(broken, "limit")),
        Some(Grade::Poor) => "A phase made no request, or a rule of the grading failed.".to_owned(),
    };
    let never = match never {
        0 => String::new(),
        never => format!(" {} never started.", was(never as u32, "phase")),
    };
    format!("{prefix}{text}{never}")
}

/// `1 limit was`, `2 limits were`.
fn was(count: u32, noun: &str) -> String {
    let verb = if count == 1 { "was" } else { "were" };
    format!("{} {verb}", text::counted(count.into(), noun))
}

/// A bound that was not met.
#[derive(Clone, Debug, PartialEq)]
pub struct Reason {
    /// Whether it is a limit; else a target.
    pub is_limit: bool,
    /// The phase; nothing for the whole run.
    pub phase: String,
    /// What was measured.
    pub measure: String,
    /// The value.
    pub measured: String,
    /// The bound.
    pub bound: String,
}

impl Reason {
    fn markup(&self, has_phases: bool) -> Markup {
        let outcome = if self.is_limit { text::Outcome::Broken } else { text::Outcome::Missed };
        html! {
            (outcome.mark(if self.is_limit { "limit broken:" } else { "target missed:" })) " "
            @if has_phases && !self.phase.is_empty() { (name(&self.phase)) ": " }
            strong { (label(&self.measure, 80)) " " (label(&self.measured, 40)) }
            " instead of " (label(&self.bound, 60))
        }
    }
}

/// Limits that were broken, then targets that were missed.
#[must_use]
pub fn reasons(result: &RunResult) -> Vec<Reason> {
    let mut reasons = Vec::new();
    for phase in &result.test_results {
        for row in &phase.expectations {
            let levels = [
                (row.limit_met, row.limit.as_ref(), true),
                (row.target_met, row.target.as_ref(), false),
            ];
            let failed = levels.into_iter().find(|(met, ..)| *met == Some(false));
            let Some((_, bound, is_limit)) = failed else { continue };
            reasons.push(Reason {
                is_limit,
                phase: phase.scenario.clone(),
                measure: row.measure.clone(),
                measured: row.measured_text.clone(),
                bound: bound.map_or_else(String::new, |bound: &BoundRow| bound.text.clone()),
            });
        }
    }
    let broken = result.thresholds.iter().filter(|row| !row.met);
    reasons.extend(broken.map(|row| Reason {
        is_limit: true,
        phase: String::new(),
        measure: row.metric.clone(),
        measured: row.measured_text.clone(),
        bound: row.condition.clone(),
    }));
    reasons.sort_by_key(|reason| !reason.is_limit);
    reasons
}

/// Whether the measurement can be believed, and why not.
fn trust(result: &RunResult) -> Markup {
    let doubts: Vec<(&PhaseResult, &str)> = result
        .test_results
        .iter()
        .flat_map(|phase| phase.trust.reasons.iter().map(move |row| (phase, row.text.as_str())))
        .collect();
    if result.test_results.iter().all(|phase| !phase.was_run) {
        return html! {};
    }
    if result.summary.trustworthy && doubts.is_empty() {
        return html! {
            p.trust.o-good { strong { "The measurement is trustworthy." } " The load generator kept up." }
        };
    }
    let has_phases = result.test_results.len() > 1;
    html! {
        div.trust.suspect {
            p { strong { "The measurement is suspect." } " These figures may say more about the load generator than about the service:" }
            ul {
                @for (phase, text) in doubts.iter().take(MAX_REASONS) {
                    li { @if has_phases { (name(&phase.scenario)) ": " } (message(text)) }
                }
                @if doubts.len() > MAX_REASONS { li { "and " (doubts.len() - MAX_REASONS) " more" } }
            }
        }
    }
}

/// The whole run in a few figures.
fn figures(result: &RunResult) -> Markup {
    let mut response = Histogram::new();
    for phase in &result.test_results {
        response.merge(&phase.histograms.response_successful);
        response.merge(&phase.histograms.response_failed);
    }
    let quantile = |q: f64| response.value_at_quantile(q).map(|ns| ns as f64 / 1e6);
    let summary = &result.summary;
    let measured: f64 = result.test_results.iter().map(|phase| phase.elapsed_seconds).sum();
    let per_second = (measured > 0.0).then(|| summary.total_requests as f64 / measured);
    let failed =
        (summary.total_requests > 0).then(|| summary.failed as f64 / summary.total_requests as f64);
    let received: u64 = result.test_results.iter().map(|phase| phase.bytes_received).sum();
    let users = result.test_results.iter().map(|phase| phase.users_max).max().unwrap_or(0);
    let mut cells = vec![
        ("requests", count(summary.total_requests)),
        ("throughput", rate(per_second)),
        ("failed", ratio(failed)),
        ("p50", ms(quantile(0.5))),
        ("p95", ms(quantile(0.95))),
        ("p99", ms(quantile(0.99))),
        ("slowest", ms(response.max().map(|ns| ns as f64 / 1e6))),
        ("most users", count(users.into())),
        ("received", Unit::Bytes.text(received as f64)),
    ];
    if let Some(hits) = summary.average_cache_hit_rate {
        cells.push(("cache hits", ratio(Some(hits))));
    }
    html! {
        dl.figures { @for (word, value) in &cells { div { dt { (word) } dd { (value) } } } }
    }
}
