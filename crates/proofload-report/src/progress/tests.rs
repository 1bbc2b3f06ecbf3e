//! What progress looks like, and that it keeps within its width whatever happens.

use std::sync::Arc;
use std::time::Duration;

use proofload_core::event::{ControlState, Interval, RunEvent};
use proofload_core::metrics::{ErrorKind, RequestSample};
use proofload_core::plan::{Inputs, Overrides, Plan};
use proptest::prelude::*;

use super::{Mode, Progress};
use crate::style::Style;

const PLAN: &str = r#"
name = "shop"
target = "http://127.0.0.1:1"

[[user]]
name = "visitor"
[[user.task]]
get = "/"

[[phase]]
name = "Normal load"
users = 100
ramp_up = "10s"
duration = "50s"

[[phase]]
name = "Steady arrivals with a name that is much too long for a terminal of eighty columns"
rate = "1000/s"
duration = "1m"
max_users = 2000

[[phase]]
name = "日本語 \u001b[31m phase"
users = 5
iterations = 20
"#;

fn plan() -> Plan {
    Plan::parse("plan.toml", PLAN, &Overrides::default(), &Inputs::NONE).unwrap()
}

fn started(phase: usize) -> RunEvent {
    RunEvent::PhaseStarted { phase, at: Duration::ZERO, shards: 2 }
}

fn ended(phase: usize) -> RunEvent {
    RunEvent::PhaseEnded { phase, at: Duration::ZERO, early: None }
}

/// An interval of a second with so many requests, of which some failed.
fn interval(phase: usize, second: u64, requests: u64, failed: u64) -> RunEvent {
    let mut interval = Interval {
        phase,
        start: Duration::from_secs(second),
        length: Duration::from_secs(1),
        users_active: 50,
        ..Interval::default()
    };
    for at in 0..requests {
        interval.requests.record(&RequestSample {
            response_ns: 5_000_000 + at * 37_000,
            error: (at < failed).then_some(ErrorKind::Http5xx),
            ..RequestSample::default()
        });
    }
    interval.iterations.completed = requests;
    interval.generator.record_interval(340_000_000, 1_000_000_000);
    interval.generator.open_connections = 50;
    RunEvent::Interval(Arc::new(interval))
}

/// What stays and what is drawn, after each of the events at its second.
fn play(style: Style, mode: Mode, events: &[(u64, RunEvent)]) -> String {
    let mut progress = Progress::new(&plan(), style, mode);
    let mut out = String::new();
    for (second, event) in events {
        let now = Duration::from_secs(*second);
        for line in progress.on_event(event, now) {
            out.push_str(&format!("{line}\n"));
        }
        let is_news = !matches!(event, RunEvent::Interval(_)) || second.is_multiple_of(9);
        if is_news && mode == Mode::Live {
            for line in progress.view(now) {
                out.push_str(&format!("    |{line}\n"));
            }
        }
    }
    out
}

fn a_run() -> Vec<(u64, RunEvent)> {
    let mut events = vec![(0, started(0))];
    events.extend((0..20).map(|at| (at + 1, interval(0, at, 20 * at, at / 10))));
    events.push((20, RunEvent::Notice("worker 2 was lost; the load\nis smaller".to_owned())));
    events.push((21, ended(0)));
    events.push((21, started(1)));
    events.push((22, interval(1, 0, 990, 0)));
    let mut overloaded = interval(1, 1, 0, 0);
    if let RunEvent::Interval(interval) = &mut overloaded {
        let interval = Arc::make_mut(interval);
        interval.iterations.dropped = 1234;
        interval.iterations.queued = 10_000;
        interval.generator.record_interval(2_000_000_000, 1_000_000_000);
    }
    events.push((27, overloaded));
    events.push((81, ended(1)));
    events.push((81, started(2)));
    events.push((90, interval(2, 0, 40, 40)));
    events.push((91, ended(2)));
    events
}

#[test]
fn the_live_view() {
    insta::assert_snapshot!(play(Style::plain(), Mode::Live, &a_run()));
}

#[test]
fn the_live_view_on_a_narrow_terminal() {
    let style = Style { unicode: false, width: 40, ..Style::plain() };
    insta::assert_snapshot!(play(style, Mode::Live, &a_run()));
}

#[test]
fn plain_lines() {
    let mode = Mode::Plain { every: Mode::PLAIN_EVERY };
    insta::assert_snapshot!(play(Style::plain(), mode, &a_run()));
}

