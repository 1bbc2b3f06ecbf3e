//! A pool against a real PostgreSQL server.

use std::time::Duration;

use proofload_kit::pool::deadpool_postgres::tokio_postgres::error::SqlState;
use proofload_kit::pool::{AcquireError, PostgresPool};

use crate::servers::postgres::Postgres;

fn pool(server: &Postgres, size: usize) -> PostgresPool {
    PostgresPool::for_url("orders", &server.url()).unwrap().size(size).build().unwrap()
}

/// Waits until every idle connection has read that its server is gone. Before that a pool may hand it out: it asks
/// the connection whether it is closed, not the server.
async fn all_closed(pool: &PostgresPool) {
    let closed = async {
        loop {
            let mut is_open = false;
            pool.deadpool().retain(|client, _| {
                is_open |= !client.is_closed();
                true
            });
            if !is_open {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), closed).await.expect("connections see the end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_are_shared_run_out_and_come_back() {
    let mut server = Postgres::start();
    let orders = pool(&server, 4);
    let answers: Vec<_> = (0..40_i32)
        .map(|number| {
            let orders = orders.clone();
            tokio::spawn(async move {
                let connection = orders.get().await.unwrap();
                let sql = "SELECT $1::int + 1, pg_sleep(0.002)";
                let row = connection.query_one(sql, &[&number]).await.unwrap();
                row.get::<_, i32>(0) - number
            })
        })
        .collect();
    for answer in answers {
        assert_eq!(answer.await.unwrap(), 1);
    }
    let stats = orders.stats();
    assert_eq!((stats.acquired, stats.in_use, stats.waiting), (40, 0, 0));
    assert_eq!((stats.created + stats.recycled, stats.recycle_failures), (40, 0));
    assert!((1..=4).contains(&stats.size) && stats.created == stats.size as u64, "{stats:?}");
    // What the server says itself.
    let connection = orders.get().await.unwrap();
    let open = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'";
    let open: i64 = connection.query_one(open, &[]).await.unwrap().get(0);
    assert_eq!(open, stats.size as i64);
    drop(connection);

    // More than the server allows: the pool says so, and serves again.
    let greedy = pool(&server, 20);
    let mut held = Vec::new();
    let error = loop {
        match greedy.get().await {
            Ok(connection) => held.push(connection),
            Err(error) => break error,
        }
    };
    let AcquireError::Connect { source, .. } = &error else { panic!("{error}") };
    assert_eq!(source.code(), Some(&SqlState::TOO_MANY_CONNECTIONS));
    assert_eq!((greedy.stats().connect_errors, greedy.stats().in_use), (1, held.len()));
    held.pop();
    assert!(greedy.get().await.is_ok());
    drop((held, greedy));

    server.stop();
    all_closed(&orders).await;
    let dead = orders.get().await;
    assert!(dead.is_err_and(|error| error.is_unreachable()));
    let stats = orders.stats();
    assert_eq!((stats.size, stats.in_use, stats.connect_errors), (0, 0, 1));
    assert!(stats.recycle_failures >= 1, "the server's end was noticed at the check");
    server.start_again();
    assert!(orders.get().await.unwrap().simple_query("SELECT 1").await.is_ok());
}

#[tokio::test]
async fn a_connection_in_use_when_the_server_ends_is_not_handed_out_again() {
    let mut server = Postgres::start();
    let orders = pool(&server, 1);
    let connection = orders.get().await.unwrap();
    server.stop();
    assert!(connection.simple_query("SELECT 1").await.is_err());
    drop(connection);
    server.start_again();
    let connection = orders.get_within(Duration::ZERO).await.unwrap();
    assert!(connection.simple_query("SELECT 1").await.is_ok());
    let stats = orders.stats();
    assert_eq!((stats.created, stats.recycled, stats.recycle_failures), (2, 0, 1));
}
