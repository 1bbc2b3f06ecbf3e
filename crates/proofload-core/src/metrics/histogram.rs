//! A log-linear histogram of durations: fixed precision, exact merging, bounded memory.
//!
//! The layout is that of HdrHistogram with three significant digits: every octave (factor of two)
//! is cut into 1,024 buckets of equal width, values below 1,024 ns have a bucket each. A bucket is
//! never wider than 1/1024 of its values, so a reported quantile is at most 0.1 % above the true
//! one. Count, minimum, maximum and sum are kept exactly beside the buckets.
//!
//! Counters are allocated in pages of a quarter octave (256 counters, 2 KiB) when first used: a
//! typical latency distribution takes 10 to 40 of them, an untouched histogram none. Counters are
//! `u64`: at 100,000 requests/s of equal latency a `u32` overflows within 12 hours, and an
//! endurance run takes 24.

use std::fmt;

/// Counters in a page: a quarter of an octave.
const PAGE_LEN: usize = 256;
const PAGE_BITS: u32 = PAGE_LEN.trailing_zeros();
/// Buckets in an octave; also the values that have a bucket of their own.
const OCTAVE_LEN: u64 = 1024;
const OCTAVE_BITS: u32 = OCTAVE_LEN.trailing_zeros();
/// Values have at most this many bits: 2^47 ns are 39 hours, longer than any endurance phase.
const MAX_BITS: u32 = 47;
/// One linear part (0..1024) and one octave for each further bit.
const BUCKETS: usize = ((MAX_BITS - OCTAVE_BITS + 1) as usize) * OCTAVE_LEN as usize;
const PAGES: usize = BUCKETS / PAGE_LEN;
/// Marks a page that was never used in the table of slots.
const ABSENT: u8 = u8::MAX;
const _: () = assert!(PAGES < ABSENT as usize, "a slot number must fit the table");

type Page = Box<[u64; PAGE_LEN]>;

/// A mergeable histogram of durations in nanoseconds. See the module's documentation for layout
/// and precision.
#[derive(Clone)]
pub struct Histogram {
    /// Page number → position in `pages`.
    slots: [u8; PAGES],
    pages: Vec<Page>,
    count: u64,
    min: u64,
    max: u64,
    sum: u128,
    clamped: u64,
}

/// A range of values and how many samples fell into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Smallest value of the bucket in nanoseconds.
    pub low_ns: u64,
    /// Largest value of the bucket in nanoseconds (inclusive).
    pub high_ns: u64,
    /// Samples in the bucket, at least 1.
    pub count: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            slots: [ABSENT; PAGES],
            pages: Vec::new(),
            count: 0,
            min: u64::MAX,
            max: 0,
            sum: 0,
            clamped: 0,
        }
    }
}

/// The bucket of a value that is not above [`Histogram::MAX_TRACKABLE_NS`].
#[inline]
fn bucket_of(value: u64) -> usize {
    // How far the value is shifted to keep 11 significant bits: 0 below 2,048.
    let shift = u64::BITS - (value | (2 * OCTAVE_LEN - 1)).leading_zeros() - (OCTAVE_BITS + 1);
    // `value >> shift` has its top bit at 2^10, which counts one octave by itself.
    (shift as usize) * OCTAVE_LEN as usize + (value >> shift) as usize
}

/// Smallest and largest value of a bucket.
fn bounds_of(bucket: usize) -> (u64, u64) {
    let shift = (bucket as u64 / OCTAVE_LEN).saturating_sub(1);
    let low = (bucket as u64 - shift * OCTAVE_LEN) << shift;
    (low, low + (1 << shift) - 1)
}

impl Histogram {
    /// The largest value with a bucket: 2^47 − 1 ns, about 39 hours. Larger values are counted in
    /// its bucket and in [`Histogram::clamped`]; minimum, maximum and sum remain exact.
    pub const MAX_TRACKABLE_NS: u64 = (1 << MAX_BITS) - 1;
    /// How many buckets there are.
    pub(super) const BUCKETS: usize = BUCKETS;

    /// An empty histogram without pages.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts one value. Allocates only when the first value of a quarter octave is seen.
    #[inline]
    pub fn record(&mut self, ns: u64) {
        let tracked = if ns > Self::MAX_TRACKABLE_NS {
            self.clamped = self.clamped.wrapping_add(1);
            Self::MAX_TRACKABLE_NS
        } else {
            ns
        };
        let bucket = bucket_of(tracked);
        let counter = self.counter(bucket);
        *counter = counter.wrapping_add(1);
        self.count = self.count.wrapping_add(1);
        self.min = self.min.min(ns);
        self.max = self.max.max(ns);
        self.sum += u128::from(ns);
    }

