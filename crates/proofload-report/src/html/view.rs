//! What all sections share: the time axis, phases on it, events on it.

use proofload_core::result::{PhaseResult, RunResult};

use super::page::Overlay;
use crate::chart::{Band, MAX_MARKS, Mark, PhaseStrip, StripPhase, Tone, XAxis};

use super::text::{grade_class, grade_sign};

/// Phases that are shown one by one.
pub(super) const MAX_PHASES: usize = 60;

/// A result with what is computed of it once for all sections.
#[derive(Clone, Debug)]
pub struct View<'a> {
    pub(super) result: &'a RunResult,
    pub(super) overlay: Option<&'a Overlay>,
    /// Whether the page lies in the folder of its result.
    pub(super) is_beside_results: bool,
    pub(super) x: XAxis,
    pub(super) bands: Vec<Band>,
    pub(super) marks: Vec<Mark>,
}

impl<'a> View<'a> {
    /// Looks at a result.
    #[must_use]
    pub fn new(result: &'a RunResult) -> Self {
        let end = end_seconds(result);
        let run = result.test_results.iter().enumerate().filter(|(_, phase)| phase.was_run);
        let bands = run.take(MAX_PHASES).map(|(number, phase)| Band {
            start: phase.start_seconds,
            end: end_of(phase),
            name: phase.scenario.clone(),
            phase: number,
        });
        let marks = result.marks.iter().enumerate().take(MAX_MARKS).map(|(number, row)| Mark {
            at: row.at_seconds,
            until: row.until_seconds,
            sign: (number + 1).to_string(),
            text: row.text.clone(),
            tone: tone(&row.level),
        });
        Self {
            result,
            overlay: None,
            is_beside_results: false,
            x: XAxis::Elapsed { start_seconds: 0.0, end_seconds: end },
            bands: bands.collect(),
            marks: marks.collect(),
        }
    }

    /// The same, with an earlier run beside the distributions.
    #[must_use]
    pub fn with_overlay(self, overlay: Option<&'a Overlay>) -> Self {
        Self { overlay, ..self }
    }

    /// The same, for a page that lies in the folder of its result, to which it may lead.
    #[must_use]
    pub fn beside_results(self, is_beside_results: bool) -> Self {
        Self { is_beside_results, ..self }
    }

    /// The phases that were run, with their place in the plan.
    pub(super) fn phases(&self) -> impl Iterator<Item = (usize, &'a PhaseResult)> {
        self.result.test_results.iter().enumerate().filter(|(_, phase)| phase.was_run)
    }

    /// Whether there is more than one phase in the plan.
    pub(super) fn has_phases(&self) -> bool {
        self.result.test_results.len() > 1
    }

    /// The phases on the time axis.
    pub(super) fn strip(&self) -> PhaseStrip {
        let phases = self.phases().take(MAX_PHASES).map(|(number, phase)| StripPhase {
            name: phase.scenario.clone(),
            start_seconds: phase.start_seconds,
            end_seconds: end_of(phase),
            sign: grade_sign(phase.grade).to_owned(),
            class: grade_class(phase.grade),
            phase: number,
        });
        PhaseStrip { x: self.x.clone(), phases: phases.collect() }
    }
}

/// When a phase was over.
pub(super) fn end_of(phase: &PhaseResult) -> f64 {
    phase.end_seconds.unwrap_or(phase.start_seconds + phase.elapsed_seconds)
}

/// Where the time axis ends: whatever was measured is on it.
fn end_seconds(result: &RunResult) -> f64 {
    let phases = result.test_results.iter().map(end_of);
    let points = result.timeline.iter().map(|row| row.start_seconds + row.length_seconds);
    let measured = phases.chain(points).filter(|end| end.is_finite()).fold(0.0, f64::max);
    if measured > 0.0 { measured } else { result.run.duration_seconds.max(1.0) }
}

/// How much a mark matters.
pub(super) fn tone(level: &str) -> Tone {
    match level {
        "critical" => Tone::Bad,
        "warning" => Tone::Warn,
        _ => Tone::Info,
    }
}
