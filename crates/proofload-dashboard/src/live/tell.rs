//! The way from whoever runs plans to the dashboard's thread. Nobody waits on it, and it is bounded.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use proofload_core::event::RunEvent;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::state::{RunEnd, RunStart};

/// Events that may wait. The dashboard takes them as they come; it falls behind only when the machine has
/// no time at all for it.
const MAX_WAITING: usize = 512;

/// Something the dashboard is told.
#[derive(Debug)]
pub(crate) enum Told {
    /// A run of the plan of this name is being prepared.
    Prepare(String),
    /// It begins.
    Begin(Box<RunStart>),
    /// Something happened in it.
    Event(RunEvent, Waiting),
    /// It has ended.
    End(Box<RunEnd>),
    /// It came to no result.
    Fail(String),
}

/// Counts an event as waiting for as long as it does.
#[derive(Debug)]
pub(crate) struct Waiting(Arc<Backlog>);

impl Waiting {
    /// Events that were left out since somebody asked.
    pub(crate) fn take_missed(&self) -> u64 {
        self.0.missed.swap(0, Ordering::Relaxed)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

#[derive(Debug, Default)]
struct Backlog {
    waiting: AtomicUsize,
    missed: AtomicU64,
}

/// Tells the dashboard. The channel itself has no bound, so that beginnings and ends are never lost; the
/// events in it, which are what there are many of, have one.
#[derive(Clone, Debug)]
pub(crate) struct Teller {
    sender: UnboundedSender<Told>,
    backlog: Arc<Backlog>,
}

/// Both ends.
pub(crate) fn channel() -> (Teller, UnboundedReceiver<Told>) {
    let (sender, receiver) = unbounded_channel();
    (Teller { sender, backlog: Arc::default() }, receiver)
}

impl Teller {
    pub(crate) fn tell(&self, told: Told) {
        // A dashboard that is gone needs not be told.
        let _ = self.sender.send(told);
    }

    pub(crate) fn hear(&self, event: &RunEvent) {
        // The dashboard computes intervals from the snapshots.
        if matches!(event, RunEvent::Interval(_)) {
            return;
        }
        if self.backlog.waiting.fetch_add(1, Ordering::Relaxed) >= MAX_WAITING {
            self.backlog.waiting.fetch_sub(1, Ordering::Relaxed);
            self.backlog.missed.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let waiting = Waiting(Arc::clone(&self.backlog));
        self.tell(Told::Event(event.clone(), waiting));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_left_out_and_counted() {
        let (teller, mut told) = channel();
        let more = 3;
        for number in 0..MAX_WAITING + more {
            teller.hear(&RunEvent::Notice(number.to_string()));
        }
        teller.tell(Told::Fail(String::new()));
        let mut events = 0;
        let mut missed = 0;
        let mut ended = false;
        while let Ok(told) = told.try_recv() {
            match told {
                Told::Event(_, waiting) => {
                    events += 1;
                    missed += waiting.take_missed();
                }
                _ => ended = true,
            }
        }
        assert_eq!((events, missed, ended), (MAX_WAITING, more as u64, true));
        teller.hear(&RunEvent::Notice(String::new()));
        assert!(told.try_recv().is_ok(), "there is room again");
    }
}
