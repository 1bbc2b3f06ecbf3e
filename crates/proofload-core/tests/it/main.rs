//! The plan from the outside: files in, plans or messages out.

mod bad_plans;
mod plan_parsing;
mod support;
