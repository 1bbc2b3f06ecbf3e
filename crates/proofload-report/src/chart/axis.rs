//! The x axis of charts over time.

use super::scale::Tick;
use super::ticks;

/// What a chart is drawn along: seconds since the start of a run, or things in an order.
#[derive(Clone, Debug, PartialEq)]
pub enum XAxis {
    /// Seconds since a start.
    Elapsed {
        /// Where the axis begins.
        start_seconds: f64,
        /// Where it ends.
        end_seconds: f64,
    },
    /// Things in an order, at 0, 1, 2 …: runs by their date, for example.
    Ordered {
        /// Their names.
        names: Vec<String>,
    },
}

impl Default for XAxis {
    fn default() -> Self {
        Self::Elapsed { start_seconds: 0.0, end_seconds: 1.0 }
    }
}

/// Ticks of a time axis.
const MOST_TICKS: usize = 8;

impl XAxis {
    /// First and last value, the first below the last.
    pub(super) fn ends(&self) -> (f64, f64) {
        let (start, end) = match self {
            Self::Elapsed { start_seconds, end_seconds } => (*start_seconds, *end_seconds),
            Self::Ordered { names } => (-0.5, names.len().max(1) as f64 - 0.5),
        };
        if start.is_finite() && end.is_finite() && end - start > 1e-9 {
            (start, end)
        } else {
            (0.0, 1.0)
        }
    }

    /// Where a value is, 0…1; none if it is outside or not a number.
    pub(super) fn place(&self, value: f64) -> Option<f64> {
        let (start, end) = self.ends();
        let at = (value - start) / (end - start);
        // The last point of a run may end a hair behind the axis.
        (-1e-6..=1.000_001).contains(&at).then(|| at.clamp(0.0, 1.0))
    }

    /// Where a value is, moved to the nearer end if it is outside.
    pub(super) fn clamped(&self, value: f64) -> f64 {
        let (start, end) = self.ends();
        let at = (value - start) / (end - start);
        if at.is_nan() { 0.0 } else { at.clamp(0.0, 1.0) }
    }

    pub(super) fn ticks(&self) -> Vec<Tick> {
        let (start, end) = self.ends();
        match self {
            Self::Elapsed { .. } => {
                let step = ticks::time_step(end - start, MOST_TICKS);
                let first = (start / step).ceil() * step;
                ticks::steps(step, first, first + ((end - first) / step).floor() * step)
                    .into_iter()
                    .filter_map(|value| {
                        Some(Tick { at: self.place(value)?, text: tick_text(value, step) })
                    })
                    .collect()
            }
            Self::Ordered { names } => {
                let every = names.len().div_ceil(MOST_TICKS).max(1);
                let shown = names.iter().enumerate().step_by(every);
                shown
                    .filter_map(|(at, name)| {
                        let text = super::svg::label(name, 16);
                        Some(Tick { at: self.place(at as f64)?, text })
                    })
                    .collect()
            }
        }
    }

    /// What is written for a value in tables and beside the pointer.
    pub(super) fn text(&self, value: f64) -> String {
        match self {
            // Nobody looks for tenths of a second in a minute.
            Self::Elapsed { start_seconds, end_seconds } if end_seconds - start_seconds > 20.0 => {
                elapsed_text((value + 1e-6).floor())
            }
            Self::Elapsed { .. } => elapsed_text(value),
            Self::Ordered { names } => {
                let name = (value >= 0.0).then(|| names.get(value.round() as usize)).flatten();
                name.map_or_else(String::new, |name| super::svg::label(name, 60))
            }
        }
    }

    /// The heading of its column in tables.
    pub(super) const fn heading(&self) -> &'static str {
        match self {
            Self::Elapsed { .. } => "Time",
            Self::Ordered { .. } => "Run",
        }
    }
}

/// Seconds since the start of a run as a clock shows them: `0:07`, `12:30`, `1:05:00`, `2d 3:00:00`; with tenths
/// where they are not whole and less than a minute.
#[must_use]
pub fn elapsed_text(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return "–".to_owned();
    }
    if seconds < 60.0 && (seconds - seconds.round()).abs() > 0.05 {
        return format!("0:{seconds:04.1}");
    }
    let total = seconds.round() as u64;
    let (days, hours, minutes, rest) =
        (total / 86_400, total / 3600 % 24, total / 60 % 60, total % 60);
    match (days, hours) {
        (0, 0) => format!("{minutes}:{rest:02}"),
        (0, _) => format!("{hours}:{minutes:02}:{rest:02}"),
        _ => format!("{days}d {hours}:{minutes:02}:{rest:02}"),
    }
}

/// A tick, as short as the step allows.
fn tick_text(seconds: f64, step: f64) -> String {
    if step >= 86_400.0 {
        return format!("{:.0}\u{a0}d", seconds / 86_400.0);
    }
    if step >= 3600.0 {
        return format!("{:.0}\u{a0}h", seconds / 3600.0);
    }
    if step < 0.1 {
        return format!("{seconds:.3}\u{a0}s");
    }
    elapsed_text(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_as_a_clock_shows_them() {
        let check = |seconds: f64, expect: &str| assert_eq!(elapsed_text(seconds), expect);
        check(0.0, "0:00");
        check(7.0, "0:07");
        check(7.5, "0:07.5");
        check(65.5, "1:06");
        check(3600.0, "1:00:00");
        check(2.0 * 86_400.0 + 61.0, "2d 0:01:01");
        check(f64::NAN, "–");
        check(-1.0, "–");
    }

    #[test]
    fn ticks_of_runs_short_and_long() {
        let check = |end: f64, expect: &[&str]| {
            let axis = XAxis::Elapsed { start_seconds: 0.0, end_seconds: end };
            let texts: Vec<_> =
                axis.ticks().into_iter().map(|tick| tick.text.replace('\u{a0}', " ")).collect();
            assert_eq!(texts, expect);
        };
        check(
            4.0,
            &["0:00", "0:00.5", "0:01", "0:01.5", "0:02", "0:02.5", "0:03", "0:03.5", "0:04"],
        );
        check(70.0, &["0:00", "0:10", "0:20", "0:30", "0:40", "0:50", "1:00", "1:10"]);
        check(1500.0, &["0:00", "5:00", "10:00", "15:00", "20:00", "25:00"]);
        check(86_400.0, &["0 h", "3 h", "6 h", "9 h", "12 h", "15 h", "18 h", "21 h", "24 h"]);
        check(0.0, &["0:00", "0:00.2", "0:00.4", "0:00.6", "0:00.8", "0:01"]);
    }

    #[test]
    fn runs_in_an_order() {
        let axis = XAxis::Ordered { names: vec!["Mon".to_owned(), "Tue".to_owned()] };
        assert_eq!(axis.place(0.0), Some(0.25));
        assert_eq!(axis.text(1.0), "Tue");
        assert_eq!(axis.text(7.0), "");
        assert_eq!(axis.ticks().len(), 2);
    }
}
