//! Invalidations that Redis could not take: they are made up for before anything is read from it again.
//!
//! Without that, a value that was invalidated during an outage would be back after it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::cache::remote::Target;

/// More than these become one: everything.
const MAX_TARGETS: usize = 256;

/// What one cache owes Redis.
#[derive(Debug, Default)]
pub(super) struct Owed {
    list: Mutex<List>,
    /// Whether the list has something, without its lock.
    any: AtomicBool,
}

#[derive(Debug, Default)]
struct List {
    targets: VecDeque<Target>,
    /// Targets that somebody is about to make up for.
    in_hand: usize,
}

/// An invalidation that is owed unless it is [`paid`](Self::paid), also when its future is dropped.
#[derive(Debug)]
pub(super) struct Debt<'a> {
    owed: &'a Owed,
    target: Option<Target>,
    in_hand: bool,
}

impl Owed {
    pub(super) fn is_empty(&self) -> bool {
        !self.any.load(Ordering::Acquire)
    }

    /// An invalidation that is about to be sent.
    pub(super) fn debt(&self, target: Target) -> Debt<'_> {
        Debt { owed: self, target: Some(target), in_hand: false }
    }

    /// The oldest one, to make up for it. Something is owed until it is paid.
    pub(super) fn take(&self) -> Option<(Target, Debt<'_>)> {
        self.change(|list| {
            let target = list.targets.pop_front()?;
            list.in_hand += 1;
            let debt = Debt { owed: self, target: Some(target.clone()), in_hand: true };
            Some((target, debt))
        })
    }

    fn change<T>(&self, change: impl FnOnce(&mut List) -> T) -> T {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        let result = change(&mut list);
        self.any.store(!list.targets.is_empty() || list.in_hand > 0, Ordering::Release);
        result
    }
}

impl List {
    fn add(&mut self, target: Target) {
        if self.targets.contains(&target) || self.targets.front() == Some(&Target::All) {
            return;
        }
        if target == Target::All || self.targets.len() >= MAX_TARGETS {
            self.targets.clear();
            self.targets.push_back(Target::All);
        } else {
            self.targets.push_back(target);
        }
    }
}

impl Debt<'_> {
    pub(super) fn paid(mut self) {
        self.target = None;
    }
}

impl Drop for Debt<'_> {
    fn drop(&mut self) {
        let target = self.target.take();
        if target.is_none() && !self.in_hand {
            return;
        }
        self.owed.change(|list| {
            list.in_hand -= usize::from(self.in_hand);
            if let Some(target) = target {
                list.add(target);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: usize) -> Target {
        Target::Key(number.to_string())
    }

    #[test]
    fn what_is_not_paid_is_owed_until_it_is() {
        let owed = Owed::default();
        owed.debt(key(1)).paid();
        assert!(owed.is_empty());
        drop(owed.debt(key(1)));
        drop(owed.debt(key(1)));
        assert!(!owed.is_empty());
        let (target, debt) = owed.take().expect("one");
        assert_eq!(target, key(1));
        assert!(owed.take().is_none());
        assert!(!owed.is_empty(), "it is only in hand");
        drop(debt);
        owed.take().expect("it is back").1.paid();
        assert!(owed.is_empty());
    }

    #[test]
    fn one_that_comes_while_the_same_is_made_up_for_is_owed_again() {
        let owed = Owed::default();
        drop(owed.debt(key(1)));
        let (_, debt) = owed.take().expect("one");
        drop(owed.debt(key(1)));
        debt.paid();
        assert!(!owed.is_empty());
    }

    #[test]
    fn too_many_become_everything() {
        let owed = Owed::default();
        for number in 0..=MAX_TARGETS {
            drop(owed.debt(key(number)));
        }
        drop(owed.debt(key(7)));
        let (target, debt) = owed.take().expect("one");
        assert_eq!(target, Target::All);
        debt.paid();
        assert!(owed.is_empty());
    }
}
