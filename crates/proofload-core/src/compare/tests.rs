//! The comparison as a whole: made-up runs with known differences.

use super::difference::{Difference, Known};
use super::evidence::{Block, Figures, PhaseEvidence, RequestEvidence, RunEvidence};
use super::judge::Change;
use super::*;
use crate::metrics::Histogram;
use crate::result::{ChangeRow, ChangeScale, ChangeVerdict, Comparison, RequestName};
use std::collections::BTreeMap;

/// A deterministic stand-in for a random number, 0…1.
fn noise(index: u64) -> f64 {
    let mut z = index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

/// 12 seconds of 200 requests of about `ms` milliseconds; of each second's, `failed` fail.
fn phase(name: &str, seed: u64, ms: f64, failed: u64) -> PhaseEvidence {
    let mut all = Histogram::new();
    let blocks: Vec<Block> = (0..12)
        .map(|second| {
            let level = 1.0 + 0.02 * (noise(seed * 1000 + second) - 0.5);
            let latency = |index| 0.7 + 0.6 * noise(seed * 1_000_000 + second * 200 + index);
            let response: Histogram =
                (0..200).map(|index| (1e6 * ms * level * latency(index)) as u64).collect();
            all.merge(&response);
            Block { response, failed }
        })
        .collect();
    PhaseEvidence {
        name: name.to_owned(),
        all: Figures {
            response: all.clone(),
            failed: 12 * failed,
            seconds: 12.0,
            cache_hit_rate: None,
        },
        block_seconds: 1.0,
        blocks,
        monitors: BTreeMap::new(),
        is_trustworthy: true,
        requests: Vec::new(),
    }
}

fn run(phases: Vec<PhaseEvidence>) -> RunEvidence {
    RunEvidence { phases, ..RunEvidence::default() }
}

/// Runs of one phase whose level is that of `ms`, with 1 % between runs.
fn side(label: &str, seed: u64, runs: u64, ms: f64) -> Side {
    let runs = (0..runs).map(|at| {
        let level = 1.0 + 0.02 * (noise(seed * 77 + at) - 0.5);
        run(vec![phase("Load", seed * 100 + at, ms * level, 0)])
    });
    Side { label: label.to_owned(), runs: runs.collect() }
}

fn compared(old: &Side, new: &Side) -> Comparison {
    compare(old, new, &ComparisonRules::default(), &[]).unwrap()
}

fn change<'a>(comparison: &'a Comparison, measure: &str) -> &'a ChangeRow {
    let changes = &comparison.entries[0].changes;
    changes.iter().find(|change| change.measure == measure).unwrap()
}

#[test]
fn several_runs_a_side_find_five_percent_and_only_that() {
    let old = side("old", 1, 8, 20.0);
    let worse = compared(&old, &side("new", 2, 8, 21.0));
    for measure in ["avg", "p50", "p95"] {
        let change = change(&worse, measure);
        assert_eq!(change.verdict, ChangeVerdict::Worse, "{change:?}");
        assert!((change.change.unwrap() - 0.05).abs() < 0.01, "{change:?}");
        assert!(change.low.unwrap() > 0.0 && change.high.unwrap() < 0.1);
    }
    // Five per cent is real, but no regression by the rules.
    assert!(!worse.has_regressed);
    let better = compared(&old, &side("new", 2, 8, 19.0));
    assert_eq!(change(&better, "p95").verdict, ChangeVerdict::Better);
    let same = compared(&old, &side("new", 2, 8, 20.0));
    for measure in ["avg", "p50", "p95", "p99", "rps"] {
        let change = change(&same, measure);
        assert_eq!(change.verdict, ChangeVerdict::NoChange, "{change:?}");
    }
}

#[test]
fn one_run_a_side_tells_only_what_is_large() {
    let old = side("old", 1, 1, 20.0);
    let check = |ms: f64, verdict: ChangeVerdict, fired: bool| {
        let found = compared(&old, &side("new", 2, 1, ms));
        assert_eq!(change(&found, "p95").verdict, verdict, "{ms}: {:?}", change(&found, "p95"));
        assert_eq!(found.has_regressed, fired, "{ms}");
    };
    check(20.0, ChangeVerdict::CannotTell, false);
    check(21.0, ChangeVerdict::CannotTell, false);
    check(40.0, ChangeVerdict::Worse, true);
    check(10.0, ChangeVerdict::Better, false);
    let hint = compared(&old, &side("new", 2, 1, 20.0)).hint.unwrap();
    assert!(hint.contains("--repeat"), "{hint}");
}

