//! From a plan to an exit code: health check, run, progress, result, summary.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use jiff::Zoned;
use proofload_core::plan::{BaseUrl, Plan, Scheme, Secrets, Target};
use proofload_core::result::{ResultInput, RunInfo, RunResult, build};
use proofload_core::verdict::{ExitCode, RunEnd};
use proofload_engine::run::{RunOptions, RunOutcome, check_health, start};
use proofload_engine::system;
use proofload_engine::workload::Scripted;
use proofload_engine::workload::code::{Combined, Users};
use proofload_report::summary::{SummaryOptions, summary};
use proofload_testbed::demo::{Demo, DemoOptions};

use super::args::OutputArgs;
use super::console::Console;
use super::failure::Failure;
use super::output::Destination;
use super::{demo, live, signals};

/// Something to run.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) plan: Plan,
    /// The plan as TOML, where it was written by us.
    pub(super) text: Option<String>,
    pub(super) output: OutputArgs,
    /// Whether the result goes into a file even if nobody asked for one.
    pub(super) keeps_result: bool,
    /// Users written in Rust, beside the plan's.
    pub(super) users: Option<Users>,
}

/// Runs a plan and says how it went.
pub(super) fn execute(job: Job, console: &Console) -> Result<ExitCode, Failure> {
    let Job { mut plan, text, output, keeps_result, users } = job;
    if output.print_plan {
        console.print(&text.unwrap_or_else(|| plan.to_toml(Secrets::Hide)));
        return Ok(ExitCode::Passed);
    }
    let began = Zoned::now();
    let destination =
        Destination::prepare(output.output_file.as_deref(), keeps_result, &plan.name, &began)?;
    let _demo = start_demo(&mut plan)?;
    let plan = Arc::new(plan);
    warn_about_descriptors(&plan, console);
    if !output.no_health_check {
        check_health(&plan).map_err(|error| {
            Failure::target(format!("{error}\n  no load was put on; --no-health-check skips this"))
        })?;
    }
    let started = Instant::now();
    let options = RunOptions { workers: output.workers, seed: None };
    let run = match users {
        None => {
            let workload = Scripted::new(Arc::clone(&plan)).map_err(Failure::input)?;
            start(Arc::clone(&plan), &workload, options)
        }
        Some(users) => {
            let workload = Combined::new(Arc::clone(&plan), users).map_err(Failure::input)?;
            start(Arc::clone(&plan), &workload, options)
        }
    };
    let run = run.map_err(Failure::internal)?;
    signals::forward(run.stopper(), live::told_to_stop).map_err(Failure::internal)?;
    let outcome = live::follow(run, &plan, &output, console);
    let (result, code) = judge(&plan, &outcome, &began, started, &output);
    let result = redacted(&result, console)?;
    let json = result.to_json().map_err(Failure::internal)?;
    let written = destination.write(&json, console);
    let path = written.as_ref().ok().copied().flatten();
    if !output.quiet && !matches!(destination, Destination::Stdout) {
        show(&result, code, path, console);
    }
    written.map(|_| code)
}

/// The result without secrets: names and URLs may have been made of some.
fn redacted(result: &RunResult, console: &Console) -> Result<RunResult, Failure> {
    let mut value = serde_json::to_value(result).map_err(Failure::internal)?;
    console.redactor().json(&mut value);
    serde_json::from_value(value).map_err(Failure::internal)
}

/// Prints the summary of a result.
pub(super) fn show(result: &RunResult, code: ExitCode, path: Option<&Path>, console: &Console) {
    let path = path.map(Path::to_string_lossy);
    console.print(&summary(
        result,
        &SummaryOptions {
            style: console.output_style(),
            exit_code: code,
            result_path: path.as_deref(),
        },
    ));
}

/// The exit code that a result's run had, as far as the result knows.
pub(super) fn code_of(result: &RunResult) -> ExitCode {
    ExitCode::of_run(RunEnd {
        grade: result.summary.grade,
        is_trustworthy: result.summary.trustworthy,
        is_strict: false,
        is_interrupted: result.run.interrupted,
        is_incomplete: result.run.incomplete,
    })
}

/// Starts the demo service if the plan wants it, and points the plan at it.
fn start_demo(plan: &mut Plan) -> Result<Option<Demo>, Failure> {
    if plan.target != Target::Demo {
        return Ok(None);
    }
    let demo = demo::start(DemoOptions::default())?;
    let address = demo.addr();
    plan.target = Target::Url(BaseUrl {
        scheme: Scheme::Http,
        host: address.ip().to_string().into(),
        port: address.port(),
        prefix: "".into(),
    });
    Ok(Some(demo))
}

fn warn_about_descriptors(plan: &Plan, console: &Console) {
    /// What a process needs besides one descriptor for each user.
    const BESIDES: u64 = 64;
    let limit = system::raise_descriptor_limit();
    let users = plan.phases.iter().map(|phase| u64::from(phase.load.peak_users())).max();
    if let Some(users) = users.filter(|users| users + BESIDES > limit.hard) {
        console.notice(&format!(
            "{users} users need about as many open files, and this process may open {}; \
             raise the limit (`ulimit -Hn`) or expect errors of the generator",
            limit.hard
        ));
    }
}

fn judge(
    plan: &Plan,
    outcome: &RunOutcome,
    began: &Zoned,
    started: Instant,
    output: &OutputArgs,
) -> (RunResult, ExitCode) {
    let time = |zoned: &Zoned| zoned.timestamp().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
    let ended = time(&Zoned::now());
    let target = match &plan.target {
        Target::Demo => "demo".to_owned(),
        Target::Url(url) => url.to_string(),
    };
    let run = RunInfo {
        name: plan.name.to_string(),
        target,
        started: time(began),
        ended,
        duration_seconds: started.elapsed().as_secs_f64(),
        interrupted: outcome.interrupted,
        incomplete: outcome.workers_lost > 0,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let input = ResultInput::of_plan(plan, &outcome.record, run, environment(outcome));
    let (result, verdict) = build(&input);
    let code = ExitCode::of_run(RunEnd {
        grade: verdict.grade,
        is_trustworthy: verdict.is_trustworthy(),
        is_strict: output.strict,
        is_interrupted: outcome.interrupted,
        is_incomplete: outcome.workers_lost > 0,
    });
    (result, code)
}

fn environment(outcome: &RunOutcome) -> BTreeMap<String, String> {
    BTreeMap::from([
        ("os".to_owned(), std::env::consts::OS.to_owned()),
        ("arch".to_owned(), std::env::consts::ARCH.to_owned()),
        ("workers".to_owned(), outcome.workers.to_string()),
        ("seed".to_owned(), outcome.seed.to_string()),
        ("open_files_limit".to_owned(), outcome.descriptor_limit.soft.to_string()),
    ])
}