    /// Counts one value many times; equals calling [`Histogram::record`] `count` times.
    pub fn record_many(&mut self, ns: u64, count: u64) {
        if count == 0 {
            return;
        }
        let tracked = ns.min(Self::MAX_TRACKABLE_NS);
        if ns > tracked {
            self.clamped = self.clamped.saturating_add(count);
        }
        self.add_to_bucket(bucket_of(tracked), count);
        self.count = self.count.saturating_add(count);
        self.min = self.min.min(ns);
        self.max = self.max.max(ns);
        self.sum = self.sum.saturating_add(u128::from(ns) * u128::from(count));
    }

    #[inline]
    fn counter(&mut self, bucket: usize) -> &mut u64 {
        let page = bucket >> PAGE_BITS;
        if self.slots[page] == ABSENT {
            self.add_page(page);
        }
        let slot = usize::from(self.slots[page]);
        &mut self.pages[slot][bucket % PAGE_LEN]
    }

    #[cold]
    fn add_page(&mut self, page: usize) {
        // Fewer pages than `ABSENT` exist, and each is added once.
        self.slots[page] = self.pages.len() as u8;
        self.pages.push(Box::new([0; PAGE_LEN]));
    }

    /// Adds `count` samples to a bucket without touching the exact figures.
    pub(super) fn add_to_bucket(&mut self, bucket: usize, count: u64) {
        let counter = self.counter(bucket);
        *counter = counter.saturating_add(count);
    }

    /// Sets the exact figures that stand beside the buckets.
    pub(super) fn set_exact(&mut self, count: u64, min: u64, max: u64, sum: u128, clamped: u64) {
        (self.count, self.min, self.max, self.sum, self.clamped) = (count, min, max, sum, clamped);
    }

