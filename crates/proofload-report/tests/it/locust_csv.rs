//! The files of Locust: what its consumers find in them.

use proofload_core::result::RunResult;
use proofload_report::csv::{LocustCsv, csv};

use crate::{hostile, scenes};

/// The first lines that Locust 2.47 wrote with `--csv`.
const STATS: &str = "Type,Name,Request Count,Failure Count,Median Response Time,\
    Average Response Time,Min Response Time,Max Response Time,Average Content Size,Requests/s,\
    Failures/s,50%,66%,75%,80%,90%,95%,98%,99%,99.9%,99.99%,100%\r\n";
const HISTORY: &str = "Timestamp,User Count,Type,Name,Requests/s,Failures/s,50%,66%,75%,80%,90%,\
    95%,98%,99%,99.9%,99.99%,100%,Total Request Count,Total Failure Count,\
    Total Median Response Time,Total Average Response Time,Total Min Response Time,\
    Total Max Response Time,Total Average Content Size\r\n";
const FAILURES: &str = "Method,Name,Error,Occurrences,First Seen,Last Seen\r\n";
const EXCEPTIONS: &str = "Count,Message,Traceback,Nodes\r\n";

fn scene(name: &str) -> &'static RunResult {
    &scenes::all().iter().find(|(known, _)| *known == name).unwrap().1
}

/// The rows below the header.
fn rows(text: &str) -> Vec<Vec<String>> {
    let mut reader = ::csv::Reader::from_reader(text.as_bytes());
    let rows = reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect());
    rows.collect()
}

#[test]
fn columns_are_locusts() {
    for result in [&RunResult::default(), scene("failing")] {
        let LocustCsv { stats, history, failures, exceptions } = csv(result);
        assert!(stats.starts_with(STATS), "{stats}");
        assert!(history.starts_with(HISTORY), "{history}");
        assert!(failures.starts_with(FAILURES), "{failures}");
        assert_eq!(exceptions, EXCEPTIONS);
    }
}

#[test]
fn what_spreadsheets_show() {
    let files = csv(scene("failing"));
    let all = files.files().map(|(name, text)| format!("{name}\n{text}"));
    insta::assert_snapshot!("csv_failing", all.join("\n").replace('\r', ""));
}

#[test]
fn all_is_the_sum_of_its_rows() {
    for (name, result) in scenes::all() {
        let files = csv(result);
        let stats = rows(&files.stats);
        let (all, requests) = stats.split_last().expect("a row of all");
        assert_eq!(all[..2], ["", "Aggregated"], "{name}");
        let sum = |column: usize| {
            requests.iter().map(|row| row[column].parse::<u64>().unwrap()).sum::<u64>().to_string()
        };
        assert_eq!((&all[2], &all[3]), (&sum(2), &sum(3)), "{name}");
        assert_eq!(all[2], result.summary.total_requests.to_string(), "{name}");
        assert_eq!(all[3], result.summary.failed.to_string(), "{name}");
        let occurrences: u64 =
            rows(&files.failures).iter().map(|row| row[3].parse::<u64>().unwrap()).sum();
        assert_eq!(occurrences, result.summary.failed, "{name}");
        let history = rows(&files.history);
        assert_eq!(history.len(), result.timeline.len(), "{name}");
        if let Some(end) = history.last() {
            assert_eq!(end[17..19], all[2..4], "counts, {name}");
            assert_eq!(end[6..17], all[11..22], "percentiles, {name}");
            assert_eq!(end[19..24], all[4..9], "times and size, {name}");
        }
    }
}

#[test]
fn figures_are_exact() {
    let result = scene("one_liner");
    let stats = rows(&csv(result).stats);
    let [row, all] = stats.as_slice() else { panic!("one request and the sum: {stats:?}") };
    let phase = &result.test_results[0];
    assert_eq!(row[..4], ["", "GET /", "10000", "0"], "a name stays where no method is known");
    let average: f64 = row[5].parse().unwrap();
    assert_eq!(Some((average * 1e6).round() / 1e6), phase.avg_latency_ms);
    let p99 = phase.p99_latency_ms.unwrap_or_default();
    assert_eq!(row[18], format!("{p99:.0}"));
    assert_eq!(row[7].parse::<f64>().ok(), phase.max_latency_ms);
    assert_eq!(row[8], "1830.0");
    let rate = phase.requests_per_second.unwrap_or_default();
    assert_eq!(row[9].parse::<f64>().ok(), Some(rate));
    assert_eq!(all[2..], row[2..]);
}

#[test]
fn nothing_is_not_available() {
    let stats = rows(&csv(scene("no_requests")).stats);
    let all = stats.last().expect("a row of all");
    assert_eq!(all[2..9], ["0", "0", "0", "0.0", "0.0", "0.0", "0.0"]);
    assert!(all[11..].iter().all(|cell| cell == "N/A"), "{all:?}");
    let files = csv(&RunResult::default());
    assert_eq!(rows(&files.stats).len(), 1);
    assert!(rows(&files.history).is_empty());
}

#[test]
fn no_name_is_a_formula_or_breaks_a_row() {
    for (name, result) in hostile::all() {
        let files = csv(&result);
        for (file, text) in files.files() {
            let columns = text.split(['\r', '\n']).next().map(|head| head.split(',').count());
            for row in rows(text) {
                assert_eq!(Some(row.len()), columns, "{name}, {file}");
                for cell in &row {
                    let is_formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
                    assert!(!is_formula, "{name}, {file}: {cell:?}");
                }
            }
        }
    }
    let names = rows(&csv(&hostile::with("a,\"b\"\r\nc")).stats);
    assert!(names.iter().any(|row| row[1] == "a,\"b\"\r\nc"), "{names:?}");
}
