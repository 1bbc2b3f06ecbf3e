//! Starting a run and holding on to it.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use proofload_core::event::RunEvent;
use proofload_core::plan::Plan;
use proofload_core::schedule::Shard;

use super::controls::Controls;
use super::dispatcher::{Dispatcher, Message};
use super::outcome::{RunFacts, RunOutcome};
use crate::system::raise_descriptor_limit;
use crate::worker::{Report, Stop, Worker, WorkerSetup};
use crate::workload::{SetupError, Workload};

/// Seconds for which the events of a run may wait for a slow listener; further ones are dropped, the
/// run does not wait. A snapshot may take 100 KB, so the number matters.
const EVENT_BUFFER_SECONDS: usize = 10;

/// How many events may wait: each second has a snapshot of each worker and what follows from them.
pub(super) fn event_buffer(workers: u32) -> usize {
    EVENT_BUFFER_SECONDS * (workers as usize + 2)
}

/// What can be chosen about a run besides its plan.
#[derive(Clone, Copy, Debug, Default)]
pub struct RunOptions {
    /// How many workers; by default as many as the process may use cores.
    pub workers: Option<u32>,
    /// Seed of every random choice, instead of the plan's; by default a fresh one.
    pub seed: Option<u64>,
}

/// Why a run could not start. No load has been put on.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The system had no thread to give.
    #[error("a thread could not be started: {0}")]
    Thread(#[from] std::io::Error),
    /// The workload cannot run.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// A worker ended while it was being set up.
    #[error("a worker ended unexpectedly while it was being set up")]
    WorkerLost,
}

/// A run that is under way. Dropping it cuts the run off.
#[derive(Debug)]
pub struct RunHandle {
    inbox: Sender<Message>,
    events: Receiver<RunEvent>,
    facts: RunFacts,
    /// The phase that runs.
    phase: Arc<AtomicUsize>,
    dispatcher: Option<JoinHandle<RunOutcome>>,
}

impl RunHandle {
    /// What stops, pauses and scales the run, also from elsewhere.
    #[must_use]
    pub fn controls(&self) -> Controls {
        Controls::new(self.inbox.clone(), Arc::clone(&self.phase))
    }

    /// What the run is made of.
    #[must_use]
    pub fn facts(&self) -> RunFacts {
        self.facts
    }

    /// What happens, as it happens. Ends with the run.
    pub fn events(&self) -> impl Iterator<Item = RunEvent> + '_ {
        self.events.iter()
    }

    /// The next event within `patience`.
    ///
    /// # Errors
    /// [`RecvTimeoutError::Timeout`] if nothing happened, [`RecvTimeoutError::Disconnected`] once the
    /// run has ended.
    pub fn next_event(&self, patience: Duration) -> Result<RunEvent, RecvTimeoutError> {
        self.events.recv_timeout(patience)
    }

    /// Waits for the end of the run.
    ///
    /// # Panics
    /// If the dispatcher did: that is a bug of ours.
    #[must_use]
    pub fn wait(mut self) -> RunOutcome {
        // Nobody reads events any more, and nobody has to.
        for _event in &self.events {}
        let dispatcher = self.dispatcher.take().expect("only `wait` and `drop` take it");
        dispatcher.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

impl Drop for RunHandle {
    fn drop(&mut self) {
        if let Some(dispatcher) = self.dispatcher.take() {
            let _ = self.inbox.send(Message::Stop(Stop::Now));
            let _ = dispatcher.join();
        }
    }
}

/// Opens `workload` on every worker and starts the first phase of `plan`.
///
/// Also raises this process's limit on open descriptors as far as it goes.
///
/// # Errors
/// When threads cannot be made or the workload cannot be opened. No load has been put on then.
pub fn start<W: Workload>(
    plan: Arc<Plan>,
    workload: &Arc<W>,
    options: RunOptions,
) -> Result<RunHandle, StartError> {
    let descriptor_limit = raise_descriptor_limit();
    let seed = options.seed.or(plan.seed).unwrap_or_else(|| fastrand::u64(..));
    let count = options.workers.unwrap_or_else(available_cores).max(1);
    let (inbox, messages) = channel();
    let workers = (0..count)
        .map(|index| {
            let shard = Shard::new(index, count);
            let (workload, reports) = (Arc::clone(workload), inbox.clone());
            Worker::spawn(WorkerSetup { shard, workload, seed, reports })
        })
        .collect::<Result<Vec<_>, _>>()?;
    wait_until_open(&messages, count)?;
    let (event_sender, events) = sync_channel(event_buffer(count));
    let facts = RunFacts { workers: count, seed, descriptor_limit };
    let phase = Arc::<AtomicUsize>::default();
    let shown = Arc::clone(&phase);
    let dispatcher = Dispatcher::new(plan, workers, messages, event_sender, facts, shown);
    let dispatcher =
        std::thread::Builder::new().name("dispatcher".to_owned()).spawn(|| dispatcher.run())?;
    Ok(RunHandle { inbox, events, facts, phase, dispatcher: Some(dispatcher) })
}

fn wait_until_open(messages: &Receiver<Message>, count: u32) -> Result<(), StartError> {
    for _ in 0..count {
        match messages.recv() {
            Ok(Message::Worker { report: Report::Opened(result), .. }) => result?,
            _ => return Err(StartError::WorkerLost),
        }
    }
    Ok(())
}

fn available_cores() -> u32 {
    std::thread::available_parallelism().map_or(1, |cores| cores.get() as u32)
}
