//! A comparison of runs in the terminal: what changed, which rules fired, what to make of it.
//!
//! The verdict stands last, where eyes are when a command has ended.

mod changes;
mod rules;
mod verdict;

use proofload_core::result::{Comparison, SideRow};
use proofload_core::units::human_count;

use crate::style::Style;
use crate::style::Tone;
use crate::summary::{heading, wrapped};
use crate::text::{Line, joined};

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
    joined(&sections)
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

#[cfg(test)]
mod tests {
    use proofload_core::result::{
        ChangeRow, ChangeVerdict, ComparisonEntry, GoalOutcome, GoalRow, RequestName, RuleRow,
    };

    use super::*;

    fn change(measure: &str, texts: [&str; 4], verdict: ChangeVerdict) -> ChangeRow {
        let [old, new, change, interval] = texts.map(str::to_owned);
        ChangeRow {
            measure: measure.to_owned(),
            old_text: old,
            new_text: new,
            change: Some(0.1),
            change_text: change,
            interval_text: interval,
            verdict,
            ..ChangeRow::default()
        }
    }

    fn example() -> Comparison {
        let side = |label: &str, runs: usize| SideRow {
            label: label.to_owned(),
            runs: vec!["2026-01-02T03:04:05.000Z".to_owned(); runs],
            requests: 12_345,
            ..SideRow::default()
        };
        let p95 = ["200 ms", "260 ms", "+30.0%", "+22.0% … +39.1%"];
        let quiet = ["10.0 ms", "10.1 ms", "+1.0%", "−0.8% … +2.9%"];
        let named =
            |name: &str| Some(RequestName { name: name.to_owned(), ..RequestName::default() });
        Comparison {
            old: side("shop.baseline.toml", 5),
            new: side("this run\u{1b}[31m", 1),
            entries: vec![
                ComparisonEntry {
                    phase: "Normal load".to_owned(),
                    request: None,
                    changes: vec![
                        change("p50", quiet, ChangeVerdict::NoChange),
                        change("p95", p95, ChangeVerdict::Worse),
                        change("error_rate", ["0%", "–", "", ""], ChangeVerdict::CannotTell),
                    ],
                },
                ComparisonEntry {
                    phase: "Normal load".to_owned(),
                    request: named("GET /item"),
                    changes: vec![
                        change("avg", quiet, ChangeVerdict::CannotTell),
                        change("p50", quiet, ChangeVerdict::NoChange),
                        change("p99", p95, ChangeVerdict::Better),
                    ],
                },
            ],
            rules: vec![
                RuleRow {
                    text: "p95 of every phase".to_owned(),
                    measure: "p95".to_owned(),
                    limit: "+20%".to_owned(),
                    fired: true,
                    places: vec!["Normal load: +30.0%".to_owned()],
                    ..RuleRow::default()
                },
                RuleRow {
                    text: "memory of every phase".to_owned(),
                    measure: "memory".to_owned(),
                    limit: "+20%".to_owned(),
                    ..RuleRow::default()
                },
            ],
            goals: vec![GoalRow {
                measure: "p99".to_owned(),
                goal: "-85%".to_owned(),
                phase: "Normal load".to_owned(),
                measured: "−87.1% (−88.0% … −86.0%)".to_owned(),
                outcome: GoalOutcome::Reached,
            }],
            warnings: vec!["requests on one side only, so not compared: GET /new".to_owned()],
            has_regressed: true,
            hint: Some("more runs a side make the intervals narrower".to_owned()),
            ..Comparison::default()
        }
    }

    #[test]
    fn what_is_shown() {
        let shown = [100, 60].map(|width| {
            let style = Style::plain().with_width(width);
            let text = comparison(&example(), &style);
            assert!(!text.contains('\u{1b}'), "{text}");
            format!("{width}:\n{text}")
        });
        insta::assert_snapshot!(shown.join("\n"));
    }
}
