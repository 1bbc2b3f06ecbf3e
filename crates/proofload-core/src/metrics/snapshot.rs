//! What a shard of the load generator sends every second, whether it is a thread, a process or a
//! machine.

use super::{ErrorSamples, GeneratorStats, IterationStats, RequestStats, SeriesMeta};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// Names a source of snapshots. A restarted agent comes back with a higher epoch, so that its
/// sequence numbers may start again.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
pub struct ShardId {
    /// The machine or process; 0 in a run on one machine.
    pub agent: u32,
    /// How often the agent was restarted.
    pub epoch: u32,
    /// The worker thread in the agent.
    pub worker: u32,
}

impl ShardId {
    /// A worker of a run on one machine.
    #[must_use]
    pub const fn worker(worker: u32) -> Self {
        Self { agent: 0, epoch: 0, worker }
    }
}

impl fmt::Display for ShardId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.agent, self.epoch, self.worker)
    }
}

/// The requests of one series in an interval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeriesSnapshot {
    /// The static tags.
    pub meta: Arc<SeriesMeta>,
    /// What was recorded.
    pub stats: RequestStats,
}

/// Everything one shard recorded of one phase in one interval.
///
/// `(phase, shard, sequence)` identifies it: merging the same snapshot twice counts it once.
/// Sequence numbers start at 0 for every phase and shard and have no gaps. A request belongs to
/// the interval in which it finished.
///
/// `start_ns` and `length_ns` are wall time, pauses of the load included; what rates are computed over
/// is the time in which there was load, [`IntervalSnapshot::measured_ns`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntervalSnapshot {
    /// [`IntervalSnapshot::VERSION`] of the build that made it.
    pub version: u16,
    /// Who recorded it.
    pub shard: ShardId,
    /// Position in the shard's snapshots of this phase.
    pub sequence: u64,
    /// Index of the phase (scenario) in the plan.
    pub phase: u32,
    /// Start of the interval in nanoseconds from the start of the phase.
    pub start_ns: u64,
    /// Length of the interval in nanoseconds.
    pub length_ns: u64,
    /// How much of the interval the load was paused, in nanoseconds.
    #[serde(default)]
    pub paused_ns: u64,
    /// How much of the phase before the interval it was paused, in nanoseconds.
    #[serde(default)]
    pub paused_before_ns: u64,
    /// Requests by series; series without requests are left out.
    pub series: Vec<SeriesSnapshot>,
    /// Iterations.
    pub iterations: IterationStats,
    /// Virtual users active at the end of the interval.
    pub users_active: u32,
    /// Most virtual users active at a time within the interval.
    pub users_max: u32,
    /// The shard's own health.
    pub generator: GeneratorStats,
    /// A bounded sample of failures.
    pub errors: ErrorSamples,
    /// Samples (of any sort) that the shard could not record and dropped; shown in the report.
    pub samples_dropped: u64,
}

impl IntervalSnapshot {
    /// Version of the serialised form.
    pub const VERSION: u16 = 1;

    /// An empty snapshot of a shard, phase and position.
    #[must_use]
    pub fn new(shard: ShardId, phase: u32, sequence: u64) -> Self {
        Self {
            version: Self::VERSION,
            shard,
            sequence,
            phase,
            start_ns: 0,
            length_ns: 0,
            paused_ns: 0,
            paused_before_ns: 0,
            series: Vec::new(),
            iterations: IterationStats::default(),
            users_active: 0,
            users_max: 0,
            generator: GeneratorStats::default(),
            errors: ErrorSamples::default(),
            samples_dropped: 0,
        }
    }

    /// End of the interval in nanoseconds from the start of the phase.
    #[must_use]
    pub fn end_ns(&self) -> u64 {
        self.start_ns.saturating_add(self.length_ns)
    }

    /// How much of the interval there was load, in nanoseconds.
    #[must_use]
    pub fn measured_ns(&self) -> u64 {
        self.length_ns.saturating_sub(self.paused_ns)
    }

    /// Start of the interval in nanoseconds of load time, which stands still while the load is paused.
    #[must_use]
    pub fn load_start_ns(&self) -> u64 {
        self.start_ns.saturating_sub(self.paused_before_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::RequestSample;

    #[test]
    fn a_snapshot_survives_json() {
        let mut snapshot = IntervalSnapshot::new(ShardId::worker(3), 1, 7);
        let mut stats = RequestStats::default();
        stats.record(&RequestSample { response_ns: 5, status: 200, ..RequestSample::default() });
        stats.record_check(0, true);
        snapshot.series.push(SeriesSnapshot { meta: Arc::default(), stats });
        snapshot.iterations.record(9, false);
        snapshot.generator.record_interval(1, 10);
        let text = serde_json::to_string(&snapshot).unwrap();
        assert_eq!(serde_json::from_str::<IntervalSnapshot>(&text).unwrap(), snapshot);
    }
}
