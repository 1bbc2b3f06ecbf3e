//! The steps of phases whose load rises in steps.

use proofload_core::result::{RunResult, StepRow};
use proofload_core::units::{human_count, human_rate};

use super::{errors_cell, heading, ms_cell, wrapped};
use crate::steps::{StepOutcome, TOO_SHORT, are_measured, load, of_phases, words};
use crate::style::{Style, Tone};
use crate::text::{Column, Line, Table};

/// Steps of a phase; earlier ones are only counted.
const MAX_STEPS: usize = 20;
/// Phases of which steps are shown.
const MAX_PHASES: usize = 10;

const COLUMNS: [Column; 10] = [
    Column::words("", 0),
    Column::number("step", 0),
    Column::number("requests", 3),
    Column::number("per second", 2),
    Column::number("errors", 0),
    Column::number("p50", 4),
    Column::number("p95", 1),
    Column::number("p99", 0),
    Column::number("max", 5),
    Column::words("by itself", 0),
];

pub(super) fn lines(style: &Style, result: &RunResult) -> Vec<Line> {
    let mut lines = Vec::new();
    for (_, phase, steps, left_out) in of_phases(&result.test_results, MAX_STEPS).take(MAX_PHASES) {
        if !lines.is_empty() {
            lines.push(Line::new(style));
        }
        lines.push(heading(style, "Steps", &phase.scenario));
        if left_out > 0 {
            let mut line = Line::new(style);
            let ellipsis = style.symbols().ellipsis;
            line.dim(&format!("  {ellipsis} and {left_out} steps before"));
            lines.push(line);
        }
        if !are_measured(steps) {
            let mut intro = Line::new(style);
            intro.text("  ");
            lines.extend(wrapped(style, intro, TOO_SHORT, Tone::Dim, 2));
            continue;
        }
        let mut table = Table::new(style, &COLUMNS);
        steps.iter().for_each(|step| table.row(row(style, step)));
        lines.extend(table.lines());
    }
    lines
}

fn row(style: &Style, step: &StepRow) -> Vec<(String, Tone)> {
    let symbols = style.symbols();
    let (mark, tone) = match StepOutcome::of(step) {
        StepOutcome::Kept => (symbols.good, Tone::Good),
        StepOutcome::Missed(_) => (symbols.fair, Tone::Fair),
        StepOutcome::Broken(_) => (symbols.bad, Tone::Bad),
        StepOutcome::NotJudged => ("", Tone::Dim),
    };
    let rate = step.requests_per_second;
    vec![
        (mark.to_owned(), tone),
        (load(step), Tone::Plain),
        (human_count(step.total_requests), Tone::Plain),
        (rate.map_or_else(|| symbols.none.to_owned(), human_rate), Tone::Plain),
        errors_cell(step.failed, step.total_requests),
        ms_cell(step.median_latency_ms),
        ms_cell(step.p95_latency_ms),
        ms_cell(step.p99_latency_ms),
        ms_cell(step.max_latency_ms),
        (words(step), tone),
    ]
}
