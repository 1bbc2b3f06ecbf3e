//! The page of a suite: its verdict, what its tests came to, and which requirement is proven.

use maud::{Markup, html};
use proofload_core::suite::{SuiteResult, TestRow, TestState};
use proofload_core::verdict::{ExitCode, Grade};

use super::improvement::requirements;
use super::page::document;
use super::phases::failed_cell;
use super::text::{
    and_more, cell, count, counted, grade_badge, grade_sign, label, message, ms_cell, name, scroll,
    seconds, verdict_class, when,
};
use crate::summary::grade::meaning;

/// Tests that are shown.
const MAX_TESTS: usize = 300;

/// What the page of a suite says that its result does not know.
#[derive(Clone, Copy, Debug, Default)]
pub struct SuiteOptions<'a> {
    /// The exit code; that of the result if not given.
    pub exit_code: Option<ExitCode>,
    /// Where the report of each test is, relative to the page; nothing where there is none.
    pub reports: &'a [Option<String>],
}

/// The report of a suite as one HTML document.
#[must_use]
pub fn suite_page(result: &SuiteResult, options: &SuiteOptions<'_>) -> String {
    let suite = &result.suite;
    let named = if suite.name.is_empty() { "Suite" } else { &suite.name };
    let grade = result.summary.grade.map_or(String::new(), |grade| format!("{grade}: "));
    let title = format!("{grade}{} – Proofload", label(named, 80));
    let header = html! {
        header {
            div.head {
                h1 { (name(named)) }
                p.sub {
                    @if !suite.file.is_empty() { span { (name(&suite.file)) } }
                    @if !suite.started.is_empty() { time datetime=(label(&suite.started, 40)) { (when(&suite.started)) } }
                    span { (seconds(suite.duration_seconds)) }
                }
            }
            div.tools { button.js #theme type="button" { "Dark" } }
        }
    };
    let main = html! {
        (verdict(result, options))
        @if !result.requirements.is_empty() {
            section #requirements aria-labelledby="requirements-h" {
                h2 #requirements-h { "Requirements" }
                (scroll("Requirements", &requirements(&result.requirements, true)))
            }
        }
        (tests(result, options))
    };
    document(&title, &suite.tool_version, &header, &main, &html! {})
}

fn verdict(result: &SuiteResult, options: &SuiteOptions<'_>) -> Markup {
    let summary = &result.summary;
    let is_suspect = !summary.trustworthy && summary.tests_run > 0;
    let has_grade = summary.grade.is_some();
    html! {
        section class={ "verdict " (verdict_class(summary.grade, is_suspect)) } #verdict aria-labelledby="verdict-h" {
            h2.vh #verdict-h { "Verdict" }
            div.grade {
                span.grade-sign aria-hidden="true" { (grade_sign(summary.grade)) }
                span.grade-word { (summary.grade.map_or("NO GRADE", Grade::name)) }
                @if is_suspect { span.exit { strong { "but a measurement is suspect" } } }
                span.exit {
                    "exit code " (summary.exit_code)
                    @if let Some(code) = options.exit_code { ": " (meaning(code, has_grade)) }
                }
            }
            div.why {
                p.sentence {
                    @if result.suite.interrupted { "Stopped before its end. " }
                    @if summary.failed > 0 { (counted(summary.failed, "requirement")) " failed; " }
                    (summary.tests_passed) " of " (summary.total_tests) " tests passed"
                    @if summary.tests_failed_to_start > 0 { ", " (summary.tests_failed_to_start) " could not start" }
                    "."
                }
                @if summary.requirements > 0 {
                    p.tally {
                        strong { (summary.proven) " of " (summary.requirements) } " requirements proven"
                        @if summary.failed > 0 { ", " strong.o-broken { (summary.failed) " failed" } }
                        @if summary.unproven > 0 { ", " (summary.unproven) " unproven" }
                    }
                }
                @if !result.suite.only.is_empty() {
                    p.tally { "Only tests of kind " (label(&result.suite.only.join(", "), 120)) "." }
                }
            }
        }
    }
}

fn tests(result: &SuiteResult, options: &SuiteOptions<'_>) -> Markup {
    let table = html! {
        table.sortable {
            thead { tr {
                th scope="col" { "Test" } th scope="col" { "Kind" } th scope="col" { "Outcome" }
                @for heading in ["Length", "Requests", "Failed", "p95", "Targets", "Limits"] {
                    th.n scope="col" { (heading) }
                }
            } }
            tbody {
                @for (number, test) in result.tests.iter().enumerate().take(MAX_TESTS) {
                    @let report = options.reports.get(number).and_then(Option::as_ref);
                    tr {
                        th.name scope="row" {
                            @match report {
                                Some(href) => a href=(href) { (name(&test.name)) },
                                None => (name(&test.name)),
                            }
                            @if let Some(why) = &test.reason { span.remark { (message(why)) } }
                        }
                        td { (label(&test.kind, 40)) }
                        td data-s=(test.grade.map_or(-1, |grade| grade as i32)) { (outcome(test)) }
                        (figures(test))
                    }
                }
            }
        }
    };
    html! {
        section #tests aria-labelledby="tests-h" {
            h2 #tests-h { "Tests" }
            (scroll("Tests", &table))
            (and_more(result.tests.len(), MAX_TESTS, "tests"))
        }
    }
}

fn outcome(test: &TestRow) -> Markup {
    let word = |word: &str| html! { span.badge.g-none { (word) } };
    match test.state {
        TestState::NotRun => word("not run"),
        TestState::Failed => html! { span.badge.g-poor { "could not run" } },
        TestState::Interrupted => html! { span.badge.g-fair { "interrupted" } },
        TestState::Finished => html! {
            (grade_badge(test.grade))
            @if !test.trustworthy { span.remark.o-missed { "suspect" } }
        },
    }
}

fn figures(test: &TestRow) -> Markup {
    let of =
        |met: u32, all: u32| html! { td.n { @if all > 0 { (met) " of " (all) } @else { "–" } } };
    if test.total_requests == 0 {
        return html! {
            (cell(&seconds(test.duration_seconds), Some(test.duration_seconds)))
            @for _ in 0..3 { td.n { "–" } }
            (of(test.targets_met, test.targets)) (of(test.limits_met, test.limits))
        };
    }
    html! {
        (cell(&seconds(test.duration_seconds), Some(test.duration_seconds)))
        (cell(&count(test.total_requests), Some(test.total_requests as f64)))
        (failed_cell(test.failed, test.total_requests))
        (ms_cell(test.p95_latency_ms))
        (of(test.targets_met, test.targets)) (of(test.limits_met, test.limits))
    }
}
