//! A manager whose connections are numbers and whose faults are set by tests.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use proofload_kit::pool::deadpool::managed::{Manager, Metrics, RecycleError, RecycleResult};

/// Shared by a pool and its test.
#[derive(Debug, Default)]
pub(crate) struct Backend {
    made: AtomicU32,
    /// Making a connection fails.
    pub(crate) is_down: AtomicBool,
    /// The check of an idle connection fails.
    pub(crate) breaks_idle: AtomicBool,
    /// Making a connection panics.
    pub(crate) panics: AtomicBool,
    connect_takes: Mutex<Duration>,
    check_takes: Mutex<Duration>,
}

#[derive(Debug, thiserror::Error)]
#[error("the backend is down")]
pub(crate) struct Down;

impl Backend {
    pub(crate) fn set(&self, fault: &AtomicBool, on: bool) {
        fault.store(on, Ordering::SeqCst);
    }

    pub(crate) fn connect_takes(&self, duration: Duration) {
        *self.connect_takes.lock().unwrap() = duration;
    }

    pub(crate) fn check_takes(&self, duration: Duration) {
        *self.check_takes.lock().unwrap() = duration;
    }
}

/// What the pool gets of it: so that the test keeps the other half.
#[derive(Debug)]
pub(crate) struct Numbers(pub(crate) std::sync::Arc<Backend>);

impl Manager for Numbers {
    type Type = u32;
    type Error = Down;

    async fn create(&self) -> Result<u32, Down> {
        let takes = *self.0.connect_takes.lock().unwrap();
        if !takes.is_zero() {
            tokio::time::sleep(takes).await;
        }
        assert!(!self.0.panics.load(Ordering::SeqCst), "as the test wants it");
        if self.0.is_down.load(Ordering::SeqCst) {
            return Err(Down);
        }
        Ok(self.0.made.fetch_add(1, Ordering::SeqCst))
    }

    async fn recycle(&self, _: &mut u32, _: &Metrics) -> RecycleResult<Down> {
        let takes = *self.0.check_takes.lock().unwrap();
        if !takes.is_zero() {
            tokio::time::sleep(takes).await;
        }
        if self.0.breaks_idle.load(Ordering::SeqCst) {
            return Err(RecycleError::Backend(Down));
        }
        Ok(())
    }
}
