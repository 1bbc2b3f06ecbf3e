//! `proofload demo story`: the same plan against the demo service before and after it was made to hold its load,
//! and what became of the claims.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Zoned;
use proofload_core::compare::{RunEvidence, Side};
use proofload_core::improvement::{Halves, Improvement, SettingRow};
use proofload_core::plan::{Overrides, Plan};
use proofload_core::result::RunResult;
use proofload_core::suite::{Suite, SuiteInfo, SuiteInput, SuiteResult, TestRow};
use proofload_core::units::human_duration;
use proofload_core::verdict::ExitCode;
use proofload_report::improvement::{improvement, settings as settings_text};
use proofload_report::suite::test_line;
use proofload_report::summary::SummaryOptions;
use proofload_testbed::demo::{DatabasePlace, DemoOptions, Knobs};

use super::claims::{CLAIMS, RUSH};
use super::outside::{self, PostgresArgs};
use super::watch::PoolWatch;
use crate::cli::args::{OutputArgs, OutputFlags, parse_variable};
use crate::cli::console::Console;
use crate::cli::execute::{Amend, Finished, Host, Job, perform, show};
use crate::cli::failure::Failure;
use crate::cli::files::RunFolder;
use crate::cli::load;
use crate::cli::output::Destination;
use crate::cli::outputs::Out;
use crate::cli::signals::Interrupts;
use crate::cli::suite::{outcome_of, rename_folder};

/// The plan of both halves, and what the second proves: examples like any other.
const PLAN: (&str, &str) = ("story.toml", include_str!("../../../../../examples/story.toml"));
const SUITE: (&str, &str) =
    ("story-suite.toml", include_str!("../../../../../examples/story-suite.toml"));

/// What `-o` writes of a story.
const OUTPUT_FILE: &str = "Write the result of the second half, which has the improvement in it, as JSON to this \
                           file; `-` for standard output";

/// The variable of the plan that is always the demo here.
const TARGET: &str = "TARGET";

#[derive(Debug, clap::Args)]
#[command(mut_arg("output_file", |arg| arg.help(OUTPUT_FILE)))]
pub(in crate::cli) struct StoryArgs {
    /// Set a variable of the plan: RUSH and STEP (how long), BURST (messages a second beside the trickle),
    /// BURST_AT and BURST_FOR (when, and for how long)
    #[arg(short = 'e', long = "env", value_name = "KEY=VALUE", value_parser = parse_variable)]
    variables: Vec<(String, String)>,
    /// Redis in which the caches of the second half keep what they remember too
    #[arg(long, value_name = "URL")]
    redis: Option<String>,
    #[command(flatten)]
    postgres: PostgresArgs,
    #[command(flatten, next_help_heading = "Output")]
    flags: OutputFlags,
}

/// Runs both halves.
pub(super) fn run(args: &StoryArgs, console: &Console) -> Result<ExitCode, Failure> {
    super::hide(args.redis.as_deref(), &args.postgres, console);
    check_variables(&args.variables)?;
    let plan = || load::built_in(PLAN.0, &[PLAN], &args.variables, &overrides(), console);
    let suite = load::built_in_suite(SUITE.0, SUITE.1, &args.variables, console)?;
    let (before, after) = (plan()?, plan()?);
    let root = args.flags.root();
    let folder = RunFolder::create(root, "story", &Zoned::now()).map_err(|error| {
        Failure::output(format!(
            "results cannot be written to {}: {error}\n  --results DIR puts them elsewhere",
            root.display()
        ))
    })?;
    // Before any load: half of a story is none.
    Destination::prepare(args.flags.output_file.as_deref())?;
    args.flags.out.iter().try_for_each(|out| out.prepare(Some(folder.path())))?;
    let database = match args.redis.is_some() || args.postgres.is_given() {
        true => outside::check(demo_options(args, Knobs::after()))?,
        false => None,
    };
    let interrupts = Interrupts::default();
    let story = Story {
        args,
        database,
        host: Host { console, interrupts: &interrupts },
        folder: folder.path(),
        is_quiet: args.flags.is_silent(),
    };
    story.tell(before, after, suite)
}

/// A variable that the plan does not have would be ignored, and two minutes later somebody would wonder.
fn check_variables(variables: &[(String, String)]) -> Result<(), Failure> {
    let known: BTreeSet<&str> = [PLAN.1, SUITE.1]
        .iter()
        .flat_map(|text| text.split("${").skip(1))
        .filter_map(|rest| rest.split([':', '}']).next())
        .filter(|name| *name != TARGET)
        .collect();
    match variables.iter().find(|(name, _)| !known.contains(name.as_str())) {
        None => Ok(()),
        Some((name, _)) => {
            let known = known.into_iter().collect::<Vec<_>>().join(", ");
            Err(Failure::usage(format!("the story has no variable `{name}`: it has {known}")))
        }
    }
}

