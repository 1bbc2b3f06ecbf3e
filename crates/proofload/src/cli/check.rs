//! Checking plans, and the schemas that editors check them with.

use proofload_core::plan::{Overrides, json_schema, suite_json_schema};
use proofload_core::result::RunResult;
use proofload_core::suite::SuiteResult;
use proofload_core::units;
use proofload_core::verdict::ExitCode;

use super::args::{CheckArgs, SchemaArgs, SchemaOf};
use super::console::Console;
use super::failure::Failure;
use super::load;

/// Reads every plan and says what is wrong with it.
pub(super) fn run(args: &CheckArgs, console: &Console) -> Result<ExitCode, Failure> {
    let mut wrong = Vec::new();
    for path in &args.plans {
        match load::plan(path, &args.variables, Overrides::default(), console) {
            Ok(plan) => {
                let known: Option<Vec<_>> =
                    plan.phases.iter().map(|phase| phase.load.duration()).collect();
                let length = known.map_or_else(
                    || "until its iterations are done".to_owned(),
                    |times| units::human_duration(times.iter().sum()),
                );
                console.line(&format!(
                    "{}: fine ({}, {}, {length})",
                    path.display(),
                    counted(plan.phases.len(), "phase", "phases"),
                    counted(plan.users.len(), "kind of user", "kinds of user"),
                ));
            }
            Err(failure) => wrong.push(failure.message),
        }
    }
    if wrong.is_empty() { Ok(ExitCode::Passed) } else { Err(Failure::plans(wrong.join("\n"))) }
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// Prints a schema.
pub(super) fn schema(args: &SchemaArgs, console: &Console) -> Result<ExitCode, Failure> {
    let schema = match args.of {
        SchemaOf::Plan => json_schema(),
        SchemaOf::Result => RunResult::json_schema(),
        SchemaOf::Suite => suite_json_schema(),
        SchemaOf::SuiteResult => SuiteResult::json_schema(),
    };
    let text = serde_json::to_string_pretty(&schema).map_err(Failure::internal)?;
    console.line(&text);
    Ok(ExitCode::Passed)
}
