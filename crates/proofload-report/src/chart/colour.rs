//! Colours and kinds of lines, as classes of the style sheet.

/// A colour of the palette. Each is told from the others with the common kinds of colour blindness, in light
/// and in dark; the style sheet has the values. No chart relies on colour alone: series differ in [`Line`] or
/// in place too, and are named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colour {
    /// The main colour of data.
    #[default]
    Blue,
    /// A lighter blue, below [`Colour::Blue`] in an order.
    Sky,
    /// A darker violet, above [`Colour::Blue`] in an order.
    Violet,
    /// Green.
    Green,
    /// Orange.
    Orange,
    /// Pink.
    Pink,
    /// Red, for failures only.
    Red,
    /// Grey, for context: extremes, baselines.
    Grey,
}

impl Colour {
    /// All that are used to tell series apart, in order.
    pub const CATEGORIES: [Self; 6] =
        [Self::Blue, Self::Orange, Self::Green, Self::Pink, Self::Sky, Self::Violet];

    /// Its class.
    pub(crate) const fn class(self) -> &'static str {
        match self {
            Self::Blue => "c-blue",
            Self::Sky => "c-sky",
            Self::Violet => "c-violet",
            Self::Green => "c-green",
            Self::Orange => "c-orange",
            Self::Pink => "c-pink",
            Self::Red => "c-red",
            Self::Grey => "c-grey",
        }
    }
}

/// How a series is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Line {
    /// A line.
    #[default]
    Solid,
    /// A thicker line: the one that matters most.
    Strong,
    /// Dashes.
    Dashed,
    /// Dots.
    Dotted,
    /// A filled area under a line.
    Area,
}

impl Line {
    /// Its class.
    pub(crate) const fn class(self) -> &'static str {
        match self {
            Self::Solid => "l-solid",
            Self::Strong => "l-strong",
            Self::Dashed => "l-dashed",
            Self::Dotted => "l-dotted",
            Self::Area => "l-area",
        }
    }
}
