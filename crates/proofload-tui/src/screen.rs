//! What is known of the run, and where the user looks.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use proofload_core::event::RunEvent;
use proofload_core::plan::Plan;
use proofload_core::record::RunRecord;
use proofload_core::redact::Redactor;
use proofload_core::result::{Detail, ResultInput, RunInfo, RunResult, build};
use proofload_report::progress::{Mode, Progress};
use proofload_report::{Style, load_text};
use ratatui::Frame;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::ask::{Ask, less, more};
use crate::draw;
use crate::history::History;
use crate::log::Log;
use crate::theme::Theme;

/// Lines that a page key moves.
const PAGE: usize = 10;

/// The part of the screen that the arrows move.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Panel {
    /// The requests of the phase.
    #[default]
    Requests,
    /// Expectations, thresholds, grades.
    Verdict,
    /// Errors by kind.
    Errors,
    /// What happened.
    Log,
}

impl Panel {
    /// All, in the order of the tab key.
    pub(crate) const ALL: [Self; 4] = [Self::Requests, Self::Verdict, Self::Errors, Self::Log];

    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Requests => "Requests",
            Self::Verdict => "Verdict",
            Self::Errors => "Errors",
            Self::Log => "Log",
        }
    }

    fn step(self, by: usize) -> Self {
        let at = Self::ALL.iter().position(|&panel| panel == self).unwrap_or(0);
        Self::ALL[(at + by) % Self::ALL.len()]
    }
}

/// What lies over everything else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Overlay {
    #[default]
    None,
    Help,
    /// Whether the run is really to be stopped.
    Stop,
}

/// A run as its full-screen view knows it.
#[derive(Debug)]
pub struct Screen {
    pub(crate) plan: Arc<Plan>,
    /// The names of its phases, as they may be shown.
    pub(crate) names: Vec<String>,
    /// Whatever people get to see goes through it.
    redactor: Redactor,
    pub(crate) info: RunInfo,
    pub(crate) theme: Theme,
    pub(crate) record: RunRecord,
    pub(crate) history: History,
    pub(crate) log: Log,
    /// The result as it would be if the run ended now.
    pub(crate) result: Option<RunResult>,
    pub(crate) progress: Progress,
    pub(crate) panel: Panel,
    pub(crate) overlay: Overlay,
    /// How far each panel has been moved, in lines.
    pub(crate) scrolled: [usize; Panel::ALL.len()],
    /// The end of the run has been asked for.
    pub(crate) is_stopping: bool,
}

impl Screen {
    /// Before the first event of a run of `plan`. What `redactor` hides is not shown.
    #[must_use]
    pub fn new(plan: Arc<Plan>, info: RunInfo, theme: Theme, redactor: Redactor) -> Self {
        let hide = |text: &str| redactor.text(text).into_owned();
        let names = plan.phases.iter().map(|phase| hide(&phase.name)).collect();
        let info = RunInfo { name: hide(&info.name), target: hide(&info.target), ..info };
        let progress = Progress::new(&plan, Style::plain(), Mode::Live);
        Self {
            plan,
            names,
            redactor,
            info,
            theme,
            record: RunRecord::default(),
            history: History::default(),
            log: Log::default(),
            result: None,
            progress,
            panel: Panel::default(),
            overlay: Overlay::default(),
            scrolled: [0; Panel::ALL.len()],
            is_stopping: false,
        }
    }

    /// Takes an event in, `now` after the start of the run.
    pub fn hear(&mut self, event: &RunEvent, now: Duration) {
        self.record.hear(event);
        self.progress.on_event(event, now);
        if let RunEvent::Interval(interval) = event {
            let began = self.record.phase(interval.phase).map_or(Duration::ZERO, |p| p.began);
            self.history.add(began, interval);
        }
        self.log.hear(event, now, &self.names, |text| self.redactor.text(text).into_owned());
    }

    /// Judges what has been measured so far.
    pub fn judge(&mut self, now: Duration) {
        let info = RunInfo { duration_seconds: now.as_secs_f64(), ..self.info.clone() };
        let input = ResultInput::of_plan(&self.plan, &self.record, info, BTreeMap::new());
        let (result, _) = build(&ResultInput { detail: Detail::Quick, ..input });
        self.result = self.redacted(&result);
    }

