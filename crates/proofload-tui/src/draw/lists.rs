//! What is shown line by line: the verdict as it stands, errors, the log.

use proofload_core::event::MarkLevel;
use proofload_core::result::{ExpectationRow, PhaseResult};
use proofload_core::units::human_count;
use ratatui::text::{Line, Span};

use super::{header, styled};
use crate::screen::Screen;

/// Grades of the phases, what the current one must hold, thresholds of the run.
pub(crate) fn verdict_lines(screen: &Screen) -> Vec<Line<'_>> {
    let theme = screen.theme;
    let Some(result) = &screen.result else {
        return vec![Line::from(styled("nothing measured yet", theme.dim()))];
    };
    let mut lines = Vec::new();
    for (at, phase) in result.test_results.iter().enumerate() {
        if at == screen.phase() {
            lines.push(phase_line(screen, phase, true));
            lines.extend(phase.expectations.iter().map(|row| expectation(screen, row)));
            let doubts = phase.trust.reasons.iter();
            lines.extend(
                doubts.map(|doubt| Line::from(styled(format!("  ! {}", doubt.text), theme.bad()))),
            );
        } else if phase.was_run {
            lines.push(phase_line(screen, phase, false));
        }
    }
    if !result.thresholds.is_empty() {
        lines.push(Line::from(styled("Thresholds", theme.bold())));
    }
    for row in &result.thresholds {
        let style = if row.met { theme.good() } else { theme.bad() };
        lines.push(Line::from(vec![
            styled(if row.met { "  ✓ " } else { "  ✗ " }, style),
            Span::raw(format!("{}: {}  ", row.metric, row.condition)),
            styled(row.measured_text.as_str(), style),
        ]));
    }
    lines
}

fn phase_line<'a>(screen: &Screen, phase: &'a PhaseResult, is_current: bool) -> Line<'a> {
    let theme = screen.theme;
    let style = if is_current { theme.bold() } else { theme.dim() };
    let mut spans = vec![styled(phase.scenario.as_str(), style)];
    match phase.grade {
        Some(grade) => {
            let text = format!("  {grade}");
            spans.push(styled(text, header::grade_style(screen, grade)));
        }
        None if phase.expectations.is_empty() => {
            spans.push(styled("  nothing is expected", theme.dim()));
        }
        None => {}
    }
    Line::from(spans)
}

/// `  ✓ p95 <300ms, <2s  12.3 ms`
fn expectation<'a>(screen: &Screen, row: &'a ExpectationRow) -> Line<'a> {
    let theme = screen.theme;
    let (symbol, style) = match (row.limit_met, row.target_met) {
        (Some(false), _) => ("✗", theme.bad()),
        (_, Some(false)) => ("!", theme.fair()),
        (None, None) => ("–", theme.dim()),
        _ => ("✓", theme.good()),
    };
    let mut spans = vec![
        styled(format!("  {symbol} "), style),
        Span::raw(format!("{:<14}", row.measure)),
        styled(format!("{:>10}", row.measured_text), style),
        Span::raw("  "),
    ];
    let (target, limit) = (row.target.as_ref(), row.limit.as_ref());
    let mut bounds = Vec::from_iter(target.map(|bound| bound.text.clone()));
    if let Some(limit) = limit.filter(|limit| target.is_none_or(|t| t.text != limit.text)) {
        bounds.push(format!("at worst {}", limit.text));
    }
    spans.push(styled(bounds.join(", "), theme.dim()));
    Line::from(spans)
}

/// Errors of the run by kind, each with an example.
pub(crate) fn error_lines(screen: &Screen) -> Vec<Line<'_>> {
    let theme = screen.theme;
    let Some(result) = &screen.result else { return Vec::new() };
    let mut lines = Vec::new();
    for phase in &result.test_results {
        for error in &phase.errors {
            lines.push(Line::from(vec![
                styled(format!("{:>9}  ", human_count(error.count)), theme.bad()),
                Span::raw(error.description.as_str()),
                styled(format!("  in {}", phase.scenario), theme.dim()),
            ]));
            if let Some(sample) = error.samples.last() {
                let status = sample.status.map_or_else(String::new, |status| format!("{status} "));
                let text = format!("{:>11}{status}{}: {}", "", sample.request, sample.message);
                lines.push(Line::from(styled(text, theme.dim())));
            }
        }
    }
    lines
}

/// What happened, the latest first.
pub(super) fn log_lines(screen: &Screen) -> Vec<Line<'_>> {
    let theme = screen.theme;
    let entries = screen.log.entries().rev().map(|entry| {
        let style = match entry.level {
            MarkLevel::Info => ratatui::style::Style::new(),
            MarkLevel::Warning => theme.fair(),
            MarkLevel::Critical => theme.bad(),
        };
        Line::from(vec![
            styled(format!("{:>6}  ", header::clock(entry.at)), theme.dim()),
            styled(entry.text.as_str(), style),
        ])
    });
    entries.collect()
}
