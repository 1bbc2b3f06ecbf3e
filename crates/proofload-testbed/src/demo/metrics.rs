//! `/metrics`: what the parts of the kit show of themselves, and some figures of the service's own.

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use proofload_kit::registry::{Counter, Gauge};
use proofload_kit::{BuildError, Registry};

use super::state::{Service, Shared, lock};

/// The service's own figures. Gauges are set when somebody looks.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests_active: Gauge,
    queue_depth: Gauge,
    pub(crate) queue_rejected: Counter,
    websocket_connections: Gauge,
    messages_stored: Gauge,
    active_users: Gauge,
}

impl Metrics {
    pub(crate) fn new(registry: &Registry) -> Result<Self, BuildError> {
        let gauge = |name, help| registry.gauge(name, help);
        Ok(Self {
            requests_active: gauge("requests_active", "Requests within the capacity")?,
            queue_depth: gauge("queue_depth", "Requests waiting for capacity")?,
            queue_rejected: registry
                .counter("queue_rejected", "Requests answered 503 because the queue was full")?,
            websocket_connections: gauge("websocket_connections", "Open WebSocket connections")?,
            messages_stored: gauge("messages_stored", "Messages kept")?,
            active_users: gauge("active_users", "Accounts the bot remembers")?,
            registry: registry.clone(),
        })
    }

    fn text(&self, service: &Service) -> String {
        let limiter = service.limiter.stats();
        self.requests_active.set(limiter.in_use as f64);
        self.queue_depth.set(limiter.queued as f64);
        self.websocket_connections.set(service.rooms.connections() as f64);
        self.messages_stored.set(service.messages.stored() as f64);
        self.active_users.set(lock(&service.accounts).len() as f64);
        self.registry.prometheus_text()
    }
}

/// `GET /metrics`
pub(crate) async fn show(State(service): State<Shared>) -> impl IntoResponse {
    let content_type = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, content_type)], service.metrics.text(&service))
}
