//! From a plan to an exit code: health check, run, progress, result, summary.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use jiff::Zoned;
use proofload_core::compare::{RunEvidence, Side};
use proofload_core::improvement::Improvement;
use proofload_core::plan::{BaseUrl, Plan, Scheme, Secrets, Target};
use proofload_core::record::RunRecord;
use proofload_core::result::{ResultInput, RunInfo, RunResult, build};
use proofload_core::verdict::{ExitCode, RunEnd};
use proofload_engine::run::{HealthError, RunHandle, RunOptions, RunOutcome, check_health, start};
use proofload_engine::system;
use proofload_engine::workload::Scripted;
use proofload_engine::workload::code::{Combined, Users};
use proofload_output::Output;
use proofload_report::comparison::comparison;
use proofload_report::summary::{SummaryOptions, details, summary};
use proofload_testbed::demo::{Demo, DemoOptions};

use super::args::OutputArgs;
use super::baseline::Reference;
use super::console::Console;
use super::failure::Failure;
use super::full_screen::{self, FullScreen};
use super::live::{Listener, Monitored, ProgressLines, Underway};
use super::output::{Places, Written};
use super::outputs::{self, LiveOutputs};
use super::signals::Interrupts;
use super::{demo, facts, live, web};

/// Something to run.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) plan: Plan,
    /// The plan as TOML, where it was written by us.
    pub(super) text: Option<String>,
    pub(super) output: OutputArgs,
    /// Whether it leaves a folder behind even if nobody asked for one.
    pub(super) keeps_result: bool,
    /// Users written in Rust, beside the plan's.
    pub(super) users: Option<Users>,
    /// How the demo service behaves, if the plan's target is that.
    pub(super) demo: DemoOptions,
    /// What it is compared with, instead of what the flags name.
    pub(super) reference: Option<Side>,
    /// What is added to its result before that is written down.
    pub(super) amend: Option<Amend>,
}

/// Adds something to a result, given the exit code that the run has up to there.
pub(super) struct Amend(pub(super) Box<Amendment>);

type Amendment = dyn FnOnce(&mut RunResult, ExitCode);

impl fmt::Debug for Amend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Amend")
    }
}

impl Job {
    /// A plan as it is, with a folder of its own.
    pub(super) fn new(plan: Plan, output: OutputArgs) -> Self {
        Self {
            plan,
            text: None,
            output,
            keeps_result: true,
            users: None,
            demo: DemoOptions::default(),
            reference: None,
            amend: None,
        }
    }
}

/// What a job runs in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Host<'a> {
    pub(super) console: &'a Console,
    pub(super) interrupts: &'a Interrupts,
}

/// A job that was run.
#[derive(Debug)]
pub(super) struct Finished {
    /// What came out, without secrets.
    pub(super) result: RunResult,
    /// What it was made of.
    pub(super) record: RunRecord,
    pub(super) code: ExitCode,
    /// Where it was written, and what could not be.
    pub(super) written: Written,
}

/// Runs a plan and says how it went: the whole command.
pub(super) fn execute(job: Job, console: &Console) -> Result<ExitCode, Failure> {
    if job.output.print_plan {
        console.print(&job.text.unwrap_or_else(|| job.plan.to_toml(Secrets::Hide)));
        return Ok(ExitCode::Passed);
    }
    let interrupts = Interrupts::default();
    let is_quiet = job.output.flags.is_silent();
    let is_verbose = job.output.flags.verbose;
    let host = Host { console, interrupts: &interrupts };
    let finished = match web::Following::open(&job, console)? {
        None => perform(job, host, &mut [])?,
        Some(mut page) => {
            let finished = perform(job, host, &mut [&mut page]);
            page.close(&finished);
            finished?
        }
    };
    if !is_quiet && is_verbose {
        console.print(&details(&finished.result, &console.output_style()));
    }
    if !is_quiet {
        show(&finished.result, finished.code, &finished.written, console);
    }
    finished.written.failure.map_or(Ok(finished.code), Err)
}

/// Runs a job to its end and writes down what came out. `listeners` follow it beside the progress
/// lines, which come with the job.
pub(super) fn perform(
    job: Job,
    host: Host<'_>,
    listeners: &mut [&mut dyn Listener],
) -> Result<Finished, Failure> {
    let Job { plan, output, keeps_result, users, demo, reference, amend, .. } = job;
    let mut ready = get_ready(plan, demo, &output, keeps_result, reference, host)?;
    let measured = put_on(&mut ready, users, &output, host, listeners)?;
    conclude(ready, measured, &output, amend, host.console)
}

