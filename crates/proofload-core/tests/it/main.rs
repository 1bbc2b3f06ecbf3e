//! The plan from the outside: files in, plans or messages out.

mod bad_plans;
mod examples;
mod other_kinds;
mod plan_parsing;
mod printing;
mod quick;
mod schema;
mod seeds;
mod suites;
mod support;
