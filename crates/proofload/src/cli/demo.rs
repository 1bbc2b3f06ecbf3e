//! `proofload demo`: the built-in service, alone, with a plan run against it, or before and after it was made
//! to hold its load.

mod claims;
mod outside;
mod story;
mod watch;

pub(super) use self::outside::PostgresArgs;
pub(super) use self::story::StoryArgs;

use proofload_core::plan::Overrides;
use proofload_core::verdict::ExitCode;
use proofload_testbed::demo::{DatabasePlace, Demo, DemoOptions, Knobs};

use super::args::{DemoArgs, DemoCommand};
use super::console::Console;
use super::execute::{Job, execute};
use super::failure::Failure;
use super::{load, signals};

/// The plan of the demo and what it includes: examples like any other.
const PLAN: &[(&str, &str)] = &[
    ("demo.toml", include_str!("../../../../examples/demo.toml")),
    ("dchat-users.toml", include_str!("../../../../examples/dchat-users.toml")),
];

/// Serves the demo, or runs its plan.
pub(super) fn run(args: DemoArgs, console: &Console) -> Result<ExitCode, Failure> {
    if let Some(DemoCommand::Story(args)) = &args.command {
        return story::run(args, console);
    }
    hide(args.redis.as_deref(), &args.postgres, console);
    let options = options(&args);
    if args.serve {
        return serve(start(options)?, console);
    }
    let overrides = Overrides {
        target: Some("demo".to_owned()),
        ..args.overrides.overrides().or(Overrides { target: None, ..load::environment()? })
    };
    let plan = load::built_in("demo.toml", PLAN, &[], &overrides, console)?;
    execute(Job { demo: options, ..Job::new(plan, args.output) }, console)
}

/// Starts the demo service.
pub(super) fn start(options: DemoOptions) -> Result<Demo, Failure> {
    Demo::start(options)
        .map_err(|error| Failure::target(format!("the demo service could not start: {error}")))
}

/// The passwords in addresses are secrets.
fn hide(redis: Option<&str>, postgres: &PostgresArgs, console: &Console) {
    if let Some(redis) = redis {
        outside::hide_passwords(redis, console);
    }
    postgres.hide(console);
}

fn options(args: &DemoArgs) -> DemoOptions {
    let options =
        DemoOptions { port: args.port, redis: args.redis.clone(), ..DemoOptions::default() };
    let mut options = args.postgres.applied_to(options);
    if let Some(threads) = args.threads {
        options.threads = threads.max(1);
    }
    let knobs = &mut options.knobs;
    if args.before {
        *knobs = Knobs::before();
    } else if args.after {
        *knobs = Knobs::after();
    }
    knobs.latency = args.latency.unwrap_or(knobs.latency);
    knobs.error_rate = args.error_rate.unwrap_or(knobs.error_rate);
    knobs.capacity = args.capacity.or(knobs.capacity);
    options
}

fn serve(demo: Demo, console: &Console) -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::internal)?;
    let signals = {
        let _runtime = runtime.enter();
        signals::Signals::new()
    };
    // Listens before it says so: whoever has read the line may end it at once.
    let mut signals = signals.map_err(Failure::internal)?;
    console.line(&format!("The demo service listens on {} (Ctrl-C ends it).", demo.url()));
    if let Some(DatabasePlace { server, replica, schema }) = demo.database() {
        let replica = replica.map(|replica| format!(", messages are read from {replica}"));
        let replica = replica.unwrap_or_default();
        console.line(&format!(
            "Its data is in PostgreSQL at {server}, schema {schema}, which it drops when it ends{replica}."
        ));
    }
    runtime.block_on(signals.next());
    demo.stop();
    Ok(ExitCode::Passed)
}
