//! What can be said on the command line.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use clap::{ArgAction, Parser, Subcommand};
use proofload_core::plan::Overrides;
use proofload_core::units;

use super::baseline::{AgainstBaselineArgs, BaselineArgs};
use super::compare::CompareArgs;
use super::demo::{PostgresArgs, StoryArgs};
use super::export::ExportArgs;
use super::files;
use super::history::HistoryArgs;
use super::outputs::Out;
use super::repeat::RepeatArgs;
use super::report::{self, ReportArgs};
use super::suite::SuiteArgs;
use super::web::{ServeArgs, WebArgs};

const EXIT_CODES: &str = "\
Exit codes:
  0    EXCELLENT or GOOD, or nothing was expected
  1    FAIR: every limit kept, too few targets met
  2    POOR: a limit is broken
  3    the measurement is not trustworthy (with --strict)
  4    incomplete: cut off, or a part of the load generator was lost
  64   bad command line        65   bad plan or input file
  69   target unreachable      70   a bug of Proofload
  74   the result could not be written
  130  interrupted; the report is still written";

/// Load testing with a verdict you can trust.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, after_help = EXIT_CODES, max_term_width = 100)]
pub(super) struct Args {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run a plan: put load on a service and judge it
    #[command(after_help = EXIT_CODES)]
    Run(RunArgs),
    /// Load one URL, for people who come from ab, hey, wrk and oha
    #[command(after_help = HTTP_EXAMPLES)]
    Http(HttpArgs),
    /// Serve a page from which plans are run and steered, until Ctrl-C
    #[command(after_help = WEB_EXAMPLES)]
    Web(ServeArgs),
    /// Start the built-in demo service and run a short plan against it
    Demo(DemoArgs),
    /// Run tests one after the other, and say which requirements they prove
    #[command(after_help = super::suite::EXIT_CODES)]
    Suite(SuiteArgs),
    /// Show runs over time, and where a measure changed its level
    History(HistoryArgs),
    /// Compare runs: what changed, and whether that is real
    #[command(after_help = super::compare::EXAMPLES)]
    Compare(CompareArgs),
    /// Accept results as a baseline for version control, and compare later ones with it
    Baseline(BaselineArgs),
    /// Check a plan without running it
    Check(CheckArgs),
    /// Print the JSON Schema of plans (for editors) or of results
    Schema(SchemaArgs),
    /// Show the summary of a result again, or convert it into another format
    #[command(after_help = report::EXAMPLES)]
    Report(ReportArgs),
    /// Turn a plan's expectations into alert rules and a dashboard for production
    Export(ExportArgs),
}

/// What can be said about everything that puts load on: a run, a suite, a story.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct OutputFlags {
    /// Write the result as JSON to this file; `-` for standard output
    #[arg(short = 'o', long, value_name = "FILE")]
    pub(super) output_file: Option<PathBuf>,
    /// Folder in which a folder of its own is left; `proofload-results` if not given
    #[arg(long, value_name = "DIR", env = "PROOFLOAD_RESULTS", hide_env_values = true)]
    pub(super) results: Option<PathBuf>,
    /// Where else it goes; may be given several times. At its end: html, json, junit, markdown or csv,
    /// each with a file (csv: the beginning of its files' names) or into the folder of the run. While it
    /// runs: ndjson (a file; compressed if it ends in .zst), prometheus (an address to be scraped at),
    /// prometheus-rw and otlp (a URL)
    #[arg(long, value_name = "KIND[=WHERE]")]
    pub(super) out: Vec<Out>,
    /// No progress and no summary: the exit code and the result file say it all
    #[arg(short, long)]
    pub(super) quiet: bool,
    /// Show every request of every phase too, and where its time went
    #[arg(short, long)]
    pub(super) verbose: bool,
    /// Exit with 3 when a measurement is not trustworthy, or in a suite a requirement unproven
    #[arg(long)]
    pub(super) strict: bool,
    /// Workers (threads); as many as this process may use cores if not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub(super) workers: Option<u32>,
}

impl OutputFlags {
    /// Whether standard output belongs to the result.
    pub(super) fn is_result_on_stdout(&self) -> bool {
        self.output_file.as_deref().is_some_and(|path| path.as_os_str() == "-")
    }

