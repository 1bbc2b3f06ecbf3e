//! Two threads on one thing, and whether they really ran at the same time.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::clock::thread_time;

/// Long enough for the scheduler to give each thread a core of its own.
const ROUND: Duration = Duration::from_millis(40);

/// Calls between two looks at the clock.
const BATCH: u32 = 10_000;

const THREADS: u32 = 2;

/// What a round of threads at the same work has shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Together {
    /// CPU time of a call, averaged over the threads, in nanoseconds.
    pub(crate) nanoseconds: f64,
    /// How many of them ran at a time, on average: [`THREADS`] when none waited for a core.
    pub(crate) cores: f64,
}

/// Lets two threads work on the same thing, each from before the other is measured until after.
pub(crate) fn together(way: &(dyn Fn(u32) + Sync)) -> Together {
    let (ready, done) = (AtomicU32::new(0), AtomicU32::new(0));
    let everybody = |count: &AtomicU32| count.load(Ordering::Acquire) == THREADS;
    let work = || {
        ready.fetch_add(1, Ordering::AcqRel);
        // Not a barrier of the system: who sleeps there is woken on the other's core.
        while !everybody(&ready) {
            std::hint::spin_loop();
        }
        let (began, before) = (Instant::now(), thread_time());
        let mut calls = 0_u32;
        while began.elapsed() < ROUND {
            way(BATCH);
            calls += BATCH;
        }
        let measured = (thread_time().saturating_sub(before), began.elapsed(), calls);
        done.fetch_add(1, Ordering::AcqRel);
        while !everybody(&done) {
            way(BATCH);
        }
        measured
    };
    let measured: Vec<(Duration, Duration, u32)> = std::thread::scope(|scope| {
        let running = [(); THREADS as usize].map(|()| scope.spawn(work));
        running.into_iter().map(|thread| thread.join().expect("it does not panic")).collect()
    });
    let each = measured.iter().map(|(cpu, _, calls)| cpu.as_secs_f64() * 1e9 / f64::from(*calls));
    let cores = measured.iter().map(|(cpu, wall, _)| cpu.as_secs_f64() / wall.as_secs_f64());
    Together { nanoseconds: each.sum::<f64>() / f64::from(THREADS), cores: cores.sum() }
}
