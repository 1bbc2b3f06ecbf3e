//! The response cache before services: what is kept, under which key, and how it is marked.

use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderName, Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use proofload_kit::response::ResponseCacheBuilder;
use tower::{Layer as _, ServiceExt as _};

use super::response::{ask, counting, minute, shown};

/// Asks twice; how both were answered.
async fn twice(
    builder: ResponseCacheBuilder,
    request: fn() -> Request<Body>,
    answer: fn() -> Response<String>,
) -> String {
    let (_, service) = counting(move |_, _| answer());
    let cached = builder.build().unwrap().layer(service);
    let mut outcomes = Vec::new();
    for _ in 0..2 {
        outcomes.push(shown(cached.clone().oneshot(request()).await.unwrap()).await.0);
    }
    outcomes.join(" ")
}

fn plain() -> Response<String> {
    Response::new("plain".to_owned())
}

fn with(name: &'static str, value: &'static str) -> Response<String> {
    Response::builder().header(name, value).body("with".to_owned()).unwrap()
}

fn asking(name: &'static str, value: &'static str) -> Request<Body> {
    Request::get("/").header(name, value).body(Body::empty()).unwrap()
}

#[tokio::test]
async fn nothing_private_is_shared_unless_told() {
    macro_rules! check {
        ($expect:literal, $builder:expr, $request:expr, $answer:expr) => {
            assert_eq!(
                twice($builder, || $request, || $answer).await,
                $expect,
                "{}",
                stringify!($builder, $request, $answer)
            );
        };
    }
    check!("MISS HIT", minute(), ask("/"), plain());
    check!("BYPASS BYPASS", minute(), asking("authorization", "Bearer x"), plain());
    check!(
        "MISS HIT",
        minute().share_authorised(true),
        asking("authorization", "Bearer x"),
        plain()
    );
    check!("BYPASS BYPASS", minute(), asking("cookie", "a=b"), plain());
    check!("MISS HIT", minute().share_cookies(true), asking("cookie", "a=b"), plain());
    check!("MISS BYPASS", minute(), ask("/"), with("set-cookie", "a=b"));
    check!("MISS HIT", minute().keep_set_cookie(true), ask("/"), with("set-cookie", "a=b"));
    check!("MISS BYPASS", minute(), ask("/"), with("cache-control", "private"));
    check!(
        "MISS HIT",
        minute().honour_cache_control(false),
        ask("/"),
        with("cache-control", "private")
    );
    check!("MISS BYPASS", minute(), ask("/"), with("vary", "*"));
    check!("MISS BYPASS", minute().max_body_bytes(3), ask("/"), plain());
    check!("MISS MISS", minute().statuses([StatusCode::IM_A_TEAPOT]), ask("/"), plain());
    check!("BYPASS BYPASS", minute().methods([Method::HEAD]), ask("/"), plain());
    check!("BYPASS BYPASS", minute().key(|_| None), ask("/"), plain());
}

#[tokio::test]
async fn users_with_keys_of_their_own_do_not_meet() {
    let (calls, service) =
        counting(|request, _| Response::new(format!("{:?}", request.headers()["authorization"])));
    let cached =
        minute().vary([HeaderName::from_static("authorization")]).build().unwrap().layer(service);
    for _ in 0..2 {
        for user in ["ada", "bob"] {
            let body =
                shown(cached.clone().oneshot(asking("authorization", user)).await.unwrap()).await.1;
            assert_eq!(body, format!("{user:?}"));
        }
    }
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn answers_that_vary_are_told_apart() {
    let (calls, service) = counting(|request, _| {
        let lang = request.headers()["accept-language"].to_str().unwrap().to_owned();
        Response::builder().header("vary", "Accept-Language").body(lang).unwrap()
    });
    let cached = minute().build().unwrap().layer(service);
    let get = async |lang: &'static str| {
        shown(cached.clone().oneshot(asking("accept-language", lang)).await.unwrap()).await
    };
    // The first ones do not know yet what answers vary with, and must not be given each other's.
    let all = tokio::join!(get("en"), get("de"), get("en"), get("fr"));
    assert_eq!((&*all.0.1, &*all.1.1, &*all.2.1, &*all.3.1), ("en", "de", "en", "fr"));
    let before = calls.load(Ordering::SeqCst);
    for lang in ["en", "de", "fr"] {
        get(lang).await;
    }
    let known = calls.load(Ordering::SeqCst);
    for lang in ["en", "de", "fr", "en", "de", "fr"] {
        assert_eq!(get(lang).await, ("HIT".to_owned(), lang.to_owned()));
    }
    assert_eq!(calls.load(Ordering::SeqCst), known);
    assert!(before <= 4 && known <= before + 1, "{before} {known}");
}

