//! What a circuit breaker is told once: its rates, its window, its times; and the builder that
//! refuses what cannot work.

use std::{sync::Arc, time::Duration};

use super::{CircuitBreaker, Transition};
use crate::{Registry, error::BuildError};

/// Which calls a rate is taken of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window(pub(super) Span);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Span {
    Calls(u32),
    Time(Duration),
}

impl Window {
    /// The last `count` calls, 1 to 100,000.
    #[must_use]
    pub const fn calls(count: u32) -> Self {
        Self(Span::Calls(count))
    }

    /// The calls that ended within the last `stretch`, 10 ms to an hour. It moves on in tenths of
    /// itself.
    #[must_use]
    pub const fn time(stretch: Duration) -> Self {
        Self(Span::Time(stretch))
    }

    /// How long it takes until old calls fall out; only where time makes them.
    pub(super) fn tick(self) -> Option<Duration> {
        match self.0 {
            Span::Calls(_) => None,
            Span::Time(stretch) => Some(stretch / crate::guard::SLOTS as u32),
        }
    }
}

/// A rule for calls that succeed too late to be of use.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct SlowCalls {
    pub(super) longer_than: Duration,
    pub(super) rate: f64,
}

/// The settings of a state machine; `Builder::build` sees to it that they can work.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Settings {
    pub(super) failure_rate: f64,
    pub(super) slow_calls: Option<SlowCalls>,
    pub(super) window: Window,
    pub(super) minimum_calls: u32,
    pub(super) open_for: Duration,
    pub(super) backoff_factor: f64,
    pub(super) open_at_most: Duration,
    pub(super) jitter: f64,
    pub(super) half_open_calls: u32,
    pub(super) half_open_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            failure_rate: 0.5,
            slow_calls: None,
            window: Window::calls(100),
            minimum_calls: 20,
            open_for: Duration::from_secs(10),
            backoff_factor: 1.0,
            open_at_most: Duration::from_secs(300),
            jitter: 0.1,
            half_open_calls: 5,
            half_open_timeout: Duration::from_secs(30),
        }
    }
}

impl Settings {
    fn check(&self) -> Result<(), BuildError> {
        let rate = |rate: f64| rate > 0.0 && rate <= 1.0;
        let refuse =
            |setting, value: String, allowed| Err(BuildError::new(setting, value, allowed));
        if !rate(self.failure_rate) {
            return refuse("failure_rate", self.failure_rate.to_string(), "above 0, up to 1");
        }
        if let Some(slow) = self.slow_calls {
            if slow.longer_than.is_zero() {
                return refuse(
                    "slow_call",
                    format!("{:?}", slow.longer_than),
                    "a duration above 0",
                );
            }
            if !rate(slow.rate) {
                return refuse("slow_call", slow.rate.to_string(), "a rate above 0, up to 1");
            }
        }
        match self.window.0 {
            Span::Calls(count) if !(1..=100_000).contains(&count) => {
                return refuse("window", format!("{count} calls"), "1 to 100,000 calls");
            }
            Span::Calls(count) if self.minimum_calls > count => {
                return refuse(
                    "minimum_calls",
                    self.minimum_calls.to_string(),
                    "at most the calls of the window",
                );
            }
            Span::Time(stretch)
                if !(Duration::from_millis(10)..=Duration::from_hours(1)).contains(&stretch) =>
            {
                return refuse("window", format!("{stretch:?}"), "10 ms to 1 h");
            }
            _ => {}
        }
        if self.minimum_calls == 0 {
            return refuse("minimum_calls", "0".to_owned(), "at least 1");
        }
        if self.open_for.is_zero() || self.open_for > Duration::from_hours(24) {
            return refuse("open_for", format!("{:?}", self.open_for), "above 0, up to 24 h");
        }
        if !(1.0..=10.0).contains(&self.backoff_factor) {
            return refuse("open_backoff", self.backoff_factor.to_string(), "a factor of 1 to 10");
        }
        // With a factor of 1 the upper end is never used.
        let backs_off = self.backoff_factor > 1.0;
        if backs_off && !(self.open_for..=Duration::from_hours(24)).contains(&self.open_at_most) {
            return refuse(
                "open_backoff",
                format!("{:?}", self.open_at_most),
                "at least `open_for`, up to 24 h",
            );
        }
        if !(0.0..=1.0).contains(&self.jitter) {
            return refuse("jitter", self.jitter.to_string(), "0 to 1");
        }
        if !(1..=100_000).contains(&self.half_open_calls) {
            return refuse("half_open_calls", self.half_open_calls.to_string(), "1 to 100,000");
        }
        if self.half_open_timeout.is_zero() || self.half_open_timeout > Duration::from_hours(24) {
            return refuse(
                "half_open_timeout",
                format!("{:?}", self.half_open_timeout),
                "above 0, up to 24 h",
            );
        }
        Ok(())
    }
}

/// Called after every transition, outside all locks.
pub(super) type Observer = Arc<dyn Fn(&Transition) + Send + Sync>;

