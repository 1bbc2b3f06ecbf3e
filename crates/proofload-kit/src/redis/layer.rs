//! What a cache does with Redis: read, claim the right to load, store, invalidate.
//!
//! # Who may write
//! A load begins with a lease: a key of its own with a number that grows. The value is stored only
//! while that number still stands there, in one step with the check: a load that took longer than its
//! lease, and one whose key was invalidated meanwhile, has lost it. Invalidating a pattern removes
//! leases first and values after that: a value that is stored in between comes from a lease that was
//! won later. A tag remembers the epoch of its last invalidation; what carries it and was begun in an
//! earlier epoch is neither stored nor read.
//!
//! Epochs and lease numbers start at Redis's clock, so that they grow even when Redis forgets them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use redis::Value;
use tokio::runtime::Handle;

use super::envelope::{self, AFTER_EPOCH, EPOCH_AT, TIMES_AT};
use super::failure::Failure;
use super::handle::Redis;
use super::keys::Keys;
use super::listener::Ear;
use super::owed::Owed;
use super::stats::count;
use super::sweep::sweep;
use super::{message, scripts};
use crate::cache::glob::Glob;
use crate::cache::remote::{
    BoxFuture, Claim, Heard, Lease, Remote, RemoteError, Stored, Target, Wants,
};

/// How long an invalidated tag is remembered at least: longer than any load takes.
const REMEMBER_TAG: Duration = Duration::from_hours(24);

/// How long anything is kept at most, ten years: Redis refuses times near the end of its clock.
const LONGEST_MS: u64 = 10 * 365 * 24 * 3_600_000;

/// The shared layer of one cache.
pub(super) struct Layer {
    redis: Redis,
    cache: String,
    keys: Keys,
    /// Tells this cache from others of its name, in this process and elsewhere.
    origin: u64,
    ear: OnceLock<Arc<Ear>>,
    owed: Owed,
    settling: AtomicBool,
    /// Whether a value can be decoded.
    readable: fn(&Bytes) -> bool,
    me: Weak<Self>,
}

/// What the script answers.
enum Answer {
    Found(Vec<u8>),
    Claim(Claim),
}

impl Layer {
    pub(super) fn new(redis: &Redis, cache: &str, readable: fn(&Bytes) -> bool) -> Arc<Self> {
        Arc::new_cyclic(|me| Self {
            redis: redis.clone(),
            cache: cache.to_owned(),
            keys: Keys::new(&redis.inner.settings.namespace, cache),
            origin: fastrand::u64(..),
            ear: OnceLock::new(),
            owed: Owed::default(),
            settling: AtomicBool::new(false),
            readable,
            me: me.clone(),
        })
    }

    /// Nothing is read before the first attempt to hear of invalidations, nor while Redis does not know of ours.
    async fn ready(&self) -> Result<(), Failure> {
        let inner = &self.redis.inner;
        inner.listener.ready(inner.settings.timeout).await;
        if self.owed.is_empty() {
            return Ok(());
        }
        self.settle_soon();
        Err(Failure::Owing)
    }

    /// Makes up for what is owed, in a task, if Redis may be there again.
    fn settle_soon(&self) {
        let (Some(layer), Ok(runtime)) = (self.me.upgrade(), Handle::try_current()) else {
            return;
        };
        if self.owed.is_empty()
            || !self.redis.inner.would_ask()
            || self.settling.swap(true, Ordering::AcqRel)
        {
            return;
        }
        runtime.spawn(async move {
            let settling = Settling(&layer.settling);
            while let Some((target, debt)) = layer.owed.take() {
                match layer.apply(&target).await {
                    Ok(_) => debt.paid(),
                    Err(_) => break,
                }
            }
            drop(settling);
        });
    }

    /// Reads an entry's bytes; `None` for everything that is not one of ours.
    fn read(&self, bytes: Vec<u8>) -> Option<Stored> {
        let inner = &self.redis.inner;
        match envelope::decode(&Bytes::from(bytes), inner.settings.max_value_bytes) {
            Ok(stored) => Some(stored),
            Err(error) => {
                count(&inner.counters.foreign);
                tracing::debug!(cache = %self.cache, %error, "an entry in Redis is not ours");
                None
            }
        }
    }

