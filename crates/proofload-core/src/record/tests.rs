use std::sync::Arc;

use super::*;
use crate::metrics::{Histogram, RequestSample, RequestStats, SeriesMeta, SeriesSnapshot, ShardId};

const SECOND: u64 = 1_000_000_000;

/// What a shard measured in a second of a phase: `requests` of one millisecond each.
fn snapshot(phase: u32, shard: u32, second: u64, requests: u64) -> IntervalSnapshot {
    let mut stats = RequestStats::default();
    for _ in 0..requests {
        let sample = RequestSample { response_ns: 1_000_000, status: 200, ..Default::default() };
        stats.record(&sample);
    }
    IntervalSnapshot {
        start_ns: second * SECOND,
        length_ns: SECOND,
        users_active: 2,
        series: vec![SeriesSnapshot { meta: Arc::new(SeriesMeta::default()), stats }],
        ..IntervalSnapshot::new(ShardId::worker(shard), phase, second)
    }
}

/// The events of a run with phases of so many seconds, on two shards.
fn events(lengths: &[u64]) -> Vec<RunEvent> {
    let mut events = Vec::new();
    let mut at = Duration::ZERO;
    for (phase, &seconds) in lengths.iter().enumerate() {
        events.push(RunEvent::PhaseStarted { phase, at, shards: 2 });
        for second in 0..seconds {
            for shard in 0..2 {
                let snapshot = snapshot(phase as u32, shard, second, 1 + second % 3);
                events.push(RunEvent::Snapshot(Arc::new(snapshot)));
            }
        }
        at += Duration::from_secs(seconds);
        events.push(RunEvent::PhaseEnded { phase, at, early: None });
    }
    events
}

fn record(events: &[RunEvent]) -> RunRecord {
    let mut record = RunRecord::default();
    events.iter().for_each(|event| record.hear(event));
    record
}

#[test]
fn the_timeline_adds_up_to_the_totals_at_any_resolution() {
    for lengths in [&[3][..], &[10, 20, 5], &[5_000], &[399, 2, 700]] {
        let record = record(&events(lengths));
        let points = record.timeline.points();
        assert!(points.len() <= MAX_POINTS, "{}", points.len());
        let sum: u64 = points.iter().map(|point| point.requests).sum();
        let all: u64 = record.totals.phases().map(|(_, p)| p.requests().requests()).sum();
        assert_eq!(sum, all, "{lengths:?}");
        let seconds: u64 = points.iter().map(|point| point.length.as_secs()).sum();
        assert_eq!(seconds, lengths.iter().sum::<u64>());
        assert!(points.windows(2).all(|pair| pair[0].start < pair[1].start));
        assert!(points.iter().all(|point| point.users == 4 && point.response.count() > 0));
    }
}

#[test]
fn the_rest_of_a_phase_is_no_point_of_its_own() {
    let mut record = RunRecord::default();
    record.begin_phase(0, Duration::ZERO, 1);
    record.add(&snapshot(0, 0, 0, 10)).unwrap();
    let rest = IntervalSnapshot { length_ns: SECOND / 100, ..snapshot(0, 0, 1, 10) };
    record.add(&rest).unwrap();
    let [point] = record.timeline.points() else { panic!("{:?}", record.timeline) };
    assert_eq!((point.requests, point.length), (20, Duration::from_millis(1_010)));
}

#[test]
fn more_phases_than_points_leave_one_point_each() {
    let record = record(&events(&[2; MAX_POINTS + 50]));
    assert_eq!(record.timeline.points().len(), MAX_POINTS + 50);
    assert!(record.timeline.resolution() < Duration::from_secs(60));
}

#[test]
fn long_runs_have_points_as_long_as_the_resolution() {
    let record = record(&events(&[3_600]));
    let points = record.timeline.points();
    // 3,600 s in at most 400 points are points of 16 s; the last one may be shorter.
    assert_eq!(record.timeline.resolution(), Duration::from_secs(16));
    let (last, whole) = points.split_last().expect("points");
    assert!(whole.iter().all(|point| point.length == Duration::from_secs(16)), "{points:?}");
    assert!(last.length <= Duration::from_secs(16));
}

#[test]
fn hours_take_no_more_memory_than_minutes() {
    let minutes = record(&events(&[600])).timeline.heap_bytes();
    let hours = record(&events(&[9_600])).timeline.heap_bytes();
    assert!(hours < 2 * minutes, "{minutes} {hours}");
}

#[test]
fn a_record_survives_json_and_goes_on_from_there() {
    let events = events(&[20, 20]);
    for cut in [0, 1, 7, 43, events.len()] {
        let text = serde_json::to_string(&record(&events[..cut])).unwrap();
        let mut restored: RunRecord = serde_json::from_str(&text).unwrap();
        // An interval that was half reported at the cut is incomplete in the timeline only.
        events[cut..].iter().for_each(|event| restored.hear(event));
        assert_eq!(restored.totals, record(&events).totals, "cut at {cut}");
        assert_eq!(restored.phases, record(&events).phases);
    }
}

