//! What was run, where and with what.

use maud::{Markup, html};

use super::text::{count, message, name, seconds, when};
use super::view::View;
use crate::chart::Unit;

/// Facts that are shown.
const MAX_ROWS: usize = 60;

/// The section with the facts of the run and of the machine it came from.
#[must_use]
pub fn environment(view: &View<'_>) -> Markup {
    let run = &view.result.run;
    let sum = |of: fn(&proofload_core::result::PhaseResult) -> u64| {
        view.result.test_results.iter().map(of).fold(0_u64, u64::saturating_add)
    };
    let bytes = |count: u64| Unit::Bytes.text(count as f64);
    html! {
        section #environment aria-labelledby="environment-h" {
            h2 #environment-h { "Run and environment" }
            dl.facts {
                (fact("Plan", &run.name)) (fact("Target", &run.target))
                (fact("Started", &when(&run.started))) (fact("Ended", &when(&run.ended)))
                (fact("Duration", &seconds(run.duration_seconds)))
                (fact("Sent, received", &format!("{}, {}", bytes(sum(|p| p.bytes_sent)), bytes(sum(|p| p.bytes_received)))))
                (fact("Connections opened", &count(sum(|p| p.connections_opened))))
                (fact("Sent again", &count(sum(|p| p.reconnects))))
                (fact("Iterations", &count(sum(|p| p.iterations.completed))))
                (fact("Proofload", &run.tool_version))
                @for (key, value) in view.result.environment.iter().take(MAX_ROWS) { (fact(&key.replace('_', " "), value)) }
            }
        }
    }
}

fn fact(word: &str, value: &str) -> Markup {
    html! { @if !value.is_empty() { div { dt { (name(word)) } dd { (message(value)) } } } }
}
