//! Breaker, limiter and retry around tower services, and in an axum router.

use std::{
    convert::Infallible,
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body, routing::get};
use http::{Method, Request, Response, StatusCode, header::RETRY_AFTER};
use proofload_kit::{
    CircuitBreaker, Limiter, Retry,
    breaker::{CircuitBreakerLayer, Outcome, State},
    guard::CallError,
    limit::{Adaptive, LimiterLayer, Order, RefusedReason},
    retry::{Backoff, Cloned, RetryLayer},
};
use tower::{Layer, Service, ServiceExt, service_fn};

const MS: Duration = Duration::from_millis(1);

fn request() -> Request<String> {
    Request::new(String::new())
}

fn response(status: u16) -> Response<String> {
    let mut response = Response::new("from the service".to_owned());
    *response.status_mut() = StatusCode::from_u16(status).expect("status");
    response
}

/// Answers with these statuses, one after the other, the last one for ever, and counts.
fn backend(
    statuses: &'static [u16],
) -> (
    impl Service<Request<String>, Response = Response<String>, Error = &'static str, Future: Send>
    + Clone
    + Send,
    Arc<AtomicU32>,
) {
    let calls = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&calls);
    let service = service_fn(move |_: Request<String>| {
        let call = counted.fetch_add(1, Ordering::SeqCst) as usize;
        let status = statuses[call.min(statuses.len() - 1)];
        async move { if status == 0 { Err("no connection") } else { Ok(response(status)) } }
    });
    (service, calls)
}

