//! How many retries all callers of a policy have together. Pure: the time is an argument.

use std::time::Duration;

use tokio::time::Instant;

use crate::{error::BuildError, guard::Ring};

/// A budget of retries, after Finagle's `RetryBudget`: over a rolling window there may be so many
/// retries for every call, and so many a second on top, which is what lets services with few calls
/// retry at all.
///
/// While errors are few it is never felt. When everything fails, retries add `ratio` to the load
/// instead of doubling or tripling it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Budget {
    ratio: f64,
    per_second: f64,
    window: Duration,
}

impl Budget {
    /// One retry for every five calls, and ten a second, over ten seconds: Finagle's defaults.
    #[must_use]
    pub const fn new() -> Self {
        Self { ratio: 0.2, per_second: 10.0, window: Duration::from_secs(10) }
    }

    /// Retries for every call, 0 to 10.
    #[must_use]
    pub const fn ratio(mut self, ratio: f64) -> Self {
        self.ratio = ratio;
        self
    }

    /// Retries a second that need no calls, from 0 on.
    #[must_use]
    pub const fn per_second(mut self, retries: f64) -> Self {
        self.per_second = retries;
        self
    }

    /// How long a call earns retries, 1 s to 1 min.
    #[must_use]
    pub const fn window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }

    pub(super) fn check(&self) -> Result<(), BuildError> {
        let refuse = |value: String, allowed| Err(BuildError::new("budget", value, allowed));
        if !(0.0..=10.0).contains(&self.ratio) {
            return refuse(format!("ratio {}", self.ratio), "a ratio of 0 to 10");
        }
        if !(0.0..=1e6).contains(&self.per_second) {
            return refuse(format!("{} per second", self.per_second), "0 to 1,000,000 per second");
        }
        if !(Duration::from_secs(1)..=Duration::from_mins(1)).contains(&self.window) {
            return refuse(format!("window {:?}", self.window), "a window of 1 s to 1 min");
        }
        Ok(())
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self::new()
    }
}

/// What was earned and spent within the window.
#[derive(Debug)]
pub(super) struct Account {
    budget: Budget,
    /// Calls and retries.
    ring: Ring<2>,
}

impl Account {
    pub(super) fn new(budget: Budget, now: Instant) -> Self {
        Self { budget, ring: Ring::new(budget.window, now) }
    }

    /// A call was made: it earns its part of a retry.
    pub(super) fn deposit(&mut self, now: Instant) {
        self.ring.add(now, [1, 0]);
    }

    /// Takes a retry, if there is one.
    pub(super) fn withdraw(&mut self, now: Instant) -> bool {
        let enough = self.balance(now) >= 1.0;
        if enough {
            self.ring.add(now, [0, 1]);
        }
        enough
    }

    /// Retries left at `now`.
    pub(super) fn balance(&mut self, now: Instant) -> f64 {
        let [calls, retries] = self.ring.sums(now);
        let reserve = self.budget.per_second * self.budget.window.as_secs_f64();
        // Rounded to a millionth: ten tenths have to make one.
        let earned = (calls as f64 * self.budget.ratio * 1e6).round() / 1e6;
        (reserve + earned - retries as f64).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn calls_earn_retries_and_forget_them() {
        let start = Instant::now();
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        let mut account = Account::new(Budget::new().ratio(0.1).per_second(0.0), start);
        assert!(!account.withdraw(start), "nothing earned yet");
        for _ in 0..30 {
            account.deposit(start);
        }
        assert!(account.withdraw(start) && account.withdraw(at(5)) && account.withdraw(at(9)));
        assert!(!account.withdraw(at(9)));
        assert!(!account.withdraw(at(12)), "what was earned has run out as well as what was spent");
    }

    #[test]
    fn a_reserve_needs_no_calls_and_comes_back() {
        let start = Instant::now();
        let mut account = Account::new(
            Budget::new().ratio(0.0).per_second(2.0).window(Duration::from_secs(5)),
            start,
        );
        assert_eq!((0..100).filter(|_| account.withdraw(start)).count(), 10);
        let later = start + Duration::from_secs(5);
        assert_eq!((0..100).filter(|_| account.withdraw(later)).count(), 10);
    }

    proptest! {
        /// However calls and failures come: retries stay below what the budget says, over any
        /// window.
        #[test]
        fn retries_never_exceed_the_budget(
            ratio in 0.0_f64..2.0,
            per_second in 0.0_f64..5.0,
            steps in prop::collection::vec((0_u64..400, any::<bool>()), 0..400),
        ) {
            let start = Instant::now();
            let window = Duration::from_secs(2);
            let budget = Budget::new().ratio(ratio).per_second(per_second).window(window);
            let mut account = Account::new(budget, start);
            let mut now = start;
            let (mut calls, mut retries) = (0_u32, 0_u32);
            for (ms, call) in steps {
                now += Duration::from_millis(ms);
                if call {
                    calls += 1;
                    account.deposit(now);
                } else {
                    retries += u32::from(account.withdraw(now));
                }
            }
            // The reserve is there once a window, and a window covers nine tenths of its time at
            // least.
            let windows = (now - start).as_secs_f64() / 1.8 + 1.0;
            let most = f64::from(calls) * ratio + windows.ceil() * per_second * 2.0;
            prop_assert!(f64::from(retries) <= most + 1e-3, "{retries} of {most}");
        }
    }
}
