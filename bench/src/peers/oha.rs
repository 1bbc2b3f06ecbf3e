//! oha: Rust on tokio and hyper.

use std::process::Command;

use super::{Job, Output, Peer, ReadError, Reading, number};

/// The peer.
#[derive(Debug)]
pub(super) struct Oha;

impl Peer for Oha {
    fn name(&self) -> &'static str {
        "oha"
    }

    fn command(&self, job: &Job) -> Command {
        let mut command = job.command();
        command.args(["--no-tui", "--output-format", "json", "-z", &format!("{}s", job.seconds)]);
        command.args(["-c", &job.connections.to_string(), &format!("{}/", job.origin)]);
        // More threads than the one core it is pinned to would only cost it.
        command.env("TOKIO_WORKER_THREADS", "1");
        command
    }

    fn read(&self, output: &Output<'_>) -> Result<Reading, ReadError> {
        let value: serde_json::Value = serde_json::from_str(output.stdout)?;
        let summary = value.get("summary").ok_or(ReadError::Missing("summary"))?;
        let statuses = counts(&value, "statusCodeDistribution")?;
        let good = |status: &str| status.starts_with('2') || status.starts_with('3');
        let completed =
            statuses.iter().filter(|(status, _)| good(status)).map(|(_, count)| count).sum();
        let wrong: u64 =
            statuses.iter().filter(|(status, _)| !good(status)).map(|(_, count)| count).sum();
        // Requests cut off by the end of the run are no errors of anyone.
        let broken: u64 = counts(&value, "errorDistribution")?
            .iter()
            .filter(|(error, _)| error != "aborted due to deadline")
            .map(|(_, count)| count)
            .sum();
        let p99_seconds =
            value.pointer("/latencyPercentiles/p99").and_then(serde_json::Value::as_f64);
        Ok(Reading {
            completed,
            failed: wrong + broken,
            requests_per_second: number(summary, "requestsPerSec")?,
            p99_ms: p99_seconds.map(|seconds| seconds * 1000.0),
        })
    }

    fn install(&self) -> &'static str {
        "`cargo install oha --locked`"
    }
}

/// An object of counts.
fn counts(value: &serde_json::Value, key: &'static str) -> Result<Vec<(String, u64)>, ReadError> {
    let object =
        value.get(key).and_then(serde_json::Value::as_object).ok_or(ReadError::Missing(key))?;
    Ok(object.iter().filter_map(|(name, count)| Some((name.clone(), count.as_u64()?))).collect())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn read(stdout: &str) -> Result<Reading, ReadError> {
        Oha.read(&Output { stdout, scratch: Path::new("."), seconds: 1 })
    }

    #[test]
    fn a_captured_output() {
        let reading = read(include_str!("../../tests/samples/oha.json")).expect("reads");
        assert_eq!((reading.completed, reading.failed), (94_326, 0));
        assert!((reading.requests_per_second - 93_723.53).abs() < 0.01);
        assert_eq!(reading.p99_ms.map(|ms| (ms * 1000.0).round()), Some(4402.0));
    }

    #[test]
    fn the_deadline_is_no_error_but_a_reset_is() {
        let text = r#"{"summary": {"requestsPerSec": 50.0}, "latencyPercentiles": {"p99": null},
            "statusCodeDistribution": {"200": 90, "503": 4}, "errorDistribution": {"aborted due to deadline": 40,
            "connection reset": 6}}"#;
        let expect = Reading { completed: 90, failed: 10, requests_per_second: 50.0, p99_ms: None };
        assert_eq!(read(text).expect("reads"), expect);
    }

    #[test]
    fn text_is_an_error() {
        assert!(matches!(read("Summary:"), Err(ReadError::Json(_))));
    }
}