    /// Adds all samples of another histogram: the result equals recording them all in one, bit
    /// for bit.
    pub fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        for (page, counts) in other.used_pages() {
            if self.slots[page] == ABSENT {
                self.add_page(page);
            }
            let slot = usize::from(self.slots[page]);
            for (mine, theirs) in self.pages[slot].iter_mut().zip(counts) {
                *mine = mine.saturating_add(*theirs);
            }
        }
        self.count = self.count.saturating_add(other.count);
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.sum = self.sum.saturating_add(other.sum);
        self.clamped = self.clamped.saturating_add(other.clamped);
    }

    /// Forgets all samples but keeps the pages, so that recording goes on without allocating.
    pub fn clear(&mut self) {
        if self.count == 0 {
            return;
        }
        for page in &mut self.pages {
            page.fill(0);
        }
        self.set_exact(0, u64::MAX, 0, 0, 0);
    }

    /// Moves all samples out into a histogram of its own (as small as they allow) and clears this
    /// one, which keeps its pages.
    #[must_use]
    pub fn take(&mut self) -> Self {
        let mut taken = Self::default();
        taken.merge(self);
        self.clear();
        taken
    }

    /// Pages with at least one sample, in order of value.
    fn used_pages(&self) -> impl Iterator<Item = (usize, &[u64; PAGE_LEN])> {
        self.slots.iter().enumerate().filter_map(|(page, &slot)| {
            let counts = &**self.pages.get(usize::from(slot))?;
            counts.iter().any(|&count| count != 0).then_some((page, counts))
        })
    }

    /// Bucket number and count of every bucket with samples, in order of value.
    pub(super) fn used_buckets(&self) -> impl Iterator<Item = (usize, u64)> {
        self.used_pages().flat_map(|(page, counts)| {
            let used = counts.iter().enumerate().filter(|&(_, &count)| count != 0);
            used.map(move |(at, &count)| (page * PAGE_LEN + at, count))
        })
    }

    /// Buckets with samples, in order of value.
    pub fn buckets(&self) -> impl Iterator<Item = Bucket> {
        self.used_buckets().map(|(bucket, count)| {
            let (low_ns, high_ns) = bounds_of(bucket);
            Bucket { low_ns, high_ns, count }
        })
    }

    /// How many samples were recorded.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Whether nothing was recorded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Smallest sample in nanoseconds, exact.
    #[must_use]
    pub fn min(&self) -> Option<u64> {
        (self.count > 0).then_some(self.min)
    }

    /// Largest sample in nanoseconds, exact.
    #[must_use]
    pub fn max(&self) -> Option<u64> {
        (self.count > 0).then_some(self.max)
    }

    /// Sum of all samples in nanoseconds, exact.
    #[must_use]
    pub fn sum(&self) -> u128 {
        self.sum
    }

    /// How many samples were above [`Histogram::MAX_TRACKABLE_NS`].
    #[must_use]
    pub fn clamped(&self) -> u64 {
        self.clamped
    }

    /// Arithmetic mean in nanoseconds, from the exact sum.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum as f64 / self.count as f64)
    }

    /// Standard deviation of the recorded samples (divided by n) in nanoseconds, from the middle
    /// of each bucket kept within the exact minimum and maximum.
    #[must_use]
    pub fn stdev(&self) -> Option<f64> {
        let mean = self.mean()?;
        let squares: f64 = self
            .buckets()
            .map(|bucket| {
                let middle = bucket.low_ns + (bucket.high_ns - bucket.low_ns) / 2;
                let distance = middle.clamp(self.min, self.max) as f64 - mean;
                distance * distance * bucket.count as f64
            })
            .sum();
        Some((squares / self.count as f64).sqrt())
    }

    /// The rank that stands for quantile `q` (clamped to 0…1): ⌈q·n⌉, at least 1.
    #[must_use]
    pub fn rank_of(&self, q: f64) -> u64 {
        let exact = q.clamp(0.0, 1.0) * self.count as f64;
        // 0.07 × 100 is 7.000000000000001 in floating point: do not let that become rank 8.
        let rank = (exact - exact * 4.0 * f64::EPSILON).ceil() as u64;
        rank.clamp(1, self.count.max(1))
    }

    /// The value in nanoseconds at a quantile, `q` between 0 and 1, by nearest rank: the smallest
    /// value `v` such that at least ⌈q·n⌉ samples are ≤ `v`. It is the highest value of the bucket
    /// that holds this sample, but never outside of the exact minimum and maximum; `q` = 0 and 1
    /// give these. None without samples.
    #[must_use]
    pub fn value_at_quantile(&self, q: f64) -> Option<u64> {
        self.value_at_rank(self.rank_of(q))
    }

    /// The value in nanoseconds of the sample with this rank (1 is the smallest), with the
    /// convention of [`Histogram::value_at_quantile`]. Ranks beyond the ends give the ends.
    #[must_use]
    pub fn value_at_rank(&self, rank: u64) -> Option<u64> {
        if self.count == 0 {
            return None;
        }
        if rank <= 1 {
            return Some(self.min);
        }
        if rank >= self.count {
            return Some(self.max);
        }
        let mut seen = 0_u64;
        for bucket in self.buckets() {
            seen = seen.saturating_add(bucket.count);
            if seen >= rank {
                return Some(bucket.high_ns.clamp(self.min, self.max));
            }
        }
        Some(self.max)
    }

    /// How many samples are at or below a value in nanoseconds, to the precision of a bucket: all
    /// samples in the bucket of `ns` count.
    #[must_use]
    pub fn count_at_or_below(&self, ns: u64) -> u64 {
        if ns >= self.max {
            return self.count;
        }
        if ns < self.min {
            return 0;
        }
        self.buckets().take_while(|bucket| bucket.low_ns <= ns).map(|bucket| bucket.count).sum()
    }

    /// Heap memory in bytes, for accounting.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.pages.capacity() * size_of::<Page>() + self.pages.len() * size_of::<[u64; PAGE_LEN]>()
    }
}

/// Equal when the same multiset of samples was recorded as far as the histogram can tell; which
/// pages happen to be allocated, and in which order, does not matter.
impl PartialEq for Histogram {
    fn eq(&self, other: &Self) -> bool {
        self.count == other.count
            && self.min == other.min
            && self.max == other.max
            && self.sum == other.sum
            && self.clamped == other.clamped
            && self.used_pages().eq(other.used_pages())
    }
}

impl Eq for Histogram {}

impl fmt::Debug for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Histogram")
            .field("count", &self.count)
            .field("min", &self.min())
            .field("p50", &self.value_at_quantile(0.5))
            .field("max", &self.max())
            .field("sum", &self.sum)
            .field("clamped", &self.clamped)
            .finish_non_exhaustive()
    }
}

impl Extend<u64> for Histogram {
    fn extend<I: IntoIterator<Item = u64>>(&mut self, values: I) {
        for ns in values {
            self.record(ns);
        }
    }
}

