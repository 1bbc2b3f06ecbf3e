//! The peers: how each is started and how its own output is read. One module a peer, one trait for all.

mod ab;
mod goose;
mod hey;
mod k6;
mod locust;
mod oha;
mod proofload;
mod wrk;

use std::path::{Path, PathBuf};
use std::process::Command;

/// Every peer by name, in the order of the table. The first is what the others are divided by.
pub(crate) const NAMES: [&str; 9] =
    ["wrk", "ab", "hey", "oha", "goose", "k6", "locust", "proofload", "proofload-plan"];

/// The peer that the ratios are against.
pub(crate) const BASE: &str = NAMES[0];

/// One run of a peer.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    /// The peer's program.
    pub(crate) program: PathBuf,
    /// Scheme, host and port of the server.
    pub(crate) origin: String,
    /// Connections, or virtual users with one connection each.
    pub(crate) connections: u32,
    /// How long to send.
    pub(crate) seconds: u32,
    /// A directory for the peer's files; it is also its working directory.
    pub(crate) scratch: PathBuf,
    /// Where our scripts for the peers are.
    pub(crate) assets: PathBuf,
}

impl Job {
    /// The program without arguments.
    fn command(&self) -> Command {
        Command::new(&self.program)
    }
}

/// What a peer left behind.
#[derive(Debug)]
pub(crate) struct Output<'a> {
    /// Its standard output.
    pub(crate) stdout: &'a str,
    /// Where it was told to write files.
    pub(crate) scratch: &'a Path,
    /// How long it was told to send.
    pub(crate) seconds: u32,
}

/// What a peer says of its run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Reading {
    /// Requests that were answered as they should.
    pub(crate) completed: u64,
    /// Requests that failed, without those cut off by the end of the run.
    pub(crate) failed: u64,
    /// Completed requests a second.
    pub(crate) requests_per_second: f64,
    /// The 99th percentile of the response time.
    pub(crate) p99_ms: Option<f64>,
}

/// Why a peer's output says nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// Its output lacks something.
    #[error("its output has no {0}")]
    Missing(&'static str),
    /// Its output should be JSON and is not.
    #[error("its output is not the JSON expected: {0}")]
    Json(#[from] serde_json::Error),
    /// The file it was to write is not there.
    #[error("it wrote no {name}: {source}")]
    File {
        /// The file's name.
        name: &'static str,
        /// The system's answer.
        source: std::io::Error,
    },
}

/// A load generator that can be measured.
pub(crate) trait Peer {
    /// Its name in the table.
    fn name(&self) -> &'static str;
    /// The file name of its program.
    fn program(&self) -> &'static str {
        self.name()
    }
    /// The command line for one run.
    fn command(&self, job: &Job) -> Command;
    /// Reads what it printed or wrote.
    fn read(&self, output: &Output<'_>) -> Result<Reading, ReadError>;
    /// The arguments that make it say its version; none when it cannot.
    fn version_args(&self) -> &'static [&'static str] {
        &["--version"]
    }
    /// How to install it.
    fn install(&self) -> &'static str;
    /// What a reader has to know about its row.
    fn remark(&self) -> Option<&'static str> {
        None
    }
}

/// The peer of that name.
pub(crate) fn by_name(name: &str) -> Option<Box<dyn Peer>> {
    Some(match name {
        "wrk" => Box::new(wrk::Wrk),
        "ab" => Box::new(ab::Ab),
        "hey" => Box::new(hey::Hey),
        "oha" => Box::new(oha::Oha),
        "goose" => Box::new(goose::Goose),
        "k6" => Box::new(k6::K6),
        "locust" => Box::new(locust::Locust),
        "proofload" => Box::new(proofload::OneLiner),
        "proofload-plan" => Box::new(proofload::Plan),
        _ => return None,
    })
}

/// The number after `label`, which may be indented and padded, at the start of a line.
fn number_after(text: &str, label: &str) -> Option<f64> {
    let rest = text.lines().find_map(|line| line.trim_start().strip_prefix(label))?;
    rest.split_whitespace().next()?.parse().ok()
}

/// The last line of `text` that looks like a JSON object: peers may greet before it.
fn last_json_line(text: &str) -> Result<serde_json::Value, ReadError> {
    let line = text
        .lines()
        .rev()
        .find(|line| line.starts_with('{'))
        .ok_or(ReadError::Missing("line of JSON"))?;
    Ok(serde_json::from_str(line)?)
}

/// A count inside a JSON object.
fn count(value: &serde_json::Value, key: &'static str) -> Result<u64, ReadError> {
    value.get(key).and_then(serde_json::Value::as_u64).ok_or(ReadError::Missing(key))
}

/// A number inside a JSON object.
fn number(value: &serde_json::Value, key: &'static str) -> Result<f64, ReadError> {
    value.get(key).and_then(serde_json::Value::as_f64).ok_or(ReadError::Missing(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_its_peer() {
        for name in NAMES {
            assert_eq!(by_name(name).map(|peer| peer.name()), Some(name));
        }
        assert!(by_name("siege").is_none());
    }

    #[test]
    fn numbers_after_labels() {
        let text = "Complete requests:      188811\n  99%    4.26ms\nRequests/sec:\t30.5\n";
        assert_eq!(number_after(text, "Complete requests:"), Some(188_811.0));
        assert_eq!(number_after(text, "Requests/sec:"), Some(30.5));
        assert_eq!(number_after(text, "99%"), None, "a unit is not part of a number");
    }

    #[test]
    fn commands_carry_the_job() {
        let job = Job {
            program: PathBuf::from("/opt/program"),
            origin: "http://127.0.0.1:4321".to_owned(),
            connections: 77,
            seconds: 9,
            scratch: PathBuf::from("/scratch"),
            assets: PathBuf::from("/assets"),
        };
        for name in NAMES {
            let command = by_name(name).expect("known").command(&job);
            let arguments: Vec<_> =
                command.get_args().map(|arg| arg.to_string_lossy().into_owned()).collect();
            let line = arguments.join(" ");
            assert_eq!(command.get_program(), "/opt/program");
            for needle in ["http://127.0.0.1:4321", "77", "9"] {
                assert!(line.contains(needle), "{name}: {line} lacks {needle}");
            }
        }
    }
}
