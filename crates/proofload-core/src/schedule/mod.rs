//! Load shapes as schedules.
//!
//! A schedule answers one question: *given the time since the phase began, what is to be done next?*
//! It never reads a clock and never waits: whoever drives it passes the elapsed time in and sleeps
//! until the time that comes back. The same schedule therefore runs in a worker, in a simulation and
//! in a test, and N shapes times M sources of work stay N + M files.
//!
//! Every schedule is cut into shards ([`Shard`]): worker *i* of *n* gets every *n*-th user and every
//! *n*-th arrival, computed on its own, so that workers never have to talk about who starts what.

mod arrivals;
mod clock;
mod merged;
mod mix;
mod of_phase;
mod profile;
mod shard;
mod users;

use std::time::Duration;

pub use arrivals::{ArrivalSchedule, Spacing};
pub use clock::LoadClock;
pub use merged::MergedSchedule;
pub use mix::{Mix, MixEntry};
pub use of_phase::{PhaseSchedule, of_phase};
pub use profile::{Profile, Segment};
pub use shard::Shard;
pub use users::UserSchedule;

/// What a schedule asks its driver to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Keep exactly `active` virtual users of this shard looping, and ask again at `until`
    /// (time since the phase began).
    Users {
        /// How many users of this shard are to be active now.
        active: u32,
        /// When the number changes next.
        until: Duration,
    },
    /// Start one iteration at `at` (time since the phase began), its *intended* start. If `at` has
    /// passed already, start it now; the delay is the generator's and is measured as start lag.
    Start {
        /// The intended start.
        at: Duration,
    },
    /// The shape has ended. Every later call returns this again.
    Finished,
}

/// A load shape, or a shard of one.
pub trait Schedule: std::fmt::Debug {
    /// The next step at `elapsed` since the phase began. `elapsed` must not decrease from call to
    /// call. A call that returns [`Step::Start`] consumes that arrival.
    fn next(&mut self, elapsed: Duration) -> Step;

    /// Takes back the step given out last, which must not have been performed: what was to start
    /// then comes again.
    fn take_back(&mut self);

    /// How long the shape takes in all.
    fn duration(&self) -> Duration;
}

impl<S: Schedule + ?Sized> Schedule for Box<S> {
    fn next(&mut self, elapsed: Duration) -> Step {
        (**self).next(elapsed)
    }

    fn take_back(&mut self) {
        (**self).take_back();
    }

    fn duration(&self) -> Duration {
        (**self).duration()
    }
}
