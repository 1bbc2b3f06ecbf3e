//! What the terminal shows of an improvement: how both halves were set up, what was claimed and what was
//! measured, what the second half proves, and its grade.

use proofload_core::improvement::{ClaimRow, Improvement, SettingRow};
use proofload_core::result::{GoalOutcome, RunResult};
use proofload_core::suite::ProofVerdict;

use crate::style::{Style, Tone};
use crate::suite::requirements;
use crate::summary::grade::{beside, meaning};
use crate::summary::{SummaryOptions, grade_tone, heading, wrapped};
use crate::text::{Column, Line, Table, joined};

/// Rows of a table, or lines, at most.
const MAX_ROWS: usize = 40;

/// How both halves are set up: lines that end with a line break, none wider than the style allows.
#[must_use]
pub fn settings(rows: &[SettingRow], style: &Style) -> String {
    joined(&[setting_lines(rows, style)])
}

/// The improvement as text: lines that end with a line break, none wider than the style allows.
#[must_use]
pub fn improvement(
    improvement: &Improvement,
    result: &RunResult,
    options: &SummaryOptions<'_>,
) -> String {
    let style = &options.style;
    let sections = [
        claims(style, improvement),
        edges(style, improvement),
        requirements(style, &improvement.requirements),
        notes(style, improvement),
        verdict(improvement, result, options),
    ];
    joined(&sections)
}

fn setting_lines(rows: &[SettingRow], style: &Style) -> Vec<Line> {
    let columns = [Column::name(""), Column::words("before", 0), Column::words("after", 0)];
    let mut table = Table::new(style, &columns);
    for row in rows.iter().take(MAX_ROWS) {
        let is_same = row.before == row.after;
        table.row(vec![
            (row.name.clone(), Tone::Dim),
            (row.before.clone(), Tone::Plain),
            (row.after.clone(), if is_same { Tone::Plain } else { Tone::Bold }),
        ]);
    }
    if table.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![heading(style, "Before and after", "the same plan, twice")];
    lines.extend(table.lines());
    lines
}

fn claims(style: &Style, improvement: &Improvement) -> Vec<Line> {
    let columns = [
        Column::words("", 0),
        Column::name("claim"),
        Column::words("claimed", 2),
        Column::number("before", 0),
        Column::number("after", 0),
        Column::number("change", 1),
        Column::words("99% interval", 3),
    ];
    let mut table = Table::new(style, &columns);
    for row in improvement.claims.iter().take(MAX_ROWS) {
        let (mark, tone) = mark(style, row.outcome);
        let or_none = |text: &str, tone| match text {
            "" => (style.symbols().none.to_owned(), Tone::Dim),
            text => (text.to_owned(), tone),
        };
        // What stands instead of an interval is too long for a column.
        let interval = if is_interval(row) { row.confidence_text.as_str() } else { "" };
        table.row(vec![
            (mark.to_owned(), tone),
            (row.name.clone(), Tone::Plain),
            (row.claimed.clone(), Tone::Dim),
            or_none(&row.before_text, Tone::Plain),
            or_none(&row.after_text, Tone::Bold),
            or_none(&row.change_text, tone),
            or_none(interval, Tone::Dim),
        ]);
    }
    if table.is_empty() {
        return Vec::new();
    }
    let met = improvement.claims_with(GoalOutcome::Reached);
    let all = improvement.claims.len();
    let mut lines = vec![heading(style, "Claims", &format!("{met} of {all} met"))];
    lines.extend(table.lines());
    lines
}

/// An interval has two ends and no words.
fn is_interval(row: &ClaimRow) -> bool {
    row.confidence_text.contains('…')
}

/// What belongs to a claim and is too long for a table.
fn edges(style: &Style, improvement: &Improvement) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut tell = |row: &ClaimRow, text: &str, tone| {
        let mut intro = Line::new(style);
        intro.text("  ").push(&row.name, Tone::Dim).dim(": ");
        lines.extend(wrapped(style, intro, text, tone, 4));
    };
    for row in improvement.claims.iter().take(MAX_ROWS) {
        if let Some(why) = &row.why {
            tell(row, &format!("{}: {why}", outcome_word(row.outcome)), mark(style, row.outcome).1);
        }
        if !is_interval(row) && !row.confidence_text.is_empty() {
            tell(row, &row.confidence_text, Tone::Dim);
        }
    }
    lines
}

fn notes(style: &Style, improvement: &Improvement) -> Vec<Line> {
    if improvement.notes.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![heading(style, "To read this", "")];
    for note in improvement.notes.iter().take(MAX_ROWS) {
        let mut intro = Line::new(style);
        intro.text("  ").dim(style.symbols().dot).text(" ");
        let indent = intro.width();
        lines.extend(wrapped(style, intro, note, Tone::Dim, indent));
    }
    lines
}

