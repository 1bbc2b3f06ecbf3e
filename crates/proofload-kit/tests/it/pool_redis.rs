//! A pool against a real Redis server.

use std::time::Duration;

use proofload_kit::pool::RedisPool;
use proofload_kit::pool::deadpool_redis::redis::{AsyncCommands, cmd, pipe};

use crate::servers::redis_server::RedisServer;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_are_shared_and_replaced_after_the_server_was_gone() {
    let mut server = RedisServer::start();
    let pool = RedisPool::for_url("sessions", server.address()).unwrap().size(3).build().unwrap();
    let callers: Vec<_> = (0..60)
        .map(|_| {
            let pool = pool.clone();
            tokio::spawn(async move {
                let mut connection = pool.get().await.unwrap();
                cmd("INCR").arg("visits").query_async::<u64>(&mut connection).await.unwrap()
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    let mut connection = pool.get().await.unwrap();
    // As a command, through the trait, and in a transaction.
    assert_eq!(connection.get::<_, u64>("visits").await.unwrap(), 60);
    let (visits,): (u64,) =
        pipe().atomic().incr("visits", 1).query_async(&mut connection).await.unwrap();
    assert_eq!(visits, 61);
    let clients: String = cmd("CLIENT").arg("LIST").query_async(&mut connection).await.unwrap();
    drop(connection);
    let stats = pool.stats();
    assert_eq!(clients.lines().count(), stats.size);
    assert_eq!((stats.acquired, stats.in_use, stats.created), (61, 0, stats.size as u64));

    server.kill();
    assert!(pool.get().await.is_err_and(|error| error.is_unreachable()));
    let failed = pool.stats();
    assert_eq!((failed.size, failed.connect_errors), (0, 1));
    assert_eq!(failed.recycle_failures, stats.size as u64, "each was checked and found dead");
    server.run();
    let mut connection = pool.get_within(Duration::from_secs(5)).await.unwrap();
    assert!(connection.exists::<_, bool>("visits").await.is_ok());
}

#[test]
fn addresses_are_checked() {
    assert!(RedisPool::for_url("sessions", "http://127.0.0.1").is_err());
    assert!(RedisPool::for_url("sessions", "redis://127.0.0.1:1").is_ok());
}
