//! What a retry policy counts, and how its registry shows it.

use super::handle::{GivenUp, Inner};
use crate::{
    guard::Striped,
    registry::{Component, Families},
};

/// What is counted on the way.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) calls: Striped,
    pub(super) retries: Striped,
    pub(super) recovered: Striped,
    attempts: Striped,
    advice: Striped,
    hint: Striped,
    deadline: Striped,
    breaker: Striped,
    budget: Striped,
}

impl Counts {
    pub(super) fn given_up(&self, why: GivenUp) {
        let counter = match why {
            GivenUp::Attempts => &self.attempts,
            GivenUp::Advice => &self.advice,
            GivenUp::Hint => &self.hint,
            GivenUp::Deadline => &self.deadline,
            GivenUp::Breaker => &self.breaker,
            GivenUp::Budget => &self.budget,
        };
        counter.add(1);
    }
}

/// What a retry policy has counted since it was built.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct RetryStats {
    /// Calls, each counted once however often it was tried.
    pub calls: u64,
    /// Tries after the first ones.
    pub retries: u64,
    /// Calls that succeeded after a retry.
    pub recovered: u64,
    /// Calls that failed at every try they had.
    pub exhausted: u64,
    /// Calls that failed in a way that was not to be tried again.
    pub permanent: u64,
    /// Calls that failed because they were asked to wait for too long.
    pub hint_too_long: u64,
    /// Calls that failed because the next try would have been too late.
    pub deadline: u64,
    /// Calls that failed because the breaker would have refused the next try.
    pub breaker_open: u64,
    /// Calls that failed because the budget was spent.
    pub budget_spent: u64,
    /// Retries left in the budget at present; `None` without one.
    pub budget: Option<f64>,
}

impl Inner {
    pub(super) fn stats(&self) -> RetryStats {
        let counts = &self.counts;
        RetryStats {
            calls: counts.calls.sum(),
            retries: counts.retries.sum(),
            recovered: counts.recovered.sum(),
            exhausted: counts.attempts.sum(),
            permanent: counts.advice.sum(),
            hint_too_long: counts.hint.sum(),
            deadline: counts.deadline.sum(),
            breaker_open: counts.breaker.sum(),
            budget_spent: counts.budget.sum(),
            budget: self.balance(),
        }
    }
}

impl Component for Inner {
    fn name(&self) -> &str {
        &self.name
    }

    fn collect(&self, families: &mut Families) {
        let stats = self.stats();
        let retry = ("retry", self.name.as_str());
        let one = [retry];
        families.counter(
            "retry_calls",
            "Calls, each once however often it was tried.",
            &one,
            stats.calls,
        );
        families.counter("retry_retries", "Tries after the first ones.", &one, stats.retries);
        families.counter(
            "retry_recovered",
            "Calls that succeeded after a retry.",
            &one,
            stats.recovered,
        );
        let given_up = [
            ("exhausted", stats.exhausted),
            ("permanent", stats.permanent),
            ("hint", stats.hint_too_long),
            ("deadline", stats.deadline),
            ("breaker", stats.breaker_open),
            ("budget", stats.budget_spent),
        ];
        for (reason, count) in given_up {
            let labels = [retry, ("reason", reason)];
            families.counter(
                "retry_given_up",
                "Calls that failed, by why they were not tried again.",
                &labels,
                count,
            );
        }
        if let Some(budget) = stats.budget {
            families.gauge("retry_budget", "Retries left in the budget.", &one, budget);
        }
    }
}