/// A job whose load can be put on: whatever can be known to be wrong before is not.
struct Ready {
    plan: Arc<Plan>,
    info: RunInfo,
    reference: Option<Reference>,
    places: Places,
    opened: Vec<Box<dyn Output>>,
    /// The demo service, if the plan wants it: as long as this lives.
    _demo: Option<Demo>,
}

/// A load that was put on.
struct Measured {
    outcome: RunOutcome,
    info: RunInfo,
    environment: BTreeMap<String, String>,
    outputs: LiveOutputs,
    monitored: Vec<Monitored>,
}

fn get_ready(
    mut plan: Plan,
    demo: DemoOptions,
    output: &OutputArgs,
    keeps_result: bool,
    reference: Option<Side>,
    host: Host<'_>,
) -> Result<Ready, Failure> {
    let console = host.console;
    if has_view(output) {
        full_screen::check(console)?;
    }
    let began = Zoned::now();
    // Results know the demo service by its name: its port is another one in each run.
    let info = facts::begun(&plan, &began);
    let reference = match reference {
        Some(side) => Some(Reference::of(side)),
        None => Reference::prepare(&output.against, &info)?,
    };
    let places = Places::prepare(output, keeps_result, &plan.name, &began, console)?;
    let demo = start_demo(&mut plan, demo)?;
    warn_about_descriptors(&plan, console);
    if !output.no_health_check {
        ask_whether_it_is_there(&plan, host)?;
    }
    let opened = outputs::open(&output.flags.out, &plan, &info, places.folder(), console)?;
    Ok(Ready { plan: Arc::new(plan), info, reference, places, opened, _demo: demo })
}

/// The health check. From here on a signal does not end the process by itself: whoever starts Proofload in the
/// background has signals ignored until somebody listens, and could not end a long wait for the target.
fn ask_whether_it_is_there(plan: &Plan, host: Host<'_>) -> Result<(), Failure> {
    host.interrupts.watch(live::told_to_stop).map_err(Failure::internal)?;
    check_health(plan, &|| host.interrupts.came()).map_err(|error| match error {
        HealthError::Interrupted { .. } => {
            Failure::interrupted(format!("{error}\n  no load was put on"))
        }
        _ => {
            Failure::target(format!("{error}\n  no load was put on; --no-health-check skips this"))
        }
    })
}

fn has_view(output: &OutputArgs) -> bool {
    output.tui && !output.flags.quiet
}

fn put_on(
    ready: &mut Ready,
    users: Option<Users>,
    output: &OutputArgs,
    host: Host<'_>,
    listeners: &mut [&mut dyn Listener],
) -> Result<Measured, Failure> {
    let (plan, console) = (&ready.plan, host.console);
    let started = Instant::now();
    let run = begin(plan, users, output)?;
    host.interrupts.guard(run.controls(), live::told_to_stop).map_err(Failure::internal)?;
    let environment = facts::environment(run.facts());
    let underway = Underway {
        plan,
        info: &ready.info,
        environment: &environment,
        controls: run.controls(),
        folder: ready.places.folder(),
    };
    let opened = std::mem::take(&mut ready.opened);
    let mut outputs = LiveOutputs::begin(run.facts().workers, &underway, opened, console);
    let mut view = has_view(output).then(|| FullScreen::new(plan, &ready.info, host));
    let is_hidden = view.as_ref().map(FullScreen::is_open);
    let is_hidden = move || is_hidden.as_ref().is_some_and(|is_hidden| is_hidden());
    let mut progress =
        (!output.flags.quiet).then(|| ProgressLines::new(plan, console).behind(is_hidden));
    let mut all: Vec<&mut dyn Listener> = vec![&mut outputs];
    // Before the progress lines, which come back when it has gone.
    all.extend(view.as_mut().map(|view| view as &mut dyn Listener));
    all.extend(progress.as_mut().map(|progress| progress as &mut dyn Listener));
    all.extend(listeners.iter_mut().map(|listener| &mut **listener as &mut dyn Listener));
    all.iter_mut().for_each(|listener| listener.begin(&underway));
    let mut outcome = live::follow(run, &mut all);
    let monitored = all.iter_mut().flat_map(|listener| listener.monitored()).collect();
    outputs.settle().iter().for_each(|text| outcome.record.note(text));
    let info = facts::ended(ready.info.clone(), started.elapsed(), &outcome);
    Ok(Measured { outcome, info, environment, outputs, monitored })
}

