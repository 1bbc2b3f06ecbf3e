//! Joins interval snapshots into the totals of each phase: the one merge function of the product.
//!
//! A shard is a shard, be it a thread, a process or a machine. Merging is idempotent by
//! `(phase, shard, sequence)`, does not depend on the order of arrival, and takes memory that is
//! bounded by the number of series and shards, whatever the number of intervals.

use super::{
    BlockedHistogram, ErrorSamples, GeneratorStats, IntervalSnapshot, IterationStats, MAX_SERIES,
    RequestStats, SeriesMeta, ShardId,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Phases told apart; a snapshot of a later one is refused.
pub const MAX_PHASES: u32 = 10_000;
/// Shards told apart in a phase; snapshots of further ones are refused.
pub const MAX_SHARDS: usize = 10_000;
/// Snapshots that may be ahead of a missing one before it is given up.
const MAX_AHEAD: usize = 1_024;

/// Why a snapshot was not merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// It comes from a build with another snapshot format.
    #[error("a snapshot has version {0}, this build reads version {known}", known = IntervalSnapshot::VERSION)]
    UnknownVersion(u16),
    /// Its phase index is nonsense.
    #[error("a snapshot names phase {0}, but at most {MAX_PHASES} phases are possible")]
    PhaseOutOfRange(u32),
    /// More shards than can be: somebody invents them.
    #[error("shard {0} is one too many, at most {MAX_SHARDS} are possible")]
    TooManyShards(ShardId),
}

/// What became of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merged {
    /// It was added to the totals.
    Added,
    /// It had been added before and was ignored.
    Duplicate,
}

/// Which sequence numbers of a shard were seen, in bounded memory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Seen {
    /// All numbers below were seen or given up.
    below: u64,
    /// Numbers seen that are not below, because one before them is missing.
    ahead: BTreeSet<u64>,
    /// Numbers given up.
    lost: u64,
}

impl Seen {
    /// Marks a number; whether it is new.
    fn insert(&mut self, sequence: u64) -> bool {
        if sequence < self.below || !self.ahead.insert(sequence) {
            return false;
        }
        if self.ahead.len() > MAX_AHEAD {
            let first = self.ahead.first().copied().unwrap_or(self.below);
            self.lost = self.lost.saturating_add(first - self.below);
            self.below = first;
        }
        while self.below < u64::MAX && self.ahead.remove(&self.below) {
            self.below += 1;
        }
        true
    }

    /// Numbers missing so far.
    fn missing(&self) -> u64 {
        let span = self.ahead.last().map_or(0, |last| (last - self.below).saturating_add(1));
        span.saturating_sub(self.ahead.len() as u64).saturating_add(self.lost)
    }
}

/// What is kept of one shard in a phase.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct ShardState {
    seen: Seen,
    users_max: u32,
    /// Users active at the end of the latest interval, and that end.
    users_active: (u64, u32),
    open_connections: u32,
}

/// Everything measured in one phase, over all shards and intervals.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PhaseTotals {
    #[serde(with = "pairs")]
    series: BTreeMap<Arc<SeriesMeta>, RequestStats>,
    /// Iterations.
    pub iterations: IterationStats,
    /// The generator's own health; `open_connections` is the most of any one shard.
    pub generator: GeneratorStats,
    /// Response times of all requests by block of load time, for confidence intervals.
    pub response_blocks: BlockedHistogram,
    /// A bounded sample of failures.
    pub errors: ErrorSamples,
    /// Samples that shards had to drop.
    pub samples_dropped: u64,
    /// Where the last interval ended, in nanoseconds of wall time from the start of the phase.
    pub elapsed_ns: u64,
    /// How much of that the load was paused, in nanoseconds.
    pub paused_ns: u64,
    /// How often a series was counted in [`SeriesMeta::other`] here, because there were too many.
    pub series_overflowed: u64,
    #[serde(with = "pairs")]
    shards: BTreeMap<ShardId, ShardState>,
}

impl PhaseTotals {
    /// Requests by series, in the order of the plan.
    pub fn series(&self) -> impl Iterator<Item = (&Arc<SeriesMeta>, &RequestStats)> {
        self.series.iter()
    }

