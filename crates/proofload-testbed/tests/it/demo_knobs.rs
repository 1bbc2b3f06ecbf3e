//! Knobs, at the start and while it runs; starting and stopping.

use std::time::{Duration, Instant};

use proofload_testbed::demo::{Demo, DemoOptions, Knobs};
use serde_json::json;

use crate::client::{PATIENCE, connect, get};
use crate::demo_areas::{instant, metric, post, start};

#[test]
fn knobs_are_shown_and_turned_while_it_runs() {
    let demo = start(DemoOptions::default());
    let mut client = connect(demo.addr());
    let before = client.get("/admin/knobs").json();
    assert_eq!((&before["latency_ms"], &before["capacity"]), (&json!(2.0), &json!(null)));
    let mut expected = before;
    expected["error_rate"] = json!(1.0);
    expected["latency_ms"] = json!(0.5);
    let turned = post(&mut client, "/admin/knobs", &json!({"error_rate": 1, "latency_ms": 0.5}));
    assert_eq!(turned.json(), expected);
    assert_eq!(client.get("/admin/knobs").json(), expected);
    assert_eq!(client.get("/api/config").status, 500);
    assert_eq!(client.get("/health").status, 200);

    for bad in [json!({"error_rate": 2}), json!({"no_such": 1}), json!({"capacity": "many"})] {
        let refused = post(&mut client, "/admin/knobs", &bad);
        assert_eq!(refused.status, 400, "{bad}");
        assert!(refused.json()["error"].is_string());
    }
    assert_eq!(client.get("/admin/knobs").json(), expected);
    let foreign = [("origin", "https://evil.example")];
    assert_eq!(client.request("GET", "/admin/knobs", &foreign, b"").status, 403);
}

#[test]
fn the_error_rate_is_a_share_and_the_same_seed_gives_the_same_errors() {
    let statuses = || {
        let knobs = Knobs { error_rate: 0.3, ..Knobs::instant() };
        let demo = start(DemoOptions { knobs, seed: 42, ..DemoOptions::default() });
        let mut client = connect(demo.addr());
        (0..400).map(|_| client.get("/api/config").status).collect::<Vec<_>>()
    };
    let first = statuses();
    let errors = first.iter().filter(|&&status| status == 500).count();
    // 120 expected with a standard deviation of 9; the seed makes it the same in every run.
    assert!((80..=160).contains(&errors), "{errors} of 400");
    assert_eq!(first, statuses());
}

#[test]
fn beyond_capacity_and_queue_requests_are_turned_away() {
    let knobs = Knobs {
        capacity: Some(1),
        queue: 1,
        miss_latency: Duration::from_secs(3600),
        ..Knobs::instant()
    };
    let demo = start(DemoOptions { knobs, ..DemoOptions::default() });
    let addr = demo.addr();
    // This one is served for an hour, the next waits for its place, a third finds the queue full.
    let mut served = connect(addr);
    let body = json!({"message": "x"}).to_string();
    served.send("POST", "/api/chat", &[("content-type", "application/json")], body.as_bytes());
    wait_until(|| metric(addr, "requests_active") == 1.0);
    let mut waiting = connect(addr);
    waiting.send("GET", "/api/config", &[], b"");
    wait_until(|| metric(addr, "queue_depth") == 1.0);
    let turned_away = get(addr, "/api/config");
    assert_eq!((turned_away.status, turned_away.header("retry-after")), (503, Some("1")));
    assert_eq!(metric(addr, "queue_rejected_total"), 1.0);
    assert_eq!(get(addr, "/health").json()["queue_depth"], 1);

    // More capacity lets the waiting one in.
    post(&mut connect(addr), "/admin/knobs", &json!({"capacity": 2}));
    assert_eq!(waiting.answer("GET").unwrap().status, 200);
    // A client that leaves gives its place back.
    drop(served);
    wait_until(|| metric(addr, "requests_active") == 0.0);
}

#[test]
fn requests_wait_for_the_end_of_a_stall() {
    let demo = start(instant());
    let mut client = connect(demo.addr());
    // All but the first 10 ms of each 300 ms is a stall: whenever a request comes after those, it
    // cannot be answered before the next period begins.
    let turned = Instant::now();
    post(&mut client, "/admin/knobs", &json!({"stall_every_ms": 300, "stall_ms": 290}));
    std::thread::sleep(Duration::from_millis(50).saturating_sub(turned.elapsed()));
    let late_by = turned.elapsed();
    assert_eq!(client.get("/api/config").status, 200);
    // On a machine so busy that the period was over already, there is nothing to see.
    assert!(
        late_by >= Duration::from_millis(300) || turned.elapsed() >= Duration::from_millis(300)
    );
}

#[test]
fn latencies_are_lower_bounds() {
    let knobs = Knobs {
        latency: Duration::from_millis(20),
        miss_latency: Duration::from_millis(50),
        ..Knobs::instant()
    };
    let demo = start(DemoOptions { knobs, ..DemoOptions::default() });
    let mut client = connect(demo.addr());
    for (cached, least_ms) in [(false, 70), (true, 20)] {
        let asked = Instant::now();
        let answer = post(&mut client, "/api/chat", &json!({"message": "hello"}));
        assert_eq!(answer.json()["cached"], cached);
        assert!(asked.elapsed() >= Duration::from_millis(least_ms));
    }
}

#[test]
fn impossible_knobs_do_not_start() {
    let knobs = Knobs { error_rate: f64::NAN, ..Knobs::default() };
    let error = Demo::start(DemoOptions { knobs, ..DemoOptions::default() }).unwrap_err();
    assert!(error.to_string().contains("error_rate"), "{error}");
}

#[test]
fn it_stops_with_idle_connections_and_frees_its_port() {
    let demo = start(DemoOptions { threads: 2, ..instant() });
    let addr = demo.addr();
    let mut clients: Vec<_> = (0..10).map(|_| connect(addr)).collect();
    for client in &mut clients {
        assert_eq!(client.get("/api/config").status, 200);
    }
    let taken = Demo::start(DemoOptions { port: addr.port(), ..instant() }).unwrap_err();
    assert_eq!(taken.kind(), std::io::ErrorKind::AddrInUse);
    demo.stop();
    for mut client in clients {
        assert!(client.answer("GET").is_err());
    }
    let again = start(DemoOptions { port: addr.port(), ..instant() });
    assert_eq!(get(again.addr(), "/health").status, 200);
}

#[test]
fn starting_and_stopping_work_inside_a_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let demo = start(instant());
        assert!(Demo::start(DemoOptions { port: demo.addr().port(), ..instant() }).is_err());
        demo.stop();
    });
}

fn wait_until(is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "never happened");
        std::thread::sleep(Duration::from_millis(2));
    }
}
