//! Results with texts that mean something to the formats they are written in.

use proofload_core::cost::{CostResult, CostRow};
use proofload_core::result::{CheckRow, MarkRow, RunResult};

use crate::{compared, scenes};

/// Texts that open, close, inject or break something in XML, Markdown, HTML, CSV or a terminal.
pub(crate) const TEXTS: &[&str] = &[
    "\"quoted\" and 'quoted'",
    "<script>alert(1)</script>",
    "]]> &amp; &lt; <!-- -->",
    "a|b||c \\| \\",
    "line\nbreak\r\nand\ttab\u{2028}separator",
    "\u{0}\u{1}\u{8}\u{b}\u{1b}[31m\u{7f}\u{85}\u{9b}",
    "\u{fffe}\u{ffff}\u{feff}\u{202e}evil",
    "🚀 日本語 e\u{301} \u{1f469}\u{200d}\u{1f680}",
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(1)",
    "\t=1",
    "`code` ``` **bold** _it_ [a](javascript:x) ![i](http://x/y.png) #1 @user ~~x~~",
    "</details></td></table>",
    "",
    " ",
];

/// The failing run with one text in every place that a plan or a server can write into.
pub(crate) fn with(text: &str) -> RunResult {
    let (_, result) = scenes::all().iter().find(|(name, _)| *name == "failing").unwrap();
    let mut result = result.clone();
    let text = || text.to_owned();
    result.run.name = text();
    result.run.target = text();
    result.environment.insert("hostname".to_owned(), text());
    for phase in &mut result.test_results {
        phase.scenario = text();
        phase.ended_early = Some(text());
        phase.monitors.insert(text(), 1.0);
        for row in &mut phase.requests {
            (row.name, row.method, row.url) = (text(), text(), text());
        }
        for row in &mut phase.errors {
            row.description = text();
            for sample in &mut row.samples {
                (sample.request, sample.message) = (text(), text());
            }
        }
        phase.checks.push(CheckRow {
            name: text(),
            fails: 1,
            rate: Some(0.0),
            ..CheckRow::default()
        });
        for row in &mut phase.expectations {
            (row.measure, row.measured_text) = (text(), text());
            for bound in [&mut row.target, &mut row.limit].into_iter().flatten() {
                bound.text = text();
            }
        }
        phase.trust.trustworthy = false;
        phase.trust.reasons = vec![proofload_core::result::DoubtRow { id: text(), text: text() }];
    }
    let mut comparison = compared::result().comparison.unwrap_or_default();
    for side in [&mut comparison.old, &mut comparison.new] {
        (side.label, side.target) = (text(), text());
    }
    for entry in &mut comparison.entries {
        entry.phase = text();
        for row in &mut entry.changes {
            (row.old_text, row.new_text) = (text(), text());
            (row.change_text, row.interval_text) = (text(), text());
        }
    }
    for rule in &mut comparison.rules {
        (rule.text, rule.limit, rule.places) = (text(), text(), vec![text()]);
    }
    for goal in &mut comparison.goals {
        (goal.phase, goal.measured, goal.goal) = (text(), text(), text());
    }
    comparison.warnings = vec![text()];
    result.comparison = Some(comparison);
    result.cost = Some(CostResult {
        currency: text(),
        run: Some(CostRow { without_cache: 3.6, with_cache: 0.72, saved: 2.88 }),
        ..CostResult::default()
    });
    result.marks =
        vec![MarkRow { level: "critical".to_owned(), text: text(), ..MarkRow::default() }];
    for row in &mut result.thresholds {
        (row.metric, row.condition, row.measured_text) = (text(), text(), text());
    }
    result
}

/// All of them, with a name each.
pub(crate) fn all() -> impl Iterator<Item = (String, RunResult)> {
    TEXTS.iter().map(|text| (format!("hostile {text:?}"), with(text)))
}
