//! Values as people read them.

use std::time::Duration;

use proofload_core::units::human_ratio;
use proofload_core::verdict::Grade;

/// A time span as a clock shows it: `0:07`, `12:30`, `1:05:00`, `2d 3:00:00`.
pub(super) fn clock(span: Duration) -> String {
    let total = span.as_secs();
    let (days, hours, minutes, seconds) =
        (total / 86_400, total / 3600 % 24, total / 60 % 60, total % 60);
    match (days, hours) {
        (0, 0) => format!("{minutes}:{seconds:02}"),
        (0, _) => format!("{hours}:{minutes:02}:{seconds:02}"),
        _ => format!("{days}d {hours}:{minutes:02}:{seconds:02}"),
    }
}

/// A share of two counts in percent; a dash without data.
pub(super) fn share(part: u64, whole: u64) -> String {
    if whole == 0 { "–".to_owned() } else { human_ratio(part as f64 / whole as f64) }
}

/// Milliseconds in the unit that fits; a dash without data.
pub(super) fn ms(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |ms| proofload_core::units::human_ns(ms * 1e6))
}

/// The class of a grade's colour.
pub(super) const fn grade_class(grade: Option<Grade>) -> &'static str {
    match grade {
        Some(Grade::Excellent) => "g-excellent",
        Some(Grade::Good) => "g-good",
        Some(Grade::Fair) => "g-fair",
        Some(Grade::Poor) => "g-poor",
        None => "g-none",
    }
}

/// `2026-11-21 03:15 UTC` of RFC 3339.
pub(super) fn when(rfc3339: &str) -> String {
    let is_one =
        rfc3339.len() >= 16 && rfc3339.is_char_boundary(10) && rfc3339.is_char_boundary(16);
    if !is_one {
        return rfc3339.to_owned();
    }
    let zone = if rfc3339.ends_with('Z') { " UTC" } else { "" };
    format!("{} {}{zone}", &rfc3339[..10], &rfc3339[11..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks() {
        let check = |seconds: u64, expect: &str| {
            assert_eq!(clock(Duration::from_secs(seconds)), expect);
        };
        check(0, "0:00");
        check(75, "1:15");
        check(3661, "1:01:01");
        check(2 * 86_400 + 3600, "2d 1:00:00");
    }

    #[test]
    fn dates() {
        assert_eq!(when("2026-11-21T03:15:27.123Z"), "2026-11-21 03:15 UTC");
        assert_eq!(when("2026-11-21T03:15:27+01:00"), "2026-11-21 03:15");
        assert_eq!(when("yesterday"), "yesterday");
        assert_eq!(when(""), "");
    }
}
