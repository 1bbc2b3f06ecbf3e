//! The table of phases.

use proofload_core::result::{PhaseResult, RunResult};
use proofload_core::units::{human_count, human_rate};

use super::{MAX_PHASES, and_more, errors_cell, grade_tone, ms_cell};
use crate::style::{Style, Tone};
use crate::text::{Column, Line, Table};

const COLUMNS: [Column; 10] = [
    Column::name("phase"),
    Column::number("users", 7),
    Column::number("requests", 2),
    Column::number("per second", 3),
    Column::number("errors", 0),
    Column::number("p50", 4),
    Column::number("p95", 1),
    Column::number("p99", 5),
    Column::number("max", 6),
    Column::words("grade", 0),
];

pub(super) fn lines(style: &Style, result: &RunResult) -> Vec<Line> {
    let phases = &result.test_results;
    if phases.is_empty() {
        return Vec::new();
    }
    let has_grades = phases.iter().any(|phase| phase.grade.is_some());
    let mut table = Table::new(style, &COLUMNS);
    for phase in phases.iter().take(MAX_PHASES) {
        table.row(row(style, phase, has_grades));
    }
    if phases.len() > 1 {
        let summary = &result.summary;
        let total = human_count(summary.total_requests);
        table.row(vec![
            ("all phases".to_owned(), Tone::Dim),
            (String::new(), Tone::Plain),
            (total, Tone::Plain),
            (String::new(), Tone::Plain),
            errors_cell(summary.failed, summary.total_requests),
        ]);
    }
    let mut lines = table.lines();
    lines.extend(and_more(style, phases.len().saturating_sub(MAX_PHASES), "phases"));
    lines.extend(phases.iter().take(MAX_PHASES).filter_map(|phase| ended_early(style, phase)));
    lines
}

/// Where a stress test broke, or why a run was given up.
fn ended_early(style: &Style, phase: &PhaseResult) -> Option<Line> {
    let why = phase.ended_early.as_deref()?;
    let mut line = Line::new(style);
    line.text("  ").text(&phase.scenario).dim(" ended early: ").text(why);
    Some(line)
}

fn row(style: &Style, phase: &PhaseResult, has_grades: bool) -> Vec<(String, Tone)> {
    if !phase.was_run {
        let mut row = vec![(phase.scenario.clone(), Tone::Dim)];
        row.resize(COLUMNS.len() - 1, (String::new(), Tone::Plain));
        row.push(("not run".to_owned(), Tone::Dim));
        return row;
    }
    let none = style.symbols().none;
    let rate = phase.requests_per_second.map_or_else(|| none.to_owned(), human_rate);
    // Where nothing was expected at all, the column is left out.
    let ungraded = if has_grades { none } else { "" };
    let grade = phase.grade.map_or((ungraded.to_owned(), Tone::Dim), |grade| {
        (grade.name().to_owned(), grade_tone(grade))
    });
    vec![
        (phase.scenario.clone(), Tone::Bold),
        (human_count(phase.users_max.into()), Tone::Plain),
        (human_count(phase.total_requests), Tone::Plain),
        (rate, Tone::Plain),
        errors_cell(phase.failed, phase.total_requests),
        ms_cell(phase.median_latency_ms),
        ms_cell(phase.p95_latency_ms),
        ms_cell(phase.p99_latency_ms),
        ms_cell(phase.max_latency_ms),
        grade,
    ]
}
