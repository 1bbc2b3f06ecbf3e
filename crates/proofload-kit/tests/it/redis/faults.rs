//! What callers notice of a Redis in trouble: nothing, as long as their loader works.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use proofload_kit::{Cache, Redis, Ttl};

use super::PATIENCE;
use crate::servers::redis_server::RedisServer;

const KEYS: u64 = 20;

/// Callers of a cache, at work for as long as this lives. Values are their keys.
struct Callers {
    stop: Arc<AtomicBool>,
    calls: Arc<AtomicU64>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Callers {
    fn start(cache: &Cache<String>) -> Self {
        let (stop, calls) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let tasks = (0..4)
            .map(|_| {
                let (cache, stop, calls) = (cache.clone(), Arc::clone(&stop), Arc::clone(&calls));
                tokio::spawn(async move {
                    while !stop.load(Ordering::Relaxed) {
                        let key = format!("user:{}", fastrand::u64(..KEYS));
                        let value = key.clone();
                        let loaded =
                            cache.get_or_load(&key, || async { Ok::<_, Infallible>(value) }).await;
                        assert_eq!(loaded.expect("no error"), key);
                        calls.fetch_add(1, Ordering::Relaxed);
                        tokio::time::sleep(Duration::from_millis(1)).await;
                    }
                })
            })
            .collect();
        Self { stop, calls, tasks }
    }

    /// Waits until so many more calls were answered.
    async fn more(&self, calls: u64) {
        let enough = self.calls.load(Ordering::Relaxed) + calls;
        let waiting = async {
            while self.calls.load(Ordering::Relaxed) < enough {
                assert!(
                    !self.tasks.iter().any(tokio::task::JoinHandle::is_finished),
                    "a caller failed"
                );
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.expect("callers are answered");
    }

    async fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.await.expect("no error, no wrong value");
        }
    }
}

fn caches(server: &RedisServer) -> (Redis, Cache<String>) {
    let redis = Redis::builder(server.address())
        .namespace("test")
        .timeout(Duration::from_millis(100))
        .retry_after(Duration::from_millis(20))
        .lease(Duration::from_millis(300))
        .build()
        .expect("settings that work");
    // So short in memory that nearly every call asks Redis.
    let cache = Cache::builder("users", Ttl::from(Duration::from_millis(1)))
        .redis(&redis, Ttl::minutes(5))
        .build()
        .expect("settings that work");
    (redis, cache)
}

/// Waits until Redis is asked again and answers with what it holds.
async fn helps(redis: &Redis, cache: &Cache<String>) {
    let before = cache.stats().remote_hits;
    let waiting = async {
        while !redis.stats().available || cache.stats().remote_hits < before + 10 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting)
        .await
        .unwrap_or_else(|_| panic!("{:?} {:?}", redis.stats(), cache.stats()));
}

/// Waits until invalidations are heard again.
async fn subscribed(redis: &Redis, times: u64) {
    let waiting = async {
        while redis.stats().subscriptions < times {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("a subscription");
}

/// Waits until Redis is given up.
async fn given_up(redis: &Redis, outages: u64) {
    let waiting = async {
        while redis.stats().outages < outages {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("it is given up");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_caller_notices() {
    let mut server = RedisServer::absent(&[]);
    let (redis, cache) = caches(&server);
    let callers = Callers::start(&cache);

    // Dead from the start.
    given_up(&redis, 1).await;
    callers.more(100).await;
    server.run();
    helps(&redis, &cache).await;
    assert!(redis.stats().recoveries >= 1, "{:?}", redis.stats());
    subscribed(&redis, 1).await;

    // Dies and is started again, empty.
    let outages = redis.stats().outages;
    server.kill();
    given_up(&redis, outages + 1).await;
    callers.more(100).await;
    server.run();
    helps(&redis, &cache).await;
    subscribed(&redis, 2).await;

    // Silent: connections stand, nothing is answered.
    let outages = redis.stats().outages;
    server.pause();
    given_up(&redis, outages + 1).await;
    callers.more(100).await;
    server.resume();
    helps(&redis, &cache).await;

    // Slow: every command waits.
    let outages = redis.stats().outages;
    server.admin(&["CLIENT", "PAUSE", "1500", "ALL"]);
    given_up(&redis, outages + 1).await;
    callers.more(100).await;
    helps(&redis, &cache).await;

    // Out of memory, and empty.
    let refused = redis.stats().refused;
    server.admin(&["CONFIG", "SET", "maxmemory", "1"]);
    server.admin(&["FLUSHALL"]);
    callers.more(100).await;
    assert!(redis.stats().refused > refused, "{:?}", redis.stats());
    server.admin(&["CONFIG", "SET", "maxmemory", "0"]);
    helps(&redis, &cache).await;

    // Scripts forgotten.
    server.admin(&["SCRIPT", "FLUSH"]);
    server.admin(&["FLUSHALL"]);
    callers.more(100).await;
    helps(&redis, &cache).await;

    callers.end().await;
    let stats = redis.stats();
    assert!(stats.available && stats.recoveries == stats.outages, "{stats:?}");
    assert!(stats.recoveries >= 4 && stats.last_outage.is_some(), "{stats:?}");
    assert_eq!(cache.stats().load_failures, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_caller_notices_what_is_not_ours() {
    let server = RedisServer::start();
    let (redis, cache) = caches(&server);
    let callers = Callers::start(&cache);
    callers.more(100).await;
    let junk = "x".repeat(100);
    for round in 0..5 {
        for number in 0..KEYS {
            let key = format!("{{test:users}}:v:user:{number}");
            // In one step: callers write, too.
            let replace =
                "redis.call('DEL', KEYS[1]) return redis.call(ARGV[1], KEYS[1], unpack(ARGV, 2))";
            let mut command = vec!["EVAL", replace, "1", &key];
            match round {
                0 => command.extend(["LPUSH", "foreign"]),
                1 => command.extend(["HSET", "foreign", "1"]),
                2 => command.extend(["SET", "{\"foreign\":1}"]),
                3 => command.extend(["SET", "PLK\u{1}"]),
                _ => command.extend(["SET", &junk]),
            }
            server.admin(&command);
        }
        callers.more(100).await;
    }
    // What was found and could not be read was written over.
    helps(&redis, &cache).await;
    callers.end().await;
    assert!(redis.stats().foreign > 0, "{:?}", redis.stats());
    for number in 0..KEYS {
        let kind = server.admin_text(&["TYPE", &format!("{{test:users}}:v:user:{number}")]);
        assert!(kind == "string" || kind == "none", "{kind}");
    }
}

#[tokio::test]
async fn values_of_another_type_are_loaded_and_written_over() {
    let server = RedisServer::start();
    let redis = Redis::builder(server.address()).namespace("test").build().expect("settings");
    let old = Cache::<String>::builder("users", Ttl::DATA).redis(&redis, Ttl::DATA).build();
    old.expect("settings").put("1", "text".to_owned()).await;
    for _ in 0..2 {
        let new = Cache::<u64>::builder("users", Ttl::DATA).redis(&redis, Ttl::DATA).build();
        let new = new.expect("settings");
        let loaded = new.get_or_load("1", || async { Ok::<_, Infallible>(7_u64) }).await;
        assert_eq!(loaded.expect("no error"), 7);
    }
    let third = Cache::<u64>::builder("users", Ttl::DATA).redis(&redis, Ttl::DATA).build();
    assert_eq!(third.expect("settings").fetch("1").await, Some(7), "it is in Redis now");
}
