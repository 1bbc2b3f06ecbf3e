//! A plain line every so often, for a file or a pipe.

use std::time::Duration;

use proofload_core::event::RunEvent;
use proofload_core::metrics::Histogram;
use proofload_core::units::{human_count, human_ns, human_rate};

use super::track::{Track, clock, errors, short_name};
use crate::load_text::users_count;
use crate::style::Style;
use crate::text::Line;

/// What has been measured since the last line.
#[derive(Debug)]
pub(super) struct PlainLines {
    every: Duration,
    /// When the next line is due, since the start of the phase.
    due: Duration,
    requests: u64,
    length: Duration,
    response: Histogram,
}

impl PlainLines {
    pub(super) fn new(every: Duration) -> Self {
        let due = every;
        Self { every, due, requests: 0, length: Duration::ZERO, response: Histogram::default() }
    }

    /// The line that an event gives rise to; the track knows of it already.
    pub(super) fn line(
        &mut self,
        style: &Style,
        track: &Track,
        event: &RunEvent,
        now: Duration,
    ) -> Option<Line> {
        match event {
            RunEvent::PhaseStarted { phase, .. } => {
                self.due = self.every;
                self.forget();
                let plan = track.phases().get(*phase)?;
                let mut line = Line::new(style);
                line.text(&format!(
                    "[{}] {}: {}",
                    clock(now),
                    short_name(&plan.name, style),
                    plan.load_text
                ));
                Some(line)
            }
            RunEvent::Interval(interval) => {
                self.requests = self.requests.saturating_add(interval.requests.requests());
                self.length = self.length.saturating_add(interval.length);
                self.response.merge(&interval.requests.response_ok);
                self.response.merge(&interval.requests.response_failed);
                let end = interval.start.saturating_add(interval.length);
                // An interval is "about" a second: what ends a little early is on time.
                let reached = end.saturating_add(interval.length / 2);
                if reached < self.due {
                    return None;
                }
                let passed = reached.as_nanos() / self.every.as_nanos().max(1);
                let passed = u32::try_from(passed).unwrap_or(u32::MAX);
                self.due = self.every.saturating_mul(passed.saturating_add(1));
                self.due_line(style, track, end)
            }
            RunEvent::PhaseEnded { .. }
            | RunEvent::Snapshot(_)
            | RunEvent::Control(_)
            | RunEvent::Mark(_)
            | RunEvent::Notice(_) => None,
        }
    }

    fn due_line(&mut self, style: &Style, track: &Track, end: Duration) -> Option<Line> {
        let (current, plan) = track.current()?;
        let mut line = Line::new(style);
        line.text(&format!("[{}", clock(Duration::from_secs_f64(end.as_secs_f64().round()))));
        if let Some(duration) = plan.duration() {
            line.text(&format!("/{}", clock(duration)));
        }
        let users = current.latest.map_or(0, |latest| latest.users);
        let seconds = self.length.as_secs_f64();
        let rate = if seconds > 0.0 { self.requests as f64 / seconds } else { 0.0 };
        line.text(&format!("] {}: {}, ", short_name(&plan.name, style), users_count(users)));
        line.text(&human_rate(rate));
        if let Some(p95) = self.response.value_at_quantile(0.95) {
            line.text(&format!(", p95 {}", human_ns(p95 as f64)));
        }
        line.text(", ").append(&errors(style, &current.sums));
        if current.sums.dropped > 0 {
            line.text(&format!(", {} dropped", human_count(current.sums.dropped)));
        }
        self.forget();
        Some(line)
    }

    fn forget(&mut self) {
        (self.requests, self.length) = (0, Duration::ZERO);
        self.response.clear();
    }
}
