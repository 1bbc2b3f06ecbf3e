//! What the page asks of this process: plans, starting, steering, runs of the past.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use proofload_core::result::RunResult;
use proofload_dashboard::{Control, PastRun, PlanInfo, Refusal, Runner, StartRequest};
use proofload_engine::Stop;
use proofload_engine::run::Controls;

use super::past::PastRuns;

/// The way to the run that is under way, if there is one.
#[derive(Debug, Default)]
pub(super) struct Steering(Mutex<Option<Controls>>);

impl Steering {
    /// A run has begun.
    pub(super) fn take(&self, run: Controls) {
        *self.run() = Some(run);
    }

    /// It is over.
    pub(super) fn let_go(&self) {
        *self.run() = None;
    }

    fn control(&self, control: Control) -> Result<(), Refusal> {
        let run = self.run();
        let run = run.as_ref().ok_or_else(|| Refusal::new("no run is under way"))?;
        match control {
            Control::Stop => run.stop(Stop::Gracefully),
            Control::StopNow => run.stop(Stop::Now),
            Control::Pause => run.pause(),
            Control::Resume => run.resume(),
            Control::Scale { factor } => {
                return run.scale(factor).map_err(|error| Refusal::new(error.to_string()));
            }
            Control::EndPhase => run.end_phase(),
        }
        Ok(())
    }

    fn run(&self) -> MutexGuard<'_, Option<Controls>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the page talks to.
#[derive(Debug)]
pub(super) struct Desk {
    plans: Vec<PlanInfo>,
    steering: Arc<Steering>,
    past: PastRuns,
    /// Where requests go, if runs are started from the page.
    asked: Option<SyncSender<StartRequest>>,
    is_busy: AtomicBool,
}

impl Desk {
    pub(super) fn new(
        plans: Vec<PlanInfo>,
        steering: Arc<Steering>,
        results: PathBuf,
        asked: Option<SyncSender<StartRequest>>,
    ) -> Self {
        let past = PastRuns::new(results);
        Self { plans, steering, past, asked, is_busy: AtomicBool::new(false) }
    }

    /// What was asked for is done.
    pub(super) fn is_free(&self) {
        self.is_busy.store(false, Ordering::Release);
    }
}

impl Runner for Desk {
    fn plans(&self) -> Vec<PlanInfo> {
        self.plans.clone()
    }

    fn start(&self, request: &StartRequest) -> Result<(), Refusal> {
        let Some(asked) = &self.asked else {
            return Err(Refusal::new("this page follows a run; it starts none"));
        };
        // Two viewers may press at the same time.
        if self.is_busy.swap(true, Ordering::AcqRel) {
            return Err(Refusal::new("a run is under way"));
        }
        asked.try_send(request.clone()).map_err(|_| {
            self.is_free();
            Refusal::new("this process is about to end")
        })
    }

    fn control(&self, control: Control) -> Result<(), Refusal> {
        self.steering.control(control)
    }

    fn past_runs(&self) -> Vec<PastRun> {
        self.past.list()
    }

    fn past_result(&self, id: &str) -> Option<RunResult> {
        self.past.result(id)
    }
}
