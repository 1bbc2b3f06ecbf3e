//! The merge property, and that memory stays bounded.

use super::*;
use crate::metrics::{ErrorKind, ErrorSample, RequestSample, SeriesSnapshot};
use proptest::prelude::*;

/// One request somewhere in a run.
#[derive(Clone, Debug)]
struct Event {
    series: usize,
    second: u64,
    sample: RequestSample,
    check: Option<(usize, bool)>,
}

fn any_sample() -> impl Strategy<Value = RequestSample> {
    let response = prop_oneof![9 => 0_u64..20_000_000_000, 1 => any::<u64>()];
    let times = (response, any::<Option<u32>>(), 0_u64..5_000, 0_u64..9_000_000_000);
    let kind = prop::option::weighted(0.2, 0..ErrorKind::COUNT);
    let flags = (any::<Option<bool>>(), any::<bool>(), prop::bool::weighted(0.1));
    let status = prop::sample::select(vec![0_u16, 200, 204, 404, 500, 503]);
    (times, kind, flags, status, 0_u64..100_000).prop_map(
        |((response_ns, optional, send_ns, wait_ns), kind, flags, status, bytes)| {
            let (cached, new_connection, reconnected) = flags;
            RequestSample {
                response_ns,
                service_ns: optional.map(u64::from),
                dns_ns: new_connection.then_some(send_ns),
                connect_ns: new_connection.then_some(wait_ns / 7),
                tls_ns: None,
                send_ns,
                wait_ns,
                receive_ns: bytes,
                error: kind.map(|index| ErrorKind::ALL[index]),
                status,
                bytes_sent: bytes / 2,
                bytes_received: bytes,
                cached,
                new_connection,
                reconnected,
            }
        },
    )
}

fn any_event() -> impl Strategy<Value = Event> {
    let check = prop::option::of((0_usize..3, any::<bool>()));
    (0_usize..4, 0_u64..300, any_sample(), check)
        .prop_map(|(series, second, sample, check)| Event { series, second, sample, check })
}

fn meta(index: usize) -> Arc<SeriesMeta> {
    Arc::new(SeriesMeta {
        position: index as u32,
        name: format!("request {index}"),
        checks: vec!["status".to_owned(), "body".to_owned(), "fast".to_owned()],
        ..SeriesMeta::default()
    })
}

/// What a shard sends for the events of one of its intervals.
fn snapshot_of(shard: u32, sequence: u64, second: u64, events: &[&Event]) -> IntervalSnapshot {
    let mut snapshot = IntervalSnapshot::new(ShardId::worker(shard), 0, sequence);
    snapshot.start_ns = second * 1_000_000_000;
    snapshot.length_ns = 1_000_000_000;
    let mut series: BTreeMap<usize, RequestStats> = BTreeMap::new();
    for event in events {
        let stats = series.entry(event.series).or_default();
        stats.record(&event.sample);
        if let Some((index, passed)) = event.check {
            stats.record_check(index, passed);
        }
        snapshot.iterations.record(event.sample.response_ns, event.sample.error.is_some());
        snapshot.iterations.start_lag.record(event.sample.send_ns);
        if let Some(kind) = event.sample.error {
            snapshot.errors.add(ErrorSample {
                at_ns: snapshot.start_ns + event.sample.send_ns,
                kind,
                request: format!("request {}", event.series),
                message: format!("{:?}", event.sample),
                status: event.sample.status,
                elapsed_ns: event.sample.response_ns,
            });
        }
    }
    snapshot.series = series
        .into_iter()
        .map(|(index, stats)| SeriesSnapshot { meta: meta(index), stats })
        .collect();
    snapshot
}

/// All intervals of all shards, the event with index i recorded by shard `shard_of(i)`.
fn snapshots(events: &[Event], shard_of: impl Fn(usize) -> u32) -> Vec<IntervalSnapshot> {
    let mut by_interval: BTreeMap<(u32, u64), Vec<&Event>> = BTreeMap::new();
    for (index, event) in events.iter().enumerate() {
        by_interval.entry((shard_of(index), event.second)).or_default().push(event);
    }
    let mut sequences = BTreeMap::<u32, u64>::new();
    by_interval
        .into_iter()
        .map(|((shard, second), events)| {
            let sequence = sequences.entry(shard).or_default();
            let snapshot = snapshot_of(shard, *sequence, second, &events);
            *sequence += 1;
            snapshot
        })
        .collect()
}

