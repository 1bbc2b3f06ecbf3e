//! Templates: text with `{{ expressions }}`, compiled once and rendered for every request.

mod ir;

pub use ir::{Choices, Escape, Expr, Filter, Segment, Source, Template};
