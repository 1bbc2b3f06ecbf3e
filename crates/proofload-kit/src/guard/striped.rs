//! A counter that threads add to without waiting for each other's cache line.

use std::{
    cell::Cell,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
};

use super::Apart;

/// Stripes of a counter: more threads than these share.
pub(crate) const STRIPES: usize = 8;

/// A sum in parts, one a thread as far as there are stripes.
#[derive(Debug, Default)]
pub(crate) struct Striped {
    stripes: [Apart<AtomicU64>; STRIPES],
}

impl Striped {
    pub(crate) fn add(&self, amount: u64) {
        self.stripes[stripe_of_thread()].fetch_add(amount, Ordering::Relaxed);
    }

    /// What was added up to about now.
    pub(crate) fn sum(&self) -> u64 {
        self.stripes.iter().map(|stripe| stripe.load(Ordering::Relaxed)).sum()
    }
}

/// The stripe that the calling thread writes to, below [`STRIPES`].
pub(crate) fn stripe_of_thread() -> usize {
    number_of_thread() % STRIPES
}

/// Threads are numbered in turn, when they first count anything: modulo the number of stripes, neighbours do not share one.
#[inline]
pub(crate) fn number_of_thread() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static MINE: Cell<usize> = const { Cell::new(usize::MAX) };
    }
    MINE.with(|mine| {
        if mine.get() == usize::MAX {
            mine.set(NEXT.fetch_add(1, Ordering::Relaxed));
        }
        mine.get()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_threads_are_counted() {
        let counter = Striped::default();
        std::thread::scope(|scope| {
            for _ in 0..12 {
                scope.spawn(|| (0..1000).for_each(|_| counter.add(2)));
            }
        });
        assert_eq!(counter.sum(), 24_000);
    }
}
