//! The plan from the outside: files in, plans or messages out.

mod other_kinds;
mod plan_parsing;
mod support;
