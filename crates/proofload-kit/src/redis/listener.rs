//! Hears what other processes invalidate: one subscription for all caches of a Redis.
//!
//! Whatever is published while the subscription is not there is lost. So everybody is told of a gap
//! whenever it begins, and nothing is read from Redis before the first attempt to subscribe has ended.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use futures_util::StreamExt;
use redis::{Client, RedisError, Value};
use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;

use super::settings::Settings;
use super::stats::{Counters, count};
use super::{keys, message};
use crate::cache::remote::Heard;

/// Pauses between attempts to subscribe: doubling, from the first to the second.
const RETRY: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// The subscription of a Redis. It ends when this is dropped.
pub(super) struct Listener {
    shared: Arc<Shared>,
    task: Mutex<Option<AbortHandle>>,
}

struct Shared {
    client: Client,
    channel: String,
    connect_timeout: Duration,
    ping_every: Duration,
    counters: Arc<Counters>,
    ears: Mutex<Ears>,
    running: AtomicBool,
    /// Whether the first attempt to subscribe has ended, well or not.
    attempted: watch::Sender<bool>,
    /// Ends the pause before the next attempt.
    hurry: Notify,
}

#[derive(Default)]
struct Ears {
    by_cache: HashMap<String, Vec<Weak<Ear>>>,
    /// Whether there is a subscription: who comes later is told of the gap before it, too.
    subscribed: bool,
}

/// A cache that wants to hear of others of its name.
pub(super) struct Ear {
    origin: u64,
    on: Box<dyn Fn(Heard) + Send + Sync>,
}

impl Listener {
    pub(super) fn new(client: Client, settings: &Settings, counters: Arc<Counters>) -> Self {
        let shared = Shared {
            client,
            channel: keys::channel(&settings.namespace),
            connect_timeout: settings.connect_timeout,
            ping_every: settings.ping_every,
            counters,
            ears: Mutex::default(),
            running: AtomicBool::new(false),
            attempted: watch::channel(false).0,
            hurry: Notify::new(),
        };
        Self { shared: Arc::new(shared), task: Mutex::new(None) }
    }

    /// The channel that is heard.
    pub(super) fn channel(&self) -> &str {
        &self.shared.channel
    }

    /// Calls `on` with what others than `origin` invalidate in caches named `cache`, while the result is kept.
    pub(super) fn listen(
        &self,
        cache: &str,
        origin: u64,
        on: Box<dyn Fn(Heard) + Send + Sync>,
    ) -> Arc<Ear> {
        let ear = Arc::new(Ear { origin, on });
        let mut ears = self.shared.ears();
        ears.by_cache.retain(|_, named| {
            named.retain(|ear| ear.strong_count() > 0);
            !named.is_empty()
        });
        ears.by_cache.entry(cache.to_owned()).or_default().push(Arc::downgrade(&ear));
        let subscribed = ears.subscribed;
        drop(ears);
        if subscribed {
            (ear.on)(Heard::Gap);
        }
        self.start();
        ear
    }

    /// Redis is there again: subscribes without waiting for the next attempt's time.
    pub(super) fn hurry(&self) {
        self.shared.hurry.notify_waiters();
    }

    /// Waits, no longer than `limit`, until the first attempt to subscribe has ended.
    pub(super) async fn ready(&self, limit: Duration) {
        self.start();
        if *self.shared.attempted.borrow() {
            return;
        }
        let mut attempted = self.shared.attempted.subscribe();
        let _ = tokio::time::timeout(limit, attempted.wait_for(|&attempted| attempted)).await;
    }

    /// Starts the subscription unless it runs. Without a runtime that is left to the first call that has one.
    fn start(&self) {
        if self.shared.running.load(Ordering::Acquire) {
            return;
        }
        let Ok(runtime) = Handle::try_current() else { return };
        if self.shared.running.swap(true, Ordering::AcqRel) {
            return;
        }
        let running = Running(Arc::clone(&self.shared));
        let task = runtime.spawn(running.run()).abort_handle();
        *self.task.lock().unwrap_or_else(PoisonError::into_inner) = Some(task);
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(task) = self.task.get_mut().unwrap_or_else(PoisonError::into_inner) {
            task.abort();
        }
    }
}

/// The task. When its runtime ends, another one may start it again.
struct Running(Arc<Shared>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.ears().subscribed = false;
        self.0.attempted.send_replace(false);
        self.0.running.store(false, Ordering::Release);
    }
}

impl Running {
    async fn run(self) {
        let mut pause = RETRY.0;
        loop {
            match self.0.subscribe().await {
                Some(pubsub) => {
                    pause = RETRY.0;
                    self.0.follow(pubsub).await;
                    self.0.ears().subscribed = false;
                }
                None => {
                    self.0.attempted.send_replace(true);
                    pause = (pause * 2).min(RETRY.1);
                }
            }
            let pause = pause.mul_f64(0.5 + fastrand::f64() / 2.0);
            let _ = tokio::time::timeout(pause, self.0.hurry.notified()).await;
        }
    }
}

impl Shared {
    async fn subscribe(&self) -> Option<redis::aio::PubSub> {
        let attempt = async {
            let mut pubsub = self.client.get_async_pubsub().await?;
            pubsub.subscribe(&self.channel).await?;
            Ok::<_, RedisError>(pubsub)
        };
        tokio::time::timeout(self.connect_timeout, attempt).await.ok()?.ok()
    }

    /// Hands over messages until the subscription is lost.
    async fn follow(&self, pubsub: redis::aio::PubSub) {
        count(&self.counters.subscriptions);
        self.tell_gap();
        self.attempted.send_replace(true);
        let (mut sink, mut messages) = pubsub.split();
        loop {
            match tokio::time::timeout(self.ping_every, messages.next()).await {
                Ok(Some(message)) => self.hear(message.get_payload_bytes()),
                Ok(None) => return,
                Err(_) => {
                    let ping = sink.ping::<Value>();
                    let answer = tokio::time::timeout(self.connect_timeout, ping).await;
                    if !matches!(answer, Ok(Ok(_))) {
                        return;
                    }
                }
            }
        }
    }

    fn tell_gap(&self) {
        let mut ears = self.ears();
        ears.subscribed = true;
        let all: Vec<_> = ears.by_cache.values().flatten().filter_map(Weak::upgrade).collect();
        drop(ears);
        for ear in all {
            (ear.on)(Heard::Gap);
        }
    }

    fn hear(&self, payload: &[u8]) {
        let Some(message) = message::decode(payload) else { return };
        let ears = self.ears();
        let named: Vec<_> = ears
            .by_cache
            .get(message.cache)
            .into_iter()
            .flatten()
            .filter_map(Weak::upgrade)
            .collect();
        drop(ears);
        for ear in named {
            if ear.origin != message.origin {
                count(&self.counters.heard);
                (ear.on)(Heard::Invalidated(message.target.clone()));
            }
        }
    }

    fn ears(&self) -> MutexGuard<'_, Ears> {
        self.ears.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
