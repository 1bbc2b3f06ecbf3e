//! What all requests share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::extract::MatchedPath;
use proofload_kit::registry::HttpMetricsLayer;
use proofload_kit::{Limiter, Registry};

use super::auth::Tokens;
use super::backend::Backend;
use super::background::Background;
use super::bot::Accounts;
use super::caches::Caches;
use super::knobs::Knobs;
use super::messages::{Store, seeds};
use super::metrics::Metrics;
use super::options::DemoOptions;
use super::postgres::Database;
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
    random: Mutex<fastrand::Rng>,
    pub(crate) metrics: Metrics,
    pub(crate) http_metrics: HttpMetricsLayer,
    pub(crate) caches: Caches,
    pub(crate) tokens: Mutex<Tokens>,
    pub(crate) messages: Store,
    pub(crate) database: Option<Arc<Database>>,
    pub(crate) accounts: Mutex<Accounts>,
    pub(crate) rooms: Rooms,
}

/// Why there is no service: something in the options.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What handlers get.
pub(crate) type Shared = Arc<Service>;

/// A lock that a panic elsewhere does not take out of service.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Service {
    /// The service, with its parts shown at a registry of its own. Nothing is connected yet.
    pub(crate) fn new(options: DemoOptions) -> Result<Self, Failure> {
        let registry = Registry::new();
        let knobs = Arc::new(options.knobs.clone());
        let mut random = fastrand::Rng::with_seed(options.seed);
        let database = Database::new(&options)?.map(Arc::new);
        let database_of = database.as_ref();
        let limiter = Limiter::builder("requests")
            .limit(limit(&knobs))
            .queue(knobs.queue)
            .registry(&registry)
            .build()?;
        Ok(Self {
            limiter,
            backend: Backend::new(&knobs, database_of, &registry)?,
            background: Background::new(&registry)?,
            caches: Caches::new(&options, &registry)?,
            knobs: Mutex::new(ActiveKnobs { knobs, set_at: Instant::now() }),
            metrics: Metrics::new(&registry)?,
            http_metrics: HttpMetricsLayer::new(&registry)?
                .route(|_, extensions| extensions.get::<MatchedPath>().map(MatchedPath::as_str)),
            tokens: Mutex::new(Tokens::new(options.max_tokens)),
            messages: Store::new(
                &options,
                database_of,
                seeds(options.seed_messages, &mut random),
                &registry,
            )?,
            accounts: Mutex::new(Accounts::new(options.max_accounts)),
            rooms: Rooms::default(),
            random: Mutex::new(random),
            database,
            options,
        })
    }

    /// Connects to what is outside, and fills it.
    pub(crate) async fn set_up(&self) -> Result<(), Failure> {
        self.caches.check(&self.options).await?;
        let Some(database) = &self.database else { return Ok(()) };
        let connections = Database::backend_connections(self.knobs().knobs.connections);
        let mut random = fastrand::Rng::with_seed(self.options.seed);
        database.set_up(connections, &seeds(self.options.seed_messages, &mut random)).await?;
        Ok(())
    }

    /// Whether something outside of this process has to be tidied at the end.
    pub(crate) fn has_outside(&self) -> bool {
        self.options.redis.is_some() || self.database.is_some()
    }

    /// Takes out what was put elsewhere, within bounds.
    pub(crate) async fn clean_up(&self) {
        let _ = tokio::time::timeout(PATIENCE, self.caches.clean_up(&self.options)).await;
        if let Some(database) = &self.database {
            let _ = tokio::time::timeout(PATIENCE, database.clean_up()).await;
        }
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

/// Longest wait for what is outside, when the service ends.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

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
