//! Limits that follow what is measured: as many calls at a time as the backend bears without its
//! answers getting slow. Pure: the time is an argument.

use std::time::Duration;

use tokio::time::Instant;

use super::semaphore::MOST;
use crate::error::BuildError;

/// Results a window must hold before it says something, if none of them says "too much".
const LEAST_SAMPLES: u32 = 10;
/// Windows that the long average of [`Adaptive::gradient`] looks back, as in Netflix's
/// `Gradient2Limit`.
const LONG_WINDOWS: u32 = 600;
/// Windows after which the long average is one; the plain mean before.
const WARM_UP: u32 = 10;
/// A latency that has fallen below half of the long average: the average follows by this a window.
const FORGET: f64 = 0.95;

/// How a limiter finds its limit by itself. Once a window it looks at the latencies of the calls
/// that ended, and at whether any of them was told to be too much
/// ([`LimiterPermit::overloaded`](super::LimiterPermit::overloaded)). It grows only while at least half of it is
/// used.
#[derive(Debug, Clone, PartialEq)]
pub struct Adaptive {
    kind: Kind,
    least: usize,
    most: usize,
    start: Option<usize>,
    window: Duration,
    shrink: f64,
}

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    Aimd { slow: Option<Duration> },
    Gradient { tolerance: f64, smoothing: f64, headroom: f64 },
}

impl Adaptive {
    /// Additive increase, multiplicative decrease, as TCP does: one more a window, a tenth less as
    /// soon as anything was too much. Tell it what that is: by
    /// [`latency_above`](Self::latency_above), or by permits.
    #[must_use]
    pub const fn aimd() -> Self {
        Self::of(Kind::Aimd { slow: None })
    }

    /// Compares the latency of a window with a long average of itself: while they are alike the
    /// limit grows by some headroom, when the window is slower it shrinks in proportion. The
    /// algorithm of [`Gradient2Limit`](https://github.com/Netflix/concurrency-limits); a permit
    /// told to be too much shrinks it as well.
    #[must_use]
    pub const fn gradient() -> Self {
        Self::of(Kind::Gradient { tolerance: 1.5, smoothing: 0.2, headroom: 4.0 })
    }

    const fn of(kind: Kind) -> Self {
        Self {
            kind,
            least: 4,
            most: 256,
            start: None,
            window: Duration::from_millis(200),
            shrink: 0.9,
        }
    }

    /// The bounds it keeps within, at least 1. Default 4 and 256.
    #[must_use]
    pub const fn between(mut self, least: usize, most: usize) -> Self {
        self.least = least;
        self.most = most;
        self
    }

    /// Where it begins. Default: 20, or the nearer bound.
    #[must_use]
    pub const fn start(mut self, limit: usize) -> Self {
        self.start = Some(limit);
        self
    }

    /// The time between two looks, 1 ms to a minute. Default 200 ms. A look also takes ten results.
    #[must_use]
    pub const fn window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }

    /// What is left of the limit after calls were too much, above 0 and below 1. Default 0.9.
    #[must_use]
    pub const fn shrink_to(mut self, part: f64) -> Self {
        self.shrink = part;
        self
    }

    /// For [`aimd`](Self::aimd): a mean latency of a window above this is too much. Default: none
    /// is.
    #[must_use]
    pub const fn latency_above(mut self, latency: Duration) -> Self {
        if let Kind::Aimd { slow } = &mut self.kind {
            *slow = Some(latency);
        }
        self
    }

    /// For [`gradient`](Self::gradient): how many times slower than its long average a window may
    /// be before the limit shrinks, at least 1. Default 1.5.
    #[must_use]
    pub const fn tolerance(mut self, times: f64) -> Self {
        if let Kind::Gradient { tolerance, .. } = &mut self.kind {
            *tolerance = times;
        }
        self
    }

    /// For [`gradient`](Self::gradient): by how much it may grow a window, before smoothing, which
    /// keeps four fifths of the old limit. That many calls queue in the backend when all is well.
    /// Default 4.
    #[must_use]
    pub const fn headroom(mut self, calls: u32) -> Self {
        if let Kind::Gradient { headroom, .. } = &mut self.kind {
            *headroom = calls as f64;
        }
        self
    }

    pub(super) fn check(&self) -> Result<(), BuildError> {
        let refuse = |value: String, allowed| Err(BuildError::new("adaptive", value, allowed));
        if self.least == 0 || self.least > self.most || self.most > MOST {
            return refuse(
                format!("between {} and {}", self.least, self.most),
                "1 <= least <= most < 2^31",
            );
        }
        if self.start.is_some_and(|start| !(self.least..=self.most).contains(&start)) {
            return refuse(format!("start {:?}", self.start), "a start within the bounds");
        }
        if !(Duration::from_millis(1)..=Duration::from_mins(1)).contains(&self.window) {
            return refuse(format!("window {:?}", self.window), "a window of 1 ms to 1 min");
        }
        if !(self.shrink > 0.0 && self.shrink < 1.0) {
            return refuse(format!("shrink_to {}", self.shrink), "a part above 0 and below 1");
        }
        match self.kind {
            Kind::Gradient { tolerance, .. } if !(1.0..=100.0).contains(&tolerance) => {
                refuse(format!("tolerance {tolerance}"), "a tolerance of 1 to 100")
            }
            Kind::Gradient { headroom, .. } if headroom < 1.0 => {
                refuse(format!("headroom {headroom}"), "a headroom of at least 1")
            }
            Kind::Gradient { .. } | Kind::Aimd { .. } => Ok(()),
        }
    }

    pub(super) fn first(&self) -> usize {
        self.start.unwrap_or_else(|| 20_usize.clamp(self.least, self.most))
    }
}