    fn max_bytes(&self) -> usize {
        envelope::max_bytes(self.redis.inner.settings.max_value_bytes)
    }

    async fn get(&self, key: &str) -> Result<Option<Stored>, Failure> {
        self.ready().await?;
        let inner = &self.redis.inner;
        // Not GET: whatever stands there, no more is read than an entry can have.
        let mut command = redis::cmd("GETRANGE");
        command.arg(self.keys.value(key)).arg(0).arg(self.max_bytes());
        let bytes = match inner.call(&command).await {
            Ok(Value::BulkString(bytes)) => bytes,
            Ok(Value::Nil) => return Ok(None),
            Ok(other) => return Err(Failure::unexpected(&other)),
            Err(Failure::WrongType) => {
                count(&inner.counters.foreign);
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        if bytes.is_empty() {
            return Ok(None);
        }
        let Some(stored) = self.read(bytes) else { return Ok(None) };
        let alive = stored.keep_until_ms > unix_ms() && !self.tags_are_dead(&stored).await?;
        Ok(alive.then_some(stored))
    }

    /// Whether one of its tags was invalidated after the entry was begun.
    async fn tags_are_dead(&self, stored: &Stored) -> Result<bool, Failure> {
        if stored.tags.is_empty() {
            return Ok(false);
        }
        let mut command = redis::cmd("MGET");
        for tag in &stored.tags {
            command.arg(self.keys.tag(tag));
        }
        match self.redis.inner.call(&command).await? {
            Value::Array(epochs) => Ok(epochs.iter().any(|epoch| match epoch {
                Value::BulkString(digits) => {
                    let epoch = str::from_utf8(digits).ok().and_then(|text| text.parse().ok());
                    epoch.is_none_or(|epoch: u64| epoch > stored.epoch)
                }
                // Not known: Redis dropped it.
                _ => true,
            })),
            other => Err(Failure::unexpected(&other)),
        }
    }

    async fn claim(&self, key: &str, lease: Duration, wants: Wants) -> Result<Claim, Failure> {
        self.ready().await?;
        let mut unusable = Vec::new();
        // Whoever cannot use what is there takes the lease in spite of it, and writes over it.
        for _ in 0..2 {
            match self.claim_beside(key, lease, &unusable).await? {
                Answer::Claim(claim) => return Ok(claim),
                Answer::Found(bytes) => {
                    let header = bytes.get(TIMES_AT..AFTER_EPOCH).unwrap_or_default().to_vec();
                    if let Some(stored) = self.read(bytes) {
                        match &stored.value {
                            None if wants == Wants::Option => return Ok(Claim::Found(stored)),
                            None => {}
                            Some(value) if (self.readable)(value) => {
                                return Ok(Claim::Found(stored));
                            }
                            Some(_) => count(&self.redis.inner.counters.foreign),
                        }
                    }
                    unusable = header;
                }
            }
        }
        // Written meanwhile, again by somebody with other ideas of it.
        Ok(Claim::Busy { remaining: Duration::ZERO })
    }

    async fn claim_beside(
        &self,
        key: &str,
        lease: Duration,
        unusable: &[u8],
    ) -> Result<Answer, Failure> {
        let keys = &self.keys;
        let call = scripts::CLAIM
            .keys([keys.value(key), keys.lease(key), keys.epoch(), keys.fence()])
            .arg(millis(lease).max(1))
            .arg(unix_ms())
            .arg(self.max_bytes())
            .arg(keys.tags())
            .arg(unusable);
        let answer = self.redis.inner.run(&call).await?;
        let Value::Array(parts) = answer else { return Err(Failure::unexpected(&answer)) };
        match &parts[..] {
            [Value::Int(0), Value::BulkString(bytes)] => Ok(Answer::Found(bytes.clone())),
            [Value::Int(1), Value::Int(token), Value::Int(epoch)] => {
                let lease = Lease { token: *token as u64, epoch: *epoch as u64 };
                Ok(Answer::Claim(Claim::Won(lease)))
            }
            [Value::Int(2), Value::Int(remaining)] => {
                let remaining = Duration::from_millis(u64::try_from(*remaining).unwrap_or(0));
                Ok(Answer::Claim(Claim::Busy { remaining }))
            }
            _ => Err(Failure::unexpected(&Value::Array(parts))),
        }
    }

    async fn renew(&self, key: &str, lease: &Lease, for_: Duration) -> Result<bool, Failure> {
        let call =
            scripts::RENEW.keys([self.keys.lease(key)]).arg(lease.token).arg(millis(for_).max(1));
        self.yes(&call).await
    }

    async fn store(&self, key: &str, lease: &Lease, stored: Stored) -> Result<bool, Failure> {
        self.ready().await?;
        let settings = &self.redis.inner.settings;
        let stored = Stored { epoch: lease.epoch, ..stored };
        let encoded = envelope::encode(&stored, settings.compress_above, settings.max_value_bytes);
        let envelope = match encoded {
            Ok(envelope) => envelope,
            Err(too_large) => {
                self.release(key, lease).await?;
                return Err(Failure::TooLarge(too_large));
            }
        };
        let keys = &self.keys;
        let mut call = scripts::STORE
            .keys([keys.value(key), keys.lease(key)])
            .arg(lease.token)
            .arg(envelope)
            .arg(kept_for(&stored))
            .arg(lease.epoch)
            .arg(keys.tags());
        for tag in &stored.tags {
            call = call.arg(&**tag);
        }
        self.yes(&call).await
    }

    async fn release(&self, key: &str, lease: &Lease) -> Result<(), Failure> {
        let call = scripts::RELEASE.keys([self.keys.lease(key)]).arg(lease.token);
        self.yes(&call).await.map(|_| ())
    }

    async fn put(&self, key: &str, stored: Stored) -> Result<(), Failure> {
        // Whatever goes wrong: what stands in Redis is older than this value and must go.
        let target = Target::Key(key.to_owned());
        let debt = self.owed.debt(target.clone());
        self.ready().await?;
        let inner = &self.redis.inner;
        let (above, most) = (inner.settings.compress_above, inner.settings.max_value_bytes);
        let envelope = match envelope::encode(&stored, above, most) {
            Ok(envelope) => envelope,
            Err(too_large) => {
                self.apply(&target).await?;
                debt.paid();
                return Err(Failure::TooLarge(too_large));
            }
        };
        let keys = &self.keys;
        let mut call = scripts::PUT
            .keys([keys.value(key), keys.lease(key), keys.epoch()])
            .arg(&envelope[..EPOCH_AT])
            .arg(&envelope[AFTER_EPOCH..])
            .arg(kept_for(&stored))
            .arg(inner.listener.channel())
            .arg(message::encode(self.origin, &self.cache, &target))
            .arg(keys.tags());
        for tag in &stored.tags {
            call = call.arg(&**tag);
        }
        self.yes(&call).await?;
        debt.paid();
        Ok(())
    }

    async fn invalidate(&self, target: &Target) -> Result<u64, Failure> {
        let debt = self.owed.debt(target.clone());
        let removed = self.apply(target).await?;
        debt.paid();
        Ok(removed)
    }

    async fn apply(&self, target: &Target) -> Result<u64, Failure> {
        let inner = &self.redis.inner;
        let message = message::encode(self.origin, &self.cache, target);
        match target {
            Target::Key(key) => {
                let call = scripts::REMOVE
                    .keys([self.keys.value(key), self.keys.lease(key)])
                    .arg(inner.listener.channel())
                    .arg(message);
                match inner.run(&call).await? {
                    Value::Int(removed) => Ok(u64::try_from(removed).unwrap_or(0)),
                    other => Err(Failure::unexpected(&other)),
                }
            }
            Target::Tag(tag) => {
                let keys = &self.keys;
                let call = scripts::TAG
                    .keys([keys.tag(tag), keys.epoch()])
                    .arg(millis(REMEMBER_TAG))
                    .arg(inner.listener.channel())
                    .arg(message);
                self.yes(&call).await.map(|_| 0)
            }
            Target::Prefix(prefix) => self.remove(prefix, &|_| true, &message).await,
            Target::All => self.remove("", &|_| true, &message).await,
            Target::Glob(pattern) => {
                let glob = Glob::new(pattern);
                let literal = pattern.split(['*', '?', '[', '\\']).next().unwrap_or_default();
                self.remove(literal, &|key| glob.covers(key), &message).await
            }
        }
    }

    /// Removes leases, then values, and tells the others, even if something remained: part of it is gone.
    async fn remove(
        &self,
        literal: &str,
        chosen: &(dyn Fn(&str) -> bool + Sync),
        message: &[u8],
    ) -> Result<u64, Failure> {
        let inner = &self.redis.inner;
        let removed = async {
            sweep(inner, &self.keys.lease(""), literal, chosen).await?;
            sweep(inner, &self.keys.value(""), literal, chosen).await
        }
        .await;
        let mut publish = redis::cmd("PUBLISH");
        publish.arg(inner.listener.channel()).arg(message);
        let published = inner.call(&publish).await;
        let removed = removed?;
        published?;
        Ok(removed)
    }

    /// Runs a script that answers 0 or 1.
    async fn yes(&self, call: &scripts::Call<'_>) -> Result<bool, Failure> {
        match self.redis.inner.run(call).await? {
            Value::Int(answer) => Ok(answer != 0),
            other => Err(Failure::unexpected(&other)),
        }
    }
}

impl Remote for Layer {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Stored>, RemoteError>> {
        Box::pin(async move { Ok(self.get(key).await?) })
    }

    fn claim<'a>(
        &'a self,
        key: &'a str,
        lease: Duration,
        wants: Wants,
    ) -> BoxFuture<'a, Result<Claim, RemoteError>> {
        Box::pin(async move { Ok(self.claim(key, lease, wants).await?) })
    }

