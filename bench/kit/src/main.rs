//! What the parts of `proofload-kit` cost, against the caches a service would use without it, measured in one run.
//!
//! Contenders take turns round by round in rotating order, so that noise of the machine falls on all of them; the measure
//! is CPU time of the thread, and the figure the median of the rounds. `bench/kit/README.md` says how to read it.
//!
//! - `contender`: the caches under one interface;
//! - `hits`: what a hit costs, and what it allocates;
//! - `scaling`: hits with more threads;
//! - `trace`, `ratio`: streams of keys, and the share of them that caches of the same size answer;
//! - `guards`: what a call through the breaker and the limiter costs; `together`: with two threads at the same one;
//! - `clock`, `median`, `table`: time, medians of rounds, Markdown.

mod clock;
mod contender;
mod guards;
mod hits;
mod median;
mod ratio;
mod scaling;
mod table;
mod together;
mod trace;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

/// Measures proofload-kit against moka, quick_cache and cached.
#[derive(Debug, Parser)]
struct Args {
    /// Rounds that the median is taken of; at least 5.
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u32).range(5..))]
    rounds: u32,
    /// Look-ups of a contender in a round.
    #[arg(long, default_value_t = 400_000, value_parser = clap::value_parser!(u32).range(1_000..))]
    lookups: u32,
    /// Keys in a trace of the hit ratios.
    #[arg(long, default_value_t = 2_000_000, value_parser = clap::value_parser!(u32).range(1_000..))]
    trace: u32,
    /// Seed of everything random.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where the tables are written to, too.
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to tell when standard error is gone.
            let _ = writeln!(std::io::stderr(), "proofload-kit-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> std::io::Result<()> {
    let mut page = table::heading(args.rounds, args.lookups, args.seed);
    let sections =
        [hits::measure as fn(&Args) -> String, scaling::measure, guards::measure, ratio::measure];
    for section in sections {
        let text = section(args);
        std::io::stdout().write_all(text.as_bytes())?;
        page.push_str(&text);
    }
    if let Some(file) = &args.write {
        std::fs::write(file, page)?;
    }
    Ok(())
}
