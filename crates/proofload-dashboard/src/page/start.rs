//! The form that starts a run: which plan, which of its phases, how much load.

use maud::{Markup, html};
use proofload_core::units::{duration_text, human_rate};

use crate::runner::{PhaseInfo, PlanInfo};

/// Phases that can be chosen.
const MAX_PHASES: usize = 200;

/// The form, for every plan one; the script shows that of the chosen plan.
pub(super) fn start(plans: &[PlanInfo]) -> Markup {
    html! {
        section #start.card data-when="idle ended failed" aria-labelledby="start-h" {
            h2 #start-h { "Start a run" }
            @if plans.len() > 1 {
                p.field {
                    label for="plan" { "Plan" }
                    select #plan { @for (index, plan) in plans.iter().enumerate() { option value=(index) { (plan.name) } } }
                }
            }
            @for (index, plan) in plans.iter().enumerate() { (form(index, plan)) }
        }
    }
}

fn form(index: usize, plan: &PlanInfo) -> Markup {
    let peak_users = plan.phases.iter().map(|phase| phase.users).max().unwrap_or(0);
    let peak_rate = plan.phases.iter().filter_map(|phase| phase.rate).reduce(f64::max);
    let id = |what: &str| format!("{what}-{index}");
    html! {
        form.start data-plan=(index) hidden[index > 0] {
            p.plan { strong { (plan.name) } span.target { (plan.target) } }
            @if let Some(description) = &plan.description { p.note { (description) } }
            fieldset {
                legend { "Phases" }
                ul.choices {
                    @for (number, phase) in plan.phases.iter().enumerate().take(MAX_PHASES) { (choice(index, number, phase)) }
                }
            }
            @if !plan.thresholds.is_empty() {
                p.note { "Thresholds on the whole run: " (plan.thresholds.join(" · ")) }
            }
            div.fields {
                p.field {
                    label for=(id("users")) { "Peak users" }
                    input id=(id("users")) name="users" type="number" min="1" max="10000000" step="1" placeholder=(peak_users);
                }
                @if let Some(rate) = peak_rate {
                    p.field {
                        label for=(id("rate")) { "Peak rate, per second" }
                        input id=(id("rate")) name="rate" type="number" min="0" max="10000000" step="any" placeholder=(human_rate(rate).trim_end_matches("/s"));
                    }
                }
                p.field {
                    label for=(id("duration")) { "Seconds per phase" }
                    input id=(id("duration")) name="duration_seconds" type="number" min="0" step="any" placeholder="as planned";
                }
            }
            button.primary.large type="submit" { "Start" }
            p.note { "Empty fields mean: as the plan has it." }
        }
    }
}

fn choice(plan: usize, number: usize, phase: &PhaseInfo) -> Markup {
    let id = format!("phase-{plan}-{number}");
    html! {
        li {
            input type="checkbox" id=(id) name="phase" value=(number) checked;
            label for=(id) {
                span.name { (phase.name) }
                span.note { (phase.load) @if let Some(duration) = phase.duration { span.vh { ", " (duration_text(duration)) } } }
                @if !phase.expectations.is_empty() { span.note { "expects " (phase.expectations.join(", ")) } }
            }
        }
    }
}
