//! Charts as SVG, drawn here: no library in the page, no script needed, the same in a report, on the live
//! page and on paper.
//!
//! A chart is plain data ([`TimeChart`], [`HeatMap`], [`PercentileChart`], [`Bullet`], [`StackedBar`], [`IntervalBar`],
//! [`RunDots`], [`PhaseStrip`]) with two ways out: `to_svg` gives the drawing alone, `figure` the drawing in a
//! `<figure>` with a caption, a legend, a summary in words and the data as a table. Both are pure, and their
//! size is bounded whatever the input: see the `MAX_…` constants.
//!
//! **Scaling.** A drawing fills the width it is given without its text growing or shrinking: text is placed
//! by percentages, while lines are drawn in a nested `<svg>` that is stretched. Colours, line widths and
//! fonts come from the style sheet `html::CSS`, hence dark mode and paper need no other drawing.
//!
//! **Missing data** is a gap, never a zero. **Foreign text** (names, units) is cleaned of control and
//! direction characters, cut to a bounded length and escaped.
//!
//! **Hovering.** Drawings over time carry what a pointer is told about as attributes; `html::JS`
//! reads them. `data-x` on the outer `<svg>` has the positions of the points (0…4000), `data-l` their
//! labels separated by `|`; each series is a group with `data-n`, its name, and `data-v`, its values as they
//! are shown, separated by `|`.

mod axis;
mod bullet;
mod colour;
mod dots;
mod figure;
mod frame;
mod heat;
mod interval;
mod mark;
mod path;
mod percentile;
mod scale;
mod stacked;
mod strip;
mod svg;
mod ticks;
mod time;
mod unit;

pub use axis::{XAxis, elapsed_text};
pub use bullet::{Bullet, BulletBound};
pub use colour::{Colour, Line};
pub use dots::RunDots;
pub use heat::{HeatColumn, HeatMap};
pub use interval::IntervalBar;
pub use mark::{Band, Level, MAX_MARKS, Mark, Tone};
pub use percentile::{Curve, PercentileChart};
pub use scale::ScaleKind;
pub use stacked::{Part, StackedBar};
pub use strip::{PhaseStrip, StripPhase};
pub(crate) use svg::label;
pub use time::{MAX_POINTS, MAX_SERIES, Series, TimeChart};
pub use unit::Unit;
