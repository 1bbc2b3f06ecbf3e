//! How long values are fresh.

use std::time::Duration;

use crate::BuildError;

/// How long a value is fresh, and by how much that varies from value to value.
///
/// ```
/// use std::time::Duration;
/// use proofload_kit::Ttl;
///
/// assert_eq!(Ttl::minutes(5).duration(), Duration::from_secs(300));
/// assert_eq!(Ttl::DATA, Ttl::minutes(5));
/// // Between 4.5 and 5 minutes: values that were loaded together do not expire together.
/// let spread = Ttl::minutes(5).jitter(0.1);
/// # let _ = spread;
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ttl {
    duration: Duration,
    jitter: f64,
}

impl Ttl {
    /// 24 hours: sessions of users.
    pub const SESSION: Self = Self::hours(24);
    /// 5 minutes: data that users see.
    pub const DATA: Self = Self::minutes(5);
    /// 1 minute: answers to queries.
    pub const QUERY: Self = Self::minutes(1);
    /// 7 days: policies and other things that change with a release.
    pub const POLICY: Self = Self::days(7);

    /// That many seconds.
    #[must_use]
    pub const fn seconds(seconds: u64) -> Self {
        Self { duration: Duration::from_secs(seconds), jitter: 0.0 }
    }

    /// That many minutes.
    #[must_use]
    pub const fn minutes(minutes: u64) -> Self {
        Self::seconds(minutes.saturating_mul(60))
    }

    /// That many hours.
    #[must_use]
    pub const fn hours(hours: u64) -> Self {
        Self::seconds(hours.saturating_mul(3600))
    }

    /// That many days of 24 hours.
    #[must_use]
    pub const fn days(days: u64) -> Self {
        Self::seconds(days.saturating_mul(86_400))
    }

    /// Shortens the life of each value by a random part of up to `fraction` (0 ≤ fraction < 1), so that
    /// values loaded together do not expire together. No value is fresh for longer than the duration.
    #[must_use]
    pub const fn jitter(self, fraction: f64) -> Self {
        Self { duration: self.duration, jitter: fraction }
    }

    /// The longest time that a value is fresh.
    #[must_use]
    pub const fn duration(self) -> Duration {
        self.duration
    }

    /// The life of one value; `random` is uniform in [0, 1).
    pub(crate) fn draw(self, random: f64) -> Duration {
        if self.jitter > 0.0 {
            let seconds =
                self.duration.as_secs_f64() * (1.0 - self.jitter * random).clamp(0.0, 1.0);
            // Rounding may go beyond the duration, and with the longest of all beyond what there is.
            Duration::try_from_secs_f64(seconds)
                .map_or(self.duration, |life| life.min(self.duration))
        } else {
            self.duration
        }
    }

    pub(crate) fn check(self, setting: &'static str) -> Result<(), BuildError> {
        if self.duration.is_zero() {
            return Err(BuildError::new(setting, "0 s", "longer than 0"));
        }
        if !(0.0..1.0).contains(&self.jitter) {
            return Err(BuildError::new(setting, self.jitter, "jitter of at least 0 and below 1"));
        }
        Ok(())
    }
}

impl From<Duration> for Ttl {
    fn from(duration: Duration) -> Self {
        Self { duration, jitter: 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_only_shortens() {
        let ttl = Ttl::seconds(100).jitter(0.2);
        assert_eq!(ttl.draw(0.0), Duration::from_secs(100));
        assert_eq!(ttl.draw(0.5), Duration::from_secs(90));
        assert!(ttl.draw(0.999_999) >= Duration::from_secs(80));
        assert_eq!(Ttl::seconds(100).draw(0.9), Duration::from_secs(100));
        for jitter in [0.0, f64::MIN_POSITIVE, 1e-17, 0.5, 0.999] {
            for seconds in [1, (1 << 53) + 1, u64::MAX - 1, u64::MAX] {
                let longest = Duration::new(seconds, 999_999_999);
                let ttl = Ttl::from(longest).jitter(jitter);
                for random in [0.0, f64::MIN_POSITIVE, 0.5, 1.0 - f64::EPSILON] {
                    assert!(ttl.draw(random) <= longest, "{ttl:?} {random}");
                }
            }
        }
    }

    #[test]
    fn what_cannot_be_a_ttl() {
        for (ttl, ok) in [
            (Ttl::seconds(1), true),
            (Ttl::seconds(0), false),
            (Ttl::seconds(1).jitter(0.99), true),
            (Ttl::seconds(1).jitter(1.0), false),
            (Ttl::seconds(1).jitter(-0.1), false),
            (Ttl::seconds(1).jitter(f64::NAN), false),
        ] {
            assert_eq!(ttl.check("ttl").is_ok(), ok, "{ttl:?}");
        }
    }
}
