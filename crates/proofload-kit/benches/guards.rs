//! What a guarded call costs: nanoseconds a call, by one thread and by two that share the guard.
//!
//! `cargo bench -p proofload-kit --bench guards`. Bar: 250 ns a call.

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

mod breaker {
    use super::*;

    fn closed(
        build: impl FnOnce(CircuitBreakerBuilder) -> CircuitBreakerBuilder,
    ) -> CircuitBreaker {
        build(CircuitBreaker::builder("bench")).build().expect("settings")
    }

    use proofload_kit::breaker::CircuitBreakerBuilder;

    #[divan::bench(threads = [1, 2])]
    fn call(bencher: Bencher<'_, '_>) {
        let breaker = closed(|builder| builder);
        bencher.bench(|| now(breaker.call(async { Ok::<_, ()>(black_box(1)) })));
    }

    #[divan::bench(threads = [1, 2])]
    fn call_with_time_window_and_slow_calls(bencher: Bencher<'_, '_>) {
        let second = Duration::from_secs(1);
        let breaker = closed(|builder| builder.window(Window::time(second)).slow_call(second, 0.5));
        bencher.bench(|| now(breaker.call(async { Ok::<_, ()>(black_box(1)) })));
    }

    #[divan::bench(threads = [1, 2])]
    fn acquire_and_success(bencher: Bencher<'_, '_>) {
        let breaker = closed(|builder| builder);
        bencher.bench(|| breaker.acquire().expect("closed").success());
    }

    #[divan::bench(threads = [1, 2])]
    fn refusal(bencher: Bencher<'_, '_>) {
        let breaker = closed(|builder| {
            builder.window(Window::calls(1)).minimum_calls(1).open_for(Duration::from_secs(3600))
        });
        breaker.acquire().expect("closed").failure();
        bencher.bench(|| breaker.acquire().is_err());
    }
}

mod limiter {
    use super::*;

    #[divan::bench(threads = [1, 2])]
    fn call(bencher: Bencher<'_, '_>) {
        let limiter = Limiter::builder("bench").limit(64).queue(64).build().expect("settings");
        bencher.bench(|| now(limiter.call(async { Ok::<_, ()>(black_box(1)) })));
    }

    #[divan::bench(threads = [1, 2])]
    fn acquire_and_drop(bencher: Bencher<'_, '_>) {
        let limiter = Limiter::builder("bench").limit(64).queue(64).build().expect("settings");
        bencher.bench(|| drop(now(limiter.acquire()).expect("free")));
    }

    #[divan::bench(threads = [1, 2])]
    fn call_with_adaptive_limit(bencher: Bencher<'_, '_>) {
        let limiter = Limiter::builder("bench").adaptive(Adaptive::gradient()).build();
        let limiter = limiter.expect("settings");
        bencher.bench(|| now(limiter.call(async { Ok::<_, ()>(black_box(1)) })));
    }

    #[divan::bench(threads = [1, 2])]
    fn refusal(bencher: Bencher<'_, '_>) {
        let limiter = Limiter::builder("bench").limit(1).build().expect("settings");
        let _held = limiter.try_acquire().expect("free");
        bencher.bench(|| limiter.try_acquire().is_err());
    }
}
