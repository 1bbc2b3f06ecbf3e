//! The screen as a picture: where everything goes, by how much room there is.

mod ascii;
mod charts;
mod header;
mod lists;
mod overlay;
mod requests;

use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Padding, Paragraph, Wrap};

pub(crate) use self::lists::{error_lines, verdict_lines};
use crate::screen::{Panel, Screen};

/// Below this there is no room for more than the figures.
const LEAST: (u16, u16) = (60, 14);

/// Draws everything.
pub(crate) fn screen(screen: &Screen, frame: &mut Frame<'_>, now: Duration) {
    let area = frame.area();
    let footer = u16::from(area.height > header::LINES);
    let charts = charts_height(area);
    let [head, pictures, panels, keys] = Layout::vertical([
        Constraint::Length(header::LINES),
        Constraint::Length(charts),
        Constraint::Min(0),
        Constraint::Length(footer),
    ])
    .areas(area);
    header::draw(screen, frame, head, now);
    if charts > 0 {
        charts::draw(screen, frame, pictures, now);
    }
    draw_panels(screen, frame, panels);
    overlay::keys(screen, frame, keys);
    overlay::draw(screen, frame, area);
    if !screen.theme.has_unicode() {
        ascii::replace(frame.buffer_mut());
    }
}

/// How many lines the charts get.
fn charts_height(area: Rect) -> u16 {
    if area.width < LEAST.0 || area.height < LEAST.1 {
        return 0;
    }
    match area.height {
        ..20 => 0,
        20..34 => (area.height - header::LINES) * 2 / 5,
        34..48 => (area.height - header::LINES) / 2,
        _ => (area.height - header::LINES) * 11 / 20,
    }
}

/// All panels side by side where there is room, else the chosen one.
fn draw_panels(screen: &Screen, frame: &mut Frame<'_>, area: Rect) {
    if area.height < 3 || area.width < 20 {
        return;
    }
    if area.width >= 110 && area.height >= 12 {
        let [left, right] =
            Layout::horizontal([Constraint::Percentage(58), Constraint::Fill(1)]).areas(area);
        let has_errors = !error_lines(screen).is_empty();
        let errors = if has_errors || screen.panel == Panel::Errors { left.height / 3 } else { 0 };
        let [requests, below] =
            Layout::vertical([Constraint::Fill(1), Constraint::Length(errors)]).areas(left);
        let [verdict, log] =
            Layout::vertical([Constraint::Percentage(52), Constraint::Fill(1)]).areas(right);
        for (place, which) in [requests, verdict, below, log]
            .into_iter()
            .zip(Panel::ALL)
            .filter(|it| !it.0.is_empty())
        {
            panel(screen, frame, place, which, Line::from(tab(screen, which)));
        }
    } else {
        let tabs: Vec<_> = Panel::ALL.iter().map(|&which| tab(screen, which)).collect();
        panel(screen, frame, area, screen.panel, Line::from(tabs));
    }
}

/// The name of a panel.
fn tab(screen: &Screen, which: Panel) -> Span<'static> {
    let is_active = which == screen.panel;
    let style = if is_active { screen.theme.accent() } else { screen.theme.dim() };
    styled(format!(" {} ", which.title()), style)
}

fn panel(screen: &Screen, frame: &mut Frame<'_>, area: Rect, which: Panel, title: Line<'_>) {
    let block = framed(screen, title);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let from = screen.scrolled[which as usize];
    match which {
        Panel::Requests => requests::draw(screen, frame, inner, from),
        Panel::Verdict => list(frame, inner, verdict_lines(screen), from),
        Panel::Errors => list(frame, inner, error_lines(screen), from),
        Panel::Log => {
            // The latest comes first, so that wrapping costs nothing that is looked for.
            let lines: Vec<_> = lists::log_lines(screen).into_iter().skip(from).collect();
            let text = Paragraph::new(lines).wrap(Wrap { trim: false });
            frame.render_widget(text, inner);
        }
    }
}

/// Lines from the `from`-th on.
fn list(frame: &mut Frame<'_>, area: Rect, lines: Vec<Line<'_>>, from: usize) {
    // The end stays at the bottom: there is nothing behind it.
    let from = from.min(lines.len().saturating_sub(area.height.into()));
    let shown: Vec<_> = lines.into_iter().skip(from).take(area.height.into()).collect();
    frame.render_widget(Paragraph::new(shown), area);
}

/// The frame around a part of the screen.
fn framed<'a>(screen: &Screen, title: Line<'a>) -> Block<'a> {
    Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(screen.theme.dim())
        .padding(Padding::horizontal(1))
        .title(title)
}

/// A text with a style.
fn styled<'a>(text: impl Into<std::borrow::Cow<'a, str>>, style: Style) -> Span<'a> {
    Span::styled(text, style)
}
