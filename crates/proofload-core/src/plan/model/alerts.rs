//! When somebody is told of trouble while a run is under way.

use std::sync::Arc;
use std::time::Duration;

/// The rules of alerts. An alert never ends a run and never changes its grade.
#[derive(Clone, Debug, PartialEq)]
pub struct AlertRules {
    /// Whether there are any.
    pub enabled: bool,
    /// How far back is looked; above zero.
    pub window: Duration,
    /// Requests there must be in a window before it is judged.
    pub min_requests: u64,
    /// The throughput falls by this share while the load does not; `None` does not look.
    pub throughput_drop: Option<f64>,
    /// This share of requests fails all of a sudden; `None` does not look.
    pub error_burst: Option<f64>,
    /// This share of arrivals of open load finds every user at work; `None` does not look.
    pub queue: Option<f64>,
    /// Where alerts are posted to. A secret: whoever knows it can write there.
    pub webhook: Option<Arc<str>>,
}

impl Default for AlertRules {
    fn default() -> Self {
        Self {
            enabled: true,
            window: Duration::from_secs(10),
            min_requests: 20,
            throughput_drop: Some(0.5),
            error_burst: Some(0.1),
            queue: Some(0.1),
            webhook: None,
        }
    }
}
