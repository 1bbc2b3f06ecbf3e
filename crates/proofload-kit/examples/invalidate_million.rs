//! Invalidates a million keys by prefix while others work with the same Redis, and prints how long that
//! Redis was busy at a time, by its own slow log.
//!
//! ```sh
//! cargo run --release -p proofload-kit --features redis --example invalidate_million
//! ```
//!
//! Starts a `redis-server` of its own. `invalidate_million 100000` takes fewer keys.

#![expect(clippy::print_stdout, reason = "an example that prints")]

#[path = "../tests/support/mod.rs"]
#[expect(dead_code, unreachable_pub, reason = "tests use it, too, and more of it")]
mod servers;

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use proofload_kit::{Cache, Redis, Ttl};
use servers::redis_server::RedisServer;

/// Longer than this, Redis may not be busy at a time.
const BAR: Duration = Duration::from_millis(5);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let keys: u64 = std::env::args().nth(1).map_or(Ok(1_000_000), |keys| keys.parse())?;
    let server = RedisServer::start();
    let redis = Redis::builder(server.address())
        .namespace("example")
        .timeout(Duration::from_secs(10))
        .build()?;
    let cache = Cache::<String>::builder("users", Ttl::DATA).redis(&redis, Ttl::SESSION).build()?;

    fill(&server, keys)?;
    cache.put("other", "stays".to_owned()).await;
    server.admin(&["CONFIG", "SET", "slowlog-log-slower-than", "0"]);
    server.admin(&["CONFIG", "SET", "slowlog-max-len", "1000000"]);
    server.admin(&["SLOWLOG", "RESET"]);

    let done = Arc::new(AtomicBool::new(false));
    let others = tokio::task::spawn_blocking({
        let (done, connection) = (Arc::clone(&done), server.connection());
        move || longest_wait(connection, &done)
    });
    let started = Instant::now();
    let removed = cache.invalidate_prefix("user:").await;
    let took = started.elapsed();
    done.store(true, Ordering::Relaxed);
    let longest_wait = others.await?;

    let commands = slow_log(&server)?;
    println!("{removed} keys invalidated in {took:.2?}, in {} commands", commands.len());
    for command in ["SCAN", "UNLINK"] {
        let of_kind = commands.iter().filter(|(name, _)| name == command);
        let longest = of_kind.clone().map(|&(_, busy)| busy).max().unwrap_or_default();
        println!("  {command}: {}, the longest {longest:?}", of_kind.count());
    }
    let longest = commands.iter().map(|&(_, busy)| busy).max().unwrap_or_default();
    println!("longest time Redis was busy with one command: {longest:?} (bar: {BAR:?})");
    println!("longest time another client waited for PING meanwhile: {longest_wait:.2?}");
    println!("KEYS: {}, FLUSHDB: {}", server.calls("keys"), server.calls("flushdb"));
    assert!(removed >= keys, "all are gone");
    assert_eq!(server.admin(&["EXISTS", "{example:users}:v:other"]), redis::Value::Int(1));
    if longest > BAR {
        return Err(format!("{longest:?} is longer than {BAR:?}").into());
    }
    Ok(())
}

/// Writes entries of a realistic size, many at a time.
fn fill(server: &RedisServer, keys: u64) -> Result<(), Box<dyn Error>> {
    const BATCH: u64 = 10_000;
    let mut connection = server.connection();
    let value = "x".repeat(200);
    for first in (0..keys).step_by(BATCH as usize) {
        let mut batch = redis::pipe();
        for number in first..(first + BATCH).min(keys) {
            let key = format!("{{example:users}}:v:user:{number:012}");
            batch.cmd("SET").arg(key).arg(&value).arg("EX").arg(86_400).ignore();
        }
        batch.query::<()>(&mut connection)?;
    }
    Ok(())
}

/// What an innocent client sees.
fn longest_wait(mut connection: redis::Connection, done: &AtomicBool) -> Duration {
    let mut longest = Duration::ZERO;
    while !done.load(Ordering::Relaxed) {
        let started = Instant::now();
        if redis::cmd("PING").exec(&mut connection).is_err() {
            break;
        }
        longest = longest.max(started.elapsed());
        std::thread::sleep(Duration::from_millis(1));
    }
    longest
}

/// Names of commands and how long Redis was busy with each.
fn slow_log(server: &RedisServer) -> Result<Vec<(String, Duration)>, Box<dyn Error>> {
    let entries: Vec<Vec<redis::Value>> =
        redis::from_redis_value(server.admin(&["SLOWLOG", "GET", "-1"]))?;
    let mut commands = Vec::with_capacity(entries.len());
    for entry in entries {
        let [_, _, micros, arguments, ..] = &entry[..] else { continue };
        let micros: u64 = redis::from_redis_value_ref(micros)?;
        let arguments: Vec<Vec<u8>> = redis::from_redis_value_ref(arguments)?;
        let name = arguments.first().map(Vec::as_slice).unwrap_or_default();
        let name = String::from_utf8_lossy(name).to_uppercase();
        // Of the commands before the measurement began and of this one.
        if name != "SLOWLOG" && name != "CONFIG" {
            commands.push((name, Duration::from_micros(micros)));
        }
    }
    Ok(commands)
}
