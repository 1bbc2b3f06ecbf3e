//! The requests of the phase that runs.

use proofload_core::result::{Distribution, RequestRow};
use proofload_core::units::{human_count, human_ns, human_rate, human_ratio};
use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Rect};
use ratatui::style::Style;
use ratatui::text::Text;
use ratatui::widgets::{Cell, Paragraph, Row, Table};

use crate::screen::Screen;

/// A figure of the table: its name, how wide it is, the least width of a table that has it.
type Column = (&'static str, u16, u16);

/// The figures, in order.
const COLUMNS: [Column; 7] = [
    ("count", 9, 56),
    ("rate", 8, 70),
    ("failed", 7, 0),
    ("p50", 8, 44),
    ("p95", 8, 0),
    ("p99", 8, 64),
    ("max", 8, 88),
];

pub(super) fn draw(screen: &Screen, frame: &mut Frame<'_>, area: Rect, from: usize) {
    let theme = screen.theme;
    let phase = screen.result.as_ref().and_then(|result| result.test_results.get(screen.phase()));
    let Some(phase) = phase.filter(|phase| !phase.requests.is_empty()) else {
        let text = "no answers yet in this phase";
        return frame.render_widget(Paragraph::new(text).style(theme.dim()), area);
    };
    let columns: Vec<_> = COLUMNS.iter().filter(|column| area.width >= column.2).collect();
    let names = columns.iter().map(|column| cell(column.0.to_owned(), true));
    let header = std::iter::once(cell("request".to_owned(), false)).chain(names);
    let widths = std::iter::once(Constraint::Fill(1))
        .chain(columns.iter().map(|column| Constraint::Length(column.1)));
    let room = usize::from(area.height).saturating_sub(1);
    let from = from.min(phase.requests.len().saturating_sub(room));
    let shown = phase.requests.iter().skip(from).take(room);
    let rows = shown.map(|request| {
        let figures = columns.iter().map(|column| figure(screen, request, column.0));
        let name = cell(request.name.clone(), false);
        Row::new(std::iter::once(name).chain(figures).collect::<Vec<_>>())
    });
    let table = Table::new(rows.collect::<Vec<_>>(), widths.collect::<Vec<_>>())
        .header(Row::new(header.collect::<Vec<_>>()).style(theme.dim()))
        .column_spacing(1);
    frame.render_widget(table, area);
}

fn figure<'a>(screen: &Screen, request: &RequestRow, column: &str) -> Cell<'a> {
    let text = match column {
        "count" => human_count(request.total_requests),
        "rate" => request.requests_per_second.map_or_else(none, human_rate),
        "failed" if request.failed > 0 => {
            let share = request.failed as f64 / request.total_requests.max(1) as f64;
            return cell(human_ratio(share), true).style(screen.theme.bad());
        }
        "failed" => return cell(none(), true).style(screen.theme.dim()),
        "max" => request.response_time.max_ms.map_or_else(none, ms),
        percentile => self::percentile(&request.response_time, percentile),
    };
    cell(text, true)
}

fn cell<'a>(text: String, is_figure: bool) -> Cell<'a> {
    let alignment = if is_figure { Alignment::Right } else { Alignment::Left };
    Cell::new(Text::from(text).alignment(alignment)).style(Style::new())
}

fn percentile(times: &Distribution, name: &str) -> String {
    times.percentiles.get(name).map_or_else(none, |row| ms(row.value_ms))
}

fn ms(value: f64) -> String {
    human_ns(value * 1e6)
}

fn none() -> String {
    "–".to_owned()
}
