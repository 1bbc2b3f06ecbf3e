//! The handle of a Redis: one command at a time through timeout, guard and counters.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::{Client, Cmd, ErrorKind, RedisError, ServerErrorKind, Value};
use tokio::time::Instant;

use super::failure::Failure;
use super::guard::{Admission, Change, Guard};
use super::link::Link;
use super::listener::Listener;
use super::scripts::Call;
use super::settings::{RedisBuilder, Settings};
use super::stats::{Counters, RedisStats, count};
use crate::error::BuildError;
use crate::registry::{Component, Families};

/// A Redis that caches share with those of other processes. Cheap to clone; clones are the same.
///
/// It connects when it is first needed and again whenever the connection broke. A Redis that is dead,
/// slow, full or restarted costs callers one short timeout at most now and then; see
/// [`give_up_after`](RedisBuilder::give_up_after).
///
/// ```no_run
/// use proofload_kit::{Redis, Registry};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let registry = Registry::new();
/// let redis = Redis::builder("redis://127.0.0.1:6379").namespace("shop").registry(&registry).build()?;
/// assert!(redis.stats().available);
/// # Ok(())
/// # }
/// ```
///
/// # What it needs
///
/// One server, Redis 5 or newer or one that speaks its language: or the primary of several, behind an
/// address that follows it. Sentinels are not asked who that is. All that a cache keeps must be on one
/// server, because an entry, its lease and its tags are seen in one step: of Redis Cluster, only one with a
/// single shard will do. On a node of another one, caches whose keys belong elsewhere go on without Redis,
/// and an error is logged once that says so.
///
/// The clocks of the machines should agree to within a fraction of the times to live: what a machine
/// writes is fresh on another until that one's clock says that it is not, and at most until Redis, by its
/// own clock, drops it.
///
/// Whatever `maxmemory-policy` drops, nothing that was invalidated comes back.
///
/// With `rediss://` and the feature `redis-tls`, rustls needs a cryptography provider for the process; where
/// none was installed, `ring` is.
#[derive(Clone)]
pub struct Redis {
    pub(super) inner: Arc<Inner>,
}

/// What all clones share.
pub(super) struct Inner {
    pub(super) settings: Settings,
    link: Arc<Link>,
    guard: Mutex<Guard>,
    pub(super) counters: Arc<Counters>,
    pub(super) listener: Listener,
    /// When a refusal was last told to the log.
    refusal_told: Mutex<Option<Instant>>,
    /// Whether the log has it that this Redis is none that can serve caches.
    unfit_told: AtomicBool,
}

impl Redis {
    /// Settings for the Redis at `address`: `redis://[user:password@]host[:port][/db]`.
    pub fn builder(address: impl Into<String>) -> RedisBuilder {
        RedisBuilder::new(address.into())
    }

    /// The Redis at `address` with default settings.
    ///
    /// # Errors
    /// If the address cannot be understood. That nobody answers there is no error.
    pub fn connect(address: impl Into<String>) -> Result<Self, BuildError> {
        Self::builder(address).build()
    }

    pub(super) fn new(client: Client, settings: Settings) -> Self {
        let counters = Arc::new(Counters::default());
        let inner = Arc::new(Inner {
            link: Link::new(client.clone(), settings.connect_timeout),
            guard: Mutex::new(Guard::new(settings.failures, settings.pause)),
            listener: Listener::new(client, &settings, Arc::clone(&counters)),
            counters,
            refusal_told: Mutex::new(None),
            unfit_told: AtomicBool::new(false),
            settings,
        });
        if let Some(registry) = &inner.settings.registry {
            let component: Arc<dyn Component> = Arc::clone(&inner) as _;
            registry.add(Arc::downgrade(&component));
        }
        Self { inner }
    }

    /// What it saw so far.
    pub fn stats(&self) -> RedisStats {
        self.inner.stats()
    }
}

impl std::fmt::Debug for Redis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redis")
            .field("name", &self.inner.settings.name)
            .field("namespace", &self.inner.settings.namespace)
            .field("available", &self.inner.guard().available())
            .finish_non_exhaustive()
    }
}

impl Component for Inner {
    fn name(&self) -> &str {
        &self.settings.name
    }

    fn collect(&self, families: &mut Families) {
        self.counters.collect(&self.settings.name, &self.stats(), families);
    }
}

impl Inner {
    fn guard(&self) -> MutexGuard<'_, Guard> {
        self.guard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stats(&self) -> RedisStats {
        self.counters.stats(self.guard().available(), self.link.connections())
    }

    /// Connections opened so far.
    pub(super) fn connections(&self) -> u64 {
        self.link.connections()
    }

    /// Whether a call would be sent now.
    pub(super) fn would_ask(&self) -> bool {
        self.guard().would_admit(Instant::now())
    }

