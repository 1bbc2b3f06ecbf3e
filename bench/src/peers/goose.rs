//! Goose: a Rust library; the program around it is `bench/peers/goose`, a project of its own.

use std::process::Command;

use super::{Job, Output, Peer, ReadError, Reading, count, last_json_line, number};

/// The peer.
#[derive(Debug)]
pub(super) struct Goose;

impl Peer for Goose {
    fn name(&self) -> &'static str {
        "goose"
    }

    fn program(&self) -> &'static str {
        "goose-peer"
    }

    fn command(&self, job: &Job) -> Command {
        let mut command = job.command();
        command.args(["--host", &job.origin, "--users", &job.connections.to_string()]);
        // All users at once, and what they do while the last ones start is counted.
        command.args([
            "--increase-rate",
            "100000",
            "--no-reset-metrics",
            "--run-time",
            &format!("{}s", job.seconds),
        ]);
        command.args(["--quiet", "--no-print-metrics"]);
        command
    }

    fn read(&self, output: &Output<'_>) -> Result<Reading, ReadError> {
        let value = last_json_line(output.stdout)?;
        let completed = count(&value, "completed")?;
        let seconds = number(&value, "seconds")?.max(1.0);
        Ok(Reading {
            completed,
            failed: count(&value, "failed")?,
            requests_per_second: completed as f64 / seconds,
            p99_ms: Some(number(&value, "p99_us")? / 1000.0),
        })
    }

    fn install(&self) -> &'static str {
        "`cargo build --release --manifest-path bench/peers/goose/Cargo.toml`"
    }

    fn remark(&self) -> Option<&'static str> {
        Some("Goose gives its duration in whole seconds, so its requests/s are that coarse.")
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_captured_output() {
        let stdout = include_str!("../../tests/samples/goose.txt");
        let reading =
            Goose.read(&Output { stdout, scratch: Path::new("."), seconds: 2 }).expect("reads");
        assert_eq!(
            reading,
            Reading {
                completed: 104_265,
                failed: 0,
                requests_per_second: 52_132.5,
                p99_ms: Some(1.64)
            }
        );
    }

    #[test]
    fn without_its_line_there_is_nothing_to_read() {
        let output =
            Output { stdout: "All 50 users launched.\n", scratch: Path::new("."), seconds: 2 };
        assert!(matches!(Goose.read(&output), Err(ReadError::Missing("line of JSON"))));
    }
}
