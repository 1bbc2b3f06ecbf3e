//! What the model checker does not have, made of what it has.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use loom::future::block_on;
use loom::sync::Mutex;
use loom::sync::atomic::{AtomicBool, Ordering};

/// A value that is set once; seen by whoever sees that it is set.
pub(crate) struct OnceLock<T> {
    is_set: AtomicBool,
    value: std::sync::OnceLock<T>,
}

impl<T> OnceLock<T> {
    pub(crate) fn new() -> Self {
        Self { is_set: AtomicBool::new(false), value: std::sync::OnceLock::new() }
    }

    pub(crate) fn set(&self, value: T) -> Result<(), T> {
        self.value.set(value)?;
        self.is_set.store(true, Ordering::Release);
        Ok(())
    }

    pub(crate) fn get(&self) -> Option<&T> {
        if self.is_set.load(Ordering::Acquire) { self.value.get() } else { None }
    }
}

/// Wakes who listened before; who comes later hears nothing of it.
pub(crate) struct Event(Mutex<Told>);

struct Told {
    times: u64,
    waiting: Vec<Waker>,
}

impl Event {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Told { times: 0, waiting: Vec::new() }))
    }

    pub(crate) fn notify(&self, _all: usize) {
        let mut told = self.0.lock().unwrap();
        told.times += 1;
        let waiting = std::mem::take(&mut told.waiting);
        drop(told);
        waiting.into_iter().for_each(Waker::wake);
    }

    pub(crate) fn listen(&self) -> Listening<'_> {
        Listening { event: self, since: self.0.lock().unwrap().times }
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Event")
    }
}

/// Waits for what is told after it was made.
pub(crate) struct Listening<'a> {
    event: &'a Event,
    since: u64,
}

impl Future for Listening<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut told = self.event.0.lock().unwrap();
        if told.times > self.since {
            return Poll::Ready(());
        }
        told.waiting.push(context.waker().clone());
        Poll::Pending
    }
}

/// Waiting of a thread. There is no time in the model: a deadline never comes.
pub(crate) trait Listener: Future<Output = ()> + Sized {
    fn wait(self) {
        block_on(self);
    }

    fn wait_deadline(self, _deadline: Instant) -> Option<()> {
        self.wait();
        Some(())
    }
}

impl Listener for Listening<'_> {}