    /// Whether no summary is shown.
    pub(super) fn is_silent(&self) -> bool {
        self.quiet || self.is_result_on_stdout()
    }

    /// The folder in which runs leave folders of their own.
    pub(super) fn root(&self) -> &Path {
        self.results.as_deref().unwrap_or(Path::new(files::RESULTS))
    }
}

/// What can be said about every run.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct OutputArgs {
    #[command(flatten)]
    pub(super) flags: OutputFlags,
    /// Show the run on the whole terminal, with charts and keys to pause and scale it
    #[arg(long, conflicts_with = "quiet")]
    pub(super) tui: bool,
    /// Do not ask the target whether it is there before loading it
    #[arg(long)]
    pub(super) no_health_check: bool,
    /// Print the plan as it would be run, and do not run it
    #[arg(long)]
    pub(super) print_plan: bool,
    #[command(flatten)]
    pub(super) web: WebArgs,
    #[command(flatten)]
    pub(super) against: AgainstBaselineArgs,
}

/// What changes a plan that has been read.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Changes to the plan")]
pub(super) struct OverrideArgs {
    /// Another service: a URL, or `demo` [env: PROOFLOAD_TARGET, LOAD_TEST_HOST]
    #[arg(short, long, value_name = "URL", alias = "host")]
    target: Option<String>,
    /// Peak number of users; stages are scaled to it [env: PROOFLOAD_USERS, LOAD_TEST_USERS]
    #[arg(short, long, value_name = "N", value_parser = Overrides::parse_users, allow_negative_numbers = true)]
    users: Option<u32>,
    /// Peak rate of open load, such as 500/s [env: PROOFLOAD_RATE]
    #[arg(short, long, value_name = "RATE", value_parser = Overrides::parse_rate, allow_negative_numbers = true)]
    rate: Option<f64>,
    /// Length of every phase, such as 30s [env: PROOFLOAD_DURATION, LOAD_TEST_RUN_TIME]
    #[arg(short, long, value_name = "TIME", alias = "run-time", value_parser = parse_time)]
    duration: Option<Duration>,
    /// Users started a second at the beginning [env: PROOFLOAD_SPAWN_RATE, LOAD_TEST_SPAWN_RATE]
    #[arg(long, value_name = "RATE", value_parser = Overrides::parse_rate, allow_negative_numbers = true)]
    spawn_rate: Option<f64>,
    /// Iterations of each user, or of all together where the phase shares them
    #[arg(long, value_name = "N", value_parser = parse_count::<u64>, allow_negative_numbers = true)]
    iterations: Option<u64>,
    /// Only this phase; may be given several times
    #[arg(short, long, value_name = "NAME", action = ArgAction::Append)]
    phase: Vec<String>,
    /// Seed of every random choice
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

impl OverrideArgs {
    pub(super) fn overrides(&self) -> Overrides {
        Overrides {
            target: self.target.clone(),
            users: self.users,
            rate: self.rate,
            duration: self.duration,
            spawn_rate: self.spawn_rate,
            iterations: self.iterations,
            think_time: None,
            phases: self.phase.clone(),
            seed: self.seed,
        }
    }
}

#[derive(Debug, clap::Args)]
pub(super) struct RunArgs {
    /// The plan
    #[arg(value_name = "PLAN")]
    pub(super) plan: PathBuf,
    /// Set a variable of the plan's `${KEY}`; may be given several times
    #[arg(short = 'e', long = "env", value_name = "KEY=VALUE", value_parser = parse_variable)]
    pub(super) variables: Vec<(String, String)>,
    #[command(flatten)]
    pub(super) overrides: OverrideArgs,
    #[command(flatten)]
    pub(super) repeat: RepeatArgs,
    #[command(flatten, next_help_heading = "Output")]
    pub(super) output: OutputArgs,
}

/// Arguments of a test whose users are written in Rust: those of `proofload run`, with a plan built
/// in.
#[derive(Debug, Parser)]
#[command(after_help = EXIT_CODES, max_term_width = 100)]
pub(super) struct TestArgs {
    /// Another plan than the built-in one
    #[arg(value_name = "PLAN")]
    pub(super) plan: Option<PathBuf>,
    /// Set a variable of the plan's `${KEY}`; may be given several times
    #[arg(short = 'e', long = "env", value_name = "KEY=VALUE", value_parser = parse_variable)]
    pub(super) variables: Vec<(String, String)>,
    #[command(flatten)]
    pub(super) overrides: OverrideArgs,
    #[command(flatten, next_help_heading = "Output")]
    pub(super) output: OutputArgs,
}

const WEB_EXAMPLES: &str = "\
Examples:
  proofload web plan.toml                        http://127.0.0.1:8089/
  proofload web a.toml b.toml --web=:0           on a free port
  PROOFLOAD_WEB_TOKEN=… proofload web plan.toml --web=0.0.0.0:8089
                                                 for others, who need the token

Exit codes: 0 after Ctrl-C; 64, 65 as for `run`; 74 if the page cannot be served";

const HTTP_EXAMPLES: &str = "\
Examples:
  proofload http http://127.0.0.1:8000/                      50 connections for 10 s
  proofload http http://127.0.0.1:8000/ -n 10000 -c 100      as with ab
  proofload http http://127.0.0.1:8000/ -r 500 -d 30s        500 requests/s, measured from when each
                                                             should have started
  proofload http http://127.0.0.1:8000/api -m POST -H 'content-type: application/json' -b @body.json";

#[derive(Debug, clap::Args)]
pub(super) struct HttpArgs {
    /// What to ask; `http://` if it names no scheme
    #[arg(value_name = "URL")]
    pub(super) url: String,
    /// So many requests in all
    #[arg(short = 'n', long, value_name = "N", value_parser = parse_count::<u64>, allow_negative_numbers = true)]
    pub(super) requests: Option<u64>,
    /// How long; 10s if neither this nor -n is given
    #[arg(short, long, value_name = "TIME", value_parser = parse_time)]
    pub(super) duration: Option<Duration>,
    /// Connections, each one a virtual user; 50 if not given, more with a rate
    #[arg(short, long, value_name = "N", value_parser = parse_count::<u32>, allow_negative_numbers = true)]
    pub(super) connections: Option<u32>,
    /// Open load: so many requests a second, whether or not the service keeps up
    #[arg(short, long, value_name = "RATE", value_parser = Overrides::parse_rate, allow_negative_numbers = true)]
    pub(super) rate: Option<f64>,
    /// Request method; POST if there is a body, else GET
    #[arg(short, long, value_name = "METHOD")]
    pub(super) method: Option<String>,
    /// Request header; may be given several times
    #[arg(short = 'H', long, value_name = "NAME: VALUE", value_parser = parse_header)]
    pub(super) header: Vec<(String, String)>,
    /// Request body, or @FILE
    #[arg(short, long, value_name = "BODY", alias = "data")]
    pub(super) body: Option<String>,
    /// Content type of the body
    #[arg(short = 'T', long, value_name = "TYPE")]
    pub(super) content_type: Option<String>,
    /// Basic credentials
    #[arg(short = 'u', long, value_name = "USER:PASSWORD")]
    pub(super) basic: Option<String>,
    /// Longest time for a request
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(super) timeout: Option<Duration>,
    /// What must hold, such as 'p99<300ms'; may be given several times
    #[arg(short = 'x', long, value_name = "EXPECTATION", value_parser = parse_expectation)]
    pub(super) expect: Vec<(String, String)>,
    /// Accept any TLS certificate
    #[arg(short = 'k', long)]
    pub(super) insecure: bool,
    /// Speak HTTP/2 (without TLS: by prior knowledge)
    #[arg(long)]
    pub(super) http2: bool,
    /// A new connection for every request
    #[arg(long)]
    pub(super) disable_keepalive: bool,
    /// Offer compressed answers
    #[arg(long)]
    pub(super) compressed: bool,
    /// Follow redirects
    #[arg(short = 'L', long)]
    pub(super) follow: bool,
    #[command(flatten, next_help_heading = "Output")]
    pub(super) output: OutputArgs,
}

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct DemoArgs {
    #[command(subcommand)]
    pub(super) command: Option<DemoCommand>,
    /// Only serve, until interrupted: to try other tools and plans against it
    #[arg(long)]
    pub(super) serve: bool,
    /// Port to serve on; a free one if not given
    #[arg(long, value_name = "PORT", default_value_t = 0, hide_default_value = true)]
    pub(super) port: u16,
    /// Threads of the demo service
    #[arg(long, value_name = "N")]
    pub(super) threads: Option<usize>,
    /// Base latency of every answer
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(super) latency: Option<Duration>,
    /// Share of answers that fail, such as 1%
    #[arg(long, value_name = "SHARE", value_parser = parse_share)]
    pub(super) error_rate: Option<f64>,
    /// Requests served at once; others wait in a bounded queue
    #[arg(long, value_name = "N")]
    pub(super) capacity: Option<usize>,
    /// Redis in which the demo's caches keep what they remember too
    #[arg(long, value_name = "URL")]
    pub(super) redis: Option<String>,
    #[command(flatten)]
    pub(super) postgres: PostgresArgs,
    /// The service of `demo story` before: a slow backend, few connections to it, no cache, no bounds
    #[arg(long, conflicts_with = "after")]
    pub(super) before: bool,
    /// The service of `demo story` after: the same backend behind a cache, a larger pool and bounded queues
    #[arg(long)]
    pub(super) after: bool,
    #[command(flatten)]
    pub(super) overrides: OverrideArgs,
    #[command(flatten, next_help_heading = "Output")]
    pub(super) output: OutputArgs,
}

#[derive(Debug, Subcommand)]
pub(super) enum DemoCommand {
    /// Run one plan against the demo before and after it was made to hold its load, and say what that
    /// has brought (about two minutes)
    #[command(after_help = EXIT_CODES)]
    Story(Box<StoryArgs>),
}

#[derive(Debug, clap::Args)]
pub(super) struct CheckArgs {
    /// The plans
    #[arg(value_name = "PLAN", required = true)]
    pub(super) plans: Vec<PathBuf>,
    /// Set a variable of the plan's `${KEY}`; may be given several times
    #[arg(short = 'e', long = "env", value_name = "KEY=VALUE", value_parser = parse_variable)]
    pub(super) variables: Vec<(String, String)>,
}

#[derive(Debug, clap::Args)]
pub(super) struct SchemaArgs {
    /// Of what
    #[arg(value_enum, default_value_t = SchemaOf::Plan)]
    pub(super) of: SchemaOf,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(super) enum SchemaOf {
    /// Of plans
    Plan,
    /// Of result files
    Result,
    /// Of suites
    Suite,
    /// Of results of suites
    SuiteResult,
}

fn parse_time(text: &str) -> Result<Duration, String> {
    Overrides::parse_duration(text)
}

/// A number of something of which there must be one; thousands may be set off by `_`.
fn parse_count<N: FromStr + PartialOrd + From<u8>>(text: &str) -> Result<N, String> {
    let count = text.trim().replace('_', "").parse().ok().filter(|count| *count >= N::from(1));
    count.ok_or_else(|| "expected a whole number from 1".to_owned())
}

fn parse_share(text: &str) -> Result<f64, String> {
    units::parse_ratio(text).map_err(|error| error.to_string())
}

pub(super) fn parse_variable(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE")?;
    if key.is_empty() {
        return Err("the name before `=` is empty".to_owned());
    }
    Ok((key.to_owned(), value.to_owned()))
}

fn parse_header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("expected NAME: VALUE")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

fn parse_expectation(text: &str) -> Result<(String, String), String> {
    let at = text.find(['<', '>', '=', '!']).ok_or("expected MEASURE<VALUE, such as p99<300ms")?;
    let (measure, bound) = text.split_at(at);
    Ok((measure.trim().to_owned(), bound.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn values_are_split_where_they_should_be() {
        let pair = |a: &str, b: &str| Ok((a.to_owned(), b.to_owned()));
        assert_eq!(parse_header("a: b:c"), pair("a", "b:c"));
        assert!(parse_header("a b").is_err());
        assert_eq!(parse_variable("K=v=w"), pair("K", "v=w"));
        assert!(parse_variable("=v").is_err());
        assert_eq!(parse_expectation("p99 < 300ms"), pair("p99", "< 300ms"));
        assert!(parse_expectation("p99").is_err());
    }
}
