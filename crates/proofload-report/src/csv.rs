//! Comma-separated values in the form of Locust 2: `_stats`, `_stats_history`, `_failures` and
//! `_exceptions`, so that what reads Locust's files reads these.
//!
//! Columns, their order, the line ends and the conventions are those that Locust writes with `--csv`:
//! response times in milliseconds (percentiles and medians as whole numbers), a last row `Aggregated`
//! without a type, `N/A` for percentiles of nothing, percentiles of the history over everything until
//! then. Where Proofload knows more or means something else:
//!
//! - percentiles are exact to three digits, Locust's to two;
//! - the content size is what came over the wire, with heads, Locust's is the decoded body;
//! - requests of the same method and name are one row over all phases; a name that begins with its
//!   method, as names do unless a plan says otherwise, is written without it;
//! - `Last Seen` is empty where not every failure was kept as a sample;
//! - the percentiles of the history lag behind by less than one of its blocks of time in phases
//!   longer than a minute; counts do not;
//! - exceptions are Python's: the file has its header only.
//!
//! A name that begins like a formula (`=`, `+`, `-`, `@`, tabulator, carriage return) gets an apostrophe
//! in front, or a spreadsheet would compute it. No other text from outside is written.

use std::collections::BTreeMap;

use csv::{Terminator, Writer, WriterBuilder};
use proofload_core::metrics::Histogram;
use proofload_core::result::{PhaseResult, RequestRow, RunResult, TimelineRow};

use crate::instant;

/// Locust's percentiles: the column and the quantile.
const PERCENTILES: [(&str, f64); 11] = [
    ("50%", 0.5),
    ("66%", 0.66),
    ("75%", 0.75),
    ("80%", 0.8),
    ("90%", 0.9),
    ("95%", 0.95),
    ("98%", 0.98),
    ("99%", 0.99),
    ("99.9%", 0.999),
    ("99.99%", 0.9999),
    ("100%", 1.0),
];

const STATS_COLUMNS: [&str; 11] = [
    "Type",
    "Name",
    "Request Count",
    "Failure Count",
    "Median Response Time",
    "Average Response Time",
    "Min Response Time",
    "Max Response Time",
    "Average Content Size",
    "Requests/s",
    "Failures/s",
];

const HISTORY_COLUMNS: [&str; 6] =
    ["Timestamp", "User Count", "Type", "Name", "Requests/s", "Failures/s"];

const HISTORY_TOTALS: [&str; 7] = [
    "Total Request Count",
    "Total Failure Count",
    "Total Median Response Time",
    "Total Average Response Time",
    "Total Min Response Time",
    "Total Max Response Time",
    "Total Average Content Size",
];

const FAILURE_COLUMNS: [&str; 6] =
    ["Method", "Name", "Error", "Occurrences", "First Seen", "Last Seen"];

const EXCEPTION_COLUMNS: [&str; 4] = ["Count", "Message", "Traceback", "Nodes"];

/// The texts of Locust's four files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocustCsv {
    /// A row for each request over the whole run.
    pub stats: String,
    /// A row for each point of the timeline.
    pub history: String,
    /// A row for each kind of failure of each request.
    pub failures: String,
    /// Only the header.
    pub exceptions: String,
}

