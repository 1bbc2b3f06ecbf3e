//! Servers that are Redis but cannot serve: callers are told nothing, operators what to do.

use proofload_kit::redis::RedisStats;
use proofload_kit::{Cache, Redis, Ttl};

use super::{PATIENCE, until};
use crate::events::Events;
use crate::servers::redis_server::{RedisServer, free_port};

/// A node of a cluster, and the port where it speaks to the others.
fn node(slots: [&str; 2]) -> (RedisServer, String) {
    let bus = free_port().to_string();
    let server = RedisServer::start_with(&["--cluster-enabled", "yes", "--cluster-port", &bus]);
    server.admin(&["CLUSTER", "ADDSLOTSRANGE", slots[0], slots[1]]);
    (server, bus)
}

/// Uses a cache in all ways; tells whether Redis was of help.
async fn helps(redis: &Redis, name: String) -> bool {
    let cache = Cache::<u64>::builder(name, Ttl::DATA).redis(redis, Ttl::DATA).build();
    let cache = cache.expect("settings that work");
    let loaded = cache.get_or_load("1", || async { Ok::<u64, ()>(7) }).await;
    assert_eq!(loaded.ok(), Some(7));
    cache.put("2", 8).await;
    assert_eq!(cache.get("2"), Some(8));
    cache.invalidate("1").await;
    assert_eq!(cache.get("1"), None);
    let loaded = cache.get_or_load("1", || async { Ok::<u64, ()>(9) }).await;
    assert_eq!(loaded.ok(), Some(9));
    cache.stats().remote_errors == 0
}

/// The caches of many names on the Redis; how many of them it helped, and what was said.
async fn used(address: &str) -> (usize, RedisStats, Vec<String>) {
    let events = Events::remember();
    let redis = Redis::builder(address).namespace("test").timeout(PATIENCE).build();
    let redis = redis.expect("settings that work");
    let mut helped = 0;
    for name in 0..20 {
        helped += usize::from(helps(&redis, format!("cache {name}")).await);
    }
    (helped, redis.stats(), events.with("ERROR"))
}

#[tokio::test]
async fn a_node_of_a_cluster() {
    crate::events::listen();
    let ((one, _), (other, bus)) = (node(["0", "8191"]), node(["8192", "16383"]));
    one.admin(&["CLUSTER", "MEET", "127.0.0.1", &other.port().to_string(), &bus]);
    until("cluster", || one.admin_text(&["CLUSTER", "INFO"]).contains("cluster_state:ok"));
    let (helped, stats, told) = used(&one.address()).await;
    // By the hash of its name, about every second cache has its place on this node.
    assert!(helped > 0 && helped < 20, "{helped}");
    assert!(stats.refused > 0 && stats.outages == 0 && stats.available, "{stats:?}");
    let [told] = &told[..] else { panic!("{told:?}") };
    assert!(told.contains("Redis Cluster") && told.contains("not clustered"), "{told}");
}

#[tokio::test]
async fn a_server_that_lacks_commands() {
    crate::events::listen();
    let server = RedisServer::start_with(&["--rename-command", "EVALSHA", ""]);
    let (helped, stats, told) = used(&server.address()).await;
    assert_eq!(helped, 0);
    assert!(stats.refused > 0, "{stats:?}");
    let [told] = &told[..] else { panic!("{told:?}") };
    assert!(told.contains("Sentinel") && told.contains("primary"), "{told}");
}