fn breaker() -> CircuitBreaker {
    let builder =
        CircuitBreaker::builder("backend").minimum_calls(2).open_for(2500 * MS).jitter(0.0);
    builder.half_open_calls(1).build().expect("settings")
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_answers_503_with_retry_after() {
    let breaker = breaker();
    let (service, calls) = backend(&[500, 0, 200]);
    let service = CircuitBreakerLayer::http(&breaker).layer(service);
    assert_eq!(service.clone().oneshot(request()).await.expect("response").status(), 500);
    assert_eq!(service.clone().oneshot(request()).await.expect_err("error"), "no connection");
    assert_eq!(breaker.state(), State::Open);
    let refused = service.clone().oneshot(request()).await.expect("response");
    assert_eq!((refused.status(), refused.body().as_str()), (StatusCode::SERVICE_UNAVAILABLE, ""));
    assert_eq!(refused.headers()[RETRY_AFTER], "3", "2.5 s rounded up");
    assert_eq!(calls.load(Ordering::SeqCst), 2, "the backend has seen nothing of it");
    tokio::time::advance(2500 * MS).await;
    assert_eq!(service.oneshot(request()).await.expect("response").status(), 200);
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_breaker_around_any_service_refuses_with_its_error() {
    let breaker = breaker();
    let service =
        service_fn(|fails: bool| async move { if fails { Err("failed") } else { Ok("done") } });
    let service = CircuitBreakerLayer::new(&breaker).layer(service);
    assert_eq!(service.clone().oneshot(false).await, Ok("done"));
    assert_eq!(service.clone().oneshot(true).await, Err(CallError::Failed("failed")));
    let Err(CallError::Refused(open)) = service.oneshot(false).await else {
        panic!("one of two failed")
    };
    assert_eq!((open.state(), open.retry_after()), (State::Open, 2500 * MS));
}

#[tokio::test]
async fn a_breaker_asks_the_closure_it_was_given() {
    let breaker = breaker();
    let (service, _) = backend(&[404]);
    let classify = |result: &Result<Response<String>, &str>| match result {
        Ok(response) if response.status() == 404 => Outcome::Failure,
        _ => Outcome::Success,
    };
    let service = CircuitBreakerLayer::http(&breaker).classify(classify).layer(service);
    for _ in 0..2 {
        assert_eq!(service.clone().oneshot(request()).await.expect("response").status(), 404);
    }
    assert_eq!(breaker.state(), State::Open);
}

/// Polls once and catches the panic, as a layer that turns panics into responses does; the future
/// is dropped after.
async fn caught<F: Future>(future: F) -> bool {
    let mut future = Box::pin(future);
    std::future::poll_fn(|context| {
        let polled =
            std::panic::catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context).is_ready()));
        std::task::Poll::Ready(polled.is_err())
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn a_panic_that_somebody_catches_gives_the_permit_back() {
    let breaker = breaker();
    let in_future = CircuitBreakerLayer::new(&breaker)
        .layer(service_fn(|()| async { panic!("a bug") as Result<(), ()> }));
    assert!(caught(in_future.clone().oneshot(())).await);
    assert!(caught(in_future.oneshot(())).await);
    assert_eq!((breaker.state(), breaker.stats().failures), (State::Open, 2));
    tokio::time::advance(2500 * MS).await;
    let classify = |_: &Result<(), ()>| -> Outcome { panic!("a bug in the classifier") };
    let service = CircuitBreakerLayer::new(&breaker)
        .classify(classify)
        .layer(service_fn(|()| async { Ok(()) }));
    for _ in 0..5 {
        assert!(caught(service.clone().oneshot(())).await, "and the next probe gets the permit");
    }
    assert_eq!((breaker.state(), breaker.stats().ignored), (State::HalfOpen, 5));

    let limiter = Limiter::builder("l").limit(1).build().expect("settings");
    let service = LimiterLayer::new(&limiter)
        .layer(service_fn(|()| async { panic!("a bug") as Result<(), ()> }));
    for _ in 0..3 {
        assert!(caught(service.clone().oneshot(())).await);
        assert_eq!(limiter.in_use(), 0);
    }
    let in_call =
        LimiterLayer::new(&limiter).layer(service_fn(|()| -> std::future::Ready<Result<(), ()>> {
            panic!("a bug before the future")
        }));
    for _ in 0..3 {
        assert!(caught(in_call.clone().oneshot(())).await);
        assert_eq!(limiter.in_use(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_limiter_answers_as_it_was_told() {
    let check = async |layer: fn(&Limiter) -> StatusCode, full: StatusCode| {
        let limiter =
            Limiter::builder("api").limit(1).queue(1).deadline(100 * MS).build().expect("settings");
        let status = layer(&limiter);
        let layer = LimiterLayer::http(&limiter).full_status(status);
        let service = layer.layer(service_fn(|_: Request<String>| async {
            tokio::time::sleep(1000 * MS).await;
            Ok::<_, Infallible>(response(200))
        }));
        let call = || tokio::spawn(service.clone().oneshot(request()));
        let (served, late, refused) = (call(), call(), call());
        let (served, late, refused) = tokio::join!(served, late, refused);
        let [served, late, refused] =
            [served, late, refused].map(|task| task.expect("task").expect("infallible"));
        assert_eq!(
            (served.status(), late.status(), refused.status()),
            (StatusCode::OK, StatusCode::SERVICE_UNAVAILABLE, full)
        );
        assert_eq!(late.headers()[RETRY_AFTER], "1");
        assert_eq!(refused.headers()[RETRY_AFTER], "1");
        let stats = limiter.stats();
        assert_eq!(
            (stats.granted, stats.refused_full, stats.refused_deadline, stats.in_use),
            (1, 1, 1, 1),
            "the body of the answer is still there"
        );
        drop(served);
        assert_eq!(limiter.in_use(), 0);
    };
    check(|_| StatusCode::SERVICE_UNAVAILABLE, StatusCode::SERVICE_UNAVAILABLE).await;
    check(|_| StatusCode::TOO_MANY_REQUESTS, StatusCode::TOO_MANY_REQUESTS).await;
}

#[tokio::test(start_paused = true)]
async fn a_limiter_around_any_service_lets_callers_wait_their_turn() {
    let limiter =
        Limiter::builder("l").limit(1).queue(3).order(Order::Lifo).build().expect("settings");
    let service = LimiterLayer::new(&limiter).layer(service_fn(|number: u32| async move {
        tokio::time::sleep(10 * MS).await;
        Ok::<_, &str>(number)
    }));
    let calls: Vec<_> =
        (0..5).map(|number| tokio::spawn(service.clone().oneshot(number))).collect();
    let mut answers = Vec::new();
    for call in calls {
        answers.push(call.await.expect("task").map_err(|error| match error {
            CallError::Refused(refused) => refused.reason(),
            CallError::Failed(error) => panic!("{error}"),
        }));
    }
    assert_eq!(
        answers,
        [Ok(0), Err(RefusedReason::Full), Ok(2), Ok(3), Ok(4)],
        "the oldest made room"
    );
    assert_eq!(limiter.in_use(), 0);
    let slow = tokio::spawn(service.clone().oneshot(7));
    tokio::time::sleep(MS).await;
    assert!(tokio::time::timeout(MS, service.oneshot(8)).await.is_err(), "dropped while it waits");
    slow.abort();
    assert!(slow.await.is_err());
    assert_eq!((limiter.in_use(), limiter.stats().queued), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn an_adaptive_limit_learns_from_statuses() {
    let adaptive = Adaptive::aimd().between(1, 100).start(50).window(10 * MS);
    let limiter = Limiter::builder("l").adaptive(adaptive).build().expect("settings");
    let (service, _) = backend(&[503]);
    let service = LimiterLayer::http(&limiter).layer(service);
    for _ in 0..20 {
        assert!(service.clone().oneshot(request()).await.is_ok());
        tokio::time::advance(20 * MS).await;
    }
    assert!(limiter.limit() < 25, "{}", limiter.limit());
}

#[tokio::test(start_paused = true)]
async fn an_adaptive_limit_learns_nothing_from_calls_that_are_given_up() {
    let adaptive = Adaptive::aimd().between(1, 100).start(50).window(10 * MS).latency_above(MS);
    let limiter = Limiter::builder("l").adaptive(adaptive).build().expect("settings");
    let service = LimiterLayer::http(&limiter).layer(service_fn(|_: Request<String>| async {
        std::future::pending::<()>().await;
        Ok::<_, Infallible>(response(200))
    }));
    for _ in 0..40 {
        let call = service.clone().oneshot(request());
        assert!(tokio::time::timeout(20 * MS, call).await.is_err());
    }
    assert_eq!((limiter.limit(), limiter.in_use()), (50, 0));
}

#[tokio::test]
async fn a_permit_is_held_until_the_end_of_the_body_unless_told() {
    let (service, _) = backend(&[200]);
    let limiter = Limiter::builder("l").limit(1).build().expect("settings");
    let head = LimiterLayer::http(&limiter).until_head().layer(service.clone());
    let answer = head.oneshot(request()).await.expect("an answer");
    assert_eq!((answer.status(), limiter.in_use()), (StatusCode::OK, 0));

    let end = LimiterLayer::http(&limiter).layer(service);
    let answer = end.clone().oneshot(request()).await.expect("an answer");
    assert_eq!((answer.status(), limiter.in_use()), (StatusCode::OK, 1));
    let refused = end.clone().oneshot(request()).await.expect("an answer");
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    drop(answer);
    assert_eq!(limiter.in_use(), 0);
    let answer = end.oneshot(request()).await.expect("an answer");
    assert_eq!(
        http_body_util::BodyExt::collect(answer.into_body()).await.unwrap().to_bytes(),
        "from the service"
    );
    assert_eq!(limiter.in_use(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_wait_without_end_is_no_overflow() {
    let retry = Retry::builder("r")
        .backoff(Backoff::constant(1000 * MS).without_jitter())
        .longest_hint(Duration::MAX)
        .deadline(Duration::from_secs(60))
        .build()
        .expect("settings");
    let service = service_fn(|_: Request<String>| async {
        let mut answer = response(503);
        answer.headers_mut().insert(RETRY_AFTER, u64::MAX.into());
        Ok::<_, Infallible>(answer)
    });
    let answer = RetryLayer::http(&retry).layer(service).oneshot(request()).await.unwrap();
    assert_eq!((answer.status().as_u16(), retry.stats().deadline), (503, 1));
}

#[tokio::test(start_paused = true)]
async fn a_date_to_retry_after_is_waited_for_by_the_clock_of_the_server() {
    let retry = Retry::builder("r").backoff(Backoff::constant(MS).without_jitter()).build();
    let retry = retry.expect("settings");
    let tries = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&tries);
    let service = service_fn(move |_: Request<String>| {
        let first = counted.fetch_add(1, Ordering::SeqCst) == 0;
        let mut answer = response(if first { 429 } else { 200 });
        let date = |text| http::HeaderValue::from_static(text);
        answer.headers_mut().insert(RETRY_AFTER, date("Wed, 21 Oct 2015 07:28:07 GMT"));
        answer.headers_mut().insert(http::header::DATE, date("Wed, 21 Oct 2015 07:28:00 GMT"));
        async move { Ok::<_, Infallible>(answer) }
    });
    let before = tokio::time::Instant::now();
    let answer = RetryLayer::http(&retry).layer(service).oneshot(request()).await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    assert_eq!(before.elapsed(), Duration::from_secs(7) + MS);
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_not_held_while_the_next_try_waits() {
    let limiter = Limiter::builder("client").limit(1).build().expect("settings");
    let retry = Retry::builder("r").backoff(Backoff::constant(50 * MS).without_jitter()).build();
    let retry = retry.expect("settings");
    let (service, _) = backend(&[503, 200]);
    let limited = LimiterLayer::http(&limiter).layer(service);
    let call = tokio::spawn(RetryLayer::http(&retry).layer(limited).oneshot(request()));
    tokio::time::sleep(10 * MS).await;
    assert_eq!(limiter.in_use(), 0, "the connection of the first answer is free");
    assert_eq!(call.await.unwrap().unwrap().status(), StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn retries_idempotent_requests_by_status() {
    let retry = Retry::builder("r")
        .backoff(Backoff::constant(10 * MS).without_jitter())
        .build()
        .expect("settings");
    let check =
        async |statuses: &'static [u16], method: Method, expected: Option<u16>, tries: u32| {
            let (service, calls) = backend(statuses);
            let mut request = request();
            *request.method_mut() = method;
            let answer = RetryLayer::http(&retry).layer(service).oneshot(request).await;
            assert_eq!(
                answer.ok().map(|response| response.status().as_u16()),
                expected,
                "{statuses:?}"
            );
            assert_eq!(calls.load(Ordering::SeqCst), tries, "{statuses:?}");
        };
    check(&[200], Method::GET, Some(200), 1).await;
    check(&[503, 0, 200], Method::GET, Some(200), 3).await;
    check(&[503, 502, 504, 200], Method::PUT, Some(504), 3).await;
    check(&[500], Method::GET, Some(500), 1).await;
    check(&[503, 200], Method::POST, Some(503), 1).await;
    check(&[0], Method::GET, None, 3).await;
    let (service, calls) = backend(&[503, 200]);
    let mut post = request();
    *post.method_mut() = Method::POST;
    let answer = RetryLayer::http(&retry)
        .repeat(Cloned)
        .layer(service)
        .oneshot(post)
        .await
        .expect("response");
    assert_eq!(
        (answer.status().as_u16(), calls.load(Ordering::SeqCst)),
        (200, 2),
        "told that it may"
    );
}

#[tokio::test(start_paused = true)]
async fn a_retry_outside_of_a_breaker_stops_when_it_opens() {
    let breaker = breaker();
    let retry = Retry::builder("r")
        .attempts(10)
        .backoff(Backoff::constant(MS))
        .breaker(&breaker)
        .build()
        .expect("settings");
    let (service, calls) = backend(&[500]);
    let service =
        RetryLayer::http(&retry).layer(CircuitBreakerLayer::http(&breaker).layer(service));
    assert_eq!(
        service.clone().oneshot(request()).await.expect("response").status(),
        500,
        "500 is not tried again"
    );
    assert_eq!(service.clone().oneshot(request()).await.expect("response").status(), 500);
    let before = tokio::time::Instant::now();
    assert_eq!(service.oneshot(request()).await.expect("response").status(), 503, "the breaker's");
    assert_eq!((calls.load(Ordering::SeqCst), before.elapsed()), (2, Duration::ZERO));
    assert_eq!(retry.stats().breaker_open, 1);
}

#[tokio::test(start_paused = true)]
async fn layers_fit_an_axum_router() {
    let breaker = breaker();
    let limiter = Limiter::builder("api").limit(1).build().expect("settings");
    let slow = || async {
        tokio::time::sleep(1000 * MS).await;
        "slow"
    };
    let router = Router::new()
        .route("/slow", get(slow))
        .route("/bad", get(|| async { StatusCode::BAD_GATEWAY }))
        .layer(CircuitBreakerLayer::http(&breaker))
        .layer(LimiterLayer::http(&limiter).full_status(StatusCode::TOO_MANY_REQUESTS));
    let call = |path: &str| {
        let request = Request::builder().uri(path).body(Body::empty()).expect("request");
        let router = router.clone();
        async move {
            let Ok(response) = router.oneshot(request).await;
            response
        }
    };
    let (served, refused) = tokio::join!(call("/slow"), call("/slow"));
    assert_eq!(
        (served.status(), refused.status()),
        (StatusCode::OK, StatusCode::TOO_MANY_REQUESTS)
    );
    drop(served);
    assert_eq!(call("/bad").await.status(), StatusCode::BAD_GATEWAY);
    let refused = call("/slow").await;
    assert_eq!(
        (refused.status(), &refused.headers()[RETRY_AFTER]),
        (StatusCode::SERVICE_UNAVAILABLE, &"3".parse().expect("value"))
    );
}
