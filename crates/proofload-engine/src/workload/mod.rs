//! Where the work of virtual users comes from.
//!
//! The engine knows when a user starts, iterates, pauses and stops; it does not know what the user
//! does. That is a workload's business: the tasks of a plan , users written in Rust,
//! and whatever comes later. N load shapes and M workloads are N + M files.
//!
//! A workload is shared by all workers. Each worker opens it once ([`Workload::open`]) and gets a
//! [`UserSource`] of its own, which lives on the worker's thread and shares nothing.

pub mod code;
mod exchange;
mod scripted;

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use proofload_core::plan::ThinkTime;
use proofload_core::schedule::Shard;
use tokio::sync::Notify;

pub(crate) use self::scripted::client_settings;
pub use self::scripted::{Scripted, ScriptedSource, ScriptedUser};
use crate::worker::Recorder;

/// A source of work, shared by all workers of a run.
pub trait Workload: Send + Sync + 'static {
    /// What one worker makes its users from.
    type Source: UserSource;

    /// Prepares the workload on a worker's thread, inside its runtime.
    ///
    /// # Errors
    /// Whatever keeps the worker from starting; it ends the run before any load is put on.
    fn open(self: Arc<Self>, worker: &WorkerContext) -> Result<Self::Source, SetupError>;
}

/// Makes the virtual users of one worker.
pub trait UserSource: 'static {
    /// A virtual user.
    type User: VirtualUser;

    /// Makes the user that sits on `seat`. Must not block.
    fn user(&self, seat: Rc<Seat>) -> Self::User;

    /// The most connections open at once since the last call, for the generator's own health.
    fn open_connections(&self) -> u32;
}

/// One virtual user, from its start to its end.
pub trait VirtualUser: 'static {
    /// What the user does once, before its first iteration.
    fn start(&mut self) -> impl Future<Output = Outcome>;

    /// One iteration, without the pause after it.
    fn iterate(&mut self) -> impl Future<Output = Outcome>;

    /// The pause after the iteration that has just ended. Not asked for in the open model, where the
    /// schedule says when the next iteration starts.
    fn think_time(&mut self) -> Duration;

    /// What the user does once, when it leaves in good order.
    fn stop(&mut self) -> impl Future<Output = ()>;
}

/// How a user's start or one of its iterations ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything went well.
    Completed,
    /// Something failed; it has been recorded where it happened.
    Failed,
    /// There is no work left for this user (its data is used up). It leaves.
    Exhausted,
}

/// Why a workload cannot run.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct SetupError(pub String);

/// What a workload may know about the worker it is opened on.
#[derive(Debug)]
pub struct WorkerContext {
    /// Which part of the users and rows of data is this worker's.
    pub shard: Shard,
    /// The worker's measurements.
    pub recorder: Rc<Recorder>,
    /// Seed of every random choice of the run.
    pub seed: u64,
}

/// What holds for every user of a phase.
#[derive(Debug)]
pub struct PhaseContext {
    /// The phase's place in the plan.
    pub index: usize,
    /// Iterations start when the schedule says so, all of them or those of bursts: response time and
    /// service time may differ.
    pub open: bool,
    /// Think time of the phase instead of the users' own.
    pub think_time: Option<ThinkTime>,
    /// The worker's measurements.
    pub recorder: Rc<Recorder>,
    /// Seed of every random choice of the run.
    pub seed: u64,
}

/// A user's place in the load: who it is, and what the worker tells it.
#[derive(Debug)]
pub struct Seat {
    /// Number of the user within the phase over all workers, from 1.
    pub user_id: u64,
    /// Which kind of user sits here.
    pub kind: usize,
    /// What holds for every user of the phase.
    pub phase: Rc<PhaseContext>,
    intended: Cell<Option<Instant>>,
    owes_iteration: Cell<bool>,
    retired: Cell<bool>,
    wake: Notify,
}

impl Seat {
    pub(crate) fn new(user_id: u64, kind: usize, phase: Rc<PhaseContext>) -> Rc<Self> {
        let (intended, owes_iteration) = (Cell::new(None), Cell::new(false));
        let (retired, wake) = (Cell::new(false), Notify::new());
        Rc::new(Self { user_id, kind, phase, intended, owes_iteration, retired, wake })
    }

    /// When the iteration that now begins was to start, if the schedule said so and nobody has asked
    /// yet: the first request of an iteration measures its response time from then. Later requests
    /// follow from earlier ones and start when they start.
    pub fn take_intended_start(&self) -> Option<Instant> {
        self.intended.take()
    }

    /// The intended start, if nobody has taken it yet.
    pub(crate) fn intended_start(&self) -> Option<Instant> {
        self.intended.get()
    }

    /// Moves an intended start that has not been taken: a pause before the first request was meant to
    /// be there.
    pub fn postpone_intended_start(&self, by: Duration) {
        self.intended.set(self.intended.get().map(|at| at + by));
    }

    pub(crate) fn set_intended_start(&self, at: Option<Instant>) {
        self.intended.set(at);
    }

    /// Whether an arrival was given to the user whose iteration has not begun. If the user leaves
    /// like that, however that comes about, the arrival is lost and has to be counted.
    pub(crate) fn owes_iteration(&self) -> bool {
        self.owes_iteration.get()
    }

    pub(crate) fn set_owes_iteration(&self, owes: bool) {
        self.owes_iteration.set(owes);
    }

    /// Gives the user an arrival that was to start at `intended`.
    pub(crate) fn accept_arrival(&self, intended: Instant) {
        self.intended.set(Some(intended));
        self.owes_iteration.set(true);
    }

    /// Whether the user is to leave after what it is doing now.
    pub fn is_retired(&self) -> bool {
        self.retired.get()
    }

    /// Asks the user to leave after what it is doing now.
    pub(crate) fn retire(&self) {
        self.retired.set(true);
        self.wake.notify_one();
    }

    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Waits for [`Seat::wake`] or [`Seat::retire`].
    pub(crate) async fn woken(&self) {
        self.wake.notified().await;
    }

    /// Pauses; a user that is asked to leave leaves without finishing its pause.
    pub async fn pause(&self, time: Duration) {
        if time.is_zero() || self.is_retired() {
            return;
        }
        let _ = tokio::time::timeout(time, self.woken()).await;
    }
}
