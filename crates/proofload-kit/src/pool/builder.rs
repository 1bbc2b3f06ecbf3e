//! The settings of a pool.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::{Manager, Object, Pool, PoolBuilder, Timeouts};

use super::alarm::Levels;
use super::watch::Watch;
use super::watched::{Shared, WatchedPool};
use super::{WatchedPoolEvent, call};
use crate::registry::Component;
use crate::{BuildError, Registry};

/// More than any server takes, and few enough for the semaphore behind it.
const MAX_SIZE: usize = 100_000;
/// How far below the alert level use must fall, unless set: 70 % for 80 %.
const CALM_SHARE: f64 = 0.875;

pub(super) type OnEvent = dyn Fn(&WatchedPoolEvent) + Send + Sync;
type Adapt<M, W> = dyn FnOnce(PoolBuilder<M, W>) -> PoolBuilder<M, W> + Send;

/// Settings of a [`WatchedPool`]. Made by [`WatchedPool::builder`].
#[must_use = "call `build`"]
pub struct WatchedPoolBuilder<M: Manager, W: From<Object<M>> = Object<M>> {
    name: String,
    manager: M,
    settings: Settings,
    calm_below: Option<f64>,
    registry: Option<Registry>,
    on_event: Option<Box<OnEvent>>,
    adapt: Option<Box<Adapt<M, W>>>,
}

/// Those that can be copied.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    pub(super) size: usize,
    pub(super) timeout: Option<Duration>,
    pub(super) connect_timeout: Option<Duration>,
    pub(super) check_timeout: Option<Duration>,
    pub(super) recycle: Option<Duration>,
    pub(super) leak_after: Option<Duration>,
    pub(super) alert_at: f64,
    pub(super) alert_after: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            size: 20,
            timeout: Some(Duration::from_secs(30)),
            connect_timeout: Some(Duration::from_secs(10)),
            check_timeout: Some(Duration::from_secs(5)),
            recycle: Some(Duration::from_secs(3_600)),
            leak_after: Some(Duration::from_secs(60)),
            alert_at: 0.8,
            alert_after: Duration::from_secs(5),
        }
    }
}

