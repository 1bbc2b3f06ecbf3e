//! Loaders that count their calls and wait to be let through.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Semaphore;

use crate::{Cache, Ttl, cache::CacheBuilder};

/// The error of these tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refused(pub(super) u64);

/// A source of values: the number of the load, once it is let through.
#[derive(Debug, Clone)]
pub(super) struct Gate {
    loads: Arc<AtomicU64>,
    open: Arc<Semaphore>,
}

impl Gate {
    pub(super) fn closed() -> Self {
        Self { loads: Arc::default(), open: Arc::new(Semaphore::new(0)) }
    }

    pub(super) fn open() -> Self {
        let gate = Self::closed();
        gate.let_through(Semaphore::MAX_PERMITS);
        gate
    }

    pub(super) fn let_through(&self, loads: usize) {
        self.open.add_permits(loads);
    }

    pub(super) fn loads(&self) -> u64 {
        self.loads.load(Ordering::SeqCst)
    }

    /// Lets other tasks run until that many loads have begun.
    pub(super) async fn begun(&self, loads: u64) {
        while self.loads() < loads {
            tokio::task::yield_now().await;
        }
    }

    /// The number of this load.
    pub(super) fn load(&self) -> impl Future<Output = Result<u64, Refused>> + Send + use<> {
        let gate = self.clone();
        async move {
            let number = gate.loads.fetch_add(1, Ordering::SeqCst) + 1;
            gate.open.acquire().await.unwrap().forget();
            Ok(number)
        }
    }

    /// A failure with the number of this load.
    pub(super) fn refuse(&self) -> impl Future<Output = Result<u64, Refused>> + Send + use<> {
        let load = self.load();
        async move { load.await.and_then(|number| Err(Refused(number))) }
    }
}

pub(super) fn cache(set: impl FnOnce(CacheBuilder<u64>) -> CacheBuilder<u64>) -> Cache<u64> {
    set(Cache::builder("test", Ttl::seconds(10))).build().unwrap()
}

/// Lets all other tasks run until they wait for something.
pub(super) async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}
