//! Everything that is kept of a run: what its result is built from, at its end or at any moment of it.
//!
//! The run itself keeps a [`RunRecord`]; the live page and the journal's reader build an equal one from
//! the run's events. Its memory is bounded by the number of phases, series and shards, whatever the
//! number of requests and hours.

mod intervals;
mod marks;
mod timeline;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use self::intervals::Intervals;
use crate::event::{ControlState, Interval, Mark, MarkKind, MarkLevel, RunEvent};
use crate::metrics::{IntervalSnapshot, MergeError, Merged, RunTotals};

pub use marks::{MAX_MARKS, Marks};
pub use timeline::{MAX_POINTS, Timeline, TimelinePoint};

/// What was measured in a run so far, and what happened in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunRecord {
    /// The measurements of every phase that was begun.
    pub totals: RunTotals,
    /// The course of the run, in a bounded number of points.
    pub timeline: Timeline,
    /// What happened at a moment of it.
    pub marks: Marks,
    /// The phases that were begun, in order.
    pub phases: Vec<PhaseRecord>,
    /// What somebody has made of the planned load, as it is now.
    pub control: ControlState,
    /// Intervals that not all shards have reported yet.
    #[serde(skip)]
    joining: Intervals,
}

/// A phase that was begun.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PhaseRecord {
    /// Its place in the plan.
    pub index: usize,
    /// When it began, since the start of the run.
    pub began: Duration,
    /// When it was over, requests in flight at its end included; nothing while it runs.
    pub ended: Option<Duration>,
    /// Why it ended before its load was done.
    pub early: Option<String>,
    /// How many shards report its intervals.
    pub shards: u32,
}

impl RunRecord {
    /// A phase begins, `at` so long after the start of the run, on so many shards.
    pub fn begin_phase(&mut self, index: usize, at: Duration, shards: u32) {
        self.phases.push(PhaseRecord { index, began: at, shards, ..PhaseRecord::default() });
        self.joining = Intervals::default();
    }

    /// Adds what a shard measured; gives out the interval that this completes.
    ///
    /// # Errors
    /// Those of [`RunTotals::merge`]; nothing is changed then.
    pub fn add(&mut self, snapshot: &IntervalSnapshot) -> Result<Option<Interval>, MergeError> {
        if self.totals.merge(snapshot)? == Merged::Duplicate {
            return Ok(None);
        }
        let shards = self.phase(snapshot.phase as usize).map_or(1, |phase| phase.shards);
        let complete = self.joining.add(snapshot, shards);
        if let Some(interval) = &complete {
            self.add_to_timeline(interval);
        }
        Ok(complete)
    }

    /// A phase is over; gives out the intervals that were not complete yet.
    pub fn end_phase(
        &mut self,
        index: usize,
        at: Duration,
        early: Option<String>,
    ) -> Vec<Interval> {
        let rest: Vec<Interval> = self.joining.drain().collect();
        for interval in &rest {
            self.add_to_timeline(interval);
        }
        if let Some(phase) = self.phases.iter_mut().rev().find(|phase| phase.index == index) {
            (phase.ended, phase.early) = (Some(at), early);
        }
        rest
    }

    /// Takes note of an event, for those who hear of a run by its events only. Unknown snapshots are
    /// left out, as the run itself does.
    pub fn hear(&mut self, event: &RunEvent) {
        match event {
            RunEvent::PhaseStarted { phase, at, shards } => self.begin_phase(*phase, *at, *shards),
            RunEvent::Snapshot(snapshot) => drop(self.add(snapshot)),
            RunEvent::PhaseEnded { phase, at, early } => {
                drop(self.end_phase(*phase, *at, early.clone()));
            }
            RunEvent::Mark(mark) => self.marks.add(mark.clone()),
            RunEvent::Control(state) => self.control = *state,
            RunEvent::Notice(text) => self.note(text),
            // It follows from the snapshots.
            RunEvent::Interval(_) => {}
        }
    }

    /// Puts a notice on the time axis, where the measurements have come to.
    pub fn note(&mut self, text: &str) {
        self.marks.add(Mark {
            at: self.elapsed(),
            until: None,
            kind: MarkKind::Notice,
            level: MarkLevel::Info,
            text: text.to_owned(),
        });
    }

    /// Adds another run of the same plan, the `number`th, which was run after what is in here: totals,
    /// phases and marks, each on its own run's time. The timeline stays empty, for two runs have no
    /// course in common.
    pub fn add_repeat(&mut self, number: u32, other: &Self) {
        self.totals.add_repeat(&other.totals);
        let told = |text: &str| format!("run {number}: {text}");
        for phase in &other.phases {
            let early = phase.early.as_deref().map(told);
            match self.phases.iter_mut().find(|known| known.index == phase.index) {
                Some(known) => {
                    known.ended = known.ended.max(phase.ended);
                    known.shards = known.shards.max(phase.shards);
                    known.early = known.early.take().or(early);
                }
                None => self.phases.push(PhaseRecord { early, ..phase.clone() }),
            }
        }
        for mark in other.marks.all() {
            self.marks.add(Mark { text: told(&mark.text), ..mark.clone() });
        }
    }

    /// A phase that was begun.
    #[must_use]
    pub fn phase(&self, index: usize) -> Option<&PhaseRecord> {
        self.phases.iter().rev().find(|phase| phase.index == index)
    }

    /// How far into the run the measurements reach.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        let Some(phase) = self.phases.last() else { return Duration::ZERO };
        let measured = self.totals.phase(phase.index as u32).map_or(0, |totals| totals.elapsed_ns);
        phase.ended.unwrap_or(phase.began + Duration::from_nanos(measured))
    }

    /// How long there was load in the phases that are over.
    #[must_use]
    pub fn measured(&self) -> Duration {
        let of = |phase: &PhaseRecord| {
            let totals = self.totals.phase(phase.index as u32);
            let paused = Duration::from_nanos(totals.map_or(0, |totals| totals.paused_ns));
            Some(phase.ended?.saturating_sub(phase.began + paused))
        };
        self.phases.iter().filter_map(of).sum()
    }

    fn add_to_timeline(&mut self, interval: &Interval) {
        let began = self.phase(interval.phase).map_or(Duration::ZERO, |phase| phase.began);
        self.timeline.add(began, interval);
    }

    /// Heap memory in bytes, for accounting; without texts.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.totals.heap_bytes()
            + self.timeline.heap_bytes()
            + self.phases.capacity() * size_of::<PhaseRecord>()
    }
}

#[cfg(test)]
mod tests;
