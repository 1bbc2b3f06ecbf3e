//! The demo's caches with a real Redis below them.

use std::net::TcpListener;

use proofload_testbed::demo::{Demo, DemoOptions};
use proofload_testbed::servers::Redis;
use serde_json::json;

use crate::client::connect;
use crate::demo_areas::{instant, metric, post, start};

/// A port at which nobody listens, at the moment.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn with(address: String) -> DemoOptions {
    DemoOptions { redis: Some(address), ..instant() }
}

#[test]
fn what_is_remembered_is_in_redis_too_until_the_demo_ends() {
    let redis = Redis::start();
    let demo = start(with(redis.url()));
    let mut client = connect(demo.addr());
    let ask = json!({"message": "hello"});
    let [first, second] = [(); 2].map(|()| post(&mut client, "/api/chat", &ask));
    let from = [first.header("x-cache"), second.header("x-cache")];
    assert_eq!(from, [Some("MISS"), Some("HIT")]);
    assert_ne!(redis.ask("DBSIZE").as_deref(), Some(":0"), "it is in Redis");
    assert!(metric(demo.addr(), "cache_remote_misses_total") >= 1.0);
    demo.stop();
    assert_eq!(redis.ask("DBSIZE").as_deref(), Some(":0"), "nothing is left behind");
}

#[test]
fn a_demo_whose_redis_is_not_there_does_not_start() {
    let port = free_port();
    let address = format!("redis://somebody:hidden@127.0.0.1:{port}");
    let error = Demo::start(with(address)).unwrap_err().to_string();
    assert!(error.contains(&format!("Redis at 127.0.0.1:{port} cannot be reached")), "{error}");
    assert!(!error.contains("hidden"), "{error}");
    assert!(Demo::start(with("nonsense".to_owned())).is_err());
}
