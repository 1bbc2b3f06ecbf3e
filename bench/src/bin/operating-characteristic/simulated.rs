//! The simulated part: made-up services compared with themselves, and with slower ones.

use std::thread;

use fastrand::Rng;
use proofload_core::compare::Side;

use super::say;
use super::service::{Service, run};
use super::tally::Tally;

/// What is asked of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bar {
    /// Nothing was changed: at most 1 % of the comparisons may call anything worse.
    FalseAlarms,
    /// Response times are 5 % longer: at least 95 % must find that.
    Power,
    /// A regression that a rule is about: at least 95 % must fire.
    Fires,
    /// Shown, but nothing is asked of it.
    Shown,
}

/// A case and what came out.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// In words.
    pub(crate) title: String,
    /// What is asked.
    pub(crate) bar: Bar,
    /// Runs on the old and on the new side.
    pub(crate) runs: (u32, u32),
    /// Change of all response times, as a factor.
    pub(crate) slower: f64,
    service: Service,
    /// What came out.
    pub(crate) tally: Tally,
}

fn cases() -> Vec<Case> {
    let case = |title: &str, bar, runs, slower, service| Case {
        title: title.to_owned(),
        bar,
        runs,
        slower,
        service,
        tally: Tally::default(),
    };
    let (steady, rough) = (Service::STEADY, Service::ROUGH);
    let spread = |run_spread: f64, service: Service| Service { run_spread, ..service };
    let mut cases = Vec::new();
    for runs in [(1, 1), (5, 1), (3, 3), (5, 5), (8, 8)] {
        cases.push(case("steady service, 1.5% between runs", Bar::FalseAlarms, runs, 1.0, steady));
        let rough = spread(0.03, rough);
        cases.push(case("rough service, 3% between runs", Bar::FalseAlarms, runs, 1.0, rough));
    }
    cases.push(case(
        "short runs of 5 s, 3% between runs",
        Bar::FalseAlarms,
        (1, 1),
        1.0,
        Service { seconds: 5, ..spread(0.03, rough) },
    ));
    cases.push(case(
        "5% between runs, as much as is assumed",
        Bar::FalseAlarms,
        (1, 1),
        1.0,
        spread(0.05, rough),
    ));
    cases.push(case(
        "10% between runs, twice what is assumed",
        Bar::Shown,
        (1, 1),
        1.0,
        spread(0.1, rough),
    ));
    cases.push(case("10% between runs", Bar::FalseAlarms, (5, 5), 1.0, spread(0.1, rough)));
    for (runs, run_spread, bar) in [
        (10, 0.005, Bar::Power),
        (12, 0.01, Bar::Power),
        (16, 0.015, Bar::Power),
        (24, 0.02, Bar::Power),
        (5, 0.015, Bar::Shown),
        (8, 0.015, Bar::Shown),
        (16, 0.03, Bar::Shown),
        (1, 0.015, Bar::Shown),
    ] {
        let title = format!("steady service, {}% between runs", run_spread * 100.0);
        cases.push(case(&title, bar, (runs, runs), 1.05, spread(run_spread, steady)));
    }
    cases.push(case("steady service, 1.5% between runs", Bar::Fires, (1, 1), 1.5, steady));
    cases.push(case("steady service, 1.5% between runs", Bar::Fires, (5, 5), 1.3, steady));
    cases.push(case(
        "rough service, 3% between runs",
        Bar::Shown,
        (1, 1),
        1.5,
        spread(0.03, rough),
    ));
    cases
}

/// Runs all cases, on two threads. The same numbers give the same outcome.
pub(crate) fn run_all(comparisons: u32, seed: u64) -> Vec<Case> {
    let mut cases = cases();
    for (number, case) in cases.iter_mut().enumerate() {
        let seed = seed.wrapping_add(1_000_003 * number as u64);
        let half = comparisons / 2;
        let case_ref = &*case;
        let halves = thread::scope(|scope| {
            let first = scope.spawn(move || repeat(case_ref, 0..half, seed));
            let second = repeat(case_ref, half..comparisons, seed);
            [first.join().unwrap_or_default(), second]
        });
        halves.iter().for_each(|half| case.tally.merge(half));
        say(&format!(
            "{} vs {}, {:+.0}%: {}: worse {}, found {}, fired {}, p50 {}, p95 {}, any time {} of {}",
            case.runs.0,
            case.runs.1,
            (case.slower - 1.0) * 100.0,
            case.title,
            case.tally.any_worse,
            case.tally.any_finding,
            case.tally.fired,
            case.tally.p50_worse,
            case.tally.p95_worse,
            case.tally.time_worse,
            case.tally.comparisons
        ));
    }
    cases
}

fn repeat(case: &Case, which: std::ops::Range<u32>, seed: u64) -> Tally {
    let mut tally = Tally::default();
    for number in which {
        // Each comparison has a seed of its own, so how they are shared among threads does not matter.
        let mut rng = Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::from(number));
        let mut side = |label: &str, runs, slower| Side {
            label: label.to_owned(),
            runs: (0..runs).map(|_| run(&case.service, slower, &mut rng)).collect(),
        };
        let old = side("old", case.runs.0, 1.0);
        let new = side("new", case.runs.1, case.slower);
        if let Err(error) = tally.add(&old, &new) {
            say(&error);
        }
    }
    tally
}
