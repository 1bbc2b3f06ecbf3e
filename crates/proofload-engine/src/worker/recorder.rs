//! What one worker measures, between two snapshots.
//!
//! Everything is recorded into the worker's own memory; once a second the dispatcher gets what was
//! recorded since and the counters start again. Nothing here is shared with other threads.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use proofload_core::metrics::{
    ErrorKind, ErrorSample, ErrorSamples, GeneratorStats, IntervalSnapshot, IterationStats,
    RequestSample, RequestStats, SeriesId, SeriesMeta, SeriesRegistry, SeriesSnapshot, ShardId,
};

use crate::system::thread_cpu_time;
use crate::workload::Outcome;

/// The measurements of one worker.
#[derive(Debug, Default)]
pub struct Recorder {
    series: RefCell<Vec<RequestStats>>,
    registry: RefCell<SeriesRegistry>,
    iterations: RefCell<IterationStats>,
    generator: RefCell<GeneratorStats>,
    errors: RefCell<ErrorSamples>,
    phase_started: Cell<Option<Instant>>,
    users: Cell<u32>,
    users_max: Cell<u32>,
    cpu_before: Cell<Duration>,
}

/// Which part of the run a snapshot is of.
#[derive(Clone, Copy, Debug)]
pub(super) struct SnapshotStamp {
    pub(super) shard: ShardId,
    pub(super) sequence: u64,
    pub(super) phase: u32,
    pub(super) start: Duration,
    pub(super) length: Duration,
    pub(super) paused: Duration,
    pub(super) paused_before: Duration,
    pub(super) open_connections: u32,
}

impl Recorder {
    /// The series with these tags, made if it is new.
    pub fn series(&self, meta: &SeriesMeta) -> SeriesId {
        let id = self.registry.borrow_mut().register(meta);
        let mut series = self.series.borrow_mut();
        if series.len() <= id.index() {
            series.resize_with(id.index() + 1, RequestStats::default);
        }
        id
    }

    /// Counts one finished request.
    #[inline]
    pub fn record(&self, series: SeriesId, sample: &RequestSample) {
        self.series.borrow_mut()[series.index()].record(sample);
    }

    /// Counts the outcome of a check, by its place in [`SeriesMeta::checks`].
    #[inline]
    pub fn record_check(&self, series: SeriesId, check: usize, passed: bool) {
        self.series.borrow_mut()[series.index()].record_check(check, passed);
    }

    /// Counts a request that was cut off by the end of its phase: started, never finished.
    pub fn record_interrupted(&self, series: SeriesId) {
        self.series.borrow_mut()[series.index()].interrupted += 1;
    }

    /// Whether an example of this kind of error would be kept now.
    pub fn wants_example(&self, kind: ErrorKind) -> bool {
        self.errors.borrow().wants(kind)
    }

    /// Keeps an example of an error, if one more of its kind is wanted in this interval; the closure
    /// is called only then.
    pub fn error_sample(&self, kind: ErrorKind, example: impl FnOnce() -> Example) {
        let mut errors = self.errors.borrow_mut();
        if !errors.wants(kind) {
            return errors.skip();
        }
        let Example { request, message, status, elapsed } = example();
        let started = self.phase_started.get();
        errors.add(ErrorSample {
            at_ns: started.map_or(0, |started| nanos(started.elapsed())),
            kind,
            request,
            message,
            status,
            elapsed_ns: nanos(elapsed),
        });
    }

    /// An iteration begins. Its end is told to what is returned; without that it counts as cut off.
    pub(super) fn begin_iteration(self: &Rc<Self>) -> RunningIteration {
        RunningIteration { recorder: Rc::clone(self), started: Instant::now(), outcome: None }
    }

    /// How late an iteration started through the generator's own fault.
    pub(super) fn record_start_lag(&self, lag: Duration) {
        self.iterations.borrow_mut().start_lag.record(nanos(lag));
    }

