//! Text in a terminal: what may be shown, how wide it is, and how it is laid out.

mod foreign;
mod line;
mod table;

pub(crate) use foreign::{clean, fit_middle, width_of};
pub(crate) use line::Line;
pub(crate) use table::{Column, Table};
