//! What is shown.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use proofload_core::event::{Mark, MarkKind, MarkLevel, RunEvent};
use proofload_core::metrics::{
    IntervalSnapshot, RequestSample, RequestStats, SeriesMeta, SeriesSnapshot, ShardId,
};
use proofload_core::redact::Redactor;
use proofload_core::result::{RunInfo, RunResult};
use proofload_dashboard::{MAX_VIEWERS, PastRun, PlanInfo, RunStart, Running};

use crate::support::{Notes, PATIENCE, get, local, plan, post, serve, served};

const HOSTILE: &str = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\"' --> ";

fn begin(page: &Running, name: &str) {
    let plan = Arc::new(plan(name));
    let info =
        RunInfo { name: name.to_owned(), target: "http://t".to_owned(), ..RunInfo::default() };
    page.begin(RunStart { plan, info, environment: std::collections::BTreeMap::new() });
    page.hear(&RunEvent::PhaseStarted { phase: 0, at: Duration::ZERO, shards: 1 });
}

/// A second of `requests` answers.
fn second(number: u64, requests: u64, name: &str) -> RunEvent {
    let mut stats = RequestStats::default();
    for _ in 0..requests {
        stats.record(&RequestSample { response_ns: 1_000_000, ..RequestSample::default() });
    }
    let meta = SeriesMeta { name: name.to_owned(), ..SeriesMeta::default() };
    RunEvent::Snapshot(Arc::new(IntervalSnapshot {
        start_ns: number * 1_000_000_000,
        length_ns: 1_000_000_000,
        users_active: 3,
        series: vec![SeriesSnapshot { meta: Arc::new(meta), stats }],
        ..IntervalSnapshot::new(ShardId::worker(0), 0, number)
    }))
}

/// A stream of events.
struct Stream(BufReader<TcpStream>);

impl Stream {
    fn open(page: &Running) -> Self {
        let mut stream = TcpStream::connect(page.address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        Self(BufReader::new(stream))
    }

    /// Reads until a line has this in it.
    #[track_caller]
    fn wait_for(&mut self, text: &str) -> String {
        let mut line = String::new();
        loop {
            line.clear();
            let read = self.0.read_line(&mut line).expect("a line in time");
            assert!(read > 0, "the stream has ended before {text:?}");
            if line.contains(text) {
                return line;
            }
        }
    }
}

#[test]
fn who_comes_late_sees_all_of_it() {
    let (page, _) = served();
    begin(&page, "test");
    for number in 0..5 {
        page.hear(&second(number, 10, "GET /"));
    }
    let mut early = Stream::open(&page);
    early.wait_for("50 requests in all");
    page.hear(&second(5, 7, "GET /"));
    early.wait_for("57 requests in all");
    let mut late = Stream::open(&page);
    late.wait_for("57 requests in all");
    assert!(get(&page, "/", &[]).body.contains("57 requests in all"), "without script, too");
    drop(early);
    page.hear(&second(6, 3, "GET /"));
    late.wait_for("60 requests in all");
    let text = get(&page, "/download/result.json", &[]).body;
    let result = RunResult::from_json(&text).expect("a result");
    assert_eq!(result.summary.total_requests, 60);
}

#[test]
fn hostile_names_are_only_names() {
    let (page, _) = served();
    begin(&page, HOSTILE);
    page.hear(&second(0, 1, HOSTILE));
    page.hear(&RunEvent::Mark(Mark {
        at: Duration::ZERO,
        until: None,
        kind: MarkKind::Alert,
        level: MarkLevel::Critical,
        text: HOSTILE.to_owned(),
    }));
    Stream::open(&page).wait_for("1 requests in all");
    let body = get(&page, "/", &[]).body;
    assert!(body.contains("alert(1)"), "the names are shown");
    for bad in ["<script>alert", "<img", "</script><script>", "onerror=alert(1)>\""] {
        assert!(!body.contains(bad), "{bad}");
    }
}

#[test]
fn secrets_are_not_shown() {
    let mut config = local();
    let mut redactor = Redactor::default();
    redactor.hide("hunter2-hunter2");
    config.redactor = redactor;
    let secret = "hunter2-hunter2";
    let forms =
        [secret.to_owned(), "hunter2%2Dhunter2".to_owned(), "aHVudGVyMi1odW50ZXIy".to_owned()];
    let named = format!("a {} b", forms.join(" "));
    let past = PastRun { id: "one".to_owned(), name: named.clone(), ..PastRun::default() };
    let mut result = RunResult::default();
    result.run.name.clone_from(&named);
    let notes = Notes {
        plans: vec![PlanInfo::of(&plan(&named))],
        past: vec![(past, result)],
        ..Notes::default()
    };
    let (page, _) = serve(config, notes);
    begin(&page, &named);
    page.hear(&second(0, 1, &named));
    page.hear(&RunEvent::Notice(named));
    Stream::open(&page).wait_for("1 requests in all");
    for path in ["/", "/runs", "/runs/one", "/download/result.json", "/runs/one/result.json"] {
        let answer = get(&page, path, &[]);
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.body.contains("***"), "{path}");
        for form in &forms {
            assert!(!answer.body.contains(form.as_str()), "{path}: {form}");
        }
    }
}

#[test]
fn there_is_an_end_to_viewers() {
    let (page, _) = served();
    let mut streams: Vec<Stream> = (0..MAX_VIEWERS).map(|_| Stream::open(&page)).collect();
    streams.iter_mut().for_each(|stream| drop(stream.wait_for("hello")));
    assert_eq!(get(&page, "/events", &[]).status, 503);
    drop(streams.pop());
    // A place becomes free when the server notices.
    let deadline = std::time::Instant::now() + PATIENCE;
    loop {
        let mut stream = Stream::open(&page);
        let mut line = String::new();
        stream.0.read_line(&mut line).expect("an answer");
        if line.contains("200") {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "{line}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_run_is_steered_only_while_there_is_one() {
    let (page, notes) = served();
    begin(&page, "test");
    Stream::open(&page).wait_for("running");
    assert_eq!(post(&page, "/api/start", &[], r#"{"plan":0}"#).status, 409);
    for control in [
        r#"{"do":"pause"}"#,
        r#"{"do":"resume"}"#,
        r#"{"do":"scale","factor":2}"#,
        r#"{"do":"end_phase"}"#,
        r#"{"do":"stop"}"#,
    ] {
        assert_eq!(post(&page, "/api/control", &[], control).status, 202, "{control}");
    }
    assert_eq!(post(&page, "/api/control", &[], r#"{"do":"scale","factor":1000}"#).status, 409);
    assert_eq!(notes.controls.lock().unwrap().len(), 5);
    page.fail("the target is gone");
    Stream::open(&page).wait_for("the target is gone");
}

#[test]
fn the_end_is_shown_before_the_page_goes() {
    let (page, _) = served();
    begin(&page, "test");
    let mut stream = Stream::open(&page);
    stream.wait_for("running");
    page.fail("it broke");
    page.stop();
    stream.wait_for(r#"\"over\":true"#);
}
