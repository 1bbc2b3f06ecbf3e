//! `--web` and `proofload web`: the live page of a run, and a page from which runs are started.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use proofload_core::event::RunEvent;
use proofload_core::plan::{Overrides, Plan, Secrets};
use proofload_core::verdict::ExitCode;
use proofload_dashboard::{
    Config, Dashboard, Mode, PlanInfo, RunEnd, RunStart, Running, ServeError, StartRequest, Token,
    parse_address,
};
use proofload_engine::Stop;

use self::desk::{Desk, Steering};
use super::args::{OutputArgs, OverrideArgs, parse_variable};
use super::console::Console;
use super::execute::{Finished, Host, Job, perform};
use super::failure::Failure;
use super::live::{Listener, Underway};
use super::load;
use super::signals::Interrupts;

mod desk;
mod past;

/// How often `proofload web` looks whether it has been told to end.
const TICK: Duration = Duration::from_millis(200);

/// What can be said about the page.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Live page")]
pub(super) struct WebArgs {
    /// Serve a live page of the run: 127.0.0.1:8089 if no address is given; `:0` is a free port
    #[arg(
        long,
        value_name = "ADDR",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "",
        value_parser = parse_address
    )]
    pub(super) web: Option<SocketAddr>,
    /// What clients of the page must know; needed for addresses that other machines can reach.
    /// Better given in the environment, where it is not seen in the list of processes
    #[arg(
        long,
        value_name = "TOKEN",
        env = "PROOFLOAD_WEB_TOKEN",
        hide_env_values = true,
        value_parser = Token::new
    )]
    web_token: Option<Token>,
    /// A name beside `localhost` by which clients may call this machine; may be given several times
    #[arg(long, value_name = "NAME")]
    web_host: Vec<String>,
}

impl WebArgs {
    fn config(&self, address: SocketAddr, mode: Mode, console: &Console) -> Config {
        Config {
            token: self.web_token.clone(),
            hosts: self.web_host.clone(),
            redactor: console.redactor().clone(),
            ..Config::new(address, mode)
        }
    }
}

/// Arguments of `proofload web`.
#[derive(Debug, clap::Args)]
pub(super) struct ServeArgs {
    /// The plans that may be run from the page
    #[arg(value_name = "PLAN", required = true)]
    plans: Vec<PathBuf>,
    /// Set a variable of the plans' `${KEY}`; may be given several times
    #[arg(short = 'e', long = "env", value_name = "KEY=VALUE", value_parser = parse_variable)]
    variables: Vec<(String, String)>,
    #[command(flatten)]
    overrides: OverrideArgs,
    #[command(flatten, next_help_heading = "Output")]
    output: OutputArgs,
}

/// Why there is no page, as a failure of the command.
fn failure(error: ServeError) -> Failure {
    match error {
        ServeError::Config(error) => Failure::usage(error),
        ServeError::Taken(_) | ServeError::Listen(..) => Failure::output(error),
        error => Failure::internal(error),
    }
}

/// The page of a run that the command line has started.
#[derive(Debug)]
pub(super) struct Following {
    page: Running,
    steering: Arc<Steering>,
}

impl Following {
    /// Serves the page, if one is wanted, and says where.
    ///
    /// # Errors
    /// When it cannot be served. No load has been put on.
    pub(super) fn open(job: &Job, console: &Console) -> Result<Option<Self>, Failure> {
        let web = &job.output.web;
        let Some(address) = web.web else { return Ok(None) };
        let steering = Arc::<Steering>::default();
        let plan = PlanInfo::of(&job.plan);
        let desk =
            Desk::new(vec![plan], Arc::clone(&steering), job.output.flags.root().to_owned(), None);
        let config = web.config(address, Mode::Follow, console);
        let page = Dashboard::serve(config, Arc::new(desk)).map_err(failure)?;
        console.notice(&format!("the live page is at {}", page.url()));
        page.prepare(&job.plan.name);
        Ok(Some(Self { page, steering }))
    }

    /// Shows how it went, and serves no more.
    pub(super) fn close(self, finished: &Result<Finished, Failure>) {
        tell_end(&self.page, finished);
        self.page.stop();
    }
}

impl Listener for Following {
    fn begin(&mut self, run: &Underway<'_>) {
        begin(&self.page, &self.steering, run);
    }

    fn hear(&mut self, event: &RunEvent) {
        self.page.hear(event);
    }

    fn end(&mut self) {
        self.steering.let_go();
    }
}

/// A run that was started from the page.
struct FromPage<'a> {
    page: &'a Running,
    steering: &'a Steering,
}

impl Listener for FromPage<'_> {
    fn begin(&mut self, run: &Underway<'_>) {
        begin(self.page, self.steering, run);
    }

    fn hear(&mut self, event: &RunEvent) {
        self.page.hear(event);
    }

    fn end(&mut self) {
        self.steering.let_go();
    }
}

