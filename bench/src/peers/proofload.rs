//! Proofload itself, twice: the one-liner, and a plan with a templated URL, a header, an extract and two checks
//! (`bench/plans/templated.toml`).

use std::process::Command;

use super::{Job, Output, Peer, ReadError, Reading, count, number};

/// Where Proofload writes its result.
const RESULT: &str = "proofload.json";

const INSTALL: &str =
    "`cargo build --release -p proofload`, which this command does itself when it is missing";

/// `proofload http URL`.
#[derive(Debug)]
pub(super) struct OneLiner;

impl Peer for OneLiner {
    fn name(&self) -> &'static str {
        "proofload"
    }

    fn command(&self, job: &Job) -> Command {
        let mut command = job.command();
        command.args(["http", &format!("{}/", job.origin), "-c", &job.connections.to_string()]);
        command
            .args(["-d", &format!("{}s", job.seconds), "--quiet", "--output-file"])
            .arg(job.scratch.join(RESULT));
        command
    }

    fn read(&self, output: &Output<'_>) -> Result<Reading, ReadError> {
        read_result(output)
    }

    fn install(&self) -> &'static str {
        INSTALL
    }
}

/// `proofload run PLAN`.
#[derive(Debug)]
pub(super) struct Plan;

impl Peer for Plan {
    fn name(&self) -> &'static str {
        "proofload-plan"
    }

    fn program(&self) -> &'static str {
        "proofload"
    }

    fn command(&self, job: &Job) -> Command {
        let mut command = job.command();
        command.arg("run").arg(job.assets.join("../plans/templated.toml"));
        command.args(["--target", &job.origin, "--users", &job.connections.to_string()]);
        command.args(["--duration", &format!("{}s", job.seconds), "--quiet"]);
        command.arg("--output-file").arg(job.scratch.join(RESULT));
        command
    }

    fn read(&self, output: &Output<'_>) -> Result<Reading, ReadError> {
        read_result(output)
    }

    fn install(&self) -> &'static str {
        INSTALL
    }

    fn remark(&self) -> Option<&'static str> {
        Some(
            "proofload-plan does more than the others: each request has a templated address and a header, and of each \
             answer a value is extracted from JSON and two things are checked.",
        )
    }
}

/// Reads `test_results[0]` of the result file.
fn read_result(output: &Output<'_>) -> Result<Reading, ReadError> {
    let text = std::fs::read_to_string(output.scratch.join(RESULT))
        .map_err(|source| ReadError::File { name: RESULT, source })?;
    let value: serde_json::Value = serde_json::from_str(&text)?;
    let result = value.pointer("/test_results/0").ok_or(ReadError::Missing("test_results[0]"))?;
    let (all, failed) = (count(result, "total_requests")?, count(result, "failed")?);
    let completed = all.saturating_sub(failed);
    let requests_per_second = number(result, "requests_per_second")
        .unwrap_or_else(|_| completed as f64 / f64::from(output.seconds.max(1)));
    let p99_ms = number(result, "p99_latency_ms").ok();
    Ok(Reading { completed, failed, requests_per_second, p99_ms })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    fn read(result: Option<&str>) -> Result<Reading, ReadError> {
        let scratch = Scratch::new().expect("scratch");
        if let Some(result) = result {
            std::fs::write(scratch.path().join(RESULT), result).expect("write");
        }
        OneLiner.read(&Output { stdout: "", scratch: scratch.path(), seconds: 2 })
    }

    #[test]
    fn the_documented_keys_are_enough() {
        let text = r#"{"test_results": [{"scenario": "http", "total_requests": 100, "successful": 98, "failed": 2,
            "p99_latency_ms": 1.25}], "summary": {"grade": "EXCELLENT"}}"#;
        let expect =
            Reading { completed: 98, failed: 2, requests_per_second: 49.0, p99_ms: Some(1.25) };
        assert_eq!(read(Some(text)).expect("reads"), expect);
    }

    #[test]
    fn its_own_rate_is_preferred() {
        let text = r#"{"test_results": [{"total_requests": 100, "failed": 0, "requests_per_second": 55.5}]}"#;
        let expect = Reading { completed: 100, failed: 0, requests_per_second: 55.5, p99_ms: None };
        assert_eq!(read(Some(text)).expect("reads"), expect);
    }

    #[test]
    fn what_is_missing_is_named() {
        fn check(result: Option<&str>, expect: &str) {
            let error = read(result).expect_err("an error").to_string();
            assert!(error.contains(expect), "{error}");
        }
        check(None, "it wrote no proofload.json");
        check(Some("{}"), "test_results[0]");
        check(Some(r#"{"test_results": [{"failed": 0}]}"#), "total_requests");
        check(Some("oops"), "not the JSON expected");
    }
}
