//! What can be claimed of a change, and how it is judged.
//!
//! A claim says what a figure is to become (2 s) and, of a time, how much that is to be less than before
//! (85 %). It is met where the figure is there *and* that is certain: the whole confidence interval lies
//! beyond what was claimed, of a time the interval of its change, of a share that of the figure itself. Where
//! the figure is not there, or none of the interval is beyond, it is not met; else it cannot be told. How
//! many users a service holds has no interval: it is as exact as the steps are.
//!
//! A claim of a time is never surer than the comparison of the two runs, which judges all its measures
//! together: where that cannot tell, as the change may be chance among so many, neither can the claim.

use super::held::{Held, HeldLimits, held};
use super::model::ClaimRow;
use crate::cost::Money;
use crate::result::{ChangeRow, ChangeVerdict, Comparison, GoalOutcome, PhaseResult, RunResult};
use crate::stats::proportion::wilson;
use crate::units::{human_ns, human_ratio};

/// A claim: what is to become of a figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Claim<'a> {
    /// What it is about.
    pub name: &'a str,
    /// What was claimed, in words.
    pub claimed: &'a str,
    /// Which figure.
    pub figure: Figure<'a>,
    /// What it is to become.
    pub wanted: Wanted,
}

/// What a figure is to become.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wanted {
    /// The figure afterwards, in the unit of the figure: at most, or at least, as is better.
    pub figure: f64,
    /// The change: of a time as a share of what was before (`-0.85`), of users how many times as many. Shares
    /// and costs have none.
    pub change: f64,
}

/// A figure of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Figure<'a> {
    /// A response time of a phase in milliseconds, by its name in comparisons: `p99`, `avg`.
    Time {
        /// The phase.
        phase: &'a str,
        /// `avg`, `p50`, `p90`, `p95` or `p99`.
        measure: &'a str,
    },
    /// How many times the mean response time of a phase is of what it is afterwards.
    TimesFaster {
        /// The phase.
        phase: &'a str,
    },
    /// Share of requests of a phase that succeed.
    Success {
        /// The phase.
        phase: &'a str,
    },
    /// Users that a phase in steps shows to be held.
    UsersHeld {
        /// The phase.
        phase: &'a str,
        /// What a step must keep.
        limits: HeldLimits,
    },
    /// Share of the whole run's answers that come from the cache.
    HitRate,
    /// What so many requests cost at the run's hit rate.
    CostOf {
        /// How many.
        requests: u64,
    },
    /// What a month costs at the run's hit rate.
    CostOfMonth,
}

/// Both runs of a plan.
#[derive(Clone, Copy, Debug)]
pub struct Halves<'a> {
    /// The run before.
    pub before: &'a RunResult,
    /// The run after.
    pub after: &'a RunResult,
    /// The second compared with the first; `None` if they could not be compared.
    pub comparison: Option<&'a Comparison>,
}

/// Level of the intervals of shares: that of comparisons.
const LEVEL: f64 = 0.99;

