//! The whole run: find the programs, start the server, go through the rounds, hand the samples to the report.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::{ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::args::Args;
use crate::child::{self, ChildError, Usage};
use crate::cores::{self, Cores};
use crate::environment::{self, Machine};
use crate::error::BenchError;
use crate::locate::{self, Locator};
use crate::peers::{self, Job, Output, Peer, Reading};
use crate::procfs;
use crate::report::{self, Measured, Missing, Report, Row, Table};
use crate::scratch::Scratch;
use crate::server::{self, Nginx};

/// How much longer than it was told a peer may run: interpreters start slowly on a busy machine.
const GRACE: Duration = Duration::from_secs(30);
/// A peer that fails so often in a row is left out of the remaining rounds.
const MAX_FAILURES: usize = 2;
/// Ctrl-C, as shells report it.
const INTERRUPTED: u8 = 130;

/// One measured run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    /// The round it belongs to, from 0.
    pub(crate) round: u32,
    /// What the peer said.
    pub(crate) reading: Reading,
    /// User and system time of the peer's processes, in microseconds for each completed request.
    pub(crate) cpu_us_per_request: f64,
    /// The sum of the peaks of the peer's processes.
    pub(crate) peak_memory_bytes: u64,
    /// Requests that nginx counted.
    pub(crate) served: Option<u64>,
    /// The share of the time in which nginx used its core, 0 to 1.
    pub(crate) server_busy: Option<f64>,
    /// The share of the time in which the peer's core worked for someone else, 0 to 1.
    pub(crate) core_taken: Option<f64>,
}

/// A peer that is installed, with what became of it at one number of connections.
struct Entry {
    peer: Box<dyn Peer>,
    program: PathBuf,
    version: String,
}

/// What every run of a session shares.
struct Bench<'a> {
    args: &'a Args,
    cores: Cores,
    nginx: Nginx,
    scratch: &'a Scratch,
    stop: &'a AtomicBool,
}

/// Runs the benchmark and prints the table; the code is that of the process.
pub(crate) fn run(args: &Args) -> Result<ExitCode, BenchError> {
    let locator = Locator::new(&args.path, std::env::var_os("PATH").as_deref());
    let (entries, missing) = select(args, &locator);
    if args.list {
        print(&list(&entries, &missing));
        return Ok(ExitCode::SUCCESS);
    }
    let nginx = server::find(|program| locator.find(program)).ok_or(BenchError::NoNginx)?;
    if entries.is_empty() {
        return Err(BenchError::NoPeers);
    }
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stop))
            .map_err(system("watch for Ctrl-C"))?;
    }
    raise_descriptor_limit();
    let cores = cores::choose(args.server_core, args.peer_core)?;
    let scratch = Scratch::new().map_err(system("make a temporary directory"))?;
    let machine = Machine::look();
    let nginx = Nginx::start(&nginx, scratch.path(), cores.server)?;
    let mut bench = Bench { args, cores, nginx, scratch: &scratch, stop: &stop };
    let runs = args.rounds as usize * args.connections.len() * entries.len();
    tell(&format!(
        "{runs} runs of {} s, about {} min",
        args.seconds,
        runs * (args.seconds as usize + 1) / 60 + 1
    ));

    let mut tables = Vec::new();
    for connections in &args.connections {
        tables.push(bench.table(&entries, *connections)?);
        if stop.load(Ordering::Relaxed) {
            break;
        }
    }
    let interrupted = stop.load(Ordering::Relaxed);
    let text = report::render(&Report {
        command: args.canonical_command(),
        rounds: args.rounds,
        seconds: args.seconds,
        note: args.note.clone(),
        machine,
        load_after: procfs::load_average(),
        cores,
        server: bench.nginx.build.version.clone(),
        tables,
        missing,
        interrupted,
    });
    print(&text);
    if interrupted {
        return Ok(ExitCode::from(INTERRUPTED));
    }
    if let Some(path) = &args.write {
        write_whole(path, &text)
            .map_err(|source| BenchError::Write { path: path.clone(), source })?;
        tell(&format!("written to {}", path.display()));
    }
    Ok(ExitCode::SUCCESS)
}