    /// The result without secrets; nothing rather than one that could not be cleaned.
    fn redacted(&self, result: &RunResult) -> Option<RunResult> {
        let mut value = serde_json::to_value(result).ok()?;
        self.redactor.json(&mut value);
        serde_json::from_value(value).ok()
    }

    /// The end of the run has been asked for.
    pub fn stops(&mut self) {
        self.is_stopping = true;
    }

    /// Draws everything as it is `now` after the start of the run.
    pub fn draw(&self, frame: &mut Frame<'_>, now: Duration) {
        draw::screen(self, frame, now);
    }

    /// The phase that runs, or ran last, by its place in the plan.
    pub(crate) fn phase(&self) -> usize {
        self.record.phases.last().map_or(0, |phase| phase.index)
    }

    /// What the plan says of the load of the phase, as it is scaled.
    pub(crate) fn load_text(&self) -> String {
        let scale = self.record.control.scale;
        self.plan.phases.get(self.phase()).map_or_else(String::new, |p| load_text(&p.scaled(scale)))
    }

    /// Takes a key in: what it asks of the run.
    pub fn on_key(&mut self, key: KeyEvent) -> Option<Ask> {
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            return match key.code {
                KeyCode::Char('c') => {
                    self.is_stopping = true;
                    Some(Ask::Interrupt)
                }
                KeyCode::Char('l') => Some(Ask::Redraw),
                _ => None,
            };
        }
        match self.overlay {
            Overlay::None => self.on_open_key(key.code),
            Overlay::Help => {
                self.overlay = Overlay::None;
                None
            }
            Overlay::Stop => {
                self.overlay = Overlay::None;
                let is_sure = matches!(key.code, KeyCode::Char('y' | 'Y' | 's') | KeyCode::Enter);
                self.is_stopping |= is_sure;
                is_sure.then_some(Ask::Stop)
            }
        }
    }

    fn on_open_key(&mut self, key: KeyCode) -> Option<Ask> {
        let control = self.record.control;
        match key {
            KeyCode::Char('p' | ' ') if control.paused => return Some(Ask::Resume),
            KeyCode::Char('p' | ' ') => return Some(Ask::Pause),
            KeyCode::Char('+' | '=') => return Some(Ask::Scale(more(control.scale))),
            KeyCode::Char('-' | '_') => return Some(Ask::Scale(less(control.scale))),
            KeyCode::Char('0') => return Some(Ask::Scale(1.0)),
            KeyCode::Char('n') => return Some(Ask::NextPhase),
            KeyCode::Char('q') | KeyCode::Esc => return Some(Ask::Leave),
            KeyCode::Char('s') => self.overlay = Overlay::Stop,
            KeyCode::Char('?' | 'h') => self.overlay = Overlay::Help,
            KeyCode::Tab | KeyCode::Right => self.panel = self.panel.step(1),
            KeyCode::BackTab | KeyCode::Left => self.panel = self.panel.step(3),
            KeyCode::Up | KeyCode::Char('k') => self.scroll(|at| at.saturating_sub(1)),
            KeyCode::Down | KeyCode::Char('j') => self.scroll(|at| at + 1),
            KeyCode::PageUp => self.scroll(|at| at.saturating_sub(PAGE)),
            KeyCode::PageDown => self.scroll(|at| at + PAGE),
            KeyCode::Home => self.scroll(|_| 0),
            _ => {}
        }
        None
    }

    fn scroll(&mut self, to: impl Fn(usize) -> usize) {
        let lines = self.lines_of(self.panel);
        let at = &mut self.scrolled[self.panel as usize];
        *at = to(*at).min(lines.saturating_sub(1));
    }

    /// How many lines a panel has to show.
    fn lines_of(&self, panel: Panel) -> usize {
        let Some(phase) = self.result.as_ref().and_then(|r| r.test_results.get(self.phase()))
        else {
            return self.log.entries().count();
        };
        match panel {
            Panel::Requests => phase.requests.len(),
            Panel::Verdict => draw::verdict_lines(self).len(),
            Panel::Errors => draw::error_lines(self).len(),
            Panel::Log => self.log.entries().count(),
        }
    }
}
