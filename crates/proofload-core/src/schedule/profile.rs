//! Piecewise-linear functions of time: the common form of every load shape.

use std::time::Duration;

/// One straight piece of a [`Profile`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Segment {
    /// Start, in seconds since the phase began.
    pub start_s: f64,
    /// Length in seconds; never negative. Zero-length pieces are dropped: they are a jump.
    pub length_s: f64,
    /// Value at the start: users, or arrivals per second.
    pub from: f64,
    /// Value at the end.
    pub to: f64,
}

impl Segment {
    /// End, in seconds since the phase began.
    #[must_use]
    pub fn end_s(&self) -> f64 {
        self.start_s + self.length_s
    }

    /// Value at `at_s` seconds since the phase began, held constant outside the piece.
    #[must_use]
    pub fn value_at(&self, at_s: f64) -> f64 {
        let share = ((at_s - self.start_s) / self.length_s).clamp(0.0, 1.0);
        self.from + (self.to - self.from) * share
    }

    /// The piece cut in two at `at_s` seconds since the phase began, if that lies within it.
    fn split_at(self, at_s: f64) -> impl Iterator<Item = Self> {
        let within = self.start_s < at_s && at_s < self.end_s();
        let at_s = if within { at_s } else { self.end_s() };
        let middle = if within { self.value_at(at_s) } else { self.to };
        let first = Self { length_s: at_s - self.start_s, to: middle, ..self };
        let second =
            Self { start_s: at_s, length_s: self.end_s() - at_s, from: middle, to: self.to };
        std::iter::once(first).chain(within.then_some(second))
    }

    /// The area under the piece: for a rate, the number of arrivals in it.
    #[must_use]
    pub fn area(&self) -> f64 {
        (self.from + self.to) / 2.0 * self.length_s
    }

    /// The time since the piece's start, in seconds, at which the area under it reaches `area`.
    ///
    /// With rate `r` and slope `a` that solves `r·x + a·x²/2 = area`, in the form that does not
    /// cancel when the slope is small.
    #[must_use]
    pub fn time_of_area(&self, area: f64) -> f64 {
        if area <= 0.0 {
            return 0.0;
        }
        let slope = (self.to - self.from) / self.length_s;
        // Rounding can push the root of a falling piece's end a hair below zero.
        let root = (self.from * self.from + 2.0 * slope * area).max(0.0).sqrt();
        (2.0 * area / (self.from + root)).min(self.length_s)
    }
}

/// A non-negative piecewise-linear function of the time since the phase began.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Profile {
    segments: Vec<Segment>,
    end: Duration,
    level: f64,
}

impl Profile {
    /// A profile that starts at `level` and has no length yet.
    #[must_use]
    pub fn starting_at(level: f64) -> Self {
        Self { segments: Vec::new(), end: Duration::ZERO, level: level.max(0.0) }
    }

    /// Goes on in a straight line to `level` over `over`; a jump where `over` is zero.
    #[must_use]
    pub fn to(mut self, level: f64, over: Duration) -> Self {
        let level = level.max(0.0);
        if !over.is_zero() {
            self.segments.push(Segment {
                start_s: self.end.as_secs_f64(),
                length_s: over.as_secs_f64(),
                from: self.level,
                to: level,
            });
            self.end += over;
        }
        self.level = level;
        self
    }

    /// Stays where it is for `time`.
    #[must_use]
    pub fn hold(self, time: Duration) -> Self {
        let level = self.level;
        self.to(level, time)
    }

    /// Adds `level` for `lasts` from each of the times in `begins`, within the profile's length.
    #[must_use]
    pub fn plus(
        self,
        level: f64,
        lasts: Duration,
        begins: impl IntoIterator<Item = Duration>,
    ) -> Self {
        let mut segments = self.segments;
        for begin in begins {
            let (from_s, to_s) = (begin.as_secs_f64(), (begin + lasts).as_secs_f64());
            let cut = segments
                .into_iter()
                .flat_map(|s| s.split_at(from_s))
                .flat_map(|s| s.split_at(to_s));
            segments = cut
                .map(|segment| {
                    let middle_s = segment.start_s + segment.length_s / 2.0;
                    let more = if from_s < middle_s && middle_s < to_s { level } else { 0.0 };
                    Segment { from: segment.from + more, to: segment.to + more, ..segment }
                })
                .collect();
        }
        Self { segments, ..self }
    }

