//! Sleeping to a point in time, precisely.
//!
//! The runtime's own timer wheel rounds up to whole milliseconds. For think time that is plenty;
//! for arrivals it would add up to a millisecond of start lag to every response time measured from
//! the intended start. On Linux a `timerfd` (high-resolution kernel timer) wakes within tens of
//! microseconds and costs nothing while it waits; elsewhere the last stretch is spent yielding.

use std::io;
use std::time::{Duration, Instant};

/// A timer that one task of a worker uses to wait for the next arrival.
#[derive(Debug)]
pub(crate) struct PreciseTimer(imp::Timer);

impl PreciseTimer {
    /// Makes the timer; on Linux that takes one file descriptor. Must be called on a runtime.
    ///
    /// # Errors
    /// When the system gives out no descriptor.
    pub(crate) fn new() -> io::Result<Self> {
        imp::Timer::new().map(Self)
    }

    /// Waits until `deadline`; returns at once if it has passed. May be dropped at any time and used
    /// again.
    pub(crate) async fn sleep_until(&mut self, deadline: Instant) {
        self.0.sleep_until(deadline).await;
    }
}

/// Beyond this the coarse timer is used first: a `timerfd` needs no finer care days ahead.
const COARSE_BEYOND: Duration = Duration::from_secs(3600);

/// Sleeps with the runtime's timer until shortly before `deadline`.
async fn sleep_coarsely(deadline: Instant, leave: Duration) {
    if let Some(early) = deadline.checked_sub(leave) {
        tokio::time::sleep_until(early.into()).await;
    }
}

#[cfg(target_os = "linux")]
mod imp {
    use std::io;
    use std::os::fd::OwnedFd;
    use std::time::Instant;

    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    use super::{COARSE_BEYOND, sleep_coarsely};

    #[derive(Debug)]
    pub(super) struct Timer(AsyncFd<OwnedFd>);

    impl Timer {
        #[expect(
            deprecated,
            reason = "its replacement is unsafe; an owned descriptor keeps the promise asked for"
        )]
        pub(super) fn new() -> io::Result<Self> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let fd = timerfd_create(TimerfdClockId::Monotonic, flags)?;
            Ok(Self(AsyncFd::with_interest(fd, Interest::READABLE)?))
        }

        pub(super) async fn sleep_until(&mut self, deadline: Instant) {
            if deadline.saturating_duration_since(Instant::now()) > COARSE_BEYOND {
                sleep_coarsely(deadline, COARSE_BEYOND).await;
            }
            loop {
                let remaining = deadline.saturating_duration_since(Instant::now());
                if remaining.is_zero() {
                    return;
                }
                let once = Itimerspec {
                    it_interval: Timespec::default(),
                    it_value: Timespec {
                        tv_sec: remaining.as_secs().cast_signed(),
                        tv_nsec: i64::from(remaining.subsec_nanos()),
                    },
                };
                // Setting the timer also clears an earlier expiry, so the descriptor need not be
                // read: the next expiry is a new edge.
                let set = timerfd_settime(self.0.get_ref(), TimerfdTimerFlags::empty(), &once);
                match (set, self.0.readable().await) {
                    (Ok(_), Ok(mut ready)) => ready.clear_ready(),
                    // A timer that cannot be set still has to end: the coarse one always works.
                    _ => return tokio::time::sleep_until(deadline.into()).await,
                }
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod imp {
    use std::io;
    use std::time::{Duration, Instant};

    use super::sleep_coarsely;

    #[derive(Debug)]
    pub(super) struct Timer;

    impl Timer {
        pub(super) fn new() -> io::Result<Self> {
            Ok(Self)
        }

        pub(super) async fn sleep_until(&mut self, deadline: Instant) {
            sleep_coarsely(deadline, Duration::from_millis(2)).await;
            while Instant::now() < deadline {
                tokio::task::yield_now().await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "current_thread")]
    async fn never_wakes_early_and_can_be_used_again_after_being_dropped_midway() {
        let mut timer = PreciseTimer::new().expect("a descriptor");
        for micros in [0, 50, 300, 1_500, 20_000] {
            let deadline = Instant::now() + Duration::from_micros(micros);
            timer.sleep_until(deadline).await;
            assert!(Instant::now() >= deadline);
        }
        let far = Instant::now() + Duration::from_secs(60);
        let cut_off = tokio::time::timeout(Duration::from_millis(5), timer.sleep_until(far)).await;
        assert!(cut_off.is_err(), "the far deadline is cut off");
        let deadline = Instant::now() + Duration::from_millis(3);
        timer.sleep_until(deadline).await;
        assert!(Instant::now() >= deadline);
    }
}
