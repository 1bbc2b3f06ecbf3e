//! Reads go where there is room, past what is down.

use std::sync::Arc;
use std::time::Duration;

use proofload_kit::pool::{AcquireError, ReadReplicas};

use crate::backend::{Backend, Numbers};
use crate::events::{self, Events};
use crate::pool::Pool;

struct Database {
    all: ReadReplicas<Numbers>,
    backends: [Arc<Backend>; 3],
}

/// A primary and two replicas, with 2 connections each.
fn database() -> Database {
    events::listen();
    let backends: [Arc<Backend>; 3] = std::array::from_fn(|_| Arc::default());
    let pool = |name: &str, backend: &Arc<Backend>| {
        let builder = Pool::builder(name, Numbers(Arc::clone(backend))).size(2);
        builder.timeout(Duration::from_secs(1)).build().unwrap()
    };
    let replicas = [pool("replica 1", &backends[1]), pool("replica 2", &backends[2])];
    Database { all: ReadReplicas::new(pool("primary", &backends[0]), replicas), backends }
}

impl Database {
    /// Connections handed out by primary and replicas.
    fn acquired(&self) -> [u64; 3] {
        let mut pools = [self.all.primary()].into_iter().chain(self.all.replicas());
        std::array::from_fn(|_| pools.next().unwrap().stats().acquired)
    }

    /// Connections that replicas could not make.
    fn failed(&self) -> u64 {
        self.all.replicas().map(|pool| pool.stats().connect_errors).sum()
    }

    fn set_down(&self, number: usize, down: bool) {
        self.backends[number].set(&self.backends[number].is_down, down);
    }
}

#[tokio::test(start_paused = true)]
async fn readers_go_where_there_is_room() {
    let database = database();
    for _ in 0..4 {
        drop(database.all.read().await.unwrap());
    }
    assert_eq!(database.acquired(), [0, 2, 2], "equals take turns");
    let one = database.all.read().await.unwrap();
    assert_eq!(database.acquired(), [0, 3, 2]);
    for _ in 0..4 {
        drop(database.all.read().await.unwrap());
    }
    assert_eq!(database.acquired(), [0, 3, 6], "the other has more room, whose turn it may be");
    drop(one);
    let mut held = Vec::new();
    for _ in 0..4 {
        held.push(database.all.read().await.unwrap());
    }
    assert_eq!(database.acquired(), [0, 5, 8]);
    let busy = database.all.read().await.unwrap_err();
    assert!(matches!(busy, AcquireError::Busy { .. }), "the primary is not next to be used up");
    assert_eq!(database.acquired(), [0, 5, 8]);
    drop(database.all.write().await.unwrap());
    assert_eq!(database.acquired(), [1, 5, 8]);
}

#[tokio::test(start_paused = true)]
async fn what_is_down_is_left_alone_for_a_while() {
    let events = Events::remember();
    let database = database();
    database.set_down(1, true);
    for _ in 0..10 {
        drop(database.all.read().await.unwrap());
    }
    assert_eq!((database.acquired(), database.failed()), ([0, 0, 10], 1));
    database.set_down(2, true);
    // The idle connection of the other is still good; a second reader at the same time needs a new one.
    let first = database.all.read().await.unwrap();
    let second = database.all.read().await.unwrap();
    assert_eq!((database.acquired(), database.failed()), ([1, 0, 11], 2));
    drop((first, second));
    for _ in 0..3 {
        drop(database.all.read().await.unwrap());
    }
    assert_eq!((database.acquired(), database.failed()), ([4, 0, 11], 2));

    database.set_down(1, false);
    database.set_down(2, false);
    tokio::time::sleep(Duration::from_secs(5)).await;
    for _ in 0..4 {
        drop(database.all.read().await.unwrap());
    }
    assert_eq!((database.acquired(), database.failed()), ([4, 2, 13], 2));
    assert_eq!(events.with("cannot be reached").len(), 2);
    assert_eq!(events.with("is back").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn without_any_the_error_is_the_primarys() {
    let database = database();
    (0..3).for_each(|number| database.set_down(number, true));
    let error = database.all.read().await.unwrap_err();
    assert_eq!(error.to_string(), "pool `primary`: cannot connect: the backend is down");
    let alone: ReadReplicas<Numbers> = ReadReplicas::new(database.all.primary().clone(), []);
    database.set_down(0, false);
    assert!(alone.read().await.is_ok());
}
