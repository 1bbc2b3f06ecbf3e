//! Alerts while a run is under way: what somebody who watches would want to be told at once.
//!
//! [`Alerts`] looks at the intervals of one phase as they come and gives out [`Mark`]s: one when
//! something begins, the same one with its end when it is over. Four things are looked for:
//!
//! - an expectation whose target (a warning) or limit (critical) is broken over the last
//!   [window](AlertRules::window);
//! - a throughput that falls although the load does not;
//! - a burst of errors;
//! - arrivals of open load that wait for a free user, or are dropped.
//!
//! All of them ask for more than a value beyond a bound, because noise goes beyond bounds, too: it must
//! be there in both halves of the window and farther from the bound than chance would carry it. An
//! alert ends when the younger half of the window is well again, and the same one begins again after a
//! whole window at the earliest, so that it does not flap.

mod bound_rule;
mod history;
mod latch;
mod shift_rules;

use std::sync::Arc;
use std::time::Duration;

use self::bound_rule::BoundRule;
use self::history::History;
use self::latch::{Latch, Reading};
use self::shift_rules::{Drops, ErrorBurst, Queueing, ThroughputDrop};
use crate::event::{Interval, Mark, MarkLevel};
use crate::plan::{AlertRules, Phase};

/// How many standard deviations beyond a bound are no chance. One-sided, that is one window in 2,000 of
/// a measure that lies exactly on its bound.
const CLEARLY: f64 = 3.3;

/// Something that is looked for.
trait Rule: std::fmt::Debug + Send {
    /// How bad it is.
    fn level(&self) -> MarkLevel;

    /// How things stand. `is_raised` says whether the alert is on.
    fn read(&mut self, history: &History, is_raised: bool) -> Reading;

    /// The rule that makes this one superfluous while its alert is on, counted back from this one.
    fn stands_behind(&self) -> Option<usize> {
        None
    }
}

/// The alerts of one phase.
#[derive(Debug)]
pub struct Alerts {
    phase: Arc<str>,
    began: Duration,
    window: Duration,
    history: History,
    rules: Vec<(Box<dyn Rule>, Latch)>,
}

impl Alerts {
    /// Those of a phase that began so long after the start of the run.
    #[must_use]
    pub fn new(rules: &AlertRules, phase: &Phase, began: Duration) -> Self {
        let all = if rules.enabled { rules_of(rules, phase) } else { Vec::new() };
        Self {
            phase: Arc::clone(&phase.name),
            began,
            window: rules.window,
            history: History::new(rules.window, &phase.load),
            rules: all.into_iter().map(|rule| (rule, Latch::default())).collect(),
        }
    }

    /// An interval of the phase was measured. Gives out what begins and what ends with it.
    pub fn see(&mut self, interval: &Arc<Interval>) -> Vec<Mark> {
        if self.rules.is_empty() {
            return Vec::new();
        }
        if !interval.paused.is_zero() {
            // Nobody expects anything of a load that stands still.
            self.history.forget();
            return Vec::new();
        }
        self.history.add(Arc::clone(interval));
        let at = self.began + interval.start + interval.length;
        let mut marks = Vec::new();
        for place in 0..self.rules.len() {
            let (before, rest) = self.rules.split_at_mut(place);
            let Some((rule, latch)) = rest.first_mut() else { break };
            let behind = rule.stands_behind().and_then(|back| before.len().checked_sub(back));
            let is_superfluous = behind.is_some_and(|at| before[at].1.is_raised());
            let reading = match rule.read(&self.history, latch.is_raised()) {
                Reading::Broken(_) if is_superfluous => Reading::Unclear,
                reading => reading,
            };
            marks.extend(latch.update(reading, at, self.window, rule.level(), &self.phase));
        }
        marks
    }

    /// The load was changed by somebody: what was before is no measure for what comes.
    pub fn load_changed(&mut self) {
        self.history.forget();
    }

    /// The phase is over, and with it what was going on.
    pub fn end(&mut self, at: Duration) -> Vec<Mark> {
        self.rules.iter_mut().filter_map(|(_, latch)| latch.end(at)).collect()
    }
}

fn rules_of(rules: &AlertRules, phase: &Phase) -> Vec<Box<dyn Rule>> {
    let mut all: Vec<Box<dyn Rule>> = Vec::new();
    for expectation in &phase.expect {
        if !BoundRule::can_watch(expectation.measure()) {
            continue;
        }
        let rule = |bound, level, behind| {
            BoundRule::new(expectation.measure(), bound, level, behind, rules, &phase.load)
        };
        if let Some(limit) = expectation.limit() {
            all.push(Box::new(rule(*limit, MarkLevel::Critical, None)));
        }
        if let Some(target) = expectation.target()
            && expectation.limit() != Some(target)
        {
            // Who is told that the limit is broken need not be told of the target.
            let behind = expectation.limit().map(|_| 1);
            all.push(Box::new(rule(*target, MarkLevel::Warning, behind)));
        }
    }
    if let Some(share) = rules.throughput_drop {
        all.push(Box::new(ThroughputDrop::new(share)));
    }
    if let Some(share) = rules.error_burst {
        all.push(Box::new(ErrorBurst::new(share)));
    }
    if let Some(share) = rules.queue {
        all.push(Box::new(Drops));
        all.push(Box::new(Queueing::new(share)));
    }
    all
}

#[cfg(test)]
mod tests;
