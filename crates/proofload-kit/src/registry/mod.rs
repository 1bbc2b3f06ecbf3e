//! What a service is made of: the caches, breakers, limiters and pools that were registered, found
//! again for their metrics and for invalidation by name; and everything that goes with metrics.
//!
//! - `component`: what a part of the kit is to its registry; `families`: the samples that parts hand over;
//! - `instrument`, `label_sets`, `own`: counters, gauges and histograms of the service itself;
//! - `http_metrics`: counts and times of requests as a tower layer;
//! - `text`, `openmetrics`, `service`: all of it for Prometheus, as text and at `/metrics`;
//! - `catalogue`: the metrics of the kit; `monitoring`: their Grafana dashboard and alert rules.
#![doc = include_str!("../docs/observability.md")]

mod catalogue;
mod component;
#[cfg(all(test, feature = "pool", feature = "tower"))]
mod everything_tests;
mod families;
#[cfg(feature = "tower")]
mod http_metrics;
mod instrument;
mod label_sets;
mod monitoring;
#[cfg(feature = "prometheus")]
mod openmetrics;
mod own;
#[cfg(feature = "tower")]
mod service;
mod text;

#[cfg(feature = "prometheus")]
#[doc(no_inline)]
pub use prometheus_client;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

pub(crate) use component::Component;
pub(crate) use families::{Families, Value};
#[cfg(feature = "tower")]
pub use http_metrics::{HttpMetricsFuture, HttpMetricsLayer, HttpMetricsService};
pub use instrument::{Counter, Gauge, Histogram};
pub use monitoring::Monitoring;
pub use own::{Counters, Gauges, Histograms};
#[cfg(feature = "tower")]
pub use service::{MetricsBody, MetricsFuture, MetricsService};

/// The parts of one service. Cheap to clone; clones are the same registry.
///
/// A registry does not keep its parts alive: one that is dropped is no longer shown. Metrics that the
/// service makes itself ([`Registry::counter`] and others) do belong to the registry.
#[derive(Clone, Default)]
pub struct Registry {
    parts: Arc<Mutex<Vec<Weak<dyn Component>>>>,
    own: Arc<own::OwnMetrics>,
}

impl Registry {
    /// A registry without parts.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The registry of the process: where functions under `#[cached]` put their caches.
    ///
    /// The only global of this crate: an attribute on a function has nobody to be handed one by.
    #[must_use]
    pub fn global() -> &'static Self {
        static GLOBAL: LazyLock<Registry> = LazyLock::new(Registry::new);
        &GLOBAL
    }

    pub(crate) fn add(&self, part: Weak<dyn Component>) {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        parts.retain(|part| part.strong_count() > 0);
        parts.push(part);
    }

    /// The parts that are still in use, in the order of their registration.
    pub(crate) fn parts(&self) -> Vec<Arc<dyn Component>> {
        let parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        parts.iter().filter_map(Weak::upgrade).collect()
    }

    /// Samples of all parts, and of the service itself.
    pub(crate) fn families(&self) -> Families {
        let mut families = Families::default();
        for part in self.parts() {
            part.collect(&mut families);
        }
        self.own.collect(&mut families);
        families
    }

    pub(crate) fn own(&self) -> &own::OwnMetrics {
        &self.own
    }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts = self.parts();
        f.debug_list().entries(parts.iter().map(|part| part.name())).finish()
    }
}