/// The demo of a half.
fn demo_options(args: &StoryArgs, knobs: Knobs) -> DemoOptions {
    // Without a cache there is nothing to keep in Redis.
    let redis = args.redis.clone().filter(|_| knobs.cache);
    args.postgres.applied_to(DemoOptions { knobs, redis, ..DemoOptions::default() })
}

/// The target is the demo, whatever the environment says: the story is about that.
fn overrides() -> Overrides {
    Overrides { target: Some("demo".to_owned()), ..Overrides::default() }
}

/// Both halves of a story.
#[derive(Clone, Debug)]
struct Story<'a> {
    args: &'a StoryArgs,
    /// Where the data is, if not in memory.
    database: Option<DatabasePlace>,
    host: Host<'a>,
    folder: &'a Path,
    is_quiet: bool,
}

impl Story<'_> {
    fn tell(&self, before: Plan, after: Plan, suite: Suite) -> Result<ExitCode, Failure> {
        let style = self.host.console.output_style();
        let settings = self.settings(&Knobs::before(), &Knobs::after());
        if !self.is_quiet {
            self.host.console.print(&settings_text(&settings, &style));
        }
        let first =
            self.half("before", Job::new(before, self.output(None, &[])), Knobs::before())?;
        if first.code == ExitCode::Interrupted {
            return Ok(first.code);
        }
        let side = rush_of(&first.result);
        let notes = self.notes(&Knobs::before(), &first.result);
        let amend = Amend(Box::new(move |after: &mut RunResult, code| {
            after.improvement = Some(Improvement {
                before: "../before/result.json".to_owned(),
                settings,
                requirements: requirements(&suite, after, code),
                claims: claims(&first.result, after),
                notes,
            });
        }));
        let output = self.output(self.args.flags.output_file.clone(), &self.args.flags.out);
        let job = Job { reference: Some(side), amend: Some(amend), ..Job::new(after, output) };
        let second = self.half("after", job, Knobs::after())?;
        if !self.is_quiet
            && let Some(found) = &second.result.improvement
        {
            let path =
                |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
            let (result, report) = (path(&second.written.file), path(&second.written.report));
            let options = SummaryOptions {
                style,
                exit_code: second.code,
                result_path: result.as_deref(),
                report_path: report.as_deref(),
            };
            self.host.console.print(&improvement(found, &second.result, &options));
        }
        second.written.failure.map_or(Ok(second.code), Err)
    }

    /// Runs one half and says in a line how it went.
    fn half(&self, name: &str, job: Job, knobs: Knobs) -> Result<Finished, Failure> {
        let console = self.host.console;
        if !self.is_quiet {
            let number = if name == "before" { 1 } else { 2 };
            console.print_error(&format!("\nHalf {number} of 2: {name}\n"));
        }
        let demo = demo_options(self.args, knobs);
        let started = Instant::now();
        let mut watch = PoolWatch::default();
        let mut finished = perform(Job { demo, ..job }, self.host, &mut [&mut watch])?;
        rename_folder(&mut finished.written, name);
        if !self.is_quiet {
            let row = TestRow {
                // As wide as the longer of both: they stand below each other.
                name: format!("{name:<6}"),
                duration_seconds: started.elapsed().as_secs_f64(),
                ..TestRow::default()
            };
            let row = outcome_of(row, &finished.result, finished.code).row;
            console.print(&test_line(&row, &console.output_style()));
            if self.args.flags.verbose {
                let Finished { result, code, written, .. } = &finished;
                show(result, *code, written, console);
            }
        }
        Ok(finished)
    }

    fn output(&self, output_file: Option<PathBuf>, asked: &[Out]) -> OutputArgs {
        let out = [&[Out::markdown()], asked].concat();
        OutputArgs {
            flags: OutputFlags {
                output_file,
                results: Some(self.folder.to_owned()),
                out,
                quiet: self.is_quiet,
                ..self.args.flags.clone()
            },
            ..OutputArgs::default()
        }
    }
}

/// What the second half is compared with: the rush of the first. The steps of users are another load in each
/// half, as a service that is slow is asked less often and ends them sooner.
fn rush_of(before: &RunResult) -> Side {
    let mut evidence = RunEvidence::of(before);
    evidence.phases.retain(|phase| phase.name == RUSH);
    evidence.phases.iter_mut().for_each(|phase| phase.monitors.clear());
    Side { label: "before".to_owned(), runs: vec![evidence] }
}

fn claims(before: &RunResult, after: &RunResult) -> Vec<proofload_core::improvement::ClaimRow> {
    let halves = Halves { before, after, comparison: after.comparison.as_ref() };
    CLAIMS.iter().map(|claim| claim.judge(&halves)).collect()
}

