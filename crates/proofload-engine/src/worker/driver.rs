//! Drives one phase on one worker: asks the schedule what is next, waits, and tells the pool.

use std::rc::Rc;
use std::time::{Duration, Instant};

use proofload_core::plan::Load;
use proofload_core::schedule::{PhaseSchedule, Schedule, Shard, Step};

use super::control::{Change, Control};
use super::pool::Pool;
use super::stop::{Stop, StopSignal};
use super::timer::PreciseTimer;
use crate::workload::UserSource;

/// Arrivals nearer than this are waited for by going round the event loop, which does useful work,
/// instead of by setting a timer, which costs more than the wait.
const NEAR: Duration = Duration::from_micros(25);

/// Arrivals that may be started in a row before the event loop gets its turn: a burst begins as one,
/// and one too large for that does not starve everything else.
const ARRIVALS_IN_A_ROW: u32 = 1_000;

/// When a phase ends other than by the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Only by the clock.
    Clock,
    /// Also when all iterations are done; this shard seats so many users in all.
    WorkDone {
        /// Looping users of this shard at the peak.
        seats: u32,
    },
}

/// Everything one worker needs to drive one phase.
pub(super) struct Driver<'a, S: UserSource> {
    pub(super) pool: Rc<Pool<S>>,
    pub(super) schedule: PhaseSchedule,
    pub(super) shard: Shard,
    pub(super) started: Instant,
    pub(super) control: Rc<Control>,
    pub(super) stop: &'a StopSignal,
    pub(super) timer: &'a mut PreciseTimer,
    pub(super) ending: Ending,
    pub(super) graceful_stop: Duration,
}

enum Woken {
    Due,
    /// Not yet due, but something has changed that may change what is.
    Changed,
    Over,
}

impl<S: UserSource> Driver<'_, S> {
    /// Runs the phase to its end: until the last user has left or been cut off.
    pub(super) async fn run(mut self) {
        self.timer.sleep_until(self.started).await;
        self.follow_schedule().await;
        self.wind_down().await;
    }

    async fn follow_schedule(&mut self) {
        let mut in_a_row = 0;
        let mut step = self.schedule.next(self.control.load_time());
        loop {
            if self.is_beyond_change(step) {
                self.change_load();
                step = self.schedule.next(self.control.load_time());
            }
            match step {
                Step::Finished => return,
                Step::Users { active, until } => {
                    self.pool.set_looping(active);
                    let until = self.control.change_from().map_or(until, |from| from.min(until));
                    if matches!(self.wait_until(until).await, Woken::Over) {
                        return;
                    }
                }
                Step::Start { at } => {
                    let intended = self.control.instant_of(at);
                    let is_due = intended.is_some_and(|intended| intended <= Instant::now());
                    if !is_due || in_a_row >= ARRIVALS_IN_A_ROW {
                        in_a_row = 0;
                        match self.wait_until(at).await {
                            Woken::Over => return,
                            Woken::Due => {}
                            Woken::Changed => continue,
                        }
                    }
                    in_a_row += 1;
                    // Where it has come to be: pauses before it have moved it.
                    if let Some(intended) = self.control.instant_of(at) {
                        self.pool.arrive(intended);
                    }
                }
            }
            step = self.schedule.next(self.control.load_time());
        }
    }

    /// Whether the load is to be another one before `step` is performed.
    fn is_beyond_change(&self, step: Step) -> bool {
        self.control.change_from().is_some_and(|from| match step {
            Step::Start { at } => at >= from,
            Step::Users { .. } => self.control.load_time() >= from,
            Step::Finished => false,
        })
    }

    fn change_load(&mut self) {
        let Some(Change { phase, from }) = self.control.take_change() else { return };
        self.schedule.reshape(&phase, from);
        match &phase.load {
            Load::Arrivals(load) => self.pool.set_max_arriving(load.max_users),
            Load::Users(_) | Load::SharedIterations { .. } => {}
        }
        if let Ending::WorkDone { seats } = &mut self.ending {
            *seats = self.shard.share_of(phase.load.peak_users());
        }
    }

    /// Waits until the load time is `until`, at least one turn of the event loop.
    async fn wait_until(&mut self, until: Duration) -> Woken {
        if self.is_over() {
            return Woken::Over;
        }
        loop {
            if self.control.reopens_at().is_some_and(|at| at <= Instant::now()) {
                self.control.gate().open();
            }
            // While the load is paused nothing is due but its end.
            let reopens = self.control.reopens_at();
            let deadline = reopens.or_else(|| self.control.instant_of(until));
            if deadline.is_some_and(|at| at.saturating_duration_since(Instant::now()) < NEAR) {
                while deadline.is_some_and(|at| Instant::now() < at) {
                    tokio::task::yield_now().await;
                }
                tokio::task::yield_now().await;
                if self.is_over() {
                    return Woken::Over;
                }
            } else {
                tokio::select! {
                    () = sleep_until(self.timer, deadline) => {}
                    () = self.stop.reached(Stop::Gracefully) => return Woken::Over,
                    () = self.pool.emptied() => if self.is_over() { return Woken::Over },
                    () = self.control.changed() => {
                        if self.control.change_from().is_some() {
                            return Woken::Changed;
                        }
                    }
                }
            }
            // Not if the load has been paused in the meantime.
            if self.control.instant_of(until).is_some_and(|at| at <= Instant::now()) {
                return Woken::Due;
            }
        }
    }

    fn is_over(&self) -> bool {
        if self.stop.level() >= Stop::Gracefully {
            return true;
        }
        match self.ending {
            Ending::Clock => false,
            Ending::WorkDone { seats } => {
                let all_came = self.pool.is_used_up() || self.pool.looping() >= seats;
                self.pool.live() == 0 && all_came
            }
        }
    }

    /// Lets what is in flight finish, and cuts off what does not.
    async fn wind_down(&self) {
        self.pool.close(self.stop.level() < Stop::Gracefully);
        // Who is left serves an arrival that was due before.
        self.control.gate().open();
        let deadline = tokio::time::Instant::now() + self.graceful_stop;
        while self.pool.live() > 0 && self.stop.level() < Stop::Now {
            tokio::select! {
                () = self.pool.emptied() => {}
                () = tokio::time::sleep_until(deadline) => break,
                () = self.stop.reached(Stop::Gracefully), if self.stop.level() == Stop::No => {
                    self.pool.drop_backlog();
                }
                () = self.stop.reached(Stop::Now) => {}
            }
        }
        self.pool.abort();
        while self.pool.live() > 0 {
            self.pool.emptied().await;
        }
    }
}

/// Sleeps, where there is nothing to wait for, for ever.
async fn sleep_until(timer: &mut PreciseTimer, deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => timer.sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
