//! What the service remembers, so that it need not ask its backend again: the kit's caches.
//!
//! Of all requests that miss the same answer at the same time, one asks the backend, and all get what it
//! says. Where the backend fails, an answer that is past its time stands in. With a Redis it stands below
//! memory, and what is said of "all requests" is true of all processes that share it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::Duration;

use proofload_kit::cache::CacheStats;
use proofload_kit::{Cache, LoadError, Loaded, Redis, Registry, Ttl};

use super::backend::BackendError;
use super::error::ApiError;
use super::knowledge::Lookup;
use super::options::DemoOptions;
use super::state::{Failure, PATIENCE, Shared, unix_ms};

/// How long an answer past its time may stand in for one that cannot be had.
const FAIL_SAFE: Duration = Duration::from_secs(3600);
/// How long the results of failed loads are not asked for again, where something stale stands in.
const RETRY_AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Which cache an answer is kept in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// Answers of the chat.
    Chat,
    /// What was found out about messages.
    Checks,
    /// Results of analytics queries.
    Queries,
}

/// Where an answer came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The cache, or a request that was asking the backend for it already: nothing was spent on it.
    Hit,
    /// The backend.
    Miss,
    /// The cache, past its time, because the backend failed.
    Stale,
}

impl Source {
    /// The value of the header `x-cache`.
    pub(crate) fn header(self) -> &'static str {
        match self {
            Self::Hit => "HIT",
            Self::Miss => "MISS",
            Self::Stale => "STALE",
        }
    }

    /// Whether nothing was spent on it.
    pub(crate) fn is_cached(self) -> bool {
        self != Self::Miss
    }
}

/// The caches of the service.
#[derive(Debug)]
pub(crate) struct Caches {
    chat: Cache<Arc<str>>,
    checks: Cache<Arc<str>>,
    queries: Cache<Arc<str>>,
    is_used: bool,
    redis: Option<Redis>,
    /// What all keys in Redis begin with.
    namespace: String,
    /// Whether the Redis was there at the start.
    was_reached: AtomicBool,
}

impl Caches {
    pub(crate) fn new(options: &DemoOptions, registry: &Registry) -> Result<Self, Failure> {
        // Each service remembers what it was asked itself: what another left behind is not its own.
        let namespace = format!("proofload-demo-{}-{}", std::process::id(), unix_ms());
        let redis = options.redis.as_ref().map(|address| {
            Redis::builder(address).namespace(&namespace).registry(registry).build()
        });
        let redis = redis.transpose().map_err(|_| {
            "this is no address of a Redis\n  it looks like redis://HOST:PORT/NUMBER, with USER:PASSWORD@ before \
             the host where it asks for them"
        })?;
        let cache = |name: &str, ttl: Duration| {
            let cache = Cache::builder(name, Ttl::from(ttl))
                .max_entries(options.cache_capacity.max(1))
                .fail_safe(FAIL_SAFE)
                .retry_after_failure(RETRY_AFTER_FAILURE)
                .registry(registry);
            match &redis {
                Some(redis) => cache.redis(redis, ttl).build(),
                None => cache.build(),
            }
        };
        Ok(Self {
            chat: cache("chat", options.chat_ttl)?,
            checks: cache("checks", options.chat_ttl)?,
            queries: cache("queries", options.query_ttl)?,
            is_used: options.cache_capacity > 0,
            redis,
            namespace,
            was_reached: AtomicBool::new(false),
        })
    }

    /// Whether the Redis is there, if there is to be one. Later on it may come and go: the caches do without.
    pub(crate) async fn check(&self, options: &DemoOptions) -> Result<(), String> {
        let Some(redis) = &self.redis else { return Ok(()) };
        let at = without_credentials(options.redis.as_deref().unwrap_or_default());
        self.chat.fetch("start").await;
        let stats = redis.stats();
        match (stats.timeouts, stats.broken, stats.refused) {
            (0, 0, 0) => {
                self.was_reached.store(true, Ordering::Relaxed);
                Ok(())
            }
            (0, 0, _) => Err(format!(
                "Redis at {at} refuses what it is asked\n  are user, password and database right?"
            )),
            _ => Err(format!(
                "Redis at {at} cannot be reached\n  is it up, a Redis, and its address right?"
            )),
        }
    }

    /// Takes out of Redis what was put there: the answers, and the counters that the caches keep beside them, which
    /// nobody needs any more because the namespace ends with this service.
    pub(crate) async fn clean_up(&self, options: &DemoOptions) {
        let Some(address) = &options.redis else { return };
        if !self.was_reached.load(Ordering::Relaxed) {
            return;
        }
        // All keys of a cache begin with `{namespace:cache}`. What cannot be taken out goes by itself when its time is
        // over, but for the counters.
        let _ = unlink(address, &format!("{{{}:*", self.namespace)).await;
    }

