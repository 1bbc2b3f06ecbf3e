//! Colours by meaning. Without colours the same things are told apart by weight.

use ratatui::style::{Color, Modifier, Style};

/// What the terminal can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    color: bool,
    unicode: bool,
}

impl Theme {
    /// With colours, or (`NO_COLOR`) without.
    #[must_use]
    pub const fn new(color: bool) -> Self {
        Self { color, unicode: true }
    }

    /// The same for a terminal that shows characters beyond ASCII, or for one that does not.
    #[must_use]
    pub const fn with_unicode(self, unicode: bool) -> Self {
        Self { unicode, ..self }
    }

    pub(crate) const fn has_unicode(self) -> bool {
        self.unicode
    }

    fn colored(self, color: Color, otherwise: Modifier) -> Style {
        if self.color { Style::new().fg(color) } else { Style::new().add_modifier(otherwise) }
    }

    /// As it should be.
    pub(crate) fn good(self) -> Style {
        self.colored(Color::Green, Modifier::empty())
    }

    /// Not as it should be.
    pub(crate) fn fair(self) -> Style {
        self.colored(Color::Yellow, Modifier::BOLD)
    }

    /// Broken.
    pub(crate) fn bad(self) -> Style {
        self.colored(Color::Red, Modifier::BOLD)
    }

    /// Beside the point: labels, frames.
    pub(crate) fn dim(self) -> Style {
        self.colored(Color::DarkGray, Modifier::DIM)
    }

    /// What to look at first.
    pub(crate) fn bold(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// What takes keys.
    pub(crate) fn accent(self) -> Style {
        self.colored(Color::Cyan, Modifier::BOLD)
    }

    /// Something that must not be overlooked.
    pub(crate) fn badge(self, style: Style) -> Style {
        style.add_modifier(Modifier::REVERSED | Modifier::BOLD)
    }

    /// The lines of a chart, from the calm one to the one that matters.
    pub(crate) fn series(self) -> [Style; 3] {
        [self.good(), self.colored(Color::Blue, Modifier::empty()), self.fair()]
    }
}
