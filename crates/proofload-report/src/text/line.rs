//! One line of text whose pieces have a meaning.

use super::foreign::head;
use super::{clean, width_of};
use crate::style::{Style, Tone};

/// One line of text. What is pushed is made safe to show; the width is known all the time.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Line {
    style: Style,
    spans: Vec<(String, Tone)>,
    width: usize,
}

impl Line {
    /// An empty line.
    pub(crate) fn new(style: &Style) -> Self {
        Self { style: *style, spans: Vec::new(), width: 0 }
    }

    /// Columns so far.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// Columns that are left.
    pub(crate) fn room(&self) -> usize {
        self.style.width.saturating_sub(self.width)
    }

    /// Adds text.
    pub(crate) fn push(&mut self, text: &str, tone: Tone) -> &mut Self {
        let text = clean(text, &self.style);
        if !text.is_empty() {
            self.width += width_of(&text);
            self.spans.push((text, tone));
        }
        self
    }

    /// Adds text without a meaning of its own.
    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        self.push(text, Tone::Plain)
    }

    /// Adds text that is less important.
    pub(crate) fn dim(&mut self, text: &str) -> &mut Self {
        self.push(text, Tone::Dim)
    }

    /// Adds blanks up to a column; none if it has been reached.
    pub(crate) fn pad_to(&mut self, column: usize) -> &mut Self {
        let blanks = column.saturating_sub(self.width);
        self.text(&" ".repeat(blanks))
    }

    /// Adds all of another line.
    pub(crate) fn append(&mut self, other: &Self) -> &mut Self {
        self.width += other.width;
        self.spans.extend(other.spans.iter().cloned());
        self
    }

    /// Adds another line if there is room for it; whether it was added.
    pub(crate) fn append_if_fits(&mut self, other: &Self) -> bool {
        let fits = other.width <= self.room();
        if fits {
            self.append(other);
        }
        fits
    }

    /// The line as it is written: never wider than the style allows, without blanks at its end.
    pub(crate) fn render(&self) -> String {
        let mut out = String::new();
        let Some(last) = self.spans.iter().rposition(|(text, _)| !text.trim_end().is_empty())
        else {
            return out;
        };
        let shown = |at: usize| {
            let text = self.spans[at].0.as_str();
            if at == last { text.trim_end() } else { text }
        };
        let total: usize = (0..=last).map(|at| width_of(shown(at))).sum();
        let ellipsis = self.style.symbols().ellipsis;
        let is_cut = total > self.style.width;
        let mut room = self.style.width - if is_cut { width_of(ellipsis) } else { 0 };
        for (at, (_, tone)) in self.spans[..=last].iter().enumerate() {
            let text = shown(at);
            if width_of(text) <= room {
                self.write(&mut out, text, *tone);
                room -= width_of(text);
            } else {
                self.write(&mut out, &format!("{}{ellipsis}", head(text, room)), *tone);
                break;
            }
        }
        out
    }

    fn write(&self, out: &mut String, text: &str, tone: Tone) {
        let ansi = tone.ansi();
        if self.style.color && tone != Tone::Plain {
            out.push_str(&format!("{ansi}{text}{ansi:#}"));
        } else {
            out.push_str(text);
        }
    }
}

/// Sections, each below an empty line; those without lines are left out.
pub(crate) fn joined(sections: &[Vec<Line>]) -> String {
    let mut out = String::new();
    for section in sections.iter().filter(|section| !section.is_empty()) {
        out.push('\n');
        for line in section {
            out.push_str(&line.render());
            out.push('\n');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_keeps_within_its_width() {
        let style = Style { width: 10, ..Style::plain() };
        let check = |parts: &[&str], expect: &str| {
            let mut line = Line::new(&style);
            for part in parts {
                line.text(part);
            }
            assert_eq!(line.render(), expect, "{parts:?}");
        };
        check(&["1234567890"], "1234567890");
        check(&["12345678901"], "123456789…");
        check(&["12345", "67890"], "1234567890");
        check(&["12345", "678901"], "123456789…");
        check(&["1234567890", "1"], "123456789…");
        check(&["12345", "67890", "  "], "1234567890");
        check(&["12345", "    "], "12345");
        check(&["  "], "");
        check(&["日本語日本", "1"], "日本語日…");
    }

    #[test]
    fn only_what_has_a_meaning_is_coloured() {
        let line = |color| {
            let style = Style { color, ..Style::plain() };
            Line::new(&style).text("a ").push("b", Tone::Bad).push("\u{1b}[0m", Tone::Dim).render()
        };
        assert_eq!(line(false), "a b\u{fffd}[0m");
        assert_eq!(line(true), "a \u{1b}[31mb\u{1b}[0m\u{1b}[2m\u{fffd}[0m\u{1b}[0m");
    }
}
