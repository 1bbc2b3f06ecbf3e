//! The bounded queue between a run and one of its outputs: putting never waits.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use proofload_core::event::RunEvent;
use proofload_core::result::RunResult;

/// Events without measurements are small and rare, and what is missing of them is missed more: so many
/// may wait beyond the bound.
const RESERVE: usize = 256;

/// What an output is to do next.
#[derive(Debug)]
pub(super) enum Next {
    /// Something happened.
    Event(RunEvent),
    /// Nothing happened for a while.
    Idle,
    /// The run is over.
    Finish(Option<Arc<RunResult>>),
    /// Nobody wants anything of it any more.
    Closed,
}

#[derive(Debug, Default)]
struct State {
    events: VecDeque<RunEvent>,
    /// Events that were not let in.
    dropped: u64,
    /// The reader is busy with something it took out.
    is_busy: bool,
    finish: Option<Option<Arc<RunResult>>>,
    is_closed: bool,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Queue {
    capacity: usize,
    state: Mutex<State>,
    /// Something was put in, or the queue was closed.
    filled: Condvar,
    /// The reader is waiting for more, or has closed the queue.
    drained: Condvar,
}

impl Queue {
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, state: Mutex::default(), filled: Condvar::new(), drained: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an event in if there is room; whether this is the first one for which there was none.
    pub(super) fn put(&self, event: RunEvent) -> bool {
        let mut state = self.state();
        if state.is_closed {
            return false;
        }
        let is_measured = matches!(event, RunEvent::Snapshot(_) | RunEvent::Interval(_));
        let room = if is_measured { self.capacity } else { self.capacity + RESERVE };
        if state.events.len() >= room {
            state.dropped = state.dropped.saturating_add(1);
            return state.dropped == 1;
        }
        state.events.push_back(event);
        self.filled.notify_one();
        false
    }

    /// Says that the run is over, after everything that is in the queue.
    pub(super) fn finish(&self, result: Option<Arc<RunResult>>) {
        self.state().finish = Some(result);
        self.filled.notify_one();
    }

    /// Nothing is let in any more, and what is in is forgotten.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.is_closed = true;
        state.is_busy = false;
        state.dropped = state.dropped.saturating_add(state.events.len() as u64);
        state.events = VecDeque::new();
        self.filled.notify_all();
        self.drained.notify_all();
    }

    /// What the reader is to do next. Waits for at most `patience`.
    pub(super) fn next(&self, patience: Duration) -> Next {
        let deadline = Instant::now() + patience;
        let mut state = self.state();
        state.is_busy = false;
        self.drained.notify_all();
        loop {
            if state.is_closed {
                return Next::Closed;
            }
            if let Some(event) = state.events.pop_front() {
                state.is_busy = true;
                return Next::Event(event);
            }
            if let Some(result) = state.finish.take() {
                state.is_busy = true;
                return Next::Finish(result);
            }
            let rest = deadline.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                state.is_busy = true;
                return Next::Idle;
            }
            let waited = self.filled.wait_timeout(state, rest);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits until the reader has done all there was to do; whether it has by the deadline.
    pub(super) fn wait_until_drained(&self, deadline: Instant) -> bool {
        let mut state = self.state();
        loop {
            let is_idle = state.events.is_empty() && state.finish.is_none() && !state.is_busy;
            if state.is_closed || is_idle {
                return true;
            }
            let rest = deadline.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                return false;
            }
            let waited = self.drained.wait_timeout(state, rest);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Events that were not let in or were thrown away.
    pub(super) fn dropped(&self) -> u64 {
        self.state().dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proofload_core::event::Interval;

    fn interval() -> RunEvent {
        RunEvent::Interval(Arc::new(Interval::default()))
    }

    #[test]
    fn what_is_too_much_is_counted_and_marks_have_room_longer() {
        let queue = Queue::new(2);
        let puts: Vec<bool> = (0..5).map(|_| queue.put(interval())).collect();
        assert_eq!(puts, [false, false, true, false, false]);
        assert!(!queue.put(RunEvent::Notice("still fits".to_owned())));
        assert_eq!(queue.dropped(), 3);
        for _ in 0..2 {
            assert!(matches!(queue.next(Duration::ZERO), Next::Event(RunEvent::Interval(_))));
        }
        assert!(matches!(queue.next(Duration::ZERO), Next::Event(RunEvent::Notice(_))));
        assert!(matches!(queue.next(Duration::ZERO), Next::Idle));
    }

    #[test]
    fn the_end_comes_after_everything_else() {
        let queue = Queue::new(10);
        queue.put(interval());
        queue.finish(None);
        assert!(!queue.wait_until_drained(Instant::now()));
        assert!(matches!(queue.next(Duration::ZERO), Next::Event(_)));
        assert!(matches!(queue.next(Duration::ZERO), Next::Finish(None)));
        assert!(!queue.wait_until_drained(Instant::now()), "it is at it");
        queue.close();
        assert!(queue.wait_until_drained(Instant::now()));
        assert!(matches!(queue.next(Duration::ZERO), Next::Closed));
        assert!(!queue.put(interval()) && queue.dropped() == 0);
    }
}
