//! What all requests share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use axum::extract::MatchedPath;
use proofload_kit::pool::ReadReplicas;
use proofload_kit::registry::HttpMetricsLayer;
use proofload_kit::{BuildError, Limiter, Registry};

use super::auth::Tokens;
use super::backend::{Backend, Lines, stores};
use super::background::Background;
use super::bot::Accounts;
use super::caches::Caches;
use super::knobs::Knobs;
use super::messages::Messages;
use super::metrics::Metrics;
use super::options::DemoOptions;
use super::websocket::Rooms;

/// The knobs, and when they were set: stalls are measured from then.
#[derive(Debug, Clone)]
pub(crate) struct ActiveKnobs {
    pub(crate) knobs: Arc<Knobs>,
    pub(crate) set_at: Instant,
}

/// The service behind the routes.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) options: DemoOptions,
    knobs: Mutex<ActiveKnobs>,
    pub(crate) limiter: Limiter,
    pub(crate) backend: Backend,
    pub(crate) background: Background,
    pub(crate) stores: ReadReplicas<Lines>,
    random: Mutex<fastrand::Rng>,
    pub(crate) metrics: Metrics,
    pub(crate) http_metrics: HttpMetricsLayer,
    pub(crate) caches: Caches,
    pub(crate) tokens: Mutex<Tokens>,
    pub(crate) messages: Mutex<Messages>,
    pub(crate) accounts: Mutex<Accounts>,
    pub(crate) rooms: Rooms,
}

/// What handlers get.
pub(crate) type Shared = Arc<Service>;

/// A lock that a panic elsewhere does not take out of service.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Service {
    /// The service, with its parts shown at a registry of its own.
    pub(crate) fn new(options: DemoOptions) -> Result<Self, BuildError> {
        let registry = Registry::new();
        let knobs = Arc::new(options.knobs.clone());
        let mut random = fastrand::Rng::with_seed(options.seed);
        let limiter = Limiter::builder("requests")
            .limit(limit(&knobs))
            .queue(knobs.queue)
            .registry(&registry)
            .build()?;
        Ok(Self {
            limiter,
            backend: Backend::new(&knobs, &registry)?,
            background: Background::new(&registry)?,
            stores: stores(&registry)?,
            caches: Caches::new(&options, &registry)?,
            knobs: Mutex::new(ActiveKnobs { knobs, set_at: Instant::now() }),
            metrics: Metrics::new(&registry)?,
            http_metrics: HttpMetricsLayer::new(&registry)?
                .route(|_, extensions| extensions.get::<MatchedPath>().map(MatchedPath::as_str)),
            tokens: Mutex::new(Tokens::new(options.max_tokens)),
            messages: Mutex::new(Messages::new(
                options.max_messages,
                options.seed_messages,
                &mut random,
            )),
            accounts: Mutex::new(Accounts::new(options.max_accounts)),
            rooms: Rooms::default(),
            random: Mutex::new(random),
            options,
        })
    }

    pub(crate) fn knobs(&self) -> ActiveKnobs {
        lock(&self.knobs).clone()
    }

    pub(crate) fn set_knobs(&self, knobs: Knobs) {
        self.limiter.set_limit(limit(&knobs));
        self.limiter.set_queue(knobs.queue);
        self.backend.set(&knobs);
        *lock(&self.knobs) = ActiveKnobs { knobs: Arc::new(knobs), set_at: Instant::now() };
    }

    /// Draws from the service's seeded source.
    pub(crate) fn draw<T>(&self, draw: impl FnOnce(&mut fastrand::Rng) -> T) -> T {
        draw(&mut lock(&self.random))
    }
}

/// Without a capacity there is one that nobody reaches.
fn limit(knobs: &Knobs) -> usize {
    const UNBOUNDED: usize = 1 << 30;
    knobs.capacity.unwrap_or(UNBOUNDED).min(UNBOUNDED)
}

/// Milliseconds since 1970, as a timestamp for people.
pub(crate) fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