#[test]
fn the_end_of_a_mark_belongs_to_its_beginning() {
    let mark = |at: u64, until: Option<u64>, text: &str| Mark {
        at: Duration::from_secs(at),
        until: until.map(Duration::from_secs),
        kind: MarkKind::Alert,
        level: MarkLevel::Critical,
        text: text.to_owned(),
    };
    let mut marks = Marks::default();
    marks.add(mark(1, None, "p95"));
    marks.add(mark(2, None, "p95"));
    marks.add(mark(1, Some(5), "p95"));
    assert_eq!(marks.all(), [mark(1, Some(5), "p95"), mark(2, None, "p95")]);
    for at in 0..1_000 {
        marks.add(mark(at, None, &"x".repeat(10_000)));
    }
    assert_eq!((marks.all().len(), marks.dropped()), (MAX_MARKS, 502));
    assert!(marks.all().iter().all(|mark| mark.text.len() < 500));
}

/// A phase of so many requests in each second, of which so many milliseconds were paused.
fn with_pauses(seconds: &[(u64, u64)]) -> RunRecord {
    let mut record = RunRecord::default();
    record.begin_phase(0, Duration::ZERO, 2);
    let mut paused_before_ns = 0;
    for (second, &(requests, paused_ms)) in seconds.iter().enumerate() {
        let paused_ns = paused_ms * 1_000_000;
        for shard in 0..2 {
            let snapshot = IntervalSnapshot {
                paused_ns,
                paused_before_ns,
                ..snapshot(0, shard, second as u64, requests)
            };
            let _ = record.add(&snapshot).expect("a known version");
        }
        paused_before_ns += paused_ns;
    }
    record
}

#[test]
fn rates_are_those_of_the_time_with_load() {
    let mut record = with_pauses(&[(10, 0), (10, 400), (0, 1_000), (0, 1_000), (5, 500)]);
    let totals = record.totals.phase(0).expect("it ran");
    assert_eq!((totals.elapsed_ns, totals.paused_ns), (5 * SECOND, 29 * SECOND / 10));
    assert!((totals.elapsed_seconds() - 2.1).abs() < 1e-9);
    let blocks: Vec<_> = totals.response_blocks.blocks().iter().map(Histogram::count).collect();
    assert_eq!(blocks, [20, 30], "on load time: 0 to 1 s, 1 to 1.6 s and 1.6 to 2.1 s");
    assert_eq!(record.elapsed(), Duration::from_secs(5), "marks stand on wall time");
    record.end_phase(0, Duration::from_secs(5), None);
    assert_eq!(record.measured(), Duration::from_millis(2_100));
}

#[test]
fn a_pause_makes_no_peak_in_the_timeline() {
    let check = |seconds: &[(u64, u64)], expect: &[(u64, u64, u64)]| {
        let record = with_pauses(seconds);
        let points = record.timeline.points().iter();
        let points: Vec<_> = points
            .map(|at| (at.start.as_secs(), at.length.as_millis() as u64, at.requests))
            .collect();
        assert_eq!(points, expect, "{seconds:?}");
    };
    // Nothing while it lasts.
    check(&[(10, 0), (0, 1_000), (0, 1_000), (10, 0)], &[(0, 1_000, 20), (3, 1_000, 20)]);
    // What ends in it, or in the moment before, was made by the load before.
    check(&[(10, 0), (3, 1_000), (1, 1_000), (9, 0)], &[(0, 1_000, 28), (3, 1_000, 18)]);
    check(&[(10, 0), (6, 999), (1, 1_000), (9, 0)], &[(0, 1_001, 34), (3, 1_000, 18)]);
    check(&[(10, 0), (6, 400), (9, 0)], &[(0, 1_000, 20), (1, 600, 12), (2, 1_000, 18)]);
    // The moment after it stands by itself, where it was.
    let after = [(0, 1_000, 20), (3, 100, 2), (4, 1_000, 20)];
    check(&[(10, 0), (0, 1_000), (0, 1_000), (1, 900), (10, 0)], &after);
    // A phase that begins paused.
    check(&[(0, 1_000), (0, 1_000), (4, 0)], &[(2, 1_000, 8)]);
    check(&[(1, 1_000), (0, 1_000), (4, 0)], &[(0, 1_000, 10)]);
}

#[test]
fn a_pause_of_hours_leaves_the_timeline_its_resolution() {
    let mut seconds = vec![(1, 0); 100];
    seconds.extend(std::iter::repeat_n((0, 1_000), 10_800));
    seconds.extend([(1, 0); 100]);
    let mut record = with_pauses(&seconds);
    record.end_phase(0, record.elapsed(), None);
    assert_eq!(record.timeline.points().len(), 200);
    assert_eq!(record.timeline.resolution(), Duration::from_secs(1));
    assert_eq!(record.measured(), Duration::from_secs(200));
}
