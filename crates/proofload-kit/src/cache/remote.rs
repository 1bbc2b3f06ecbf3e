//! The layer of a cache that processes share, as the cache sees it: what stands there under a key,
//! the lease under which one process loads for all, and what is heard of other processes.
//!
//! Values are bytes here; [`Shared`] joins a layer with the codec of one cache. Every failure of the
//! layer means the same to a cache: act as if it were empty.
#![cfg_attr(
    not(any(all(test, not(kit_loom)), feature = "redis")),
    expect(dead_code, reason = "only implementations of the layer make these values")
)]

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::Ttl;
pub(crate) use super::core::Wants;

/// What the methods of [`Remote`] answer with.
pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What stands in the shared layer under a key. Times are wall clock, milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    /// None: the key is known to have no value.
    pub(crate) value: Option<Bytes>,
    pub(crate) written_ms: u64,
    pub(crate) fresh_until_ms: u64,
    /// Until then it may be served stale; the layer forgets it afterwards.
    pub(crate) keep_until_ms: u64,
    /// The shared epoch when its load began. [`Remote::put`] sets it itself.
    pub(crate) epoch: u64,
    pub(crate) tags: Vec<Arc<str>>,
}

impl Stored {
    /// What is to be kept no longer: nothing stands under the key.
    pub(crate) fn nothing(epoch: u64) -> Self {
        let (written_ms, fresh_until_ms, keep_until_ms) = (0, 0, 0);
        Self { value: None, written_ms, fresh_until_ms, keep_until_ms, epoch, tags: Vec::new() }
    }
}

/// The right to load a key for all processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lease {
    /// Fencing: grows with every lease of the namespace.
    pub(crate) token: u64,
    /// The shared epoch when it was won.
    pub(crate) epoch: u64,
}

/// The answer to a claim of a lease.
#[derive(Debug)]
pub(crate) enum Claim {
    /// A fresh value stands there meanwhile.
    Found(Stored),
    /// The caller is the one to load.
    Won(Lease),
    /// Another loads; its lease ends by itself after `remaining` unless renewed.
    Busy { remaining: Duration },
}

/// What an invalidation is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Target {
    Key(String),
    Prefix(String),
    Glob(String),
    Tag(String),
    All,
}

/// What a process hears of the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Heard {
    /// Another process invalidated, or put, something.
    Invalidated(Target),
    /// The subscription was interrupted: what memory holds may be old.
    Gap,
}

/// Why the shared layer gave no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RemoteError {
    /// Not reachable, too slow, out of memory, or kept from being asked by its guard.
    Unavailable(String),
    /// It answered with something that is not ours.
    Foreign(String),
}

impl fmt::Display for RemoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(why) => write!(f, "the shared layer is not available: {why}"),
            Self::Foreign(why) => write!(f, "the shared layer holds a foreign value: {why}"),
        }
    }
}

impl std::error::Error for RemoteError {}

/// A shared layer, for the keys of one cache.
pub(crate) trait Remote: Send + Sync + fmt::Debug {
    /// What stands under the key, already checked against the epochs of its tags: a dead entry is None.
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Stored>, RemoteError>>;

    /// One atomic step: is there a fresh answer of use? is the lease free? take it.
    fn claim<'a>(
        &'a self,
        key: &'a str,
        lease: Duration,
        wants: Wants,
    ) -> BoxFuture<'a, Result<Claim, RemoteError>>;

    /// Whether the lease was still ours and now lasts `lasts` from now.
    fn renew<'a>(
        &'a self,
        key: &'a str,
        lease: &'a Lease,
        lasts: Duration,
    ) -> BoxFuture<'a, Result<bool, RemoteError>>;

    /// Stores only if the lease is still ours (an invalidation takes it away), and releases it.
    fn store<'a>(
        &'a self,
        key: &'a str,
        lease: &'a Lease,
        stored: Stored,
    ) -> BoxFuture<'a, Result<bool, RemoteError>>;

    /// Gives the lease back after a failed load.
    fn release<'a>(
        &'a self,
        key: &'a str,
        lease: &'a Lease,
    ) -> BoxFuture<'a, Result<(), RemoteError>>;

    /// Stores unconditionally, takes a running lease away, and lets the other processes hear
    /// `Invalidated(Key)`. The epoch is the layer's own at that moment, not the one of `stored`.
    fn put<'a>(&'a self, key: &'a str, stored: Stored) -> BoxFuture<'a, Result<(), RemoteError>>;

    /// Takes values and leases away, tags by epoch, and lets the other processes hear it.
    fn invalidate<'a>(&'a self, target: &'a Target) -> BoxFuture<'a, Result<u64, RemoteError>>;

    /// Hands over what other processes do, for as long as the layer lives.
    fn listen(&self, on: Box<dyn Fn(Heard) + Send + Sync>);
}

type Encode<V> = dyn Fn(&V) -> Result<Bytes, RemoteError> + Send + Sync;
type Decode<V> = dyn Fn(&Bytes) -> Result<V, RemoteError> + Send + Sync;

/// A shared layer with what one cache needs to use it.
pub(crate) struct Shared<V> {
    pub(crate) remote: Arc<dyn Remote>,
    /// How long values are fresh in this layer.
    pub(crate) ttl: Ttl,
    /// How long a lease lasts when it is not renewed: how long others wait for one who was killed.
    pub(crate) lease: Duration,
    pub(crate) encode: Box<Encode<V>>,
    pub(crate) decode: Box<Decode<V>>,
}

impl<V> fmt::Debug for Shared<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("remote", &self.remote)
            .field("ttl", &self.ttl)
            .field("lease", &self.lease)
            .finish_non_exhaustive()
    }
}
