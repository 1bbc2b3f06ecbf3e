//! Admission: a capacity that can change while it is used, and a bounded queue before it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// Lets at most `capacity` requests in at a time; at most `queue` wait, in the order they came.
#[derive(Debug)]
pub(crate) struct Gate {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    capacity: Option<usize>,
    queue: usize,
    active: usize,
    waiting: VecDeque<oneshot::Sender<Permit>>,
    rejected: u64,
}

impl Inner {
    fn has_room(&self) -> bool {
        self.capacity.is_none_or(|capacity| self.active < capacity)
    }
}

/// A place inside; leaves on drop.
#[derive(Debug)]
pub(crate) struct Permit(Arc<Gate>);

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.lock().active -= 1;
        admit_waiting(&self.0);
    }
}

/// The queue is full.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// What `/metrics` shows of a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GateStatus {
    pub(crate) active: usize,
    pub(crate) waiting: usize,
    pub(crate) rejected: u64,
}

impl Gate {
    pub(crate) fn new(capacity: Option<usize>, queue: usize) -> Arc<Self> {
        let inner = Inner { capacity, queue, active: 0, waiting: VecDeque::new(), rejected: 0 };
        Arc::new(Self { inner: Mutex::new(inner) })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn status(&self) -> GateStatus {
        let mut inner = self.lock();
        inner.waiting.retain(|waiter| !waiter.is_closed());
        GateStatus { active: inner.active, waiting: inner.waiting.len(), rejected: inner.rejected }
    }
}

/// Sets other limits; who waits is let in at once where there is room now.
pub(crate) fn resize(gate: &Arc<Gate>, capacity: Option<usize>, queue: usize) {
    {
        let mut inner = gate.lock();
        inner.capacity = capacity;
        inner.queue = queue;
    }
    admit_waiting(gate);
}

/// Waits for a place.
pub(crate) async fn enter(gate: &Arc<Gate>) -> Result<Permit, Full> {
    let admitted = {
        let mut inner = gate.lock();
        if inner.waiting.is_empty() && inner.has_room() {
            inner.active += 1;
            return Ok(Permit(Arc::clone(gate)));
        }
        if inner.waiting.len() >= inner.queue {
            // Clients that gave up no longer take a place in the queue.
            inner.waiting.retain(|waiter| !waiter.is_closed());
        }
        if inner.waiting.len() >= inner.queue {
            inner.rejected += 1;
            return Err(Full);
        }
        let (admit, admitted) = oneshot::channel();
        inner.waiting.push_back(admit);
        admitted
    };
    // The sender is only dropped unused together with the gate.
    admitted.await.map_err(|_| Full)
}

/// Lets in as many as there is room for.
fn admit_waiting(gate: &Arc<Gate>) {
    loop {
        let waiter = {
            let mut inner = gate.lock();
            if !inner.has_room() {
                return;
            }
            let Some(waiter) = inner.waiting.pop_front() else { return };
            if waiter.is_closed() {
                continue;
            }
            inner.active += 1;
            waiter
        };
        // A waiter that left in this very moment gives its permit back by dropping it, which comes
        // here again: the lock must not be held.
        let _ = waiter.send(Permit(Arc::clone(gate)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::{Context, Poll, Waker};

    fn poll<F: Future>(future: &mut std::pin::Pin<Box<F>>) -> Poll<F::Output> {
        future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn the_capacity_and_the_queue_are_bounds() {
        let gate = Gate::new(Some(1), 2);
        let mut entries: Vec<_> = (0..4).map(|_| Box::pin(enter(&gate))).collect();
        let Poll::Ready(Ok(first)) = poll(&mut entries[0]) else { panic!("there was room") };
        assert!(poll(&mut entries[1]).is_pending());
        assert!(poll(&mut entries[2]).is_pending());
        assert!(matches!(poll(&mut entries[3]), Poll::Ready(Err(Full))));
        assert_eq!(gate.status(), GateStatus { active: 1, waiting: 2, rejected: 1 });

        drop(first);
        let Poll::Ready(Ok(second)) = poll(&mut entries[1]) else { panic!("first in line") };
        assert!(poll(&mut entries[2]).is_pending());
        drop(second);
        assert!(matches!(poll(&mut entries[2]), Poll::Ready(Ok(_))));
        assert_eq!(gate.status(), GateStatus { active: 0, waiting: 0, rejected: 1 });
    }

    #[test]
    fn who_gave_up_waiting_takes_no_place() {
        let gate = Gate::new(Some(1), 1);
        let mut entries: Vec<_> = (0..3).map(|_| Box::pin(enter(&gate))).collect();
        let Poll::Ready(Ok(first)) = poll(&mut entries[0]) else { panic!("there was room") };
        assert!(poll(&mut entries[1]).is_pending());
        drop(entries.remove(1));
        assert!(poll(&mut entries[1]).is_pending(), "the queue has a place again");
        drop(first);
        assert!(matches!(poll(&mut entries[1]), Poll::Ready(Ok(_))));

        // Admitted, but gone before it could take the permit.
        let holder = Box::pin(enter(&gate)).as_mut().poll(&mut Context::from_waker(Waker::noop()));
        let mut gone = Box::pin(enter(&gate));
        assert!(poll(&mut gone).is_pending());
        drop(holder);
        drop(gone);
        assert_eq!(gate.status().active, 0);
    }

    #[test]
    fn more_capacity_lets_the_waiting_in() {
        let gate = Gate::new(Some(1), 10);
        let mut entries: Vec<_> = (0..4).map(|_| Box::pin(enter(&gate))).collect();
        let permits: Vec<_> = entries.iter_mut().map(poll).collect();
        assert_eq!(permits.iter().filter(|entry| entry.is_ready()).count(), 1);
        resize(&gate, Some(3), 10);
        let more: Vec<_> = entries[1..].iter_mut().map(poll).collect();
        assert_eq!(more.iter().filter(|entry| entry.is_ready()).count(), 2);
        resize(&gate, None, 10);
        assert!(poll(&mut entries[3]).is_ready());
    }
}
