//! CPU time.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// CPU time that this thread has used.
pub(crate) fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or_default(),
        u32::try_from(time.tv_nsec).unwrap_or_default(),
    )
}

/// CPU time of `count` calls, in nanoseconds a call.
pub(crate) fn nanoseconds_each(count: u32, work: impl FnOnce()) -> f64 {
    let before = thread_time();
    work();
    let spent = thread_time().saturating_sub(before);
    spent.as_secs_f64() * 1e9 / f64::from(count)
}