impl Bench<'_> {
    /// All rounds at one number of connections.
    fn table(&mut self, entries: &[Entry], connections: u32) -> Result<Table, BenchError> {
        let mut rows: Vec<Row> =
            entries.iter().map(|entry| self.empty_row(entry, connections)).collect();
        'rounds: for round in 0..self.args.rounds {
            for index in order(entries.len(), round) {
                if given_up(&rows[index]) {
                    continue;
                }
                let outcome = self.one(&entries[index], connections, round)?;
                if self.stop.load(Ordering::Relaxed) {
                    break 'rounds;
                }
                let what = format!(
                    "{} connections, round {}, {}",
                    connections,
                    round + 1,
                    entries[index].peer.name()
                );
                match &outcome {
                    Measured::Sample(sample) => {
                        tell(&format!("{what}: {:.2} µs", sample.cpu_us_per_request));
                    }
                    Measured::Failure(why) => tell(&format!("{what}: {why}")),
                }
                rows[index].runs.push(outcome);
            }
        }
        Ok(Table { connections, rows })
    }

    fn empty_row(&self, entry: &Entry, connections: u32) -> Row {
        let job = self.job(entry, connections);
        Row {
            name: entry.peer.name(),
            version: entry.version.clone(),
            command: report::command_line(&entry.peer.command(&job), &job),
            remark: entry.peer.remark(),
            runs: Vec::new(),
        }
    }

    fn job(&self, entry: &Entry, connections: u32) -> Job {
        Job {
            program: entry.program.clone(),
            origin: self.nginx.origin(),
            connections,
            seconds: self.args.seconds,
            scratch: self.scratch.path().join(entry.peer.name()),
            assets: locate::assets(),
        }
    }

    /// One run of one peer. What goes wrong with the peer is a result; what goes wrong with the server ends the session.
    fn one(&mut self, entry: &Entry, connections: u32, round: u32) -> Result<Measured, BenchError> {
        let job = self.job(entry, connections);
        // An empty directory each time: no peer may read what an earlier run left.
        let _ = std::fs::remove_dir_all(&job.scratch);
        std::fs::create_dir(&job.scratch).map_err(system("make a directory for a peer"))?;
        let files = create_outputs(&job).map_err(system("make a file for a peer's output"))?;
        let mut command = entry.peer.command(&job);
        command.current_dir(&job.scratch).stdin(Stdio::null()).stdout(files.0).stderr(files.1);

        let before = self.nginx.settle()?;
        let (server_before, core_before) = (self.nginx.cpu(), procfs::core_busy(self.cores.peer));
        let limit = Duration::from_secs(u64::from(self.args.seconds)) + GRACE;
        let result = child::measure(&mut command, self.cores.peer, limit, self.stop);
        let (server_after, core_after) = (self.nginx.cpu(), procfs::core_busy(self.cores.peer));
        let usage = match result {
            Ok(usage) => usage,
            Err(
                error @ (ChildError::Io(_) | ChildError::Deadline(_) | ChildError::Interrupted),
            ) => {
                return Ok(Measured::Failure(error.to_string()));
            }
        };
        let after = self.nginx.settle()?;

        let reading = match read(entry.peer.as_ref(), &job, &usage) {
            Ok(reading) => reading,
            Err(why) => return Ok(Measured::Failure(why)),
        };
        let wall = usage.wall.as_secs_f64();
        let share = |before: Option<Duration>, after: Option<Duration>| {
            Some(after?.saturating_sub(before?).as_secs_f64() / wall)
        };
        let own = usage.cpu.as_secs_f64() / wall;
        Ok(Measured::Sample(Sample {
            round,
            reading,
            cpu_us_per_request: usage.cpu.as_secs_f64() * 1e6 / reading.completed as f64,
            peak_memory_bytes: usage.peak_memory_bytes,
            served: before
                .zip(after)
                .map(|(before, after)| after.requests.saturating_sub(before.requests)),
            server_busy: share(server_before, server_after),
            core_taken: share(core_before, core_after).map(|busy| (busy - own).clamp(0.0, 1.0)),
        }))
    }
}

/// Round `round` begins with another peer than the one before, so that none is always first.
fn order(peers: usize, round: u32) -> impl Iterator<Item = usize> {
    (0..peers).map(move |place| (place + round as usize) % peers)
}

fn given_up(row: &Row) -> bool {
    row.runs.len() >= MAX_FAILURES
        && row.runs.iter().rev().take(MAX_FAILURES).all(|run| matches!(run, Measured::Failure(_)))
}

/// Splits the peers that were asked for into those that are here and those that are not.
fn select(args: &Args, locator: &Locator) -> (Vec<Entry>, Vec<Missing>) {
    let mut wanted: Vec<Box<dyn Peer>> = Vec::new();
    for peer in args.peers.iter().filter_map(|name| peers::by_name(name)) {
        if wanted.iter().all(|other| other.name() != peer.name()) {
            wanted.push(peer);
        }
    }
    let ours = wanted.iter().any(|peer| peer.program() == "proofload");
    let mut build_failure = None;
    if ours && !args.list && (args.build || locator.find("proofload").is_none()) {
        build_failure = locator.build_proofload().err();
    }
    let (mut entries, mut missing) = (Vec::new(), Vec::new());
    for peer in wanted {
        let broken = build_failure.as_ref().filter(|_| peer.program() == "proofload");
        match (broken, locator.find(peer.program())) {
            (Some(why), _) => {
                missing
                    .push(Missing { name: peer.name(), how: format!("building it failed: {why}") });
            }
            (None, Some(program)) => {
                let version = environment::version(peer.as_ref(), &program);
                entries.push(Entry { peer, program, version });
            }
            (None, None) => {
                missing.push(Missing { name: peer.name(), how: peer.install().to_owned() });
            }
        }
    }
    (entries, missing)
}

