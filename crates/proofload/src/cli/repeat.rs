//! `proofload run PLAN --repeat N`: the same test several times, alone or in turns with another target.
//!
//! Runs differ although nothing was changed; only several show by how much. With `--against` the two targets
//! take turns as A B B A, so that whatever the machine does slowly falls on both alike.
//!
//! Each run leaves its own result and report in the folder of the runs. All together they are one result like that
//! of a single run, made again after each of them: what was measured is there however the next run ends.

use std::path::{Path, PathBuf};

use jiff::Zoned;
use proofload_core::compare::{Aspect, Side, compare};
use proofload_core::plan::{Overrides, Plan};
use proofload_core::result::{Comparison, Pool, Repeated, RunResult};
use proofload_core::verdict::ExitCode;
use proofload_report::html::{self, HtmlOptions, Overlay};
use proofload_report::summary;

use super::args::{OutputArgs, OutputFlags, RunArgs};
use super::baseline::{AgainstBaselineArgs, Reference};
use super::console::Console;
use super::execute::{Host, Job, perform, redacted, show};
use super::failure::Failure;
use super::files::RunFolder;
use super::output::{Destination, Written, put};
use super::outputs::Out;
use super::signals::Interrupts;
use super::{facts, load, sides};

/// The result and the report of all runs together, and those of all runs of the other target.
const TOGETHER: [&str; 2] = ["result.json", "report.html"];
const AGAINST_TOGETHER: [&str; 2] = ["against.json", "against.html"];

/// Repeating a run.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Repeating")]
pub(super) struct RepeatArgs {
    /// Run the plan so many times; small changes can only be told from several runs. The result is that of
    /// all of them together
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
    pool: Pool,
}

impl Turns {
    fn new(name: &'static str, plan: Plan) -> Self {
        Self { name, plan, pool: Pool::default() }
    }

    fn is_old(&self) -> bool {
        self.name == "against"
    }

    /// Names of the files that all runs have together.
    fn files(&self) -> [&'static str; 2] {
        if self.is_old() { AGAINST_TOGETHER } else { TOGETHER }
    }

    /// The result of all runs so far, without secrets.
    fn result(&self, found: Option<Comparison>, console: &Console) -> Result<RunResult, Failure> {
        redacted(&self.pool.result(&self.plan, found), console)
    }
}

/// Runs the plan again and again.
pub(super) fn run(args: &RunArgs, times: u32, console: &Console) -> Result<ExitCode, Failure> {
    let plan = load::plan(&args.plan, &args.variables, args.overrides.overrides(), console)?;
    let mut turns = vec![Turns::new("run", plan)];
    if let Some(target) = &args.repeat.against {
        let flags = Overrides { target: Some(target.clone()), ..args.overrides.overrides() };
        let plan = load::plan(&args.plan, &args.variables, flags, console)?;
        turns.push(Turns::new("against", plan));
    }
    let began = Zoned::now();
    let first = &turns[0].plan;
    let reference = Reference::prepare(&args.output.against, &facts::begun(first, &began))?;
    let flags = &args.output.flags;
    let asked = Destination::prepare(flags.output_file.as_deref())?;
    let folder = RunFolder::create(flags.root(), &first.name, &began).map_err(|error| {
        Failure::output(format!("results cannot be written to {}: {error}", flags.root().display()))
    })?;
    let outs = || flags.out.iter().filter(|out| out.format().is_some());
    outs().try_for_each(|out| out.prepare(Some(folder.path())))?;
    let session = Session { output: &args.output, folder: folder.path(), console };
    let (code, failure) = session.take_turns(&mut turns, times);
    if turns[0].pool.is_empty() {
        return failure.map_or(Ok(code), Err);
    }
    let found = conclude(&turns, reference.as_ref())?;
    let code = code.with_regression(found.as_ref().is_some_and(|found| found.has_regressed));
    let result = turns[0].result(found, console)?;
    let mut written = session.write(&turns, &result, reference.as_ref(), code)?;
    let json = result.to_json().map_err(Failure::internal)?;
    let there = asked.write(&json, console).map(|path| path.map(Path::to_owned));
    written.file = written.keep(there).flatten().or(written.file.take());
    for out in outs() {
        written.keep(out.write(&result, code, Some(folder.path())));
    }
    if !flags.is_silent() {
        if let Some(old) = turns.iter().find(|turns| turns.is_old() && !turns.pool.is_empty()) {
            console.print("\nOld target\n");
            console.print(&summary::runs(&old.result(None, console)?, &console.output_style()));
        }
        show(&result, code, &written, console);
    }
    failure.or(written.failure).map_or(Ok(code), Err)
}

