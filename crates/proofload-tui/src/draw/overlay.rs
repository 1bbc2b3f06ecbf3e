//! Keys: the line at the bottom, the help, and the question before the run is stopped.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};

use super::{framed, styled};
use crate::screen::{Overlay, Screen};

/// Every key and what it does.
const HELP: &[(&str, &str)] = &[
    ("p, space", "pause the load, let it go on"),
    ("+  -  0", "more load, less load, as planned"),
    ("n", "end this phase, begin the next"),
    ("s", "stop the run (asks first)"),
    ("q, Esc", "close this view; the run goes on"),
    ("Tab, ← →", "another panel"),
    ("↑ ↓, PgUp PgDn", "move in the panel"),
    ("Ctrl-L", "draw everything again"),
    ("Ctrl-C", "stop; twice: at once"),
];

/// The line at the bottom.
pub(super) fn keys(screen: &Screen, frame: &mut Frame<'_>, area: Rect) {
    let theme = screen.theme;
    let pause = if screen.record.control.paused { "resume" } else { "pause" };
    let is_last = screen.phase() + 1 >= screen.plan.phases.len();
    let next = if is_last { "end phase" } else { "next phase" };
    let keys = [
        ("p", pause),
        ("+/-", "scale"),
        ("n", next),
        ("s", "stop"),
        ("Tab", "panel"),
        ("q", "close"),
        ("?", "help"),
    ];
    let mut spans = vec![Span::raw(" ")];
    for (key, what) in keys {
        spans.push(styled(key, theme.accent()));
        spans.push(styled(format!(" {what}   "), theme.dim()));
    }
    frame.render_widget(Paragraph::new(Line::from(spans)), area);
}

/// What lies over everything else.
pub(super) fn draw(screen: &Screen, frame: &mut Frame<'_>, area: Rect) {
    let theme = screen.theme;
    let (title, lines) = match screen.overlay {
        Overlay::None => return,
        Overlay::Help => {
            let lines = HELP.iter().map(|&(key, what)| {
                Line::from(vec![styled(format!("{key:<16}"), theme.accent()), Span::raw(what)])
            });
            ("Keys", lines.collect())
        }
        Overlay::Stop => {
            let keys = Line::from(vec![
                styled("y", theme.accent()),
                Span::raw(" stop   "),
                styled("any other key", theme.accent()),
                Span::raw(" go on"),
            ]);
            let text = "Requests in flight may finish; the report is written.";
            ("Stop the run?", vec![Line::from(text), Line::default(), keys])
        }
    };
    let width = lines.iter().map(Line::width).max().unwrap_or(0) as u16 + 4;
    let height = lines.len() as u16 + 2;
    let place = centered(area, width, height);
    frame.render_widget(Clear, place);
    let title = Line::from(styled(format!(" {title} "), theme.bold()));
    let block = framed(screen, title).border_style(theme.accent()).style(Style::new());
    frame.render_widget(Paragraph::new(lines).block(block), place);
}

fn centered(area: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    let x = area.x + (area.width - width) / 2;
    let y = area.y + (area.height - height) / 2;
    Rect { x, y, width, height }
}