#[test]
fn one_stall_in_one_run_is_no_change_of_the_service() {
    let healthy =
        Side { label: "healthy".to_owned(), runs: vec![run(vec![phase("Load", 1, 20.0, 0)])] };
    let mut stalled = phase("Load", 2, 20.0, 0);
    stalled.blocks[5] = phase("Load", 3, 2000.0, 0).blocks[0].clone();
    stalled.all.response = Histogram::new();
    for block in &stalled.blocks {
        stalled.all.response.merge(&block.response);
    }
    let stalled = Side { label: "stalled".to_owned(), runs: vec![run(vec![stalled])] };
    for (old, new) in [(&healthy, &stalled), (&stalled, &healthy)] {
        let found = compared(old, new);
        for measure in ["avg", "p95", "p99"] {
            let change = change(&found, measure);
            assert_eq!(change.verdict, ChangeVerdict::CannotTell, "{change:?}");
            assert!(change.change.unwrap().abs() > 0.5, "{change:?}");
        }
    }
}

#[test]
fn short_runs_tell_what_is_large_once_they_are_several() {
    let short = |side: Side| Side {
        runs: side
            .runs
            .into_iter()
            .map(|mut run| {
                let phase = &mut run.phases[0];
                phase.blocks.truncate(1);
                phase.all.response = phase.blocks[0].response.clone();
                phase.all.seconds = 1.0;
                run
            })
            .collect(),
        ..side
    };
    let compared =
        |runs| compared(&short(side("a", 1, runs, 10.0)), &short(side("b", 2, runs, 100.0)));
    let found = compared(3);
    assert_eq!(change(&found, "p50").verdict, ChangeVerdict::Worse);
    assert!(found.has_regressed);
    let one = compared(1);
    assert_eq!(change(&one, "p50").verdict, ChangeVerdict::CannotTell);
    assert_eq!(change(&one, "p50").why.as_deref(), Some("too few blocks of time"));
}

#[test]
fn a_run_compared_with_itself_is_never_worse_nor_better() {
    for runs in [1, 2, 3, 6] {
        let side = side("same", 5, runs, 20.0);
        let found = compared(&side, &side);
        for change in &found.entries[0].changes {
            assert_eq!(change.change, Some(0.0));
            assert!(
                matches!(change.verdict, ChangeVerdict::NoChange | ChangeVerdict::CannotTell),
                "{change:?}"
            );
        }
        assert!(!found.has_regressed && found.warnings.iter().all(|w| w.contains("not known")));
    }
}

#[test]
fn more_errors_are_a_regression_by_points() {
    let with = |failed| Side {
        label: "x".to_owned(),
        runs: (0..5).map(|at| run(vec![phase("Load", at, 20.0, failed)])).collect(),
    };
    let found = compared(&with(0), &with(4));
    let errors = change(&found, "error_rate");
    assert_eq!(errors.verdict, ChangeVerdict::Worse);
    assert_eq!(errors.change_text, "+2.00 points");
    let rule = found.rules.iter().find(|rule| rule.measure == "error_rate").unwrap();
    assert_eq!(rule.places, ["Load: +2.00 points"]);
    assert!(found.has_regressed);
    assert!(!compared(&with(0), &with(0)).has_regressed);
    assert_eq!(change(&compared(&with(4), &with(0)), "error_rate").verdict, ChangeVerdict::Better);
}

/// Two requests, of which the second is `ms` long.
fn with_requests(seed: u64, runs: u64, ms: f64) -> Side {
    let request = |name: &str, seed: u64, ms: f64| RequestEvidence {
        name: RequestName { name: name.to_owned(), ..RequestName::default() },
        figures: phase(name, seed, ms, 0).all,
    };
    let runs = (0..runs).map(|at| {
        let seed = seed * 100 + at;
        let requests = vec![request("GET /a", seed, 20.0), request("GET /b", seed + 50, ms)];
        run(vec![PhaseEvidence { requests, ..phase("Load", seed, 20.0, 0) }])
    });
    Side { label: "requests".to_owned(), runs: runs.collect() }
}

#[test]
fn a_slow_request_is_found_among_others() {
    for runs in [1, 6] {
        let found = compared(&with_requests(1, runs, 20.0), &with_requests(2, runs, 34.0));
        assert_eq!(found.entries.len(), 3);
        let rule = found.rules.iter().find(|rule| rule.text == "avg of every request").unwrap();
        assert!(rule.fired && rule.places.len() == 1, "{rule:?}");
        assert!(rule.places[0].starts_with("GET /b in Load: +"), "{rule:?}");
        let b = found.entries[2].changes[0].change.unwrap();
        assert!((0.68..0.72).contains(&b), "{b}");
        let a = &found.entries[1];
        assert_eq!(a.request.as_ref().unwrap().name, "GET /a");
        assert!(a.changes.iter().all(|change| change.verdict != ChangeVerdict::Worse));
    }
}

