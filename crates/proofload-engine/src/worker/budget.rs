//! How many iterations are left to do.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The limit on iterations of a phase.
#[derive(Clone, Debug)]
pub(crate) enum Budget {
    /// None: time is the limit.
    Unlimited,
    /// Each user does so many.
    PerUser(u64),
    /// All users of all workers do so many together, as they come. The one thing workers share
    /// while a phase runs; a relaxed decrement an iteration.
    Shared(Arc<AtomicU64>),
}

impl Budget {
    /// So many iterations for all users of all workers together.
    pub(crate) fn shared(iterations: u64) -> Self {
        Self::Shared(Arc::new(AtomicU64::new(iterations)))
    }

    /// A user's own view of the budget.
    pub(super) fn for_user(&self) -> UserBudget {
        match self {
            Self::Unlimited => UserBudget { shared: None, own: u64::MAX },
            Self::PerUser(iterations) => UserBudget { shared: None, own: *iterations },
            Self::Shared(left) => UserBudget { shared: Some(Arc::clone(left)), own: u64::MAX },
        }
    }

    /// Whether a new user would find nothing to do.
    pub(super) fn is_used_up(&self) -> bool {
        matches!(self, Self::Shared(left) if left.load(Ordering::Relaxed) == 0)
    }
}

/// How many iterations one user may still claim.
#[derive(Debug)]
pub(super) struct UserBudget {
    shared: Option<Arc<AtomicU64>>,
    own: u64,
}

impl UserBudget {
    /// Takes one iteration, if there is one left.
    pub(super) fn claim(&mut self) -> bool {
        if self.own == 0 {
            return false;
        }
        if let Some(left) = &self.shared {
            let take = |left: u64| left.checked_sub(1);
            if left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_err() {
                return false;
            }
        } else if self.own != u64::MAX {
            self.own -= 1;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_budget_is_spent_once() {
        let budget = Budget::shared(1_000);
        let claimed: u64 = std::thread::scope(|scope| {
            let claim_all = || {
                let mut user = budget.for_user();
                std::iter::repeat_with(|| user.claim()).take_while(|&claimed| claimed).count()
                    as u64
            };
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(claim_all)).collect();
            threads.into_iter().map(|t| t.join().expect("no panic")).sum()
        });
        assert_eq!(claimed, 1_000);
        assert!(budget.is_used_up());
        assert!(!budget.for_user().claim());
    }

    #[test]
    fn a_users_own_budget_is_its_own() {
        let budget = Budget::PerUser(2);
        for _ in 0..3 {
            let mut user = budget.for_user();
            assert_eq!([user.claim(), user.claim(), user.claim()], [true, true, false]);
        }
        assert!(Budget::Unlimited.for_user().claim());
    }
}
