//! What stands before the demo's backend: caches, the pool of connections, the circuit breaker.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use proofload_testbed::demo::{Demo, DemoOptions, Knobs};
use serde_json::json;

use crate::client::{PATIENCE, connect, get};
use crate::demo_areas::{metric, post, start};

const HOUR: Duration = Duration::from_secs(3600);
const JSON: &[(&str, &str)] = &[("content-type", "application/json")];

fn demo(knobs: Knobs) -> Demo {
    start(DemoOptions { knobs, ..DemoOptions::default() })
}

/// A figure of the pool of connections to the backend.
fn pool(addr: SocketAddr, name: &str) -> f64 {
    metric(addr, &format!("pool_{name}{{pool=\"backend\"}}"))
}

fn wait_until(is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "never happened");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn of_all_who_ask_the_same_at_once_one_asks_the_backend() {
    let demo = demo(Knobs { miss_latency: Duration::from_millis(500), ..Knobs::instant() });
    let body = json!({"message": "the same"}).to_string();
    let mut clients: Vec<_> = (0..20).map(|_| connect(demo.addr())).collect();
    for client in &mut clients {
        client.send("POST", "/api/chat", JSON, body.as_bytes());
    }
    let answers: Vec<_> =
        clients.iter_mut().map(|client| client.answer("POST").unwrap().json()).collect();
    let paid = answers.iter().filter(|answer| answer["cached"] == false).count();
    assert_eq!(paid, 1, "{answers:?}");
    assert_eq!(get(demo.addr(), "/admin/cache").json()["loads"], 1);
}

#[test]
fn a_call_holds_a_connection_and_who_finds_none_waits_or_is_told() {
    let demo = demo(Knobs {
        miss_latency: HOUR,
        connections: Some(1),
        connection_wait: Duration::ZERO,
        ..Knobs::instant()
    });
    let addr = demo.addr();
    let ask = |text: &str| {
        let mut client = connect(addr);
        let body = json!({"message": text}).to_string();
        client.send("POST", "/api/chat", JSON, body.as_bytes());
        client
    };
    let served = ask("one");
    wait_until(|| pool(addr, "in_use") == 1.0);
    let _waits = ask("two");
    wait_until(|| pool(addr, "waiting") == 1.0);
    post(&mut connect(addr), "/admin/knobs", &json!({"connections": 2}));
    wait_until(|| pool(addr, "in_use") == 2.0);
    assert_eq!((pool(addr, "waiting"), pool(addr, "max_size")), (0.0, 2.0));
    post(&mut connect(addr), "/admin/knobs", &json!({"connection_wait_ms": 10}));
    let refused = ask("three").answer("POST").unwrap();
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")));
    assert_eq!(metric(addr, "pool_acquire_failures_total"), 1.0);
    // Who leaves gives the connection back.
    drop(served);
    wait_until(|| pool(addr, "in_use") == 1.0);
}

#[test]
fn a_backend_that_fails_is_left_alone_and_what_is_stale_stands_in() {
    let options = DemoOptions {
        knobs: Knobs::instant(),
        chat_ttl: Duration::from_millis(1),
        ..DemoOptions::default()
    };
    let demo = start(options);
    let addr = demo.addr();
    let mut client = connect(addr);
    let known = post(&mut client, "/api/chat", &json!({"message": "known"}));
    assert_eq!((known.status, known.header("x-cache")), (200, Some("MISS")));
    post(&mut client, "/admin/knobs", &json!({"backend_error_rate": 1}));
    let mut statuses = Vec::new();
    for number in 0..40 {
        let answer = post(&mut client, "/api/chat", &json!({"message": format!("new {number}")}));
        assert!(answer.status != 503 || answer.header("retry-after").is_some());
        statuses.push(answer.status);
    }
    // One call that worked and 19 that failed make the 20 that it takes.
    let failed = statuses.iter().take_while(|&&status| status == 502).count();
    assert_eq!(failed, 19, "{statuses:?}");
    assert!(statuses[failed..].iter().all(|&status| status == 503), "{statuses:?}");
    let refused = "circuit_breaker_calls_total{breaker=\"backend\",outcome=\"refused\"}";
    assert_eq!(metric(addr, refused), 21.0);
    let stale = post(&mut client, "/api/chat", &json!({"message": "known"}));
    assert_eq!((stale.status, stale.header("x-cache")), (200, Some("STALE")));
    assert_eq!(stale.json()["cached"], true);
    post(&mut client, "/admin/knobs", &json!({"breaker": false}));
    let unguarded = post(&mut client, "/api/chat", &json!({"message": "new again"}));
    assert_eq!(unguarded.status, 502);
}

#[test]
fn a_webhook_is_checked_by_the_backend_where_that_takes_time() {
    let form = b"From=whatsapp%3A%2B1&Body=Urgent+wire";
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let ask =
        |demo: &Demo| connect(demo.addr()).request("POST", "/webhook/whatsapp", &headers, form);
    let alone = demo(Knobs::instant());
    assert_eq!(ask(&alone).header("x-cache"), None);
    let asking = demo(Knobs { check_latency: Duration::from_millis(1), ..Knobs::instant() });
    let [first, second] = [ask(&asking), ask(&asking)];
    let from = [first.header("x-cache"), second.header("x-cache")];
    assert_eq!(from, [Some("MISS"), Some("HIT")]);
    assert_eq!(first.text(), second.text());
    assert_eq!(ask(&alone).text(), first.text());
    let uncached = demo(Knobs { cache: false, ..Knobs::before() });
    assert_eq!(
        [ask(&uncached), ask(&uncached)].map(|it| it.header("x-cache") == Some("MISS")),
        [true; 2]
    );
}

#[test]
fn a_message_is_notified_of_behind_the_answer() {
    let demo = demo(Knobs::instant());
    let addr = demo.addr();
    let mut client = connect(addr);
    let login =
        post(&mut client, "/api/auth/login", &json!({"address": "0xabc", "signature": "0x"}));
    let token = format!("Bearer {}", login.json()["token"].as_str().unwrap());
    let headers = [("content-type", "application/json"), ("authorization", token.as_str())];
    let draft = json!({"recipient": "0x01", "content": "hello"}).to_string();
    for _ in 0..3 {
        let sent = client.request("POST", "/api/messages", &headers, draft.as_bytes());
        assert_eq!(sent.status, 200);
    }
    wait_until(|| metric(addr, "background_tasks_done_total") == 3.0);
    assert_eq!(metric(addr, "background_tasks_dropped_total"), 0.0);
    // Writing goes to the primary, reading to a replica.
    client.request("GET", "/api/messages", &headers, b"");
    let acquired = |pool: &str| metric(addr, &format!("pool_acquired_total{{pool=\"{pool}\"}}"));
    assert_eq!((acquired("messages"), acquired("messages-replica")), (3.0, 1.0));
}
