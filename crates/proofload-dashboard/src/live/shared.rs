//! What the dashboard's tasks share.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};

use super::frame::Frame;
use super::state::Live;
use crate::config::Config;
use crate::page;
use crate::runner::{PastRun, PlanInfo, Runner, is_run_id};

/// Past runs that are listed.
const MAX_PAST_RUNS: usize = 100;

/// What the dashboard's tasks share.
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) runner: Arc<dyn Runner>,
    /// Without secrets.
    pub(crate) plans: Vec<PlanInfo>,
    live: Mutex<Live>,
    frames: watch::Sender<Arc<Frame>>,
    viewers: AtomicUsize,
    /// Somebody came to look.
    looked_at: Notify,
    /// Something was done from the page.
    touched: Notify,
    /// When the latest picture was drawn.
    drawn: Mutex<Option<Instant>>,
    /// Tells this dashboard from an earlier one on the same port.
    pub(crate) instance: String,
    past_runs: Mutex<Arc<Vec<PastRun>>>,
    /// Somebody wanted to see them: nobody's files are read for nothing.
    are_past_runs_wanted: AtomicBool,
}

/// Somebody who looks, counted for as long as this is kept.
pub(crate) struct Viewer {
    shared: Arc<Shared>,
    pub(crate) frames: watch::Receiver<Arc<Frame>>,
}

impl Drop for Viewer {
    fn drop(&mut self) {
        self.shared.viewers.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Shared {
    pub(crate) fn new(
        config: Config,
        runner: Arc<dyn Runner>,
        frames: watch::Sender<Arc<Frame>>,
        instance: String,
    ) -> Self {
        let plans =
            runner.plans().into_iter().map(|plan| plan.redacted(&config.redactor)).collect();
        Self {
            config,
            runner,
            plans,
            live: Mutex::default(),
            frames,
            viewers: AtomicUsize::new(0),
            looked_at: Notify::new(),
            touched: Notify::new(),
            drawn: Mutex::default(),
            instance,
            past_runs: Mutex::default(),
            are_past_runs_wanted: AtomicBool::new(false),
        }
    }

    /// The state of the run.
    pub(crate) fn live(&self) -> MutexGuard<'_, Live> {
        lock(&self.live)
    }

    /// How many look at the page.
    pub(crate) fn viewers(&self) -> usize {
        self.viewers.load(Ordering::Relaxed)
    }

    /// Counts a viewer in, unless there are so many already.
    pub(crate) fn let_in(self: &Arc<Self>, most: usize) -> Option<Viewer> {
        if self.viewers.fetch_add(1, Ordering::Relaxed) >= most {
            self.viewers.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        let viewer = Viewer { shared: Arc::clone(self), frames: self.frames.subscribe() };
        self.looked_at.notify_one();
        Some(viewer)
    }

    /// Returns when a viewer has come.
    pub(crate) async fn looked_at(&self) {
        self.looked_at.notified().await;
    }

    /// Something was done: viewers should see it soon.
    pub(crate) fn touch(&self) {
        self.touched.notify_one();
    }

    /// Returns when something was done.
    pub(crate) async fn touched(&self) {
        self.touched.notified().await;
    }

    /// Runs that have ended, as last looked up.
    pub(crate) fn past_runs(&self) -> Arc<Vec<PastRun>> {
        Arc::clone(&lock(&self.past_runs))
    }

    /// Looks up runs that have ended, if nobody has wanted them before.
    pub(crate) fn want_past_runs(self: &Arc<Self>) {
        if !self.are_past_runs_wanted.swap(true, Ordering::Relaxed) {
            self.refresh_past_runs();
        }
    }

    /// Looks them up again, elsewhere than on this thread, if anybody has wanted them.
    pub(crate) fn refresh_past_runs(self: &Arc<Self>) {
        if self.are_past_runs_wanted.load(Ordering::Relaxed) {
            let shared = Arc::clone(self);
            tokio::task::spawn_blocking(move || shared.look_up_past_runs());
        }
    }

    /// Looks up runs that have ended. Reads files: not on the dashboard's thread.
    pub(crate) fn look_up_past_runs(&self) {
        let redactor = &self.config.redactor;
        let runs = self.runner.past_runs().into_iter().filter(|run| is_run_id(&run.id));
        let runs = runs.take(MAX_PAST_RUNS).map(|run| run.redacted(redactor)).collect();
        *lock(&self.past_runs) = Arc::new(runs);
        self.touch();
    }

    /// The latest picture.
    pub(crate) fn frame(&self) -> Arc<Frame> {
        Arc::clone(&self.frames.borrow())
    }

    /// Draws a picture and shows it to all viewers.
    pub(crate) fn draw(&self) -> Arc<Frame> {
        let pieces = page::pieces(self, &self.live());
        let frame = Arc::new(self.frame().next(pieces));
        *lock(&self.drawn) = Some(Instant::now());
        self.frames.send_replace(Arc::clone(&frame));
        frame
    }

    /// How long ago the latest picture was drawn; none if there is none.
    pub(crate) fn drawn_ago(&self) -> Option<Duration> {
        lock(&self.drawn).map(|at| at.elapsed())
    }

    /// A picture that is at most so old.
    pub(crate) fn recent(&self, age: Duration) -> Arc<Frame> {
        match self.drawn_ago() {
            Some(ago) if ago <= age => self.frame(),
            _ => self.draw(),
        }
    }

    /// Draws for the last time, if anybody looks.
    pub(crate) fn draw_last(&self) {
        if self.viewers() > 0 {
            self.live().is_over = true;
            self.draw();
        }
    }
}

/// Nothing in there is left half-done by a panic in a way that matters for a picture.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
