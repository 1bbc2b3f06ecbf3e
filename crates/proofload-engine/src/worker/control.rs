//! What a worker is told about the load of the phase it runs: paused, resumed, more or less of it.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::{Duration, Instant};

use proofload_core::plan::Phase;
use proofload_core::schedule::LoadClock;
use tokio::sync::Notify;

use crate::workload::Seat;

/// The same phase with more or less load.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    /// The phase, scaled.
    pub(crate) phase: Arc<Phase>,
    /// Load time from which on it holds, the same for all workers.
    pub(crate) from: Duration,
}

/// The controls of one phase on one worker. Those who hold the wheel and those who follow share it.
#[derive(Debug)]
pub(super) struct Control {
    started: Instant,
    clock: Cell<LoadClock>,
    gate: Gate,
    change: RefCell<Option<Change>>,
    changed: Notify,
}

impl Control {
    /// For a phase that began, or begins, at `started`.
    pub(super) fn new(started: Instant, clock: LoadClock) -> Self {
        let gate = Gate { is_closed: Cell::new(clock.is_paused()), opened: Notify::new() };
        let (change, changed) = (RefCell::new(None), Notify::new());
        Self { started, clock: Cell::new(clock), gate, change, changed }
    }

    /// The load is paused, or will be resumed.
    pub(super) fn set_clock(&self, clock: LoadClock) {
        self.clock.set(clock);
        if clock.is_paused() {
            self.gate.is_closed.set(true);
        }
        self.changed.notify_one();
    }

    /// There is to be more or less load.
    pub(super) fn set_change(&self, change: Change) {
        self.change.replace(Some(change));
        self.changed.notify_one();
    }

    /// Waits for the next of these.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    pub(super) fn gate(&self) -> &Gate {
        &self.gate
    }

    pub(super) fn clock(&self) -> LoadClock {
        self.clock.get()
    }

    /// The load time now.
    pub(super) fn load_time(&self) -> Duration {
        self.clock.get().load_at(self.started.elapsed())
    }

    /// The moment of a load time, unless a pause that lasts comes before it.
    pub(super) fn instant_of(&self, load: Duration) -> Option<Instant> {
        self.clock.get().wall_of(load).map(|wall| self.started + wall)
    }

    /// When the pause is over, where its end is known and users still wait for it.
    pub(super) fn reopens_at(&self) -> Option<Instant> {
        let wall = self.clock.get().resumes_at().filter(|_| self.gate.is_closed.get());
        wall.map(|wall| self.started + wall)
    }

    /// When the change that nobody has made yet is due.
    pub(super) fn change_from(&self) -> Option<Duration> {
        self.change.borrow().as_ref().map(|change| change.from)
    }

    /// The change, for whoever makes it.
    pub(super) fn take_change(&self) -> Option<Change> {
        self.change.take()
    }
}

/// Where users wait between two iterations while the load is paused.
#[derive(Debug)]
pub(super) struct Gate {
    is_closed: Cell<bool>,
    opened: Notify,
}

impl Gate {
    /// Lets everybody pass.
    pub(super) fn open(&self) {
        self.is_closed.set(false);
        self.opened.notify_waiters();
    }

    /// Passes once the gate is open, or if the user is to leave.
    #[inline]
    pub(super) async fn pass(&self, seat: &Seat) {
        if self.is_closed.get() {
            self.wait(seat).await;
        }
    }

    async fn wait(&self, seat: &Seat) {
        let came = Instant::now();
        while self.is_closed.get() && !seat.is_retired() {
            tokio::select! {
                () = self.opened.notified() => {}
                () = seat.woken() => {}
            }
        }
        // Nobody is to blame for the pause.
        seat.postpone_intended_start(came.elapsed());
    }
}