    fn renew<'a>(
        &'a self,
        key: &'a str,
        lease: &'a Lease,
        for_: Duration,
    ) -> BoxFuture<'a, Result<bool, RemoteError>> {
        Box::pin(async move { Ok(self.renew(key, lease, for_).await?) })
    }

    fn store<'a>(
        &'a self,
        key: &'a str,
        lease: &'a Lease,
        stored: Stored,
    ) -> BoxFuture<'a, Result<bool, RemoteError>> {
        Box::pin(async move { Ok(self.store(key, lease, stored).await?) })
    }

    fn release<'a>(
        &'a self,
        key: &'a str,
        lease: &'a Lease,
    ) -> BoxFuture<'a, Result<(), RemoteError>> {
        Box::pin(async move { Ok(self.release(key, lease).await?) })
    }

    fn put<'a>(&'a self, key: &'a str, stored: Stored) -> BoxFuture<'a, Result<(), RemoteError>> {
        Box::pin(async move { Ok(self.put(key, stored).await?) })
    }

    fn invalidate<'a>(&'a self, target: &'a Target) -> BoxFuture<'a, Result<u64, RemoteError>> {
        Box::pin(async move { Ok(self.invalidate(target).await?) })
    }

    fn listen(&self, on: Box<dyn Fn(Heard) + Send + Sync>) {
        let me = self.me.clone();
        let hear = move |heard: Heard| {
            // Redis is there again: a good moment to make up for what it missed.
            if heard == Heard::Gap
                && let Some(layer) = me.upgrade()
            {
                layer.settle_soon();
            }
            on(heard);
        };
        let listener = &self.redis.inner.listener;
        self.ear.get_or_init(|| listener.listen(&self.cache, self.origin, Box::new(hear)));
    }
}

impl std::fmt::Debug for Layer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Layer").field("redis", &self.redis).field("cache", &self.cache).finish()
    }
}

/// Another task may settle when this one is over, however it ended.
struct Settling<'a>(&'a AtomicBool);

impl Drop for Settling<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// How long Redis keeps an entry that is written now, ms.
fn kept_for(stored: &Stored) -> u64 {
    stored.keep_until_ms.saturating_sub(unix_ms()).min(LONGEST_MS)
}

/// Wall clock, milliseconds since 1970.
pub(super) fn unix_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, millis)
}