/// Settings of a [`CircuitBreaker`] in the making. Made by [`CircuitBreaker::builder`].
#[derive(Clone)]
#[must_use = "a builder does nothing until `build`"]
pub struct CircuitBreakerBuilder {
    pub(super) name: String,
    pub(super) settings: Settings,
    pub(super) observer: Option<Observer>,
    registry: Option<Registry>,
}

impl CircuitBreakerBuilder {
    pub(super) fn new(name: String) -> Self {
        Self { name, settings: Settings::default(), observer: None, registry: None }
    }

    /// Opens when this part of the window's calls failed, above 0 up to 1. Default 0.5.
    pub fn failure_rate(mut self, rate: f64) -> Self {
        self.settings.failure_rate = rate;
        self
    }

    /// Opens also when this part of the window's calls took longer than `longer_than`, whatever
    /// became of them. A call that was given up unfinished after that long is slow too. Default: no
    /// such rule.
    pub fn slow_call(mut self, longer_than: Duration, rate: f64) -> Self {
        self.settings.slow_calls = Some(SlowCalls { longer_than, rate });
        self
    }

    /// The calls that rates are taken of while closed. Default: the last 100.
    pub fn window(mut self, window: Window) -> Self {
        self.settings.window = window;
        self
    }

    /// Calls the window must hold before a rate means anything. Default 20.
    pub fn minimum_calls(mut self, calls: u32) -> Self {
        self.settings.minimum_calls = calls;
        self
    }

    /// How long it stays open before it lets calls probe the backend. Default 10 s.
    pub fn open_for(mut self, duration: Duration) -> Self {
        self.settings.open_for = duration;
        self
    }

    /// Stays open `factor` times longer after every probe that failed, up to `at_most` (before
    /// jitter). Default: no growth.
    pub fn open_backoff(mut self, factor: f64, at_most: Duration) -> Self {
        self.settings.backoff_factor = factor;
        self.settings.open_at_most = at_most;
        self
    }

    /// Spreads the open time evenly by ± this part of it, so that the instances of a service do not
    /// probe in step. 0 to 1; default 0.1.
    pub fn jitter(mut self, part: f64) -> Self {
        self.settings.jitter = part;
        self
    }

    /// How many calls probe the backend while half-open: as many are let through, and as many
    /// results decide. It decides earlier when the missing results could not change the verdict.
    /// Default 5.
    pub fn half_open_calls(mut self, calls: u32) -> Self {
        self.settings.half_open_calls = calls;
        self
    }

    /// After how long half-open is decided by what is known: calls still unfinished then count as
    /// failed. Default 30 s.
    pub fn half_open_timeout(mut self, duration: Duration) -> Self {
        self.settings.half_open_timeout = duration;
        self
    }

    /// Is called after every transition, on the thread that caused it and outside all locks. Should
    /// it panic, that is logged and the breaker goes on.
    pub fn on_transition(mut self, observer: impl Fn(&Transition) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Shows the breaker's metrics at `registry`.
    pub fn registry(mut self, registry: &Registry) -> Self {
        self.registry = Some(registry.clone());
        self
    }

    /// The breaker, closed.
    ///
    /// # Errors
    /// Names the first setting that cannot work.
    pub fn build(self) -> Result<CircuitBreaker, BuildError> {
        self.settings.check()?;
        let registry = self.registry.clone();
        let breaker = CircuitBreaker::new(self);
        if let Some(registry) = registry {
            breaker.register(&registry);
        }
        Ok(breaker)
    }
}

impl std::fmt::Debug for CircuitBreakerBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CircuitBreakerBuilder")
            .field("name", &self.name)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_cannot_work_are_named() {
        let check = |build: fn(CircuitBreakerBuilder) -> CircuitBreakerBuilder, setting: &str| {
            let error = build(CircuitBreaker::builder("b")).build().expect_err(setting);
            assert_eq!(error.setting(), setting);
        };
        check(|b| b.failure_rate(0.0), "failure_rate");
        check(|b| b.failure_rate(f64::NAN), "failure_rate");
        check(|b| b.slow_call(Duration::ZERO, 0.5), "slow_call");
        check(|b| b.slow_call(Duration::from_secs(1), 1.1), "slow_call");
        check(|b| b.window(Window::calls(0)).minimum_calls(1), "window");
        check(|b| b.window(Window::time(Duration::from_millis(1))), "window");
        check(|b| b.window(Window::calls(10)).minimum_calls(11), "minimum_calls");
        check(|b| b.minimum_calls(0), "minimum_calls");
        check(|b| b.open_for(Duration::ZERO), "open_for");
        check(|b| b.open_backoff(0.5, Duration::from_secs(60)), "open_backoff");
        check(|b| b.open_backoff(2.0, Duration::from_secs(1)), "open_backoff");
        check(|b| b.jitter(1.5), "jitter");
        check(|b| b.half_open_calls(0), "half_open_calls");
        check(|b| b.half_open_timeout(Duration::ZERO), "half_open_timeout");
        let error = CircuitBreaker::builder("b").jitter(1.5).build().expect_err("jitter");
        assert_eq!(error.to_string(), "`jitter` is \"1.5\": it must be 0 to 1");
        assert!(CircuitBreaker::builder("b").build().is_ok());
    }
}
