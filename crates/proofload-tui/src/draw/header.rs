//! The first lines: what runs, how far it is, how it does.

use std::time::Duration;

use proofload_core::metrics::{GeneratorStats, PhaseTotals};
use proofload_core::units::{human_count, human_ns, human_rate, human_ratio};
use proofload_core::verdict::Grade;
use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::styled;
use crate::screen::Screen;

/// Lines it takes.
pub(super) const LINES: u16 = 5;

/// A generator that is busier than this is near its limit.
const NEARLY_SATURATED: f64 = 0.75;

pub(super) fn draw(screen: &Screen, frame: &mut Frame<'_>, area: Rect, now: Duration) {
    let rows = Layout::vertical([Constraint::Length(1); LINES as usize]).split(area);
    let (badges, width) = badges(screen);
    let [left, right] =
        Layout::horizontal([Constraint::Fill(1), Constraint::Length(width)]).areas(rows[0]);
    frame.render_widget(Paragraph::new(title(screen)), left);
    frame.render_widget(Paragraph::new(badges).alignment(Alignment::Right), right);
    frame.render_widget(Paragraph::new(phase(screen, now)), rows[1]);
    frame.render_widget(Paragraph::new(run(screen, now, area.width)), rows[2]);
    frame.render_widget(Paragraph::new(figures(screen, area.width)), rows[3]);
    frame.render_widget(Paragraph::new(generator(screen)), rows[4]);
}

fn title(screen: &Screen) -> Line<'_> {
    let theme = screen.theme;
    Line::from(vec![
        styled(" ◆ ", theme.accent()),
        styled(screen.info.name.as_str(), theme.bold()),
        styled("  →  ", theme.dim()),
        Span::raw(screen.info.target.as_str()),
    ])
}

/// What must not be overlooked, and how wide it is.
fn badges(screen: &Screen) -> (Line<'_>, u16) {
    let theme = screen.theme;
    let control = screen.record.control;
    let mut badges = Vec::new();
    if screen.is_stopping {
        badges.push(styled(" STOPPING ", theme.badge(theme.bad())));
    }
    if control.paused {
        badges.push(styled(" PAUSED ", theme.badge(theme.fair())));
    }
    if control.scale.to_bits() != 1.0_f64.to_bits() {
        let percent = (control.scale * 10_000.0).round() / 100.0;
        badges.push(styled(format!(" LOAD {percent} % "), theme.badge(theme.accent())));
    }
    if let Some((grade, style)) = grade(screen) {
        badges.push(styled(format!(" {grade} "), theme.badge(style)));
    }
    let spaced = badges.into_iter().flat_map(|badge| [badge, Span::raw(" ")]);
    let line = Line::from_iter(spaced);
    let width = line.width() as u16;
    (line, width)
}

/// The grade of what has been measured so far.
fn grade(screen: &Screen) -> Option<(String, Style)> {
    let grade = screen.result.as_ref()?.summary.grade?;
    Some((grade.to_string(), grade_style(screen, grade)))
}

pub(super) fn grade_style(screen: &Screen, grade: Grade) -> Style {
    match grade {
        Grade::Excellent | Grade::Good => screen.theme.good(),
        Grade::Fair => screen.theme.fair(),
        Grade::Poor => screen.theme.bad(),
    }
}

/// `Phase 2 of 3  Spike  0:12 of 1:00   100 → 1,000 users over 1m`
fn phase(screen: &Screen, now: Duration) -> Line<'_> {
    let theme = screen.theme;
    let at = screen.phase();
    let Some(name) = screen.names.get(at) else { return Line::default() };
    let mut spans = vec![Span::raw(" ")];
    if screen.record.phases.is_empty() {
        spans.push(styled("the first phase begins", theme.dim()));
        return Line::from(spans);
    }
    if screen.plan.phases.len() > 1 {
        let count = format!("phase {} of {}  ", at + 1, screen.plan.phases.len());
        spans.push(styled(count, theme.dim()));
    }
    spans.push(styled(name.as_str(), theme.bold()));
    match screen.progress.phase_time(now) {
        Some((elapsed, duration)) => {
            spans.push(Span::raw(format!("  {}", clock(elapsed))));
            if let Some(duration) = duration {
                spans.push(styled(" of ", theme.dim()));
                spans.push(Span::raw(clock(duration)));
            }
        }
        None => spans.push(styled("  over", theme.dim())),
    }
    spans.push(styled(format!("   {}", screen.load_text()), theme.dim()));
    Line::from(spans)
}

