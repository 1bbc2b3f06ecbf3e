//! Text in a terminal: what may be shown, how wide it is, how it is laid out, and small pictures made of
//! characters.

mod bar;
mod foreign;
mod latency_bars;
mod line;
mod table;

pub(crate) use bar::{bar, sparkline};
pub use foreign::ascii;
pub(crate) use foreign::{clean, fit_middle, width_of};
pub(crate) use latency_bars::latency_bars;
pub(crate) use line::{Line, joined};
pub(crate) use table::{Column, Table};
