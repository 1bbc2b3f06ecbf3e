//! Templates: text with `{{ expressions }}`, compiled once and rendered for every request.
//!
//! Names become slots and constants become literal text when a template is compiled; what is left
//! to do for a request is to copy bytes. How a value is escaped is decided by where the template
//! stands ([`Escape`]), so that no value can break out of its place.

mod base64;
mod escape;
mod ir;
mod lex;
mod parse;
mod render;
mod text;

#[cfg(test)]
mod tests;

pub use base64::{decode as base64_decode, encode as base64_encode};
pub(crate) use escape::json_text;
pub use ir::{Choices, Escape, Expr, Filter, Segment, Source, Template};
pub(crate) use lex::find_outside_expressions;
pub use parse::{EmptyScope, RESERVED, Scope, TemplateError, Unknown};
pub use render::{Context, RenderError};

use render::NoContext;
