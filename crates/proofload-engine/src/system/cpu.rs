//! CPU time of the calling thread: how busy a worker is.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// User and system time the calling thread has used since it began.
pub(crate) fn thread_cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap_or(0), time.tv_nsec.try_into().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_adds_to_it() {
        let before = thread_cpu_time();
        let mut x = 1_u64;
        while thread_cpu_time() - before < Duration::from_millis(2) {
            x = std::hint::black_box(x.wrapping_mul(31));
        }
        assert!(thread_cpu_time() > before);
    }
}
