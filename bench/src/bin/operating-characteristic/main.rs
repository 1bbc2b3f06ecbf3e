//! How often comparisons are wrong, and what they find: the table in `docs/operating-characteristic.md`.
//!
//! Two parts. The simulated one makes up services whose requests depend on one another and whose runs
//! differ although nothing was changed, and compares thousands of them; it is the same every time. The
//! real one (`--real N`) runs the built `proofload` against its demo service, again and again, and compares
//! those runs: first with themselves, then with a service that is 5 % slower.
//!
//! * [`service`] a made-up service
//! * [`tally`] what became of many comparisons
//! * [`simulated`] the simulated part
//! * [`real`] the real part
//! * [`page`] the page

mod page;
mod real;
mod service;
mod simulated;
mod tally;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

/// Measures how often comparisons of runs are wrong, and writes the table.
#[derive(Debug, Parser)]
#[command(name = "operating-characteristic", version)]
struct Args {
    /// Comparisons of each simulated case
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    comparisons: u32,
    /// Seed of the simulated part
    #[arg(long, default_value_t = 20_261_121)]
    seed: u64,
    /// So many real comparisons of one run with one other, of a service with itself; takes about 5 s each
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=2000))]
    real: u32,
    /// So many real comparisons of eight runs a side with a service that is 5 % slower; 40 s each
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=200))]
    real_slower: u32,
    /// Length of a real run, in seconds
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=60))]
    seconds: u32,
    /// Keep results of real runs in this folder, and take up those that are there
    #[arg(long, value_name = "FOLDER")]
    keep: Option<PathBuf>,
    /// Write the page to this file; to standard output if not given
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
}

impl Args {
    /// The command that repeats this.
    fn command(&self) -> String {
        let mut command = format!(
            "cargo run --release -p proofload-bench --bin operating-characteristic -- --comparisons {} \
             --seed {}",
            self.comparisons, self.seed
        );
        if self.real > 0 || self.real_slower > 0 {
            command += &format!(
                " --real {} --real-slower {} --seconds {}",
                self.real, self.real_slower, self.seconds
            );
        }
        if let Some(path) = &self.write {
            command += &format!(" --write {}", path.display());
        }
        command
    }
}

fn main() -> ExitCode {
    let args = Args::parse();
    match run(&args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            say("a bar is not met: see the page");
            ExitCode::FAILURE
        }
        Err(error) => {
            say(&format!("operating-characteristic: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Whether all bars are met.
fn run(args: &Args) -> Result<bool, String> {
    let simulated = simulated::run_all(args.comparisons, args.seed);
    let real = real::run(&real::Amount {
        pairs: args.real,
        slower: args.real_slower,
        seconds: args.seconds,
        keep: args.keep.as_deref(),
    })?;
    let text = page::page(&args.command(), args.comparisons, &simulated, real.as_ref());
    match &args.write {
        Some(path) => {
            std::fs::write(path, &text).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        None => {
            // Nobody reading any more is not an error.
            let _ = std::io::stdout().write_all(text.as_bytes());
        }
    }
    Ok(page::is_met(&simulated, real.as_ref()))
}

/// A line on standard error.
fn say(text: &str) {
    // Nothing is left to tell when standard error is gone.
    let _ = writeln!(std::io::stderr(), "{text}");
}
