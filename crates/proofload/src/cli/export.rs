//! `proofload export`: what a plan demands, as alerts and a dashboard for production.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ArgAction;
use proofload_core::plan::{Overrides, Plan};
use proofload_core::units;
use proofload_core::verdict::{ExitCode, MONITORS, Measure};
use proofload_report::export::{
    ExportError, Exported, MetricNames, Selector, Settings, grafana, prometheus_rules,
};

use super::console::Console;
use super::failure::Failure;
use super::load;
use super::output::Destination;

const EXAMPLES: &str = "\
Examples:
  proofload export prometheus-rules shop.toml -o shop.rules.yml
  proofload export prometheus-rules shop.toml --phase 'Normal load' --selector 'job=\"shop\"' --for 10m
  proofload export grafana shop.toml --convention prometheus --metric latency=shop_request_seconds";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ExportArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Alert rules for Prometheus: a missed target is a warning, a broken limit is critical
    #[command(after_help = EXAMPLES)]
    PrometheusRules(RulesArgs),
    /// A dashboard for Grafana, to be imported, with the targets and limits as lines
    #[command(after_help = EXAMPLES)]
    Grafana(PlanArgs),
}

#[derive(Debug, clap::Args)]
struct RulesArgs {
    #[command(flatten)]
    plan: PlanArgs,
    /// How long something must be wrong before there is an alert
    #[arg(long = "for", value_name = "TIME", default_value = "5m", value_parser = parse_time)]
    hold: Duration,
    /// Time over which rates and quantiles are taken
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = parse_time)]
    window: Duration,
    /// Share of the throughput of an hour ago below which there is an alert
    #[arg(long, value_name = "SHARE", default_value = "50%", value_parser = parse_share)]
    drop: f64,
}

#[derive(Debug, clap::Args)]
struct PlanArgs {
    /// The plan
    #[arg(value_name = "PLAN")]
    plan: PathBuf,
    /// Write to this file; standard output if not given
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Only what this phase expects; may be given several times. Of several phases the loosest
    /// bound counts
    #[arg(short, long, value_name = "NAME", action = ArgAction::Append)]
    phase: Vec<String>,
    /// Leave this measure out, such as rps; may be given several times
    #[arg(long, value_name = "MEASURE", action = ArgAction::Append)]
    skip: Vec<String>,
    /// What the service's metrics are called
    #[arg(long, value_enum, default_value_t = Convention::Opentelemetry)]
    convention: Convention,
    /// Another name for latency, requests, status, errors, `cache_hits`, `cache_misses` or
    /// `queue_depth`, or an expression for a monitor's measure, such as cpu='avg(my_cpu)'
    #[arg(long, value_name = "KEY=VALUE", value_parser = super::args::parse_variable)]
    metric: Vec<(String, String)>,
    /// Labels of the service, such as 'job="api"'
    #[arg(long, value_name = "LABELS", default_value = "", hide_default_value = true)]
    selector: String,
    /// Set a variable of the plan's `${KEY}`; may be given several times
    #[arg(short = 'e', long = "env", value_name = "KEY=VALUE", value_parser = super::args::parse_variable)]
    variables: Vec<(String, String)>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Convention {
    /// `http_server_request_duration_seconds`, with the label `http_response_status_code`
    Opentelemetry,
    /// `http_request_duration_seconds` and `http_requests_total`, with the label status
    Prometheus,
}

/// Writes rules or a dashboard.
pub(super) fn run(args: &ExportArgs, console: &Console) -> Result<ExitCode, Failure> {
    let (args, exported) = match &args.what {
        What::PrometheusRules(rules) => {
            let (plan, settings) = read(&rules.plan, console)?;
            let settings = Settings {
                hold: rules.hold,
                window: rules.window,
                drop_share: rules.drop,
                ..settings
            };
            (&rules.plan, prometheus_rules(&plan, &settings))
        }
        What::Grafana(args) => {
            let (plan, settings) = read(args, console)?;
            (args, grafana(&plan, &settings))
        }
    };
    let Exported { text, notes } = exported.map_err(Failure::usage)?;
    notes.iter().for_each(|note| console.notice(note));
    let place = args.output.as_deref().unwrap_or(Path::new("-"));
    Destination::prepare(Some(place))?.write(&text, console)?;
    Ok(ExitCode::Passed)
}

/// The plan, and how it is exported.
fn read(args: &PlanArgs, console: &Console) -> Result<(Plan, Settings), Failure> {
    let plan = load::plan(&args.plan, &args.variables, Overrides::default(), console)?;
    let settings = settings(args, &plan).map_err(Failure::usage)?;
    Ok((plan, settings))
}

fn settings(args: &PlanArgs, plan: &Plan) -> Result<Settings, ExportError> {
    let mut names = match args.convention {
        Convention::Opentelemetry => MetricNames::default(),
        Convention::Prometheus => MetricNames::prometheus(),
    };
    // Those that come with the tool, and those that only this plan has.
    let expectations = plan.phases.iter().flat_map(|phase| &phase.expect);
    let own = expectations.filter_map(|expectation| match expectation.measure() {
        Measure::Monitor(name) => Some(name.as_str()),
        _ => None,
    });
    let monitors: Vec<&str> = MONITORS.into_iter().chain(own).collect();
    for (key, value) in &args.metric {
        names.set(key, value, &monitors)?;
    }
    Ok(Settings {
        names,
        selector: Selector::parse(&args.selector)?,
        phases: args.phase.clone(),
        skip: args.skip.clone(),
        ..Settings::default()
    })
}

fn parse_time(text: &str) -> Result<Duration, String> {
    Overrides::parse_duration(text)
}

fn parse_share(text: &str) -> Result<f64, String> {
    units::parse_ratio(text).map_err(|error| error.to_string())
}
