//! What the comparison comes to, in one line, and what would tell more.

use proofload_core::result::{ChangeVerdict, Comparison};

use crate::style::{Style, Tone};
use crate::summary::wrapped;
use crate::text::Line;

pub(super) fn lines(style: &Style, comparison: &Comparison) -> Vec<Line> {
    let count = |verdict: ChangeVerdict| {
        let changes = comparison.entries.iter().flat_map(|entry| &entry.changes);
        changes.filter(|change| change.verdict == verdict).count()
    };
    let counts = [
        ChangeVerdict::Worse,
        ChangeVerdict::Better,
        ChangeVerdict::NoChange,
        ChangeVerdict::CannotTell,
    ];
    let parts = counts.map(|verdict| (count(verdict), verdict.words()));
    let parts: Vec<String> =
        parts.iter().filter(|(n, _)| *n > 0).map(|(n, words)| format!("{n} {words}")).collect();
    let (word, tone) = if comparison.has_regressed {
        ("REGRESSION", Tone::LoudBad)
    } else if count(ChangeVerdict::Worse) > 0 {
        ("WORSE, WITHIN THE RULES", Tone::LoudFair)
    } else if count(ChangeVerdict::Better) > 0 {
        ("BETTER", Tone::LoudGood)
    } else if count(ChangeVerdict::NoChange) > 0 {
        ("NO CHANGE FOUND", Tone::LoudGood)
    } else {
        ("CANNOT TELL", Tone::LoudFair)
    };
    let mut line = Line::new(style);
    line.push(word, tone).text("  ").text(&parts.join(&format!(" {} ", style.symbols().dot)));
    let mut lines = vec![line];
    if let Some(hint) = &comparison.hint {
        lines.extend(wrapped(style, Line::new(style), hint, Tone::Dim, 0));
    }
    lines
}