/// Runs under way.
struct Session<'a> {
    output: &'a OutputArgs,
    folder: &'a Path,
    console: &'a Console,
}

impl Session<'_> {
    /// A B B A A B B A …, or A A A. Gives back the code of the worst run, and why the rest was not run.
    fn take_turns(&self, turns: &mut [Turns], times: u32) -> (ExitCode, Option<Failure>) {
        let interrupts = Interrupts::default();
        let mut worst = ExitCode::Passed;
        for number in 1..=times {
            let mut order: Vec<usize> = (0..turns.len()).collect();
            if number % 2 == 0 {
                order.reverse();
            }
            for at in order {
                let turn = &mut turns[at];
                if !self.output.flags.is_silent() {
                    let target = if turn.is_old() { ", old target" } else { "" };
                    self.console.print_error(&format!("run {number} of {times}{target}\n"));
                }
                match self.turn(turn, number, &interrupts) {
                    Ok(code) => worst = worse(worst, code),
                    Err(failure) => return (worst, Some(failure)),
                }
                if worst == ExitCode::Interrupted {
                    return (worst, None);
                }
            }
        }
        (worst, None)
    }

    /// One run, and the result of all so far.
    fn turn(
        &self,
        turn: &mut Turns,
        number: u32,
        interrupts: &Interrupts,
    ) -> Result<ExitCode, Failure> {
        let name = format!("{}-{number}", turn.name);
        let [file, report] = ["json", "html"].map(|ending| format!("{name}.{ending}"));
        let flags = &self.output.flags;
        let live = flags.out.iter().filter_map(|out| out.of_run(&name, Some(self.folder)));
        let output = OutputArgs {
            flags: OutputFlags {
                output_file: Some(self.folder.join(&file)),
                results: None,
                quiet: flags.is_silent(),
                out: live.chain([Out::html(self.folder.join(&report))]).collect(),
                ..flags.clone()
            },
            against: AgainstBaselineArgs::default(),
            ..self.output.clone()
        };
        let job = Job { keeps_result: false, ..Job::new(turn.plan.clone(), output) };
        let finished = perform(job, Host { console: self.console, interrupts }, &mut [])?;
        let code = finished.code;
        turn.pool.add(Repeated {
            record: &finished.record,
            result: &finished.result,
            code,
            file: &file,
            report: &report,
        });
        let json = turn.result(None, self.console)?.to_json().map_err(Failure::internal)?;
        put(self.folder.join(turn.files()[0]), &json)?;
        finished.written.failure.map_or(Ok(code), Err)
    }

    /// Writes what all runs are together into their folder.
    fn write(
        &self,
        turns: &[Turns],
        result: &RunResult,
        reference: Option<&Reference>,
        code: ExitCode,
    ) -> Result<Written, Failure> {
        let mut written = Written::default();
        let place = |name: &str| -> PathBuf { self.folder.join(name) };
        let old = turns.iter().find(|turns| turns.is_old() && !turns.pool.is_empty());
        let side = old.map(|old| side(old, "old target"));
        let overlay = side.as_ref().map(Overlay::of_side).or(reference.map(Reference::overlay));
        let href = |name| HtmlOptions { result_href: Some(name), ..HtmlOptions::new(code) };
        let json = result.to_json().map_err(Failure::internal)?;
        written.file = written.keep(put(place(TOGETHER[0]), &json));
        let options = HtmlOptions { overlay: overlay.as_ref(), ..href(TOGETHER[0]) };
        written.report = written.keep(put(place(TOGETHER[1]), &html::page(result, &options)));
        if let Some(old) = old {
            let page = html::page(&old.result(None, self.console)?, &href(AGAINST_TOGETHER[0]));
            written.keep(put(place(AGAINST_TOGETHER[1]), &page));
        }
        if let Some(found) = &result.comparison {
            let text = serde_json::to_string_pretty(found).map_err(Failure::internal)? + "\n";
            written.keep(put(place("comparison.json"), &text));
        }
        Ok(written)
    }
}

fn worse(a: ExitCode, b: ExitCode) -> ExitCode {
    if a.code() >= b.code() { a } else { b }
}

fn side(turns: &Turns, label: &str) -> Side {
    Side { label: label.to_owned(), runs: turns.pool.evidence().to_vec() }
}

/// The comparison with the other target, or with the baseline; none without either.
fn conclude(turns: &[Turns], reference: Option<&Reference>) -> Result<Option<Comparison>, Failure> {
    let rules = &turns[0].plan.comparison;
    if turns.iter().any(|turns| turns.pool.evidence().is_empty()) {
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
            let runs = new.pool.evidence().to_vec();
            reference.compare("these runs", runs, rules).map(Some)
        }
        _ => Ok(None),
    }
}
