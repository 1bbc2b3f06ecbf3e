//! What can be done to a run from elsewhere: a signal handler, the live page, a key on the terminal.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::Sender;

use super::dispatcher::Message;
use crate::worker::Stop;

/// The least and the most that the load can be scaled to, as a multiple of the plan's.
const LEAST: f64 = 0.01;
const MOST: f64 = 100.0;

/// The load cannot be scaled like that.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("the load can be scaled to between {LEAST} and {MOST} times the plan, not to {0}")]
pub struct ScaleError(pub f64);

/// The wheel of a run. What is asked for happens a little later and is told by events; nothing happens
/// once the run is over.
#[derive(Clone, Debug)]
pub struct Controls {
    inbox: Sender<Message>,
    /// The phase that runs, as the dispatcher has told.
    phase: Arc<AtomicUsize>,
}

impl Controls {
    pub(super) fn new(inbox: Sender<Message>, phase: Arc<AtomicUsize>) -> Self {
        Self { inbox, phase }
    }

    /// Asks the run to end. A more urgent call overrules an earlier one.
    pub fn stop(&self, how: Stop) {
        self.send(Message::Stop(how));
    }

    /// Lets the load stand still: no iterations start, those that run come to their end, and so do
    /// arrivals that were due. Users stay, with their session and their connections. The time of the
    /// phase stands still too; it goes on where it stood after [`Controls::resume`].
    pub fn pause(&self) {
        self.send(Message::Pause);
    }

    /// Lets the load go on after a pause.
    pub fn resume(&self) {
        self.send(Message::Resume);
    }

    /// From now on there are `factor` times as many users and arrivals as the plan says, in this phase
    /// and in those to come. What is to be done in all (iterations) stays the same. Users that are too
    /// many leave after what they are doing.
    ///
    /// # Errors
    /// If the factor is not between 0.01 and 100.
    pub fn scale(&self, factor: f64) -> Result<(), ScaleError> {
        if !(LEAST..=MOST).contains(&factor) {
            return Err(ScaleError(factor));
        }
        self.send(Message::Scale(factor));
        Ok(())
    }

    /// Ends the phase that runs now, gracefully; the next one begins. A run that is paused stays so.
    pub fn end_phase(&self) {
        self.send(Message::EndPhase(self.phase.load(Ordering::Relaxed)));
    }

    fn send(&self, message: Message) {
        // A run that has ended already cannot be controlled any more.
        let _ = self.inbox.send(message);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_is_not_scaled_to_nothing_or_beyond_measure() {
        let (inbox, messages) = std::sync::mpsc::channel();
        let controls = Controls::new(inbox, Arc::default());
        for factor in [0.0, -1.0, 0.0099, 100.1, f64::NAN, f64::INFINITY] {
            let error = controls.scale(factor).expect_err("out of range");
            assert!(error.to_string().contains("between 0.01 and 100 times"), "{error}");
        }
        assert!(messages.try_recv().is_err());
        for factor in [0.01, 1.0, 100.0] {
            assert_eq!(controls.scale(factor), Ok(()));
        }
        assert_eq!(messages.try_iter().count(), 3);
    }
}
