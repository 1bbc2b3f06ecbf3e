//! What the view looks like, at all sizes, and what keys do.

use std::sync::Arc;
use std::time::Duration;

use proofload_core::event::{ControlState, Mark, MarkKind, MarkLevel, RunEvent};
use proofload_core::metrics::{
    ErrorKind, ErrorSample, IntervalSnapshot, RequestSample, RequestStats, SeriesMeta,
    SeriesSnapshot, ShardId,
};
use proofload_core::plan::{Inputs, Overrides, Plan};
use proofload_core::record::RunRecord;
use proofload_core::redact::Redactor;
use proofload_core::result::RunInfo;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::style::Color;

use super::{Ask, Screen, Theme};

const PLAN: &str = r#"
name = "chat-api"
target = "http://127.0.0.1:8000"

[[user]]
name = "member"
[[user.task]]
get = "/"

[[phase]]
name = "Normal load"
users = 100
duration = "1m"
expect = { p95 = "<300ms", success_rate = ">99%" }

[[phase]]
name = "Spike"
stages = [{ users = 100, for = "10s" }, { users = 1000, over = "1m" }]
expect = { error_rate = { target = "<0.5%", limit = "<1%" }, p95 = { target = "<20ms", limit = "<2s" } }

[[phase]]
name = "Steady arrivals"
rate = "1000/s"
duration = "1m"
max_users = 2000

[thresholds]
http_req_failed = ["rate<0.01"]
"#;

const S: fn(u64) -> Duration = Duration::from_secs;

fn screen(color: bool) -> Screen {
    screen_with(Theme::new(color))
}

fn screen_with(theme: Theme) -> Screen {
    let plan = Plan::parse("plan.toml", PLAN, &Overrides::default(), &Inputs::NONE).unwrap();
    let info = RunInfo {
        name: "chat-api".to_owned(),
        target: "http://127.0.0.1:8000".to_owned(),
        ..RunInfo::default()
    };
    let mut redactor = Redactor::default();
    redactor.hide("hunter2-hunter2");
    Screen::new(Arc::new(plan), info, theme, redactor)
}

/// A second of a phase: requests of some names, some of which fail.
fn second(phase: u32, at: u64) -> IntervalSnapshot {
    let mut snapshot = IntervalSnapshot::new(ShardId::worker(0), phase, at);
    (snapshot.start_ns, snapshot.length_ns) = (at * 1_000_000_000, 1_000_000_000);
    snapshot.users_active = 100 + 15 * (at * u64::from(phase)) as u32;
    for (place, name) in
        ["list messages", "send a message", "GET /api/users/{{ id }}"].iter().enumerate()
    {
        let mut stats = RequestStats::default();
        let place = place as u64;
        for number in 0..200 - 50 * place {
            let failed = phase == 1 && place == 1 && number % 50 == 0;
            stats.record(&RequestSample {
                response_ns: 4_000_000 + (number * 7_919 + at * 31) % 97 * 100_000 * (place + 1),
                status: if failed { 500 } else { 200 },
                error: failed.then_some(ErrorKind::Http5xx),
                ..RequestSample::default()
            });
        }
        let meta = SeriesMeta {
            name: (*name).to_owned(),
            position: place as u32,
            ..SeriesMeta::default()
        };
        snapshot.series.push(SeriesSnapshot { meta: Arc::new(meta), stats });
    }
    if phase == 1 {
        snapshot.errors.add(ErrorSample {
            at_ns: 1,
            kind: ErrorKind::Http5xx,
            request: "send a message".to_owned(),
            message: "500 for hunter2-hunter2".to_owned(),
            status: 500,
            elapsed_ns: 3,
        });
    }
    snapshot.generator.record_interval(340_000_000, 1_000_000_000);
    snapshot.generator.open_connections = 100;
    snapshot
}

/// The screen in the middle of the second phase.
fn in_full_flight(color: bool) -> (Screen, Duration) {
    fly(screen(color))
}

