//! The page: head, sections in their order, and what is embedded.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use proofload_core::compare::Side;
use proofload_core::metrics::Histogram;
use proofload_core::result::RunResult;
use proofload_core::verdict::ExitCode;

use super::style::{CSS, JS, csp};
use super::text::{counted, label, name, seconds, when};
use super::view::{MAX_PHASES, View};
use super::{
    checks, comparison, cost, course, distribution, environment, errors, events, expectations,
    improvement, phases, quality, repeats, requests, statuses, steps, thresholds, timings, verdict,
};

/// What the page says that the result does not know.
#[derive(Clone, Copy, Debug)]
pub struct HtmlOptions<'a> {
    /// The exit code of the run.
    pub exit_code: ExitCode,
    /// Where the result file is, relative to the page: a link. Nothing leaves the link out.
    pub result_href: Option<&'a str>,
    /// Whether the whole result is put into the page, to be downloaded from it again: as large as the result
    /// file, without its indentation.
    pub embed_result: bool,
    /// An earlier run to show beside the distributions.
    pub overlay: Option<&'a Overlay>,
}

impl HtmlOptions<'_> {
    /// Nothing but the exit code.
    #[must_use]
    pub const fn new(exit_code: ExitCode) -> Self {
        Self { exit_code, result_href: None, embed_result: false, overlay: None }
    }
}

/// Response times of an earlier run, by name of the phase.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overlay {
    /// What it is: `baseline of 2026-11-20`.
    pub name: String,
    /// Name of a phase and its response times.
    pub phases: Vec<(String, Histogram)>,
}

impl Overlay {
    /// The response times of the old side of a comparison, all its runs together.
    #[must_use]
    pub fn of_side(side: &Side) -> Self {
        let mut phases: Vec<(String, Histogram)> = Vec::new();
        for phase in side.runs.iter().flat_map(|run| &run.phases) {
            match phases.iter_mut().find(|(name, _)| *name == phase.name) {
                Some((_, known)) => known.merge(&phase.all.response),
                None => phases.push((phase.name.clone(), phase.all.response.clone())),
            }
        }
        Self { name: side.label.clone(), phases }
    }
}

/// The report of a run as one HTML document.
#[must_use]
pub fn page(result: &RunResult, options: &HtmlOptions<'_>) -> String {
    let view = View::new(result)
        .with_overlay(options.overlay)
        .beside_results(options.result_href.is_some());
    let title = title(result);
    let sections = [
        verdict(&view, options.exit_code),
        improvement(&view),
        phases(&view),
        repeats(&view),
        steps(&view),
        expectations(&view),
        thresholds(&view),
        comparison(&view),
        course(&view),
        events(&view),
        distribution(&view),
        requests(&view),
        timings(&view),
        errors(&view),
        statuses(&view),
        checks(&view),
        cost(&view),
        quality(&view),
        environment(&view),
    ];
    let main = html! { @for section in &sections { (section) } };
    let end = html! { @if options.embed_result { (embedded(result)) } };
    document(&title, &result.run.tool_version, &header(&view, options), &main, &end)
}

/// A page around its head, its main part and what is embedded at its end.
pub(super) fn document(
    title: &str,
    version: &str,
    header: &Markup,
    main: &Markup,
    end: &Markup,
) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(csp());
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="generator" content={ "Proofload " (label(version, 40)) };
                title { (title) }
                link rel="icon" href="data:,";
                style { (PreEscaped(CSS)) }
            }
            body {
                a.skip href="#main" { "To the verdict" }
                (header)
                main #main { (main) }
                footer { p { "Written by Proofload" @if !version.is_empty() { " " (label(version, 40)) } "." } }
                (end)
                script { (PreEscaped(JS)) }
            }
        }
    }
    .into_string()
}

fn title(result: &RunResult) -> String {
    let name = if result.run.name.is_empty() { "Load test" } else { &result.run.name };
    let grade = result.summary.grade.map_or(String::new(), |grade| format!("{grade}: "));
    format!("{grade}{} – Proofload", label(name, 80))
}

fn header(view: &View<'_>, options: &HtmlOptions<'_>) -> Markup {
    let run = &view.result.run;
    let phases: Vec<_> = view.phases().take(MAX_PHASES).collect();
    html! {
        header {
            div.head {
                h1 { @if run.name.is_empty() { "Load test" } @else { (name(&run.name)) } }
                p.sub {
                    @if !run.target.is_empty() { span { (name(&run.target)) } }
                    @if !run.started.is_empty() { time datetime=(label(&run.started, 40)) { (when(&run.started)) } }
                    span { (seconds(run.duration_seconds)) @if let Some(repeats) = &view.result.repeats { " in " (counted(repeats.runs.len() as u64, "run")) } }
                }
            }
            div.tools {
                @if phases.len() > 1 {
                    label.js { "Phase "
                        select #phase-filter {
                            option value="" { "all" }
                            @for (number, phase) in &phases { option value=(number) { (label(&phase.scenario, 60)) } }
                        }
                    }
                }
                @if let Some(href) = options.result_href { a href=(href) { "result.json" } }
                @if options.embed_result { button.js #download type="button" { "Download result" } }
                button.js #theme type="button" { "Dark" }
            }
        }
    }
}

/// The result as data that is not run and cannot end its element: every `<` is written as an escape, which
/// JSON reads as the same character.
fn embedded(result: &RunResult) -> Markup {
    // A number that JSON cannot hold would be a bug; the page is more use than no page.
    let json = serde_json::to_string(result).unwrap_or_default().replace('<', "\\u003c");
    html! { script #result type="application/json" { (PreEscaped(json)) } }
}
