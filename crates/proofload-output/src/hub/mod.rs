//! Fans the events of a run out to its outputs, and never waits for one.
//!
//! Every output has a thread and a bounded queue. What does not fit into the queue is dropped and
//! counted; what an output complains of is told once for each sort of trouble, not once a second; one
//! that panics is let go. At the end the outputs have a bounded time to pass on what they have, and are
//! left behind after that.

mod queue;
mod report;
mod serve;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use proofload_core::event::RunEvent;
use proofload_core::result::RunResult;

use self::queue::Queue;
use self::serve::{Status, serve};
use crate::output::{Interest, Output};

pub use report::{OutputReport, OutputState};

/// Seconds of measurements that may wait for an output. A snapshot may take 100 KB, so the number
/// matters; outputs share the snapshots.
const QUEUE_SECONDS: usize = 15;

/// Complaints that may wait for whoever shows them; there are only a few sorts of them.
const MAX_COMPLAINTS: usize = 64;

/// Something that the user should know about an output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// The output's name.
    pub output: String,
    /// What it is, without the name.
    pub text: String,
}

impl std::fmt::Display for Complaint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.output, self.text)
    }
}

/// The outputs of a run.
#[derive(Debug)]
pub struct Hub {
    seats: Vec<Seat>,
    capacity: usize,
    complain: SyncSender<Complaint>,
    complaints: Receiver<Complaint>,
}

/// An output as the hub sees it: the output itself is on its thread.
#[derive(Debug)]
struct Seat {
    name: String,
    interest: Interest,
    queue: Arc<Queue>,
    status: Arc<Status>,
}

impl Hub {
    /// A hub for a run on so many shards (workers): each sends a snapshot a second.
    #[must_use]
    pub fn new(shards: u32) -> Self {
        let (complain, complaints) = sync_channel(MAX_COMPLAINTS);
        let capacity = QUEUE_SECONDS.saturating_mul(shards as usize + 1);
        Self { seats: Vec::new(), capacity, complain, complaints }
    }

    /// Adds an output; it hears what is told from now on.
    ///
    /// # Errors
    /// When the system has no thread for it.
    pub fn add(&mut self, output: Box<dyn Output>) -> std::io::Result<()> {
        let (name, interest) = (output.name(), output.interest());
        let (queue, status) = (Arc::new(Queue::new(self.capacity)), Arc::new(Status::default()));
        let at_work = (Arc::clone(&queue), Arc::clone(&status), self.complain.clone());
        std::thread::Builder::new().name("output".to_owned()).spawn(move || {
            let (queue, status, complain) = at_work;
            serve(output, &queue, &status, &complain);
        })?;
        self.seats.push(Seat { name, interest, queue, status });
        Ok(())
    }

    /// Whether there is no output.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.seats.is_empty()
    }

    /// Tells all outputs of an event. Never waits.
    pub fn tell(&self, event: &RunEvent) {
        for seat in self.seats.iter().filter(|seat| seat.interest.includes(event)) {
            if seat.queue.put(event.clone()) {
                let text = "does not keep up; what it misses is dropped and counted";
                let complaint = Complaint { output: seat.name.clone(), text: text.to_owned() };
                // Nobody listens to so many: they hear of it in the report.
                let _ = self.complain.try_send(complaint);
            }
        }
    }

    /// Complaints since the last call, in the order in which they came up. Never waits.
    pub fn complaints(&self) -> impl Iterator<Item = Complaint> + '_ {
        self.complaints.try_iter()
    }

    /// Waits until the outputs have done what they were told, at most so long: then their states and
    /// complaints can go into the result. Whether all have.
    pub fn settle(&self, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        self.seats.iter().all(|seat| seat.queue.wait_until_drained(deadline))
    }

    /// How the outputs are doing.
    #[must_use]
    pub fn reports(&self) -> Vec<OutputReport> {
        self.seats.iter().map(Seat::report).collect()
    }

    /// Tells all outputs that the run is over, and waits at most `patience` for all of them together.
    /// Those that are not done by then are left behind, which their reports say.
    #[must_use]
    pub fn finish(self, result: Option<&RunResult>, patience: Duration) -> Vec<OutputReport> {
        let deadline = Instant::now() + patience;
        let result = result.cloned().map(Arc::new);
        for seat in &self.seats {
            seat.queue.finish(result.clone());
        }
        for seat in &self.seats {
            if !seat.queue.wait_until_drained(deadline) {
                seat.status.leave_behind();
            }
        }
        self.reports()
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.seats.iter().for_each(|seat| seat.queue.close());
    }
}

impl Seat {
    fn report(&self) -> OutputReport {
        self.status.report(self.name.clone(), self.queue.dropped())
    }
}

#[cfg(test)]
mod tests;
