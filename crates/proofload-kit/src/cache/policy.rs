//! When an entry is fresh, stale, or only better than an error: pure functions of its times and now.

use std::time::Duration;

use super::Ttl;
use super::clock::{Nanos, nanos};
use super::remote::Stored;

/// The settings that decide how long entries live and how long callers wait.
#[derive(Debug, Clone, Copy)]
pub(super) struct Policy {
    pub(super) ttl: Ttl,
    /// How long known absences are remembered; None: they are not.
    pub(super) negative_ttl: Option<Ttl>,
    /// After freshness: served at once while one caller loads anew.
    pub(super) stale_while_revalidate: Duration,
    /// After freshness: served when loading fails or takes too long.
    pub(super) fail_safe: Duration,
    /// After a failed load: how long what is stale is served without a new attempt.
    pub(super) retry_after_failure: Duration,
    pub(super) soft_timeout: Option<Duration>,
    pub(super) hard_timeout: Option<Duration>,
}

/// The stations of an entry's life. `fresh_until <= stale_until <= keep_until`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Times {
    pub(super) fresh_until: Nanos,
    pub(super) stale_until: Nanos,
    pub(super) keep_until: Nanos,
}

/// What an entry is good for at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Judgement {
    Fresh,
    /// To be served at once; with `refresh`, somebody should load anew.
    Stale {
        refresh: bool,
    },
    /// To be served when loading fails or takes too long.
    Fallback,
    Dead,
}

/// `retry_at`: no attempt to load before that moment, because the last one failed.
#[inline]
pub(super) fn judge(times: Times, retry_at: Nanos, now: Nanos) -> Judgement {
    if now < times.fresh_until {
        Judgement::Fresh
    } else if now >= times.keep_until {
        Judgement::Dead
    } else if now < retry_at {
        Judgement::Stale { refresh: false }
    } else if now < times.stale_until {
        Judgement::Stale { refresh: true }
    } else {
        Judgement::Fallback
    }
}

impl Policy {
    /// How long a value is fresh in a layer with this time to live; None: it is not to be kept.
    pub(super) fn fresh_for(
        &self,
        layer: Ttl,
        own: Option<Ttl>,
        absent: bool,
        random: f64,
    ) -> Option<Duration> {
        let ttl = match (own, absent) {
            (Some(own), _) => own,
            (None, false) => layer,
            (None, true) => self.negative_ttl?,
        };
        Some(ttl.draw(random)).filter(|life| !life.is_zero())
    }

    /// The times of an entry made now. An absence has no life after its freshness.
    pub(super) fn times(&self, now: Nanos, fresh_for: Duration, absent: bool) -> Times {
        let fresh_until = now.saturating_add(nanos(fresh_for));
        let (stale, keep) = self.windows(absent);
        Times {
            fresh_until,
            stale_until: fresh_until.saturating_add(nanos(stale)),
            keep_until: fresh_until.saturating_add(nanos(keep)),
        }
    }

    /// How long after its freshness an entry may be served at once, and be kept at all.
    pub(super) fn windows(&self, absent: bool) -> (Duration, Duration) {
        if absent {
            return (Duration::ZERO, Duration::ZERO);
        }
        let stale = self.stale_while_revalidate;
        (stale, stale.max(self.fail_safe))
    }

