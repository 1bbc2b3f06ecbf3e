//! hey: Go, one goroutine a connection.

use std::process::Command;

use super::{Job, Output, Peer, ReadError, Reading, number_after};

/// hey keeps at most so many results; what came after is in its rate but not in its counts.
const KEPT_RESULTS: u64 = 1_000_000;

/// The peer.
#[derive(Debug)]
pub(super) struct Hey;

impl Peer for Hey {
    fn name(&self) -> &'static str {
        "hey"
    }

    fn command(&self, job: &Job) -> Command {
        let mut command = job.command();
        command.args([
            "-z",
            &format!("{}s", job.seconds),
            "-c",
            &job.connections.to_string(),
            "-cpus",
            "1",
        ]);
        command.arg(format!("{}/", job.origin));
        command
    }

    fn read(&self, output: &Output<'_>) -> Result<Reading, ReadError> {
        let text = output.stdout;
        let rate = number_after(text, "Requests/sec:").ok_or(ReadError::Missing("rate"))?;
        let total_seconds = number_after(text, "Total:").ok_or(ReadError::Missing("duration"))?;
        let (kept, wrong) = statuses(text);
        let completed = if kept + wrong >= KEPT_RESULTS {
            ((rate * total_seconds).round() as u64).saturating_sub(wrong)
        } else {
            kept
        };
        let p99_seconds = number_after(text, "99% in");
        Ok(Reading {
            completed,
            failed: wrong + errors(text),
            requests_per_second: rate,
            p99_ms: p99_seconds.map(|seconds| seconds * 1000.0),
        })
    }

    fn version_args(&self) -> &'static [&'static str] {
        &[]
    }

    fn install(&self) -> &'static str {
        "`apt install hey` (Debian, Ubuntu), `brew install hey`, `go install github.com/rakyll/hey@latest`"
    }
}

/// The `[200] 61585 responses` lines: those with a status below 400, and the others.
fn statuses(text: &str) -> (u64, u64) {
    let mut counts = (0, 0);
    for line in text.lines() {
        let Some((status, rest)) =
            line.trim_start().strip_prefix('[').and_then(|rest| rest.split_once(']'))
        else {
            continue;
        };
        let Some(number) =
            rest.trim().strip_suffix(" responses").and_then(|number| number.parse::<u64>().ok())
        else {
            continue;
        };
        match status.parse::<u16>() {
            Ok(status) if status < 400 => counts.0 += number,
            _ => counts.1 += number,
        }
    }
    counts
}

/// The sum of the `[12] Get "http://…": EOF` lines under "Error distribution".
fn errors(text: &str) -> u64 {
    text.lines()
        .skip_while(|line| !line.starts_with("Error distribution:"))
        .filter_map(|line| {
            line.trim_start().strip_prefix('[')?.split_once(']')?.0.trim().parse::<u64>().ok()
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn read(stdout: &str) -> Result<Reading, ReadError> {
        Hey.read(&Output { stdout, scratch: Path::new("."), seconds: 1 })
    }

    #[test]
    fn a_captured_output() {
        let reading = read(include_str!("../../tests/samples/hey.txt")).expect("reads");
        assert_eq!(
            reading,
            Reading {
                completed: 40_046,
                failed: 0,
                requests_per_second: 40_012.423_2,
                p99_ms: Some(3.0)
            }
        );
    }

    #[test]
    fn errors_and_wrong_statuses_are_not_completed() {
        let text = "  Total:\t2.0 secs\n  Requests/sec:\t50.0\n  99% in 0.0062 secs\nStatus code distribution:\n  \
                    [200]\t80 responses\n  [503]\t5 responses\n\nError distribution:\n  [15]\tGet \"http://x/\": EOF\n";
        let expect =
            Reading { completed: 80, failed: 20, requests_per_second: 50.0, p99_ms: Some(6.2) };
        assert_eq!(read(text).expect("reads"), expect);
    }

    #[test]
    fn beyond_what_hey_keeps_its_rate_counts() {
        let text = "  Total:\t30.0 secs\n  Requests/sec:\t40000.0\n  [200]\t1000000 responses\n";
        assert_eq!(read(text).expect("reads").completed, 1_200_000);
    }
}