    fn of(&self, kept: Kept) -> &Cache<Arc<str>> {
        match kept {
            Kept::Chat => &self.chat,
            Kept::Checks => &self.checks,
            Kept::Queries => &self.queries,
        }
    }

    /// What each has counted.
    pub(crate) fn stats(&self) -> [CacheStats; 3] {
        [&self.chat, &self.checks, &self.queries].map(Cache::stats)
    }

    /// Drops what begins so in all caches, and returns how much that was.
    pub(crate) async fn invalidate(&self, prefix: &str) -> u64 {
        let mut dropped = 0;
        for cache in [&self.chat, &self.checks, &self.queries] {
            dropped += cache.invalidate_prefix(prefix).await;
        }
        dropped
    }
}

/// Takes all keys of a pattern out of Redis, without holding it up.
async fn unlink(address: &str, pattern: &str) -> redis::RedisResult<()> {
    let client = redis::Client::open(address)?;
    // A machine that was just under load is given more time than the half second that is usual.
    let config = redis::AsyncConnectionConfig::new()
        .set_connection_timeout(Some(PATIENCE))
        .set_response_timeout(Some(PATIENCE));
    let mut connection = client.get_multiplexed_async_connection_with_config(&config).await?;
    let mut cursor = 0_u64;
    loop {
        let mut scan = redis::cmd("SCAN");
        scan.arg(cursor).arg("MATCH").arg(pattern).arg("COUNT").arg(1_000);
        let (next, keys): (u64, Vec<String>) = scan.query_async(&mut connection).await?;
        if !keys.is_empty() {
            redis::cmd("UNLINK").arg(&keys).exec_async(&mut connection).await?;
        }
        if next == 0 {
            return Ok(());
        }
        cursor = next;
    }
}

/// Where that is: an address without user, password and scheme.
fn without_credentials(address: &str) -> &str {
    let place = address.split_once("://").map_or(address, |(_, place)| place);
    let place = place.split(['?', '#']).next().unwrap_or_default();
    place.rsplit_once('@').map_or(place, |(_, place)| place)
}

/// An answer that the backend makes at a price.
pub(crate) struct Question<'a, F> {
    pub(crate) kept: Kept,
    /// What it is kept under.
    pub(crate) key: String,
    /// How long, if not as long as all in that cache.
    pub(crate) ttl: Option<Duration>,
    /// What the backend is asked for it.
    pub(crate) lookup: Lookup<'a>,
    /// How long the backend takes.
    pub(crate) cost: Duration,
    /// The answer, from what the backend found.
    pub(crate) answer: F,
}

/// Looks an answer up; when it is not there, the backend is asked for it.
pub(crate) async fn cached<F: FnOnce(Option<String>) -> String + Send>(
    service: &Shared,
    question: Question<'_, F>,
) -> Result<(Arc<str>, Source), ApiError> {
    let Question { kept, key, ttl, lookup, cost, answer } = question;
    let knobs = service.knobs().knobs;
    let ask = async || {
        let fails = knobs.backend_error_rate > 0.0
            && service.draw(|random| random.f64() < knobs.backend_error_rate);
        let found = service.backend.call(&knobs, lookup, cost, fails).await?;
        Ok::<_, BackendError>(Arc::from(answer(found)))
    };
    if !knobs.cache || !service.caches.is_used {
        return Ok((ask().await?, Source::Miss));
    }
    const NOT_ASKED: u8 = 0;
    const ANSWERED: u8 = 1;
    const FAILED: u8 = 2;
    let asked = AtomicU8::new(NOT_ASKED);
    let load = async || {
        let answer = ask().await;
        asked.store(if answer.is_ok() { ANSWERED } else { FAILED }, Ordering::Relaxed);
        let answer = Loaded::new(answer?);
        Ok::<_, BackendError>(match ttl {
            Some(ttl) => answer.ttl(Ttl::from(ttl)),
            None => answer,
        })
    };
    let found = service.caches.of(kept).get_or_load_scoped(&key, load).await?;
    let source = match asked.into_inner() {
        NOT_ASKED => Source::Hit,
        ANSWERED => Source::Miss,
        _ => Source::Stale,
    };
    Ok((found, source))
}

impl From<LoadError<BackendError>> for ApiError {
    fn from(error: LoadError<BackendError>) -> Self {
        // Only loads with a timeout or in tasks end otherwise.
        error.failed().copied().unwrap_or(BackendError::Failed).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_shown_without_credentials() {
        let check = |address: &str, expect: &str| assert_eq!(without_credentials(address), expect);
        check("redis://a:6379", "a:6379");
        check("redis://app:p@ss@a:6379/2", "a:6379/2");
        check("redis://:pw@a", "a");
        check("redis+unix:///run/redis?pass=pw", "/run/redis");
        check("nonsense", "nonsense");
    }
}
