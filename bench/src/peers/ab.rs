//! ab (Apache Bench): C, one process, HTTP/1.0 with keep-alive.

use std::process::Command;

use super::{Job, Output, Peer, ReadError, Reading, number_after};

/// Where ab writes its percentiles, which its text rounds to whole milliseconds.
const PERCENTILES: &str = "ab.csv";

/// ab reserves 32 bytes a request at the start, so "without end" is a large number, not the largest: after `-t`, which
/// means 50,000 otherwise.
const REQUESTS: &str = "50000000";

/// The peer.
#[derive(Debug)]
pub(super) struct Ab;

impl Peer for Ab {
    fn name(&self) -> &'static str {
        "ab"
    }

    fn command(&self, job: &Job) -> Command {
        let mut command = job.command();
        command.args([
            "-q",
            "-k",
            "-c",
            &job.connections.to_string(),
            "-t",
            &job.seconds.to_string(),
            "-n",
            REQUESTS,
        ]);
        command.arg("-e").arg(job.scratch.join(PERCENTILES)).arg(format!("{}/", job.origin));
        command
    }

    fn read(&self, output: &Output<'_>) -> Result<Reading, ReadError> {
        let text = output.stdout;
        let answered = number_after(text, "Complete requests:")
            .ok_or(ReadError::Missing("number of requests"))? as u64;
        let broken = number_after(text, "Failed requests:").unwrap_or(0.0) as u64;
        let wrong = number_after(text, "Non-2xx responses:").unwrap_or(0.0) as u64;
        let csv = std::fs::read_to_string(output.scratch.join(PERCENTILES))
            .map_err(|source| ReadError::File { name: PERCENTILES, source })?;
        Ok(Reading {
            completed: answered.saturating_sub(broken + wrong),
            failed: broken + wrong,
            requests_per_second: number_after(text, "Requests per second:")
                .ok_or(ReadError::Missing("rate"))?,
            p99_ms: csv.lines().find_map(|line| line.strip_prefix("99,")?.trim().parse().ok()),
        })
    }

    fn version_args(&self) -> &'static [&'static str] {
        &["-V"]
    }

    fn install(&self) -> &'static str {
        "`apt install apache2-utils` (Debian, Ubuntu), `dnf install httpd-tools` (Fedora)"
    }

    fn remark(&self) -> Option<&'static str> {
        Some("ab speaks HTTP/1.0 with keep-alive, so its requests are the shortest of all.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    fn read(stdout: &str, csv: Option<&str>) -> Result<Reading, ReadError> {
        let scratch = Scratch::new().expect("scratch");
        if let Some(csv) = csv {
            std::fs::write(scratch.path().join(PERCENTILES), csv).expect("write");
        }
        Ab.read(&Output { stdout, scratch: scratch.path(), seconds: 1 })
    }

    #[test]
    fn a_captured_output() {
        let csv = include_str!("../../tests/samples/ab.csv");
        let reading = read(include_str!("../../tests/samples/ab.txt"), Some(csv)).expect("reads");
        assert_eq!(
            reading,
            Reading {
                completed: 108_772,
                failed: 0,
                requests_per_second: 108_770.8,
                p99_ms: Some(0.665)
            }
        );
    }

    #[test]
    fn failures_are_not_completed() {
        let text = "Complete requests:      100\nFailed requests:        7\nNon-2xx responses:      3\n\
                    Requests per second:    50.00 [#/sec] (mean)\n";
        let expect = Reading { completed: 90, failed: 10, requests_per_second: 50.0, p99_ms: None };
        assert_eq!(read(text, Some("Percentage served,Time in ms\n")).expect("reads"), expect);
    }

    #[test]
    fn missing_percentiles_are_an_error() {
        let text = "Complete requests: 1\nRequests per second: 1\n";
        assert!(matches!(read(text, None), Err(ReadError::File { name: PERCENTILES, .. })));
    }
}