impl Claim<'_> {
    /// What has become of it.
    #[must_use]
    pub fn judge(&self, halves: &Halves<'_>) -> ClaimRow {
        let blank = ClaimRow {
            name: self.name.to_owned(),
            claimed: self.claimed.to_owned(),
            ..ClaimRow::default()
        };
        let row = match self.figure {
            Figure::Time { phase, measure } => self.time(halves, phase, measure),
            Figure::TimesFaster { phase } => self.times_faster(halves, phase),
            Figure::Success { phase } => self.success(halves, phase),
            Figure::UsersHeld { phase, limits } => self.users_held(halves, phase, &limits),
            Figure::HitRate => self.hit_rate(halves),
            Figure::CostOf { requests } => self.cost(halves, Some(requests)),
            Figure::CostOfMonth => self.cost(halves, None),
        };
        match row {
            Some(row) => ClaimRow { name: blank.name, claimed: blank.claimed, ..row },
            None => ClaimRow { why: Some("it was not measured in both runs".to_owned()), ..blank },
        }
    }

    fn time(&self, halves: &Halves<'_>, phase: &str, measure: &str) -> Option<ClaimRow> {
        let row = change(halves, phase, measure)?;
        let (before, after) = (row.old?, row.new?);
        let judged = judge(
            after <= self.wanted.figure,
            row.high.map(|high| high <= self.wanted.change),
            row.low.map(|low| low > self.wanted.change),
        );
        Some(told(
            judged,
            doubt(row),
            ClaimRow {
                unit: row.unit.clone(),
                before: Some(before),
                after: Some(after),
                before_text: human_ns(before * 1e6),
                after_text: human_ns(after * 1e6),
                change_text: row.change_text.clone(),
                confidence_text: row.interval_text.clone(),
                ..ClaimRow::default()
            },
        ))
    }

    fn times_faster(&self, halves: &Halves<'_>, phase: &str) -> Option<ClaimRow> {
        let row = change(halves, phase, "avg")?;
        let (before, after) = (row.old?, row.new?);
        // A change of −80 % is five times as fast.
        let times = |change: f64| 1.0 / (1.0 + change).max(f64::EPSILON);
        let (least, most) = (row.high.map(times), row.low.map(times));
        let judged = judge(
            before >= self.wanted.figure * after,
            least.map(|least| least >= self.wanted.change),
            most.map(|most| most < self.wanted.change),
        );
        let end = |end: Option<f64>| end.map_or_else(|| "?".to_owned(), factor);
        Some(told(
            judged,
            doubt(row),
            ClaimRow {
                unit: row.unit.clone(),
                before: Some(before),
                after: Some(after),
                before_text: human_ns(before * 1e6),
                after_text: human_ns(after * 1e6),
                change_text: format!("{} times", factor(before / after.max(f64::EPSILON))),
                confidence_text: match (least, most) {
                    (None, None) => String::new(),
                    _ => format!("{} … {} times", end(least), end(most)),
                },
                ..ClaimRow::default()
            },
        ))
    }

    fn success(&self, halves: &Halves<'_>, phase: &str) -> Option<ClaimRow> {
        let (old, new) = (run_phase(halves.before, phase)?, run_phase(halves.after, phase)?);
        let (before, after) = (old.success_rate?, new.success_rate?);
        let (low, high) = wilson(new.successful, new.total_requests, LEVEL);
        let judged = judge_share(
            after >= self.wanted.figure,
            low >= self.wanted.figure,
            high < self.wanted.figure,
        );
        Some(told(
            judged,
            spoilt(&[old, new]),
            ClaimRow {
                unit: "ratio".to_owned(),
                before: Some(before),
                after: Some(after),
                before_text: human_ratio(before),
                after_text: human_ratio(after),
                change_text: points(after - before),
                confidence_text: format!("{} … {}", percent(low), percent(high)),
                ..ClaimRow::default()
            },
        ))
    }

    fn users_held(
        &self,
        halves: &Halves<'_>,
        phase: &str,
        limits: &HeldLimits,
    ) -> Option<ClaimRow> {
        let (old, new) = (run_phase(halves.before, phase)?, run_phase(halves.after, phase)?);
        let (before, after) = (held(old, limits), held(new, limits));
        let users = after.users.unwrap_or(0);
        let times = before.users.map(|before| f64::from(users) / f64::from(before.max(1)));
        let is_there = f64::from(users) >= self.wanted.figure;
        let is_enough = times.map(|times| times >= self.wanted.change);
        let judged = judge(is_there, is_enough, is_enough.map(|enough| !enough));
        let text = |held: &Held| held.users.map_or_else(|| "none".to_owned(), |n| n.to_string());
        let edge = |held: &Held| match &held.broken {
            Some((users, why)) => format!("breaks at {users} ({why})"),
            None => "the most that was tried".to_owned(),
        };
        Some(told(
            judged,
            spoilt(&[old, new]),
            ClaimRow {
                unit: "users".to_owned(),
                before: before.users.map(f64::from),
                after: after.users.map(f64::from),
                before_text: text(&before),
                after_text: text(&after),
                change_text: times
                    .map(|times| format!("{} times", factor(times)))
                    .unwrap_or_default(),
                confidence_text: format!("before: {}; after: {}", edge(&before), edge(&after)),
                ..ClaimRow::default()
            },
        ))
    }

    fn hit_rate(&self, halves: &Halves<'_>) -> Option<ClaimRow> {
        let (before, after) = (Hits::of(halves.before)?, Hits::of(halves.after)?);
        let (low, high) = after.interval();
        let judged = judge_share(
            after.rate() >= self.wanted.figure,
            low >= self.wanted.figure,
            high < self.wanted.figure,
        );
        Some(told(
            judged,
            None,
            ClaimRow {
                unit: "ratio".to_owned(),
                before: Some(before.rate()),
                after: Some(after.rate()),
                before_text: human_ratio(before.rate()),
                after_text: human_ratio(after.rate()),
                change_text: points(after.rate() - before.rate()),
                confidence_text: format!("{} … {}", percent(low), percent(high)),
                ..ClaimRow::default()
            },
        ))
    }

    /// The cost of so many requests, or of a month.
    fn cost(&self, halves: &Halves<'_>, requests: Option<u64>) -> Option<ClaimRow> {
        let (before, after) = (Hits::of(halves.before)?, Hits::of(halves.after)?);
        let cost = halves.after.cost.as_ref()?;
        let all = match requests {
            Some(requests) => Money::from_units(cost.per_miss).times(requests),
            None => Money::from_units(cost.month.as_ref()?.without_cache),
        };
        let of = |hits: &Hits| all.share(hits.known - hits.hits, hits.known);
        let (old, new) = (of(&before), of(&after));
        let (low, high) = after.interval();
        let wanted = Money::from_units(self.wanted.figure);
        let at = |rate: f64| Money::from_units(all.units() * (1.0 - rate));
        let judged = judge_share(new <= wanted, at(low) <= wanted, at(high) > wanted);
        let text = |amount: Money| amount.text(&cost.currency);
        let saved = if old > Money::ZERO { 1.0 - new.units() / old.units() } else { 0.0 };
        Some(told(
            judged,
            None,
            ClaimRow {
                unit: cost.currency.clone(),
                before: Some(old.units()),
                after: Some(new.units()),
                before_text: text(old),
                after_text: text(new),
                change_text: format!("\u{2212}{:.1}%", saved * 100.0),
                confidence_text: format!("{} … {}", text(at(high)), text(at(low))),
                ..ClaimRow::default()
            },
        ))
    }
}