    /// The times in memory of what was found in the shared layer: fresh for no longer than it is fresh
    /// there and than memory keeps anything fresh. None: it is of no use any more.
    pub(super) fn times_of_stored(
        &self,
        stored: &Stored,
        wall_ms: u64,
        now: Nanos,
        fresh_for: Duration,
    ) -> Option<Times> {
        let left = Duration::from_millis(stored.fresh_until_ms.saturating_sub(wall_ms));
        let absent = stored.value.is_none();
        if !left.is_zero() {
            return Some(self.times(now, fresh_for.min(left), absent));
        }
        let (stale, keep) = self.windows(absent);
        let past = Duration::from_millis(wall_ms.saturating_sub(stored.fresh_until_ms));
        let kept = Duration::from_millis(stored.keep_until_ms.saturating_sub(wall_ms));
        let stale_until = now.saturating_add(nanos(stale.saturating_sub(past)));
        let keep_until = now.saturating_add(nanos(keep.saturating_sub(past).min(kept)));
        (keep_until > now).then(|| Times {
            fresh_until: now,
            stale_until: stale_until.min(keep_until),
            keep_until,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Nanos = 1_000_000_000;

    fn policy(stale: u64, fail_safe: u64) -> Policy {
        Policy {
            ttl: Ttl::seconds(10),
            negative_ttl: Some(Ttl::seconds(2)),
            stale_while_revalidate: Duration::from_secs(stale),
            fail_safe: Duration::from_secs(fail_safe),
            retry_after_failure: Duration::from_secs(1),
            soft_timeout: None,
            hard_timeout: None,
        }
    }

    #[test]
    fn stations_of_a_life() {
        let times = policy(5, 60).times(0, Duration::from_secs(10), false);
        let check = |retry_at: u64, now: u64, expect| {
            let judged = judge(times, retry_at * SECOND, now * SECOND);
            assert_eq!(judged, expect, "retry {retry_at}, now {now}");
        };
        check(0, 0, Judgement::Fresh);
        check(0, 9, Judgement::Fresh);
        check(0, 10, Judgement::Stale { refresh: true });
        check(0, 14, Judgement::Stale { refresh: true });
        check(13, 12, Judgement::Stale { refresh: false });
        check(0, 15, Judgement::Fallback);
        check(0, 69, Judgement::Fallback);
        check(21, 20, Judgement::Stale { refresh: false });
        check(21, 21, Judgement::Fallback);
        check(0, 70, Judgement::Dead);
        check(99, 70, Judgement::Dead);
        check(99, 9, Judgement::Fresh);
    }

    #[test]
    fn absences_live_shortly_and_have_no_afterlife() {
        let policy = policy(5, 60);
        let life = policy.fresh_for(policy.ttl, None, true, 0.0).unwrap();
        assert_eq!(life, Duration::from_secs(2));
        let times = policy.times(0, life, true);
        assert_eq!(judge(times, 0, 2 * SECOND), Judgement::Dead);
        let forgetful = Policy { negative_ttl: None, ..policy };
        assert_eq!(forgetful.fresh_for(policy.ttl, None, true, 0.0), None);
        assert_eq!(policy.fresh_for(policy.ttl, Some(Ttl::seconds(0)), false, 0.0), None);
    }

    fn stored(fresh_until_ms: u64, keep_until_ms: u64) -> Stored {
        Stored {
            value: Some(bytes::Bytes::new()),
            written_ms: 0,
            fresh_until_ms,
            keep_until_ms,
            epoch: 0,
            tags: Vec::new(),
        }
    }

    #[test]
    fn what_comes_from_the_shared_layer_keeps_its_age() {
        let policy = policy(5, 60);
        let life = Duration::from_secs(10);
        let check = |fresh_ms, keep_ms, expect: Option<[u64; 3]>| {
            let times = policy.times_of_stored(&stored(fresh_ms, keep_ms), 100_000, 0, life);
            let got =
                times.map(|t| [t.fresh_until, t.stale_until, t.keep_until].map(|t| t / SECOND));
            assert_eq!(got, expect, "fresh {fresh_ms}, keep {keep_ms}");
        };
        check(200_000, 300_000, Some([10, 15, 70]));
        check(103_000, 300_000, Some([3, 8, 63]));
        check(98_000, 158_000, Some([0, 3, 58]));
        check(90_000, 150_000, Some([0, 0, 50]));
        check(90_000, 110_000, Some([0, 0, 10]));
        check(30_000, 90_000, None);
    }

    proptest! {
        /// An entry only ages: no judgement is followed by a better one while nothing changes.
        #[test]
        fn entries_only_age(
            fresh in 0..20_u64, stale in 0..20_u64, keep in 0..20_u64, retry in 0..60_u64,
            first in 0..80_u64, later in 0..80_u64,
        ) {
            let times = Times {
                fresh_until: fresh,
                stale_until: fresh + stale,
                keep_until: fresh + stale.max(keep),
            };
            let rank = |now| match judge(times, retry, now) {
                Judgement::Fresh => 0,
                Judgement::Stale { refresh: false } => 1,
                Judgement::Stale { refresh: true } => 2,
                Judgement::Fallback => 3,
                Judgement::Dead => 4,
            };
            prop_assert!(rank(first) <= rank(first + later));
            prop_assert_eq!(rank(times.keep_until), 4);
            prop_assert_eq!(rank(first) == 0, first < fresh);
        }

        /// Nothing found in the shared layer lives longer in memory than there, or than memory allows.
        #[test]
        fn memory_never_outlives_the_shared_layer(
            fresh_ms in 0..200_000_u64, more_ms in 0..200_000_u64, wall in 0..400_000_u64,
            stale in 0..50_u64, fail_safe in 0..50_u64,
        ) {
            let policy = policy(stale, fail_safe);
            let keep = more_ms.min(stale.max(fail_safe) * 1000);
            let found = stored(fresh_ms, fresh_ms + keep);
            let times = policy.times_of_stored(&found, wall, 0, Duration::from_secs(10));
            if let Some(times) = times {
                prop_assert!(times.fresh_until <= times.stale_until);
                prop_assert!(times.stale_until <= times.keep_until);
                prop_assert!(times.fresh_until <= 10 * SECOND);
                prop_assert!(times.fresh_until <= fresh_ms.saturating_sub(wall) * 1_000_000);
            } else {
                prop_assert!(fresh_ms <= wall);
            }
        }
    }
}
