//! The settings of a response cache.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::request::Parts;
use http::{HeaderName, Method, StatusCode};

use super::answer::CachedResponse;
use super::layer::ResponseCacheLayer;
use super::question::{HashBody, IgnoreBody};
use super::rules::Rules;
use super::shared::Shared;
use super::vary::Vary;
use crate::{BuildError, Cache, Registry, Ttl, cache::CacheBuilder};

/// How much memory answers take at most unless told otherwise.
const DEFAULT_BYTES: u64 = 64 << 20;
/// The largest body that is kept unless told otherwise.
const DEFAULT_BODY: usize = 1 << 20;

/// The cache's own idea of a key.
pub(super) type KeyOf = Arc<dyn Fn(&Parts) -> Option<String> + Send + Sync>;

/// Makes a [`ResponseCacheLayer`]: see [`ResponseCacheLayer::builder`].
#[must_use]
pub struct ResponseCacheBuilder<K = IgnoreBody> {
    name: String,
    ttl: Ttl,
    cache: CacheBuilder<CachedResponse>,
    max_bytes: u64,
    rules: Rules,
    body: K,
    settings: Settings,
}

/// Settings that no rule is made of.
pub(super) struct Settings {
    pub(super) max_body_bytes: usize,
    pub(super) key: Option<KeyOf>,
    pub(super) field: Option<String>,
    pub(super) writes_invalidate: bool,
}

impl ResponseCacheBuilder {
    pub(super) fn new(name: String, ttl: Ttl) -> Self {
        Self {
            cache: Cache::builder(&name, ttl),
            name,
            ttl,
            max_bytes: DEFAULT_BYTES,
            rules: Rules {
                methods: vec![Method::GET, Method::HEAD],
                statuses: vec![
                    StatusCode::OK,
                    StatusCode::NON_AUTHORITATIVE_INFORMATION,
                    StatusCode::MOVED_PERMANENTLY,
                    StatusCode::PERMANENT_REDIRECT,
                ],
                vary: Vary::default(),
                honour_cache_control: true,
                share_authorised: false,
                share_cookies: false,
                keep_set_cookie: false,
            },
            body: IgnoreBody,
            settings: Settings {
                max_body_bytes: DEFAULT_BODY,
                key: None,
                field: None,
                writes_invalidate: true,
            },
        }
    }

    /// Puts a hash of the request's body into the key, so that questions in the body of a POST can be
    /// answered from the cache; name the method in [`methods`](Self::methods). Requests whose body is larger than
    /// that many bytes, or of unknown length, go to the service.
    ///
    /// The body is read before the service is called, and given to it whole.
    pub fn hash_body(self, max_bytes: usize) -> ResponseCacheBuilder<HashBody> {
        let Self { name, ttl, cache, max_bytes: weight, rules, settings, .. } = self;
        ResponseCacheBuilder {
            name,
            ttl,
            cache,
            max_bytes: weight,
            rules,
            settings,
            body: HashBody { max_bytes },
        }
    }
}

impl<K> ResponseCacheBuilder<K> {
    /// Changes settings of the [`Cache`] below: stale-while-revalidate, fail-safe, timeouts, the layer in Redis.
    ///
    /// All layers keep an answer for the same time: what it says itself, or else the time of this cache.
    pub fn cache(
        mut self,
        change: impl FnOnce(CacheBuilder<CachedResponse>) -> CacheBuilder<CachedResponse>,
    ) -> Self {
        self.cache = change(self.cache);
        self
    }

    /// How long after its freshness an answer is still served at once, while it is asked for anew behind.
    pub fn stale_while_revalidate(self, window: Duration) -> Self {
        self.cache(|cache| cache.stale_while_revalidate(window))
    }

    /// How long after its freshness an answer is served when the service fails or answers 5xx.
    pub fn fail_safe(self, window: Duration) -> Self {
        self.cache(|cache| cache.fail_safe(window))
    }

    /// Shows the cache in the registry.
    pub fn registry(self, registry: &Registry) -> Self {
        self.cache(|cache| cache.registry(registry))
    }

    /// How many bytes all answers take in memory at most, with their headers; 64 MiB unless set.
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// The largest body that is kept; 1 MiB unless set. Larger ones are passed on as they come.
    pub fn max_body_bytes(mut self, bytes: usize) -> Self {
        self.settings.max_body_bytes = bytes;
        self
    }

