//! Drives one phase on one worker: asks the schedule what is next, waits, and tells the pool.

use std::rc::Rc;
use std::time::{Duration, Instant};

use proofload_core::schedule::{Schedule, Step};

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
    pub(super) schedule: Box<dyn Schedule + Send>,
    pub(super) started: Instant,
    pub(super) stop: &'a StopSignal,
    pub(super) timer: &'a mut PreciseTimer,
    pub(super) ending: Ending,
    pub(super) graceful_stop: Duration,
}

enum Woken {
    Due,
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
        loop {
            match self.schedule.next(self.started.elapsed()) {
                Step::Finished => return,
                Step::Users { active, until } => {
                    self.pool.set_looping(active);
                    if matches!(self.wait_until(until).await, Woken::Over) {
                        return;
                    }
                }
                Step::Start { at } => {
                    if at > self.started.elapsed() || in_a_row >= ARRIVALS_IN_A_ROW {
                        in_a_row = 0;
                        if matches!(self.wait_until(at).await, Woken::Over) {
                            return;
                        }
                    }
                    in_a_row += 1;
                    self.pool.arrive(self.started + at);
                }
            }
        }
    }

    /// Waits until `until` since the start, at least one turn of the event loop.
    async fn wait_until(&mut self, until: Duration) -> Woken {
        if self.is_over() {
            return Woken::Over;
        }
        let deadline = self.started + until;
        loop {
            if deadline.saturating_duration_since(Instant::now()) < NEAR {
                while Instant::now() < deadline {
                    tokio::task::yield_now().await;
                }
                tokio::task::yield_now().await;
                return if self.is_over() { Woken::Over } else { Woken::Due };
            }
            tokio::select! {
                () = self.timer.sleep_until(deadline) => return Woken::Due,
                () = self.stop.reached(Stop::Gracefully) => return Woken::Over,
                () = self.pool.emptied() => if self.is_over() { return Woken::Over },
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
