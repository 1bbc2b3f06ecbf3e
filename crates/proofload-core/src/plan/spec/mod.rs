//! The words of a plan: every table with its keys, what each takes, what it means, an example.
//!
//! One list serves three readers: the parser (which keys are allowed here, what was probably
//! meant), the JSON Schema for editors, and people. A key cannot be read by the parser unless it
//! stands here.

mod load;
mod requests;
mod schema;
mod settings;
mod suite;

pub(super) use load::{BURST, PHASE, STAGE, STEP_RULE};
pub(super) use requests::{
    BASIC, CACHE, CHECK, CHECK_NAMED, CONDITION, EXTRACT, MULTIPART_PART, SIGN, STEP, TASK, USER,
};
pub use schema::{json_schema, suite_json_schema};
pub(super) use settings::{ALERTS, COST, FEED, GRADING, HEALTH, HTTP, LADDER, PLAN, TLS};
pub(super) use suite::{PROOF, REQUIREMENT, SUITE, TEST, TEST_KINDS};

/// A table.
#[derive(Debug)]
pub(super) struct TableSpec {
    /// What it is called in messages: "a phase".
    pub(super) what: &'static str,
    /// What it is for.
    pub(super) doc: &'static str,
    /// Its keys.
    pub(super) keys: &'static [Key],
    /// Words of other tools, and what is meant here.
    pub(super) foreign: &'static [(&'static str, &'static str)],
    /// Keys besides: by prefix, for conditions on `$.path` and `header.name`.
    pub(super) prefixes: &'static [&'static str],
}

/// A key of a table.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) takes: Takes,
    pub(super) doc: &'static str,
    /// In TOML, as it stands after the `=`; may be empty.
    pub(super) example: &'static str,
}

/// What a key takes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Takes {
    /// Any text.
    Text,
    /// A text with `{{ … }}`.
    Template,
    /// Any value that can stand in JSON, with templates in its texts.
    Any,
    Bool,
    /// A whole number, not negative.
    Whole,
    /// An amount of money: a number, not negative.
    Amount,
    /// A duration such as "30s".
    Duration,
    /// A duration or a range of them such as "1s..3s".
    ThinkTime,
    /// A rate such as "100/s".
    Rate,
    /// A size such as "10MB".
    Bytes,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A list.
    List(&'static Takes),
    /// A table with these keys.
    Table(&'static TableSpec),
    /// A table with any keys.
    Map(&'static Takes),
    /// Any of these.
    Either(&'static [Takes]),
}

pub(super) const fn key(
    name: &'static str,
    takes: Takes,
    doc: &'static str,
    example: &'static str,
) -> Key {
    Key { name, takes, doc, example }
}
