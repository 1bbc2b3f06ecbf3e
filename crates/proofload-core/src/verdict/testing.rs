//! Totals with known contents, for tests.

use crate::metrics::{
    IntervalSnapshot, PhaseTotals, RequestSample, RequestStats, RunTotals, SeriesMeta,
    SeriesSnapshot, ShardId,
};
use std::sync::Arc;

/// A successful request of this response time.
pub(crate) fn sample(response_ns: u64) -> RequestSample {
    RequestSample {
        response_ns,
        send_ns: 10_000,
        wait_ns: response_ns / 2,
        receive_ns: 20_000,
        status: 200,
        bytes_sent: 100,
        bytes_received: 250,
        ..RequestSample::default()
    }
}

pub(crate) fn series_named(name: &str) -> Arc<SeriesMeta> {
    Arc::new(SeriesMeta {
        user: "member".to_owned(),
        task: name.to_owned(),
        name: format!("GET /{name}"),
        method: "GET".to_owned(),
        url: format!("/{name}"),
        group: "::main".to_owned(),
        checks: vec!["status is 200".to_owned(), "has body".to_owned()],
        ..SeriesMeta::default()
    })
}

/// A snapshot of one series, spread over nothing: everything in the first interval.
pub(crate) fn snapshot_of(
    name: &str,
    sequence: u64,
    seconds: u64,
    samples: &[RequestSample],
) -> IntervalSnapshot {
    let mut snapshot = IntervalSnapshot::new(ShardId::worker(0), 0, sequence);
    snapshot.length_ns = seconds * 1_000_000_000;
    let mut stats = RequestStats::default();
    for sample in samples {
        stats.record(sample);
    }
    if !samples.is_empty() {
        snapshot.series.push(SeriesSnapshot { meta: series_named(name), stats });
    }
    snapshot
}

pub(crate) fn totals_of(snapshots: &[IntervalSnapshot]) -> RunTotals {
    let mut totals = RunTotals::default();
    for snapshot in snapshots {
        totals.merge(snapshot).unwrap();
    }
    totals
}

/// One phase with one series.
pub(crate) fn phase_of(name: &str, seconds: u64, samples: &[RequestSample]) -> PhaseTotals {
    totals_of(&[snapshot_of(name, 0, seconds, samples)]).phase(0).unwrap().clone()
}
