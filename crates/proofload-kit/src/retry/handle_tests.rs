//! The policy as services hold it, on a clock that does not wait.

use std::cell::RefCell;

use super::*;
use crate::retry::Budget;

const MS: Duration = Duration::from_millis(1);

fn policy() -> RetryBuilder {
    Retry::builder("users").backoff(Backoff::constant(10 * MS).without_jitter())
}

/// Fails the first `failures` tries.
async fn after(retry: &Retry, failures: u32) -> Result<u32, u32> {
    retry
        .call(|attempt| async move { if attempt <= failures { Err(attempt) } else { Ok(attempt) } })
        .await
}

#[tokio::test(start_paused = true)]
async fn tries_as_often_as_it_may() {
    let retry = policy().build().expect("settings");
    let before = Instant::now();
    assert_eq!(after(&retry, 0).await, Ok(1));
    assert_eq!(before.elapsed(), Duration::ZERO);
    assert_eq!(after(&retry, 2).await, Ok(3));
    assert_eq!(before.elapsed(), 20 * MS);
    assert_eq!(after(&retry, 3).await, Err(3), "the error of the last try");
    let stats = retry.stats();
    assert_eq!((stats.calls, stats.retries, stats.recovered, stats.exhausted), (3, 4, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn asks_whether_it_is_worth_it() {
    let retry = policy().build().expect("settings");
    let seen = RefCell::new(Vec::new());
    let result = retry
        .call_when(
            |attempt| async move { Err::<(), _>(attempt) },
            |error| {
                seen.borrow_mut().push(*error);
                *error < 2
            },
        )
        .await;
    assert_eq!(result, Err(2));
    assert_eq!(*seen.borrow(), [1, 2]);
    assert_eq!((retry.stats().permanent, retry.stats().exhausted), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn waits_as_long_as_the_server_asks() {
    let retry = policy().longest_hint(Duration::from_secs(5)).build().expect("settings");
    let before = Instant::now();
    let hinted = async |seconds: u64| {
        let hint = Duration::from_secs(seconds);
        let call = |attempt| async move { if attempt == 1 { Err("busy") } else { Ok(()) } };
        retry.call_when(call, |_| Advice::RetryAfter(hint)).await
    };
    assert_eq!(hinted(3).await, Ok(()));
    assert_eq!(before.elapsed(), 3010 * MS);
    assert_eq!(hinted(6).await, Err("busy"), "rather an error at once");
    assert_eq!(before.elapsed(), 3010 * MS);
    assert_eq!(retry.stats().hint_too_long, 1);
}

#[tokio::test(start_paused = true)]
async fn begins_nothing_after_the_deadline() {
    let retry = policy().attempts(100).deadline(35 * MS).build().expect("settings");
    let before = Instant::now();
    assert_eq!(after(&retry, 100).await, Err(4));
    assert_eq!(before.elapsed(), 30 * MS);
    assert_eq!(retry.stats().deadline, 1);
}

#[tokio::test(start_paused = true)]
async fn an_outage_costs_no_more_than_the_budget() {
    let retry =
        policy().budget(Budget::new().ratio(0.1).per_second(1.0)).build().expect("settings");
    for _ in 0..200 {
        assert!(after(&retry, 10).await.is_err());
    }
    let stats = retry.stats();
    assert!((20..=40).contains(&stats.retries), "20 earned, 10 in reserve: {}", stats.retries);
    assert_eq!(stats.exhausted + stats.budget_spent, 200);
    let without = policy().without_budget().build().expect("settings");
    for _ in 0..200 {
        assert!(after(&without, 10).await.is_err());
    }
    assert_eq!(without.stats().retries, 400);
    assert_eq!(without.stats().budget, None);
}

#[tokio::test(start_paused = true)]
async fn does_not_retry_into_an_open_breaker() {
    let breaker = CircuitBreaker::builder("users")
        .minimum_calls(2)
        .open_for(Duration::from_secs(1))
        .jitter(0.0);
    let breaker = breaker.build().expect("settings");
    let retry = policy().attempts(10).breaker(&breaker).build().expect("settings");
    let calls = RefCell::new(0);
    let call = |_| {
        *calls.borrow_mut() += 1;
        breaker.call(async { Err::<(), _>("down") })
    };
    let before = Instant::now();
    assert!(retry.call(call).await.is_err());
    assert_eq!(*calls.borrow(), 2, "the second failure opened it");
    assert_eq!(before.elapsed(), 10 * MS, "and nobody waited for a try that was not made");
    assert_eq!(retry.stats().breaker_open, 1);
    tokio::time::advance(995 * MS).await;
    assert!(retry.call(call).await.is_err());
    assert_eq!(*calls.borrow(), 3, "nor for one that would be let through 5 ms later");
    assert_eq!(retry.stats().breaker_open, 2);
}

#[tokio::test(start_paused = true)]
async fn a_breaker_that_opens_during_the_wait_stops_it() {
    let breaker = CircuitBreaker::builder("users").build().expect("settings");
    let retry = policy().breaker(&breaker).build().expect("settings");
    let task = tokio::spawn({
        let retry = retry.clone();
        async move { after(&retry, 2).await }
    });
    sleep(5 * MS).await;
    breaker.force_open();
    assert_eq!(task.await.expect("task"), Err(1));
    assert_eq!(retry.stats().breaker_open, 1);
}