impl LocustCsv {
    /// What Locust puts behind the prefix, with the text that belongs there.
    #[must_use]
    pub fn files(&self) -> [(&'static str, &str); 4] {
        [
            ("_stats.csv", &self.stats),
            ("_stats_history.csv", &self.history),
            ("_failures.csv", &self.failures),
            ("_exceptions.csv", &self.exceptions),
        ]
    }
}

/// The result as Locust's files.
#[must_use]
pub fn csv(result: &RunResult) -> LocustCsv {
    LocustCsv {
        stats: stats(result),
        history: history(result),
        failures: failures(result),
        exceptions: sheet(&EXCEPTION_COLUMNS, Vec::new()),
    }
}

type Cells = Vec<String>;

/// With Python's line ends, as Locust's are.
fn sheet(columns: &[&str], rows: Vec<Cells>) -> String {
    let mut writer: Writer<Vec<u8>> =
        WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    // Neither memory nor rows of one length can fail.
    let _ = writer.write_record(columns);
    for row in rows {
        let _ = writer.write_record(row);
    }
    let bytes = writer.into_inner().unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A text that no spreadsheet computes.
fn cell(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if is_formula { format!("'{text}") } else { text.to_owned() }
}

/// As Python writes a floating-point number.
fn float(value: f64) -> String {
    format!("{:?}", if value.is_finite() { value } else { 0.0 })
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

fn ms(ns: Option<u64>) -> f64 {
    ns.unwrap_or(0) as f64 / 1e6
}

fn whole_ms(ns: u64) -> String {
    format!("{:.0}", ns as f64 / 1e6)
}

fn percentiles(response: &Histogram) -> impl Iterator<Item = String> {
    PERCENTILES
        .iter()
        .map(|(_, q)| response.value_at_quantile(*q).map_or_else(|| "N/A".to_owned(), whole_ms))
}

fn with_percentiles(before: &[&'static str], after: &[&'static str]) -> Vec<&'static str> {
    let percentiles = PERCENTILES.iter().map(|(name, _)| *name);
    before.iter().copied().chain(percentiles).chain(after.iter().copied()).collect()
}

/// What is known of one request, or of all.
#[derive(Default)]
struct Figures {
    requests: u64,
    failed: u64,
    bytes: u64,
    response: Histogram,
}

impl Figures {
    fn add(&mut self, row: &RequestRow) {
        self.requests = self.requests.saturating_add(row.total_requests);
        self.failed = self.failed.saturating_add(row.failed);
        self.bytes = self.bytes.saturating_add(row.bytes_received);
        self.response.merge(&row.response_histogram);
    }

    fn median(&self) -> String {
        self.response.value_at_quantile(0.5).map_or_else(|| "0".to_owned(), whole_ms)
    }

    /// Median, mean, smallest, largest response time and content size.
    fn times_and_size(&self) -> [String; 5] {
        [
            self.median(),
            float(self.response.mean().unwrap_or(0.0) / 1e6),
            float(ms(self.response.min())),
            float(ms(self.response.max())),
            float(ratio(self.bytes as f64, self.requests as f64)),
        ]
    }

    fn stats_row(&self, kind: &str, name: &str, seconds: f64) -> Cells {
        let mut cells =
            vec![cell(kind), cell(name), self.requests.to_string(), self.failed.to_string()];
        cells.extend(self.times_and_size());
        cells.push(float(ratio(self.requests as f64, seconds)));
        cells.push(float(ratio(self.failed as f64, seconds)));
        cells.extend(percentiles(&self.response));
        cells
    }
}

/// The name without the method, as Locust has them.
fn name_of(row: &RequestRow) -> &str {
    let rest = row.name.strip_prefix(row.method.as_str()).and_then(|rest| rest.strip_prefix(' '));
    rest.filter(|rest| !rest.is_empty() && !row.method.is_empty()).unwrap_or(&row.name)
}

fn stats(result: &RunResult) -> String {
    let mut rows: BTreeMap<(&str, &str), Figures> = BTreeMap::new();
    let mut all = Figures::default();
    for row in result.test_results.iter().flat_map(|phase| &phase.requests) {
        rows.entry((name_of(row), &row.method)).or_default().add(row);
        all.add(row);
    }
    let ends = result.test_results.iter().map(|phase| phase.start_seconds + phase.elapsed_seconds);
    let seconds = ends.fold(0.0, f64::max);
    let total = all.stats_row("", "Aggregated", seconds);
    let rows = rows.iter().map(|((name, kind), row)| row.stats_row(kind, name, seconds));
    sheet(&with_percentiles(&STATS_COLUMNS, &[]), rows.chain([total]).collect())
}

fn history(result: &RunResult) -> String {
    let mut past = Past::default();
    let rows = result.timeline.iter().enumerate().map(|(at, row)| {
        let is_last = result.timeline.get(at + 1).is_none_or(|next| next.phase != row.phase);
        if let Some(phase) = result.test_results.get(row.phase) {
            past.advance(row, phase, is_last);
        }
        past.row(row, &result.run.started)
    });
    let rows = rows.collect();
    sheet(&with_percentiles(&HISTORY_COLUMNS, &HISTORY_TOTALS), rows)
}

/// Everything until a point of the timeline.
#[derive(Default)]
struct Past {
    figures: Figures,
    /// Blocks of the present phase that are in it.
    blocks: usize,
}

impl Past {
    fn advance(&mut self, row: &TimelineRow, phase: &PhaseResult, is_last: bool) {
        self.figures.requests = self.figures.requests.saturating_add(row.requests);
        self.figures.failed = self.figures.failed.saturating_add(row.failed);
        self.figures.bytes = self.figures.bytes.saturating_add(row.bytes_received);
        let blocks = &phase.histograms.response_blocks;
        let block_seconds = phase.histograms.block_seconds.max(1e-3);
        // Intervals are never cut exactly at the second.
        let until = row.start_seconds + row.length_seconds - phase.start_seconds + 0.1;
        let full = if is_last { blocks.len() } else { (until / block_seconds).max(0.0) as usize };
        let full = full.min(blocks.len());
        for block in blocks.get(self.blocks..full).into_iter().flatten() {
            self.figures.response.merge(block);
        }
        self.blocks = if is_last { 0 } else { full.max(self.blocks) };
    }

    fn row(&self, row: &TimelineRow, started: &str) -> Cells {
        let end = row.start_seconds + row.length_seconds;
        let time = instant::after(started, end).map_or(end as i64, jiff::Timestamp::as_second);
        let rate = |count: u64| format!("{:.6}", ratio(count as f64, row.length_seconds));
        let mut cells = vec![
            time.to_string(),
            row.users.to_string(),
            String::new(),
            "Aggregated".to_owned(),
            rate(row.requests),
            rate(row.failed),
        ];
        cells.extend(percentiles(&self.figures.response));
        cells.extend([self.figures.requests.to_string(), self.figures.failed.to_string()]);
        cells.extend(self.figures.times_and_size());
        cells
    }
}

/// One kind of failure of one request.
#[derive(Default)]
struct Failure<'a> {
    words: &'a str,
    count: u64,
    /// Seconds into the run, of those that were kept.
    seen: Vec<f64>,
}

fn failures(result: &RunResult) -> String {
    let mut found: BTreeMap<(&str, &str, &str), Failure<'_>> = BTreeMap::new();
    for phase in &result.test_results {
        for row in &phase.requests {
            for (kind, count) in &row.errors {
                let failure = found.entry((name_of(row), &row.method, kind)).or_default();
                failure.count = failure.count.saturating_add(*count);
                let error = phase.errors.iter().find(|error| error.kind == *kind);
                let Some(error) = error else { continue };
                failure.words = &error.description;
                let samples = error.samples.iter().filter(|sample| sample.request == row.name);
                failure.seen.extend(samples.map(|s| phase.start_seconds + s.at_seconds));
            }
        }
    }
    let time = |seconds: f64| {
        let instant = instant::after(&result.run.started, seconds);
        instant.map_or(String::new(), |at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
    };
    let rows = found.into_iter().map(|((name, method, kind), failure)| {
        let words = if failure.words.is_empty() { kind } else { failure.words };
        let first = failure.seen.iter().copied().reduce(f64::min);
        let has_all = failure.seen.len() as u64 == failure.count;
        let last = failure.seen.iter().copied().reduce(f64::max).filter(|_| has_all);
        vec![
            cell(method),
            cell(name),
            cell(words),
            failure.count.to_string(),
            first.map_or(String::new(), time),
            last.map_or(String::new(), time),
        ]
    });
    sheet(&FAILURE_COLUMNS, rows.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_without_their_method() {
        let check = |method: &str, name: &str, expect: &str| {
            let row = RequestRow {
                method: method.to_owned(),
                name: name.to_owned(),
                ..RequestRow::default()
            };
            assert_eq!(name_of(&row), expect);
        };
        check("GET", "GET /a b", "/a b");
        check("GET", "GETTING", "GETTING");
        check("GET", "login", "login");
        check("GET", "GET ", "GET ");
        check("", " x", " x");
    }

    #[test]
    fn formulas_are_text() {
        let check = |text: &str, expect: &str| assert_eq!(cell(text), expect);
        check("=1+1", "'=1+1");
        check("+1", "'+1");
        check("-1", "'-1");
        check("@SUM(A1)", "'@SUM(A1)");
        check("\t=1", "'\t=1");
        check("\r=1", "'\r=1");
        check("a=1", "a=1");
        check("", "");
    }

    /// Two phases of 2.5 s with a request a second of 10, 20, 30 ms and 40, 50, 60 ms; blocks of 2 s.
    fn two_phases() -> RunResult {
        let ms = |values: &[u64]| values.iter().map(|ms| ms * 1_000_000).collect::<Histogram>();
        let phase = |start_seconds: f64, blocks: &[&[u64]]| {
            let mut phase = PhaseResult { start_seconds, ..PhaseResult::default() };
            phase.histograms.block_seconds = 2.0;
            phase.histograms.response_blocks = blocks.iter().map(|block| ms(block)).collect();
            phase
        };
        let point = |phase: usize, start_seconds: f64, length_seconds: f64| TimelineRow {
            phase,
            start_seconds,
            length_seconds,
            users: 7,
            requests: 1,
            failed: phase as u64,
            bytes_received: 100,
            ..TimelineRow::default()
        };
        let mut result = RunResult {
            test_results: vec![phase(0.0, &[&[10, 20], &[30]]), phase(2.5, &[&[40, 50], &[60]])],
            timeline: [(0, 0.0), (1, 2.5)]
                .into_iter()
                .flat_map(|(index, start)| {
                    [(0.0, 1.0), (1.0, 1.0), (2.0, 0.5)]
                        .map(|(after, length)| point(index, start + after, length))
                })
                .collect(),
            ..RunResult::default()
        };
        result.run.started = "1970-01-01T00:01:40.9Z".to_owned();
        result
    }

    #[test]
    fn the_history_goes_up_to_each_point() {
        let text = history(&two_phases());
        let column = |name: &str| {
            let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
            let at = lines.next().and_then(|head| head.iter().position(|known| *known == name));
            lines.map(|row| row[at.unwrap()].to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(column("Timestamp"), ["101", "102", "103", "104", "105", "105"]);
        assert_eq!(column("User Count"), ["7"; 6]);
        assert_eq!(column("Total Request Count"), ["1", "2", "3", "4", "5", "6"]);
        assert_eq!(column("Total Failure Count"), ["0", "0", "0", "1", "2", "3"]);
        assert_eq!(column("Requests/s")[1..3], ["1.000000", "2.000000"]);
        assert_eq!(column("Failures/s")[2..4], ["0.000000", "1.000000"]);
        // A block counts when it is full, the last of a phase when the phase is over.
        assert_eq!(column("100%"), ["N/A", "20", "30", "30", "50", "60"]);
        assert_eq!(
            column("Total Min Response Time"),
            ["0.0", "10.0", "10.0", "10.0", "10.0", "10.0"]
        );
        assert_eq!(column("Total Average Response Time")[5], "35.0");
        assert_eq!(column("Total Average Content Size"), ["100.0"; 6]);
    }

    #[test]
    fn numbers_are_pythons() {
        let check = |value: f64, expect: &str| assert_eq!(float(value), expect);
        check(0.0, "0.0");
        check(42.0, "42.0");
        check(3.25, "3.25");
        check(f64::NAN, "0.0");
        check(ratio(1.0, 0.0), "0.0");
    }
}
