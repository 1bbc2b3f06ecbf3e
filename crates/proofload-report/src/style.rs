//! What a terminal can show: colours, characters, columns.

use anstyle::{AnsiColor, Effects};

/// What a terminal (or a file in its place) can show. The binary finds out; see [`Style::detect`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether escape sequences for colours may be written.
    pub color: bool,
    /// Whether characters beyond ASCII may be written.
    pub unicode: bool,
    /// Columns. No line is wider; never below [`Style::MIN_WIDTH`] when made by a function here.
    pub width: usize,
}

impl Style {
    /// Narrower terminals get lines of this width all the same: nothing sensible fits below it.
    pub const MIN_WIDTH: usize = 40;
    /// Wider terminals get lines of this width: tables that are wider are hard to read.
    pub const MAX_WIDTH: usize = 200;
    /// Columns where nobody says how many there are: a file or a pipe.
    pub const DEFAULT_WIDTH: usize = 100;

    /// No colours, for a file or a pipe.
    #[must_use]
    pub const fn plain() -> Self {
        Self { color: false, unicode: true, width: Self::DEFAULT_WIDTH }
    }

    /// The same with so many columns, within the bounds of [`Style::MIN_WIDTH`] and
    /// [`Style::MAX_WIDTH`].
    #[must_use]
    pub fn with_width(self, columns: usize) -> Self {
        Self { width: columns.clamp(Self::MIN_WIDTH, Self::MAX_WIDTH), ..self }
    }

    /// What can be shown, by the environment. `columns` is the width of the terminal, `None` where
    /// the output is not one.
    ///
    /// Colours need a terminal, unless `CLICOLOR_FORCE` or `FORCE_COLOR` is set (and not `0`);
    /// `NO_COLOR` with any value and `TERM=dumb` turn them off. Characters beyond ASCII are written
    /// unless `TERM=dumb` or the locale (the first of `LC_ALL`, `LC_CTYPE` and `LANG` that is not
    /// empty) names another character set than UTF-8.
    #[must_use]
    pub fn detect(columns: Option<usize>, variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let is_dumb = set("TERM").is_some_and(|term| term == "dumb");
        let is_forced = ["CLICOLOR_FORCE", "FORCE_COLOR"]
            .iter()
            .any(|name| set(name).is_some_and(|v| v != "0"));
        let color = set("NO_COLOR").is_none() && (is_forced || (columns.is_some() && !is_dumb));
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| set(name));
        let is_utf8 = locale.is_none_or(|locale| {
            let locale = locale.to_ascii_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        });
        Self { color, unicode: is_utf8 && !is_dumb, width: 0 }
            .with_width(columns.unwrap_or(Self::DEFAULT_WIDTH))
    }

    /// The symbols to draw with.
    #[must_use]
    pub const fn symbols(&self) -> &'static Symbols {
        if self.unicode { &Symbols::UNICODE } else { &Symbols::ASCII }
    }
}

/// Symbols to draw with. Each is one column wide, but for the ellipsis in ASCII.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Symbols {
    /// Something is as it should be.
    pub good: &'static str,
    /// Something is not as it should be, but not broken.
    pub fair: &'static str,
    /// Something is broken.
    pub bad: &'static str,
    /// Neither.
    pub none: &'static str,
    /// Where text was left out.
    pub ellipsis: &'static str,
    /// Between two figures of one line.
    pub dot: &'static str,
    /// Parts of a bar, from nearly empty to full.
    pub blocks: &'static [&'static str],
    /// The part of a bar that is not filled.
    pub track: &'static str,
    /// Heights of a sparkline, from low to high.
    pub sparks: &'static [&'static str],
}

impl Symbols {
    const UNICODE: Self = Self {
        good: "✓",
        fair: "!",
        bad: "✗",
        none: "–",
        ellipsis: "…",
        dot: "·",
        blocks: &["▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"],
        track: "░",
        sparks: &["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    };
    const ASCII: Self = Self {
        good: "+",
        fair: "!",
        bad: "x",
        none: "-",
        ellipsis: "..",
        dot: "|",
        blocks: &["#"],
        track: ".",
        sparks: &["_", ".", "-", "=", "+", "*", "#"],
    };
}

/// What a piece of text means, and hence its colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Nothing in particular.
    #[default]
    Plain,
    /// Less important: units, labels, what is left out.
    Dim,
    /// Headings and the figure one looks for.
    Bold,
    /// As it should be.
    Good,
    /// To be looked at.
    Fair,
    /// Broken.
    Bad,
    /// As it should be, said loud.
    LoudGood,
    /// To be looked at, said loud.
    LoudFair,
    /// Broken, said loud.
    LoudBad,
}

impl Tone {
    /// The terminal's style for it.
    pub(crate) const fn ansi(self) -> anstyle::Style {
        let style = anstyle::Style::new();
        match self {
            Self::Plain => style,
            Self::Dim => style.effects(Effects::DIMMED),
            Self::Bold => style.effects(Effects::BOLD),
            Self::Good => AnsiColor::Green.on_default(),
            Self::Fair => AnsiColor::Yellow.on_default(),
            Self::Bad => AnsiColor::Red.on_default(),
            Self::LoudGood => AnsiColor::Green.on_default().effects(Effects::BOLD),
            Self::LoudFair => AnsiColor::Yellow.on_default().effects(Effects::BOLD),
            Self::LoudBad => AnsiColor::Red.on_default().effects(Effects::BOLD),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_decides() {
        let check =
            |columns: Option<usize>, variables: &[(&str, &str)], expect: (bool, bool, usize)| {
                let style = Style::detect(columns, |name| {
                    variables.iter().find(|(known, _)| *known == name).map(|(_, v)| (*v).to_owned())
                });
                assert_eq!((style.color, style.unicode, style.width), expect, "{variables:?}");
            };
        check(Some(120), &[], (true, true, 120));
        check(None, &[], (false, true, Style::DEFAULT_WIDTH));
        check(Some(12), &[], (true, true, Style::MIN_WIDTH));
        check(Some(900), &[], (true, true, Style::MAX_WIDTH));
        check(Some(80), &[("NO_COLOR", "1")], (false, true, 80));
        check(Some(80), &[("NO_COLOR", "")], (true, true, 80));
        check(Some(80), &[("NO_COLOR", "1"), ("FORCE_COLOR", "1")], (false, true, 80));
        check(Some(80), &[("TERM", "dumb")], (false, false, 80));
        check(None, &[("FORCE_COLOR", "1")], (true, true, Style::DEFAULT_WIDTH));
        check(None, &[("CLICOLOR_FORCE", "0")], (false, true, Style::DEFAULT_WIDTH));
        check(Some(80), &[("LC_ALL", "C"), ("LANG", "de_DE.UTF-8")], (true, false, 80));
        check(Some(80), &[("LC_ALL", ""), ("LANG", "de_DE.utf8")], (true, true, 80));
        check(Some(80), &[("LANG", "en_US.ISO-8859-1")], (true, false, 80));
        check(Some(80), &[("LC_CTYPE", "C.UTF-8"), ("LANG", "C")], (true, true, 80));
    }
}
