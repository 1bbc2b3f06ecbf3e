//! What is shown while a run is under way.
//!
//! A state machine without a clock: events and the time since the start of the run go in, lines come
//! out. On a terminal a few lines are drawn again and again in the same place ([`Progress::view`],
//! [`Redraw`]), and what is to stay is printed above them; elsewhere a plain line is printed every
//! few seconds.

mod live;
mod plain;
mod redraw;
#[cfg(test)]
mod tests;
mod track;

use std::time::Duration;

use proofload_core::event::RunEvent;
use proofload_core::plan::Plan;

use crate::style::Style;
use plain::PlainLines;
pub use redraw::Redraw;
pub use track::Outlook;
use track::Track;

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A few lines that are drawn again in the same place, on a terminal.
    Live,
    /// A line for each phase every so often, in a file or a pipe.
    Plain {
        /// How often; [`Mode::PLAIN_EVERY`] by habit.
        every: Duration,
    },
}

impl Mode {
    /// How often a line is printed where there is no terminal.
    pub const PLAIN_EVERY: Duration = Duration::from_secs(5);
}

/// The progress of a run, as lines of text.
#[derive(Debug)]
pub struct Progress {
    style: Style,
    track: Track,
    plain: Option<PlainLines>,
}

impl Progress {
    /// Before the run begins.
    #[must_use]
    pub fn new(plan: &Plan, style: Style, mode: Mode) -> Self {
        let plain = match mode {
            Mode::Live => None,
            Mode::Plain { every } => Some(PlainLines::new(every)),
        };
        Self { style, track: Track::new(plan), plain }
    }

    /// Takes an event in, at `now` since the start of the run. Gives the lines that are to be printed
    /// once and stay, without line breaks: phases that ended, notices, and in [`Mode::Plain`] also
    /// phases that began and a line every so often.
    pub fn on_event(&mut self, event: &RunEvent, now: Duration) -> Vec<String> {
        let news = self.track.on_event(event, now);
        let plain = self.plain.as_mut();
        let line = plain.and_then(|plain| plain.line(&self.style, &self.track, event, now));
        let lines = line.into_iter().chain(news.line(&self.style, self.track.phases()));
        lines.map(|line| line.render()).collect()
    }

    /// The lines to be drawn at `now` since the start of the run; draw them again whenever something
    /// happened, and a few times a second for the clock. Empty between phases and in
    /// [`Mode::Plain`].
    #[must_use]
    pub fn view(&self, now: Duration) -> Vec<String> {
        if self.plain.is_some() {
            return Vec::new();
        }
        live::view(&self.style, &self.track, now).iter().map(crate::text::Line::render).collect()
    }

    /// How far the run is at `now` since its start; none between phases, or if that cannot be known.
    #[must_use]
    pub fn outlook(&self, now: Duration) -> Option<Outlook> {
        self.track.outlook(now)
    }

    /// How long there has been load in the phase under way at `now`, and how long there is to be, by
    /// the clock. None between phases.
    #[must_use]
    pub fn phase_time(&self, now: Duration) -> Option<(Duration, Option<Duration>)> {
        let (current, plan) = self.track.current()?;
        Some((current.elapsed(now), plan.duration()))
    }

    /// The terminal has another width now.
    pub fn resize(&mut self, columns: usize) {
        self.style = self.style.with_width(columns);
    }
}
