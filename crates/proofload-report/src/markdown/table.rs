//! Sections that give way when there is no more room.

/// A part of the summary: lines before, rows of which the last may be left out, lines after.
#[derive(Debug, Default)]
pub(super) struct Section {
    /// Heading, header of the table; left out with the section if it has no room.
    pub(super) before: String,
    /// A line each, without line break.
    pub(super) rows: Vec<String>,
    /// Rows that were left out before this section was made.
    pub(super) hidden: usize,
    /// What closes it.
    pub(super) after: String,
}

impl Section {
    /// Adds it to the text, in at most `room` bytes in all.
    pub(super) fn write(self, out: &mut String, room: usize) {
        // The longest note there can be.
        let reserve = note(usize::MAX).len() + self.after.len();
        if out.len() + self.before.len() + reserve > room {
            return;
        }
        out.push_str(&self.before);
        let mut hidden = self.hidden;
        for (at, row) in self.rows.iter().enumerate() {
            if out.len() + row.len() + 1 + reserve > room {
                hidden += self.rows.len() - at;
                break;
            }
            out.push_str(row);
            out.push('\n');
        }
        if hidden > 0 {
            out.push_str(&note(hidden));
        }
        out.push_str(&self.after);
    }
}

/// What stands below a table that is not complete.
fn note(hidden: usize) -> String {
    format!("\n*… and {hidden} more, see the result*\n")
}

/// A table: its columns, `>` before a name for those of numbers.
pub(super) struct Table {
    before: String,
    rows: Vec<String>,
    hidden: usize,
    max_rows: usize,
}

impl Table {
    pub(super) fn new(columns: &[&str], max_rows: usize) -> Self {
        let names: Vec<&str> = columns.iter().map(|name| name.trim_start_matches('>')).collect();
        let rules: Vec<&str> =
            columns.iter().map(|name| if name.starts_with('>') { "--:" } else { "---" }).collect();
        let before = format!("{}\n{}\n", line(&names), line(&rules));
        Self { before, rows: Vec::new(), hidden: 0, max_rows }
    }

    /// Adds a row, unless there are enough. Cells must be escaped already.
    pub(super) fn row<S: AsRef<str>, const N: usize>(&mut self, cells: impl FnOnce() -> [S; N]) {
        if self.rows.len() < self.max_rows {
            self.rows.push(line(&cells()));
        } else {
            self.hidden += 1;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len() + self.hidden
    }

    /// With a heading above it.
    pub(super) fn under(self, heading: &str) -> Section {
        let before = format!("### {heading}\n\n{}", self.before);
        self.section(before, "\n")
    }

    /// Folded away below a line to click on.
    pub(super) fn folded(self, summary: &str) -> Section {
        let before = format!("<details>\n<summary>{summary}</summary>\n\n{}", self.before);
        self.section(before, "\n</details>\n\n")
    }

    fn section(self, before: String, after: &str) -> Section {
        Section { before, rows: self.rows, hidden: self.hidden, after: after.to_owned() }
    }
}

fn line<S: AsRef<str>>(cells: &[S]) -> String {
    let mut line = String::from("|");
    for cell in cells {
        line.push_str(&format!(" {} |", cell.as_ref()));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: usize, max_rows: usize) -> Table {
        let mut table = Table::new(&["name", ">count"], max_rows);
        for at in 0..rows {
            table.row(|| [format!("`row {at}`"), at.to_string()]);
        }
        table
    }

    #[test]
    fn rows_give_way_and_are_counted() {
        let check = |rows: usize, max_rows: usize, room: usize, expect: &str| {
            let mut out = String::new();
            table(rows, max_rows).folded("All").write(&mut out, room);
            assert!(out.len() <= room);
            assert_eq!(out, expect);
        };
        let start = "<details>\n<summary>All</summary>\n\n| name | count |\n| --- | --: |\n";
        let end = "\n</details>\n\n";
        let one = "| `row 0` | 0 |\n";
        check(1, 9, 9999, &format!("{start}{one}{end}"));
        check(3, 1, 9999, &format!("{start}{one}\n*… and 2 more, see the result*\n{end}"));
        let reserve = note(usize::MAX).len() + end.len();
        let tight = start.len() + one.len() + reserve;
        check(4, 9, tight, &format!("{start}{one}\n*… and 3 more, see the result*\n{end}"));
        check(4, 9, start.len() + reserve - 1, "");
    }
}
