//! `proofload baseline`, and comparing a run with one: `--baseline FILE`.

use std::path::PathBuf;

use clap::Subcommand;
use jiff::Timestamp;
use proofload_core::baseline::Baseline;
use proofload_core::compare::{ComparisonRules, Ground, NotComparable, RunEvidence, Side, compare};
use proofload_core::result::{ChangeVerdict, Comparison, RunInfo, RunResult};
use proofload_core::verdict::ExitCode;
use proofload_report::html::Overlay;

use super::compare::{self as comparing, HowArgs};
use super::console::Console;
use super::failure::Failure;
use super::output::Destination;
use super::sides::{self, Aspects, parse_aspects};
use super::{facts, files, report};

#[derive(Debug, clap::Args)]
pub(super) struct BaselineArgs {
    #[command(subcommand)]
    command: BaselineCommand,
}

#[derive(Debug, Subcommand)]
enum BaselineCommand {
    /// Write a baseline file of results: for version control, to compare later runs with
    Accept(AcceptArgs),
    /// Compare results with a baseline
    #[command(after_help = comparing::EXAMPLES)]
    Check(CheckArgs),
}

#[derive(Debug, clap::Args)]
struct AcceptArgs {
    /// Results or folders of runs; several show how much runs differ anyway
    #[arg(value_name = "RESULT", required = true)]
    results: Vec<PathBuf>,
    /// Only if something is better than in the baseline that is there, and nothing worse
    #[arg(long)]
    if_improved: bool,
    /// Where to; `NAME.baseline.toml` after the plan's name if not given
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    how: HowArgs,
}

#[derive(Debug, clap::Args)]
struct CheckArgs {
    /// The baseline
    #[arg(value_name = "BASELINE")]
    baseline: PathBuf,
    /// Results or folders of runs
    #[arg(value_name = "RESULT", required = true)]
    results: Vec<PathBuf>,
    #[command(flatten)]
    how: HowArgs,
    /// Print the comparison as JSON
    #[arg(long)]
    json: bool,
}

/// What a run is compared with.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct AgainstBaselineArgs {
    /// Compare the run with this baseline (or earlier result): a regression makes the exit code 2
    #[arg(long, value_name = "FILE")]
    pub(super) baseline: Option<PathBuf>,
    /// Compare although these differ: environment, plan, target (with commas between them), or all
    #[arg(long, value_name = "WHAT", value_parser = parse_aspects)]
    pub(super) allow_different: Option<Aspects>,
}

/// Runs the command.
pub(super) fn run(args: &BaselineArgs, console: &Console) -> Result<ExitCode, Failure> {
    match &args.command {
        BaselineCommand::Accept(args) => accept(args, console),
        BaselineCommand::Check(args) => check(args, console),
    }
}

fn check(args: &CheckArgs, console: &Console) -> Result<ExitCode, Failure> {
    let label = args.baseline.display().to_string();
    let old = sides::baseline(&args.baseline)?.side(label);
    let new = sides::read(&args.results)?;
    let rules = args.how.rules(console)?;
    let found = compare(&old, &new, &rules, &args.how.allowed().0)
        .map_err(|error| sides::refused(&error))?;
    comparing::show(&found, args.json, console)?;
    Ok(comparing::code_of(&found))
}

fn accept(args: &AcceptArgs, console: &Console) -> Result<ExitCode, Failure> {
    let new = sides::read(&args.results)?;
    let name = plan_name(&args.results);
    let place = args
        .output
        .clone()
        .unwrap_or_else(|| PathBuf::from(format!("{}.baseline.toml", files::plain(&name))));
    // The baseline may have been made elsewhere: what it cannot be compared with must not replace it
    // unnoticed, so that asks for --allow-different as well.
    if args.if_improved && place.exists() {
        let label = place.display().to_string();
        let old = sides::baseline(&place)?.side(label);
        let found = compare(&old, &new, &args.how.rules(console)?, &args.how.allowed().0)
            .map_err(|error| sides::refused(&error))?;
        comparing::show(&found, false, console)?;
        if let Err(why) = improvement(&found) {
            console.line(&format!("\n{} stays as it is: {why}", place.display()));
            return Ok(ExitCode::Passed);
        }
    }
    let baseline = Baseline {
        name,
        accepted: Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        sources: args.results.iter().map(|place| place.display().to_string()).collect(),
        runs: same_ground(new, &args.how.allowed())?.runs,
    };
    Destination::prepare(Some(&place))?.write(&baseline.to_toml(), console)?;
    if place.as_os_str() != "-" {
        let runs = match baseline.runs.len() {
            1 => "1 run".to_owned(),
            count => format!("{count} runs"),
        };
        console.line(&format!("accepted: {} ({runs})", place.display()));
    }
    Ok(ExitCode::Passed)
}

