//! The report: one self-contained HTML file, without network, readable without script, on a phone and on paper.
//!
//! [`page`] puts the sections together; each section is a file of its own and a function that takes a [`View`]
//! and gives markup, so that the live page shows the same. [`CSS`] and [`JS`] are the page's looks and manners;
//! charts need the former. Everything in a result is foreign text: it reaches the page only through
//! [`text`](self) functions that take out control and direction characters, cut what is too long, and isolate
//! writing directions; `maud` escapes the rest. A content security policy allows nothing but our own style and
//! script, by their hashes.
//!
//! The size is bounded: points of charts, rows of tables and lengths of texts all have their most.

mod comparison;
mod cost;
mod course;
mod distribution;
mod environment;
mod errors;
mod events;
mod expectations;
mod improvement;
mod live;
mod page;
mod phases;
mod quality;
mod repeats;
mod requests;
mod steps;
mod style;
mod suite;
mod text;
mod timings;
mod verdict;
mod view;

pub use comparison::comparison;
pub use cost::cost;
pub use course::{course, heat_map, latency_chart, throughput_chart, users_chart};
pub use distribution::distribution;
pub use environment::environment;
pub use errors::{checks, errors, statuses};
pub use events::events;
pub use expectations::{expectations, thresholds};
pub use improvement::improvement;
pub use live::{live_charts, phase_strip};
pub use page::{HtmlOptions, Overlay, page};
pub use phases::phases;
pub use quality::quality;
pub use repeats::repeats;
pub use requests::requests;
pub use steps::steps;
pub use style::{CSS, JS, csp};
pub use suite::{SuiteOptions, suite_page};
pub use timings::timings;
pub use verdict::{Reason, reasons, sentence, verdict};
pub use view::View;
