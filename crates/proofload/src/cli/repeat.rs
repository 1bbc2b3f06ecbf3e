//! `proofload run PLAN --repeat N`: the same test several times, alone or in turns with another target.
//!
//! Runs differ although nothing was changed; only several show by how much. With `--against` the two targets
//! take turns as A B B A, so that whatever the machine does slowly falls on both alike.

use std::path::Path;

use jiff::Zoned;
use proofload_core::compare::{Aspect, RunEvidence, Side, compare, spread};
use proofload_core::plan::{Overrides, Plan};
use proofload_core::result::Comparison;
use proofload_core::verdict::ExitCode;
use proofload_report::comparison::repeats;

use super::args::{OutputArgs, OutputFlags, RunArgs};
use super::baseline::{AgainstBaselineArgs, Reference};
use super::compare as comparing;
use super::console::Console;
use super::execute::{Host, Job, perform};
use super::failure::Failure;
use super::files::{self, RunFolder};
use super::signals::Interrupts;
use super::{facts, load, sides};

/// Repeating a run.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Repeating")]
pub(super) struct RepeatArgs {
    /// Run the plan so many times; small changes can only be told from several runs
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(super) repeat: Option<u32>,
    /// Run it as often against this target too, in turns (A B B A), and compare: this one is the old side
    #[arg(long, value_name = "URL", requires = "repeat", conflicts_with = "baseline")]
    pub(super) against: Option<String>,
}

/// One of the targets that take turns.
struct Turns {
    /// Beginning of the names of its files.
    name: &'static str,
    plan: Plan,
    runs: Vec<RunEvidence>,
}

/// Runs the plan again and again.
pub(super) fn run(args: &RunArgs, times: u32, console: &Console) -> Result<ExitCode, Failure> {
    if args.output.flags.output_file.is_some() || !args.output.out.is_empty() {
        return Err(Failure::usage(
            "repeated runs go into one folder, a file each: --results DIR says where, and -o and --out do \
             not go with --repeat",
        ));
    }
    let mut turns = vec![Turns {
        name: "run",
        plan: load::plan(&args.plan, &args.variables, args.overrides.overrides(), console)?,
        runs: Vec::new(),
    }];
    if let Some(target) = &args.repeat.against {
        let flags = Overrides { target: Some(target.clone()), ..args.overrides.overrides() };
        let plan = load::plan(&args.plan, &args.variables, flags, console)?;
        turns.push(Turns { name: "against", plan, runs: Vec::new() });
    }
    let began = Zoned::now();
    let first = &turns[0].plan;
    let reference = Reference::prepare(&args.output.against, &facts::begun(first, &began))?;
    let root = args.output.flags.root();
    let folder = RunFolder::create(root, &first.name, &began).map_err(|error| {
        Failure::output(format!("results cannot be written to {}: {error}", root.display()))
    })?;
    let code = take_turns(&mut turns, times, &args.output, folder.path(), console)?;
    let found = conclude(&turns, reference.as_ref())?;
    if !args.output.flags.quiet {
        for turns in &turns {
            let title = format!("{} runs: {}", turns.runs.len(), turns.plan.name);
            let title =
                if turns.name == "against" { format!("{title}, old target") } else { title };
            console.print(&repeats(&title, &spread(&turns.runs), &console.output_style()));
        }
    }
    if let Some(found) = &found {
        let text = serde_json::to_string_pretty(found).map_err(Failure::internal)? + "\n";
        let place = folder.path().join("comparison.json");
        files::write(&place, console.redactor().text(&text).as_bytes())
            .map_err(|error| Failure::output(format!("{}: {error}", place.display())))?;
        if !args.output.flags.quiet {
            comparing::show(found, false, console)?;
        }
    }
    if !args.output.flags.quiet {
        console.line(&format!("\nresults: {}", folder.path().display()));
    }
    Ok(code.with_regression(found.is_some_and(|found| found.has_regressed)))
}

/// A B B A A B B A …, or A A A. Gives back the code of the worst run.
fn take_turns(
    turns: &mut [Turns],
    times: u32,
    output: &OutputArgs,
    folder: &Path,
    console: &Console,
) -> Result<ExitCode, Failure> {
    let interrupts = Interrupts::default();
    let mut worst = ExitCode::Passed;
    for number in 1..=times {
        let mut order: Vec<usize> = (0..turns.len()).collect();
        if number % 2 == 0 {
            order.reverse();
        }
        for at in order {
            let turn = &mut turns[at];
            let file = folder.join(format!("{}-{number}.json", turn.name));
            if !output.flags.quiet {
                let target = if turn.name == "against" { ", old target" } else { "" };
                console.print_error(&format!("run {number} of {times}{target}\n"));
            }
            let output = OutputArgs {
                flags: OutputFlags {
                    output_file: Some(file),
                    results: None,
                    ..output.flags.clone()
                },
                against: AgainstBaselineArgs::default(),
                ..output.clone()
            };
            let plan = turn.plan.clone();
            let job = Job { keeps_result: false, ..Job::new(plan, output) };
            let finished = perform(job, Host { console, interrupts: &interrupts }, &mut [])?;
            if let Some(failure) = finished.written.failure {
                return Err(failure);
            }
            worst = worse(worst, finished.code);
            if finished.code == ExitCode::Interrupted {
                return Ok(worst);
            }
            turn.runs.push(RunEvidence::of(&finished.result));
        }
    }
    Ok(worst)
}

fn worse(a: ExitCode, b: ExitCode) -> ExitCode {
    if a.code() >= b.code() { a } else { b }
}

/// The comparison with the other target, or with the baseline; none without either.
fn conclude(turns: &[Turns], reference: Option<&Reference>) -> Result<Option<Comparison>, Failure> {
    let side =
        |turns: &Turns, label: &str| Side { label: label.to_owned(), runs: turns.runs.clone() };
    let rules = &turns[0].plan.comparison;
    if turns.iter().any(|turns| turns.runs.is_empty()) {
        return Ok(None);
    }
    match (turns, reference) {
        ([new, old], _) => {
            let (old, new) = (side(old, "--against"), side(new, "the plan's target"));
            compare(&old, &new, rules, &[Aspect::Target])
                .map(Some)
                .map_err(|error| sides::refused(&error))
        }
        ([new], Some(reference)) => {
            reference.compare("these runs", new.runs.clone(), rules).map(Some)
        }
        _ => Ok(None),
    }
}