    /// All requests of the phase in one. Computed on every call.
    #[must_use]
    pub fn requests(&self) -> RequestStats {
        let mut all = RequestStats::default();
        for stats in self.series.values() {
            all.merge(stats);
        }
        // Indices mean different checks in different series.
        all.checks.clear();
        all
    }

    /// Checks by name over all series, in alphabetical order.
    #[must_use]
    pub fn checks(&self) -> BTreeMap<String, super::CheckCount> {
        let mut checks = BTreeMap::<String, super::CheckCount>::new();
        for (meta, stats) in &self.series {
            for (index, count) in stats.checks.iter().enumerate() {
                let name = meta.checks.get(index).map_or(SeriesMeta::OTHER, String::as_str);
                checks.entry(name.to_owned()).or_default().merge(*count);
            }
        }
        checks
    }

    /// The time over which rates are computed: that in which there was load. What was in flight when
    /// a pause began is counted although it ended in the pause: at most an iteration of each user.
    #[must_use]
    pub fn measured_ns(&self) -> u64 {
        self.elapsed_ns.saturating_sub(self.paused_ns)
    }

    /// [`PhaseTotals::measured_ns`] in seconds.
    #[must_use]
    pub fn elapsed_seconds(&self) -> f64 {
        self.measured_ns() as f64 / 1e9
    }

    /// Most virtual users active: the sum of each shard's most. Shards need not have had theirs at
    /// the same moment, so with several it is an upper bound.
    #[must_use]
    pub fn users_max(&self) -> u32 {
        self.shards.values().fold(0, |sum, shard| sum.saturating_add(shard.users_max))
    }

    /// Virtual users active at the end of each shard's latest interval.
    #[must_use]
    pub fn users_active(&self) -> u32 {
        self.shards.values().fold(0, |sum, shard| sum.saturating_add(shard.users_active.1))
    }

    /// Most connections open: the sum of each shard's most.
    #[must_use]
    pub fn open_connections_max(&self) -> u32 {
        self.shards.values().fold(0, |sum, shard| sum.saturating_add(shard.open_connections))
    }

    /// Snapshots known to be missing, by gaps in the shards' sequences.
    #[must_use]
    pub fn snapshots_missing(&self) -> u64 {
        self.shards.values().fold(0, |sum, shard| sum.saturating_add(shard.seen.missing()))
    }

    /// The shards that sent something.
    pub fn shards(&self) -> impl Iterator<Item = ShardId> {
        self.shards.keys().copied()
    }

    fn merge(&mut self, snapshot: &IntervalSnapshot) -> Merged {
        let shard = self.shards.entry(snapshot.shard).or_default();
        if !shard.seen.insert(snapshot.sequence) {
            return Merged::Duplicate;
        }
        shard.users_max = shard.users_max.max(snapshot.users_max).max(snapshot.users_active);
        shard.users_active = shard.users_active.max((snapshot.end_ns(), snapshot.users_active));
        shard.open_connections = shard.open_connections.max(snapshot.generator.open_connections);
        for series in &snapshot.series {
            let at_ns = snapshot.load_start_ns();
            self.response_blocks.merge_at(at_ns, &series.stats.response_ok);
            self.response_blocks.merge_failed_at(at_ns, &series.stats.response_failed);
            self.merge_series(&series.meta, &series.stats);
        }
        self.iterations.merge(&snapshot.iterations);
        self.generator.merge(&snapshot.generator);
        self.errors.merge(&snapshot.errors);
        self.samples_dropped = self.samples_dropped.saturating_add(snapshot.samples_dropped);
        self.elapsed_ns = self.elapsed_ns.max(snapshot.end_ns());
        let paused_ns = snapshot.paused_before_ns.saturating_add(snapshot.paused_ns);
        self.paused_ns = self.paused_ns.max(paused_ns);
        Merged::Added
    }

