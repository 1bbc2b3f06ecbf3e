//! What a suite needs before any load is put on: its plans and baselines, all of them right.

use std::path::Path;

use proofload_core::compare::{Aspect, Side};
use proofload_core::plan::{Overrides, Plan};
use proofload_core::suite::{Suite, TestKind, TestWork};

use super::SuiteArgs;
use crate::cli::console::Console;
use crate::cli::failure::Failure;
use crate::cli::{load, sides};

/// Kinds of tests that this build can run.
const CAN_RUN: &[TestKind] = &[TestKind::Webhook, TestKind::Load, TestKind::Baseline];

/// A suite that has been read, with the plans of the tests that are to be run.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) suite: Suite,
    /// What is done for each test; nothing for those that are not selected.
    pub(super) work: Vec<Option<Work>>,
}

/// What is done for a test.
#[derive(Debug)]
pub(super) enum Work {
    Run(Box<Plan>),
    Compare(Against),
}

/// What the run of an earlier test is compared with.
#[derive(Debug)]
pub(super) struct Against {
    pub(super) of: usize,
    pub(super) baseline: Side,
    pub(super) allowed: Vec<Aspect>,
}

/// Reads the suite, and the plans and baselines of the tests that are wanted.
pub(super) fn prepare(args: &SuiteArgs, console: &Console) -> Result<Prepared, Failure> {
    let suite = load::suite(&args.suite, &args.variables, console)?;
    let selected = suite.selection(&args.only);
    if !selected.contains(&true) {
        let words: Vec<&str> = args.only.iter().map(|kind| kind.word()).collect();
        return Err(Failure::usage(format!(
            "{} has no test of kind {}",
            args.suite.display(),
            words.join(" or ")
        )));
    }
    let mut wrong = Vec::new();
    let (mut plans, mut againsts) = (Vec::new(), Vec::new());
    for (test, selected) in suite.tests.iter().zip(&selected) {
        let mut told = |failure: Failure| {
            let error = if failure.is_rendered { "" } else { "error: " };
            wrong.push(format!("in the test `{}`:\n{error}{}", test.name, failure.message));
        };
        let (mut plan, mut against) = (None, None);
        match &test.work {
            // A plan of a kind that cannot be run may have words that this build does not know.
            _ if !selected || !CAN_RUN.contains(&test.kind) => {}
            TestWork::Plan { path, overrides, env } => {
                let variables: Vec<_> = env.iter().chain(&args.variables).cloned().collect();
                let flags = Overrides { target: args.target.clone(), ..Overrides::default() };
                let beneath = Overrides::clone(overrides);
                let read = load::plan_over(Path::new(path), &variables, flags, beneath, console);
                plan = read.map_err(&mut told).ok();
            }
            TestWork::Baseline { of, file, allowed } => {
                let baseline = sides::baseline(Path::new(file)).map_err(&mut told).ok();
                let (of, allowed) = (*of, allowed.clone());
                against =
                    baseline.map(|read| Against { of, baseline: read.side(file.clone()), allowed });
            }
        }
        plans.push(plan);
        againsts.push(against);
    }
    if let Err(errors) = suite.check(&selected, &plans, CAN_RUN) {
        wrong.insert(0, errors.render(load::colours(console)));
    }
    if !wrong.is_empty() {
        return Err(Failure::plans(wrong.join("\n\n")));
    }
    let work = plans.into_iter().zip(againsts).map(|(plan, against)| {
        plan.map(Box::new).map(Work::Run).or_else(|| against.map(Work::Compare))
    });
    Ok(Prepared { work: work.collect(), suite })
}
