//! The samples as Markdown that can also be read in a terminal.

use std::fmt::Write as _;
use std::process::Command;

use crate::cores::Cores;
use crate::environment::Machine;
use crate::peers::{self, Job};
use crate::session::Sample;
use crate::stats::{Spread, paired_ratios, spread};

/// The outcome of one run.
#[derive(Debug, Clone)]
pub(crate) enum Measured {
    /// It can be used.
    Sample(Sample),
    /// It cannot, and why.
    Failure(String),
}

/// A peer at one number of connections.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// The peer's name.
    pub(crate) name: &'static str,
    /// Its version.
    pub(crate) version: String,
    /// Its command line, without this machine's directories.
    pub(crate) command: String,
    /// What a reader has to know about it.
    pub(crate) remark: Option<&'static str>,
    /// Its runs, in order.
    pub(crate) runs: Vec<Measured>,
}

impl Row {
    fn samples(&self) -> impl Iterator<Item = &Sample> {
        self.runs.iter().filter_map(|run| match run {
            Measured::Sample(sample) => Some(sample),
            Measured::Failure(_) => None,
        })
    }

    fn cpu_by_round(&self) -> Vec<(u32, f64)> {
        self.samples().map(|sample| (sample.round, sample.cpu_us_per_request)).collect()
    }
}

/// All peers at one number of connections.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    /// Connections of every peer.
    pub(crate) connections: u32,
    /// One row a peer.
    pub(crate) rows: Vec<Row>,
}

/// A peer that was asked for and is not here.
#[derive(Debug, Clone)]
pub(crate) struct Missing {
    /// The peer's name.
    pub(crate) name: &'static str,
    /// How to get it, or why it could not be had.
    pub(crate) how: String,
}

/// Everything that stands in the results.
#[derive(Debug)]
pub(crate) struct Report {
    /// The command that repeats the run.
    pub(crate) command: String,
    /// Runs of each peer.
    pub(crate) rounds: u32,
    /// Length of a run.
    pub(crate) seconds: u32,
    /// A sentence of the person who measured.
    pub(crate) note: Option<String>,
    /// The machine.
    pub(crate) machine: Machine,
    /// Load averages after the run.
    pub(crate) load_after: Option<String>,
    /// Which core was whose.
    pub(crate) cores: Cores,
    /// The server's version.
    pub(crate) server: String,
    /// One table a number of connections.
    pub(crate) tables: Vec<Table>,
    /// Peers that were not there.
    pub(crate) missing: Vec<Missing>,
    /// Whether the run was cut short.
    pub(crate) interrupted: bool,
}

/// The whole document.
pub(crate) fn render(report: &Report) -> String {
    let mut text = String::from("# Benchmark results\n\n");
    if report.interrupted {
        text += "**Interrupted: fewer rounds than asked for.**\n\n";
    }
    text += &format!("Made by\n\n```sh\n{}\n```\n\n", report.command);
    text += &format!(
        "Medians over {} interleaved rounds of {} s each, with the smallest and largest value in brackets. CPU is user + system \
         time of all processes of the peer, divided by the requests it completed. `× wrk` is the median of the ratios taken \
         within each round. [README.md](README.md) says how to read the columns.\n",
        report.rounds, report.seconds
    );
    if let Some(note) = &report.note {
        text += &format!("\n{note}\n");
    }
    for table in &report.tables {
        text += &format!("\n## {} connections\n\n{}", table.connections, render_table(table));
        let remarks = remarks(table);
        if !remarks.is_empty() {
            text += &format!("\n- {}\n", remarks.join("\n- "));
        }
    }
    text += &environment(report);
    text
}

const HEADINGS: [&str; 9] = [
    "peer",
    "CPU µs/request",
    "× wrk",
    "requests/s",
    "peak memory MiB",
    "p99 ms",
    "server − peer",
    "nginx busy %",
    "core taken %",
];

fn render_table(table: &Table) -> String {
    let base = table
        .rows
        .iter()
        .find(|row| row.name == peers::BASE)
        .map(Row::cpu_by_round)
        .unwrap_or_default();
    let mut cells = vec![HEADINGS.map(str::to_owned)];
    cells.extend(
        table
            .rows
            .iter()
            .filter(|row| row.samples().next().is_some())
            .map(|row| row_cells(row, &base)),
    );
    let widths: [usize; HEADINGS.len()] = std::array::from_fn(|column| {
        cells.iter().map(|row| row[column].chars().count()).max().unwrap_or(0)
    });
    let mut text = String::new();
    for (index, row) in cells.iter().enumerate() {
        for (column, cell) in row.iter().enumerate() {
            let padding = " ".repeat(widths[column] - cell.chars().count());
            // Names to the left, numbers to the right.
            text += &if column == 0 {
                format!("| {cell}{padding} |")
            } else {
                format!(" {padding}{cell} |")
            };
        }
        text.push('\n');
        if index == 0 {
            text += &format!("|{}|", "-".repeat(widths[0] + 2));
            text += &widths[1..]
                .iter()
                .map(|width| format!("{}:|", "-".repeat(width + 1)))
                .collect::<String>();
            text.push('\n');
        }
    }
    text
}

fn row_cells(row: &Row, base: &[(u32, f64)]) -> [String; HEADINGS.len()] {
    let of = |measure: fn(&Sample) -> Option<f64>| spread(row.samples().filter_map(measure));
    let ratio = spread(paired_ratios(&row.cpu_by_round(), base));
    [
        row.name.to_owned(),
        ranged(of(|sample| Some(sample.cpu_us_per_request)), 2),
        ranged(ratio, 2),
        ranged(of(|sample| Some(sample.reading.requests_per_second)), 0),
        alone(of(|sample| Some(sample.peak_memory_bytes as f64 / f64::from(1 << 20))), 1),
        ranged(of(|sample| sample.reading.p99_ms), 2),
        ranged(of(difference), 0),
        alone(of(|sample| sample.server_busy.map(|share| share * 100.0)), 0),
        alone(of(|sample| sample.core_taken.map(|share| share * 100.0)), 0),
    ]
}

