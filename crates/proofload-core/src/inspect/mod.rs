//! Looking at answers: checks, extractions and cache hits, compiled once and run on every answer.

mod eval;
mod json;
mod spec;

#[cfg(test)]
mod tests;

pub use eval::{Answer, Failure, Inspection, Sink};
pub use json::JsonQuery;
pub use spec::{
    CacheRule, Check, CheckKind, Condition, Extract, ExtractFrom, Inspector, Number, Pattern,
    StatusSet,
};
