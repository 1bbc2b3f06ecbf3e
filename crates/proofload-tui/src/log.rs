//! What happened, line by line.

use std::collections::VecDeque;
use std::time::Duration;

use proofload_core::event::{Mark, MarkKind, MarkLevel, RunEvent};
use proofload_core::units;

/// Lines that are kept.
const KEPT: usize = 500;

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Since the start of the run.
    pub(crate) at: Duration,
    pub(crate) level: MarkLevel,
    pub(crate) text: String,
}

/// The last things that happened, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    entries: VecDeque<Entry>,
}

impl Log {
    pub(crate) fn entries(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries.iter()
    }

    /// Takes an event in. `names` are those of the phases; `hide` takes secrets out of a text.
    pub(crate) fn hear(
        &mut self,
        event: &RunEvent,
        now: Duration,
        names: &[String],
        hide: impl Fn(&str) -> String,
    ) {
        let name = |phase: usize| names.get(phase).map_or("", String::as_str);
        match event {
            RunEvent::PhaseStarted { phase, at, .. } => {
                self.add(*at, MarkLevel::Info, format!("{} begins", name(*phase)));
            }
            RunEvent::PhaseEnded { phase, at, early } => {
                let why = early.as_ref().map_or(String::new(), |why| format!(" early: {why}"));
                self.add(*at, MarkLevel::Info, hide(&format!("{} is over{why}", name(*phase))));
            }
            RunEvent::Notice(text) => self.add(now, MarkLevel::Warning, hide(text)),
            RunEvent::Mark(mark) => self.add_mark(mark, &hide(&mark.text)),
            RunEvent::Snapshot(_) | RunEvent::Interval(_) | RunEvent::Control(_) => {}
        }
    }

    fn add_mark(&mut self, mark: &Mark, text: &str) {
        match mark.until {
            None => self.add(mark.at, mark.level, text.to_owned()),
            // The end of a pause is a mark of its own.
            Some(_) if mark.kind == MarkKind::Control => {}
            Some(until) => {
                let lasted = units::human_duration(until.saturating_sub(mark.at));
                self.add(until, MarkLevel::Info, format!("over after {lasted}: {text}"));
            }
        }
    }

    fn add(&mut self, at: Duration, level: MarkLevel, text: String) {
        if self.entries.len() == KEPT {
            self.entries.pop_front();
        }
        self.entries.push_back(Entry { at, level, text });
    }
}