/// `━━━━━━━━───────  42%  1:25, 2:10 left`
fn run(screen: &Screen, now: Duration, width: u16) -> Line<'_> {
    let theme = screen.theme;
    let Some(outlook) = screen.progress.outlook(now) else {
        let until = " elapsed, until the work is done";
        return Line::from(vec![Span::raw(format!(" {}", clock(now))), styled(until, theme.dim())]);
    };
    let percent = format!("  {:>3.0}%", (outlook.share * 100.0).floor());
    let elapsed = format!("  {}", clock(now));
    let at_least = if outlook.is_open_ended { "≥ " } else { "" };
    let paused = if screen.record.control.paused { " after the pause" } else { "" };
    let left = format!(" elapsed, {at_least}{} left{paused}", clock(outlook.left));
    let facts = (percent.len() + elapsed.len() + left.len() + 2) as u16;
    let room = width.saturating_sub(facts + 1);
    let filled = (f64::from(room) * outlook.share).round() as usize;
    let rest = usize::from(room).saturating_sub(filled);
    let style = if screen.record.control.paused { theme.fair() } else { theme.good() };
    Line::from(vec![
        Span::raw(" "),
        styled("━".repeat(filled), style),
        styled("─".repeat(rest), theme.dim()),
        styled(percent, theme.bold()),
        Span::raw(elapsed),
        styled(left, theme.dim()),
    ])
}

/// The last second in figures, and the whole run: as many as fit in, the most important first.
fn figures(screen: &Screen, width: u16) -> Line<'_> {
    let theme = screen.theme;
    let Some(last) = screen.history.last() else {
        return Line::from(styled(" nothing measured yet", theme.dim()));
    };
    let mut figures = vec![
        ("users", human_count(last.users.into()), theme.bold()),
        ("requests", human_rate(last.per_second), theme.bold()),
    ];
    let summary = screen.result.as_ref().map(|result| &result.summary);
    if let Some(summary) = summary {
        figures.push(match (summary.failed, summary.total_requests) {
            (0, _) => ("errors", "none".to_owned(), theme.good()),
            (failed, all) => {
                let share = human_ratio(failed as f64 / all.max(1) as f64);
                ("errors", format!("{} ({share})", human_count(failed)), theme.bad())
            }
        });
    }
    if let Some([p50, p95, p99]) = last.percentiles {
        figures.push(("p95", human_ns(p95), theme.bold()));
        figures.push(("p99", human_ns(p99), Style::new()));
        figures.push(("p50", human_ns(p50), Style::new()));
    }
    figures.extend(summary.map(|all| ("in all", human_count(all.total_requests), Style::new())));
    let mut line = Line::from(" ");
    for (label, value, style) in figures {
        let figure = [styled(format!("{label} "), theme.dim()), styled(value, style)];
        let more = figure.iter().map(Span::width).sum::<usize>();
        if line.width() + more > width.into() {
            break;
        }
        line.spans.extend(figure);
        line.spans.push(Span::raw("   "));
    }
    line
}

/// How the load generator does: whether the figures can be trusted.
fn generator(screen: &Screen) -> Line<'_> {
    let theme = screen.theme;
    let mut spans = vec![styled(" generator ", theme.dim())];
    let Some(last) = screen.history.last() else { return Line::default() };
    let busy = last.busy.unwrap_or(0.0);
    let style = match busy {
        busy if busy > GeneratorStats::SATURATED => theme.bad(),
        busy if busy > NEARLY_SATURATED => theme.fair(),
        _ => Style::new(),
    };
    spans.push(styled(format!("{:.0}% busy", busy * 100.0), style));
    let totals = screen.record.totals.phase(screen.phase() as u32);
    let open = totals.map_or(0, PhaseTotals::open_connections_max);
    let connections = if open == 1 { "connection" } else { "connections" };
    let open = human_count(open.into());
    spans.push(styled(format!("   {open} {connections} at most"), theme.dim()));
    if let Some(lag) = last.start_lag {
        spans.push(styled(format!("   start lag p99 {}", human_ns(lag)), theme.dim()));
    }
    if last.dropped > 0 {
        spans.push(styled(format!("   {} dropped", human_count(last.dropped)), theme.bad()));
    }
    let doubts = screen.result.as_ref().and_then(|result| result.test_results.get(screen.phase()));
    if let Some(doubt) = doubts.and_then(|phase| phase.trust.reasons.first()) {
        spans.push(styled(format!("   ! {}", doubt.text), theme.bad()));
    }
    Line::from(spans)
}

/// A time as a clock shows it: `0:42`, `12:05`, `1:02:03`.
pub(super) fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}
