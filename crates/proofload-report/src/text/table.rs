//! Tables that fit the terminal.
//!
//! Columns are as wide as what stands in them. Where that is too wide, the name column is shortened
//! (in the middle of a name), then the least important columns are left out, from the highest
//! [`Column::rank`] down, until the rest fits.

use super::{Line, fit_middle, width_of};
use crate::style::{Style, Tone};
use crate::text::clean;

/// On which side of its column a text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Align {
    /// Names.
    Left,
    /// Numbers.
    Right,
}

/// A column of a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    title: &'static str,
    align: Align,
    /// 0 is never left out; the highest goes first.
    rank: u8,
    /// Narrowest to which the texts may be shortened; none if they must be shown whole.
    shrinks_to: Option<usize>,
}

impl Column {
    /// A column of names, which may be shortened.
    pub(crate) const fn name(title: &'static str) -> Self {
        Self { title, align: Align::Left, rank: 0, shrinks_to: Some(16) }
    }

    /// A column of numbers.
    pub(crate) const fn number(title: &'static str, rank: u8) -> Self {
        Self { title, align: Align::Right, rank, shrinks_to: None }
    }

    /// A column of words, shown whole.
    pub(crate) const fn words(title: &'static str, rank: u8) -> Self {
        Self { title, align: Align::Left, rank, shrinks_to: None }
    }
}

/// A cell: what stands in it and what it means.
type Cell = (String, Tone);

/// A table to be laid out.
#[derive(Debug)]
pub(crate) struct Table {
    style: Style,
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
    indent: usize,
}

/// Blanks between two columns.
const GAP: usize = 2;

impl Table {
    /// A table without rows, two columns from the left edge.
    pub(crate) fn new(style: &Style, columns: &[Column]) -> Self {
        Self { style: *style, columns: columns.to_vec(), rows: Vec::new(), indent: 2 }
    }

    /// The same, so many columns from the left edge.
    pub(crate) fn indented(self, indent: usize) -> Self {
        Self { indent, ..self }
    }

    /// Adds a row; cells that are missing are empty.
    pub(crate) fn row(&mut self, cells: Vec<Cell>) {
        let mut cells: Vec<Cell> =
            cells.into_iter().map(|(text, tone)| (clean(&text, &self.style), tone)).collect();
        cells.resize(self.columns.len(), (String::new(), Tone::Plain));
        self.rows.push(cells);
    }

    /// Whether it has no row.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The lines, with a line of titles first if any column has one. Columns in which nothing
    /// stands are left out.
    pub(crate) fn lines(&self) -> Vec<Line> {
        let widths = self.widths();
        let titles: Vec<Cell> =
            self.columns.iter().map(|c| (c.title.to_owned(), Tone::Dim)).collect();
        let has_titles = self.columns.iter().any(|column| !column.title.is_empty());
        let titles = has_titles.then_some(&titles);
        titles.into_iter().chain(&self.rows).map(|row| self.line(row, &widths)).collect()
    }

    fn line(&self, row: &[Cell], widths: &[Option<usize>]) -> Line {
        let mut line = Line::new(&self.style);
        line.pad_to(self.indent);
        let mut column_end = self.indent;
        let shown = row.iter().zip(&self.columns).zip(widths);
        for (((text, tone), column), width) in shown {
            let Some(width) = *width else { continue };
            let text = fit_middle(text, width, &self.style);
            let blanks = " ".repeat(width - width_of(&text));
            match column.align {
                Align::Left => line.push(&text, *tone).text(&blanks),
                Align::Right => line.text(&blanks).push(&text, *tone),
            };
            column_end += width + GAP;
            line.pad_to(column_end);
        }
        line
    }

    /// The width of every column; none for one that is left out.
    fn widths(&self) -> Vec<Option<usize>> {
        let natural = |at: usize| {
            let widest = self.rows.iter().map(|row| width_of(&row[at].0)).max().unwrap_or(0);
            (widest > 0).then(|| widest.max(width_of(self.columns[at].title)))
        };
        let mut widths: Vec<Option<usize>> = (0..self.columns.len()).map(natural).collect();
        loop {
            let count = widths.iter().flatten().count();
            let total: usize = self.indent
                + widths.iter().flatten().sum::<usize>()
                + GAP * count.saturating_sub(1);
            let excess = total.saturating_sub(self.style.width);
            if excess == 0 {
                return widths;
            }
            let slack = |at: usize| -> usize {
                let least = self.columns[at].shrinks_to.unwrap_or(usize::MAX);
                widths[at].unwrap_or(0).saturating_sub(least)
            };
            let widest = (0..widths.len()).max_by_key(|&at| slack(at)).unwrap_or(0);
            if slack(widest) >= excess {
                widths[widest] = widths[widest].map(|width| width - excess);
                return widths;
            }
            let droppable = (0..widths.len()).filter(|&at| widths[at].is_some());
            let Some(last) = droppable
                .filter(|&at| self.columns[at].rank > 0)
                .max_by_key(|&at| self.columns[at].rank)
            else {
                // Nothing more can go: the line itself cuts what is left.
                return widths;
            };
            widths[last] = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(width: usize, unicode: bool) -> String {
        let style = Style { width, unicode, ..Style::plain() };
        let columns = [
            Column::name("request"),
            Column::number("requests", 0),
            Column::number("unused", 0),
            Column::number("p95", 1),
            Column::number("max", 2),
        ];
        let mut table = Table::new(&style, &columns);
        let mut row = |cells: [&str; 5]| {
            table.row(cells.into_iter().map(|c| (c.to_owned(), Tone::Plain)).collect());
        };
        row(["GET /api/messages?limit=50", "1,234", "", "12.3 ms", "1.24 s"]);
        row(["ログイン", "7", "", "980 µs", "2.00 ms"]);
        let lines: Vec<_> =
            table.lines().iter().map(|line| format!("{}|", line.render())).collect();
        lines.join("\n")
    }

    #[test]
    fn tables_fit() {
        let sizes = [(60, true), (50, true), (40, false), (30, true)];
        let tables = sizes.map(|(width, unicode)| format!("{width}:\n{}", table(width, unicode)));
        insta::assert_snapshot!(tables.join("\n\n"));
    }
}