fn fly(mut screen: Screen) -> (Screen, Duration) {
    let mut record = RunRecord::default();
    let mut hear = |screen: &mut Screen, event: RunEvent, now: Duration| {
        // As the dispatcher does: intervals follow from snapshots.
        if let RunEvent::Snapshot(snapshot) = &event {
            let interval = record.add(snapshot).unwrap().expect("there is one shard");
            screen.hear(&event, now);
            screen.hear(&RunEvent::Interval(Arc::new(interval)), now);
        } else {
            record.hear(&event);
            screen.hear(&event, now);
        }
    };
    let mark = |at, level, text: &str| {
        let kind = MarkKind::Alert;
        RunEvent::Mark(Mark { at: S(at), until: None, kind, level, text: text.to_owned() })
    };
    hear(&mut screen, RunEvent::PhaseStarted { phase: 0, at: S(0), shards: 1 }, S(0));
    for at in 0..60 {
        hear(&mut screen, RunEvent::Snapshot(Arc::new(second(0, at))), S(at + 1));
    }
    hear(&mut screen, RunEvent::PhaseEnded { phase: 0, at: S(60), early: None }, S(60));
    hear(&mut screen, RunEvent::PhaseStarted { phase: 1, at: S(60), shards: 1 }, S(60));
    for at in 0..25 {
        hear(&mut screen, RunEvent::Snapshot(Arc::new(second(1, at))), S(61 + at));
    }
    let notice = "the machine is busy (hunter2-hunter2)";
    hear(&mut screen, RunEvent::Notice(notice.to_owned()), S(70));
    hear(&mut screen, mark(80, MarkLevel::Critical, "p95 of Spike is over 20 ms"), S(80));
    screen.judge(S(85));
    (screen, S(85))
}

fn drawn(screen: &Screen, now: Duration, width: u16, height: u16) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| screen.draw(frame, now)).unwrap();
    terminal.backend().buffer().clone()
}

fn text(buffer: &Buffer) -> String {
    let rows = buffer.content.chunks(buffer.area.width.into());
    let row = |cells: &[ratatui::buffer::Cell]| -> String {
        let line: String = cells.iter().map(ratatui::buffer::Cell::symbol).collect();
        format!("{}\n", line.trim_end())
    };
    rows.map(row).collect()
}

fn press(screen: &mut Screen, keys: &[KeyCode]) -> Vec<Option<Ask>> {
    keys.iter().map(|&key| screen.on_key(KeyEvent::new(key, KeyModifiers::NONE))).collect()
}

#[test]
fn a_large_terminal() {
    let (screen, now) = in_full_flight(true);
    let shown = text(&drawn(&screen, now, 140, 44));
    assert!(!shown.contains("hunter2"), "secrets are hidden");
    insta::assert_snapshot!(shown);
}

#[test]
fn a_usual_terminal() {
    let (screen, now) = in_full_flight(true);
    insta::assert_snapshot!(text(&drawn(&screen, now, 80, 24)));
}

#[test]
fn a_small_terminal() {
    let (screen, now) = in_full_flight(true);
    insta::assert_snapshot!(text(&drawn(&screen, now, 50, 12)));
}

#[test]
fn a_terminal_without_unicode() {
    let (mut screen, now) = fly(screen_with(Theme::new(true).with_unicode(false)));
    let mut shown = text(&drawn(&screen, now, 140, 44));
    insta::assert_snapshot!(shown);
    for key in [KeyCode::Tab, KeyCode::Tab, KeyCode::Char('?')] {
        press(&mut screen, &[key]);
        shown.push_str(&text(&drawn(&screen, now, 80, 24)));
    }
    assert!(shown.is_ascii(), "{shown}");
}

#[test]
fn no_size_is_too_small_or_too_large() {
    let (mut screen, now) = in_full_flight(true);
    for panel in 0..5 {
        for (width, height) in [(0, 0), (1, 1), (3, 60), (300, 2), (20, 5), (61, 15), (400, 120)] {
            let _ = drawn(&screen, now, width, height);
        }
        press(&mut screen, &[if panel == 3 { KeyCode::Char('?') } else { KeyCode::Tab }]);
    }
    let empty = self::screen(true);
    let _ = drawn(&empty, Duration::ZERO, 140, 44);
    insta::assert_snapshot!(text(&drawn(&empty, Duration::ZERO, 80, 24)));
}

