//! The response cache before services: who is answered from where.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, Method, Request, Response, StatusCode};
use axum::routing::get;
use http_body_util::{BodyExt as _, Full};
use proofload_kit::Ttl;
use proofload_kit::response::{
    CacheOutcome, CacheStatus, ResponseCacheBuilder, ResponseCacheLayer,
};
use tokio::task::JoinSet;
use tokio::time::{advance, sleep};
use tower::{Layer as _, Service, ServiceExt as _, service_fn};

/// A layer whose answers are fresh for a minute.
pub(crate) fn minute() -> ResponseCacheBuilder {
    ResponseCacheLayer::builder("test", Ttl::minutes(1))
}

pub(crate) fn ask(uri: &str) -> Request<Body> {
    Request::get(uri).body(Body::empty()).unwrap()
}

/// `x-cache` and the body.
pub(crate) async fn shown<B>(response: Response<B>) -> (String, String)
where
    B: http_body::Body,
    B::Error: std::fmt::Debug,
{
    assert_eq!(
        response.extensions().get::<CacheOutcome>().map(ToString::to_string).as_deref(),
        response.headers().get("x-cache").map(|header| header.to_str().unwrap()),
    );
    let outcome = response.headers()["x-cache"].to_str().unwrap().to_owned();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (outcome, String::from_utf8(body.to_vec()).unwrap())
}

/// A service that counts, and answers with what the function makes of the request and the count.
pub(crate) fn counting<F>(
    answer: F,
) -> (
    Arc<AtomicU32>,
    impl Service<
        Request<Body>,
        Response = Response<Full<bytes::Bytes>>,
        Error = Infallible,
        Future: Send,
    > + Clone
    + Send
    + 'static,
)
where
    F: Fn(&Request<Body>, u32) -> Response<String> + Clone + Send + 'static,
{
    let calls = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&calls);
    let service = service_fn(move |request: Request<Body>| {
        let response = answer(&request, counter.fetch_add(1, Ordering::SeqCst) + 1);
        async move { Ok(response.map(|body| Full::from(body.into_bytes()))) }
    });
    (calls, service)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_requests_for_a_cold_key_are_one() {
    let calls = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&calls);
    let service = service_fn(move |_: Request<Body>| {
        let call = counter.fetch_add(1, Ordering::SeqCst) + 1;
        async move {
            sleep(Duration::from_millis(30)).await;
            Ok::<_, Infallible>(Response::new(Body::from(format!("call {call}"))))
        }
    });
    let cached = minute().build().unwrap().layer(service);
    let mut requests = JoinSet::new();
    for _ in 0..1000 {
        let cached = cached.clone();
        requests.spawn(async move { shown(cached.oneshot(ask("/")).await.unwrap()).await });
    }
    let answers = requests.join_all().await;
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    assert!(answers.iter().all(|(_, body)| body == "call 1"));
    assert_eq!(answers.iter().filter(|(outcome, _)| outcome == "MISS").count(), 1);
    assert_eq!(answers.iter().filter(|(outcome, _)| outcome == "HIT").count(), 999);
}

