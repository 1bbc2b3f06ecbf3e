//! Runs over time in the terminal: a table of them, one measure as a chart for each plan, and where its level
//! changed.

mod plot;

use proofload_core::history::{History, HistoryChange, HistoryRun};
use proofload_core::units::{human_count, human_rate, human_ratio};

use crate::load_text::counted;
use crate::style::{Style, Tone};
use crate::summary::{grade_tone, heading, ms_cell, wrapped};
use crate::text::{Column, Line, Table, joined};

/// Plans of which a chart is drawn; those that were run last.
const MAX_CHARTS: usize = 5;
/// Files that are named of those that were skipped.
const MAX_NAMED: usize = 5;

/// The history for people: lines that end with a line break, none wider than the style allows. Times are shown as
/// `time` gives them.
#[must_use]
pub fn history(history: &History, style: &Style, time: &dyn Fn(&str) -> String) -> String {
    let mut sections = vec![runs(style, history, time)];
    let plans = history.plans();
    for plan in plans.iter().take(MAX_CHARTS) {
        sections.push(chart(style, history, plan, time));
    }
    if plans.len() > MAX_CHARTS {
        let text = format!("{} more plans: name one to see its chart", plans.len() - MAX_CHARTS);
        let mut line = Line::new(style);
        line.dim(&text);
        sections.push(vec![line]);
    }
    sections.push(skipped(style, history));
    joined(&sections)
}

fn runs(style: &Style, history: &History, time: &dyn Fn(&str) -> String) -> Vec<Line> {
    if history.runs.is_empty() {
        let mut line = Line::new(style);
        line.text("no runs found");
        return vec![line];
    }
    let columns = [
        Column::words("started", 0),
        Column::name("plan"),
        Column::name("target"),
        Column::number("requests", 4),
        Column::number("per second", 5),
        Column::number("errors", 3),
        Column::number("p95", 2),
        Column::number("measure", 0),
        Column::words("grade", 0),
        Column::number("exit", 1),
    ];
    let is_p95 = history.measure == "p95" && history.phase.is_none();
    let differs = |of: fn(&HistoryRun) -> &str| {
        history.runs.iter().any(|run| of(run) != of(&history.runs[0]))
    };
    let (plans_differ, targets_differ) = (differs(|run| &run.plan), differs(|run| &run.target));
    let mut table = Table::new(style, &columns);
    for run in &history.runs {
        let only = |shown: bool, text: &str| {
            (if shown { text.to_owned() } else { String::new() }, Tone::Plain)
        };
        let value = if is_p95 { String::new() } else { run.value_text.clone() };
        table.row(vec![
            (time(&run.started), Tone::Dim),
            only(plans_differ, &run.plan),
            only(targets_differ, &run.target),
            (human_count(run.total_requests), Tone::Plain),
            (run.requests_per_second.map_or_else(String::new, human_rate), Tone::Plain),
            (run.error_rate.map_or_else(String::new, human_ratio), error_tone(run)),
            ms_cell(run.p95_latency_ms),
            (value, Tone::Bold),
            outcome(run),
            (run.exit_code.to_string(), Tone::Dim),
        ]);
    }
    let mut remark = counted(history.runs.len() as u64, "run");
    if !plans_differ {
        remark.push_str(&format!(" of {}", history.runs[0].plan));
    }
    if !is_p95 {
        remark.push_str(&format!("; measure: {}", measure_text(history)));
    }
    let mut lines = vec![heading(style, "History", &remark)];
    lines.extend(table.lines());
    lines
}

/// `p99`, `p99 in phase Peak`
fn measure_text(history: &History) -> String {
    match &history.phase {
        Some(phase) => format!("{} in phase {phase}", history.measure),
        None => history.measure.clone(),
    }
}

fn error_tone(run: &HistoryRun) -> Tone {
    if run.error_rate.is_some_and(|rate| rate > 0.0) { Tone::Bad } else { Tone::Dim }
}