fn merged<'a>(snapshots: impl IntoIterator<Item = &'a IntervalSnapshot>) -> PhaseTotals {
    let mut totals = RunTotals::default();
    for snapshot in snapshots {
        totals.merge(snapshot).unwrap();
    }
    totals.phases.remove(&0).unwrap_or_default()
}

/// Everything recorded directly, without snapshots and merging.
fn recorded(events: &[Event]) -> (BTreeMap<Arc<SeriesMeta>, RequestStats>, IterationStats) {
    let mut series: BTreeMap<Arc<SeriesMeta>, RequestStats> = BTreeMap::new();
    let mut iterations = IterationStats::default();
    for event in events {
        let stats = series.entry(meta(event.series)).or_default();
        stats.record(&event.sample);
        if let Some((index, passed)) = event.check {
            stats.record_check(index, passed);
        }
        iterations.record(event.sample.response_ns, event.sample.error.is_some());
        iterations.start_lag.record(event.sample.send_ns);
    }
    (series, iterations)
}

/// The totals without the bookkeeping of who sent them.
fn measured(mut totals: PhaseTotals) -> PhaseTotals {
    totals.shards.clear();
    totals
}

fn encoded(totals: &PhaseTotals) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (_, stats) in totals.series() {
        stats.response_ok.encode(&mut bytes);
        stats.wait.encode(&mut bytes);
    }
    totals.iterations.duration.encode(&mut bytes);
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_partition_over_shards_and_intervals_merges_to_the_same(
        events in prop::collection::vec(any_event(), 0..150),
        shards in 1_u32..9,
        salt in any::<u64>(),
    ) {
        let in_one = measured(merged(&snapshots(&events, |_| 0)));
        let (series, iterations) = recorded(&events);
        prop_assert_eq!(&in_one.series, &series);
        prop_assert_eq!(&in_one.iterations, &iterations);
        let split = |index: usize| {
            let mixed = (index as u64 ^ salt).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
            (mixed % u64::from(shards)) as u32
        };
        let mut pieces = snapshots(&events, split);
        // Out of order, and each of them twice.
        pieces.sort_by_key(|piece| (piece.sequence ^ salt).wrapping_mul(0x2545_f491_4f6c_dd1d));
        let joined = merged(pieces.iter().chain(&pieces));
        prop_assert_eq!(joined.snapshots_missing(), 0);
        let joined = measured(joined);
        prop_assert_eq!(encoded(&joined), encoded(&in_one));
        prop_assert_eq!(joined, in_one);
    }
}

#[test]
fn a_snapshot_counts_once_and_gaps_are_known() {
    let event = Event {
        series: 0,
        second: 0,
        sample: RequestSample { response_ns: 1, status: 200, ..RequestSample::default() },
        check: None,
    };
    let mut totals = RunTotals::default();
    let at = |sequence: u64| snapshot_of(0, sequence, sequence, &[&event]);
    assert_eq!(totals.merge(&at(0)), Ok(Merged::Added));
    assert_eq!(totals.merge(&at(0)), Ok(Merged::Duplicate));
    assert_eq!(totals.merge(&at(3)), Ok(Merged::Added));
    assert_eq!(totals.merge(&at(3)), Ok(Merged::Duplicate));
    assert_eq!(totals.phase(0).unwrap().snapshots_missing(), 2);
    assert_eq!(totals.merge(&at(1)), Ok(Merged::Added));
    assert_eq!(totals.merge(&at(2)), Ok(Merged::Added));
    let phase = totals.phase(0).unwrap();
    assert_eq!((phase.snapshots_missing(), phase.requests().requests()), (0, 4));
    assert_eq!(phase.elapsed_ns, 4_000_000_000);
}

#[test]
fn memory_of_gaps_is_bounded_and_what_is_lost_is_counted() {
    let mut seen = Seen::default();
    for sequence in 0..10_000 {
        assert!(seen.insert(sequence * 2 + 1));
    }
    assert!(seen.ahead.len() <= MAX_AHEAD);
    assert_eq!(seen.missing(), 10_000);
    assert!(!seen.insert(0), "given up: late arrival cannot be told from a duplicate");
    let mut seen = Seen::default();
    assert!(seen.insert(u64::MAX));
    assert_eq!(seen.missing(), u64::MAX - 1);
}

