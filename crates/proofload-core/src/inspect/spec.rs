//! What is looked at in an answer.

use std::sync::Arc;
use std::time::Duration;

use super::json::JsonQuery;
use crate::plan::{CheckId, VarSlot};

/// Everything that is looked at in the answers of one request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inspector {
    /// What must hold. Without a status check, a status below 400 must hold besides.
    pub checks: Box<[Check]>,
    /// What is kept for later requests.
    pub extracts: Box<[Extract]>,
    /// How a cache hit is known.
    pub cache: Option<CacheRule>,
}

/// Something that must hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// Under which name it is counted.
    pub id: CheckId,
    /// The name, for messages.
    pub name: Arc<str>,
    /// What must hold.
    pub kind: CheckKind,
}

/// What must hold.
#[derive(Clone, Debug, PartialEq)]
pub enum CheckKind {
    /// The status is one of these. Replaces the rule that a status below 400 is a success.
    Status(StatusSet),
    /// The whole body, as text.
    Body(Condition),
    /// A place in a JSON body. With several nodes, one of them must meet the condition.
    Json {
        /// Where.
        query: JsonQuery,
        /// What must hold there.
        condition: Condition,
    },
    /// A header, the first of its name.
    Header {
        /// Lower case.
        name: Arc<str>,
        /// What must hold there.
        condition: Condition,
    },
    /// Response time: the whole request as it was measured.
    Duration {
        /// Which side.
        less: bool,
        /// Whether the limit itself is fine.
        or_equal: bool,
        /// The limit.
        limit: Duration,
    },
}

/// A set of status codes: ranges, both ends included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusSet(pub Box<[(u16, u16)]>);

impl StatusSet {
    /// Whether the status is in the set.
    #[must_use]
    pub fn contains(&self, status: u16) -> bool {
        self.0.iter().any(|&(low, high)| (low..=high).contains(&status))
    }
}

/// A condition on a value.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// There is such a value (`null` in JSON is one).
    Exists,
    /// There is none.
    Absent,
    /// It is equal to this one. Numbers compare by value, so `1` equals `1.0`. Text of headers and
    /// bodies compares with strings as it is and with numbers and truth values as they are written.
    Equals(serde_json::Value),
    /// It is different (or not there).
    NotEquals(serde_json::Value),
    /// It is a number (or text that reads as one) on that side of a limit.
    Compare(Number),
    /// The text has this in it; an array has an element equal to it.
    Contains(Arc<str>),
    /// The text (or the JSON of another value) matches.
    Matches(Pattern),
}

/// A number's side of a limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Number {
    /// Below (`<`) or above (`>`).
    pub less: bool,
    /// Whether the limit itself is fine.
    pub or_equal: bool,
    /// The limit.
    pub limit: f64,
}

/// A regular expression on bytes.
#[derive(Clone, Debug)]
pub struct Pattern(pub regex::bytes::Regex);

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

/// A value that is kept for later requests.
#[derive(Clone, Debug, PartialEq)]
pub struct Extract {
    /// Where it goes.
    pub slot: VarSlot,
    /// The variable's name, for messages.
    pub name: Arc<str>,
    /// Where it comes from.
    pub from: ExtractFrom,
    /// Instead, if the answer has none; without it the request fails.
    pub default: Option<Arc<[u8]>>,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum ExtractFrom {
    /// The first node in a JSON body: strings without quotes, all else as JSON.
    Json(JsonQuery),
    /// The first header of this name (lower case).
    Header(Arc<str>),
    /// A group of the first match in the body.
    Regex {
        /// What to look for.
        pattern: Pattern,
        /// Which group; 0 is the whole match.
        group: usize,
    },
    /// The value of a cookie that the answer sets.
    Cookie(Arc<str>),
    /// The whole body.
    Body,
    /// The status, three digits.
    Status,
}

/// How a cache hit is known.
#[derive(Clone, Debug, PartialEq)]
pub enum CacheRule {
    /// A place in a JSON body.
    Json {
        /// Where.
        query: JsonQuery,
        /// What it is when it is a hit.
        condition: Condition,
    },
    /// A header.
    Header {
        /// Lower case.
        name: Arc<str>,
        /// What it is when it is a hit.
        condition: Condition,
    },
}