/// Whether something is better and nothing worse; why not otherwise.
fn improvement(found: &Comparison) -> Result<(), String> {
    let named = |verdict: ChangeVerdict| {
        let mut places = found.entries.iter().flat_map(|entry| {
            let name = entry.request.as_ref().map_or(&entry.phase, |request| &request.name);
            let changes = entry.changes.iter().filter(move |change| change.verdict == verdict);
            changes.map(move |change| format!("{} of {name}", change.measure))
        });
        places.next()
    };
    match (named(ChangeVerdict::Worse), named(ChangeVerdict::Better)) {
        (Some(worse), _) => Err(format!("{worse} is worse")),
        (None, None) => Err("nothing is better".to_owned()),
        (None, Some(_)) => Ok(()),
    }
}

/// Runs of one baseline have to be comparable with one another.
fn same_ground(side: Side, allowed: &Aspects) -> Result<Side, Failure> {
    let mut differences = Vec::new();
    for run in side.runs.iter().skip(1) {
        let all = side.runs[0].ground.differences(&run.ground);
        differences.extend(all.into_iter().filter(|one| !allowed.0.contains(&one.aspect)));
    }
    if side.runs.iter().any(|run| run.phases.is_empty()) {
        return Err(Failure::input(format!("{}: no phase was run", side.label)));
    }
    if differences.is_empty() {
        Ok(side)
    } else {
        Err(Failure::input(NotComparable { differences }))
    }
}

/// The name of the plan in the first result that says one.
fn plan_name(places: &[PathBuf]) -> String {
    let named = |place: &PathBuf| {
        report::read(place).ok().map(|result| result.run.name).filter(|name| !name.is_empty())
    };
    places.iter().find_map(named).unwrap_or_else(|| "proofload".to_owned())
}

/// What a run is going to be compared with, read before any load is put on.
#[derive(Debug)]
pub(super) struct Reference {
    side: Side,
    allowed: Aspects,
}

impl Reference {
    /// Reads it; none if none is named.
    ///
    /// # Errors
    /// When it cannot be read, or is known by now not to be comparable.
    pub(super) fn prepare(
        args: &AgainstBaselineArgs,
        info: &RunInfo,
    ) -> Result<Option<Self>, Failure> {
        let Some(path) = &args.baseline else { return Ok(None) };
        let side = sides::read(std::slice::from_ref(path))?;
        let allowed = args.allow_different.clone().unwrap_or_default();
        let this = Ground::of(&RunResult {
            run: info.clone(),
            environment: facts::machine(),
            ..RunResult::default()
        });
        let all = side.runs.first().map(|run| run.ground.differences(&this)).unwrap_or_default();
        let differences: Vec<_> =
            all.into_iter().filter(|one| !allowed.0.contains(&one.aspect)).collect();
        if !differences.is_empty() {
            return Err(Failure::input(format!(
                "{}: {}\n  no load was put on",
                path.display(),
                NotComparable { differences }
            )));
        }
        Ok(Some(Self { side, allowed }))
    }

    /// One that is at hand, of which nothing may differ.
    pub(super) fn of(side: Side) -> Self {
        Self { side, allowed: Aspects::default() }
    }

    /// Its response times, to be shown beside those of the new run.
    pub(super) fn overlay(&self) -> Overlay {
        Overlay::of_side(&self.side)
    }

    /// Compares new runs with it.
    pub(super) fn compare(
        &self,
        label: &str,
        runs: Vec<RunEvidence>,
        rules: &ComparisonRules,
    ) -> Result<Comparison, Failure> {
        let new = Side { label: label.to_owned(), runs };
        compare(&self.side, &new, rules, &self.allowed.0).map_err(|error| sides::refused(&error))
    }
}
