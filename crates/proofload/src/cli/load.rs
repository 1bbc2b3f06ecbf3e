//! Reading plans from files, with the environment.

use std::io;
use std::path::Path;

use proofload_core::plan::{Colours, Inputs, Overrides, Plan, Quick};
use proofload_engine::workload::code::Users;

use super::console::Console;
use super::failure::Failure;

/// Reads a plan with everything that flags and the environment change in it; flags win.
pub(super) fn plan(
    path: &Path,
    variables: &[(String, String)],
    flags: Overrides,
    console: &Console,
) -> Result<Plan, Failure> {
    let overrides = flags.or(environment()?);
    let path = path.to_string_lossy();
    Plan::load(&path, &overrides, &inputs(variables))
        .map_err(|errors| Failure::plans(errors.render(colours(console))))
}

/// Reads the plan of a test with users written in Rust: a file, or the text that is built in.
pub(super) fn with_users(
    file: Option<&Path>,
    built_in: &str,
    variables: &[(String, String)],
    flags: Overrides,
    users: &Users,
    console: &Console,
) -> Result<Plan, Failure> {
    let overrides = flags.or(environment()?);
    let kinds = users.for_plan();
    let inputs = Inputs { kinds: &kinds, ..inputs(variables) };
    let plan = match file {
        Some(file) => Plan::load(&file.to_string_lossy(), &overrides, &inputs),
        None => Plan::parse("<built-in plan>", built_in, &overrides, &inputs),
    };
    plan.map_err(|errors| Failure::plans(errors.render(colours(console))))
}

/// Reads a plan that is built in, with the built-in files it includes.
pub(super) fn built_in(
    name: &str,
    files: &[(&str, &str)],
    overrides: &Overrides,
    console: &Console,
) -> Result<Plan, Failure> {
    let load = |path: &str| {
        let file = files.iter().find(|(name, _)| *name == path);
        file.map(|(_, text)| text.as_bytes().to_vec())
            .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "it is not built in"))
    };
    Plan::load(name, overrides, &Inputs { load: &load, ..inputs(&[]) })
        .map_err(|errors| Failure::plans(errors.render(colours(console))))
}

/// Makes the plan of a one-liner.
pub(super) fn quick(
    quick: &Quick,
    overrides: &Overrides,
    console: &Console,
) -> Result<Plan, Failure> {
    quick
        .plan(overrides, &inputs(&[]))
        .map_err(|errors| Failure::plans(errors.render(colours(console))))
}

/// What the environment changes.
pub(super) fn environment() -> Result<Overrides, Failure> {
    Overrides::from_env(|name| std::env::var(name).ok()).map_err(|errors| {
        let lines: Vec<_> = errors.iter().map(ToString::to_string).collect();
        Failure::usage(lines.join("\n"))
    })
}

fn inputs(variables: &[(String, String)]) -> Inputs<'_> {
    Inputs {
        load: &|path| std::fs::read(path),
        variables,
        kinds: &[],
        environment: &|name| std::env::var(name).ok(),
    }
}

fn colours(console: &Console) -> Colours {
    if console.error_style().color { Colours::Ansi } else { Colours::Plain }
}
