//! The tables of what changed.

use proofload_core::result::{ChangeRow, ChangeVerdict, Comparison, ComparisonEntry};

use crate::style::{Style, Tone};
use crate::summary::{and_more, heading};
use crate::text::{Column, Line, Table};

/// Rows of the table of requests before the rest is only counted.
const MAX_ROWS: usize = 30;
/// What is shown of a request where nothing was found.
const OF_REQUEST: [&str; 2] = ["avg", "p95"];

/// Every measure of every phase.
pub(super) fn phases(style: &Style, comparison: &Comparison) -> Vec<Line> {
    let mut table = Table::new(style, &columns("phase"));
    for entry in comparison.entries.iter().filter(|entry| entry.request.is_none()) {
        for (at, change) in entry.changes.iter().enumerate() {
            table.row(row(style, if at == 0 { &entry.phase } else { "" }, change));
        }
    }
    table.lines()
}

/// Of requests only what was found, and the usual figures.
pub(super) fn requests(style: &Style, comparison: &Comparison) -> Vec<Line> {
    let several = comparison.entries.iter().filter(|entry| entry.request.is_none()).count() > 1;
    let mut rows = Vec::new();
    for entry in &comparison.entries {
        let Some(request) = &entry.request else { continue };
        let name = if several {
            format!("{} ({})", request.name, entry.phase)
        } else {
            request.name.clone()
        };
        for (at, change) in shown(entry).enumerate() {
            rows.push(row(style, if at == 0 { &name } else { "" }, change));
        }
    }
    if rows.is_empty() {
        return Vec::new();
    }
    let more = rows.len().saturating_sub(MAX_ROWS);
    let mut table = Table::new(style, &columns("request"));
    rows.into_iter().take(MAX_ROWS).for_each(|row| table.row(row));
    let mut lines = vec![heading(style, "Requests", "")];
    lines.extend(table.lines());
    lines.extend(and_more(style, more, "rows with --json"));
    lines
}

fn shown(entry: &ComparisonEntry) -> impl Iterator<Item = &ChangeRow> {
    entry.changes.iter().filter(|change| {
        let is_found = matches!(change.verdict, ChangeVerdict::Better | ChangeVerdict::Worse);
        is_found || OF_REQUEST.contains(&change.measure.as_str())
    })
}

fn columns(of: &'static str) -> [Column; 7] {
    [
        Column::name(of),
        Column::words("measure", 0),
        Column::number("old", 2),
        Column::number("new", 1),
        Column::number("change", 0),
        Column::number("99% interval", 3),
        Column::words("verdict", 0),
    ]
}

fn row(style: &Style, name: &str, change: &ChangeRow) -> Vec<(String, Tone)> {
    let tone = tone(change.verdict);
    let none = style.symbols().none;
    let or_none = |text: &str, tone| {
        if text.is_empty() { (none.to_owned(), Tone::Dim) } else { (text.to_owned(), tone) }
    };
    let verdict = match &change.why {
        Some(why) => format!("{}: {why}", change.verdict.words()),
        None => change.verdict.words().to_owned(),
    };
    vec![
        (name.to_owned(), Tone::Bold),
        (change.measure.clone(), Tone::Plain),
        or_none(&change.old_text, Tone::Plain),
        or_none(&change.new_text, Tone::Plain),
        or_none(&change.change_text, tone),
        or_none(&change.interval_text, Tone::Dim),
        (verdict, tone),
    ]
}

const fn tone(verdict: ChangeVerdict) -> Tone {
    match verdict {
        ChangeVerdict::Better => Tone::Good,
        ChangeVerdict::Worse => Tone::Bad,
        ChangeVerdict::NoChange => Tone::Plain,
        ChangeVerdict::CannotTell => Tone::Dim,
    }
}