/// What a call that ended says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    pub(super) latency: Duration,
    /// Calls under way when it ended, itself among them.
    pub(super) in_flight: usize,
    pub(super) overloaded: bool,
}

/// Finds the limit.
#[derive(Debug)]
pub(super) struct Estimator {
    settings: Adaptive,
    limit: f64,
    long: LongAverage,
    window: Option<WindowSoFar>,
}

#[derive(Debug)]
struct WindowSoFar {
    began: Instant,
    samples: u32,
    latencies: Duration,
    most_in_flight: usize,
    overloaded: bool,
}

#[derive(Debug, Default)]
struct LongAverage {
    seconds: f64,
    windows: u32,
}

impl LongAverage {
    fn add(&mut self, seconds: f64) {
        self.windows = self.windows.saturating_add(1);
        let weight = if self.windows <= WARM_UP {
            1.0 / f64::from(self.windows)
        } else {
            2.0 / f64::from(LONG_WINDOWS + 1)
        };
        self.seconds += (seconds - self.seconds) * weight;
    }
}

impl Estimator {
    pub(super) fn new(settings: Adaptive) -> Self {
        let limit = settings.first() as f64;
        Self { settings, limit, long: LongAverage::default(), window: None }
    }

    /// The limit after this, if it is time for a look.
    pub(super) fn sample(&mut self, sample: Sample, now: Instant) -> Option<usize> {
        let window = self.window.get_or_insert(WindowSoFar {
            began: now,
            samples: 0,
            latencies: Duration::ZERO,
            most_in_flight: 0,
            overloaded: false,
        });
        window.samples += 1;
        window.latencies = window.latencies.saturating_add(sample.latency);
        window.most_in_flight = window.most_in_flight.max(sample.in_flight);
        window.overloaded |= sample.overloaded;
        let over = now.saturating_duration_since(window.began) >= self.settings.window;
        if !over || !(window.overloaded || window.samples >= LEAST_SAMPLES) {
            return None;
        }
        let window = self.window.take()?;
        let next = self.next(&window);
        self.limit = next.clamp(self.settings.least as f64, self.settings.most as f64);
        Some(self.limit as usize)
    }

    /// Goes on from a limit that somebody set by hand, within the bounds.
    pub(super) fn set(&mut self, limit: usize) -> usize {
        let limit = limit.clamp(self.settings.least, self.settings.most);
        self.limit = limit as f64;
        self.window = None;
        limit
    }

