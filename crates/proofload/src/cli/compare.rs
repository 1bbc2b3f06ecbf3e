//! `proofload compare`: what changed between runs, and whether that is real.

use std::path::PathBuf;

use proofload_core::compare::{ComparisonRules, compare};
use proofload_core::plan::Overrides;
use proofload_core::result::Comparison;
use proofload_core::verdict::ExitCode;
use proofload_report::comparison::comparison;

use super::console::Console;
use super::failure::Failure;
use super::load;
use super::sides::{self, Aspects, parse_aspects};

pub(super) const EXAMPLES: &str = "\
Examples:
  proofload compare before/result.json after/result.json
  proofload compare --old before-*.json --new after-*.json        several runs a side tell small changes
  proofload compare baseline.toml proofload-results/shop-20260102-030405 --json

Exit codes:
  0    no rule of what counts as a regression fired
  2    one did
  64   bad command line        65   not comparable, or a bad file";

#[derive(Debug, clap::Args)]
pub(super) struct CompareArgs {
    /// Old result: a file, the folder of a run, or a baseline
    #[arg(
        value_name = "OLD",
        required_unless_present = "old_runs",
        conflicts_with = "old_runs",
        requires = "new"
    )]
    old: Option<PathBuf>,
    /// New result
    #[arg(value_name = "NEW", conflicts_with = "new_runs")]
    new: Option<PathBuf>,
    /// Several old results that are taken for the same
    #[arg(long = "old", value_name = "RESULT", num_args = 1.., requires = "new_runs")]
    old_runs: Vec<PathBuf>,
    /// Several new results that are taken for the same
    #[arg(long = "new", value_name = "RESULT", num_args = 1.., requires = "old_runs")]
    new_runs: Vec<PathBuf>,
    #[command(flatten)]
    how: HowArgs,
    /// Print the comparison as JSON
    #[arg(long)]
    json: bool,
}

/// How runs are compared.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct HowArgs {
    /// Plan whose [regression] and [goals] count; the usual rules if not given
    #[arg(long, value_name = "PLAN")]
    rules: Option<PathBuf>,
    /// Compare although these differ: environment, plan, target (with commas between them), or all
    #[arg(long, value_name = "WHAT", value_parser = parse_aspects)]
    allow_different: Option<Aspects>,
}

impl HowArgs {
    /// What may differ.
    pub(super) fn allowed(&self) -> Aspects {
        self.allow_different.clone().unwrap_or_default()
    }

    /// The rules that count.
    pub(super) fn rules(&self, console: &Console) -> Result<ComparisonRules, Failure> {
        let Some(path) = &self.rules else { return Ok(ComparisonRules::default()) };
        let plan = load::plan(path, &[], Overrides::default(), console)?;
        Ok(plan.comparison)
    }
}

/// Compares results.
pub(super) fn run(args: &CompareArgs, console: &Console) -> Result<ExitCode, Failure> {
    let one = |place: &Option<PathBuf>| place.iter().cloned().collect::<Vec<_>>();
    let (old, new) = match (&args.old, &args.new) {
        (Some(_), _) => (one(&args.old), one(&args.new)),
        _ => (args.old_runs.clone(), args.new_runs.clone()),
    };
    let rules = args.how.rules(console)?;
    let (old, new) = (sides::read(&old)?, sides::read(&new)?);
    let found = compare(&old, &new, &rules, &args.how.allowed().0)
        .map_err(|error| sides::refused(&error))?;
    show(&found, args.json, console)?;
    Ok(code_of(&found))
}

/// Prints a comparison.
pub(super) fn show(found: &Comparison, as_json: bool, console: &Console) -> Result<(), Failure> {
    if as_json {
        console.line(&serde_json::to_string_pretty(found).map_err(Failure::internal)?);
    } else {
        console.print(&comparison(found, &console.output_style()));
    }
    Ok(())
}

/// POOR where a rule fired.
pub(super) fn code_of(found: &Comparison) -> ExitCode {
    ExitCode::Passed.with_regression(found.has_regressed)
}
