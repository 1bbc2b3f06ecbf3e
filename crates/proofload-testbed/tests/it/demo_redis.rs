//! The demo's caches with a real Redis below them.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use proofload_testbed::demo::{Demo, DemoOptions};
use serde_json::json;

use crate::client::{PATIENCE, connect};
use crate::demo_areas::{instant, metric, post, start};

/// A Redis of its own; killed when dropped.
struct RedisServer {
    port: u16,
    process: Child,
}

impl RedisServer {
    fn start() -> Self {
        let port = free_port();
        let process = Command::new("redis-server")
            .args([
                "--port",
                &port.to_string(),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--appendonly",
                "no",
            ])
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server is installed");
        let server = Self { port, process };
        let deadline = Instant::now() + PATIENCE;
        while server.ask("PING").is_none_or(|answer| answer != "+PONG") {
            assert!(Instant::now() < deadline, "redis-server does not answer");
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        server
    }

    fn address(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// The first line of its answer.
    fn ask(&self, command: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.write_all(format!("{command}\r\nQUIT\r\n").as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        answer.lines().next().map(str::to_owned)
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A port at which nobody listens, at the moment.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn with(address: String) -> DemoOptions {
    DemoOptions { redis: Some(address), ..instant() }
}

#[test]
fn what_is_remembered_is_in_redis_too_until_the_demo_ends() {
    let redis = RedisServer::start();
    let demo = start(with(redis.address()));
    let mut client = connect(demo.addr());
    let ask = json!({"message": "hello"});
    let [first, second] = [(); 2].map(|()| post(&mut client, "/api/chat", &ask));
    let from = [first.header("x-cache"), second.header("x-cache")];
    assert_eq!(from, [Some("MISS"), Some("HIT")]);
    assert_ne!(redis.ask("DBSIZE").as_deref(), Some(":0"), "it is in Redis");
    assert!(metric(demo.addr(), "cache_remote_misses_total") >= 1.0);
    demo.stop();
    let values = redis.ask("EVAL \"return #redis.call('keys', '*:v:*')\" 0");
    assert_eq!(values.as_deref(), Some(":0"), "nothing is left behind");
}

#[test]
fn a_demo_whose_redis_is_not_there_does_not_start() {
    let error = Demo::start(with(format!("redis://127.0.0.1:{}", free_port()))).unwrap_err();
    assert!(error.to_string().contains("Redis cannot be reached"), "{error}");
    let error = Demo::start(with("nonsense".to_owned())).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
}