    fn next(&mut self, window: &WindowSoFar) -> f64 {
        let latency = window.latencies.as_secs_f64() / f64::from(window.samples);
        let used = window.most_in_flight as f64 * 2.0 >= self.limit;
        match self.settings.kind {
            Kind::Aimd { slow } => {
                if window.overloaded || slow.is_some_and(|slow| latency > slow.as_secs_f64()) {
                    self.limit * self.settings.shrink
                } else if used {
                    self.limit + 1.0
                } else {
                    self.limit
                }
            }
            Kind::Gradient { tolerance, smoothing, headroom } => {
                self.long.add(latency);
                // After a long load the average is high; it has to come down when the load is gone.
                if self.long.seconds > latency * 2.0 {
                    self.long.seconds *= FORGET;
                }
                if window.overloaded {
                    return self.limit * self.settings.shrink;
                }
                if !used {
                    return self.limit;
                }
                let gradient =
                    if latency > 0.0 { tolerance * self.long.seconds / latency } else { 1.0 };
                let wanted = self.limit * gradient.clamp(0.5, 1.0) + headroom;
                self.limit * (1.0 - smoothing) + wanted * smoothing
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A backend of `cores`: with more calls at a time than that, each takes as much longer.
    fn run(settings: Adaptive, cores: usize, callers: usize, windows: u32) -> usize {
        let mut estimator = Estimator::new(settings.window(Duration::from_millis(100)));
        let mut now = Instant::now();
        let mut limit = estimator.settings.first();
        for _ in 0..windows * 20 {
            now += Duration::from_millis(10);
            let in_flight = callers.min(limit);
            let latency =
                Duration::from_millis(10).mul_f64((in_flight as f64 / cores as f64).max(1.0));
            let sample = Sample { latency, in_flight, overloaded: false };
            limit = estimator.sample(sample, now).unwrap_or(limit);
        }
        limit
    }

    #[test]
    fn aimd_grows_to_what_the_backend_bears() {
        let settings = Adaptive::aimd().between(2, 500).latency_above(Duration::from_millis(20));
        let limit = run(settings, 50, 1000, 1000);
        assert!((85..=101).contains(&limit), "twice its cores is where it takes 20 ms: {limit}");
    }

    #[test]
    fn gradient_stops_growing_when_answers_get_slow() {
        let limit = run(Adaptive::gradient().between(2, 5000), 50, 10_000, 400);
        assert!((50..=400).contains(&limit), "{limit}");
    }

    #[test]
    fn nothing_grows_without_being_used() {
        for settings in [Adaptive::aimd(), Adaptive::gradient()] {
            let limit = run(settings.start(30), 50, 5, 200);
            assert_eq!(limit, 30);
        }
    }

    #[test]
    fn too_much_shrinks_once_a_window() {
        for settings in [Adaptive::aimd(), Adaptive::gradient()] {
            let mut estimator = Estimator::new(settings.start(100));
            let start = Instant::now();
            let sample =
                Sample { latency: Duration::from_millis(1), in_flight: 100, overloaded: true };
            for ms in 0..200 {
                assert_eq!(estimator.sample(sample, start + Duration::from_millis(ms)), None);
            }
            assert_eq!(estimator.sample(sample, start + Duration::from_millis(200)), Some(90));
        }
    }

    #[test]
    fn a_long_average_comes_down_after_a_long_load() {
        let mut estimator = Estimator::new(Adaptive::gradient().start(100));
        estimator.long = LongAverage { seconds: 1.0, windows: 600 };
        let mut now = Instant::now();
        for _ in 0..2000 {
            now += Duration::from_millis(20);
            estimator.sample(
                Sample { latency: Duration::from_millis(10), in_flight: 10, overloaded: false },
                now,
            );
        }
        assert!(estimator.long.seconds < 0.03, "{}", estimator.long.seconds);
    }

    #[test]
    fn settings_that_cannot_work_are_named() {
        let check = |settings: Adaptive, value: &str| {
            assert_eq!(settings.check().expect_err(value).value(), value);
        };
        check(Adaptive::aimd().between(0, 5), "between 0 and 5");
        check(Adaptive::aimd().between(6, 5), "between 6 and 5");
        check(Adaptive::aimd().start(1000), "start Some(1000)");
        check(Adaptive::aimd().window(Duration::ZERO), "window 0ns");
        check(Adaptive::aimd().shrink_to(1.0), "shrink_to 1");
        check(Adaptive::gradient().tolerance(0.5), "tolerance 0.5");
        check(Adaptive::gradient().headroom(0), "headroom 0");
    }

    proptest! {
        #[test]
        fn keeps_within_its_bounds(
            gradient in any::<bool>(),
            least in 1_usize..50,
            more in 0_usize..100,
            samples in prop::collection::vec(
                (0_u64..5_000_000, 0_usize..200, prop::bool::weighted(0.01)),
                0..500,
            ),
        ) {
            let settings = if gradient { Adaptive::gradient() } else { Adaptive::aimd() };
            let mut estimator = Estimator::new(settings.between(least, least + more));
            let mut now = Instant::now();
            for (micros, in_flight, overloaded) in samples {
                now += Duration::from_millis(30);
                let latency = Duration::from_micros(micros);
                let sample = Sample { latency, in_flight, overloaded };
                if let Some(limit) = estimator.sample(sample, now) {
                    prop_assert!((least..=least + more).contains(&limit));
                }
            }
        }
    }
}
