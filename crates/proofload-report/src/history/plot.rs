//! A measure over runs as dots: one column a run, levels between changes as lines.

use proofload_core::history::{History, HistoryRun};

use crate::style::{Style, Tone};
use crate::text::{Line, width_of};

/// Rows of the chart.
const HEIGHT: usize = 8;
/// Most columns that a run takes.
const MAX_STEP: usize = 3;

/// What stands in a cell, the later the more important.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
enum Cell {
    #[default]
    Empty,
    /// The level of the runs up to the next change.
    Level,
    /// Between two levels.
    Change,
    /// A run that does not count.
    Doubtful,
    /// A run.
    Run,
}

impl Cell {
    const fn symbol(self, unicode: bool) -> &'static str {
        match (self, unicode) {
            (Self::Empty, _) => " ",
            (Self::Level, true) => "─",
            (Self::Level, false) => "-",
            (Self::Change, true) => "┊",
            (Self::Change, false) => "|",
            (Self::Doubtful, true) => "○",
            (Self::Doubtful, false) => "o",
            (Self::Run, true) => "●",
            (Self::Run, false) => "*",
        }
    }

    const fn tone(self) -> Tone {
        match self {
            Self::Empty | Self::Level | Self::Doubtful => Tone::Dim,
            Self::Change => Tone::Fair,
            Self::Run => Tone::Bold,
        }
    }
}

/// Columns left for runs: two at the left, the labels, and the axis with a blank on both sides are taken.
fn room(style: &Style, history: &History, indices: &[usize]) -> (usize, usize) {
    let widths = indices.iter().map(|&index| width_of(&history.runs[index].value_text));
    let labels = widths.max().unwrap_or(0);
    (labels, style.width.saturating_sub(labels + 6).max(MAX_STEP))
}

/// The runs for which there is room, the last ones.
pub(super) fn shown<'i>(style: &Style, history: &History, indices: &'i [usize]) -> &'i [usize] {
    let (_, room) = room(style, history, indices);
    &indices[indices.len().saturating_sub(room)..]
}

/// The chart of these runs, which have values and for which there is room.
pub(super) fn lines(style: &Style, history: &History, indices: &[usize]) -> Vec<Line> {
    let runs: Vec<&HistoryRun> = indices.iter().map(|&index| &history.runs[index]).collect();
    let (axis, room) = room(style, history, indices);
    let step = (room / runs.len().max(1)).clamp(1, MAX_STEP);
    let value = |run: &HistoryRun| run.value.unwrap_or(0.0);
    let low = runs.iter().map(|run| value(run)).fold(f64::INFINITY, f64::min);
    let high = runs.iter().map(|run| value(run)).fold(f64::NEG_INFINITY, f64::max);
    let row_of = |value: f64| -> usize {
        let share = if high > low { ((value - low) / (high - low)).clamp(0.0, 1.0) } else { 0.5 };
        ((1.0 - share) * (HEIGHT - 1) as f64).round() as usize
    };
    let mut cells = vec![vec![Cell::Empty; runs.len() * step]; HEIGHT];
    let mut put = |row: usize, column: usize, cell: Cell| {
        if cells[row][column] < cell {
            cells[row][column] = cell;
        }
    };
    let changes: Vec<_> = history.changes.iter().filter(|c| indices.contains(&c.run)).collect();
    for (at, change) in changes.iter().enumerate() {
        let column =
            |run: usize| indices.iter().position(|&index| index == run).unwrap_or(0) * step;
        let start = column(change.run);
        let end = changes.get(at + 1).map_or(runs.len() * step, |next| column(next.run));
        if at == 0 {
            (0..start).for_each(|column| put(row_of(change.before), column, Cell::Level));
        }
        (start..end).for_each(|column| put(row_of(change.after), column, Cell::Level));
        // Where there is room, the change stands between the runs.
        let between = start.saturating_sub(step / 2);
        (0..HEIGHT).for_each(|row| put(row, between, Cell::Change));
    }
    for (at, run) in runs.iter().enumerate() {
        let cell = if run.counts { Cell::Run } else { Cell::Doubtful };
        put(row_of(value(run)), at * step, cell);
    }
    let text_of = |wanted: f64| {
        runs.iter().find(|run| value(run) == wanted).map_or("", |run| run.value_text.as_str())
    };
    let wall = if style.unicode { "│" } else { "|" };
    let mut lines = Vec::new();
    for (row, cells) in cells.iter().enumerate() {
        let label = match row {
            row if row == row_of(high) => text_of(high),
            row if row == row_of(low) => text_of(low),
            _ => "",
        };
        let mut line = Line::new(style);
        line.pad_to(2 + axis - width_of(label)).dim(label).dim(&format!(" {wall} "));
        for same in cells.chunk_by(|a, b| a == b) {
            line.push(&same[0].symbol(style.unicode).repeat(same.len()), same[0].tone());
        }
        lines.push(line);
    }
    lines
}