    /// Adds the same phase of another run of the same plan: what was counted and timed adds up, time
    /// too, so that rates are those of a run; blocks of time lie on one another. The most of something
    /// is that of the run which had most.
    fn add_repeat(&mut self, other: &Self) {
        for (meta, stats) in &other.series {
            self.merge_series(meta, stats);
        }
        self.iterations.merge(&other.iterations);
        self.generator.merge(&other.generator);
        self.response_blocks.merge(&other.response_blocks);
        self.errors.merge(&other.errors);
        self.samples_dropped = self.samples_dropped.saturating_add(other.samples_dropped);
        self.elapsed_ns = self.elapsed_ns.saturating_add(other.elapsed_ns);
        self.paused_ns = self.paused_ns.saturating_add(other.paused_ns);
        self.series_overflowed = self.series_overflowed.saturating_add(other.series_overflowed);
        for (id, other) in &other.shards {
            let shard = self.shards.entry(*id).or_default();
            shard.users_max = shard.users_max.max(other.users_max);
            shard.open_connections = shard.open_connections.max(other.open_connections);
            shard.seen.lost = shard.seen.lost.saturating_add(other.seen.missing());
        }
    }

    fn merge_series(&mut self, meta: &Arc<SeriesMeta>, stats: &RequestStats) {
        if let Some(known) = self.series.get_mut(meta) {
            known.merge(stats);
        } else if self.series.len() < MAX_SERIES || meta.is_other() {
            self.series.entry(Arc::clone(meta)).or_default().merge(stats);
        } else {
            self.series_overflowed = self.series_overflowed.saturating_add(1);
            self.series.entry(Arc::new(SeriesMeta::other())).or_default().merge(stats);
        }
    }

    /// Heap memory in bytes, for accounting; without the strings of the shared tags.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        let series: usize =
            self.series.values().map(|s| size_of::<RequestStats>() + s.heap_bytes()).sum();
        series
            + self.iterations.heap_bytes()
            + self.generator.timer_lag.heap_bytes()
            + self.response_blocks.heap_bytes()
            + self.errors.heap_bytes()
            + self.shards.len() * size_of::<(ShardId, ShardState)>()
            + self.shards.values().map(|s| s.seen.ahead.len() * 2 * size_of::<u64>()).sum::<usize>()
    }
}

/// The totals of all phases of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunTotals {
    phases: BTreeMap<u32, PhaseTotals>,
}

impl RunTotals {
    /// Adds a snapshot, once.
    ///
    /// # Errors
    /// When it is of another version, or names an impossible phase or one shard too many; nothing
    /// is changed then.
    pub fn merge(&mut self, snapshot: &IntervalSnapshot) -> Result<Merged, MergeError> {
        if snapshot.version != IntervalSnapshot::VERSION {
            return Err(MergeError::UnknownVersion(snapshot.version));
        }
        if snapshot.phase >= MAX_PHASES {
            return Err(MergeError::PhaseOutOfRange(snapshot.phase));
        }
        let phase = self.phases.entry(snapshot.phase).or_default();
        if phase.shards.len() >= MAX_SHARDS && !phase.shards.contains_key(&snapshot.shard) {
            return Err(MergeError::TooManyShards(snapshot.shard));
        }
        Ok(phase.merge(snapshot))
    }

    /// Adds another run of the same plan. To be told from [`RunTotals::merge`], by which the shards of
    /// one run are joined: these ran at the same time, repeats one after the other.
    pub fn add_repeat(&mut self, other: &Self) {
        for (index, totals) in &other.phases {
            self.phases.entry(*index).or_default().add_repeat(totals);
        }
    }

    /// The totals of a phase; none before its first snapshot.
    #[must_use]
    pub fn phase(&self, index: u32) -> Option<&PhaseTotals> {
        self.phases.get(&index)
    }

    /// Phases that have data, with their index in the plan.
    pub fn phases(&self) -> impl Iterator<Item = (u32, &PhaseTotals)> {
        self.phases.iter().map(|(&index, totals)| (index, totals))
    }

    /// Heap memory in bytes, for accounting.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.phases.values().map(|p| size_of::<PhaseTotals>() + p.heap_bytes()).sum()
    }
}

/// Maps whose keys are no texts, as lists of pairs: JSON knows no other keys.
mod pairs {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::collections::BTreeMap;

    pub(super) fn serialize<K: Serialize, V: Serialize, S: Serializer>(
        map: &BTreeMap<K, V>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map)
    }

    pub(super) fn deserialize<'de, K, V, D>(deserializer: D) -> Result<BTreeMap<K, V>, D::Error>
    where
        K: Deserialize<'de> + Ord,
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        Vec::<(K, V)>::deserialize(deserializer).map(|pairs| pairs.into_iter().collect())
    }
}

#[cfg(test)]
#[path = "totals_tests.rs"]
mod tests;