    /// An arrival found every user at work and waits.
    pub(super) fn count_queued(&self) {
        self.iterations.borrow_mut().queued += 1;
    }

    /// Arrivals that were given up on.
    pub(super) fn count_dropped(&self, arrivals: u64) {
        self.iterations.borrow_mut().dropped += arrivals;
    }

    /// How late the worker's own clockwork was.
    pub(super) fn record_timer_lag(&self, lag: Duration) {
        self.generator.borrow_mut().timer_lag.record(nanos(lag));
    }

    /// How many users there are now.
    pub(super) fn set_users(&self, users: u32) {
        self.users.set(users);
        self.users_max.set(self.users_max.get().max(users));
    }

    /// A phase begins: what was recorded between phases belongs to none.
    pub(super) fn begin_phase(&self, started: Instant) {
        self.phase_started.set(Some(started));
        self.users_max.set(0);
        self.cpu_before.set(thread_cpu_time());
        self.series.borrow_mut().iter_mut().for_each(RequestStats::clear);
        *self.iterations.borrow_mut() = IterationStats::default();
        *self.generator.borrow_mut() = GeneratorStats::default();
        *self.errors.borrow_mut() = ErrorSamples::default();
    }

    /// Moves out everything recorded since the last call.
    pub(super) fn take(&self, stamp: SnapshotStamp) -> IntervalSnapshot {
        let users = self.users.get();
        IntervalSnapshot {
            start_ns: nanos(stamp.start),
            length_ns: nanos(stamp.length),
            paused_ns: nanos(stamp.paused),
            paused_before_ns: nanos(stamp.paused_before),
            series: self.take_series(),
            iterations: self.iterations.borrow_mut().take(),
            users_active: users,
            users_max: self.users_max.replace(users),
            generator: self.take_generator(&stamp),
            errors: self.errors.take(),
            ..IntervalSnapshot::new(stamp.shard, stamp.phase, stamp.sequence)
        }
    }

    fn take_generator(&self, stamp: &SnapshotStamp) -> GeneratorStats {
        let cpu = thread_cpu_time();
        let busy = cpu.saturating_sub(self.cpu_before.replace(cpu));
        let mut generator = self.generator.borrow_mut();
        generator.record_interval(nanos(busy), nanos(stamp.length));
        generator.open_connections = stamp.open_connections;
        generator.take()
    }

    fn take_series(&self) -> Vec<SeriesSnapshot> {
        let registry = self.registry.borrow();
        let mut series = self.series.borrow_mut();
        let used = series.iter_mut().zip(registry.all()).filter(|(stats, _)| !stats.is_empty());
        used.map(|(stats, meta)| SeriesSnapshot { meta: Arc::clone(meta), stats: stats.take() })
            .collect()
    }
}

/// What an error looked like.
#[derive(Clone, Debug)]
pub struct Example {
    /// Name of the request.
    pub request: String,
    /// What went wrong, in words, without secrets.
    pub message: String,
    /// Status of the answer, 0 without one.
    pub status: u16,
    /// How long the request took.
    pub elapsed: Duration,
}

/// An iteration that has not ended.
#[derive(Debug)]
pub(super) struct RunningIteration {
    recorder: Rc<Recorder>,
    started: Instant,
    outcome: Option<Outcome>,
}

impl RunningIteration {
    /// The iteration has ended by itself.
    pub(super) fn end(mut self, outcome: Outcome) {
        self.outcome = Some(outcome);
    }
}

impl Drop for RunningIteration {
    fn drop(&mut self) {
        let mut iterations = self.recorder.iterations.borrow_mut();
        let failed = match self.outcome {
            Some(Outcome::Completed) => false,
            Some(Outcome::Failed) => true,
            // Nothing was done: it was no iteration.
            Some(Outcome::Exhausted) => return,
            None => {
                iterations.interrupted += 1;
                return;
            }
        };
        iterations.record(nanos(self.started.elapsed()), failed);
    }
}

/// Whole nanoseconds, as histograms take them.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