/// Requests that nginx saw and the peer does not speak of.
fn difference(sample: &Sample) -> Option<f64> {
    Some(sample.served? as f64 - (sample.reading.completed + sample.reading.failed) as f64)
}

fn ranged(spread: Option<Spread>, decimals: usize) -> String {
    spread.map_or_else(
        || "–".to_owned(),
        |Spread { median, min, max }| {
            let [median, min, max] = [median, min, max].map(|value| fixed(value, decimals));
            format!("{median} [{min}–{max}]")
        },
    )
}

fn alone(spread: Option<Spread>, decimals: usize) -> String {
    spread.map_or_else(|| "–".to_owned(), |spread| fixed(spread.median, decimals))
}

/// A number with thousands separated.
fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let (whole, fraction) = text
        .split_once('.')
        .map_or((text.as_str(), ""), |(whole, _)| (whole, &text[whole.len()..]));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let is_zero = !text.contains(|c: char| matches!(c, '1'..='9'));
    format!("{}{grouped}{fraction}", if value < 0.0 && !is_zero { "−" } else { "" })
}

/// What the numbers of a table do not say by themselves.
fn remarks(table: &Table) -> Vec<String> {
    let mut lines = Vec::new();
    if !table.rows.iter().any(|row| row.name == peers::BASE && row.samples().next().is_some()) {
        lines.push(format!("{} was not measured, so there are no ratios.", peers::BASE));
    }
    for row in &table.rows {
        let failures: Vec<&String> = row
            .runs
            .iter()
            .filter_map(|run| match run {
                Measured::Failure(why) => Some(why),
                Measured::Sample(_) => None,
            })
            .collect();
        if let Some(last) = failures.last() {
            lines.push(format!(
                "{}: {} of {} runs failed: {last}",
                row.name,
                failures.len(),
                row.runs.len()
            ));
        }
        let failed: u64 = row.samples().map(|sample| sample.reading.failed).sum();
        if failed > 0 {
            lines.push(format!(
                "{}: {failed} requests failed and are not counted as completed.",
                row.name
            ));
        }
        if let Some(line) = count_remark(row, table.connections) {
            lines.push(line);
        }
    }
    lines
}

/// At the end of a run each connection can have one request that nginx saw and the peer no longer counts. Anything else
/// is a count that cannot be believed, or a peer that leaves requests out of its numbers.
fn count_remark(row: &Row, connections: u32) -> Option<String> {
    let odd = |difference: &f64| *difference < 0.0 || *difference > f64::from(connections);
    let worst = row
        .samples()
        .filter_map(difference)
        .filter(odd)
        .max_by(|a, b| a.abs().total_cmp(&b.abs()))?;
    let what = if worst < 0.0 {
        "claims requests that nginx did not see"
    } else {
        "leaves out requests that nginx saw"
    };
    Some(format!("{}: {what}, {} in the worst round.", row.name, fixed(worst.abs(), 0)))
}

fn environment(report: &Report) -> String {
    let Report { machine, cores, .. } = report;
    let memory = machine.memory_gib.map_or_else(String::new, |gib| format!(", {gib:.0} GiB"));
    let load = |load: &Option<String>| load.clone().unwrap_or_else(|| "unknown".to_owned());
    let mut text = String::from("\n## Environment\n\n");
    text += &format!(
        "- {}; {}, {} cores{memory}; {}\n",
        machine.date, machine.processor, machine.cores, machine.kernel
    );
    text += &format!(
        "- load average before {}, after {}\n",
        load(&machine.load_before),
        load(&report.load_after)
    );
    text += &format!(
        "- {} with one worker on core {}, peers on core {}",
        report.server, cores.server, cores.peer
    );
    text += if cores.server == cores.peer {
        ": **the same core, so wall-clock numbers mean little**\n"
    } else {
        "\n"
    };
    if let Some(table) = report.tables.first() {
        text += "\n## Peers\n\n";
        for row in &table.rows {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "- **{}**: {}  \n  `{}`", row.name, row.version, row.command);
            if let Some(remark) = row.remark {
                let _ = writeln!(text, "  {remark}");
            }
        }
    }
    if !report.missing.is_empty() {
        text += "\nNot measured:\n\n";
        for Missing { name, how } in &report.missing {
            let _ = writeln!(text, "- {name}: {how}");
        }
    }
    text
}

/// A command line for people: the directories of this machine are named by what they are for.
pub(crate) fn command_line(command: &Command, job: &Job) -> String {
    let program =
        job.program.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let places = [(&job.scratch, "$TMP"), (&job.assets, "bench/peers")];
    let settings = command
        .get_envs()
        .filter_map(|(name, value)| Some((name.to_string_lossy(), value?.to_string_lossy())));
    let mut line: String = settings.map(|(name, value)| format!("{name}={value} ")).collect();
    line += &program;
    for argument in command.get_args() {
        let mut argument = argument.to_string_lossy().into_owned();
        for (place, name) in &places {
            argument = argument.replace(&*place.to_string_lossy(), name);
        }
        argument = argument
            .replace("bench/peers/../", "bench/")
            .replace(&job.origin, "http://127.0.0.1:PORT");
        line.push(' ');
        line += if argument.is_empty() { "\"\"" } else { &argument };
    }
    line
}

#[cfg(test)]
mod tests;