impl FromIterator<u64> for Histogram {
    fn from_iter<I: IntoIterator<Item = u64>>(values: I) -> Self {
        let mut histogram = Self::default();
        histogram.extend(values);
        histogram
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_tile_the_range_without_gap() {
        let mut expected_low = 0;
        for bucket in 0..BUCKETS {
            let (low, high) = bounds_of(bucket);
            assert_eq!(low, expected_low, "bucket {bucket}");
            assert_eq!(bucket_of(low), bucket);
            assert_eq!(bucket_of(high), bucket);
            assert!((high - low) as f64 <= low as f64 / 1024.0, "bucket {bucket} is too wide");
            expected_low = high + 1;
        }
        assert_eq!(expected_low, Histogram::MAX_TRACKABLE_NS + 1);
    }

    #[test]
    fn nearest_rank_quantiles_of_small_values_are_exact() {
        let histogram: Histogram = (1..=100).collect();
        let check = |q: f64, value: u64| assert_eq!(histogram.value_at_quantile(q), Some(value));
        check(0.0, 1);
        check(0.01, 1);
        check(0.07, 7);
        check(0.5, 50);
        check(0.501, 51);
        check(0.95, 95);
        check(0.99, 99);
        check(0.999, 100);
        check(1.0, 100);
        check(2.0, 100);
        check(f64::NAN, 1);
        assert_eq!(histogram.mean(), Some(50.5));
        assert!((histogram.stdev().unwrap() - 28.866_070_047_722_12).abs() < 1e-9);
    }

    #[test]
    fn every_rank_of_every_size_is_the_integer_ceiling() {
        for n in 1..=400_u64 {
            let histogram: Histogram = (1..=n).collect();
            for percent in 0..=100_u64 {
                let rank = (percent * n).div_ceil(100).max(1);
                assert_eq!(histogram.rank_of(percent as f64 / 100.0), rank, "p{percent} of {n}");
            }
        }
    }

    #[test]
    fn a_quantile_never_exceeds_the_maximum_nor_undercuts_the_minimum() {
        let histogram: Histogram = [1_000_001, 1_000_002, 1_000_003].into_iter().collect();
        for q in [0.0, 0.3, 0.5, 0.9, 0.99, 1.0] {
            let value = histogram.value_at_quantile(q).unwrap();
            assert!((1_000_001..=1_000_003).contains(&value), "{q}: {value}");
        }
        let constant: Histogram = std::iter::repeat_n(1_234_567_890, 50).collect();
        assert_eq!(constant.value_at_quantile(0.5), Some(1_234_567_890));
        assert_eq!(constant.stdev(), Some(0.0));
    }

    #[test]
    fn an_empty_histogram_has_no_values_and_no_pages() {
        let histogram = Histogram::new();
        assert_eq!(histogram.value_at_quantile(0.5), None);
        assert_eq!(histogram.min(), None);
        assert_eq!(histogram.max(), None);
        assert_eq!(histogram.mean(), None);
        assert_eq!(histogram.stdev(), None);
        assert_eq!(histogram.count_at_or_below(u64::MAX), 0);
        assert_eq!(histogram.heap_bytes(), 0);
        assert!(size_of::<Histogram>() <= 256, "{}", size_of::<Histogram>());
    }

    #[test]
    fn values_beyond_the_range_are_clamped_and_counted() {
        let histogram: Histogram = [5, u64::MAX, u64::MAX].into_iter().collect();
        assert_eq!(histogram.clamped(), 2);
        assert_eq!(histogram.max(), Some(u64::MAX));
        assert_eq!(histogram.sum(), 5 + 2 * u128::from(u64::MAX));
        assert_eq!(histogram.value_at_quantile(0.5), Some(Histogram::MAX_TRACKABLE_NS));
        assert_eq!(histogram.value_at_quantile(1.0), Some(u64::MAX));
        assert_eq!(histogram.count_at_or_below(u64::MAX), 3);
    }

    #[test]
    fn recording_many_is_recording_often() {
        let mut often = Histogram::new();
        let mut many = Histogram::new();
        for (ns, count) in [(0, 3), (7_000_000, 2), (u64::MAX, 2), (5, 0)] {
            often.extend(std::iter::repeat_n(ns, count));
            many.record_many(ns, count as u64);
        }
        assert_eq!(often, many);
    }

    #[test]
    fn counting_at_or_below() {
        let histogram: Histogram = [10, 20, 20, 5_000_000].into_iter().collect();
        let check =
            |ns: u64, count: u64| assert_eq!(histogram.count_at_or_below(ns), count, "{ns}");
        check(9, 0);
        check(10, 1);
        check(19, 1);
        check(20, 3);
        check(4_000_000, 3);
        check(5_000_000, 4);
    }

    #[test]
    fn taking_leaves_warm_pages_and_moves_all_samples() {
        let mut histogram: Histogram = [10, 1_000_000, 2_000_000_000].into_iter().collect();
        let before = histogram.clone();
        let heap_bytes = histogram.heap_bytes();
        let taken = histogram.take();
        assert_eq!(taken, before);
        assert_eq!(histogram, Histogram::new());
        assert_eq!(histogram.heap_bytes(), heap_bytes);
        histogram.record(10);
        assert_eq!(histogram.take().heap_bytes(), Histogram::from_iter([10]).heap_bytes());
    }

    #[test]
    fn equality_ignores_the_order_in_which_pages_were_allocated() {
        let forward: Histogram = [1, 1_000_000, 1_000_000_000].into_iter().collect();
        let backward: Histogram = [1_000_000_000, 1_000_000, 1].into_iter().collect();
        assert_eq!(forward, backward);
        assert_ne!(forward, Histogram::from_iter([1, 1_000_000, 1_000_000_001]));
    }

    /// The nearest-rank quantile of the samples themselves.
    fn exact_quantile(sorted: &[u64], q: f64) -> u64 {
        let rank = (q * sorted.len() as f64 - 1e-9).ceil().max(1.0) as usize;
        sorted[rank - 1]
    }

    #[test]
    fn known_distributions_are_within_a_tenth_of_a_percent() {
        let uniform: fn(f64) -> f64 = |u| 2e9 * u;
        let exponential: fn(f64) -> f64 = |u| -5e6 * (1.0 - u).ln();
        let bimodal: fn(f64) -> f64 = |u| if u < 0.9 { 1e6 + 1e3 * u } else { 250e6 + 1e6 * u };
        let pareto: fn(f64) -> f64 = |u| 1e5 / (1.0 - u).powf(0.8);
        for inverse in [uniform, exponential, bimodal, pareto] {
            let samples = (0..100_000).map(|i| inverse((f64::from(i) + 0.5) / 100_000.0) as u64);
            let mut sorted: Vec<u64> = samples.collect();
            sorted.sort_unstable();
            let histogram: Histogram = sorted.iter().copied().collect();
            for q in [0.01, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999, 1.0] {
                let (exact, value) =
                    (exact_quantile(&sorted, q), histogram.value_at_quantile(q).unwrap());
                assert!(value >= exact && value <= exact + exact / 1024, "{q}: {value} {exact}");
            }
            let mean = sorted.iter().sum::<u64>() as f64 / 1e5;
            assert!((histogram.mean().unwrap() / mean - 1.0).abs() < 1e-12);
        }
    }

    /// What open load must show of a server that stands still for 2 of 10 seconds at 1,000/s.
    #[test]
    fn a_stall_is_seen_in_full() {
        let before_and_after = std::iter::repeat_n(1_000_000, 8_000);
        let during = (0..2_000).map(|index| 2_000_000_000 - index * 1_000_000);
        let histogram: Histogram = before_and_after.chain(during).collect();
        let check = |q: f64, expected: f64| {
            let value = histogram.value_at_quantile(q).unwrap() as f64;
            assert!((value / expected - 1.0).abs() < 0.002, "{q}: {value}");
        };
        check(0.5, 1e6);
        check(0.9, 1.0e9);
        check(0.99, 1.9e9);
        check(1.0, 2.0e9);
    }

    proptest::proptest! {
        #[test]
        fn any_quantile_is_at_most_a_bucket_above_the_truth(
            mut values in proptest::collection::vec(0_u64..(1 << 47), 1..100),
            shift in 0_u32..40,
            q in 0.0_f64..=1.0,
        ) {
            values.iter_mut().for_each(|value| *value >>= shift);
            values.sort_unstable();
            let histogram: Histogram = values.iter().copied().collect();
            let exact = exact_quantile(&values, q);
            let value = histogram.value_at_quantile(q).unwrap();
            proptest::prop_assert!(value >= exact && value <= exact + exact / 1024);
            proptest::prop_assert!(value <= values[values.len() - 1]);
            let at_most = values.iter().filter(|&&other| other <= value).count() as u64;
            proptest::prop_assert!(histogram.count_at_or_below(value) >= at_most);
        }
    }
}
