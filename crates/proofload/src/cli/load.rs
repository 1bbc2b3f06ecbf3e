//! Reading plans from files, with the environment.

use std::io;
use std::path::Path;

use proofload_core::plan::{Colours, Inputs, Overrides, Plan, PlanErrors, Quick};
use proofload_core::redact::is_secret_name;
use proofload_core::suite::Suite;
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
    plan_over(path, variables, flags, Overrides::default(), console)
}

/// The same with changes over which flags and the environment win.
pub(super) fn plan_over(
    path: &Path,
    variables: &[(String, String)],
    flags: Overrides,
    beneath: Overrides,
    console: &Console,
) -> Result<Plan, Failure> {
    hide_secrets(variables, console);
    let overrides = flags.or(environment()?).or(beneath);
    let path = path.to_string_lossy();
    Plan::load(&path, &overrides, &inputs(variables, &lookup(console)))
        .map_err(|errors| Failure::plans(errors.render(colours(console))))
}

/// Reads a suite. The plans it names are not read.
pub(super) fn suite(
    path: &Path,
    variables: &[(String, String)],
    console: &Console,
) -> Result<Suite, Failure> {
    hide_secrets(variables, console);
    Suite::load(&path.to_string_lossy(), &inputs(variables, &lookup(console)))
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
    hide_secrets(variables, console);
    let overrides = flags.or(environment()?);
    let kinds = users.for_plan();
    let environment = lookup(console);
    let inputs = Inputs { kinds: &kinds, ..inputs(variables, &environment) };
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
    variables: &[(String, String)],
    overrides: &Overrides,
    console: &Console,
) -> Result<Plan, Failure> {
    hide_secrets(variables, console);
    let load = |path: &str| {
        let file = files.iter().find(|(name, _)| *name == path);
        file.map(|(_, text)| text.as_bytes().to_vec())
            .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "it is not built in"))
    };
    Plan::load(name, overrides, &Inputs { load: &load, ..inputs(variables, &lookup(console)) })
        .map_err(|errors| Failure::plans(errors.render(colours(console))))
}

/// Reads a suite that is built in. The plans it names are not read.
pub(super) fn built_in_suite(
    name: &str,
    text: &str,
    variables: &[(String, String)],
    console: &Console,
) -> Result<Suite, Failure> {
    Suite::parse(name, text, &inputs(variables, &lookup(console)))
        .map_err(|errors| Failure::plans(errors.render(colours(console))))
}

/// Makes the plan of a one-liner. Its mistakes are told without the plan, which nobody has seen.
pub(super) fn quick(
    quick: &Quick,
    overrides: &Overrides,
    console: &Console,
) -> Result<Plan, Failure> {
    quick.plan(overrides, &inputs(&[], &lookup(console))).map_err(|errors| {
        let PlanErrors { diagnostics, .. } = errors;
        let lines = diagnostics.into_iter().map(|wrong| match wrong.help {
            Some(help) => format!("{} ({help})", wrong.message),
            None => wrong.message,
        });
        Failure::usage(lines.collect::<Vec<_>>().join("\n"))
    })
}

/// What the environment changes.
pub(super) fn environment() -> Result<Overrides, Failure> {
    Overrides::from_env(|name| std::env::var(name).ok()).map_err(|errors| {
        let lines: Vec<_> = errors.iter().map(ToString::to_string).collect();
        Failure::usage(lines.join("\n"))
    })
}

/// What is named like a secret is treated as one.
fn hide_secrets(variables: &[(String, String)], console: &Console) {
    for (_, value) in variables.iter().filter(|(name, _)| is_secret_name(name)) {
        console.hide(value);
    }
}

fn inputs<'a>(
    variables: &'a [(String, String)],
    environment: &'a dyn Fn(&str) -> Option<String>,
) -> Inputs<'a> {
    Inputs { load: &|path| std::fs::read(path), variables, kinds: &[], environment }
}

/// Looks variables up in the environment; what is named like a secret is treated as one.
fn lookup(console: &Console) -> impl Fn(&str) -> Option<String> {
    |name| {
        let value = std::env::var(name).ok()?;
        if is_secret_name(name) {
            console.hide(&value);
        }
        Some(value)
    }
}

pub(super) fn colours(console: &Console) -> Colours {
    if console.error_style().color { Colours::Ansi } else { Colours::Plain }
}