/// Answers of a run that say whether they came from the cache.
#[derive(Clone, Copy, Debug)]
struct Hits {
    hits: u64,
    known: u64,
}

impl Hits {
    /// Those of all phases; none if no answer says so.
    fn of(result: &RunResult) -> Option<Self> {
        let sum = |of: fn(&PhaseResult) -> u64| result.test_results.iter().map(of).sum::<u64>();
        let known = sum(|phase| phase.cache_known_responses);
        let hits = sum(|phase| phase.cached_responses).min(known);
        (known > 0).then_some(Self { hits, known })
    }

    fn rate(&self) -> f64 {
        self.hits as f64 / self.known as f64
    }

    fn interval(&self) -> (f64, f64) {
        wilson(self.hits, self.known, LEVEL)
    }
}

/// From what holds to an outcome: whether the figure is there, whether the change is certain to be as large
/// as claimed, and whether it is certain not to be. Nothing is certain without an interval.
fn judge(
    is_there: bool,
    is_proven: Option<bool>,
    is_disproven: Option<bool>,
) -> (GoalOutcome, Option<&'static str>) {
    match (is_there, is_proven, is_disproven) {
        (false, _, _) => (GoalOutcome::NotReached, Some("the figure is not there")),
        (true, Some(true), _) => (GoalOutcome::Reached, None),
        (true, _, Some(true)) => (GoalOutcome::NotReached, Some("the change is smaller")),
        (true, None, _) => (GoalOutcome::CannotTell, Some("how certain it is, is not known")),
        (true, ..) => (GoalOutcome::CannotTell, Some("the change may be smaller")),
    }
}

/// The same of a figure that is a share, or follows from one: nothing is claimed of its change.
fn judge_share(
    is_there: bool,
    is_proven: bool,
    is_disproven: bool,
) -> (GoalOutcome, Option<&'static str>) {
    match judge(is_there, Some(is_proven), Some(is_disproven)) {
        (GoalOutcome::CannotTell, _) => {
            (GoalOutcome::CannotTell, Some("too few requests to be sure of the figure"))
        }
        judged => judged,
    }
}

/// The row with its outcome; nothing can be told by a measurement that cannot be trusted.
fn told(
    (outcome, why): (GoalOutcome, Option<&'static str>),
    doubt: Option<String>,
    row: ClaimRow,
) -> ClaimRow {
    match doubt {
        Some(doubt) => ClaimRow { outcome: GoalOutcome::CannotTell, why: Some(doubt), ..row },
        None => ClaimRow { outcome, why: why.map(str::to_owned), ..row },
    }
}

/// Why nothing is to be taken from a change although its size is known.
fn doubt(row: &ChangeRow) -> Option<String> {
    row.why.clone().filter(|_| row.verdict == ChangeVerdict::CannotTell)
}

/// Why phases cannot be trusted, if one cannot.
fn spoilt(phases: &[&PhaseResult]) -> Option<String> {
    let spoilt = phases.iter().find(|phase| !phase.trust.trustworthy)?;
    let reason = spoilt.trust.reasons.first().map(|doubt| doubt.text.clone());
    Some(reason.unwrap_or_else(|| "the measurement is not trustworthy".to_owned()))
}

fn run_phase<'a>(result: &'a RunResult, name: &str) -> Option<&'a PhaseResult> {
    result.test_results.iter().find(|phase| phase.scenario == name && phase.was_run)
}

/// The change of a measure of a whole phase.
fn change<'a>(halves: &Halves<'a>, phase: &str, measure: &str) -> Option<&'a ChangeRow> {
    let entries = &halves.comparison?.entries;
    let entry = entries.iter().find(|entry| entry.phase == phase && entry.request.is_none())?;
    entry.changes.iter().find(|change| change.measure == measure)
}

/// `25`, `4.2`: one decimal of what is small.
fn factor(times: f64) -> String {
    let text = if times < 9.95 { format!("{times:.1}") } else { format!("{times:.0}") };
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// `+14.20 points`
fn points(difference: f64) -> String {
    let sign = if difference < 0.0 { '\u{2212}' } else { '+' };
    format!("{sign}{:.2} points", difference.abs() * 100.0)
}

fn percent(share: f64) -> String {
    format!("{:.1}%", share * 100.0)
}