impl<M, W> WatchedPoolBuilder<M, W>
where
    M: Manager + 'static,
    W: From<Object<M>> + 'static,
{
    pub(super) fn new(name: String, manager: M) -> Self {
        Self {
            name,
            manager,
            settings: Settings::default(),
            calm_below: None,
            registry: None,
            on_event: None,
            adapt: None,
        }
    }

    /// How many connections there may be: 20 unless set.
    pub fn size(mut self, connections: usize) -> Self {
        self.settings.size = connections;
        self
    }

    /// How long a caller waits for a connection to become free: 30 s unless set; `None` for ever.
    pub fn timeout(mut self, longest: impl Into<Option<Duration>>) -> Self {
        self.settings.timeout = longest.into();
        self
    }

    /// How long making a connection may take: 10 s unless set; `None` for ever.
    pub fn connect_timeout(mut self, longest: impl Into<Option<Duration>>) -> Self {
        self.settings.connect_timeout = longest.into();
        self
    }

    /// How long the check of an idle connection may take before it is thrown away: 5 s unless set; `None` for ever.
    pub fn check_timeout(mut self, longest: impl Into<Option<Duration>>) -> Self {
        self.settings.check_timeout = longest.into();
        self
    }

    /// How old a connection may get: one that is older is replaced when it would be handed out. 3,600 s unless set,
    /// which is less than most servers, proxies and firewalls allow; `None` for ever.
    pub fn recycle(mut self, oldest: impl Into<Option<Duration>>) -> Self {
        self.settings.recycle = oldest.into();
        self
    }

    /// How long a connection may be held before that is taken for a leak, logged and counted: 60 s unless set;
    /// `None` for ever.
    pub fn leak_after(mut self, longest: impl Into<Option<Duration>>) -> Self {
        self.settings.leak_after = longest.into();
        self
    }

    /// The share of the pool, above 0 and up to 1, at which its use is high: 0.8 unless set.
    pub fn alert_at(mut self, share: f64) -> Self {
        self.settings.alert_at = share;
        self
    }

    /// The share below which use is no longer high once it was: seven eighths of [`alert_at`](Self::alert_at)
    /// unless set.
    pub fn calm_below(mut self, share: f64) -> Self {
        self.calm_below = Some(share);
        self
    }

    /// How long use must stay high, without a break, before that is told: 5 s unless set.
    pub fn alert_after(mut self, lasting: Duration) -> Self {
        self.settings.alert_after = lasting;
        self
    }

    /// Tells this function of high use and leaks, from a task of the runtime: it must not block. Should it panic, that is
    /// logged and the watch goes on.
    pub fn on_event(mut self, tell: impl Fn(&WatchedPoolEvent) + Send + Sync + 'static) -> Self {
        self.on_event = Some(Box::new(tell));
        self
    }

    /// Shows the pool at this registry.
    pub fn registry(mut self, registry: &Registry) -> Self {
        self.registry = Some(registry.clone());
        self
    }

    /// Sets what only deadpool's own builder knows: hooks, or the order in which connections are used. Size, timeouts
    /// and runtime are set afterwards, from here.
    pub fn deadpool(
        mut self,
        adapt: impl FnOnce(PoolBuilder<M, W>) -> PoolBuilder<M, W> + Send + 'static,
    ) -> Self {
        self.adapt = Some(Box::new(adapt));
        self
    }

    /// The pool. No connection is made yet.
    ///
    /// # Errors
    /// When a setting cannot be used.
    pub fn build(self) -> Result<WatchedPool<M, W>, BuildError> {
        let levels = self.levels()?;
        let Self { name, manager, settings, registry, on_event, adapt, .. } = self;
        let watch = Arc::new(Watch::new(&name));
        let mut builder = call::first_hooks(Pool::builder(manager), &watch, settings.recycle);
        if let Some(adapt) = adapt {
            builder = adapt(builder);
        }
        let timeouts = Timeouts {
            wait: settings.timeout,
            create: settings.connect_timeout,
            recycle: settings.check_timeout,
        };
        let builder = call::last_hook(builder, &watch)
            .max_size(settings.size)
            .timeouts(timeouts)
            .runtime(Runtime::Tokio1);
        let no_runtime = || BuildError::new("runtime", "none", "tokio");
        let pool = builder.build().map_err(|_| no_runtime())?;
        let shared = Arc::new(Shared::new(pool, watch, settings, levels, on_event));
        if let Some(registry) = registry {
            let part: std::sync::Weak<dyn Component> = Arc::downgrade(&shared) as _;
            registry.add(part);
        }
        Ok(WatchedPool::new(shared))
    }

    /// Checks all settings on the way.
    fn levels(&self) -> Result<Levels, BuildError> {
        let settings = &self.settings;
        if self.name.is_empty() {
            return Err(BuildError::new("name", "", "a name that tells the pool from others"));
        }
        if !(1..=MAX_SIZE).contains(&settings.size) {
            return Err(BuildError::new("size", settings.size, "1 to 100000 connections"));
        }
        for (setting, value) in [
            ("timeout", settings.timeout),
            ("connect_timeout", settings.connect_timeout),
            ("check_timeout", settings.check_timeout),
            ("recycle", settings.recycle),
            ("leak_after", settings.leak_after),
            ("alert_after", Some(settings.alert_after)),
        ] {
            if value == Some(Duration::ZERO) {
                return Err(BuildError::new(setting, "0 s", "a duration above 0"));
            }
        }
        let raise_at = settings.alert_at;
        if !(raise_at > 0.0 && raise_at <= 1.0) {
            return Err(BuildError::new("alert_at", raise_at, "a share above 0 and up to 1"));
        }
        let calm_below = self.calm_below.unwrap_or(raise_at * CALM_SHARE);
        if !(calm_below > 0.0 && calm_below <= raise_at) {
            let allowed = "a share above 0 and up to `alert_at`";
            return Err(BuildError::new("calm_below", calm_below, allowed));
        }
        Ok(Levels { raise_at, calm_below, after: settings.alert_after })
    }
}

impl<M: Manager, W: From<Object<M>>> fmt::Debug for WatchedPoolBuilder<M, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchedPoolBuilder")
            .field("name", &self.name)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
