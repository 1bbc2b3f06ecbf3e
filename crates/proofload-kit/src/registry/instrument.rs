//! The three things that count: atomics behind an `Arc`, so that clones are the same instrument and
//! counting never waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::families::Value;

/// A number that only grows: orders placed, bytes sent.
///
/// Made by [`Registry::counter`](super::Registry::counter). Clones are the same counter.
#[derive(Clone, Debug, Default)]
pub struct Counter(Arc<AtomicU64>);

impl Counter {
    /// One more.
    pub fn increment(&self) {
        self.add(1);
    }

    /// `count` more.
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    /// What was counted so far.
    #[must_use]
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A number that goes up and down: sessions open, degrees.
///
/// Made by [`Registry::gauge`](super::Registry::gauge). Clones are the same gauge.
#[derive(Clone, Debug, Default)]
pub struct Gauge(Arc<AtomicU64>);

impl Gauge {
    /// From now on it is `value`.
    pub fn set(&self, value: f64) {
        self.0.store(value.to_bits(), Ordering::Relaxed);
    }

    /// Up by `change`, or down when that is negative.
    pub fn add(&self, change: f64) {
        add_to(&self.0, change);
    }

    /// What it is now.
    #[must_use]
    pub fn value(&self) -> f64 {
        f64::from_bits(self.0.load(Ordering::Relaxed))
    }
}

/// How often values of which size were seen: durations in seconds, sizes in bytes.
///
/// Made by [`Registry::histogram`](super::Registry::histogram). Clones are the same histogram. Observing is a
/// search among the bounds and two atomic additions. A scrape while values arrive may see the sum without
/// the last ones; the count is that of the buckets.
#[derive(Clone, Debug)]
pub struct Histogram(Arc<Buckets>);

#[derive(Debug)]
struct Buckets {
    /// Upper bounds, inclusive, ascending.
    bounds: Box<[f64]>,
    /// One more than bounds: the last is for everything beyond.
    counts: Box<[AtomicU64]>,
    /// The bits of an `f64`.
    sum: AtomicU64,
}

impl Histogram {
    /// Upper bounds in seconds that suit requests and queries: 1 ms to 10 s.
    pub const SECONDS: &'static [f64] =
        &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0, 10.0];

    /// `bounds` are finite and ascend: who calls has seen to that.
    pub(crate) fn new(bounds: &[f64]) -> Self {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self(Arc::new(Buckets { bounds: bounds.into(), counts, sum: AtomicU64::new(0) }))
    }

    /// Saw `value`, in the unit of the bounds. What is not a number counts beyond the last bound and
    /// is left out of the sum, which it would spoil for ever.
    pub fn observe(&self, value: f64) {
        let bucket = if value.is_nan() {
            self.0.bounds.len()
        } else {
            self.0.bounds.partition_point(|&bound| bound < value)
        };
        self.0.counts[bucket].fetch_add(1, Ordering::Relaxed);
        if value.is_finite() {
            add_to(&self.0.sum, value);
        }
    }

    /// Saw a duration, where the bounds are in seconds.
    pub fn observe_duration(&self, duration: Duration) {
        self.observe(duration.as_secs_f64());
    }

    /// How many values were seen.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.counts.iter().map(|count| count.load(Ordering::Relaxed)).sum()
    }

    /// The sum of what was seen, in the unit of the bounds.
    #[must_use]
    pub fn sum(&self) -> f64 {
        f64::from_bits(self.0.sum.load(Ordering::Relaxed))
    }

    /// For parts of the kit that hand over their samples themselves.
    pub(crate) fn value(&self) -> Value {
        let bounds = self.0.bounds.iter().copied().chain([f64::INFINITY]);
        let counts = self.0.counts.iter().map(|count| count.load(Ordering::Relaxed));
        Value::Histogram { buckets: bounds.zip(counts).collect(), sum: self.sum() }
    }
}

/// Adds to the bits of an `f64`.
fn add_to(bits: &AtomicU64, change: f64) {
    let mut seen = bits.load(Ordering::Relaxed);
    loop {
        let sum = (f64::from_bits(seen) + change).to_bits();
        match bits.compare_exchange_weak(seen, sum, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => return,
            Err(newer) => seen = newer,
        }
    }
}

/// What families of instruments need of one.
pub(crate) trait Instrument: Clone + Send + Sync {
    /// Another of the same make that has counted nothing.
    fn fresh(&self) -> Self;

    /// Whether `other` was asked for with the same settings.
    fn same_make(&self, other: &Self) -> bool;

    fn sample(&self) -> Value;
}

impl Instrument for Counter {
    fn fresh(&self) -> Self {
        Self::default()
    }

    fn same_make(&self, _: &Self) -> bool {
        true
    }

    fn sample(&self) -> Value {
        Value::Counter(self.value() as f64)
    }
}

impl Instrument for Gauge {
    fn fresh(&self) -> Self {
        Self::default()
    }

    fn same_make(&self, _: &Self) -> bool {
        true
    }

    fn sample(&self) -> Value {
        Value::Gauge(self.value())
    }
}

impl Instrument for Histogram {
    fn fresh(&self) -> Self {
        Self::new(&self.0.bounds)
    }

    fn same_make(&self, other: &Self) -> bool {
        self.0.bounds == other.0.bounds
    }

    fn sample(&self) -> Value {
        self.value()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_count_together() {
        let counter = Counter::default();
        counter.clone().add(2);
        counter.increment();
        assert_eq!(counter.value(), 3);
        assert_eq!(counter.fresh().value(), 0);
        let gauge = Gauge::default();
        gauge.clone().set(2.5);
        gauge.add(-4.0);
        assert_eq!(gauge.value(), -1.5);
    }

    #[test]
    fn a_value_falls_into_one_bucket_bounds_included() {
        let histogram = Histogram::new(&[1.0, 2.0]);
        for value in [-1.0, 1.0, 1.5, 2.0, 2.5, f64::INFINITY, f64::NAN] {
            histogram.observe(value);
        }
        let Value::Histogram { buckets, sum } = histogram.sample() else { unreachable!() };
        assert_eq!(buckets, [(1.0, 2), (2.0, 2), (f64::INFINITY, 3)]);
        assert_eq!((sum, histogram.count()), (6.0, 7));
    }

    #[test]
    fn nothing_is_lost_between_threads() {
        let histogram = Histogram::new(Histogram::SECONDS);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..5_000).for_each(|_| histogram.observe(0.25)));
            }
        });
        assert_eq!((histogram.count(), histogram.sum()), (20_000, 5_000.0));
    }
}
