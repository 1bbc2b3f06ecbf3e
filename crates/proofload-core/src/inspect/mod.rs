//! Looking at answers: checks, extractions and cache hits, compiled once and run on every answer.

mod json;
mod spec;

pub use json::JsonQuery;

pub use spec::{
    CacheRule, Check, CheckKind, Condition, Extract, ExtractFrom, Inspector, Number, Pattern,
    StatusSet,
};
