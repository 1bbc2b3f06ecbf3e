//! How a phase is told to end before its time.

use std::cell::Cell;

use tokio::sync::Notify;

/// How urgently a phase is to end. Later ones overrule earlier ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stop {
    /// Go on.
    #[default]
    No,
    /// Start nothing new, let what is in flight finish within the phase's graceful stop.
    Gracefully,
    /// Cut off everything.
    Now,
}

/// The stop signal of one phase on one worker.
#[derive(Debug, Default)]
pub(super) struct StopSignal {
    level: Cell<Stop>,
    raised: Notify,
}

impl StopSignal {
    /// Raises the signal; it never falls again.
    pub(super) fn raise(&self, level: Stop) {
        if level > self.level.get() {
            self.level.set(level);
            self.raised.notify_waiters();
        }
    }

    /// What is asked for now.
    pub(super) fn level(&self) -> Stop {
        self.level.get()
    }

    /// Waits until the signal is at least at `level`.
    pub(super) async fn reached(&self, level: Stop) {
        while self.level.get() < level {
            self.raised.notified().await;
        }
    }
}
