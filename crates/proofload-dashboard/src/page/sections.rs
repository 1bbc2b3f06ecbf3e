//! What the live page shares with the HTML report: sections and charts, drawn by it.

use maud::{Markup, PreEscaped, html};
use proofload_core::result::RunResult;
use proofload_core::verdict::{ExitCode, RunEnd};
use proofload_report::html::{self, View};

use crate::live::Piece;

/// The sections of the live page, in its order. Their elements are called after them.
pub(super) const SECTIONS: [&str; 11] = [
    "p-charts",
    "p-expectations",
    "p-thresholds",
    "p-phases",
    "p-steps",
    "p-requests",
    "p-errors",
    "p-statuses",
    "p-checks",
    "p-events",
    "p-generator",
];

/// Draws a section.
pub(super) fn section(id: &'static str, view: &View<'_>) -> Piece {
    let markup = match id {
        "p-charts" => charts(view),
        "p-expectations" => html::expectations(view),
        "p-thresholds" => html::thresholds(view),
        "p-phases" => html::phases(view),
        "p-steps" => html::steps(view),
        "p-requests" => html::requests(view),
        "p-errors" => html::errors(view),
        "p-statuses" => html::statuses(view),
        "p-checks" => html::checks(view),
        "p-events" => html::events(view),
        "p-generator" => html::quality(view),
        _ => html! {},
    };
    Piece { id, html: markup.into_string() }
}

/// Phases and measures on one time axis.
fn charts(view: &View<'_>) -> Markup {
    let mut charts = html::live_charts(view);
    // They stand in pairs: the two that matter most first.
    for (number, (_, chart)) in charts.iter_mut().enumerate() {
        chart.height = if number < 2 { 200 } else { 90 };
    }
    if charts.is_empty() {
        return html! {};
    }
    html! {
        section #charts aria-labelledby="charts-h" {
            h2.vh #charts-h { "Over time" }
            (PreEscaped(html::phase_strip(view).to_svg("phase-strip")))
            div.charts { @for (name, chart) in &charts { (chart.figure(&format!("chart-{name}"))) } }
        }
    }
}

/// How good it was, once a run has ended.
pub(super) fn verdict(result: &RunResult, code: ExitCode) -> Markup {
    html::verdict(&View::new(result), code)
}

/// The exit code that a run had, as far as its result knows.
pub(crate) fn code_of(result: &RunResult) -> ExitCode {
    ExitCode::of_run(RunEnd {
        grade: result.summary.grade,
        is_trustworthy: result.summary.trustworthy,
        is_strict: false,
        is_interrupted: result.run.interrupted,
        is_incomplete: result.run.incomplete,
    })
}

/// All of a run that has ended.
pub(super) fn whole(result: &RunResult) -> Markup {
    let view = View::new(result);
    html! {
        (verdict(result, code_of(result)))
        (html::phases(&view))
        (html::repeats(&view))
        (html::steps(&view))
        (html::expectations(&view))
        (html::thresholds(&view))
        (html::course(&view))
        (html::events(&view))
        (html::distribution(&view))
        (html::requests(&view))
        (html::timings(&view))
        (html::errors(&view))
        (html::statuses(&view))
        (html::checks(&view))
        (html::quality(&view))
        (html::environment(&view))
    }
}
