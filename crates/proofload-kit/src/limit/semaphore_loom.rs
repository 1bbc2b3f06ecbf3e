//! Every order in which two or three threads can use the semaphore. Run by
//! `scripts/loom`.

use std::{future::poll_fn, sync::Arc};

use loom::{future::block_on, sync::atomic::AtomicUsize, thread};

use super::*;

/// Permits that are held at the same time, as the callers count them.
struct Shared {
    semaphore: Semaphore,
    held: AtomicUsize,
    most: usize,
}

impl Shared {
    fn new(limit: usize, queue: usize, order: Order, most: usize) -> Arc<Self> {
        Arc::new(Self {
            semaphore: Semaphore::new(limit, queue, order),
            held: AtomicUsize::new(0),
            most,
        })
    }

    fn hold(&self) {
        let held = self.held.fetch_add(1, Ordering::SeqCst) + 1;
        assert!(held <= self.most, "{held} permits are out");
        self.held.fetch_sub(1, Ordering::SeqCst);
    }

    fn give_back(&self) {
        if let Returned::HandedOn(Some(waker)) = self.semaphore.release() {
            waker.wake();
        }
    }

    /// As `Limiter::acquire`, without a deadline.
    fn acquire(&self) -> bool {
        if self.semaphore.try_acquire() {
            return true;
        }
        let place = match self.semaphore.join() {
            Joined::Granted => return true,
            Joined::Full => return false,
            Joined::Queued(place, evicted) => {
                if let Some(waker) = evicted {
                    waker.wake();
                }
                place
            }
        };
        block_on(poll_fn(|context| self.semaphore.poll(place, context))) == Served::Granted
    }

    fn call(&self) -> bool {
        let granted = self.acquire();
        if granted {
            self.hold();
            self.give_back();
        }
        granted
    }

    /// Joins and leaves at once, whatever came of it.
    fn give_up(&self) {
        match self.semaphore.join() {
            Joined::Granted => self.give_back(),
            Joined::Full => {}
            Joined::Queued(place, _) => {
                if self.semaphore.leave(place) == Some(Served::Granted) {
                    self.give_back();
                }
            }
        }
    }

    fn at_rest(&self, limit: usize) {
        assert_eq!((self.semaphore.in_use(), self.semaphore.limit()), (0, limit));
        assert_eq!(self.semaphore.queued().0, 0);
        assert!(!self.semaphore.word().has_waiters());
    }
}

/// A model in which a thread that is never woken is a deadlock, which the checker reports.
/// `preemptions` bounds how often a thread is interrupted in the middle, and with it the number of
/// orders.
fn check(preemptions: usize, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(model);
}

#[test]
fn nobody_waits_for_ever() {
    for order in [Order::Fifo, Order::Lifo] {
        check(3, move || {
            let shared = Shared::new(1, 2, order, 1);
            let other = Arc::clone(&shared);
            let thread = thread::spawn(move || assert!(other.call()));
            assert!(shared.call());
            thread.join().expect("join");
            shared.at_rest(1);
        });
    }
}

#[test]
fn three_callers_one_permit() {
    check(2, || {
        let shared = Shared::new(1, 2, Order::Fifo, 1);
        let threads = [0, 1].map(|_| {
            let other = Arc::clone(&shared);
            thread::spawn(move || assert!(other.call()))
        });
        assert!(shared.call());
        threads.into_iter().for_each(|thread| thread.join().expect("join"));
        shared.at_rest(1);
    });
}

#[test]
fn who_gives_up_hands_on_what_was_granted() {
    check(2, || {
        let shared = Shared::new(1, 2, Order::Fifo, 1);
        let threads = [
            thread::spawn({
                let other = Arc::clone(&shared);
                move || other.give_up()
            }),
            thread::spawn({
                let other = Arc::clone(&shared);
                move || assert!(other.call())
            }),
        ];
        assert!(shared.call());
        threads.into_iter().for_each(|thread| thread.join().expect("join"));
        shared.at_rest(1);
    });
}

#[test]
fn a_limit_that_changes_loses_nobody() {
    check(2, || {
        let shared = Shared::new(1, 2, Order::Fifo, 2);
        let threads = [
            thread::spawn({
                let other = Arc::clone(&shared);
                move || {
                    for limit in [0, 2] {
                        other.semaphore.set_limit(limit);
                        while let Some(waker) = other.semaphore.grant_one() {
                            if let Some(waker) = waker {
                                waker.wake();
                            }
                        }
                    }
                }
            }),
            thread::spawn({
                let other = Arc::clone(&shared);
                move || assert!(other.call())
            }),
        ];
        assert!(shared.call());
        threads.into_iter().for_each(|thread| thread.join().expect("join"));
        shared.at_rest(2);
    });
}

#[test]
fn a_full_queue_refuses_one_and_serves_the_others() {
    for order in [Order::Fifo, Order::Lifo] {
        check(2, move || {
            let shared = Shared::new(1, 1, order, 1);
            assert!(shared.semaphore.try_acquire());
            let threads = [0, 1].map(|_| {
                let other = Arc::clone(&shared);
                thread::spawn(move || other.call())
            });
            shared.give_back();
            let served = threads.map(|thread| thread.join().expect("join"));
            assert!(served.contains(&true), "one of them has room in any case");
            shared.at_rest(1);
        });
    }
}