/// Reads what the peer left behind. A peer may end with any status as long as its result is there: Proofload's says
/// how the verdict was.
fn read(peer: &dyn Peer, job: &Job, usage: &Usage) -> Result<Reading, String> {
    let text = |name: &str| -> String {
        std::fs::read(job.scratch.join(name))
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    };
    let stdout = text(STDOUT);
    let output = Output { stdout: &stdout, scratch: &job.scratch, seconds: job.seconds };
    let with_status = |what: &dyn std::fmt::Display| {
        let stderr = text(STDERR);
        let last =
            stderr.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or("nothing");
        let last: String = last.chars().take(200).collect();
        format!("{what} ({}; its last words: {last})", usage.status)
    };
    match peer.read(&output) {
        Ok(reading) if reading.completed == 0 => Err(with_status(&"it completed no request")),
        Ok(reading) => Ok(reading),
        Err(error) => Err(with_status(&error)),
    }
}

const STDOUT: &str = "stdout.txt";
const STDERR: &str = "stderr.txt";

/// Files instead of pipes: nobody has to drain them while the peer runs.
fn create_outputs(job: &Job) -> io::Result<(File, File)> {
    Ok((File::create(job.scratch.join(STDOUT))?, File::create(job.scratch.join(STDERR))?))
}

fn list(entries: &[Entry], missing: &[Missing]) -> String {
    let mut text = String::new();
    for entry in entries {
        text +=
            &format!("{:<15} {} ({})\n", entry.peer.name(), entry.version, entry.program.display());
    }
    for Missing { name, how } in missing {
        text += &format!("{name:<15} not installed: {how}\n");
    }
    text
}

/// Peers with thousands of connections need as many descriptors; children inherit the limit.
fn raise_descriptor_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Where it is refused, the peer that runs out says so itself.
    let _ = setrlimit(Resource::Nofile, limit);
}

/// Writes beside `path` first, so that a full disk does not cost the old results.
fn write_whole(path: &std::path::Path, text: &str) -> io::Result<()> {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    std::fs::write(&part, text)?;
    std::fs::rename(&part, path)
}

fn system(what: &'static str) -> impl FnOnce(io::Error) -> BenchError {
    move |source| BenchError::System { what, source }
}

/// Progress, apart from the results.
fn tell(text: &str) {
    // A closed standard error must not end a benchmark.
    let _ = writeln!(io::stderr(), "{text}");
}

/// Results.
fn print(text: &str) {
    // A closed pipe, as from `head`, is the reader's choice.
    let _ = io::stdout().write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_round_runs_all_and_begins_elsewhere() {
        fn check(round: u32, expect: &[usize]) {
            assert_eq!(order(3, round).collect::<Vec<_>>(), expect);
        }
        check(0, &[0, 1, 2]);
        check(1, &[1, 2, 0]);
        check(5, &[2, 0, 1]);
    }

    #[test]
    fn two_failures_in_a_row_are_enough() {
        fn check(runs: &[bool], expect: bool) {
            let reading =
                Reading { completed: 1, failed: 0, requests_per_second: 1.0, p99_ms: None };
            let sample = Sample {
                round: 0,
                reading,
                cpu_us_per_request: 1.0,
                peak_memory_bytes: 0,
                served: None,
                server_busy: None,
                core_taken: None,
            };
            let run = |good: &bool| {
                if *good { Measured::Sample(sample) } else { Measured::Failure("no".to_owned()) }
            };
            let row = Row {
                name: "x",
                version: String::new(),
                command: String::new(),
                remark: None,
                runs: runs.iter().map(run).collect(),
            };
            assert_eq!(given_up(&row), expect, "{runs:?}");
        }
        check(&[], false);
        check(&[false], false);
        check(&[false, true, false], false);
        check(&[true, false, false], true);
    }

    #[test]
    fn results_are_replaced_whole() {
        let scratch = Scratch::new().expect("scratch");
        let path = scratch.path().join("RESULTS.md");
        write_whole(&path, "old").expect("write");
        write_whole(&path, "new").expect("write");
        assert_eq!(std::fs::read_to_string(&path).expect("read"), "new");
        assert_eq!(std::fs::read_dir(scratch.path()).expect("dir").count(), 1);
    }
}
