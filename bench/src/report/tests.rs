//! Tests of the tables.

use std::path::PathBuf;

use super::*;
use crate::peers::Reading;

fn sample(round: u32, cpu_us_per_request: f64, completed: u64, served: u64) -> Measured {
    Measured::Sample(Sample {
        round,
        reading: Reading { completed, failed: 0, requests_per_second: 12_345.6, p99_ms: Some(1.5) },
        cpu_us_per_request,
        peak_memory_bytes: 3 << 20,
        served: Some(served),
        server_busy: Some(0.5),
        core_taken: None,
    })
}

fn row(name: &'static str, runs: Vec<Measured>) -> Row {
    Row { name, version: format!("{name} 1"), command: format!("{name} URL"), remark: None, runs }
}

#[test]
fn numbers() {
    fn check(value: f64, decimals: usize, expect: &str) {
        assert_eq!(fixed(value, decimals), expect);
    }
    check(0.0, 2, "0.00");
    check(999.0, 0, "999");
    check(1000.0, 0, "1,000");
    check(1_234_567.891, 1, "1,234,567.9");
    check(-50.0, 0, "−50");
    check(-0.001, 2, "0.00");
}

#[test]
fn a_table_divides_within_rounds() {
    let table = Table {
        connections: 50,
        rows: vec![
            row(
                "wrk",
                vec![sample(0, 5.0, 100, 150), sample(1, 10.0, 100, 100), sample(2, 6.0, 100, 110)],
            ),
            row(
                "hey",
                vec![
                    sample(0, 10.0, 100, 100),
                    sample(1, 30.0, 100, 100),
                    sample(2, 24.0, 100, 100),
                ],
            ),
            row("k6", vec![Measured::Failure("no".to_owned())]),
        ],
    };
    let text = render_table(&table);
    let expect = "\
| peer |      CPU µs/request |            × wrk |             requests/s | peak memory MiB |           p99 ms | server − peer | nginx busy % | core taken % |
|------|--------------------:|-----------------:|-----------------------:|----------------:|-----------------:|--------------:|-------------:|-------------:|
| wrk  |   6.00 [5.00–10.00] | 1.00 [1.00–1.00] | 12,346 [12,346–12,346] |             3.0 | 1.50 [1.50–1.50] |     10 [0–50] |           50 |            – |
| hey  | 24.00 [10.00–30.00] | 3.00 [2.00–4.00] | 12,346 [12,346–12,346] |             3.0 | 1.50 [1.50–1.50] |       0 [0–0] |           50 |            – |
";
    assert_eq!(text, expect);
}

#[test]
fn remarks_name_failures_and_counts_that_do_not_agree() {
    fn check(rows: Vec<Row>, expect: &[&str]) {
        assert_eq!(remarks(&Table { connections: 50, rows }), expect);
    }
    let good = || row("wrk", vec![sample(0, 5.0, 100, 150)]);
    check(vec![good()], &[]);
    check(vec![], &["wrk was not measured, so there are no ratios."]);
    check(
        vec![good(), row("oha", vec![sample(0, 1.0, 100, 151)])],
        &["oha: leaves out requests that nginx saw, 51 in the worst round."],
    );
    check(
        vec![good(), row("oha", vec![sample(0, 1.0, 100, 99), sample(1, 1.0, 1100, 100)])],
        &["oha: claims requests that nginx did not see, 1,000 in the worst round."],
    );
    check(
        vec![
            good(),
            row("k6", vec![Measured::Failure("a".to_owned()), Measured::Failure("b".to_owned())]),
        ],
        &["k6: 2 of 2 runs failed: b"],
    );
}

#[test]
fn command_lines_do_not_name_this_machine() {
    let job = Job {
        program: PathBuf::from("/opt/private/k6"),
        origin: "http://127.0.0.1:4321".to_owned(),
        connections: 5,
        seconds: 1,
        scratch: PathBuf::from("/tmp/private"),
        assets: PathBuf::from("/home/private/bench/peers"),
    };
    for name in peers::NAMES {
        let line = command_line(&peers::by_name(name).expect("known").command(&job), &job);
        assert!(line.contains("k6 ") && line.contains("http://127.0.0.1:PORT"), "{line}");
        assert!(!line.contains("private"), "{line}");
    }
    let oha = peers::by_name("oha").expect("known");
    let expect =
        "TOKIO_WORKER_THREADS=1 k6 --no-tui --output-format json -z 1s -c 5 http://127.0.0.1:PORT/";
    assert_eq!(command_line(&oha.command(&job), &job), expect);
}
