//! An HTTP server on loopback that fails now and then, and that can be taken down.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{Router, extract::State, routing::get};
use http::StatusCode;
use tokio::{net::TcpListener, task::JoinHandle};

/// A server, until it is dropped.
pub(crate) struct Backend {
    pub(crate) address: SocketAddr,
    health: Arc<Health>,
    server: JoinHandle<io::Result<()>>,
}

#[derive(Default)]
struct Health {
    down: AtomicBool,
    seen: AtomicU64,
}

/// How long a call hangs while the backend is down: longer than anybody waits.
const HANG: Duration = Duration::from_secs(5);

impl Backend {
    pub(crate) async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let health = Arc::new(Health::default());
        let router = Router::new().route("/", get(answer)).with_state(Arc::clone(&health));
        let server = tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, health, server })
    }

    pub(crate) fn set_down(&self, down: bool) {
        self.health.down.store(down, Ordering::Relaxed);
    }

    /// Requests that reached it.
    pub(crate) fn seen(&self) -> u64 {
        self.health.seen.load(Ordering::Relaxed)
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Well: 5 to 14 ms, one in ten fails. Down: one in four fails at once, the others hang.
async fn answer(State(health): State<Arc<Health>>) -> StatusCode {
    let number = health.seen.fetch_add(1, Ordering::Relaxed);
    if !health.down.load(Ordering::Relaxed) {
        tokio::time::sleep(Duration::from_millis(5 + number % 10)).await;
        return if number % 10 == 7 { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK };
    }
    if !number.is_multiple_of(4) {
        tokio::time::sleep(HANG).await;
    }
    StatusCode::SERVICE_UNAVAILABLE
}
