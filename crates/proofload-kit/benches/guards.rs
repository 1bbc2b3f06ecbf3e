//! What a guarded call costs, to one thread alone and to two that share the guard.
//!
//! `cargo bench -p proofload-kit --bench guards`. An iteration is a thousand calls, so that two
//! threads really meet: microseconds in the table are nanoseconds a call. Bar: 250 ns.

use std::time::Duration;

use divan::{Bencher, black_box};
use proofload_kit::{CircuitBreaker, Limiter, breaker::Window, limit::Adaptive};

fn main() {
    divan::main();
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

fn thousand<T>(bencher: Bencher<'_, '_>, call: impl Fn() -> T + Sync) {
    bencher.bench(|| {
        for _ in 0..1000 {
            black_box(call());
        }
    });
}

mod breaker {
    use super::*;

    #[divan::bench(threads = [1, 2])]
    fn call(bencher: Bencher<'_, '_>) {
        let breaker = CircuitBreaker::builder("bench").build().expect("settings");
        thousand(bencher, || now(breaker.call(async { Ok::<_, ()>(black_box(1)) })));
    }

    #[divan::bench(threads = [1, 2])]
    fn call_with_time_window_and_slow_calls(bencher: Bencher<'_, '_>) {
        let second = Duration::from_secs(1);
        let builder = CircuitBreaker::builder("bench").window(Window::time(second));
        let breaker = builder.slow_call(second, 0.5).build().expect("settings");
        thousand(bencher, || now(breaker.call(async { Ok::<_, ()>(black_box(1)) })));
    }

    #[divan::bench(threads = [1, 2])]
    fn acquire_and_success(bencher: Bencher<'_, '_>) {
        let breaker = CircuitBreaker::builder("bench").build().expect("settings");
        thousand(bencher, || breaker.acquire().expect("closed").success());
    }

    #[divan::bench(threads = [1, 2])]
    fn refusal(bencher: Bencher<'_, '_>) {
        let builder = CircuitBreaker::builder("bench").window(Window::calls(1)).minimum_calls(1);
        let breaker = builder.open_for(Duration::from_secs(3600)).build().expect("settings");
        breaker.acquire().expect("closed").failure();
        thousand(bencher, || breaker.acquire().is_err());
    }
}

mod limiter {
    use super::*;

    #[divan::bench(threads = [1, 2])]
    fn call(bencher: Bencher<'_, '_>) {
        let limiter = Limiter::builder("bench").limit(64).queue(64).build().expect("settings");
        thousand(bencher, || now(limiter.call(async { Ok::<_, ()>(black_box(1)) })));
    }

    #[divan::bench(threads = [1, 2])]
    fn acquire_and_drop(bencher: Bencher<'_, '_>) {
        let limiter = Limiter::builder("bench").limit(64).queue(64).build().expect("settings");
        thousand(bencher, || drop(now(limiter.acquire()).expect("free")));
    }

    #[divan::bench(threads = [1, 2])]
    fn call_with_adaptive_limit(bencher: Bencher<'_, '_>) {
        let limiter = Limiter::builder("bench").adaptive(Adaptive::gradient()).build();
        let limiter = limiter.expect("settings");
        thousand(bencher, || now(limiter.call(async { Ok::<_, ()>(black_box(1)) })));
    }

    #[divan::bench(threads = [1, 2])]
    fn refusal(bencher: Bencher<'_, '_>) {
        let limiter = Limiter::builder("bench").limit(1).build().expect("settings");
        let _held = limiter.try_acquire().expect("free");
        thousand(bencher, || limiter.try_acquire().is_err());
    }
}
