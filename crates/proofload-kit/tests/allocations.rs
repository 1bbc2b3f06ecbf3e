//! A guarded call costs no memory: counted by an allocator of its own, which is why this is a
//! binary of its own.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::time::Duration;

use allocation_counter::measure;
use proofload_kit::{
    CircuitBreaker, Limiter,
    breaker::Window,
    limit::{Adaptive, Order},
};

const CALLS: usize = 10_000;

/// Everything is done once before it is counted: threads get their stripe, locks their place.
fn allocations(mut call: impl FnMut()) -> u64 {
    call();
    measure(|| (0..CALLS).for_each(|_| call())).count_total
}

/// Runs a future that is ready at once, without a runtime, which would allocate for itself.
fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    match future.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())) {
        std::task::Poll::Ready(output) => output,
        std::task::Poll::Pending => panic!("it waits"),
    }
}

#[test]
fn a_call_through_a_breaker_allocates_nothing() {
    let second = Duration::from_secs(1);
    for window in [Window::calls(100), Window::time(second)] {
        let builder =
            CircuitBreaker::builder("b").window(window).failure_rate(0.9).slow_call(second, 0.9);
        let breaker = builder.build().unwrap();
        let mut calls = 0_u32;
        let count = allocations(|| {
            calls += 1;
            let result = now(breaker
                .call(async { if calls.is_multiple_of(3) { Err(calls) } else { Ok(calls) } }));
            assert_eq!(result.is_err(), calls.is_multiple_of(3));
            breaker.acquire().unwrap().success();
        });
        assert_eq!(count, 0);
    }
}

#[test]
fn a_refusal_and_a_round_through_all_states_allocate_nothing() {
    let breaker = CircuitBreaker::builder("b")
        .window(Window::calls(2))
        .minimum_calls(1)
        .open_for(Duration::from_nanos(1))
        .half_open_calls(1)
        .build()
        .unwrap();
    let count = allocations(|| {
        assert!(breaker.call_sync(|| Err::<(), _>(())).is_err());
        while breaker.call_sync(|| Ok::<_, ()>(())).is_err() {}
        breaker.force_open();
        assert!(breaker.acquire().is_err());
        breaker.reset();
    });
    assert_eq!(count, 0);
    assert!(breaker.stats().refused >= CALLS as u64);
}

#[test]
fn a_permit_without_waiting_allocates_nothing() {
    let builders = [
        Limiter::builder("l").limit(2).queue(10).deadline(Duration::from_secs(1)),
        Limiter::builder("l").adaptive(Adaptive::gradient().window(Duration::from_millis(1))),
    ];
    for builder in builders {
        let limiter = builder.build().unwrap();
        let count = allocations(|| {
            drop(now(limiter.acquire()).unwrap());
            drop(limiter.try_acquire().unwrap());
            assert!(now(limiter.call(async { Ok::<_, ()>(()) })).is_ok());
        });
        assert_eq!(count, 0);
    }
}

#[test]
fn a_refused_caller_and_one_who_waits_allocate_nothing_either() {
    for order in [Order::Fifo, Order::Lifo] {
        let limiter = Limiter::builder("l").limit(1).queue(1).order(order).build().unwrap();
        let count = allocations(|| {
            let held = limiter.try_acquire().unwrap();
            assert!(limiter.try_acquire().is_err());
            let mut waiting = std::pin::pin!(limiter.acquire());
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            assert!(waiting.as_mut().poll(&mut context).is_pending());
            drop(held);
            assert!(waiting.as_mut().poll(&mut context).is_ready());
        });
        assert_eq!(count, 0);
    }
}

/// A test that cannot fail is none.
#[test]
fn the_allocator_counts() {
    assert_eq!(allocations(|| drop(std::hint::black_box(Box::new(1)))), CALLS as u64);
}
