//! JUnit XML: what test views show, and that every reader can read it.

use std::io::Write as _;
use std::process::{Command, Stdio};

use proofload_core::result::RunResult;
use proofload_core::suite::SuiteResult;
use proofload_core::verdict::{ExitCode, Grade};
use proofload_report::{junit, junit_suite};

use crate::{hostile, scenes, suite};

/// Validates with libxml2; what it says where that fails.
fn validate(xml: &str) -> Result<(), String> {
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/junit.xsd");
    let mut xmllint = Command::new("xmllint")
        .args(["--noout", "--nonet", "--schema", schema, "-"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("xmllint (Debian: apt-get install libxml2-utils)");
    // It may give up before it has read everything.
    let _ = xmllint.stdin.take().expect("a pipe").write_all(xml.as_bytes());
    let ended = xmllint.wait_with_output().expect("its end");
    if ended.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&ended.stderr).into_owned())
}

#[track_caller]
fn assert_valid(name: &str, xml: &str) {
    if let Err(why) = validate(xml) {
        panic!("{name}: {why}\n{xml}");
    }
}

#[test]
fn what_test_views_read() {
    for name in ["failing", "interrupted", "suspect"] {
        let (_, result) = scenes::all().iter().find(|(known, _)| *known == name).unwrap();
        insta::assert_snapshot!(format!("junit_{name}"), junit(result));
    }
}

#[test]
fn it_is_valid() {
    for (name, result) in scenes::all() {
        assert_valid(name, &junit(result));
    }
    assert_valid("nothing", &junit(&RunResult::default()));
    assert_valid("suite", &junit_suite(&suite::result()));
    assert_valid("no suite", &junit_suite(&SuiteResult::default()));
    for (name, result) in hostile::all() {
        assert_valid(&name, &junit(&result));
    }
}

#[test]
fn the_schema_refuses_what_readers_refuse() {
    let fine = junit(&scenes::all()[0].1);
    assert_valid("fine", &fine);
    let check = |from: &str, to: &str| {
        let wrong = fine.replace(from, to);
        assert_ne!(wrong, fine);
        assert!(validate(&wrong).is_err(), "{from} -> {to}");
    };
    check("time=\"60.000\"", "time=\"60.0001\"");
    check("T09:30:00\"", "T09:30:00Z\"");
    check("hostname=\"localhost\"", "");
    check("<testcase ", "<case ");
    check("</properties>", "</properties><system-out>early</system-out>");
}

/// The sum of an attribute of all suites.
fn sum(xml: &str, attribute: &str) -> usize {
    let start = format!(" {attribute}=\"");
    let suites = xml.lines().filter(|line| line.trim_start().starts_with("<testsuite "));
    suites
        .map(|line| {
            let (_, rest) = line.split_once(&start).expect("the attribute");
            rest.split('"').next().and_then(|text| text.parse::<usize>().ok()).expect("a number")
        })
        .sum()
}

#[test]
fn it_is_red_when_the_exit_code_is_not_zero() {
    for (name, result) in scenes::all() {
        let xml = junit(result);
        let is_red = sum(&xml, "failures") + sum(&xml, "errors") > 0;
        let is_bad = scenes::exit_code(result) != ExitCode::Passed || !result.summary.trustworthy;
        assert_eq!(is_red, is_bad, "{name}");
    }
    let mut fair = scenes::all()[0].1.clone();
    fair.summary.grade = Some(Grade::Fair);
    assert_eq!(sum(&junit(&fair), "failures"), 1);
}

#[test]
fn its_counts_are_those_of_its_cases() {
    for (name, result) in scenes::all() {
        let xml = junit(result);
        let count = |tag: &str| xml.matches(tag).count();
        assert_eq!(sum(&xml, "tests"), count("<testcase "), "{name}");
        assert_eq!(sum(&xml, "failures"), count("<failure "), "{name}");
        assert_eq!(sum(&xml, "errors"), count("<error "), "{name}");
        assert_eq!(sum(&xml, "skipped"), count("<skipped "), "{name}");
        let judged: usize = result.test_results.iter().map(|phase| phase.expectations.len()).sum();
        assert_eq!(count("name=\"expect "), judged, "{name}");
        assert_eq!(count("name=\"threshold "), result.thresholds.len(), "{name}");
    }
}
