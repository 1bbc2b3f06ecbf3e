//! Results in, bytes out.
//!
//! Every renderer is a module of its own that turns what the core has measured into lines or bytes;
//! nothing in here prints, reads a clock or looks at the environment by itself. What the terminal
//! shows live is [`progress`], what it shows at the end is [`mod@summary`], what goes into the result
//! file is [`json`]. They share [`Style`] and the building blocks of text in the terminal.

pub mod chart;
pub mod comparison;
pub mod csv;
pub mod export;
pub mod history;
pub mod html;
pub mod improvement;
mod instant;
pub mod json;
mod junit;
mod load_text;
pub mod markdown;
pub mod progress;
mod repeats;
mod steps;
mod style;
pub mod suite;
pub mod summary;
mod text;

pub use csv::csv;
pub use junit::{junit, junit_suite};
pub use load_text::load_text;
pub use markdown::{markdown, markdown_suite};
pub use progress::Progress;
pub use style::{Style, Symbols};
pub use summary::summary;
pub use text::ascii;