#[test]
fn foreign_snapshots_are_refused() {
    let mut totals = RunTotals::default();
    let newer = IntervalSnapshot { version: 9, ..IntervalSnapshot::new(ShardId::default(), 0, 0) };
    assert_eq!(totals.merge(&newer), Err(MergeError::UnknownVersion(9)));
    let wrong = IntervalSnapshot::new(ShardId::default(), u32::MAX, 0);
    assert_eq!(totals.merge(&wrong), Err(MergeError::PhaseOutOfRange(u32::MAX)));
    assert_eq!(totals.phases().count(), 0);
    let from = |shard: usize| IntervalSnapshot::new(ShardId::worker(shard as u32), 0, 0);
    for shard in 0..MAX_SHARDS {
        assert_eq!(totals.merge(&from(shard)), Ok(Merged::Added));
    }
    let surplus = from(MAX_SHARDS);
    assert_eq!(totals.merge(&surplus), Err(MergeError::TooManyShards(surplus.shard)));
    assert_eq!(totals.merge(&from(0)), Ok(Merged::Duplicate));
}

#[test]
fn users_are_the_sum_of_the_shards() {
    let mut totals = RunTotals::default();
    for (shard, sequence, active) in [(0, 0, 10), (1, 0, 5), (0, 1, 7), (1, 1, 6)] {
        let mut snapshot = IntervalSnapshot::new(ShardId::worker(shard), 0, sequence);
        snapshot.start_ns = sequence;
        snapshot.users_active = active;
        totals.merge(&snapshot).unwrap();
    }
    let phase = totals.phase(0).unwrap();
    assert_eq!((phase.users_max(), phase.users_active()), (16, 13));
}

#[test]
fn too_many_series_fall_into_one() {
    let mut snapshot = IntervalSnapshot::new(ShardId::default(), 0, 0);
    let mut stats = RequestStats::default();
    stats.record(&RequestSample { response_ns: 1, ..RequestSample::default() });
    for index in 0..MAX_SERIES + 50 {
        snapshot.series.push(SeriesSnapshot { meta: meta(index), stats: stats.clone() });
    }
    let phase = merged([&snapshot]);
    assert_eq!(phase.series().count(), MAX_SERIES + 1);
    assert_eq!(phase.series_overflowed, 50);
    let (last, other) = phase.series().last().unwrap();
    assert!(last.is_other());
    assert_eq!(other.requests(), 50);
    assert_eq!(phase.requests().requests(), MAX_SERIES as u64 + 50);
}

/// An endurance run in small: 24 hours of intervals, eight series, two shards, latencies over five
/// orders of magnitude. The number of records hardly matters, so a few per interval stand for many.
#[test]
fn memory_does_not_grow_with_time_and_stays_within_64_mb() {
    let mut totals = RunTotals::default();
    let mut shards = [(); 2].map(|()| [(); 8].map(|()| RequestStats::default()));
    let metas: Vec<_> = (0..8).map(meta).collect();
    let mut state = 1_u64;
    let mut noon_bytes = 0;
    let intervals = 86_400 / 60;
    for interval in 0..intervals {
        for (shard, series) in shards.iter_mut().enumerate() {
            let mut snapshot = IntervalSnapshot::new(ShardId::worker(shard as u32), 0, interval);
            snapshot.start_ns = interval * 60_000_000_000;
            snapshot.length_ns = 60_000_000_000;
            for (index, stats) in series.iter_mut().enumerate() {
                for _ in 0..8 {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    let response_ns = 50_000 << (state >> 60) | (state >> 50);
                    stats.record(&RequestSample {
                        response_ns,
                        service_ns: Some(response_ns / 2),
                        send_ns: 3_000 + (state >> 52),
                        wait_ns: response_ns / 3,
                        receive_ns: response_ns / 9,
                        status: 200,
                        ..RequestSample::default()
                    });
                }
                let stats = stats.take();
                snapshot.series.push(SeriesSnapshot { meta: Arc::clone(&metas[index]), stats });
            }
            totals.merge(&snapshot).unwrap();
        }
        if interval == intervals / 2 {
            noon_bytes = totals.heap_bytes();
        }
    }
    let shard_bytes: usize = shards.iter().flatten().map(RequestStats::heap_bytes).sum();
    let bytes = totals.heap_bytes() + shard_bytes;
    assert!(bytes < 64 << 20, "{bytes} bytes");
    assert!(totals.heap_bytes() < noon_bytes + noon_bytes / 4, "{noon_bytes} grew to {bytes}");
    assert_eq!(totals.phase(0).unwrap().requests().requests(), intervals * 2 * 8 * 8);
}
