use std::fs::{self, OpenOptions};
use std::io::Write;
use std::sync::Arc;

use proofload_core::event::{Mark, MarkKind, MarkLevel, RunEvent};
use proofload_core::metrics::{
    IntervalSnapshot, RequestSample, RequestStats, SeriesMeta, SeriesSnapshot, ShardId,
};
use proofload_core::plan::{Inputs, Overrides, Plan};
use proofload_core::record::RunRecord;
use proofload_core::redact::Redactor;
use proofload_core::result::RunInfo;

use super::*;
use crate::output::Output;
use crate::testing::Folder;

const PLAN: &str = r#"
    name = "test"
    target = "http://127.0.0.1:1"
    [[user]]
    name = "reader"
    [[user.task]]
    get = "/"
    headers = { authorization = "Bearer hunter2-token" }
    [[phase]]
    name = "first"
    users = 2
    duration = "30s"
    expect = { p95 = "<300ms", error_rate = "<1%" }
    [[phase]]
    name = "second"
    rate = "10/s"
    duration = "30s"
    mix = { reader = 1 }
    [thresholds]
    http_req_failed = ["rate<0.01"]
"#;

fn header() -> Header {
    let plan = Plan::parse("plan.toml", PLAN, &Overrides::default(), &Inputs::NONE);
    let plan = plan.unwrap_or_else(|errors| panic!("{errors}"));
    let run = RunInfo {
        name: "test".to_owned(),
        started: "2026-01-31T23:59:59.500Z".to_owned(),
        ..RunInfo::default()
    };
    Header::new(&plan, run, [("os".to_owned(), "test".to_owned())].into(), &secrets())
}

fn secrets() -> Redactor {
    let mut secrets = Redactor::default();
    secrets.hide("hunter2-token");
    secrets
}

fn snapshot(phase: u32, shard: u32, second: u64) -> RunEvent {
    let mut stats = RequestStats::default();
    for number in 0..50 {
        let response_ns = 1_000_000 + number * 77_777 * (1 + second);
        stats.record(&RequestSample { response_ns, status: 200, ..Default::default() });
    }
    let meta = SeriesMeta { name: "/?t=hunter2-token".to_owned(), ..SeriesMeta::default() };
    RunEvent::Snapshot(Arc::new(IntervalSnapshot {
        start_ns: second * 1_000_000_000,
        length_ns: 1_000_000_000,
        users_active: 1,
        series: vec![SeriesSnapshot { meta: Arc::new(meta), stats }],
        ..IntervalSnapshot::new(ShardId::worker(shard), phase, second)
    }))
}

/// The events of a run of two phases of so many seconds, on two shards.
fn events(seconds: u64) -> Vec<RunEvent> {
    let mut events = Vec::new();
    for phase in 0..2_usize {
        let at = Duration::from_secs(seconds * phase as u64);
        events.push(RunEvent::PhaseStarted { phase, at, shards: 2 });
        for second in 0..seconds {
            events.extend((0..2).map(|shard| snapshot(phase as u32, shard, second)));
        }
        events.push(RunEvent::Mark(Mark {
            at,
            until: None,
            kind: MarkKind::Control,
            level: MarkLevel::Info,
            text: "said hunter2-token".to_owned(),
        }));
        let at = at + Duration::from_secs(seconds);
        events.push(RunEvent::PhaseEnded { phase, at, early: None });
    }
    events
}

fn record(events: &[RunEvent]) -> RunRecord {
    let mut record = RunRecord::default();
    events.iter().for_each(|event| record.hear(event));
    record
}

fn journal(folder: &Folder) -> Journal {
    Journal::create(folder.path(), header(), secrets()).expect("a journal")
}

/// Hears events as a run tells them.
fn hear(journal: &mut Journal, events: &[RunEvent]) {
    for event in events {
        journal.hear(event).expect("it can be written");
    }
}

fn requests(record: &RunRecord) -> u64 {
    record.totals.phases().map(|(_, phase)| phase.requests().requests()).sum()
}

#[test]
fn what_was_heard_is_read_back_without_secrets() {
    let folder = Folder::new();
    let mut journal = journal(&folder);
    hear(&mut journal, &events(3));
    journal.finish(None).expect("it can be written");
    let text = fs::read_to_string(path_in(folder.path())).expect("text");
    assert!(!text.contains("hunter2"), "{text}");
    assert_eq!(text.lines().count(), 1 + events(3).len() + 1);
    let recovered = read(folder.path()).expect("it reads");
    assert!(recovered.complete && !recovered.torn && recovered.lines_skipped == 0);
    let heard = record(&events(3));
    assert_eq!(requests(&recovered.record), requests(&heard));
    assert_eq!(recovered.record.timeline, heard.timeline);
    assert_eq!(recovered.record.phases, heard.phases);
    assert_eq!(recovered.record.marks.all()[0].text, "said ***");
    discard(folder.path()).expect("it can be removed");
    assert!(read(folder.path()).is_err());
    discard(folder.path()).expect("nothing to remove is fine");
}

#[test]
fn the_result_is_judged_by_the_plan_in_it() {
    let folder = Folder::new();
    let mut journal = journal(&folder);
    let events = events(3);
    hear(&mut journal, &events[..6]);
    drop(journal);
    let recovered = read(folder.path()).expect("it reads");
    let result = recovered.result().expect("a result");
    assert!(result.run.incomplete && !result.run.interrupted);
    assert_eq!(result.run.ended, "2026-02-01T00:00:01.500Z");
    let names: Vec<_> = result.test_results.iter().map(|phase| &*phase.scenario).collect();
    assert_eq!(names, ["first", "second"]);
    assert_eq!(result.test_results[0].expectations.len(), 2);
    assert_eq!(result.test_results[0].ended_early.as_deref(), Some("the run was cut off"));
    assert_eq!(result.thresholds.len(), 1);
    assert_eq!(result.environment["os"], "test");
    assert_eq!(result.summary.total_requests, 200);
    assert!(!result.test_results[1].was_run);
}

