//! What is kept of the iterations of virtual users, and of the generator's own health.

use super::Histogram;
use serde::{Deserialize, Serialize};

/// Iterations (passes of a virtual user through its task) over some time. Merging is exact.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct IterationStats {
    /// Iterations that ran to their end, those with failed requests included.
    pub completed: u64,
    /// Of the completed ones, those in which something failed.
    pub failed: u64,
    /// Iterations cut short by the end of the phase or an interruption.
    pub interrupted: u64,
    /// Iterations of open load that were not started, because `max_users` were busy.
    pub dropped: u64,
    /// Arrivals that found every user at work and had to wait (open load). They are measured from
    /// their intended start.
    pub queued: u64,
    /// How long completed iterations took, think time included, in nanoseconds.
    pub duration: Histogram,
    /// How late the generator started iterations of open load, in nanoseconds: from the moment at
    /// which one could start (it was due and a user was free) to its actual start. Waiting for a
    /// free user is not the generator's fault and not part of it; response times have it anyway,
    /// because they run from the intended start.
    pub start_lag: Histogram,
}

impl IterationStats {
    /// Counts an iteration that ran to its end.
    #[inline]
    pub fn record(&mut self, duration_ns: u64, has_failed: bool) {
        self.completed += 1;
        self.failed += u64::from(has_failed);
        self.duration.record(duration_ns);
    }

    /// Adds everything of another.
    pub fn merge(&mut self, other: &Self) {
        self.completed = self.completed.saturating_add(other.completed);
        self.failed = self.failed.saturating_add(other.failed);
        self.interrupted = self.interrupted.saturating_add(other.interrupted);
        self.dropped = self.dropped.saturating_add(other.dropped);
        self.queued = self.queued.saturating_add(other.queued);
        self.duration.merge(&other.duration);
        self.start_lag.merge(&other.start_lag);
    }

    /// Moves everything out and keeps the histograms' pages for reuse.
    #[must_use]
    pub fn take(&mut self) -> Self {
        let mut taken = Self::default();
        taken.merge(self);
        self.clear();
        taken
    }

    /// Forgets everything but keeps the histograms' pages.
    pub fn clear(&mut self) {
        (self.completed, self.failed, self.interrupted) = (0, 0, 0);
        (self.dropped, self.queued) = (0, 0);
        self.duration.clear();
        self.start_lag.clear();
    }

    /// Whether nothing was recorded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.completed == 0
            && self.interrupted == 0
            && self.dropped == 0
            && self.queued == 0
            && self.start_lag.is_empty()
    }

    /// Heap memory in bytes, for accounting.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.duration.heap_bytes() + self.start_lag.heap_bytes()
    }
}

/// A worker's own health over some time. Merging is exact.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GeneratorStats {
    /// Processor time used by the worker's thread, in nanoseconds, over all workers.
    pub cpu_busy_ns: u64,
    /// Time that passed, in nanoseconds, over all workers.
    pub wall_ns: u64,
    /// Of `wall_ns`, the intervals in which a worker was busy for more than
    /// [`GeneratorStats::SATURATED`] of the time.
    pub saturated_ns: u64,
    /// The highest busy share of a worker in an interval, in thousandths.
    pub peak_busy_permille: u32,
    /// Connections open at the end of the interval; over time, the most of any worker.
    pub open_connections: u32,
    /// How late timers fired (think time, pacing), in nanoseconds.
    pub timer_lag: Histogram,
    /// Times the monotonic and the wall clock disagreed by more than the engine allows: the
    /// machine slept or its clock was set.
    pub clock_jumps: u64,
}

impl GeneratorStats {
    /// The busy share of a worker above which its measurements are not to be trusted: queueing
    /// inside of the generator becomes part of what it measures.
    pub const SATURATED: f64 = 0.9;

    /// Counts one interval of one worker.
    pub fn record_interval(&mut self, cpu_busy_ns: u64, wall_ns: u64) {
        self.cpu_busy_ns = self.cpu_busy_ns.saturating_add(cpu_busy_ns);
        self.wall_ns = self.wall_ns.saturating_add(wall_ns);
        if wall_ns == 0 {
            return;
        }
        let busy = cpu_busy_ns as f64 / wall_ns as f64;
        if busy > Self::SATURATED {
            self.saturated_ns = self.saturated_ns.saturating_add(wall_ns);
        }
        self.peak_busy_permille = self.peak_busy_permille.max((busy * 1000.0).round() as u32);
    }

    /// Adds everything of another.
    pub fn merge(&mut self, other: &Self) {
        self.cpu_busy_ns = self.cpu_busy_ns.saturating_add(other.cpu_busy_ns);
        self.wall_ns = self.wall_ns.saturating_add(other.wall_ns);
        self.saturated_ns = self.saturated_ns.saturating_add(other.saturated_ns);
        self.peak_busy_permille = self.peak_busy_permille.max(other.peak_busy_permille);
        self.open_connections = self.open_connections.max(other.open_connections);
        self.timer_lag.merge(&other.timer_lag);
        self.clock_jumps = self.clock_jumps.saturating_add(other.clock_jumps);
    }

    /// Moves everything out and keeps the histogram's pages for reuse.
    #[must_use]
    pub fn take(&mut self) -> Self {
        let timer_lag = self.timer_lag.take();
        let warm = std::mem::take(&mut self.timer_lag);
        Self { timer_lag, ..std::mem::replace(self, Self { timer_lag: warm, ..Self::default() }) }
    }

    /// Mean busy share of the workers, 0…1; none before an interval was counted.
    #[must_use]
    pub fn busy_share(&self) -> Option<f64> {
        (self.wall_ns > 0).then(|| self.cpu_busy_ns as f64 / self.wall_ns as f64)
    }

    /// Share of the workers' time in which they were saturated, 0…1.
    #[must_use]
    pub fn saturated_share(&self) -> Option<f64> {
        (self.wall_ns > 0).then(|| self.saturated_ns as f64 / self.wall_ns as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iterations_merge_and_take() {
        let mut stats = IterationStats::default();
        stats.record(5, false);
        stats.record(9, true);
        stats.dropped += 1;
        stats.start_lag.record(3);
        let mut merged = stats.clone();
        merged.merge(&stats);
        assert_eq!((merged.completed, merged.failed, merged.dropped), (4, 2, 2));
        assert_eq!(merged.duration.sum(), 28);
        let before = stats.clone();
        assert_eq!(stats.take(), before);
        assert!(stats.is_empty());
        assert_eq!(stats, IterationStats::default());
        assert!(stats.heap_bytes() > 0);
    }

    #[test]
    fn a_saturated_interval_is_not_averaged_away() {
        let mut stats = GeneratorStats::default();
        stats.record_interval(95, 100);
        for _ in 0..9 {
            stats.record_interval(10, 100);
        }
        assert_eq!(stats.busy_share(), Some(0.185));
        assert_eq!(stats.saturated_share(), Some(0.1));
        assert_eq!(stats.peak_busy_permille, 950);
        stats.timer_lag.record(7);
        let before = stats.clone();
        assert_eq!(stats.take(), before);
        assert_eq!(stats, GeneratorStats::default());
        assert_eq!(stats.busy_share(), None);
    }
}
