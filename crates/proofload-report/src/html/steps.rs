//! The steps of phases whose load rises in steps: where a service holds, and where it no longer does.

use maud::{Markup, html};
use proofload_core::result::{PhaseResult, StepRow};

use super::phases::failed_cell;
use super::text::{Outcome, cell, count, label, ms_cell, name, rate, scroll};
use super::view::{MAX_PHASES, View};
use crate::steps::{StepOutcome, TOO_SHORT, are_measured, load, of_phases, words};

/// Steps of a phase; earlier ones are only counted.
const MAX_STEPS: usize = 100;

/// The section with a table for each phase in steps; empty if there is none.
#[must_use]
pub fn steps(view: &View<'_>) -> Markup {
    let phases: Vec<_> = of_phases(&view.result.test_results, MAX_STEPS).take(MAX_PHASES).collect();
    if phases.is_empty() {
        return html! {};
    }
    html! {
        section #steps aria-labelledby="steps-h" {
            h2 #steps-h { "Steps" }
            p.note {
                "Each step by itself, without its first fifth, in which the service gets used to the load. It is judged by what is \
                 expected of its phase, as far as that is known by step."
            }
            @for (number, phase, steps, left_out) in phases {
                div data-phase=(number) {
                    @if view.has_phases() { h3 { (name(&phase.scenario)) } }
                    @if are_measured(steps) {
                        (scroll(&format!("Steps of {}", label(&phase.scenario, 80)), &table(phase, steps)))
                    } @else {
                        p.note { (TOO_SHORT) }
                    }
                    @if left_out > 0 { p.note { "… and " (left_out) " steps before these" } }
                }
            }
        }
    }
}

fn table(phase: &PhaseResult, steps: &[StepRow]) -> Markup {
    let is_judged =
        !phase.expectations.is_empty() || steps.iter().any(|step| !words(step).is_empty());
    html! {
        table {
            thead { tr {
                th scope="col" { "Load" }
                @if is_judged { th scope="col" { "Outcome" } }
                @for heading in ["Requests", "Rate", "Failed", "p50", "p95", "p99", "Max"] {
                    th.n scope="col" { (heading) }
                }
            } }
            tbody { @for step in steps { tr {
                th.nowrap scope="row" { (load(step)) }
                @if is_judged { td { (outcome(step)) } }
                (cell(&count(step.total_requests), Some(step.total_requests as f64)))
                (cell(&rate(step.requests_per_second), step.requests_per_second))
                (failed_cell(step.failed, step.total_requests))
                (ms_cell(step.median_latency_ms)) (ms_cell(step.p95_latency_ms))
                (ms_cell(step.p99_latency_ms)) (ms_cell(step.max_latency_ms))
            } } }
        }
    }
}

fn outcome(step: &StepRow) -> Markup {
    let outcome = match StepOutcome::of(step) {
        StepOutcome::Kept => Outcome::Good,
        StepOutcome::Missed(_) => Outcome::Missed,
        StepOutcome::Broken(_) => Outcome::Broken,
        StepOutcome::NotJudged => Outcome::Unknown,
    };
    let words = words(step);
    html! { @if !words.is_empty() { (outcome.mark("")) " " (label(&words, 80)) } }
}
