//! Load testing with a verdict you can trust.
//!
//! This crate is the `proofload` command ([`cli`]) and the way to the same from Rust: users written as
//! async functions, with the phases, measurements, verdict and arguments of a plan.
//!
//! ```no_run
//! use std::process::ExitCode;
//! use std::time::Duration;
//!
//! use proofload::prelude::*;
//!
//! async fn read(user: &mut User) -> TaskResult {
//!     user.get("/health").expect_status(200).send().await?;
//!     Ok(())
//! }
//!
//! const PLAN: &str = r#"
//!     target = "http://127.0.0.1:8000"
//!
//!     [[phase]]
//!     name = "Normal load"
//!     users = 50
//!     duration = "30s"
//!     expect = { p95 = "<300ms", error_rate = "<1%" }
//! "#;
//!
//! fn main() -> ExitCode {
//!     let reader = Kind::new("reader")
//!         .think_time(Duration::from_millis(100))
//!         .task("read", 1, read);
//!     proofload::main(PLAN, Users::new().kind(reader))
//! }
//! ```
//!
//! Such a program takes the flags of `proofload run` (`--users`, `--duration`, `--target`, …), listens to
//! the same environment, and ends with the same exit codes.
//!
//! The parts it is made of are libraries of their own: `proofload-core` (plans, schedules, metrics,
//! verdicts), `proofload-engine` (runs a plan) and `proofload-report` (renders results).

use std::process::ExitCode;

pub mod cli;

/// What a test in Rust is written with.
pub mod prelude {
    pub use proofload_engine::workload::code::{
        Answer, CheckError, Kind, Load, Pause, Random, RequestBuilder, RequestError, TaskError,
        TaskResult, Test, User, Users,
    };
}

/// Runs a test whose users are written in Rust, by the arguments of this process, and says how it went.
///
/// `plan` is a plan in TOML (or a [`Test`](prelude::Test) as text), with target, phases and expectations; kinds of users in it take part
/// beside `users`. Its phases name kinds with `mix`. An argument may name another plan's file.
///
/// Prints progress and summary, writes the result file. The exit codes are those of the command.
#[must_use]
pub fn main(plan: &str, users: prelude::Users) -> ExitCode {
    cli::test_main(plan, users)
}
