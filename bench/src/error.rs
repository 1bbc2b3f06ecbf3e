//! What can end the benchmark as a whole. What goes wrong with one peer is a note in the table instead.

use std::io;
use std::path::PathBuf;

/// Why no table could be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BenchError {
    /// The server that everything is measured against is missing.
    #[error(
        "nginx was not found on PATH nor in /usr/sbin; install it, for example with `apt install nginx-light`"
    )]
    NoNginx,
    /// nginx ended, or did not answer in time.
    #[error("nginx did not start: {0}")]
    ServerStart(String),
    /// The server stopped answering in the middle of the benchmark.
    #[error("nginx stopped answering: {0}")]
    ServerLost(io::Error),
    /// None of the peers asked for is installed.
    #[error("none of the peers is installed; `--list` says how to get each")]
    NoPeers,
    /// A core was named that this process may not use.
    #[error("core {core} is not among the cores this process may use: {allowed:?}")]
    NoSuchCore {
        /// The core asked for.
        core: usize,
        /// The cores of the affinity mask.
        allowed: Vec<usize>,
    },
    /// A system call about cores or limits was refused.
    #[error("cannot {what}: {source}")]
    System {
        /// What was tried.
        what: &'static str,
        /// The system's answer.
        source: io::Error,
    },
    /// A file of ours could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}