/// Judges, compares and writes down what was measured.
fn conclude(
    ready: Ready,
    measured: Measured,
    output: &OutputArgs,
    amend: Option<Amend>,
    console: &Console,
) -> Result<Finished, Failure> {
    let Ready { plan, reference, places, .. } = ready;
    let Measured { outcome, info, environment, outputs, monitored } = measured;
    let mut input = ResultInput::of_plan(&plan, &outcome.record, info, environment);
    for Monitored { phase, measure, value } in monitored {
        if let Some(facts) = input.phases.get_mut(phase) {
            facts.monitors.insert(measure, value);
        }
    }
    let (result, verdict) = build(&input);
    let code = ExitCode::of_run(RunEnd {
        grade: verdict.grade,
        is_trustworthy: verdict.is_trustworthy(),
        is_strict: output.flags.strict,
        is_interrupted: outcome.interrupted,
        is_incomplete: outcome.workers_lost > 0,
    });
    let mut result = redacted(&result, console)?;
    let overlay = reference.as_ref().map(Reference::overlay);
    let compared = reference.map(|reference| {
        let runs = vec![RunEvidence::of(&result)];
        reference.compare("this run", runs, &plan.comparison)
    });
    let compared = compared.transpose();
    result.comparison = compared.as_ref().ok().cloned().flatten();
    let code = code.with_regression(has_regressed(&result));
    if let Some(Amend(amend)) = amend {
        amend(&mut result, code);
    }
    let code = code.with_regression(has_failed(&result));
    outputs.finish(&result, console);
    let mut written = places.write(&result, code, overlay.as_ref(), console)?;
    if written.failure.is_none() {
        places.discard_journal();
    }
    // The run is written down; that it cannot be compared is told after that.
    if let Err(refused) = compared {
        written.failure.get_or_insert(refused);
    }
    Ok(Finished { result, record: outcome.record, code, written })
}

fn begin(
    plan: &Arc<Plan>,
    users: Option<Users>,
    output: &OutputArgs,
) -> Result<RunHandle, Failure> {
    let options = RunOptions { workers: output.flags.workers, seed: None };
    let run = match users {
        None => {
            let workload = Scripted::new(Arc::clone(plan)).map_err(Failure::input)?;
            start(Arc::clone(plan), &workload, options)
        }
        Some(users) => {
            let workload = Combined::new(Arc::clone(plan), users).map_err(Failure::input)?;
            start(Arc::clone(plan), &workload, options)
        }
    };
    run.map_err(Failure::internal)
}

/// The result without secrets: names and URLs may have been made of some.
pub(super) fn redacted(result: &RunResult, console: &Console) -> Result<RunResult, Failure> {
    let mut value = serde_json::to_value(result).map_err(Failure::internal)?;
    console.redactor().json(&mut value);
    serde_json::from_value(value).map_err(Failure::internal)
}

/// Prints the summary of a result.
pub(super) fn show(result: &RunResult, code: ExitCode, written: &Written, console: &Console) {
    let path = written.file.as_deref().map(Path::to_string_lossy);
    let report = written.report.as_deref().map(Path::to_string_lossy);
    console.print(&summary(
        result,
        &SummaryOptions {
            style: console.output_style(),
            exit_code: code,
            result_path: path.as_deref(),
            report_path: report.as_deref(),
        },
    ));
    if let Some(found) = &result.comparison {
        console.print(&comparison(found, &console.output_style()));
    }
}

fn has_regressed(result: &RunResult) -> bool {
    result.comparison.as_ref().is_some_and(|comparison| comparison.has_regressed)
}

/// Whether it says of a change that it does not do what was required.
fn has_failed(result: &RunResult) -> bool {
    result.improvement.as_ref().is_some_and(Improvement::has_failed)
}

/// The exit code that a result's run had, as far as the result knows.
pub(super) fn code_of(result: &RunResult) -> ExitCode {
    let code = ExitCode::of_run(RunEnd {
        grade: result.summary.grade,
        is_trustworthy: result.summary.trustworthy,
        is_strict: false,
        is_interrupted: result.run.interrupted,
        is_incomplete: result.run.incomplete,
    });
    code.with_regression(has_regressed(result) || has_failed(result))
}

/// Starts the demo service if the plan wants it, and points the plan at it.
fn start_demo(plan: &mut Plan, options: DemoOptions) -> Result<Option<Demo>, Failure> {
    if plan.target != Target::Demo {
        return Ok(None);
    }
    let demo = demo::start(options)?;
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
