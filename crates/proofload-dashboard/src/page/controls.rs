//! The buttons that steer a run. What they can do at the moment follows from the page's state, which the
//! script sets on the body.

use maud::{Markup, html};

/// The buttons.
pub(super) fn controls() -> Markup {
    html! {
        div.controls role="group" aria-label="Steer the run" {
            button type="button" data-do="pause" data-when="running" { (icon("M8 5v14M16 5v14")) "Pause" }
            button.primary type="button" data-do="resume" data-when="paused" { (icon("M7 4l12 8-12 8z")) "Resume" }
            div.scale role="group" aria-label="Scale the load" data-when="running paused" {
                label for="factor" { "Load" }
                button type="button" data-step="-10" aria-label="Less load, by 10 points" { "−" }
                input #factor type="number" inputmode="numeric" min="1" max="10000" step="1" value="100"
                    aria-describedby="factor-unit";
                span #factor-unit { "% of plan" }
                button type="button" data-step="10" aria-label="More load, by 10 points" { "+" }
            }
            button type="button" data-do="end_phase" data-when="running paused" { (icon("M5 4l10 8-10 8zM19 5v14")) "Next phase" }
            button.danger type="button" data-do="stop" data-when="running paused" { (icon("M6 6h12v12H6z")) "Stop" }
            button.danger type="button" data-do="stop_now" data-when="stopping" { (icon("M6 6h12v12H6z")) "Stop at once" }
        }
        dialog #confirm aria-labelledby="confirm-h" {
            h2 #confirm-h { "Stop the run?" }
            p { "Requests in flight may finish. What was measured so far is kept, and the run counts as interrupted." }
            form method="dialog" {
                button value="no" autofocus { "Keep it running" }
                button.danger value="yes" { "Stop" }
            }
        }
        p #problem role="alert" {}
    }
}

/// A small picture before a button's word.
fn icon(path: &str) -> Markup {
    html! { svg.icon viewBox="0 0 24 24" aria-hidden="true" focusable="false" { path d=(path) {} } }
}
