//! The benchmark: one command that measures load generators against the same nginx and prints a table.
//!
//! nginx is pinned to one core, the peers run one at a time on another, round by round in rotating order, so that noise
//! of the machine falls on all of them. The measure is CPU time per completed request; `bench/README.md` says why.
//!
//! * [`args`] the command line
//! * [`session`] the whole run: server, rounds, samples
//! * [`server`] nginx: configuration, life, counters
//! * [`child`] one process tree on one core: CPU time, memory, deadline
//! * [`cores`] which core is whose
//! * [`procfs`] the readers of `/proc`
//! * [`peers`] one module a peer: its command line and its output
//! * [`locate`] where the peers' programs are, and building Proofload
//! * [`stats`] medians and paired ratios
//! * [`report`] the tables, as Markdown
//! * [`environment`] what the numbers were measured on

mod args;
mod child;
mod cores;
mod environment;
mod error;
mod locate;
mod peers;
mod procfs;
mod report;
mod scratch;
mod server;
mod session;
mod stats;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match session::run(&args::Args::parse()) {
        Ok(code) => code,
        Err(error) => {
            // Nothing is left to tell when standard error is gone.
            let _ = writeln!(std::io::stderr(), "proofload-bench: {error}");
            ExitCode::FAILURE
        }
    }
}
