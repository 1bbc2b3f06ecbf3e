//! What the dispatcher keeps while it runs stays within 64 MB, whatever has been recorded.

use std::sync::Arc;
use std::time::Duration;

use proofload_core::event::Interval;
use proofload_core::metrics::{
    IntervalSnapshot, RequestSample, RequestStats, RunTotals, SeriesMeta, SeriesSnapshot, ShardId,
};

use super::handle::EVENT_BUFFER;
use super::intervals::Intervals;
use super::recent::Recent;

const WORKERS: u32 = 2;
const SERIES: u32 = 4;
const SECONDS: u64 = 250;
const REQUESTS_A_SECOND: u64 = 400_000;

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

#[test]
fn a_hundred_million_requests_stay_within_64_mb() {
    for step_every in [None, Some(Duration::from_secs(100))] {
        let (mut totals, mut intervals) = (RunTotals::default(), Intervals::default());
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
                totals.merge(&snapshot).expect("a known version");
                if let Some(interval) = intervals.add(&snapshot, WORKERS) {
                    largest = largest.max(interval_bytes(&interval));
                }
                recent.add(snapshot);
            }
            if at % 10 == 9 {
                let _ = recent.totals(Duration::from_secs(at + 1));
            }
            if at == SECONDS / 2 {
                half_way = totals.heap_bytes() + recent.heap_bytes();
            }
        }
        let recorded = totals.phase(0).expect("it ran").requests().requests();
        assert_eq!(recorded, 100_000_000);
        let kept = totals.heap_bytes() + recent.heap_bytes();
        let waiting = EVENT_BUFFER * largest;
        assert!(kept <= half_way + half_way / 4, "{half_way} bytes grew to {kept}");
        assert!(waiting > 1 << 20 && recent.heap_bytes() > 1 << 17, "that cannot be");
        assert!(kept + waiting < 64 << 20, "{kept} and {waiting} bytes, {step_every:?}");
    }
}
