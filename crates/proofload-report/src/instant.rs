//! Times of day in files: from the RFC 3339 start of a run and seconds since then.

use jiff::{SignedDuration, Timestamp};

/// The instant so many seconds after an RFC 3339 time; `None` if that is no time.
pub(crate) fn after(started: &str, seconds: f64) -> Option<Timestamp> {
    let start: Timestamp = started.parse().ok()?;
    let later = SignedDuration::try_from_secs_f64(seconds).ok()?;
    start.checked_add(later).ok()
}

/// `2026-11-21T09:30:00`, in UTC without a zone. Where the start is not known, that of 1970: some
/// formats demand a time.
pub(crate) fn utc_second(started: &str, seconds: f64) -> String {
    let instant = after(started, seconds).unwrap_or(Timestamp::UNIX_EPOCH);
    instant.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_utc_to_the_second() {
        let check = |started: &str, seconds: f64, expect: &str| {
            assert_eq!(utc_second(started, seconds), expect);
        };
        check("2026-11-21T09:30:00Z", 0.0, "2026-11-21T09:30:00");
        check("2026-11-21T09:30:00Z", 61.9, "2026-11-21T09:31:01");
        check("2026-11-21T01:30:00.5+02:00", 0.5, "2026-11-20T23:30:01");
        check("", 5.0, "1970-01-01T00:00:00");
        check("yesterday", 5.0, "1970-01-01T00:00:00");
        check("2026-11-21T09:30:00Z", f64::NAN, "1970-01-01T00:00:00");
        check("2026-11-21T09:30:00Z", 1e300, "1970-01-01T00:00:00");
    }
}
