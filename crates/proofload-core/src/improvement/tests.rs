//! Claims, judged by made-up results.

use super::*;
use crate::cost::{CostResult, MonthCost};
use crate::result::{
    ChangeRow, ChangeVerdict, Comparison, ComparisonEntry, DoubtRow, GoalOutcome, PhaseResult,
    RunResult, StepRow,
};
use GoalOutcome::{CannotTell, NotReached, Reached};

fn run(phase: PhaseResult) -> RunResult {
    let cost = CostResult {
        currency: "$".to_owned(),
        per_miss: 0.06,
        month: Some(MonthCost { without_cache: 4200.0, ..MonthCost::default() }),
        ..CostResult::default()
    };
    RunResult { test_results: vec![phase], cost: Some(cost), ..RunResult::default() }
}

fn phase() -> PhaseResult {
    let mut phase =
        PhaseResult { scenario: "Rush".to_owned(), was_run: true, ..PhaseResult::default() };
    phase.trust.trustworthy = true;
    phase
}

fn judged(
    claim: &Claim<'_>,
    before: PhaseResult,
    after: PhaseResult,
    change: ChangeRow,
) -> ClaimRow {
    let entry = ComparisonEntry { phase: "Rush".to_owned(), request: None, changes: vec![change] };
    let comparison = Comparison { entries: vec![entry], ..Comparison::default() };
    let (before, after) = (run(before), run(after));
    claim.judge(&Halves { before: &before, after: &after, comparison: Some(&comparison) })
}

fn claim(figure: Figure<'_>, wanted: f64, change: f64) -> Claim<'_> {
    Claim { name: "n", claimed: "c", figure, wanted: Wanted { figure: wanted, change } }
}

fn row(measure: &str, values: (f64, f64), ends: Option<(f64, f64)>) -> ChangeRow {
    ChangeRow {
        measure: measure.to_owned(),
        old: Some(values.0),
        new: Some(values.1),
        low: ends.map(|(low, _)| low),
        high: ends.map(|(_, high)| high),
        verdict: ChangeVerdict::Better,
        ..ChangeRow::default()
    }
}

#[test]
fn a_time_has_to_be_there_and_to_have_fallen_for_certain() {
    let p99 = claim(Figure::Time { phase: "Rush", measure: "p99" }, 2_000.0, -0.85);
    let check = |after: f64, ends: Option<(f64, f64)>, outcome: GoalOutcome| {
        let found = judged(&p99, phase(), phase(), row("p99", (14_000.0, after), ends));
        assert_eq!(found.outcome, outcome, "{after} {ends:?}");
        assert_eq!(found.why.is_none(), outcome == Reached);
    };
    check(1_000.0, Some((-0.95, -0.9)), Reached);
    check(1_000.0, Some((-0.95, -0.8)), CannotTell);
    check(1_000.0, None, CannotTell);
    check(2_000.0, Some((-0.86, -0.85)), Reached);
    check(2_001.0, Some((-0.95, -0.9)), NotReached);
    check(1_999.0, Some((-0.84, -0.8)), NotReached);
    let untrusted = ChangeRow {
        verdict: ChangeVerdict::CannotTell,
        why: Some("the measurement is not trustworthy".to_owned()),
        ..row("p99", (14_000.0, 10.0), Some((-0.99, -0.98)))
    };
    let found = judged(&p99, phase(), phase(), untrusted);
    assert_eq!(found.outcome, CannotTell);
    assert_eq!(found.why.as_deref(), Some("the measurement is not trustworthy"));
    // The comparison, which judges all measures together, and the claim never say different things.
    let among_many = ChangeRow {
        verdict: ChangeVerdict::CannotTell,
        why: Some("may be chance, one of 21".to_owned()),
        ..row("p99", (14_000.0, 10.0), Some((-0.99, -0.98)))
    };
    let found = judged(&p99, phase(), phase(), among_many);
    assert_eq!(found.outcome, CannotTell);
    assert_eq!(found.why.as_deref(), Some("may be chance, one of 21"));
    // Nobody compared: nothing is claimed to be measured.
    let (old, new) = (run(phase()), run(phase()));
    let found = p99.judge(&Halves { before: &old, after: &new, comparison: None });
    assert_eq!((found.outcome, found.before), (CannotTell, None));
}

#[test]
fn times_as_fast_come_from_the_same_interval() {
    let gain = claim(Figure::TimesFaster { phase: "Rush" }, 5.0, 5.0);
    let check = |after: f64, ends: (f64, f64), outcome: GoalOutcome, interval: &str| {
        let found = judged(&gain, phase(), phase(), row("avg", (1_000.0, after), Some(ends)));
        assert_eq!((found.outcome, found.confidence_text.as_str()), (outcome, interval));
    };
    check(100.0, (-0.95, -0.8), Reached, "5 … 20 times");
    check(100.0, (-0.95, -0.75), CannotTell, "4 … 20 times");
    check(250.0, (-0.9, -0.7), NotReached, "3.3 … 10 times");
}

#[test]
fn shares_and_costs_have_the_interval_of_the_share() {
    let with = |known: u64, hits: u64| PhaseResult {
        cache_known_responses: known,
        cached_responses: hits,
        ..phase()
    };
    let check = |figure: Figure<'_>, wanted: f64, hits: u64, outcome: GoalOutcome, text: &str| {
        let claim = claim(figure, wanted, 0.0);
        let found = judged(&claim, with(1_000, 0), with(10_000, hits), ChangeRow::default());
        assert_eq!((found.outcome, found.after_text.as_str()), (outcome, text));
    };
    check(Figure::HitRate, 0.8, 8_200, Reached, "82%");
    check(Figure::HitRate, 0.8, 8_050, CannotTell, "80.5%");
    check(Figure::HitRate, 0.8, 7_999, NotReached, "79.99%");
    // $3.60 and $4,200 without the cache, a fifth of that at 80 %.
    check(Figure::CostOf { requests: 60 }, 0.72, 8_200, Reached, "$0.65");
    check(Figure::CostOf { requests: 60 }, 0.72, 7_000, NotReached, "$1.08");
    check(Figure::CostOfMonth, 840.0, 8_200, Reached, "$756");
    let cost = claim(Figure::CostOf { requests: 60 }, 0.72, 0.0);
    let found = judged(&cost, with(10, 0), with(100, 80), ChangeRow::default());
    assert_eq!((found.before_text.as_str(), found.after_text.as_str()), ("$3.60", "$0.72"));

    let success = claim(Figure::Success { phase: "Rush" }, 0.99, 0.0);
    let of = |failed: u64| PhaseResult {
        total_requests: 10_000,
        successful: 10_000 - failed,
        success_rate: Some(1.0 - failed as f64 / 10_000.0),
        ..phase()
    };
    let outcome = |failed| judged(&success, of(1_500), of(failed), ChangeRow::default()).outcome;
    assert_eq!([0, 95, 101].map(outcome), [Reached, CannotTell, NotReached]);
}