#[tokio::test(start_paused = true)]
async fn answers_say_how_long_they_are_fresh() {
    let (_, service) = counting(|_, call| {
        Response::builder()
            .header("cache-control", "max-age=5, must-revalidate")
            .body(call.to_string())
            .unwrap()
    });
    // Far from what the cache itself would do.
    let layer = minute().stale_while_revalidate(Duration::from_secs(600)).build().unwrap();
    let cached = layer.layer(service);
    let check = async |after: u64, outcome: &str, body: &str| {
        tokio::time::advance(Duration::from_secs(after)).await;
        let found = shown(cached.clone().oneshot(ask("/")).await.unwrap()).await;
        assert_eq!(found, (outcome.to_owned(), body.to_owned()), "after {after}");
    };
    check(0, "MISS", "1").await;
    check(4, "HIT", "1").await;
    // It must not be served stale.
    check(2, "MISS", "2").await;
    check(4, "HIT", "2").await;
}

#[tokio::test]
async fn json_bodies_say_whether_they_were_cached() {
    let (_, service) = counting(|_, call| {
        let response =
            Response::builder().header("content-type", "application/json").header("etag", "\"x\"");
        response.body(format!(r#"{{"call":{call},"cached":null}}"#)).unwrap()
    });
    let cached = minute().mark_json_field("cached").build().unwrap().layer(service);
    for (outcome, field) in [("MISS", "false"), ("HIT", "true"), ("HIT", "true")] {
        let response = cached.clone().oneshot(ask("/")).await.unwrap();
        assert_eq!(response.headers()["etag"], "W/\"x\"");
        let expect = format!(r#"{{"call":1,"cached":{field}}}"#);
        assert_eq!(response.headers()["content-length"], expect.len().to_string());
        assert_eq!(shown(response).await, (outcome.to_owned(), expect));
    }
}

#[tokio::test]
async fn questions_in_bodies_are_answered_from_the_cache_when_told() {
    let (calls, service) = counting(|_, call| Response::new(call.to_string()));
    let layer = minute().methods([Method::GET, Method::POST]).hash_body(100).build().unwrap();
    // The service must be given the body that was read.
    let checked = tower::service_fn(move |request: Request<Body>| {
        let service = service.clone();
        async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            assert!(body.starts_with(b"question"), "{body:?}");
            service.oneshot(Request::from_parts(parts, Body::from(body))).await
        }
    });
    let cached = layer.layer(checked);
    let post = async |body: Body| {
        shown(cached.clone().oneshot(Request::post("/").body(body).unwrap()).await.unwrap()).await
    };
    let expect = |outcome: &str, body: &str| (outcome.to_owned(), body.to_owned());
    assert_eq!(post("question 1".into()).await, expect("MISS", "1"));
    assert_eq!(post("question 2".into()).await, expect("MISS", "2"));
    assert_eq!(post("question 1".into()).await, expect("HIT", "1"));
    let long = format!("question {}", "x".repeat(100));
    assert_eq!(post(long.clone().into()).await.0, "BYPASS");
    let unknown =
        Body::from_stream(futures_util::stream::iter([Ok::<_, std::io::Error>("question")]));
    assert_eq!(post(unknown).await.0, "BYPASS");
    assert_eq!(calls.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn large_streams_pass_untouched() {
    let body = "x".repeat(100_000);
    let stream = futures_util::stream::iter(
        body.as_bytes()
            .chunks(7_000)
            .map(|chunk| Ok::<_, std::io::Error>(chunk.to_vec()))
            .collect::<Vec<_>>(),
    );
    let body_once = std::sync::Arc::new(std::sync::Mutex::new(Some(Body::from_stream(stream))));
    let service = tower::service_fn(move |_: Request<Body>| {
        let body = body_once.lock().unwrap().take().unwrap();
        async { Ok::<_, std::convert::Infallible>(Response::new(body)) }
    });
    let cached = minute().max_body_bytes(50_000).build().unwrap().layer(service);
    assert_eq!(shown(cached.oneshot(ask("/")).await.unwrap()).await, ("MISS".to_owned(), body));
}

#[tokio::test]
async fn keys_can_be_made_otherwise() {
    let (calls, service) = counting(|_, call| Response::new(call.to_string()));
    let layer = minute()
        .key(|parts| Some(parts.uri.path().trim_end_matches('/').to_owned()))
        .build()
        .unwrap();
    let cached = layer.layer(service);
    for uri in ["/a", "/a/", "/a?x=1"] {
        cached.clone().oneshot(ask(uri)).await.unwrap();
    }
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    assert_eq!(layer.cache().invalidate_tag("path:/a").await, 1);
}

#[test]
fn settings_that_cannot_be() {
    let check = |builder: ResponseCacheBuilder, setting: &str| {
        assert_eq!(builder.build().unwrap_err().setting(), setting);
    };
    check(minute().methods([]), "methods");
    check(minute().statuses([StatusCode::OK, StatusCode::BAD_GATEWAY]), "statuses");
    check(minute().max_body_bytes(0), "max_body_bytes");
    check(minute().max_bytes(0), "max_weight");
    check(minute().mark_json_field("a\"b"), "mark_json_field");
    check(minute().cache(|cache| cache.max_entries(5)), "max_weight");
}