/// The heart of the matter: wherever the file ends, everything before is there.
#[test]
fn a_journal_that_ends_anywhere_is_readable() {
    let folder = Folder::new();
    let mut journal = journal(&folder);
    hear(&mut journal, &events(2));
    journal.finish(None).expect("it can be written");
    let whole = fs::read(path_in(folder.path())).expect("bytes");
    let header_end = whole.iter().position(|byte| *byte == b'\n').expect("a line") + 1;
    let mut last = 0;
    for end in (header_end..whole.len()).step_by(7).chain([whole.len()]) {
        fs::write(path_in(folder.path()), &whole[..end]).expect("written");
        let recovered = read(folder.path()).expect("it reads");
        let is_cut = end < whole.len() && !whole[..end].ends_with(b"\n");
        // A last line without its break may be whole.
        assert!(is_cut || !recovered.torn, "at {end}");
        assert_eq!(recovered.lines_skipped, 0);
        let count = requests(&recovered.record);
        assert!(count >= last && count.is_multiple_of(50), "at {end}");
        last = count;
    }
    assert_eq!(last, 400);
}

#[test]
fn garbage_is_named_and_the_rest_is_read() {
    let folder = Folder::new();
    let mut journal = journal(&folder);
    hear(&mut journal, &events(2)[..3]);
    let path = path_in(folder.path());
    let mut file = OpenOptions::new().append(true).open(&path).expect("the journal");
    file.write_all(b"\0\xff garbage\n{\"unknown\":1}\n").expect("written");
    hear(&mut journal, &events(2)[3..]);
    journal.finish(None).expect("it can be written");
    let recovered = read(folder.path()).expect("it reads");
    let lines: Vec<_> = recovered.skipped.iter().map(|skipped| skipped.line).collect();
    assert_eq!((recovered.lines_skipped, &*lines), (2, &[5, 6][..]));
    assert_eq!(requests(&recovered.record), 400);
    assert!(recovered.complete);
    let told = recovered.record.marks.all().last().expect("a notice").text.clone();
    assert!(told.starts_with("2 lines of the journal could not be read"), "{told}");
}

#[test]
fn what_is_no_journal_is_told_apart() {
    let folder = Folder::new();
    let says = |text: &str, expect: &str| {
        fs::write(path_in(folder.path()), text).expect("written");
        let error = read(folder.path()).expect_err("it is wrong").to_string();
        assert!(error.contains(expect), "{error}");
    };
    says("", "no journal of Proofload");
    says("{\"header\":{\"version\":1", "no journal of Proofload");
    says("{\"end\":{}}\n", "no journal of Proofload");
    says("{\"header\":{\"version\":2,\"x\":[]}}\n", "has version 2");
    discard(folder.path()).expect("removed");
    assert!(matches!(read(folder.path()), Err(JournalError::File { .. })));
}

#[test]
fn a_long_run_stays_small_and_loses_nothing() {
    let folder = Folder::new();
    let mut journal = journal(&folder).with_segments_of(40_000);
    let events = events(600);
    let mut largest = 0;
    let mut smaller = 0;
    let mut before = 0;
    for event in &events {
        journal.hear(event).expect("it can be written");
        let bytes = fs::metadata(path_in(folder.path())).expect("always there").len();
        largest = largest.max(bytes);
        smaller += u32::from(bytes < before);
        before = bytes;
        assert!(!draft_exists(&folder));
    }
    let recovered = read(folder.path()).expect("it reads");
    let heard = record(&events);
    assert_eq!(requests(&recovered.record), requests(&heard));
    assert_eq!(recovered.record.timeline, heard.timeline);
    assert_eq!(recovered.record.phases, heard.phases);
    let folder = Folder::new();
    let mut journal = self::journal(&folder);
    hear(&mut journal, &events);
    let without_checkpoints = fs::metadata(path_in(folder.path())).expect("it is there").len();
    assert!(
        smaller >= 3 && largest < without_checkpoints / 2,
        "{smaller} times smaller, at most {largest} of {without_checkpoints} bytes"
    );
}

fn draft_exists(folder: &Folder) -> bool {
    write::draft_path(folder.path()).exists()
}

#[test]
fn a_folder_that_is_gone_for_a_while_costs_nothing() {
    let folder = Folder::new();
    let mut journal = journal(&folder);
    let events = events(3);
    hear(&mut journal, &events[..4]);
    fs::remove_dir_all(folder.path()).expect("removed");
    assert_eq!(journal.finish(None).map_err(|e| e.trouble), {
        Err(crate::output::Trouble::File(io::ErrorKind::NotFound))
    });
    assert!(journal.hear(&events[4]).is_err(), "it says so again, and waits before it tries again");
    fs::create_dir_all(folder.path()).expect("made again");
    for event in &events[5..] {
        let _ = journal.hear(event);
    }
    journal.finish(None).expect("it can be written again");
    let recovered = read(folder.path()).expect("it reads");
    assert_eq!(requests(&recovered.record), requests(&record(&events)));
    assert!(recovered.complete);
}

#[test]
fn where_nothing_can_be_written_is_told_at_once() {
    let folder = Folder::new();
    let missing = folder.path().join("missing");
    assert!(Journal::create(&missing, header(), secrets()).is_err());
}
