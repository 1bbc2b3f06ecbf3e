//! Runs that have ended: the list, one of them, two beside each other.

use maud::{Markup, html};
use proofload_core::result::RunResult;
use proofload_core::units::human_count;

use super::layout::simple;
use super::sections;
use super::text::{clock, grade_class, share, when};
use crate::runner::PastRun;

/// Rows of the list on the live page.
pub(super) const ON_LIVE_PAGE: usize = 8;

/// Files a run can be downloaded as: name, and what it is.
const FILES: &[(&str, &str)] = &[
    ("report.html", "Report, HTML"),
    ("result.json", "Result, JSON"),
    ("summary.md", "Summary, Markdown"),
    ("junit.xml", "JUnit"),
    ("stats.csv", "Requests, CSV"),
    ("stats_history.csv", "Over time, CSV"),
    ("failures.csv", "Failures, CSV"),
];

/// Links to a run's files.
pub(super) fn files(folder: &str) -> Markup {
    html! {
        ul.files {
            @for (file, what) in FILES { li { a href={ (folder) "/" (file) } download { (what) } } }
        }
    }
}

/// The latest runs.
pub(super) fn list(runs: &[PastRun], most: usize) -> Markup {
    if runs.is_empty() {
        return html! {};
    }
    html! {
        section.card aria-labelledby="past-h" {
            h2 #past-h { "Past runs" }
            (table(&runs[..runs.len().min(most)]))
            @if runs.len() > most { p { a href="/runs" { "All " (runs.len()) " runs" } } }
        }
    }
}

fn table(runs: &[PastRun]) -> Markup {
    html! {
        form action="/compare" method="get" {
            div.scroll tabindex="0" role="region" aria-label="Past runs" {
                table.sortable {
                    thead { tr {
                        th.unsorted scope="col" { span.vh { "Compare" } }
                        th scope="col" { "Run" } th scope="col" { "Started" } th scope="col" { "Grade" }
                        th.n scope="col" { "Length" } th.n scope="col" { "Requests" } th.n scope="col" { "Failed" }
                    } }
                    tbody {
                        @for run in runs {
                            // By its name a row is known again when others have come.
                            tr id={ "run-" (run.id) } {
                                td { input type="checkbox" name="run" value=(run.id) aria-label={ "Compare " (run.name) " of " (when(&run.started)) }; }
                                th scope="row" { a href={ "/runs/" (run.id) } { bdi { (run.name) } } }
                                td data-s=(run.started) { time datetime=(run.started) { (when(&run.started)) } }
                                td data-s=(run.grade.map_or(-1, |grade| grade as i32)) { span class={ "word " (grade_class(run.grade)) } { (run.grade.map_or("–", |grade| grade.name())) } @if run.is_interrupted { " interrupted" } }
                                td.n data-s=(run.duration_seconds) { (clock(std::time::Duration::try_from_secs_f64(run.duration_seconds).unwrap_or_default())) }
                                td.n data-s=(run.requests) { (human_count(run.requests)) }
                                td.n data-s=(run.failed as f64 / run.requests.max(1) as f64) { (share(run.failed, run.requests)) }
                            }
                        }
                    }
                }
            }
            p { button type="submit" { "Compare the two chosen runs" } }
        }
    }
}

/// The page of all past runs.
pub(crate) fn runs(runs: &[PastRun], instance: &str) -> Markup {
    let main = html! {
        h1 { "Past runs" }
        @if runs.is_empty() { p { "No run has been kept yet." } } @else { section.card { (table(runs)) } }
    };
    simple("Past runs", instance, &main)
}

/// The page of a past run.
pub(crate) fn run(id: &str, result: &RunResult, instance: &str) -> Markup {
    let main = html! {
        h1 { bdi { (result.run.name) } }
        p.sub { span { (when(&result.run.started)) } span { bdi { (result.run.target) } } }
        (files(&format!("/runs/{id}")))
        (sections::whole(result))
    };
    simple(&result.run.name, instance, &main)
}
