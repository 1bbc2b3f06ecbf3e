//! What went wrong: errors by kind, checks that did not hold.

use proofload_core::result::{ErrorSampleRow, PhaseResult};
use proofload_core::units::{human_count, human_ratio};

use super::{MAX_ROWS, and_more, heading, ms_text, wrapped};
use crate::load_text::counted;
use crate::style::{Style, Tone};
use crate::text::{Column, Line, Table};

/// Errors of one kind, in all phases together.
struct Kind<'a> {
    id: &'a str,
    words: &'a str,
    count: u64,
    sample: Option<&'a ErrorSampleRow>,
}

/// Errors by kind, most frequent first, with one sample each.
pub(super) fn kinds(style: &Style, phases: &[&PhaseResult]) -> Vec<Line> {
    let mut kinds: Vec<Kind<'_>> = Vec::new();
    for row in phases.iter().flat_map(|phase| &phase.errors) {
        let sample = row.samples.first();
        if let Some(kind) = kinds.iter_mut().find(|kind| kind.id == row.kind) {
            kind.count = kind.count.saturating_add(row.count);
            kind.sample = kind.sample.or(sample);
        } else {
            let words = if row.description.is_empty() { &row.kind } else { &row.description };
            kinds.push(Kind { id: &row.kind, words, count: row.count, sample });
        }
    }
    if kinds.is_empty() {
        return Vec::new();
    }
    kinds.sort_by_key(|kind| std::cmp::Reverse(kind.count));
    let requests = phases.iter().fold(0_u64, |sum, p| sum.saturating_add(p.total_requests));
    let width = kinds.iter().take(MAX_ROWS).map(|k| human_count(k.count).len()).max().unwrap_or(0);
    let mut lines = vec![heading(style, "Errors", "")];
    for kind in kinds.iter().take(MAX_ROWS) {
        let mut line = Line::new(style);
        line.push(&format!("  {:>width$}  {}", human_count(kind.count), kind.words), Tone::Bad);
        if requests > 0 {
            let share = human_ratio(kind.count as f64 / requests as f64);
            line.dim(&format!("  {share} of all requests"));
        }
        lines.push(line);
        if let Some(sample) = kind.sample {
            let mut line = Line::new(style);
            line.pad_to(width + 4);
            lines.extend(wrapped(style, line, &sample_text(sample), Tone::Dim, width + 4));
        }
    }
    lines.extend(and_more(style, kinds.len().saturating_sub(MAX_ROWS), "kinds"));
    lines
}

/// `POST /api/login: 503 after 12.0 ms: service unavailable`
fn sample_text(sample: &ErrorSampleRow) -> String {
    let mut text = String::from("e.g. ");
    if !sample.request.is_empty() {
        text.push_str(&format!("{}: ", sample.request));
    }
    if let Some(status) = sample.status {
        text.push_str(&format!("status {status} "));
    }
    text.push_str(&format!("after {}", ms_text(Some(sample.elapsed_ms))));
    if !sample.message.is_empty() {
        text.push_str(&format!(": {}", sample.message));
    }
    text
}

/// Checks by name: those that failed one by one, and those that held as long as there is room.
pub(super) fn checks(style: &Style, phases: &[&PhaseResult]) -> Vec<Line> {
    let mut checks: Vec<(&str, u64, u64)> = Vec::new();
    for row in phases.iter().flat_map(|phase| &phase.checks) {
        if let Some(check) = checks.iter_mut().find(|(name, ..)| *name == row.name) {
            check.1 = check.1.saturating_add(row.passes);
            check.2 = check.2.saturating_add(row.fails);
        } else {
            checks.push((&row.name, row.passes, row.fails));
        }
    }
    if checks.is_empty() {
        return Vec::new();
    }
    // Stable: of those that failed as often, the plan's order stays.
    checks.sort_by_key(|(_, _, fails)| std::cmp::Reverse(*fails));
    let columns =
        [Column::words("", 0), Column::name(""), Column::number("", 0), Column::words("", 1)];
    let mut table = Table::new(style, &columns);
    let symbols = style.symbols();
    for (name, passes, fails) in checks.iter().take(MAX_ROWS) {
        let (mark, tone) =
            if *fails == 0 { (symbols.good, Tone::Good) } else { (symbols.bad, Tone::Bad) };
        let total = passes.saturating_add(*fails);
        let share = if total == 0 { 1.0 } else { *passes as f64 / total as f64 };
        let of = match *fails {
            0 => counted(total, "time"),
            fails => format!("{} failed of {}", human_count(fails), human_count(total)),
        };
        table.row(vec![
            (mark.to_owned(), tone),
            ((*name).to_owned(), Tone::Plain),
            (human_ratio(share), tone),
            (of, Tone::Dim),
        ]);
    }
    let mut lines = vec![heading(style, "Checks", "")];
    lines.extend(table.lines());
    lines.extend(and_more(style, checks.len().saturating_sub(MAX_ROWS), "checks"));
    lines
}
