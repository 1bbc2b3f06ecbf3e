//! Path data: whole numbers in a box of [`WIDTH`] × [`HEIGHT`], each step relative to the one before, which is
//! the shortest way to write it and cannot be not-a-number.

use std::fmt::Write;

/// Units from left to right.
pub(super) const WIDTH: f64 = 4000.0;
/// Units from top to bottom.
pub(super) const HEIGHT: f64 = 1000.0;

/// Whole units of a fraction of the width.
pub(super) fn units_x(fraction: f64) -> i32 {
    (fraction.clamp(0.0, 1.0) * WIDTH).round() as i32
}

/// Whole units from the top of a fraction of the height, counted from the bottom.
pub(super) fn units_y(fraction: f64) -> i32 {
    ((1.0 - fraction.clamp(0.0, 1.0)) * HEIGHT).round() as i32
}

/// Writes a path.
#[derive(Debug, Default)]
pub(super) struct Path {
    data: String,
    at: (i32, i32),
    /// Whether the last command was a line: then its letter need not be repeated.
    in_line: bool,
}

impl Path {
    pub(super) fn move_to(&mut self, x: i32, y: i32) {
        self.at = (x, y);
        self.in_line = false;
        // Writing to a string does not fail.
        let _ = write!(self.data, "M{x} {y}");
    }

    pub(super) fn line_to(&mut self, x: i32, y: i32) {
        let (dx, dy) = (x - self.at.0, y - self.at.1);
        self.at = (x, y);
        let lead = match (self.in_line, dx < 0) {
            (false, _) => "l",
            (true, true) => "",
            (true, false) => " ",
        };
        let between = if dy < 0 { "" } else { " " };
        self.in_line = true;
        let _ = write!(self.data, "{lead}{dx}{between}{dy}");
    }

    /// A dot, drawn by the round ends of a line without length.
    pub(super) fn dot(&mut self, x: i32, y: i32) {
        self.move_to(x, y);
        self.data.push_str("h0");
        self.in_line = false;
    }

    /// A rectangle, closed.
    pub(super) fn rect(&mut self, x: i32, y: i32, width: i32, height: i32) {
        self.move_to(x, y);
        let _ = write!(self.data, "h{width}v{height}h{}z", -width);
    }

    pub(super) fn close(&mut self) {
        self.data.push('z');
        self.in_line = false;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    pub(super) fn data(&self) -> &str {
        &self.data
    }
}

/// Stretches of points without a gap, in order.
pub(super) fn stretches<T>(points: &[Option<T>]) -> impl Iterator<Item = &[Option<T>]> {
    points.split(Option::is_none).filter(|stretch| !stretch.is_empty())
}

/// A line through points, broken where one is missing; a point alone is a dot.
pub(super) fn line(points: &[Option<(i32, i32)>]) -> Path {
    let mut path = Path::default();
    for stretch in stretches(points) {
        let mut points = stretch.iter().flatten();
        let Some(&(x, y)) = points.next() else { continue };
        if stretch.len() == 1 {
            path.dot(x, y);
            continue;
        }
        path.move_to(x, y);
        points.for_each(|&(x, y)| path.line_to(x, y));
    }
    path
}

/// The area between two lines, given as x, upper y and lower y; broken where a point is missing.
pub(super) fn area(points: &[Option<(i32, i32, i32)>]) -> Path {
    let mut path = Path::default();
    for stretch in stretches(points) {
        let Some(&(first, top, _)) = stretch.iter().flatten().next() else { continue };
        if stretch.len() == 1 {
            let (_, _, bottom) = stretch[0].unwrap_or_default();
            path.rect(first - 3, top, 6, bottom - top);
            continue;
        }
        path.move_to(first, top);
        stretch.iter().flatten().skip(1).for_each(|&(x, y, _)| path.line_to(x, y));
        stretch.iter().rev().flatten().for_each(|&(x, _, y)| path.line_to(x, y));
        path.close();
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_gaps() {
        let check = |points: &[Option<(i32, i32)>], expect: &str| {
            assert_eq!(line(points).data(), expect);
        };
        check(&[], "");
        check(&[None, None], "");
        check(&[Some((0, 5))], "M0 5h0");
        check(&[Some((0, 5)), Some((10, 3)), Some((20, 9))], "M0 5l10-2 10 6");
        check(&[Some((0, 5)), None, Some((20, 9)), Some((30, 9))], "M0 5h0M20 9l10 0");
    }

    #[test]
    fn areas_go_there_and_back() {
        let points = [Some((0, 5, 10)), Some((10, 3, 10)), None, Some((30, 1, 10))];
        assert_eq!(area(&points).data(), "M0 5l10-2 0 7-10 0zM27 1h6v9h-6z");
        assert_eq!(area(&[]).data(), "");
    }
}