#[test]
fn the_panels_of_a_usual_terminal() {
    let (mut screen, now) = in_full_flight(true);
    let mut shown = String::new();
    for _ in 0..3 {
        press(&mut screen, &[KeyCode::Tab]);
        shown.push_str(
            &text(&drawn(&screen, now, 80, 24)).lines().skip(12).collect::<Vec<_>>().join("\n"),
        );
        shown.push('\n');
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn help_and_the_question_before_the_end() {
    let (mut screen, now) = in_full_flight(true);
    press(&mut screen, &[KeyCode::Char('?')]);
    let help = text(&drawn(&screen, now, 80, 24));
    assert!(help.contains("more load, less load"), "{help}");
    // The key that closes it does nothing else.
    assert_eq!(press(&mut screen, &[KeyCode::Char('q'), KeyCode::Char('s')]), [None, None]);
    assert!(text(&drawn(&screen, now, 80, 24)).contains("Stop the run?"));
    assert_eq!(press(&mut screen, &[KeyCode::Char('x'), KeyCode::Char('x')]), [None, None]);
    let sure = press(&mut screen, &[KeyCode::Char('s'), KeyCode::Char('y')]);
    assert_eq!(sure, [None, Some(Ask::Stop)]);
    assert!(text(&drawn(&screen, now, 80, 24)).contains("STOPPING"));
}

#[test]
fn keys_ask_for_what_makes_sense_now() {
    let (mut screen, now) = in_full_flight(true);
    let keys = [' ', 'p', '+', '-', '0', 'n', 'q'].map(KeyCode::Char);
    let asks = press(&mut screen, &keys);
    let expect = [
        Ask::Pause,
        Ask::Pause,
        Ask::Scale(1.25),
        Ask::Scale(0.75),
        Ask::Scale(1.0),
        Ask::NextPhase,
        Ask::Leave,
    ];
    assert_eq!(asks, expect.map(Some));
    screen.hear(&RunEvent::Control(ControlState { paused: true, scale: 1.25 }), now);
    let asks = press(&mut screen, &[' ', '+', '-'].map(KeyCode::Char));
    assert_eq!(asks, [Ask::Resume, Ask::Scale(1.5), Ask::Scale(1.0)].map(Some));
    let shown = text(&drawn(&screen, now + S(3_600), 100, 30));
    assert!(shown.contains("PAUSED") && shown.contains("LOAD 125 %"), "{shown}");
    assert!(shown.contains("0:25 of 1:10"), "its time stands still: {shown}");
    let interrupt = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    assert_eq!(screen.on_key(interrupt), Some(Ask::Interrupt));
    for (at, scale) in [(100.0, Ask::Scale(100.0)), (0.01, Ask::Scale(0.01))] {
        screen.hear(&RunEvent::Control(ControlState { paused: false, scale: at }), now);
        let key = if at > 1.0 { '+' } else { '-' };
        assert_eq!(press(&mut screen, &[KeyCode::Char(key)]), [Some(scale)]);
    }
}

#[test]
fn arrows_move_within_what_there_is() {
    let (mut screen, now) = in_full_flight(true);
    let before = text(&drawn(&screen, now, 80, 16));
    press(&mut screen, &[KeyCode::PageDown; 5]);
    let moved = text(&drawn(&screen, now, 80, 16));
    press(&mut screen, &[KeyCode::Home]);
    assert_eq!(text(&drawn(&screen, now, 80, 16)), before);
    assert!(moved.contains("GET /api/users"), "the end stays in sight: {moved}");
}

#[test]
fn without_colours_there_are_none() {
    for color in [true, false] {
        let (screen, now) = in_full_flight(color);
        let buffer = drawn(&screen, now, 140, 44);
        let is_coloured =
            |cell: &ratatui::buffer::Cell| (cell.fg, cell.bg) != (Color::Reset, Color::Reset);
        assert_eq!(buffer.content.iter().any(is_coloured), color);
    }
}

#[test]
fn what_a_service_or_plan_says_cannot_reach_the_terminal() {
    let (mut screen, now) = in_full_flight(true);
    screen.hear(&RunEvent::Notice("\u{1b}[2J\u{7}\r\nboo".to_owned()), now);
    screen.info.name = "\u{1b}]0;title\u{7}".to_owned();
    let buffer = drawn(&screen, now, 140, 44);
    assert!(buffer.content.iter().all(|cell| !cell.symbol().contains(char::is_control)));
}