#[tokio::test(start_paused = true)]
async fn an_axum_router_is_cached() {
    async fn users(
        State(calls): State<Arc<AtomicU32>>,
        Query(query): Query<Vec<(String, String)>>,
    ) -> axum::Json<Vec<String>> {
        calls.fetch_add(1, Ordering::SeqCst);
        let mut names: Vec<String> = query.into_iter().map(|(name, value)| name + &value).collect();
        names.sort();
        axum::Json(names)
    }

    async fn add(State(calls): State<Arc<AtomicU32>>) -> StatusCode {
        calls.fetch_add(1, Ordering::SeqCst);
        StatusCode::CREATED
    }

    let calls = Arc::new(AtomicU32::new(0));
    let layer = minute().build().unwrap();
    let router = Router::new()
        .route("/users", get(users).post(add))
        .with_state(Arc::clone(&calls))
        .layer(layer.clone());
    let get = |uri: &'static str| {
        let router = router.clone();
        async move { shown(router.oneshot(ask(uri)).await.unwrap()).await }
    };
    let check = async |uri, outcome: &str, total: u32| {
        assert_eq!(get(uri).await, (outcome.to_owned(), r#"["a1","b2"]"#.to_owned()), "{uri}");
        assert_eq!(calls.load(Ordering::SeqCst), total, "{uri}");
    };
    check("/users?a=1&b=2", "MISS", 1).await;
    check("/users?b=2&a=1", "HIT", 1).await;
    advance(Duration::from_secs(30)).await;
    let response = router.clone().oneshot(ask("/users?a=1&b=2")).await.unwrap();
    assert_eq!(response.headers()["age"], "30");
    assert_eq!(response.headers()["content-type"], "application/json");
    advance(Duration::from_secs(31)).await;
    check("/users?a=1&b=2", "MISS", 2).await;
    // What was written takes away what was read, with whatever query.
    let post = Request::post("/users").body(Body::empty()).unwrap();
    assert_eq!(shown(router.clone().oneshot(post).await.unwrap()).await.0, "BYPASS");
    check("/users?a=1&b=2", "MISS", 4).await;
    check("/users?a=1&b=2", "HIT", 4).await;
    assert_eq!(layer.cache().stats().entries, 1);
    assert_eq!(layer.cache().invalidate_prefix(&layer.key_prefix(&Method::GET, "/us")).await, 1);
    check("/users?a=1&b=2", "MISS", 5).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_stale_is_served_while_it_is_asked_for_anew() {
    let (calls, service) = counting(|_, call| Response::new(format!("call {call}")));
    let layer = minute().stale_while_revalidate(Duration::from_secs(30)).build().unwrap();
    let cached = layer.layer(service);
    let get = async || shown(cached.clone().oneshot(ask("/")).await.unwrap()).await;
    assert_eq!(get().await, ("MISS".to_owned(), "call 1".to_owned()));
    advance(Duration::from_secs(61)).await;
    assert_eq!(get().await, ("STALE".to_owned(), "call 1".to_owned()));
    sleep(Duration::from_millis(1)).await;
    assert_eq!(get().await, ("HIT".to_owned(), "call 2".to_owned()));
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn what_is_stale_stands_in_for_failures() {
    let state = Arc::new(AtomicU64::new(200));
    let status = Arc::clone(&state);
    let service = service_fn(move |_: Request<Body>| {
        let status = status.load(Ordering::SeqCst);
        async move {
            match status {
                0 => Err("refused"),
                status => Ok(Response::builder()
                    .status(status as u16)
                    .header("cache-control", if status < 500 { "max-age=60" } else { "no-store" })
                    .body(Body::from(status.to_string()))
                    .unwrap()),
            }
        }
    });
    let cached = minute().fail_safe(Duration::from_secs(600)).build().unwrap().layer(service);
    let get = async || match cached.clone().oneshot(ask("/")).await {
        Ok(response) => shown(response).await,
        Err(error) => ("error".to_owned(), error.to_owned()),
    };
    let check = async |state_now: u64, outcome: &str, body: &str| {
        state.store(state_now, Ordering::SeqCst);
        advance(Duration::from_secs(61)).await;
        assert_eq!(get().await, (outcome.to_owned(), body.to_owned()), "{state_now}");
    };
    check(200, "MISS", "200").await;
    check(503, "STALE", "200").await;
    check(0, "STALE", "200").await;
    check(200, "MISS", "200").await;
    // A service that works, and says that there is nothing any more, is believed.
    check(404, "MISS", "404").await;
    check(503, "MISS", "503").await;
    check(0, "error", "refused").await;
    check(200, "MISS", "200").await;
}

#[tokio::test]
async fn failures_are_shared_but_not_kept() {
    let calls = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&calls);
    let service = service_fn(move |_: Request<Body>| {
        counter.fetch_add(1, Ordering::SeqCst);
        async {
            tokio::task::yield_now().await;
            Ok::<_, Infallible>(Response::builder().status(500).body(Body::from("broken")).unwrap())
        }
    });
    let cached = minute().build().unwrap().layer(service);
    let get = async || shown(cached.clone().oneshot(ask("/")).await.unwrap()).await;
    let expect = ("MISS".to_owned(), "broken".to_owned());
    assert_eq!(tokio::join!(get(), get(), get()), (expect.clone(), expect.clone(), expect.clone()));
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    assert_eq!(get().await, expect);
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn errors_that_cannot_be_shared_are_asked_for() {
    let calls = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&calls);
    let service = service_fn(move |_: Request<Body>| {
        counter.fetch_add(1, Ordering::SeqCst);
        async {
            tokio::task::yield_now().await;
            Err::<Response<Body>, _>("refused".to_owned())
        }
    });
    let cached = minute().build().unwrap().layer(service);
    let get = async || cached.clone().oneshot(ask("/")).await.map(|_| ()).unwrap_err();
    assert_eq!(tokio::join!(get(), get()), ("refused".to_owned(), "refused".to_owned()));
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn private_answers_reach_only_those_who_asked() {
    let calls = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&calls);
    let service = service_fn(move |_: Request<Body>| {
        let call = counter.fetch_add(1, Ordering::SeqCst) + 1;
        async move {
            tokio::task::yield_now().await;
            let response = Response::builder().header("set-cookie", format!("session={call}"));
            Ok::<_, Infallible>(response.body(Body::from(call.to_string())).unwrap())
        }
    });
    let cached = minute().build().unwrap().layer(service);
    let get = async || shown(cached.clone().oneshot(ask("/")).await.unwrap()).await;
    let (one, two, three) = tokio::join!(get(), get(), get());
    let mut bodies = [one.1, two.1, three.1];
    bodies.sort();
    assert_eq!(bodies, ["1", "2", "3"]);
    assert_eq!(get().await, ("BYPASS".to_owned(), "4".to_owned()));
}

#[tokio::test]
async fn a_panic_of_the_service_reaches_its_caller() {
    let service = service_fn(|_: Request<Body>| async {
        if true {
            panic!("no answer");
        }
        Ok::<_, Infallible>(Response::new(Body::empty()))
    });
    let cached = minute().build().unwrap().layer(service);
    let panic = tokio::spawn(cached.oneshot(ask("/"))).await.unwrap_err().into_panic();
    assert!(panic.downcast_ref::<String>().unwrap().ends_with("no answer"));
}

#[tokio::test(start_paused = true)]
async fn a_load_that_is_given_up_is_a_gateway_timeout() {
    let service = service_fn(|_: Request<Body>| async {
        sleep(Duration::from_secs(60)).await;
        Ok::<_, Infallible>(Response::new(Body::empty()))
    });
    let layer = minute().cache(|cache| cache.hard_timeout(Duration::from_secs(1))).build().unwrap();
    let response = layer.layer(service).oneshot(ask("/")).await.unwrap();
    assert_eq!(response.status(), StatusCode::GATEWAY_TIMEOUT);
}

#[tokio::test]
async fn handlers_that_cache_themselves_say_so() {
    let (_, service) = counting(|request, call| {
        let status = request.extensions().get::<CacheStatus>().unwrap();
        match call {
            1 => status.hit(),
            2 => status.stale(),
            _ => {}
        }
        Response::builder().header("cache-control", "no-store").body(String::new()).unwrap()
    });
    let cached = minute().build().unwrap().layer(service);
    for expect in ["HIT", "STALE", "BYPASS"] {
        assert_eq!(shown(cached.clone().oneshot(ask("/")).await.unwrap()).await.0, expect);
    }
}

#[tokio::test]
async fn a_hit_does_not_wait_for_the_service() {
    #[derive(Clone)]
    struct Busy(Arc<AtomicU32>);

    impl Service<Request<Body>> for Busy {
        type Response = Response<Body>;
        type Error = Infallible;
        type Future = std::future::Ready<Result<Response<Body>, Infallible>>;

        fn poll_ready(
            &mut self,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Result<(), Infallible>> {
            // Ready once.
            match self.0.fetch_add(1, Ordering::SeqCst) {
                0 => std::task::Poll::Ready(Ok(())),
                _ => std::task::Poll::Pending,
            }
        }

        fn call(&mut self, _: Request<Body>) -> Self::Future {
            std::future::ready(Ok(Response::new(Body::from("once"))))
        }
    }

    let cached = minute().build().unwrap().layer(Busy(Arc::default()));
    for expect in ["MISS", "HIT", "HIT"] {
        let (outcome, body) = shown(cached.clone().oneshot(ask("/")).await.unwrap()).await;
        assert_eq!((outcome.as_str(), body.as_str()), (expect, "once"));
    }
}

#[tokio::test]
async fn who_has_the_answer_is_only_told_so() {
    let (_, service) = counting(|request, _| {
        assert!(!request.headers().contains_key("if-none-match"));
        Response::builder().header("etag", "\"v1\"").body("long".to_owned()).unwrap()
    });
    let cached = minute().build().unwrap().layer(service);
    for known in ["\"v1\"", "W/\"v1\"", "\"v0\""] {
        let mut request = ask("/");
        request.headers_mut().insert("if-none-match", known.parse().unwrap());
        let response = cached.clone().oneshot(request).await.unwrap();
        let status: HeaderMap = response.headers().clone();
        let expect = if known == "\"v0\"" { StatusCode::OK } else { StatusCode::NOT_MODIFIED };
        assert_eq!(response.status(), expect, "{known}");
        assert_eq!(status["etag"], "\"v1\"");
    }
}