    /// The methods that are asked for in the cache; GET and HEAD unless set.
    pub fn methods(mut self, methods: impl IntoIterator<Item = Method>) -> Self {
        self.rules.methods = methods.into_iter().collect();
        self
    }

    /// The statuses that are kept; 200, 203, 301 and 308 unless set. Others below 500 are given to those who asked the
    /// same meanwhile, and forgotten; 5xx count as failures and are never kept.
    pub fn statuses(mut self, statuses: impl IntoIterator<Item = StatusCode>) -> Self {
        self.rules.statuses = statuses.into_iter().collect();
        self
    }

    /// Headers of requests that answers depend on, besides those that answers name in `Vary`. With `authorization` or
    /// `cookie` among them, each user has answers of their own.
    pub fn vary(mut self, headers: impl IntoIterator<Item = HeaderName>) -> Self {
        self.rules.vary = Vary::new(headers);
        self
    }

    /// Whether `Cache-Control` is followed: `no-store`, `private`, `no-cache`, `max-age`, `s-maxage`,
    /// `must-revalidate` in answers, `no-store` in requests. Yes unless set.
    pub fn honour_cache_control(mut self, honour: bool) -> Self {
        self.rules.honour_cache_control = honour;
        self
    }

    /// Gives answers to requests with `Authorization` to everybody, authorised or not. Only for what is the same for
    /// all.
    pub fn share_authorised(mut self, share: bool) -> Self {
        self.rules.share_authorised = share;
        self
    }

    /// Gives answers to requests with cookies to everybody. Only where answers do not depend on them.
    pub fn share_cookies(mut self, share: bool) -> Self {
        self.rules.share_cookies = share;
        self
    }

    /// Keeps answers that set cookies, and sets them for everybody.
    pub fn keep_set_cookie(mut self, keep: bool) -> Self {
        self.rules.keep_set_cookie = keep;
        self
    }

    /// Puts `"field": true` into answers that are JSON objects and come from the cache, and `false` into those that
    /// the service has just given.
    pub fn mark_json_field(mut self, field: &str) -> Self {
        self.settings.field = Some(field.to_owned());
        self
    }

    /// What of a request is in its key, instead of path and query. The method, the host and the headers that answers
    /// vary with are in the key nevertheless. None: the request goes to the service.
    pub fn key(mut self, key: impl Fn(&Parts) -> Option<String> + Send + Sync + 'static) -> Self {
        self.settings.key = Some(Arc::new(key));
        self
    }

    /// Whether a successful POST, PUT, PATCH or DELETE that passes takes away what is kept for its path, with whatever
    /// query. Yes unless set.
    pub fn writes_invalidate(mut self, invalidate: bool) -> Self {
        self.settings.writes_invalidate = invalidate;
        self
    }

    /// The layer.
    ///
    /// # Errors
    ///
    /// When a setting cannot be: those of [`CacheBuilder::build`], no method, a status of 500 or above, a bound of
    /// 0, or a JSON field whose name would have to be escaped.
    pub fn build(self) -> Result<ResponseCacheLayer<K>, BuildError> {
        self.check()?;
        let weight = |key: &str, kept: &CachedResponse| {
            kept.weight().saturating_add(u32::try_from(key.len()).unwrap_or(u32::MAX))
        };
        let cache = self.cache.max_weight(self.max_bytes, weight).build()?;
        let shared = Shared::new(&self.name, self.ttl, cache, self.rules, self.settings)?;
        Ok(ResponseCacheLayer { shared: Arc::new(shared), body: self.body })
    }

    fn check(&self) -> Result<(), BuildError> {
        if self.rules.methods.is_empty() {
            return Err(BuildError::new("methods", "empty", "at least one method"));
        }
        if let Some(status) = self.rules.statuses.iter().find(|status| status.as_u16() >= 500) {
            return Err(BuildError::new("statuses", status, "below 500: failures are never kept"));
        }
        if self.settings.max_body_bytes == 0 {
            return Err(BuildError::new("max_body_bytes", 0, "at least 1"));
        }
        let plain =
            |field: &String| !field.chars().any(|c| c.is_control() || matches!(c, '"' | '\\'));
        match &self.settings.field {
            Some(field) if !plain(field) => Err(BuildError::new(
                "mark_json_field",
                field,
                "without quotes, backslashes and control characters",
            )),
            _ => Ok(()),
        }
    }
}

impl<K> fmt::Debug for ResponseCacheBuilder<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseCacheBuilder")
            .field("name", &self.name)
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}
