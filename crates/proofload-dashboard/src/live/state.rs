//! The run that is under way, or the last one: what is known of it and what it has come to.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use proofload_core::event::ControlState;
use proofload_core::plan::Plan;
use proofload_core::record::RunRecord;
use proofload_core::redact::Redactor;
use proofload_core::result::{Detail, ResultInput, RunInfo, RunResult, build};
use proofload_core::verdict::ExitCode;

use super::tell::Told;
use crate::redact::redact;
use crate::runner::PlanInfo;

/// A run begins.
#[derive(Clone, Debug)]
pub struct RunStart {
    /// What is run.
    pub plan: Arc<Plan>,
    /// What is known of the run so far; its end is not.
    pub info: RunInfo,
    /// Where the load generator runs: operating system, processors, versions.
    pub environment: BTreeMap<String, String>,
}

/// A run has ended.
#[derive(Clone, Debug)]
pub struct RunEnd {
    /// What it has come to.
    pub result: Arc<RunResult>,
    /// The exit code it has, or would have as a command of its own.
    pub exit_code: ExitCode,
    /// Where the result was written, for people.
    pub written_to: Option<String>,
}

/// Where things stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Nothing has been run.
    #[default]
    Idle,
    /// The plan of this name is about to be run.
    Preparing(String),
    /// A run is under way.
    Running,
    /// It has ended.
    Ended,
    /// It came to no result, for this reason.
    Failed(String),
}

/// All that the page knows.
#[derive(Debug, Default)]
pub(crate) struct Live {
    pub(crate) stage: Stage,
    pub(crate) run: Option<Run>,
    /// The dashboard is about to go: this is the last picture.
    pub(crate) is_over: bool,
    /// Somebody asked the run to end.
    pub(crate) is_stopping: bool,
}

/// A run, under way or ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) start: RunStart,
    pub(crate) info: PlanInfo,
    pub(crate) record: RunRecord,
    began: Instant,
    /// Events that were left out.
    pub(crate) missed: u64,
    pub(crate) end: Option<RunEnd>,
}

impl Live {
    /// Takes note of something.
    pub(crate) fn take(&mut self, told: Told) {
        match told {
            Told::Prepare(name) => {
                (self.stage, self.run, self.is_stopping) = (Stage::Preparing(name), None, false);
            }
            Told::Begin(start) => {
                (self.stage, self.is_stopping) = (Stage::Running, false);
                self.run = Some(Run::new(*start));
            }
            Told::Event(event, waiting) => {
                if let Some(run) = self.run.as_mut().filter(|run| run.end.is_none()) {
                    run.missed += waiting.take_missed();
                    run.record.hear(&event);
                }
            }
            Told::End(end) => {
                self.stage = Stage::Ended;
                if let Some(run) = &mut self.run {
                    run.end = Some(*end);
                }
            }
            Told::Fail(why) => self.stage = Stage::Failed(why),
        }
    }

    /// How the load of the run has been changed.
    pub(crate) fn load(&self) -> ControlState {
        self.run.as_ref().map(|run| run.record.control).unwrap_or_default()
    }

    /// Whether a picture of now differs from one of a second ago although nothing was told.
    pub(crate) fn is_moving(&self) -> bool {
        matches!(self.stage, Stage::Running | Stage::Preparing(_))
    }
}

impl Run {
    fn new(start: RunStart) -> Self {
        let info = PlanInfo::of(&start.plan);
        let record = RunRecord::default();
        Self { start, info, record, began: Instant::now(), missed: 0, end: None }
    }

    /// How long it has been under way, or took.
    pub(crate) fn elapsed(&self) -> Duration {
        match &self.end {
            Some(end) => {
                Duration::try_from_secs_f64(end.result.run.duration_seconds).unwrap_or_default()
            }
            None => self.began.elapsed(),
        }
    }

    /// Its result, or what it would be if it ended now; without secrets.
    pub(crate) fn result(&self, redactor: &Redactor) -> RunResult {
        let mut result = match &self.end {
            Some(end) => RunResult::clone(&end.result),
            None => self.result_so_far(),
        };
        redact(&mut result, redactor);
        result
    }

    fn result_so_far(&self) -> RunResult {
        let duration_seconds = self.record.elapsed().as_secs_f64();
        let run = RunInfo { duration_seconds, ..self.start.info.clone() };
        let environment = self.start.environment.clone();
        let mut input = ResultInput::of_plan(&self.start.plan, &self.record, run, environment);
        input.detail = Detail::Quick;
        build(&input).0
    }

    /// The phase that is under way, or was last, by its place in the plan.
    pub(crate) fn phase(&self) -> Option<usize> {
        self.record.phases.last().map(|phase| phase.index)
    }

    /// How long the rest will take by the clock; none if that depends on the work, or the run has ended.
    pub(crate) fn remaining(&self) -> Option<Duration> {
        if self.end.is_some() {
            return None;
        }
        let current = self.phase().unwrap_or(0);
        let into = match self.record.phases.last() {
            Some(phase) => {
                // The time of a phase stands still while it is paused.
                let totals = self.record.totals.phase(phase.index as u32);
                let paused = Duration::from_nanos(totals.map_or(0, |totals| totals.paused_ns));
                self.elapsed().saturating_sub(phase.began + paused)
            }
            None => Duration::ZERO,
        };
        let mut left = Duration::ZERO;
        for phase in self.info.phases.iter().skip(current) {
            left += phase.duration?;
        }
        Some(left.saturating_sub(into))
    }
}
