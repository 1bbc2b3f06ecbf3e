//! Repeated runs in the terminal: medians, and how far the runs lie apart.

use proofload_core::compare::Spread;
use proofload_core::units::human_ratio;
use proofload_core::verdict::Quantity;

use crate::style::{Style, Tone};
use crate::summary::heading;
use crate::text::{Column, Table};

/// The runs of a test as text, with a title that says which; lines that end with a line break.
#[must_use]
pub fn repeats(title: &str, rows: &[Spread], style: &Style) -> String {
    let columns = [
        Column::name("phase"),
        Column::words("measure", 0),
        Column::number("median", 0),
        Column::number("least", 1),
        Column::number("most", 1),
        Column::number("deviation between runs", 2),
    ];
    let mut table = Table::new(style, &columns);
    let mut before = "";
    for row in rows {
        let quantity = row.measure.quantity();
        let deviation = row.deviation.map_or_else(String::new, |deviation| match quantity {
            Quantity::Ratio => format!("{:.2} points", deviation * 100.0),
            _ => human_ratio(deviation),
        });
        let name = if row.phase == before { "" } else { &row.phase };
        before = &row.phase;
        table.row(vec![
            (name.to_owned(), Tone::Bold),
            (row.measure.to_string(), Tone::Plain),
            (quantity.human(row.median), Tone::Bold),
            (quantity.human(row.least), Tone::Dim),
            (quantity.human(row.most), Tone::Dim),
            (deviation, Tone::Plain),
        ]);
    }
    let mut out = format!("\n{}\n", heading(style, title, "").render());
    for line in table.lines() {
        out.push_str(&line.render());
        out.push('\n');
    }
    out
}