    /// Runs a script, with its text if Redis does not know it.
    pub(super) async fn run(&self, call: &Call<'_>) -> Result<Value, Failure> {
        match self.send(&call.by_hash()).await {
            Err(Failed::Refused(error))
                if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) =>
            {
                self.call(&call.by_text()).await
            }
            other => other.map_err(|failed| self.told(failed)),
        }
    }

    /// Sends one command and waits for its answer, no longer than the timeout; not at all during an outage.
    pub(super) async fn call(&self, command: &Cmd) -> Result<Value, Failure> {
        self.send(command).await.map_err(|failed| self.told(failed))
    }

    async fn send(&self, command: &Cmd) -> Result<Value, Failed> {
        let Some(permit) = Permit::new(self) else {
            count(&self.counters.skipped);
            return Err(Failed::Skipped);
        };
        let started = Instant::now();
        let outcome = tokio::time::timeout(self.settings.timeout, self.link.query(command)).await;
        let now = Instant::now();
        self.counters.called(now.saturating_duration_since(started));
        match outcome {
            Ok(Ok(value)) => {
                permit.answered(now);
                Ok(value)
            }
            Ok(Err(error)) if !says_unavailable(&error) => {
                permit.answered(now);
                Err(Failed::Refused(error))
            }
            Ok(Err(error)) => {
                // Whatever comes of it: the next call does better with a new connection.
                self.link.discard();
                permit.failed(now);
                Err(Failed::Broken(error))
            }
            Err(_) => {
                permit.failed(now);
                Err(Failed::TimedOut)
            }
        }
    }

    /// Counts a failure and makes it the caller's.
    fn told(&self, failed: Failed) -> Failure {
        match failed {
            Failed::Skipped => Failure::Skipped,
            Failed::TimedOut => {
                count(&self.counters.timeouts);
                Failure::TimedOut(self.settings.timeout)
            }
            Failed::Broken(error) => {
                count(&self.counters.broken);
                Failure::Broken(error.to_string())
            }
            Failed::Refused(error) => {
                if error.code() == Some("WRONGTYPE") {
                    return Failure::WrongType;
                }
                count(&self.counters.refused);
                self.tell_refusal(&error);
                let code = error.code().unwrap_or_default();
                Failure::Refused(format!("{code} {}", error.detail().unwrap_or_default()))
            }
        }
    }

    /// At most once in ten seconds: a full Redis refuses every value. What nothing but other settings can
    /// change is told once.
    fn tell_refusal(&self, error: &RedisError) {
        const SELDOM: Duration = Duration::from_secs(10);
        if let Some(advice) = advice(error) {
            if !self.unfit_told.swap(true, Ordering::Relaxed) {
                tracing::error!(redis = %self.settings.name, %error, "{advice}");
            }
            return;
        }
        let now = Instant::now();
        let mut told = self.refusal_told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_none_or(|told| now.saturating_duration_since(told) >= SELDOM) {
            *told = Some(now);
            drop(told);
            tracing::warn!(redis = %self.settings.name, %error, "Redis refused a command of a cache");
        }
    }

    fn changed(&self, change: Change) {
        match change {
            Change::None => {}
            Change::Lost => {
                count(&self.counters.outages);
                // A server that only became silent keeps its connection open: the next attempt gets a new one.
                self.link.discard();
                tracing::warn!(
                    redis = %self.settings.name,
                    "Redis does not answer: caches go on without it"
                );
            }
            Change::Recovered(after) => {
                self.counters.recovered(after);
                self.listener.hurry();
                tracing::info!(redis = %self.settings.name, ?after, "Redis answers again");
            }
        }
    }
}

/// What became of a command.
enum Failed {
    Skipped,
    TimedOut,
    Broken(RedisError),
    Refused(RedisError),
}

/// What to do about a server that is not one for caches.
fn advice(error: &RedisError) -> Option<&'static str> {
    use ServerErrorKind::{Ask, CrossSlot, Moved};
    match error.kind() {
        ErrorKind::Server(Moved | Ask | CrossSlot) => Some(
            "this is a node of a Redis Cluster, and what some caches keep belongs on another one: \
             those caches go on without Redis. Clusters of several shards are not supported; give the \
             address of a Redis that is not clustered",
        ),
        _ if error.detail().is_some_and(|detail| detail.contains("unknown command")) => Some(
            "the server does not know a command that caches need, and they go on without it. Redis 5 \
             or newer is needed, with scripts; for Redis behind Sentinel, give the address of the \
             primary, or a name that follows it, not that of a Sentinel",
        ),
        _ => None,
    }
}

/// Whether an error says that Redis, or the way to it, cannot serve at all at present.
fn says_unavailable(error: &RedisError) -> bool {
    match error.kind() {
        ErrorKind::Server(kind) => matches!(
            kind,
            ServerErrorKind::BusyLoading
                | ServerErrorKind::MasterDown
                | ServerErrorKind::ClusterDown
                | ServerErrorKind::TryAgain
                | ServerErrorKind::ReadOnly
        ),
        // Codes the client does not know. BUSY: a script of somebody else runs and runs.
        ErrorKind::Extension => matches!(error.code(), Some("BUSY" | "NOAUTH")),
        _ => true,
    }
}

/// One call's place at the guard. One that is dropped says nothing about Redis.
struct Permit<'a> {
    inner: &'a Inner,
    admission: Option<Admission>,
}

impl<'a> Permit<'a> {
    fn new(inner: &'a Inner) -> Option<Self> {
        let admission = inner.guard().admit(Instant::now())?;
        Some(Self { inner, admission: Some(admission) })
    }

    fn answered(mut self, now: Instant) {
        if self.admission.take().is_some() {
            let change = self.inner.guard().answered(now);
            self.inner.changed(change);
        }
    }

    fn failed(mut self, now: Instant) {
        if let Some(admission) = self.admission.take() {
            let change = self.inner.guard().failed(admission, now);
            self.inner.changed(change);
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if let Some(admission) = self.admission {
            self.inner.guard().abandoned(admission);
        }
    }
}

/// rustls panics when a connection is made and the process has no cryptography provider.
#[cfg(feature = "redis-tls")]
pub(super) fn ensure_tls_provider() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Somebody else's, installed in this moment, is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}
