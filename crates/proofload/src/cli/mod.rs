//! The command line: arguments, environment, exit codes. The only place that prints or exits.

mod args;
mod baseline;
mod check;
mod compare;
mod console;
mod demo;
mod execute;
mod export;
mod facts;
mod failure;
mod files;
mod formats;
mod full_screen;
mod history;
mod http;
mod live;
mod load;
mod output;
mod outputs;
mod repeat;
mod report;
mod run;
mod runs;
mod sides;
mod signals;
mod suite;
mod web;

use std::process;

use clap::Parser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use proofload_core::verdict::ExitCode;
use proofload_engine::workload::code::Users;

use self::args::{Args, Command, TestArgs};
use self::console::Console;
use self::execute::{Job, execute};
use self::failure::Failure;

/// Runs the command of this process's arguments.
#[must_use]
pub fn main() -> process::ExitCode {
    let console = Console::new();
    let code = match Args::try_parse() {
        Ok(args) => dispatch(args, &console).unwrap_or_else(|failure| {
            console.error(&failure);
            failure.code
        }),
        Err(error) => usage(error),
    };
    process::ExitCode::from(code.code())
}

/// Runs a test with users written in Rust, by this process's arguments.
pub(crate) fn test_main(plan: &str, users: Users) -> process::ExitCode {
    let console = Console::new();
    let code = match TestArgs::try_parse() {
        Ok(args) => test(args, plan, users, &console).unwrap_or_else(|failure| {
            console.error(&failure);
            failure.code
        }),
        Err(error) => usage(error),
    };
    process::ExitCode::from(code.code())
}

fn test(args: TestArgs, plan: &str, users: Users, console: &Console) -> Result<ExitCode, Failure> {
    let TestArgs { plan: file, variables, overrides, output } = args;
    let flags = overrides.overrides();
    let plan = load::with_users(file.as_deref(), plan, &variables, flags, &users, console)?;
    execute(Job { users: Some(users), ..Job::new(plan, output) }, console)
}

fn dispatch(args: Args, console: &Console) -> Result<ExitCode, Failure> {
    match args.command {
        Command::Run(args) => run::run(args, console),
        Command::Http(args) => http::run(&args, console),
        Command::Web(args) => web::run(args, console),
        Command::Demo(args) => demo::run(args, console),
        Command::History(args) => history::run(&args, console),
        Command::Suite(args) => suite::run(&args, console),
        Command::Check(args) => check::run(&args, console),
        Command::Compare(args) => compare::run(&args, console),
        Command::Baseline(args) => baseline::run(&args, console),
        Command::Schema(args) => check::schema(&args, console),
        Command::Report(args) => report::run(&args, console),
        Command::Export(args) => export::run(&args, console),
    }
}

/// Help and version are no errors; everything else about arguments is exit code 64.
fn usage(mut error: clap::Error) -> ExitCode {
    hide_values(&mut error);
    // Printing fails only when nobody reads, and then there is nobody to tell.
    let _ = error.print();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => ExitCode::Passed,
        _ => ExitCode::Usage,
    }
}

/// Arguments whose values may be secrets: what is wrong with one is told without repeating it.
const SECRET_ARGUMENTS: &[&str] = &["--env", "--header", "--basic", "--web-token"];

fn hide_values(error: &mut clap::Error) {
    let Some(ContextValue::String(argument)) = error.get(ContextKind::InvalidArg) else { return };
    if SECRET_ARGUMENTS.iter().any(|secret| argument.starts_with(secret)) {
        error.insert(ContextKind::InvalidValue, ContextValue::String("***".to_owned()));
    }
}
