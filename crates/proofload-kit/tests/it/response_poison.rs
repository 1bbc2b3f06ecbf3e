//! The response cache before services whose clients mean harm: no request decides what another one is answered.

use std::convert::Infallible;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderName, Method, Request, Response, StatusCode};
use http_body_util::StreamBody;
use proofload_kit::response::ResponseCacheBuilder;
use tower::{Layer as _, Service, ServiceExt as _, service_fn};

use super::response::{ask, counting, minute, shown};

fn with(uri: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let mut request = Request::get(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::empty()).unwrap()
}

/// A service that says what it was told its own name is.
fn echo(
    header: &'static str,
) -> impl Service<
    Request<Body>,
    Response = Response<http_body_util::Full<bytes::Bytes>>,
    Error = Infallible,
    Future: Send,
> + Clone
+ Send
+ 'static {
    counting(move |request, _| {
        let said = request.headers().get(header).map_or("nothing", |value| value.to_str().unwrap());
        Response::new(said.to_owned())
    })
    .1
}

#[tokio::test]
async fn a_host_is_not_taken_for_another() {
    let cached = minute().build().unwrap().layer(echo("host"));
    let evil = with("http://shop/", &[("host", "evil")]);
    assert_eq!(shown(cached.clone().oneshot(evil).await.unwrap()).await.1, "evil");
    for uri in ["/", "http://shop/"] {
        let good = with(uri, &[("host", "shop")]);
        assert_eq!(shown(cached.clone().oneshot(good).await.unwrap()).await.1, "shop", "{uri}");
    }
    let twice = with("/", &[("host", "shop"), ("host", "evil")]);
    assert_eq!(shown(cached.oneshot(twice).await.unwrap()).await.0, "MISS");
}

#[tokio::test]
async fn headers_by_which_services_learn_their_address_are_in_the_key() {
    for (header, value) in [
        ("x-forwarded-host", "evil"),
        ("x-forwarded-proto", "gopher"),
        ("x-forwarded-prefix", "/evil"),
        ("x-original-url", "/evil"),
        ("x-http-method-override", "DELETE"),
        ("forwarded", "for=1.2.3.4;host=evil"),
    ] {
        let cached = minute().build().unwrap().layer(echo(header));
        let evil = with("/", &[(header, value)]);
        assert_eq!(shown(cached.clone().oneshot(evil).await.unwrap()).await.1, value);
        let good = shown(cached.oneshot(ask("/")).await.unwrap()).await;
        assert_eq!(good, ("MISS".to_owned(), "nothing".to_owned()), "{header}");
    }
    // Who the client is behind a proxy is not: every one would have a key of its own.
    let cached = minute().build().unwrap().layer(echo("host"));
    for (client, expect) in [("for=1.2.3.4;host=shop", "MISS"), ("for=5.6.7.8; host=shop", "HIT")] {
        let request = with("/", &[("forwarded", client)]);
        assert_eq!(shown(cached.clone().oneshot(request).await.unwrap()).await.0, expect);
    }
}

