//! What was expected, and how it came out.

use proofload_core::result::{BoundRow, ExpectationRow, RunResult};

use super::heading;
use crate::style::{Style, Tone};
use crate::text::{Column, Line, Table};

/// Expectations of each phase, then thresholds of the whole run.
pub(super) fn lines(style: &Style, result: &RunResult) -> Vec<Line> {
    let mut lines = expectations(style, result);
    let thresholds = thresholds(style, result);
    if !lines.is_empty() && !thresholds.is_empty() {
        lines.push(Line::new(style));
    }
    lines.extend(thresholds);
    lines
}

fn expectations(style: &Style, result: &RunResult) -> Vec<Line> {
    let columns = [
        Column::words("", 0),
        Column::name("phase"),
        Column::words("measure", 0),
        Column::number("measured", 0),
        Column::words("target", 2),
        Column::words("limit", 1),
    ];
    let mut table = Table::new(style, &columns);
    let mut count = 0;
    for phase in &result.test_results {
        for (at, row) in phase.expectations.iter().enumerate() {
            let (mark, tone) = outcome(style, row);
            let name = if at == 0 { phase.scenario.clone() } else { String::new() };
            count += 1;
            table.row(vec![
                (mark.to_owned(), tone),
                (name, Tone::Plain),
                (row.measure.clone(), Tone::Plain),
                (row.measured_text.clone(), tone),
                bound(row.target.as_ref(), row.target_met, Tone::Fair),
                bound(row.limit.as_ref(), row.limit_met, Tone::Bad),
            ]);
        }
    }
    if count == 0 {
        return Vec::new();
    }
    let mut lines = vec![heading(style, "Expectations", "")];
    lines.extend(table.lines());
    lines
}

/// Broken where a limit is, missed where only a target is.
fn outcome(style: &Style, row: &ExpectationRow) -> (&'static str, Tone) {
    let symbols = style.symbols();
    match (row.limit_met, row.target_met) {
        (Some(false), _) => (symbols.bad, Tone::Bad),
        (_, Some(false)) => (symbols.fair, Tone::Fair),
        _ => (symbols.good, Tone::Good),
    }
}

fn bound(row: Option<&BoundRow>, is_met: Option<bool>, broken: Tone) -> (String, Tone) {
    let tone = if is_met == Some(false) { broken } else { Tone::Dim };
    row.map_or((String::new(), tone), |row| (row.text.clone(), tone))
}

fn thresholds(style: &Style, result: &RunResult) -> Vec<Line> {
    if result.thresholds.is_empty() {
        return Vec::new();
    }
    let columns = [
        Column::words("", 0),
        Column::name("metric"),
        Column::number("measured", 0),
        Column::words("condition", 0),
    ];
    let mut table = Table::new(style, &columns);
    let symbols = style.symbols();
    for row in &result.thresholds {
        let (mark, tone) =
            if row.met { (symbols.good, Tone::Good) } else { (symbols.bad, Tone::Bad) };
        table.row(vec![
            (mark.to_owned(), tone),
            (row.metric.clone(), Tone::Plain),
            (row.measured_text.clone(), tone),
            (row.condition.clone(), if row.met { Tone::Dim } else { Tone::Bad }),
        ]);
    }
    let mut lines = vec![heading(style, "Thresholds", "")];
    lines.extend(table.lines());
    lines
}