    /// What is left of it from `at` on. Times stay those since the phase began.
    #[must_use]
    pub fn rest(self, at: Duration) -> Self {
        let at_s = at.as_secs_f64();
        let pieces = self.segments.into_iter().flat_map(|segment| segment.split_at(at_s));
        Self { segments: pieces.filter(|piece| piece.start_s >= at_s).collect(), ..self }
    }

    /// The pieces, in order of time, without gaps.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The end of the last piece.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.end
    }

    /// The highest value reached.
    #[must_use]
    pub fn peak(&self) -> f64 {
        self.segments.iter().flat_map(|s| [s.from, s.to]).fold(0.0, f64::max)
    }

    /// The value at `elapsed`; at a jump, the value after it.
    #[must_use]
    pub fn value_at(&self, elapsed: Duration) -> f64 {
        let at_s = elapsed.as_secs_f64();
        self.segments
            .iter()
            .find(|segment| at_s < segment.end_s())
            .or(self.segments.last())
            .map_or(self.level, |segment| segment.value_at(at_s))
    }

    /// The area under the pieces that are there up to `at`: for a rate, the arrivals until then.
    #[must_use]
    pub fn area_until(&self, at: Duration) -> f64 {
        let at_s = at.as_secs_f64();
        let pieces = self.segments.iter().flat_map(|segment| segment.split_at(at_s));
        // By their starts: start and length of a piece that was cut there need not add up to `at` to the last bit.
        pieces.filter(|piece| piece.start_s < at_s).map(|piece| piece.area()).sum()
    }

    /// The area under the whole profile: for a rate, the number of arrivals.
    #[must_use]
    pub fn area(&self) -> f64 {
        self.segments.iter().map(Segment::area).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn values_follow_the_pieces() {
        let profile = Profile::starting_at(0.0).to(100.0, s(10)).hold(s(5)).to(0.0, s(10));
        for (at, expect) in [(0, 0.0), (5, 50.0), (10, 100.0), (12, 100.0), (20, 50.0), (30, 0.0)] {
            assert!((profile.value_at(s(at)) - expect).abs() < 1e-9, "at {at} s");
        }
        assert_eq!(profile.duration(), s(25));
        assert!((profile.area() - 1500.0).abs() < 1e-9);
        assert!((profile.peak() - 100.0).abs() < 1e-9);
    }

    #[test]
    fn a_stage_without_length_is_a_jump() {
        let profile = Profile::starting_at(10.0).hold(s(2)).to(50.0, Duration::ZERO).hold(s(2));
        assert!((profile.value_at(s(1)) - 10.0).abs() < 1e-9);
        assert!((profile.value_at(s(2)) - 50.0).abs() < 1e-9);
        assert_eq!(profile.segments().len(), 2);
    }

    #[test]
    fn a_profile_can_be_cut_in_two() {
        let whole = Profile::starting_at(0.0).to(10.0, s(10)).hold(s(10)).to(2.0, Duration::ZERO);
        let whole = whole.hold(s(5));
        for (at, area) in [(0, 0.0), (5, 12.5), (10, 50.0), (15, 100.0), (20, 150.0), (30, 160.0)] {
            let rest = whole.clone().rest(s(at));
            assert!((whole.area_until(s(at)) - area).abs() < 1e-9, "at {at} s");
            assert!((area + rest.area() - whole.area()).abs() < 1e-9, "at {at} s");
            assert!((rest.value_at(s(22)) - 2.0).abs() < 1e-9);
            assert_eq!(rest.duration(), whole.duration());
        }
        assert!((whole.clone().rest(s(12)).value_at(s(15)) - 10.0).abs() < 1e-9);
    }

    #[test]
    fn time_of_area_inverts_area() {
        for (from, to) in [(0.0, 100.0), (100.0, 0.0), (50.0, 50.0), (1e-3, 1e6), (3.0, 3.0000001)]
        {
            let segment = Segment { start_s: 0.0, length_s: 7.0, from, to };
            for share in [0.0, 0.001, 0.25, 0.5, 0.999, 1.0] {
                let area = segment.area() * share;
                let time_s = segment.time_of_area(area);
                let part = Segment { length_s: time_s, to: segment.value_at(time_s), ..segment };
                let error = (part.area() - area).abs();
                assert!(error <= 1e-6 * segment.area(), "{from}→{to} at {share}: {error}");
            }
        }
    }
}
