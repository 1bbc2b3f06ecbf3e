//! Drawing lines again in the same place.

/// Remembers how many lines are on the screen, and gives the text that replaces them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Redraw {
    drawn: usize,
}

impl Redraw {
    /// Nothing drawn yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The text that prints `permanent` lines where the view began and draws `view` below them. Write
    /// it in one piece, so that nothing flickers. With an empty `view` the lines drawn before are
    /// wiped out; do so before anything else is printed.
    #[must_use]
    pub fn frame(&mut self, permanent: &[String], view: &[String]) -> String {
        let mut out = String::new();
        if self.drawn > 0 {
            out.push_str(&format!("\u{1b}[{}A\r", self.drawn));
        }
        for line in permanent.iter().chain(view) {
            // Each line is wiped behind its end: clearing all before drawing would flicker.
            out.push_str(line);
            out.push_str("\u{1b}[K\n");
        }
        if permanent.len() + view.len() < self.drawn {
            out.push_str("\u{1b}[J");
        }
        self.drawn = view.len();
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_replaced_in_place() {
        let lines = |texts: &[&str]| texts.iter().map(|&t| t.to_owned()).collect::<Vec<_>>();
        let mut redraw = Redraw::new();
        assert_eq!(redraw.frame(&[], &[]), "");
        assert_eq!(redraw.frame(&[], &lines(&["a", "b"])), "a\u{1b}[K\nb\u{1b}[K\n");
        assert_eq!(
            redraw.frame(&lines(&["kept"]), &lines(&["c", "d"])),
            "\u{1b}[2A\rkept\u{1b}[K\nc\u{1b}[K\nd\u{1b}[K\n"
        );
        assert_eq!(redraw.frame(&lines(&["end"]), &[]), "\u{1b}[2A\rend\u{1b}[K\n\u{1b}[J");
        assert_eq!(redraw.frame(&[], &[]), "");
    }
}
