//! What a guarded call costs, to one thread alone and to two that share the guard.
//!
//! `cargo bench -p proofload-kit --bench guards`. Time on the processor is printed beside time on the
//! clock, because on a machine that is busy otherwise only the first one is about the code. Bar:
//! 250 ns a call.

#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

use std::{
    hint::black_box,
    sync::Barrier,
    time::{Duration, Instant},
};

use proofload_kit::{CircuitBreaker, Limiter, breaker::Window, limit::Adaptive};

const CALLS: u32 = 1_000_000;
const ROUNDS: usize = 5;

fn main() {
    println!(
        "{:<46} {:>7} {:>14} {:>10}",
        "ns a call, median of rounds", "threads", "on processor", "on clock"
    );
    breakers();
    limiters();
}

fn breakers() {
    let second = Duration::from_secs(1);
    let builder = || CircuitBreaker::builder("bench");
    let breaker = builder().build().expect("settings");
    measure("breaker: call", || now(breaker.call(async { Ok::<_, ()>(black_box(1)) })));
    measure("breaker: acquire, success", || breaker.acquire().expect("closed").success());
    let breaker = builder().window(Window::time(second)).slow_call(second, 0.5).build();
    let breaker = breaker.expect("settings");
    measure("breaker: call, time window, slow calls", || {
        now(breaker.call(async { Ok::<_, ()>(black_box(1)) }))
    });
    let breaker = builder().failure_rate(1.0).build().expect("settings");
    measure("breaker: a call that succeeds, one that fails", || {
        assert!(breaker.call_sync(|| black_box(Ok::<_, ()>(()))).is_ok());
        breaker.call_sync(|| black_box(Err::<(), _>(())))
    });
    let breaker = builder().open_for(Duration::from_secs(3600)).build().expect("settings");
    while breaker.call_sync(|| Err::<(), _>(())).is_err_and(|error| !error.is_refused()) {}
    measure("breaker: refusal", || breaker.acquire().is_err());
}

fn limiters() {
    let limiter = Limiter::builder("bench").limit(64).queue(64).build().expect("settings");
    measure("limiter: call", || now(limiter.call(async { Ok::<_, ()>(black_box(1)) })));
    measure("limiter: acquire, drop", || drop(now(limiter.acquire()).expect("free")));
    let limiter = Limiter::builder("bench").adaptive(Adaptive::gradient()).build();
    let limiter = limiter.expect("settings");
    measure("limiter: call, adaptive limit", || {
        now(limiter.call(async { Ok::<_, ()>(black_box(1)) }))
    });
    let limiter = Limiter::builder("bench").limit(1).build().expect("settings");
    let _held = limiter.try_acquire().expect("free");
    measure("limiter: refusal", || limiter.try_acquire().is_err());
}

/// Runs a future that is ready at once, without a runtime in between.
fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut context) {
        std::task::Poll::Ready(output) => output,
        std::task::Poll::Pending => unreachable!("nothing waits here"),
    }
}

fn measure<T>(what: &str, call: impl Fn() -> T + Sync) {
    for threads in [1, 2] {
        let mut rounds: Vec<_> = (0..ROUNDS).map(|_| round(threads, &call)).collect();
        let mut median = |part: fn(&(f64, f64)) -> f64| {
            rounds.sort_by(|a, b| part(a).total_cmp(&part(b)));
            part(&rounds[ROUNDS / 2])
        };
        let (processor, clock) = (median(|round| round.0), median(|round| round.1));
        println!("{what:<46} {threads:>7} {processor:>14.1} {clock:>10.1}");
    }
}

/// Nanoseconds a call on the processor and on the clock, the mean of the threads.
fn round<T>(threads: usize, call: &(impl Fn() -> T + Sync)) -> (f64, f64) {
    let barrier = Barrier::new(threads);
    let work = || {
        barrier.wait();
        let (start, began) = (Instant::now(), processor_nanos());
        for _ in 0..CALLS {
            black_box(call());
        }
        (processor_nanos() - began, start.elapsed().as_nanos() as f64)
    };
    let times: Vec<(f64, f64)> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        handles.into_iter().map(|handle| handle.join().expect("thread")).collect()
    });
    let calls = f64::from(CALLS) * threads as f64;
    let sum = times.iter().fold((0.0, 0.0), |sum, time| (sum.0 + time.0, sum.1 + time.1));
    (sum.0 / calls, sum.1 / calls)
}

/// How long the thread has been on a processor.
fn processor_nanos() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}