fn verdict(
    improvement: &Improvement,
    result: &RunResult,
    options: &SummaryOptions<'_>,
) -> Vec<Line> {
    let style = &options.style;
    let (word, tone) = result
        .summary
        .grade
        .map_or(("NO GRADE", Tone::Bold), |grade| (grade.name(), grade_tone(grade)));
    let tone = if improvement.has_failed() { Tone::LoudBad } else { tone };
    let mut facts = Vec::new();
    let mut line = Line::new(style);
    let (met, all) = (improvement.claims_with(GoalOutcome::Reached), improvement.claims.len());
    line.push(
        &format!("{met} of {all} claims met"),
        if met < all { Tone::Fair } else { Tone::Plain },
    );
    let rows = &improvement.requirements;
    let proven = rows.iter().filter(|row| row.verdict == ProofVerdict::Proven).count();
    if !rows.is_empty() {
        line.text(", ").push(
            &format!("{proven} of {} requirements proven", rows.len()),
            if proven < rows.len() { Tone::Fair } else { Tone::Plain },
        );
    }
    if !result.summary.trustworthy {
        line.text(", ").push("but SUSPECT", Tone::LoudBad);
    }
    facts.push(line);
    let mut exit = Line::new(style);
    exit.dim(&format!("exit code {}: ", options.exit_code.code()));
    exit.text(meaning(options.exit_code, result.summary.grade.is_some()));
    facts.push(exit);
    for (name, path) in [("result: ", options.result_path), ("report: ", options.report_path)] {
        let Some(path) = path else { continue };
        let mut line = Line::new(style);
        line.dim(name).text(path);
        facts.push(line);
    }
    beside(style, word, tone, facts)
}

const fn outcome_word(outcome: GoalOutcome) -> &'static str {
    match outcome {
        GoalOutcome::Reached => "met",
        GoalOutcome::NotReached => "not met",
        GoalOutcome::CannotTell => "cannot tell",
    }
}

fn mark(style: &Style, outcome: GoalOutcome) -> (&'static str, Tone) {
    let symbols = style.symbols();
    match outcome {
        GoalOutcome::Reached => (symbols.good, Tone::Good),
        GoalOutcome::NotReached => (symbols.bad, Tone::Bad),
        GoalOutcome::CannotTell => (symbols.fair, Tone::Fair),
    }
}

#[cfg(test)]
mod tests {
    use proofload_core::suite::RequirementRow;
    use proofload_core::verdict::{ExitCode, Grade};

    use super::*;
    use crate::text::width_of;

    fn example() -> (Improvement, RunResult) {
        let claim = |name: &str, confidence: &str, outcome, why: Option<&str>| ClaimRow {
            name: name.to_owned(),
            claimed: "14 s → 2 s, −85%".to_owned(),
            before_text: "15.0 s".to_owned(),
            after_text: "216 ms".to_owned(),
            change_text: "−98.6%".to_owned(),
            confidence_text: confidence.to_owned(),
            outcome,
            why: why.map(str::to_owned),
            ..ClaimRow::default()
        };
        let found = Improvement {
            settings: vec![SettingRow {
                name: "connections".to_owned(),
                before: "5".to_owned(),
                after: "64\u{1b}[31m".to_owned(),
            }],
            claims: vec![
                claim("P99", "−99.0% … −97.4%", GoalOutcome::Reached, None),
                claim("users held", "breaks at 50 (P99 3.66 s)", GoalOutcome::Reached, None),
                claim("success", "", GoalOutcome::CannotTell, Some("timers fired late")),
            ],
            requirements: vec![RequirementRow {
                id: "2.1".to_owned(),
                text: "No webhook takes longer than 2 s".to_owned(),
                verdict: ProofVerdict::Failed,
                ..RequirementRow::default()
            }],
            notes: vec!["What limits the service before is its backend.".to_owned()],
            ..Improvement::default()
        };
        let mut result = RunResult::default();
        result.summary.grade = Some(Grade::Excellent);
        result.summary.trustworthy = true;
        (found, result)
    }

    #[test]
    fn everything_is_said_in_lines_that_fit() {
        let (found, result) = example();
        for width in [100, 60, 40] {
            let style = Style::plain().with_width(width);
            let options = SummaryOptions {
                style,
                exit_code: ExitCode::Poor,
                result_path: Some("after/result.json"),
                report_path: Some("after/report.html"),
            };
            let text = settings(&found.settings, &style) + &improvement(&found, &result, &options);
            assert!(!text.contains('\u{1b}'), "{text}");
            // Paths are not cut: they are to be copied.
            let lines = text.lines().filter(|line| !line.contains("after/"));
            let too_wide: Vec<_> = lines.filter(|line| width_of(line) > width).collect();
            assert!(too_wide.is_empty(), "{width}: {too_wide:?}");
            let words: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
            for part in [
                "2 of 3 met",
                "216 ms",
                "users held: breaks at 50 (P99 3.66 s)",
                "success: cannot tell: timers fired late",
                "0 proven, 1 failed, 0 unproven",
                "2 of 3 claims met, 0 of 1 requirements proven",
                "exit code 2",
            ] {
                assert!(words.contains(part), "{width}: no {part:?} in\n{text}");
            }
        }
    }
}