#[tokio::test]
async fn a_body_without_a_length_is_a_body() {
    let (calls, service) = counting(|_, call| Response::new(format!("call {call}")));
    let cached = minute().build().unwrap().layer(service);
    let frame = || Ok::<_, Infallible>(http_body::Frame::data(bytes::Bytes::from_static(b"evil")));
    let fat =
        Request::get("/").body(Body::new(StreamBody::new(futures_util::stream::iter([frame()]))));
    let answer = shown(cached.clone().oneshot(fat.unwrap()).await.unwrap()).await;
    assert_eq!(answer.0, "BYPASS", "as HTTP/2 has them: neither length nor encoding");
    assert_eq!(shown(cached.oneshot(ask("/")).await.unwrap()).await.1, "call 2");
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn conditions_that_are_not_about_caches_go_to_the_service() {
    for name in ["if-match", "if-unmodified-since"] {
        let (_, service) = counting(|_, _| Response::new("plain".to_owned()));
        let cached = minute().build().unwrap().layer(service);
        let request = with("/", &[(name, "\"a\"")]);
        assert_eq!(shown(cached.oneshot(request).await.unwrap()).await.0, "BYPASS", "{name}");
    }
}

#[tokio::test]
async fn a_body_that_is_shorter_than_it_says_is_not_kept() {
    let (calls, service) = counting(|_, _| {
        Response::builder().header("content-length", "100").body("cut off".to_owned()).unwrap()
    });
    let cached = minute().build().unwrap().layer(service);
    for _ in 0..2 {
        let _ = cached.clone().oneshot(ask("/")).await.unwrap();
    }
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn what_varies_is_not_given_to_others_though_it_is_not_kept() {
    for status in [StatusCode::FOUND, StatusCode::SERVICE_UNAVAILABLE] {
        let service = service_fn(move |request: Request<Body>| {
            let lang = request.headers()["accept-language"].to_str().unwrap().to_owned();
            async move {
                tokio::time::sleep(Duration::from_millis(50)).await;
                let answer = Response::builder().status(status).header("vary", "accept-language");
                Ok::<_, Infallible>(answer.body(Body::from(lang)).unwrap())
            }
        });
        let cached = minute().build().unwrap().layer(service);
        let asks = ["de", "en", "fr"].map(|lang| {
            let cached = cached.clone();
            async move {
                let request = with("/", &[("accept-language", lang)]);
                assert_eq!(shown(cached.oneshot(request).await.unwrap()).await.1, lang, "{status}");
            }
        });
        futures_util::future::join_all(asks).await;
    }
}

#[tokio::test]
async fn answers_that_vary_with_different_headers_do_not_forget_each_other() {
    let (calls, service) = counting(|request, _| {
        let html = request.headers()["accept"] == "html";
        let vary = if html { "accept" } else { "origin" };
        Response::builder().header("vary", vary).body(String::new()).unwrap()
    });
    let cached = minute().build().unwrap().layer(service);
    for _ in 0..20 {
        for kind in ["html", "json"] {
            let request = with("/", &[("accept", kind), ("origin", "here")]);
            let _ = cached.clone().oneshot(request).await.unwrap();
        }
    }
    let calls = calls.load(Ordering::SeqCst);
    assert!(calls <= 6, "{calls} calls for two answers");
}

#[tokio::test]
async fn only_who_reads_is_told_that_it_has_the_answer_already() {
    let (_, service) = counting(|_, _| {
        Response::builder().header("etag", "\"a\"").body("found".to_owned()).unwrap()
    });
    let builder: fn() -> ResponseCacheBuilder = || minute().methods([Method::GET, Method::POST]);
    let cached = builder().hash_body(100).build().unwrap().layer(service);
    for (method, expect) in
        [(Method::GET, StatusCode::NOT_MODIFIED), (Method::POST, StatusCode::OK)]
    {
        for _ in 0..2 {
            let mut request = with("/", &[("if-none-match", "\"a\"")]);
            *request.method_mut() = method.clone();
            let answer = cached.clone().oneshot(request).await.unwrap();
            let miss = answer.headers()["x-cache"] == "MISS";
            assert!(miss || answer.status() == expect, "{method} {}", answer.status());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_old_already_says_so() {
    let (_, service) = counting(|_, _| {
        let answer = Response::builder().header("age", "40").header("cache-control", "max-age=100");
        answer.body(String::new()).unwrap()
    });
    let cached = minute().build().unwrap().layer(service);
    let _ = cached.clone().oneshot(ask("/")).await.unwrap();
    let hit = cached.oneshot(ask("/")).await.unwrap();
    let said = [&hit.headers()["x-cache"], &hit.headers()["age"]];
    assert_eq!(said, ["HIT", "40"]);
}

#[tokio::test]
async fn headers_of_one_connection_are_not_for_others() {
    let (_, service) = counting(|_, _| {
        Response::builder()
            .header("connection", "close, X-Hop")
            .header("keep-alive", "timeout=5")
            .header("x-hop", "1")
            .header("x-kept", "1")
            .body(String::new())
            .unwrap()
    });
    let cached = minute().build().unwrap().layer(service);
    let _ = cached.clone().oneshot(ask("/")).await.unwrap();
    let hit = cached.oneshot(ask("/")).await.unwrap();
    let there = |name: &'static str| hit.headers().contains_key(HeaderName::from_static(name));
    assert!(there("x-kept"));
    assert!(!there("connection") && !there("keep-alive") && !there("x-hop"));
}
