//! A comparison of runs in the terminal: what changed, which rules fired, what to make of it.
//!
//! The verdict stands last, where eyes are when a command has ended.

mod changes;
mod repeats;
mod rules;
mod verdict;

pub use repeats::repeats;

use proofload_core::result::{Comparison, SideRow};
use proofload_core::units::human_count;

use crate::style::Style;
use crate::style::Tone;
use crate::summary::{heading, wrapped};
use crate::text::Line;

/// The comparison as text: lines that end with a line break, none wider than the style allows.
#[must_use]
pub fn comparison(comparison: &Comparison, style: &Style) -> String {
    let sections = [
        head(style, comparison),
        changes::phases(style, comparison),
        changes::requests(style, comparison),
        rules::rules(style, comparison),
        rules::goals(style, comparison),
        warnings(style, comparison),
        verdict::lines(style, comparison),
    ];
    let mut out = String::new();
    for section in sections.iter().filter(|section| !section.is_empty()) {
        out.push('\n');
        for line in section {
            out.push_str(&line.render());
            out.push('\n');
        }
    }
    out
}

fn head(style: &Style, comparison: &Comparison) -> Vec<Line> {
    let mut lines = vec![heading(style, "Comparison", "")];
    for (title, side) in [("old", &comparison.old), ("new", &comparison.new)] {
        let mut line = Line::new(style);
        line.text("  ")
            .dim(title)
            .text("  ")
            .push(&side.label, Tone::Bold)
            .dim("  ")
            .dim(&about(side));
        lines.push(line);
    }
    lines
}

/// `3 runs from 2026-01-02T03:04:05Z, 12,345 requests`
fn about(side: &SideRow) -> String {
    let runs = match side.runs.len() {
        1 => "1 run".to_owned(),
        count => format!("{count} runs"),
    };
    let began = side.runs.first().filter(|began| !began.is_empty());
    let began = began.map(|began| format!(" from {began}")).unwrap_or_default();
    format!("{runs}{began}, {} requests", human_count(side.requests))
}

fn warnings(style: &Style, comparison: &Comparison) -> Vec<Line> {
    let mut lines = Vec::new();
    for text in &comparison.warnings {
        let mut intro = Line::new(style);
        intro.text("  ").push(style.symbols().fair, Tone::Fair).text(" ");
        let indent = intro.width();
        lines.extend(wrapped(style, intro, text, Tone::Plain, indent));
    }
    if !lines.is_empty() {
        lines.insert(0, heading(style, "Before you conclude", ""));
    }
    lines
}