#[test]
fn goals_are_reached_missed_or_open() {
    let measure = crate::verdict::Measure::parse("p99").unwrap();
    let check = |goal: &str, ms: f64, outcome: &str| {
        let size = ChangeSize::parse(goal, &measure, Intent::Goal).unwrap();
        let rules = ComparisonRules {
            rules: Vec::new(),
            goals: vec![Goal { measure: measure.clone(), size }],
        };
        let (old, new) = (side("old", 1, 6, 20.0), side("new", 2, 6, ms));
        let found = compare(&old, &new, &rules, &[]).unwrap();
        assert_eq!(found.goals[0].outcome.words(), outcome, "{goal}: {:?}", found.goals);
    };
    check("-85%", 2.0, "reached");
    check("-85%", 10.0, "not reached");
    check("-50%", 10.0, "cannot tell");
    check("-5ms", 10.0, "reached");
}

#[test]
fn runs_on_other_ground_are_refused_unless_allowed() {
    let old = side("old", 1, 1, 20.0);
    let mut new = side("new", 2, 1, 20.0);
    let mut with_target = |target: &str| {
        new.runs[0].ground.target = target.to_owned();
        new.clone()
    };
    let mut elsewhere = old.clone();
    elsewhere.runs[0].ground.target = "http://a".to_owned();
    let new = with_target("http://b");
    let rules = ComparisonRules::default();
    let error = compare(&elsewhere, &new, &rules, &[]).unwrap_err().to_string();
    assert!(error.contains("target: http://a → http://b"), "{error}");
    assert!(compare(&elsewhere, &new, &rules, &[Aspect::Plan]).is_err());
    assert!(compare(&elsewhere, &new, &rules, &[Aspect::Target]).is_ok());
}

#[test]
fn nothing_in_common_is_an_error_and_a_part_is_told() {
    let only = |name: &str| Side {
        label: name.to_lowercase(),
        runs: vec![run(vec![phase(name, 1, 20.0, 0)])],
    };
    let rules = ComparisonRules::default();
    let error = compare(&only("A"), &only("B"), &rules, &[]).unwrap_err().to_string();
    assert_eq!(error, "a and b have no phase in common: A there, B here");
    let nothing = Side { label: "empty".to_owned(), runs: vec![RunEvidence::default()] };
    assert!(compare(&nothing, &only("A"), &rules, &[]).is_err());
    let mut both = only("A");
    both.runs[0].phases.push(phase("B", 2, 20.0, 0));
    let found = compare(&only("A"), &both, &rules, &[]).unwrap();
    assert_eq!(found.entries.len(), 1);
    assert!(found.warnings.iter().any(|text| text == "not in every run, so not compared: B"));
}

#[test]
fn an_untrustworthy_measurement_tells_nothing() {
    let old = side("old", 1, 1, 20.0);
    let mut new = side("new", 2, 1, 60.0);
    new.runs[0].phases[0].is_trustworthy = false;
    let found = compared(&old, &new);
    assert!(found.entries[0].changes.iter().all(|c| c.verdict == ChangeVerdict::CannotTell));
    assert!(!found.has_regressed);
    assert!(found.warnings.iter().any(|text| text.contains("new: the measurement of 1 of 1")));
}

#[test]
fn a_monitor_is_compared_like_any_measure() {
    let with = |seed: u64, memory: f64| {
        let mut side = side("x", seed, 4, 20.0);
        for (at, run) in side.runs.iter_mut().enumerate() {
            let memory = memory * (1.0 + 0.005 * noise(seed + at as u64));
            run.phases[0].monitors.insert("memory".to_owned(), memory);
        }
        side
    };
    let found = compared(&with(1, 100e6), &with(2, 130e6));
    assert_eq!(change(&found, "memory").verdict, ChangeVerdict::Worse);
    let rule = found.rules.iter().find(|rule| rule.measure == "memory").unwrap();
    assert!(rule.fired, "{rule:?}");
}

#[test]
fn what_shifts_as_one_is_the_machine() {
    let with = |seed: u64, factor: f64| {
        let mut side = with_requests(seed, 6, 20.0 * factor);
        for run in &mut side.runs {
            let slow = with_requests(seed, 1, 20.0 * factor).runs[0].phases[0].requests[1].clone();
            let named = |name: &str| RequestEvidence {
                name: RequestName { name: name.to_owned(), ..RequestName::default() },
                ..slow.clone()
            };
            run.phases[0].requests = ["a", "b", "c"].map(named).to_vec();
        }
        side
    };
    let found = compared(&with(1, 1.0), &with(2, 1.2));
    assert!(found.warnings.iter().any(|text| text.contains("suspect the machine")), "{found:?}");
    let same = compared(&with(1, 1.0), &with(2, 1.0));
    assert!(!same.warnings.iter().any(|text| text.contains("suspect the machine")));
}

