//! Locust: Python with gevent; the locustfile is `bench/peers/locustfile.py`.

use std::process::Command;

use super::{Job, Output, Peer, ReadError, Reading, count, number};

/// The peer.
#[derive(Debug)]
pub(super) struct Locust;

impl Peer for Locust {
    fn name(&self) -> &'static str {
        "locust"
    }

    fn command(&self, job: &Job) -> Command {
        let users = job.connections.to_string();
        let mut command = job.command();
        command.arg("-f").arg(job.assets.join("locustfile.py"));
        command.args([
            "--headless",
            "--json",
            "--loglevel",
            "ERROR",
            "--users",
            &users,
            "--spawn-rate",
            &users,
        ]);
        command.args(["--run-time", &format!("{}s", job.seconds), "--host", &job.origin]);
        // No compiled files beside our locustfile.
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }

    fn read(&self, output: &Output<'_>) -> Result<Reading, ReadError> {
        let value: serde_json::Value = serde_json::from_str(output.stdout)?;
        let entry = value.get(0).ok_or(ReadError::Missing("request statistics"))?;
        let (all, failed) = (count(entry, "num_requests")?, count(entry, "num_failures")?);
        let seconds = number(entry, "last_request_timestamp")? - number(entry, "start_time")?;
        if seconds <= 0.0 {
            return Err(ReadError::Missing("time between its first and last request"));
        }
        let completed = all.saturating_sub(failed);
        let rate = completed as f64 / seconds;
        Ok(Reading {
            completed,
            failed,
            requests_per_second: rate,
            p99_ms: percentile_ms(entry, 0.99),
        })
    }

    fn install(&self) -> &'static str {
        "`pip install locust`, best in a virtual environment"
    }

    fn remark(&self) -> Option<&'static str> {
        Some("Locust runs its quick client, FastHttpUser; HttpUser costs about four times as much.")
    }
}

/// The percentile of a `response_times` object that maps milliseconds (two digits from 100 ms on) to counts.
fn percentile_ms(entry: &serde_json::Value, quantile: f64) -> Option<f64> {
    let mut times: Vec<(f64, u64)> = entry
        .get("response_times")?
        .as_object()?
        .iter()
        .filter_map(|(ms, count)| Some((ms.parse().ok()?, count.as_u64()?)))
        .collect();
    times.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total: u64 = times.iter().map(|(_, count)| count).sum();
    let rank = (total as f64 * quantile).ceil() as u64;
    let mut seen = 0;
    times.into_iter().find_map(|(ms, count)| {
        seen += count;
        (seen >= rank).then_some(ms)
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn read(stdout: &str) -> Result<Reading, ReadError> {
        Locust.read(&Output { stdout, scratch: Path::new("."), seconds: 2 })
    }

    #[test]
    fn a_captured_output() {
        let reading = read(include_str!("../../tests/samples/locust.json")).expect("reads");
        assert_eq!((reading.completed, reading.failed), (12_213, 0));
        // 12,213 requests in 1.7219 s.
        assert!(
            (reading.requests_per_second - 7092.8).abs() < 1.0,
            "{}",
            reading.requests_per_second
        );
        // 126 of them took 30 ms or more and 63 took longer, so rank 12,091 (99 %) is among those of 30 ms.
        assert_eq!(reading.p99_ms, Some(30.0));
    }

    #[test]
    fn a_run_without_requests_is_an_error() {
        assert!(matches!(read("[]"), Err(ReadError::Missing("request statistics"))));
    }
}
