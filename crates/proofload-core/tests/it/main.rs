//! The plan from the outside: files in, plans or messages out.

mod plan_parsing;
mod support;