fn in_steps(steps: &[(u32, Option<f64>, f64)]) -> PhaseResult {
    let steps = steps.iter().map(|&(users, p99_latency_ms, success)| StepRow {
        users: Some(users),
        p99_latency_ms,
        success_rate: p99_latency_ms.map(|_| success),
        completed: true,
        ..StepRow::default()
    });
    PhaseResult { steps: steps.collect(), ..phase() }
}

const LIMITS: HeldLimits = HeldLimits { p99_ms: 2_000.0, success_rate: 0.99 };

#[test]
fn users_are_held_up_to_the_first_step_that_breaks() {
    let check = |steps: &[(u32, Option<f64>, f64)], users: Option<u32>, broken: Option<u32>| {
        let found = held(&in_steps(steps), &LIMITS);
        assert_eq!((found.users, found.broken.map(|(users, _)| users)), (users, broken));
    };
    let good = |users| (users, Some(500.0), 1.0);
    check(&[good(10), good(20), (50, Some(3_000.0), 1.0)], Some(20), Some(50));
    check(&[good(10), (20, Some(2_000.0), 1.0), good(50)], Some(10), Some(20));
    check(&[good(10), (20, Some(500.0), 0.98)], Some(10), Some(20));
    check(&[good(10), (20, None, 1.0)], Some(10), Some(20));
    check(&[(10, Some(9_000.0), 1.0)], None, Some(10));
    check(&[good(10), good(20)], Some(20), None);
    check(&[], None, None);
    let mut cut_short = in_steps(&[good(10), good(20)]);
    cut_short.steps[1].completed = false;
    assert_eq!(held(&cut_short, &LIMITS).users, Some(10));
}

#[test]
fn a_number_of_users_is_a_multiple_of_the_one_before() {
    let users = claim(Figure::UsersHeld { phase: "Rush", limits: LIMITS }, 500.0, 25.0);
    let good = |users| (users, Some(500.0), 1.0);
    let bad = |users| (users, Some(5_000.0), 1.0);
    let check = |before: &[_], after: &[_], outcome: GoalOutcome, change: &str| {
        let found = judged(&users, in_steps(before), in_steps(after), ChangeRow::default());
        assert_eq!((found.outcome, found.change_text.as_str()), (outcome, change));
    };
    check(&[good(20), bad(50)], &[good(20), good(500)], Reached, "25 times");
    check(&[good(50), bad(100)], &[good(20), good(500)], NotReached, "10 times");
    check(&[good(20), bad(50)], &[good(200), bad(500)], NotReached, "10 times");
    check(&[bad(20)], &[good(500)], CannotTell, "");
    let mut doubtful = in_steps(&[good(500)]);
    doubtful.trust.trustworthy = false;
    doubtful.trust.reasons =
        vec![DoubtRow { text: "timers fired late".to_owned(), ..DoubtRow::default() }];
    let found = judged(&users, in_steps(&[good(20), bad(50)]), doubtful, ChangeRow::default());
    assert_eq!((found.outcome, found.why.as_deref()), (CannotTell, Some("timers fired late")));
}
