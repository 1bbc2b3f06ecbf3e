//! What the dispatcher keeps while it runs stays within 64 MB, whatever has been recorded.

use std::sync::Arc;
use std::time::Duration;

use proofload_core::event::Interval;
use proofload_core::metrics::{
    IntervalSnapshot, RequestSample, RequestStats, SeriesMeta, SeriesSnapshot, ShardId,
};
use proofload_core::record::RunRecord;

use super::handle::event_buffer;
use super::recent::Recent;

const WORKERS: u32 = 2;
const SERIES: u32 = 4;
/// So many that the timeline has been as full as it gets.
const SECONDS: u64 = 500;
const REQUESTS_A_SECOND: u64 = 200_000;

/// A second of one worker: times over four orders of magnitude in every series.
fn second() -> Vec<SeriesSnapshot> {
    let each = REQUESTS_A_SECOND / u64::from(WORKERS * SERIES);
    let series = |position| {
        let meta = Arc::new(SeriesMeta { position, ..SeriesMeta::default() });
        let mut stats = RequestStats::default();
        for number in 0..each {
            let response_ns = (50_000 << (number % 13)) + number * 1_117 % 40_000;
            stats.record(&RequestSample {
                response_ns,
                service_ns: Some(response_ns / 2),
                send_ns: 3_000 + number % 1_000,
                wait_ns: response_ns / 3,
                receive_ns: response_ns / 9,
                status: 200,
                ..RequestSample::default()
            });
        }
        SeriesSnapshot { meta, stats }
    };
    (0..SERIES).map(series).collect()
}

fn interval_bytes(interval: &Interval) -> usize {
    size_of::<Interval>() + interval.requests.heap_bytes() + interval.iterations.heap_bytes()
}

fn snapshot_bytes(snapshot: &IntervalSnapshot) -> usize {
    snapshot.series.iter().map(|series| size_of_val(series) + series.stats.heap_bytes()).sum()
}

#[test]
fn a_hundred_million_requests_stay_within_64_mb() {
    for step_every in [None, Some(Duration::from_secs(100))] {
        let mut record = RunRecord::default();
        record.begin_phase(0, Duration::ZERO, WORKERS);
        let mut recent = Recent::new(step_every);
        // Nobody reads the events: as many wait as may, and all are like the largest.
        let mut largest = 0;
        let series = second();
        let mut half_way = 0;
        for at in 0..SECONDS {
            for worker in 0..WORKERS {
                let mut snapshot = IntervalSnapshot::new(ShardId::worker(worker), 0, at);
                snapshot.start_ns = at * 1_000_000_000;
                snapshot.length_ns = 1_000_000_000;
                snapshot.series.clone_from(&series);
                largest = largest.max(snapshot_bytes(&snapshot));
                if let Some(interval) = record.add(&snapshot).expect("a known version") {
                    largest = largest.max(interval_bytes(&interval));
                }
                recent.add(Arc::new(snapshot));
            }
            if at % 10 == 9 {
                let _ = recent.totals(Duration::from_secs(at + 1));
            }
            if at == SECONDS / 2 {
                half_way = record.totals.heap_bytes() + recent.heap_bytes();
            }
        }
        let recorded = record.totals.phase(0).expect("it ran").requests().requests();
        assert_eq!(recorded, 100_000_000);
        let kept = record.heap_bytes() + recent.heap_bytes();
        let waiting = event_buffer(WORKERS) * largest;
        // The timeline grows until it has all its points.
        let steady = record.totals.heap_bytes() + recent.heap_bytes();
        assert!(steady <= half_way + half_way / 4, "{half_way} bytes grew to {steady}");
        assert!(waiting > 1 << 20 && recent.heap_bytes() > 1 << 17, "that cannot be");
        assert!(kept + waiting < 64 << 20, "{kept} and {waiting} bytes, {step_every:?}");
    }
}