#[test]
fn a_drift_within_a_run_is_told() {
    let mut drifting = phase("Load", 1, 20.0, 0);
    for (at, block) in drifting.blocks.iter_mut().enumerate() {
        *block = phase("Load", at as u64, 20.0 + at as f64, 0).blocks[0].clone();
    }
    let new = Side { label: "new".to_owned(), runs: vec![run(vec![drifting])] };
    let found = compared(&side("old", 1, 1, 20.0), &new);
    let warning = found.warnings.iter().find(|text| text.contains("drift")).unwrap();
    assert!(warning.starts_with("new: response times drift within Load (median +"), "{warning}");
    assert!(!found.warnings.iter().any(|text| text.starts_with("old")));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(24))]

    #[test]
    fn exchanging_the_sides_exchanges_better_and_worse(
        seed in 1_u64..1000,
        old_runs in 1_u64..6,
        new_runs in 1_u64..6,
        factor in 0.5_f64..2.0,
    ) {
        let old = side("a", seed, old_runs, 20.0);
        let new = side("b", seed + 1, new_runs, 20.0 * factor);
        let (there, back) = (compared(&old, &new), compared(&new, &old));
        for (there, back) in there.entries[0].changes.iter().zip(&back.entries[0].changes) {
            let mirrored = match there.verdict {
                ChangeVerdict::Better => ChangeVerdict::Worse,
                ChangeVerdict::Worse => ChangeVerdict::Better,
                same => same,
            };
            proptest::prop_assert_eq!(back.verdict, mirrored);
            if let (Some(p), Some(q)) = (there.p_value, back.p_value) {
                proptest::prop_assert!((p - q).abs() <= 1e-9 * (1.0 + p));
            }
            if let (Some(low), Some(high)) = (there.low, back.high)
                && there.measure != "error_rate"
            {
                proptest::prop_assert!(((1.0 + low) * (1.0 + high) - 1.0).abs() < 1e-9);
            }
        }
    }
}

#[test]
fn a_change_that_is_clear_only_by_itself_says_so() {
    let of = |known: Known| {
        let measure = crate::verdict::Measure::parse("p99").unwrap();
        let scale = ChangeScale::Relative;
        let difference = Difference { scale, old: 20.0, new: 16.0, known: Some(known) };
        Change::new(measure, Some(difference), None)
    };
    let clear = Known { low: -4.6, high: -3.6, p_value: 0.007 };
    let nothing = Known { low: -0.5, high: 0.5, p_value: 0.9 };
    let check = |others: usize, expect: (ChangeVerdict, bool)| {
        let mut changes = vec![of(clear)];
        changes.resize(1 + others, of(nothing));
        assert_eq!(judge::judge(changes.iter_mut()), 1 + others);
        assert_eq!((changes[0].verdict, changes[0].is_clear_only_by_itself()), expect);
        assert!(changes[1..].iter().all(|change| !change.is_clear_only_by_itself()));
    };
    check(0, (ChangeVerdict::Better, false));
    check(1, (ChangeVerdict::CannotTell, true));
    check(20, (ChangeVerdict::CannotTell, true));
}

#[test]
fn why_nothing_can_be_told_is_said_where_it_is_that_the_samples_do_not_bound_it() {
    let few = |seed: u64, ms: f64| {
        let mut few = phase("Load", seed, ms, 0);
        few.all.response = Histogram::new();
        for block in &mut few.blocks {
            block.response =
                block.response.buckets().take(4).map(|bucket| bucket.high_ns).collect();
            few.all.response.merge(&block.response);
        }
        Side { label: "few".to_owned(), runs: vec![run(vec![few])] }
    };
    let found = compared(&few(1, 20.0), &few(2, 10.0));
    let p99 = change(&found, "p99");
    assert_eq!(
        (p99.verdict, p99.why.as_deref()),
        (ChangeVerdict::CannotTell, Some("too few requests"))
    );
    // Where the interval is only wide, it speaks for itself.
    let wide = compared(&side("old", 1, 1, 20.0), &side("new", 2, 1, 20.0));
    let p99 = change(&wide, "p99");
    assert_eq!((p99.verdict, p99.why.as_deref()), (ChangeVerdict::CannotTell, None));
}