/// What the second half proves, judged as the only test of its suite.
fn requirements(
    suite: &Suite,
    after: &RunResult,
    code: ExitCode,
) -> Vec<proofload_core::suite::RequirementRow> {
    let name = suite.tests.first().map(|test| test.name.to_string()).unwrap_or_default();
    let outcome = outcome_of(TestRow { name, ..TestRow::default() }, after, code);
    let input = SuiteInput {
        suite,
        timestamp: after.timestamp.clone(),
        info: SuiteInfo::default(),
        outcomes: &[outcome],
        is_strict: false,
    };
    SuiteResult::build(&input).0.requirements
}

impl Story<'_> {
    /// How the service is set up in both halves, by the knobs that set it up.
    fn settings(&self, before: &Knobs, after: &Knobs) -> Vec<SettingRow> {
        let row = |name: &str, of: &dyn Fn(&Knobs) -> String| SettingRow {
            name: name.to_owned(),
            before: of(before),
            after: of(after),
        };
        let backend = if self.database.is_some() { "PostgreSQL, made slow" } else { "simulated" };
        let kept = if self.args.redis.is_some() { "in memory and in Redis" } else { "in memory" };
        vec![
            row("the backend is", &|_| backend.to_owned()),
            row("it answers a chat in", &|knobs| human_duration(knobs.miss_latency)),
            row("and checks a message in", &|knobs| human_duration(knobs.check_latency)),
            row("connections to the backend", &|knobs| match knobs.connections {
                Some(connections) => connections.to_string(),
                None => "no bound".to_owned(),
            }),
            row("wait for a connection", &|knobs| match knobs.connection_wait {
                wait if wait.is_zero() => "as long as it takes".to_owned(),
                wait => format!("{}, then 503", human_duration(wait)),
            }),
            row("circuit breaker before it", &|knobs| {
                if knobs.breaker { "yes" } else { "no" }.to_owned()
            }),
            row("cache of answers", &|knobs| if knobs.cache { kept } else { "no" }.to_owned()),
            row("requests at a time", &|knobs| match knobs.capacity {
                Some(capacity) => format!("{capacity}; {} wait, then 503", knobs.queue),
                None => "no bound".to_owned(),
            }),
        ]
    }

    /// What has to be known to read the figures.
    fn notes(&self, before: &Knobs, result: &RunResult) -> Vec<String> {
        let connections = before.connections.unwrap_or(1);
        let rate = |call: Duration| connections as f64 / call.as_secs_f64().max(f64::EPSILON);
        let (chats, checks) = (rate(before.miss_latency), rate(before.check_latency));
        let cut_off: u64 =
            result.test_results.iter().map(|phase| phase.iterations.interrupted).sum();
        let mut notes = vec![
            self.backend_note(),
            format!(
                "Before, {connections} connections make {chats:.0} chats or {checks:.0} checks a second at most, and \
                 that is what limits it. Nothing else differs between the halves than what the table says."
            ),
            "P99, average, gain and success are those of the rush; hit rate and costs those of all. The intervals of \
             times are those of their change, and they are claimed only where the comparison, which judges all its \
             measures together, is sure of it too; the other intervals are those of the figure after."
                .to_owned(),
            "Rush is open load: messages come whether or not earlier ones are answered, and times count from when \
             each came. Users is closed load with pauses of 1 to 3 s: a service that slows down is asked less, so \
             only its steps are judged, each by itself, and not compared as a whole."
                .to_owned(),
            "How often the cache hits is a matter of the questions: here nine of ten are among 40 that many ask."
                .to_owned(),
        ];
        if self.args.redis.is_some() {
            notes.push(
                "After, every answer is written to Redis, too, and a question that memory does not know is looked up \
                 there first. One process alone finds its answers in memory: what Redis brings shows with several, or \
                 after a restart."
                    .to_owned(),
            );
        }
        if cut_off > 0 {
            notes.push(format!(
                "Before, {cut_off} requests were still unanswered when their phase ended and are in no figure: it \
                 was slower than the figures say."
            ));
        }
        notes
    }

    /// What of the backend is real, and what is not.
    fn backend_note(&self) -> String {
        let Some(DatabasePlace { server, replica, .. }) = &self.database else {
            return "The backend is simulated: its calls wait and use no processor, which the service shares with the \
                    load generator."
                .to_owned();
        };
        let replica = match replica {
            Some(replica) => format!("Messages would be read from the replica at {replica}"),
            None => "Messages would be read from the same server".to_owned(),
        };
        format!(
            "The backend is PostgreSQL at {server}. The connections to it, the queries and their answers are real; how \
             long a query takes is made up: it sleeps in the server (pg_sleep) for as long as the table says, so that it \
             occupies a connection and a process there, and hardly a processor. {replica}, but this plan asks for none."
        )
    }
}
