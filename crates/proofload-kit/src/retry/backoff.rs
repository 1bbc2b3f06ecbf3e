//! How long to wait before the next try. Pure: chance is an argument.

use std::time::Duration;

use crate::error::BuildError;

/// The waits between tries.
///
/// With jitter a wait is anything between nothing and its full length, evenly: "full jitter", which
/// of the usual ways to spread retries takes the fewest calls
/// (<https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Backoff {
    first: Duration,
    factor: f64,
    most: Duration,
    jitter: bool,
}

impl Backoff {
    /// At most `first` before the first retry, twice as much before each further one, up to `most`.
    #[must_use]
    pub const fn exponential(first: Duration, most: Duration) -> Self {
        Self { first, factor: 2.0, most, jitter: true }
    }

    /// At most `wait` before every retry.
    #[must_use]
    pub const fn constant(wait: Duration) -> Self {
        Self { first: wait, factor: 1.0, most: wait, jitter: true }
    }

    /// Grows by this instead of 2, at least 1.
    #[must_use]
    pub const fn factor(mut self, factor: f64) -> Self {
        self.factor = factor;
        self
    }

    /// Waits the full length every time. Callers that failed together then come back together.
    #[must_use]
    pub const fn without_jitter(mut self) -> Self {
        self.jitter = false;
        self
    }

    /// Before retry `number`, counted from 1; `random` from 0 to 1.
    pub(super) fn wait(&self, number: u32, random: f64) -> Duration {
        let exponent = i32::try_from(number.saturating_sub(1)).unwrap_or(i32::MAX);
        let full =
            (self.first.as_secs_f64() * self.factor.powi(exponent)).min(self.most.as_secs_f64());
        Duration::from_secs_f64(if self.jitter { full * random } else { full })
    }

    pub(super) fn check(&self) -> Result<(), BuildError> {
        let refuse = |value: String, allowed| Err(BuildError::new("backoff", value, allowed));
        if self.most > Duration::from_hours(1) || self.first > self.most {
            return refuse(
                format!("{:?} to {:?}", self.first, self.most),
                "a first wait up to the longest, up to 1 h",
            );
        }
        if !(1.0..=100.0).contains(&self.factor) {
            return refuse(self.factor.to_string(), "a factor of 1 to 100");
        }
        Ok(())
    }
}

/// 50 ms, doubling, up to 2 s.
impl Default for Backoff {
    fn default() -> Self {
        Self::exponential(Duration::from_millis(50), Duration::from_secs(2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_the_longest() {
        let ms = Duration::from_millis;
        let check = |backoff: Backoff, random: f64, expected: [u64; 4]| {
            assert_eq!(
                [1, 2, 3, 40].map(|number| backoff.wait(number, random)),
                expected.map(ms),
                "{backoff:?}"
            );
        };
        let exponential = Backoff::exponential(ms(100), ms(350));
        check(exponential, 1.0, [100, 200, 350, 350]);
        check(exponential, 0.5, [50, 100, 175, 175]);
        check(exponential, 0.0, [0, 0, 0, 0]);
        check(exponential.without_jitter(), 0.5, [100, 200, 350, 350]);
        check(exponential.factor(3.0), 1.0, [100, 300, 350, 350]);
        check(Backoff::constant(ms(70)), 1.0, [70, 70, 70, 70]);
        assert_eq!(exponential.wait(u32::MAX, 1.0), ms(350));
    }
}
