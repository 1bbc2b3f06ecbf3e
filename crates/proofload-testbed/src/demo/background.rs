//! Work that nobody waits for: sending notifications, behind the answer, in a bounded queue.

use std::sync::Mutex;
use std::time::Duration;

use proofload_kit::registry::{Counter, Gauge};
use proofload_kit::{BuildError, Registry};
use tokio::sync::mpsc::{self, Receiver, Sender};

use super::state::lock;

/// Tasks that may wait; further ones are dropped and counted.
const MAX_WAITING: usize = 1_000;
/// How long a notification takes to send.
const NOTIFYING: Duration = Duration::from_millis(5);

/// Tell somebody that there is a message.
#[derive(Debug)]
pub(crate) struct Notification {
    pub(crate) recipient: String,
}

/// The queue of tasks.
#[derive(Debug)]
pub(crate) struct Background {
    queue: Sender<Notification>,
    /// Until somebody works it off.
    waiting: Mutex<Option<Receiver<Notification>>>,
    depth: Gauge,
    done: Counter,
    dropped: Counter,
}

impl Background {
    pub(crate) fn new(registry: &Registry) -> Result<Self, BuildError> {
        let (queue, waiting) = mpsc::channel(MAX_WAITING);
        Ok(Self {
            queue,
            waiting: Mutex::new(Some(waiting)),
            depth: registry.gauge("background_queue_depth", "Tasks that wait")?,
            done: registry.counter("background_tasks_done", "Tasks done")?,
            dropped: registry
                .counter("background_tasks_dropped", "Tasks dropped because the queue was full")?,
        })
    }

    /// Leaves a task for later; a full queue drops it, as the answer must not wait for that.
    pub(crate) fn later(&self, task: Notification) {
        match self.queue.try_send(task) {
            Ok(()) => self.depth.add(1.0),
            Err(_) => self.dropped.increment(),
        }
    }

    /// Works off what is left, one after the other, for as long as it is polled. There is one worker: further
    /// ones have nothing to do.
    pub(crate) async fn work(&self) {
        let waiting = lock(&self.waiting).take();
        if let Some(mut waiting) = waiting {
            while let Some(Notification { recipient }) = waiting.recv().await {
                self.depth.add(-1.0);
                // Nobody is there to be told; it takes as long as it would.
                drop(recipient);
                tokio::time::sleep(NOTIFYING).await;
                self.done.increment();
            }
        }
        std::future::pending::<()>().await;
    }
}
