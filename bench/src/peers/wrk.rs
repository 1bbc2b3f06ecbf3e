//! wrk: C, one event loop a thread; the peer that everything is divided by.

use std::process::Command;

use super::{Job, Output, Peer, ReadError, Reading, number_after};

/// The peer.
#[derive(Debug)]
pub(super) struct Wrk;

impl Peer for Wrk {
    fn name(&self) -> &'static str {
        "wrk"
    }

    fn command(&self, job: &Job) -> Command {
        let mut command = job.command();
        command.args([
            "-t1",
            &format!("-c{}", job.connections),
            &format!("-d{}s", job.seconds),
            "--latency",
        ]);
        command.arg(format!("{}/", job.origin));
        command
    }

    fn read(&self, output: &Output<'_>) -> Result<Reading, ReadError> {
        let text = output.stdout;
        let answered = text
            .lines()
            .find_map(|line| line.trim_start().split_once(" requests in ")?.0.parse::<u64>().ok())
            .ok_or(ReadError::Missing("number of requests"))?;
        // Printed only when there are some; wrong statuses are among the answered, broken sockets are not.
        let wrong = number_after(text, "Non-2xx or 3xx responses:").unwrap_or(0.0) as u64;
        let p99_ms = text
            .lines()
            .find_map(|line| line.trim_start().strip_prefix("99%"))
            .and_then(duration_ms);
        Ok(Reading {
            completed: answered.saturating_sub(wrong),
            failed: wrong + socket_errors(text),
            requests_per_second: number_after(text, "Requests/sec:")
                .ok_or(ReadError::Missing("rate"))?,
            p99_ms,
        })
    }

    fn version_args(&self) -> &'static [&'static str] {
        &["-v"]
    }

    fn install(&self) -> &'static str {
        "`apt install wrk` (Debian, Ubuntu), `brew install wrk`"
    }
}

/// The sum of `Socket errors: connect 0, read 3, write 0, timeout 0`, a line that is there only when one is not 0.
fn socket_errors(text: &str) -> u64 {
    let Some(rest) = text.lines().find_map(|line| line.trim_start().strip_prefix("Socket errors:"))
    else {
        return 0;
    };
    rest.split([' ', ',']).filter_map(|word| word.parse::<u64>().ok()).sum()
}

/// Reads wrk's durations, such as `478.00us`, `4.26ms`, `1.02s` and `1.50m`.
fn duration_ms(text: &str) -> Option<f64> {
    let text = text.trim();
    let split = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(split);
    let number: f64 = number.parse().ok()?;
    match unit {
        "us" => Some(number / 1000.0),
        "ms" => Some(number),
        "s" => Some(number * 1000.0),
        "m" => Some(number * 60_000.0),
        "h" => Some(number * 3_600_000.0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn read(stdout: &str) -> Result<Reading, ReadError> {
        Wrk.read(&Output { stdout, scratch: Path::new("."), seconds: 1 })
    }

    #[test]
    fn a_captured_output() {
        let reading = read(include_str!("../../tests/samples/wrk.txt")).expect("reads");
        assert_eq!(
            reading,
            Reading {
                completed: 95_244,
                failed: 0,
                requests_per_second: 91_827.29,
                p99_ms: Some(6.5)
            }
        );
    }

    #[test]
    fn errors_are_counted() {
        let text = "  99%    1.02s\n  100 requests in 2.00s, 1MB read\n  Socket errors: connect 1, read 2, write 0, \
                    timeout 4\n  Non-2xx or 3xx responses: 10\nRequests/sec:  50.0\n";
        let expect =
            Reading { completed: 90, failed: 17, requests_per_second: 50.0, p99_ms: Some(1020.0) };
        assert_eq!(read(text).expect("reads"), expect);
    }

    #[test]
    fn durations() {
        for (text, expect) in [
            ("478.00us", Some(0.478)),
            ("4.26ms", Some(4.26)),
            ("1.50m", Some(90_000.0)),
            ("4", None),
        ] {
            assert_eq!(duration_ms(text), expect, "{text}");
        }
    }

    #[test]
    fn an_empty_output_is_an_error() {
        assert!(matches!(read(""), Err(ReadError::Missing(_))));
    }
}