fn outcome(run: &HistoryRun) -> (String, Tone) {
    if run.incomplete {
        return ("incomplete".to_owned(), Tone::Fair);
    }
    let (word, tone) =
        run.grade.map_or(("no grade", Tone::Dim), |grade| (grade.name(), grade_tone(grade)));
    if run.trustworthy {
        (word.to_owned(), tone)
    } else {
        (format!("{word}, SUSPECT"), Tone::LoudBad)
    }
}

/// The chart of a plan and the changes in it.
fn chart(style: &Style, history: &History, plan: &str, time: &dyn Fn(&str) -> String) -> Vec<Line> {
    let indices: Vec<usize> = (0..history.runs.len())
        .filter(|&index| history.runs[index].plan == plan && history.runs[index].value.is_some())
        .collect();
    if indices.len() < 2 {
        return Vec::new();
    }
    let mut lines = vec![heading(style, plan, &measure_text(history))];
    let shown = plot::shown(style, history, &indices);
    lines.extend(plot::lines(style, history, shown));
    let ends = [shown[0], shown[shown.len() - 1]].map(|at| time(&history.runs[at].started));
    let mut line = Line::new(style);
    line.dim(&format!("  from {} to {}", ends[0], ends[1]));
    if shown.len() < indices.len() {
        line.dim(&format!(", the last {}", counted(shown.len() as u64, "run")));
    }
    lines.push(line);
    let changes: Vec<_> = history.changes.iter().filter(|change| change.plan == plan).collect();
    for change in &changes {
        lines.extend(change_lines(style, change, time));
    }
    let counted_runs = indices.iter().filter(|&&index| history.runs[index].counts).count();
    if changes.is_empty() {
        let mut line = Line::new(style);
        line.dim(&format!("  no change of level in {}", counted(counted_runs as u64, "run")));
        lines.push(line);
    }
    let left_out = indices.len() - counted_runs;
    if left_out > 0 {
        let mut line = Line::new(style);
        let runs = counted(left_out as u64, "run");
        let why = "not trustworthy, not run to the end, or of other phases";
        line.dim(&format!("  {runs} not counted: {why}"));
        lines.push(line);
    }
    lines
}

/// `worse since 2026-11-12 14:03: 101 ms → 131 ms (+29.7%, p = 0.001)`
fn change_lines(style: &Style, change: &HistoryChange, time: &dyn Fn(&str) -> String) -> Vec<Line> {
    let symbols = style.symbols();
    let (mark, word, tone) = if change.is_better {
        (symbols.good, "better", Tone::Good)
    } else {
        (symbols.bad, "worse", Tone::Bad)
    };
    let mut intro = Line::new(style);
    intro.push(&format!("  {mark} {word}"), tone).text(" ");
    let arrow = if style.unicode { "→" } else { "->" };
    let share = change.change.map(|change| format!("{:+.1}%, ", change * 100.0));
    let text = format!(
        "since {}: {} {arrow} {} ({}p = {:.3})",
        time(&change.started),
        change.before_text,
        change.after_text,
        share.unwrap_or_default(),
        change.p_value
    );
    wrapped(style, intro, &text, Tone::Plain, 4)
}

fn skipped(style: &Style, history: &History) -> Vec<Line> {
    if history.skipped_files == 0 {
        return Vec::new();
    }
    let count = counted(history.skipped_files, "file");
    let mut lines =
        vec![heading(style, "Skipped", &format!("{count} that are not results of runs"))];
    for file in history.skipped.iter().take(MAX_NAMED) {
        let mut line = Line::new(style);
        line.text(&format!("  {}", file.file));
        lines.extend(wrapped(style, line, &format!(": {}", file.reason), Tone::Dim, 4));
    }
    let more = history.skipped_files.saturating_sub(history.skipped.len().min(MAX_NAMED) as u64);
    if more > 0 {
        let mut line = Line::new(style);
        line.dim(&format!("  {} and {} more", style.symbols().ellipsis, human_count(more)));
        lines.push(line);
    }
    lines
}
