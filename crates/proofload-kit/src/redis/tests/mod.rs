//! The shared layer against a real Redis. Each handle has a connection, a subscription and an origin of
//! its own: to the others it is another process.

#[path = "../../../tests/support/mod.rs"]
#[expect(dead_code, unreachable_pub, reason = "others use it, too, and more of it")]
mod servers;

mod cluster;
mod edges;
mod faults;
mod invalidation;
mod leases;
mod shown;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use servers::redis_server::RedisServer;

use super::Redis;
use super::layer::{Layer, unix_ms};
use crate::cache::remote::{Claim, Heard, Lease, Remote, Stored, Target, Wants};

/// Long enough that a busy machine does not look like a broken Redis.
const PATIENCE: Duration = Duration::from_secs(20);
const LEASE: Duration = Duration::from_secs(60);
/// What the keys of the tests' cache begin with.
const PREFIX: &str = "{test:users}:";

/// A handle as another process would have it.
fn handle(server: &RedisServer) -> Redis {
    Redis::builder(server.address())
        .namespace("test")
        .timeout(PATIENCE)
        .retry_after(Duration::from_millis(20))
        .build()
        .expect("settings that work")
}

/// A cache's layer in a process of its own.
fn layer(server: &RedisServer) -> Arc<dyn Remote> {
    Layer::new(&handle(server), "users", |_| true)
}

fn stored(value: &str, tags: &[&str]) -> Stored {
    let now = unix_ms();
    Stored {
        value: Some(Bytes::copy_from_slice(value.as_bytes())),
        written_ms: now,
        fresh_until_ms: now + 600_000,
        keep_until_ms: now + 1_200_000,
        epoch: 0,
        tags: tags.iter().map(|&tag| Arc::from(tag)).collect(),
    }
}

async fn win(layer: &Arc<dyn Remote>, key: &str) -> Lease {
    match layer.claim(key, LEASE, Wants::Option).await.expect("an answer") {
        Claim::Won(lease) => lease,
        other => panic!("{other:?}"),
    }
}

/// Claims, loads and stores.
async fn load(layer: &Arc<dyn Remote>, key: &str, value: &str, tags: &[&str]) {
    let lease = win(layer, key).await;
    assert!(layer.store(key, &lease, stored(value, tags)).await.expect("an answer"));
}

async fn value(layer: &Arc<dyn Remote>, key: &str) -> Option<String> {
    let stored = layer.get(key).await.expect("an answer")?;
    Some(String::from_utf8(stored.value.expect("a value").to_vec()).expect("text"))
}

/// What a layer heard.
#[derive(Clone, Default)]
struct Ears(Arc<Mutex<Vec<Heard>>>);

impl Ears {
    /// Listens, and waits until the subscription stands.
    async fn of(layer: &Arc<dyn Remote>) -> Self {
        let ears = Self::default();
        let list = Arc::clone(&ears.0);
        layer.listen(Box::new(move |heard| {
            list.lock().unwrap_or_else(PoisonError::into_inner).push(heard);
        }));
        ears.until("a subscription", |heard| heard.contains(&Heard::Gap)).await;
        ears.forget();
        ears
    }

    fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn heard(&self) -> Vec<Heard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn until(&self, what: &str, enough: impl Fn(&[Heard]) -> bool) {
        until(what, || enough(&self.heard())).await;
    }
}

/// Waits for something that must come.
async fn until(what: &str, mut done: impl FnMut() -> bool) {
    let waiting = async {
        while !done() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("no {what}"));
}
