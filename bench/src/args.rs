//! The command line, and the canonical form of it that stands in the results.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Parser;

use crate::peers;

/// Measures load generators against the same nginx, interleaved, and prints the table.
#[derive(Debug, Parser)]
#[command(name = "proofload-bench", version)]
pub(crate) struct Args {
    /// How often every peer runs; the table shows medians
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) rounds: u32,

    /// How long one run lasts, in seconds
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=600))]
    pub(crate) seconds: u32,

    /// Numbers of connections to measure at
    #[arg(long, value_delimiter = ',', default_value = "50,500", value_parser = clap::value_parser!(u32).range(1..=4000))]
    pub(crate) connections: Vec<u32>,

    /// Which peers to run; those that are not installed are named and left out
    #[arg(long, value_delimiter = ',', default_values = peers::NAMES, value_parser = peers::NAMES)]
    pub(crate) peers: Vec<String>,

    /// Directories to look for peers in, before PATH, separated by colons
    #[arg(long, value_delimiter = ':', env = "PROOFLOAD_BENCH_PATH", value_name = "DIRS")]
    pub(crate) path: Vec<PathBuf>,

    /// Also write the results to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) write: Option<PathBuf>,

    /// A sentence to stand in the results, for example about other work on the machine
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: Option<String>,

    /// Build Proofload first, even when it is there already
    #[arg(long)]
    pub(crate) build: bool,

    /// The core nginx runs on
    #[arg(long, value_name = "N")]
    pub(crate) server_core: Option<usize>,

    /// The core the peers run on
    #[arg(long, value_name = "N")]
    pub(crate) peer_core: Option<usize>,

    /// Say which peers are installed and how to get the others, then stop
    #[arg(long)]
    pub(crate) list: bool,
}

impl Args {
    /// The command that repeats this run. Where this machine keeps its peers is left out: it means nothing elsewhere.
    pub(crate) fn canonical_command(&self) -> String {
        let connections: Vec<String> = self.connections.iter().map(u32::to_string).collect();
        let mut command = format!(
            "cargo run --release -p proofload-bench -- --rounds {} --seconds {} --connections {} --peers {}",
            self.rounds,
            self.seconds,
            connections.join(","),
            self.peers.join(","),
        );
        if let Some(path) = &self.write {
            // Writing to a String cannot fail.
            let _ = write!(command, " --write {}", path.display());
        }
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_canonical_command_repeats_the_run_without_the_machine() {
        let args = Args::try_parse_from([
            "proofload-bench",
            "--path=/somewhere/private",
            "--connections=50",
            "--peers=wrk,ab",
            "--write=bench/RESULTS.md",
        ]);
        let command = args.map_or_else(|error| error.to_string(), |args| args.canonical_command());
        assert_eq!(
            command,
            "cargo run --release -p proofload-bench -- --rounds 5 --seconds 5 --connections 50 --peers wrk,ab \
             --write bench/RESULTS.md"
        );
    }

    #[test]
    fn the_defaults_are_every_peer_at_two_sizes() {
        let args = Args::try_parse_from(["proofload-bench"]).expect("defaults parse");
        assert_eq!(args.connections, [50, 500]);
        assert_eq!(args.peers, peers::NAMES);
    }

    #[test]
    fn unknown_peers_are_refused() {
        let error = Args::try_parse_from(["proofload-bench", "--peers=wrk,siege"])
            .expect_err("siege is not known");
        assert!(error.to_string().contains("siege"), "{error}");
    }
}