#[test]
fn plain_lines_come_every_so_often() {
    let check = |length_ms: u64, expect: &[u64]| {
        let mode = Mode::Plain { every: Duration::from_secs(5) };
        let mut progress = Progress::new(&plan(), Style::plain(), mode);
        progress.on_event(&started(0), Duration::ZERO);
        let mut printed = Vec::new();
        for at in 0..20 {
            let mut event = interval(0, 0, 10, 0);
            if let RunEvent::Interval(interval) = &mut event {
                let interval = Arc::make_mut(interval);
                interval.start = Duration::from_millis(at * length_ms);
                interval.length = Duration::from_millis(length_ms);
            }
            if !progress.on_event(&event, Duration::ZERO).is_empty() {
                printed.push(at + 1);
            }
        }
        assert_eq!(printed, expect, "{length_ms}");
    };
    check(1000, &[5, 10, 15, 20]);
    // Workers tick about every second.
    check(990, &[5, 10, 15, 20]);
    check(1010, &[5, 10, 15, 20]);
    // Nothing for a while is one line, not one for each that was due.
    check(11_000, &(1..=20).collect::<Vec<_>>());
}

#[test]
fn colours_are_closed_on_every_line() {
    let style = Style { color: true, ..Style::plain() };
    let out = play(style, Mode::Live, &a_run());
    assert!(out.contains("\u{1b}[1m"));
    for line in out.lines() {
        let opened = line.matches("\u{1b}[").count();
        let closed = line.matches("\u{1b}[0m").count();
        assert_eq!(opened, 2 * closed, "{line:?}");
    }
}

fn any_event() -> impl Strategy<Value = RunEvent> {
    let interval = (0_usize..5, any::<u64>(), any::<u64>(), any::<[u64; 5]>()).prop_map(
        |(phase, start, length, [response, count, iterations, dropped, busy])| {
            let mut interval = Interval {
                phase,
                start: Duration::from_nanos(start),
                length: Duration::from_nanos(length),
                users_active: count as u32,
                ..Interval::default()
            };
            interval.requests.response_ok.record_many(response, count >> 8);
            interval.requests.response_failed.record_many(response / 3, count >> 20);
            interval.iterations.completed = iterations;
            (interval.iterations.dropped, interval.iterations.queued) = (dropped, iterations);
            interval.generator.record_interval(busy, length);
            interval.generator.open_connections = busy as u32;
            RunEvent::Interval(Arc::new(interval))
        },
    );
    prop_oneof![
        3 => (0_usize..5).prop_map(started),
        8 => interval,
        1 => (0_usize..5).prop_map(ended),
        1 => any::<String>().prop_map(RunEvent::Notice),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_line_is_too_wide(
        events in proptest::collection::vec((any_event(), any::<u64>()), 1..12),
        width in 40_usize..200,
        unicode: bool,
        is_live: bool,
    ) {
        let style = Style { color: false, unicode, width };
        let mode = if is_live { Mode::Live } else { Mode::Plain { every: Duration::from_secs(5) } };
        let mut progress = Progress::new(&plan(), style, mode);
        for (event, now) in events {
            let now = Duration::from_nanos(now);
            let mut lines = progress.on_event(&event, now);
            lines.extend(progress.view(now));
            for line in lines {
                prop_assert!(unicode_width::UnicodeWidthStr::width(&*line) <= width, "{line}");
                prop_assert!(!line.contains(char::is_control), "{line:?}");
                prop_assert!(unicode || line.is_ascii(), "{line:?}");
            }
        }
    }
}

#[test]
fn a_pause_is_no_progress() {
    let plan = plan();
    let mut progress = Progress::new(&plan, Style::plain(), Mode::Live);
    let control = |paused, scale| RunEvent::Control(ControlState { paused, scale });
    let s = Duration::from_secs;
    let mut told = Vec::new();
    for (at, event) in [(0, started(0)), (5, control(true, 1.0)), (65, control(false, 1.5))] {
        told.extend(progress.on_event(&event, s(at)));
    }
    assert!(told.is_empty(), "marks tell it: {told:?}");
    let mut before = Progress::new(&plan, Style::plain(), Mode::Live);
    before.on_event(&started(0), Duration::ZERO);
    let (outlook, expect) = (progress.outlook(s(70)), before.outlook(s(10)));
    assert_eq!(outlook, expect, "a minute of pause has not happened");
    assert_eq!(progress.phase_time(s(70)), before.phase_time(s(10)));
    assert!(progress.view(s(70))[1].ends_with("left, load at 150%"), "{:?}", progress.view(s(70)));
    progress.on_event(&control(true, 1.0), s(70));
    let view = progress.view(s(3_600));
    assert_eq!(progress.outlook(s(3_600)), expect);
    assert!(view[1].ends_with("left, paused"), "{view:?}");
}