fn begin(page: &Running, steering: &Steering, run: &Underway<'_>) {
    steering.take(run.controls.clone());
    page.begin(RunStart {
        plan: Arc::clone(run.plan),
        info: run.info.clone(),
        environment: run.environment.clone(),
    });
}

fn tell_end(page: &Running, finished: &Result<Finished, Failure>) {
    match finished {
        Ok(finished) => page.end(RunEnd {
            result: Arc::new(finished.result.clone()),
            exit_code: finished.code,
            written_to: finished.written.file.as_ref().map(|file| file.display().to_string()),
        }),
        Err(failure) => page.fail(&failure.message),
    }
}

/// Serves a page from which plans are run, until a signal ends it.
pub(super) fn run(args: ServeArgs, console: &Console) -> Result<ExitCode, Failure> {
    let ServeArgs { plans, variables, overrides, output } = args;
    if output.flags.output_file.is_some() {
        return Err(Failure::usage(
            "`--output-file` names one file, and from the page many runs can be started; each leaves \
             its result in a folder of its own, below --results",
        ));
    }
    let read = |path: &PathBuf| load::plan(path, &variables, overrides.overrides(), console);
    let plans = plans.iter().map(read).collect::<Result<Vec<Plan>, Failure>>()?;
    if output.print_plan {
        plans.iter().for_each(|plan| console.print(&plan.to_toml(Secrets::Hide)));
        return Ok(ExitCode::Passed);
    }
    let interrupts = Interrupts::default();
    interrupts.watch(told_to_end).map_err(Failure::internal)?;
    let steering = Arc::<Steering>::default();
    let (asked, requests) = std::sync::mpsc::sync_channel(1);
    let infos = plans.iter().map(PlanInfo::of).collect();
    let desk = Desk::new(infos, Arc::clone(&steering), output.flags.root().to_owned(), Some(asked));
    let desk = Arc::new(desk);
    let address = match output.web.web {
        Some(address) => address,
        None => parse_address("").map_err(Failure::internal)?,
    };
    let config = output.web.config(address, Mode::Serve, console);
    let page = Dashboard::serve(config, Arc::<Desk>::clone(&desk)).map_err(failure)?;
    console.line(&format!("The page is at {} (Ctrl-C ends it).", page.url()));
    let host = Host { console, interrupts: &interrupts };
    while !interrupts.came() {
        let request = match requests.recv_timeout(TICK) {
            Ok(request) => request,
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => break,
        };
        let from_page = FromPage { page: &page, steering: &steering };
        perform_request(&request, &plans, &output, host, from_page);
        desk.is_free();
    }
    page.stop();
    Ok(ExitCode::Passed)
}

/// Runs what was asked for from the page. What goes wrong is shown on it and here.
fn perform_request(
    request: &StartRequest,
    plans: &[Plan],
    output: &OutputArgs,
    host: Host<'_>,
    mut listener: FromPage<'_>,
) {
    let page = listener.page;
    let finished = job(request, plans, output).and_then(|job| {
        page.prepare(&job.plan.name);
        host.console.line(&format!("{}: started from the page", job.plan.name));
        perform(job, host, &mut [&mut listener])
    });
    tell_end(page, &finished);
    match finished {
        Ok(Finished { result, written, .. }) => {
            let grade = result.summary.grade.map_or("no grade", |grade| grade.name());
            let place =
                written.file.map(|file| format!(", {}", file.display())).unwrap_or_default();
            host.console.line(&format!("{}: {grade}{place}", result.run.name));
            if let Some(failure) = written.failure {
                host.console.error(&failure);
            }
        }
        Err(failure) => host.console.error(&failure),
    }
}

/// A plan as the page wants it. Nothing but phases, users, rate and length can be asked for.
fn job(request: &StartRequest, plans: &[Plan], output: &OutputArgs) -> Result<Job, Failure> {
    let plan = plans.get(request.plan);
    let mut plan = plan.ok_or_else(|| Failure::usage("there is no such plan"))?.clone();
    let name = |phase: &usize| plan.phases.get(*phase).map(|phase| phase.name.to_string());
    let duration = request.duration_seconds.map(Duration::try_from_secs_f64).transpose();
    let overrides = Overrides {
        phases: request.phases.iter().filter_map(name).collect(),
        users: request.users,
        rate: request.rate,
        duration: duration.map_err(Failure::usage)?,
        ..Overrides::default()
    };
    plan.apply(&overrides).map_err(|errors| {
        let lines: Vec<_> = errors.iter().map(ToString::to_string).collect();
        Failure::usage(lines.join("\n"))
    })?;
    let mut output = output.clone();
    output.flags.quiet = true;
    Ok(Job::new(plan, output))
}

fn told_to_end(stop: Stop) {
    let text = match stop {
        Stop::Gracefully => {
            "ending; a run that is under way may finish its requests, once more ends it at once"
        }
        _ => "ending now",
    };
    Console::new().notice(text);
}
