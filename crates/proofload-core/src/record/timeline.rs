//! The course of a run in a bounded number of points.
//!
//! A point begins as one interval. When there are too many, neighbours of the same phase are merged and
//! the resolution is halved, so that a day takes as much room as a few minutes. Points keep their
//! distributions until they are shown: percentiles of merged points are exact, never averages.
//!
//! A point stands on the axis of wall time, but its length is that of the load in it. While the load is
//! paused there are no points. The few requests that end then were made by the load before: they count
//! there, or a handful of requests in next to no time would look like a peak.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::event::Interval;
use crate::metrics::{ErrorCounts, Histogram};

/// Points of a whole run, at most; more only if there are more phases, each of which has at least one.
pub const MAX_POINTS: usize = 400;
/// How long a point is at first.
const FIRST_RESOLUTION: Duration = Duration::from_secs(1);

/// The course of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Timeline {
    resolution: Duration,
    points: Vec<TimelinePoint>,
}

impl Default for Timeline {
    fn default() -> Self {
        Self { resolution: FIRST_RESOLUTION, points: Vec::new() }
    }
}

/// What was measured in a stretch of a phase.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TimelinePoint {
    /// The phase's place in the plan.
    pub phase: usize,
    /// When it began, since the start of the run.
    pub start: Duration,
    /// How much time with load was measured in it: the denominator of rates. Zero only if a phase
    /// begins paused and never goes on.
    pub length: Duration,
    /// Where it lies in its phase, in steps of the resolution.
    place: u64,
    /// Most users there were at the end of an interval.
    pub users: u32,
    /// Requests that ended in it.
    pub requests: u64,
    /// Of these, failures.
    pub failed: u64,
    /// The failures by kind.
    pub errors: ErrorCounts,
    /// Response times of all requests.
    pub response: Histogram,
    /// Bytes sent.
    pub bytes_sent: u64,
    /// Bytes received.
    pub bytes_received: u64,
    /// Iterations that ran to their end.
    pub iterations: u64,
    /// Iterations of open load that were not started.
    pub iterations_dropped: u64,
    /// Arrivals of open load that found every user at work.
    pub iterations_queued: u64,
    /// How late the load generator started iterations of open load.
    pub start_lag: Histogram,
    /// Processor time of the load generator's workers.
    pub generator_busy_ns: u64,
    /// Time that passed for the load generator's workers, over all of them.
    pub generator_wall_ns: u64,
}

impl TimelinePoint {
    fn new(began: Duration, place: u64, interval: &Interval) -> Self {
        Self {
            phase: interval.phase,
            start: began + interval.start,
            length: interval.measured(),
            place,
            users: interval.users_active,
            requests: interval.requests.requests(),
            failed: interval.requests.failed(),
            errors: interval.requests.errors.clone(),
            response: interval.requests.response(),
            bytes_sent: interval.requests.bytes_sent,
            bytes_received: interval.requests.bytes_received,
            iterations: interval.iterations.completed,
            iterations_dropped: interval.iterations.dropped,
            iterations_queued: interval.iterations.queued,
            start_lag: interval.iterations.start_lag.clone(),
            generator_busy_ns: interval.generator.cpu_busy_ns,
            generator_wall_ns: interval.generator.wall_ns,
        }
    }

    fn merge(&mut self, other: &Self) {
        self.start = self.start.min(other.start);
        self.length += other.length;
        self.users = self.users.max(other.users);
        self.requests += other.requests;
        self.failed += other.failed;
        self.errors.merge(&other.errors);
        self.response.merge(&other.response);
        self.bytes_sent += other.bytes_sent;
        self.bytes_received += other.bytes_received;
        self.iterations += other.iterations;
        self.iterations_dropped += other.iterations_dropped;
        self.iterations_queued += other.iterations_queued;
        self.start_lag.merge(&other.start_lag);
        self.generator_busy_ns += other.generator_busy_ns;
        self.generator_wall_ns += other.generator_wall_ns;
    }

    /// Nothing happened in it.
    fn is_empty(&self) -> bool {
        self.requests + self.iterations + self.iterations_dropped + self.iterations_queued == 0
    }

    /// Whether `point`, which is too short for a rate of its own or not, belongs to this point.
    fn takes(&self, point: &Self, is_short: bool) -> bool {
        // The first moment after a pause is short too, but stands where it was.
        let is_near = self.place + 1 == point.place || point.length.is_zero();
        let cut_short = is_short && is_near;
        self.phase == point.phase
            && (self.place == point.place
                || self.place < point.place && (cut_short || self.length.is_zero()))
    }

    /// Share of the workers' time in which they were busy, 0…1; none if no time has passed.
    #[must_use]
    pub fn generator_cpu_share(&self) -> Option<f64> {
        let wall_ns = self.generator_wall_ns;
        (wall_ns > 0).then(|| self.generator_busy_ns as f64 / wall_ns as f64)
    }
}

impl Timeline {
    /// Adds an interval of a phase that began so long after the start of the run.
    pub fn add(&mut self, phase_began: Duration, interval: &Interval) {
        let place = self.place_of(interval.start);
        let point = TimelinePoint::new(phase_began, place, interval);
        if point.length.is_zero() && point.is_empty() {
            return;
        }
        // Almost always the last one; a slow shard's interval may come a little late.
        // The rest of a phase or the moment before a pause may be a few milliseconds: a rate over them
        // would be noise.
        let is_short = point.length < self.resolution.min(FIRST_RESOLUTION) / 2;
        let known =
            self.points.iter().rev().take(16).position(|known| known.takes(&point, is_short));
        match known {
            Some(back) => {
                let at = self.points.len() - 1 - back;
                self.points[at].merge(&point);
            }
            None => self.points.push(point),
        }
        while self.points.len() > MAX_POINTS && self.has_neighbours() {
            self.coarsen();
        }
    }

    /// The points in the order of time.
    #[must_use]
    pub fn points(&self) -> &[TimelinePoint] {
        &self.points
    }

    /// How long a point is, unless its phase ends before.
    #[must_use]
    pub fn resolution(&self) -> Duration {
        self.resolution
    }

    fn place_of(&self, start: Duration) -> u64 {
        (start.as_nanos() / self.resolution.as_nanos().max(1)) as u64
    }

    /// Whether there are points that can be merged: one point a phase is as coarse as it gets.
    fn has_neighbours(&self) -> bool {
        self.points.windows(2).any(|pair| pair[0].phase == pair[1].phase)
    }

    /// Halves the resolution.
    fn coarsen(&mut self) {
        self.resolution = self.resolution.saturating_mul(2);
        let mut merged = Vec::<TimelinePoint>::with_capacity(self.points.len() / 2 + 1);
        for mut point in self.points.drain(..) {
            point.place /= 2;
            match merged.last_mut() {
                Some(last) if (last.phase, last.place) == (point.phase, point.place) => {
                    last.merge(&point);
                }
                _ => merged.push(point),
            }
        }
        self.points = merged;
    }

    /// Heap memory in bytes, for accounting.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        let of = |point: &TimelinePoint| point.response.heap_bytes() + point.start_lag.heap_bytes();
        self.points.capacity() * size_of::<TimelinePoint>()
            + self.points.iter().map(of).sum::<usize>()
    }
}
