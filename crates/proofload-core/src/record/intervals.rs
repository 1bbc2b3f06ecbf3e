//! Joins the interval snapshots of all shards into one picture of each interval.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::event::Interval;
use crate::metrics::IntervalSnapshot;

/// Intervals that some shard has not reported yet; beyond this the oldest is given out as it is.
const MAX_PENDING: usize = 8;

/// Collects snapshots until all shards have reported an interval.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Intervals {
    pending: BTreeMap<u64, (u32, Interval)>,
}

impl Intervals {
    /// Adds a snapshot of one of `shards` shards; gives out the interval that it completes.
    pub(super) fn add(&mut self, snapshot: &IntervalSnapshot, shards: u32) -> Option<Interval> {
        let (reported, interval) = self.pending.entry(snapshot.start_ns).or_default();
        *reported += 1;
        interval.phase = snapshot.phase as usize;
        interval.start = Duration::from_nanos(snapshot.start_ns);
        interval.length = interval.length.max(Duration::from_nanos(snapshot.length_ns));
        // Shards pause at the same moment.
        interval.paused = interval.paused.max(Duration::from_nanos(snapshot.paused_ns));
        interval.paused_before =
            interval.paused_before.max(Duration::from_nanos(snapshot.paused_before_ns));
        interval.users_active += snapshot.users_active;
        for series in &snapshot.series {
            interval.requests.merge(&series.stats);
        }
        interval.iterations.merge(&snapshot.iterations);
        interval.generator.merge(&snapshot.generator);
        if *reported >= shards {
            return self.pending.remove(&snapshot.start_ns).map(|(_, interval)| interval);
        }
        if self.pending.len() > MAX_PENDING {
            return self.pending.pop_first().map(|(_, (_, interval))| interval);
        }
        None
    }

    /// What is left at the end of a phase, in order.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = Interval> {
        std::mem::take(&mut self.pending).into_values().map(|(_, interval)| interval)
    }
}

#[cfg(test)]
mod tests {
    use crate::metrics::ShardId;

    use super::*;

    fn snapshot(shard: u32, second: u64, users_active: u32) -> IntervalSnapshot {
        IntervalSnapshot {
            start_ns: second * 1_000_000_000,
            length_ns: 1_000_000_000,
            users_active,
            ..IntervalSnapshot::new(ShardId::worker(shard), 0, second)
        }
    }

    #[test]
    fn an_interval_is_complete_when_all_shards_have_reported() {
        let mut intervals = Intervals::default();
        assert!(intervals.add(&snapshot(0, 0, 3), 2).is_none());
        assert!(intervals.add(&snapshot(0, 1, 3), 2).is_none());
        let first = intervals.add(&snapshot(1, 0, 4), 2).expect("complete");
        assert_eq!((first.start, first.users_active), (Duration::ZERO, 7));
        let rest: Vec<_> = intervals.drain().map(|interval| interval.start).collect();
        assert_eq!(rest, [Duration::from_secs(1)]);
    }

    #[test]
    fn a_silent_shard_does_not_hold_up_the_others() {
        let mut intervals = Intervals::default();
        let given_out = (0..20).filter_map(|second| intervals.add(&snapshot(0, second, 1), 2));
        assert_eq!(given_out.count(), 20 - MAX_PENDING);
    }
}
