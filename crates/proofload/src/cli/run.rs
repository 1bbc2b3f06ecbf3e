//! `proofload run`: the main job.

use proofload_core::verdict::ExitCode;

use super::args::RunArgs;
use super::console::Console;
use super::execute::{Job, execute};
use super::failure::Failure;
use super::{load, repeat};

/// Runs a plan from a file.
pub(super) fn run(args: RunArgs, console: &Console) -> Result<ExitCode, Failure> {
    if let Some(times) = args.repeat.repeat.filter(|_| !args.output.print_plan) {
        return repeat::run(&args, times, console);
    }
    let plan = load::plan(&args.plan, &args.variables, args.overrides.overrides(), console)?;
    execute(Job::new(plan, args.output), console)
}
