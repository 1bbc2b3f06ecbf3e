//! Running an [`Inspector`] on an answer: the hot path.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::time::Duration;

use serde_json::Value;

use super::json::{JsonQuery, Node};
use super::spec::{CacheRule, Check, CheckKind, Condition, Extract, ExtractFrom, Inspector};
use crate::metrics::ErrorKind;
use crate::plan::{CheckId, VarSlot};

/// An answer that can be looked at.
pub trait Answer {
    /// The status code.
    fn status(&self) -> u16;
    /// The first header of this name (lower case).
    fn header(&self, name: &str) -> Option<&[u8]>;
    /// The values of all `set-cookie` headers.
    fn set_cookies(&self) -> impl Iterator<Item = &[u8]>;
    /// The decoded body; empty if [`Inspector::needs_body`] is false.
    fn body(&self) -> &[u8];
    /// How long the request took, as it is counted.
    fn elapsed(&self) -> Duration;
}

/// Who is told what was found.
pub trait Sink {
    /// A check was made.
    fn check(&mut self, id: CheckId, passed: bool);
    /// A value was extracted.
    fn extracted(&mut self, slot: VarSlot, value: &[u8]);
}

/// What an answer is worth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inspection {
    /// The first thing that was wrong; `None` for a success.
    pub failure: Option<Failure>,
    /// Whether it came from a cache; `None` without a rule, or where the status was wrong.
    pub cache_hit: Option<bool>,
}

/// Why an answer is a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The status is 400 or above, and nothing was said about the status.
    Status,
    /// A check on the status did not hold; an index into [`Inspector::checks`].
    StatusCheck(usize),
    /// Another check did not hold.
    Check(usize),
    /// A value was not there; an index into [`Inspector::extracts`].
    Extract(usize),
}

impl Failure {
    /// The kind under which the failure is counted.
    #[must_use]
    pub fn error_kind(self, status: u16) -> ErrorKind {
        match self {
            Self::Status | Self::StatusCheck(_) if status >= 500 => ErrorKind::Http5xx,
            Self::Status | Self::StatusCheck(_) if status >= 400 => ErrorKind::Http4xx,
            Self::Status | Self::StatusCheck(_) | Self::Check(_) => ErrorKind::CheckFailed,
            Self::Extract(_) => ErrorKind::ExtractFailed,
        }
    }
}

/// The body of an answer, parsed at most once and only where that is needed.
struct Document<'b> {
    body: &'b [u8],
    parsed: OnceCell<Option<Value>>,
    /// Singular paths are walked; with many of them parsing once is less work.
    may_walk: bool,
}

impl<'b> Document<'b> {
    fn value(&self) -> Option<&Value> {
        self.parsed.get_or_init(|| serde_json::from_slice(self.body).ok()).as_ref()
    }

    /// Calls `test` with the nodes at a place until it says yes.
    fn any<'d>(
        &'d self,
        query: &JsonQuery,
        only_presence: bool,
        mut test: impl FnMut(&Node<'d>) -> bool,
    ) -> bool {
        if self.may_walk && query.is_singular() {
            return query.walk(self.body, only_presence).is_some_and(|node| test(&node));
        }
        let Some(document) = self.value() else { return false };
        query.nodes(document).into_iter().any(|value| test(&Node::from(value)))
    }

    fn first<'d>(&'d self, query: &JsonQuery) -> Option<Node<'d>> {
        if self.may_walk && query.is_singular() {
            return query.walk(self.body, false);
        }
        query.nodes(self.value()?).into_iter().next().map(Node::from)
    }
}

/// So many singular paths are walked one by one; with more, parsing the body once is less work.
const MAX_WALKS: usize = 3;

impl Inspector {
    /// Whether the body has to be kept.
    #[must_use]
    pub fn needs_body(&self) -> bool {
        let in_check =
            |check: &Check| matches!(check.kind, CheckKind::Body(_) | CheckKind::Json { .. });
        let in_extract = |extract: &Extract| {
            matches!(
                extract.from,
                ExtractFrom::Json(_) | ExtractFrom::Regex { .. } | ExtractFrom::Body
            )
        };
        self.checks.iter().any(in_check)
            || self.extracts.iter().any(in_extract)
            || matches!(self.cache, Some(CacheRule::Json { .. }))
    }

    /// Whether there is nothing to look at but the status.
    #[must_use]
    pub fn is_trivial(&self) -> bool {
        self.checks.is_empty() && self.extracts.is_empty() && self.cache.is_none()
    }

    /// Looks at an answer. Nothing is extracted where the status is wrong.
    pub fn inspect<A: Answer>(&self, answer: &A, sink: &mut impl Sink) -> Inspection {
        let document =
            Document { body: answer.body(), parsed: OnceCell::new(), may_walk: self.may_walk() };
        let mut failure = None;
        let has_status_check = self.checks.iter().any(|c| matches!(c.kind, CheckKind::Status(_)));
        if !has_status_check && answer.status() >= 400 {
            failure = Some(Failure::Status);
        }
        let mut status_is_wrong = failure.is_some();
        for (index, check) in self.checks.iter().enumerate() {
            let passed = check.kind.holds(answer, &document);
            sink.check(check.id, passed);
            if !passed {
                let is_status = matches!(check.kind, CheckKind::Status(_));
                status_is_wrong |= is_status;
                let this =
                    if is_status { Failure::StatusCheck(index) } else { Failure::Check(index) };
                failure = failure.or(Some(this));
            }
        }
        if status_is_wrong {
            return Inspection { failure, cache_hit: None };
        }
        for (index, extract) in self.extracts.iter().enumerate() {
            if !extract.run(answer, &document, sink) {
                failure = failure.or(Some(Failure::Extract(index)));
            }
        }
        let cache_hit = self.cache.as_ref().map(|rule| rule.is_hit(answer, &document));
        Inspection { failure, cache_hit }
    }

    fn may_walk(&self) -> bool {
        let queries = self
            .checks
            .iter()
            .filter_map(|check| match &check.kind {
                CheckKind::Json { query, .. } => Some(query),
                _ => None,
            })
            .chain(self.extracts.iter().filter_map(|extract| match &extract.from {
                ExtractFrom::Json(query) => Some(query),
                _ => None,
            }))
            .chain(match &self.cache {
                Some(CacheRule::Json { query, .. }) => Some(query),
                _ => None,
            });
        let (mut count, mut all_singular) = (0, true);
        for query in queries {
            count += 1;
            all_singular &= query.is_singular();
        }
        all_singular && count <= MAX_WALKS
    }

    /// What was expected and what was found, for the sample of an error. At most some hundred
    /// characters.
    #[must_use]
    pub fn explain<A: Answer>(&self, answer: &A, failure: Failure) -> String {
        let document = Document { body: answer.body(), parsed: OnceCell::new(), may_walk: false };
        match failure {
            Failure::Status => format!("status {}", answer.status()),
            Failure::StatusCheck(index) | Failure::Check(index) => {
                let Some(check) = self.checks.get(index) else { return String::new() };
                format!("expected {}, found {}", check.name, check.kind.found(answer, &document))
            }
            Failure::Extract(index) => {
                let Some(extract) = self.extracts.get(index) else { return String::new() };
                format!("`{}`: {}", extract.name, extract.from.missing(answer))
            }
        }
    }
}

impl CheckKind {
    fn holds<A: Answer>(&self, answer: &A, document: &Document<'_>) -> bool {
        match self {
            Self::Status(set) => set.contains(answer.status()),
            Self::Body(condition) => condition.holds_text(Some(document.body)),
            Self::Json { query, condition } => condition.holds_json(query, document),
            Self::Header { name, condition } => condition.holds_text(answer.header(name)),
            Self::Duration { less, or_equal, limit } => {
                let elapsed = answer.elapsed();
                (*or_equal && elapsed == *limit) || (elapsed < *limit) == *less && elapsed != *limit
            }
        }
    }

    /// What there was instead.
    fn found<A: Answer>(&self, answer: &A, document: &Document<'_>) -> String {
        match self {
            Self::Status(_) => format!("status {}", answer.status()),
            Self::Body(_) if document.body.is_empty() => "an empty body".to_owned(),
            Self::Body(_) => shortened(document.body),
            Self::Json { query, .. } => match document.value() {
                None if document.body.is_empty() => "an empty body".to_owned(),
                None => format!("a body that is not JSON: {}", shortened(document.body)),
                Some(value) => match query.nodes(value).first() {
                    Some(node) => shortened(node.to_string().as_bytes()),
                    None => {
                        format!("nothing at {} in {}", query.as_str(), shortened(document.body))
                    }
                },
            },
            Self::Header { name, .. } => match answer.header(name) {
                Some(value) => shortened(value),
                None => "no such header".to_owned(),
            },
            Self::Duration { .. } => crate::units::human_duration(answer.elapsed()),
        }
    }
}

/// Most characters of what was found that a message shows.
const MAX_FOUND: usize = 120;

/// The beginning of a value, in quotes.
fn shortened(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(4 * MAX_FOUND)]);
    let mut shown: String =
        text.chars().take(MAX_FOUND).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if shown.len() < bytes.len() && text.chars().count() > MAX_FOUND {
        shown.push('…');
    }
    format!("`{shown}`")
}

impl Condition {
    /// On the text of a header or a body.
    fn holds_text(&self, bytes: Option<&[u8]>) -> bool {
        let Some(bytes) = bytes else { return matches!(self, Self::Absent | Self::NotEquals(_)) };
        match self {
            // A body is always there; one that is empty is as good as none.
            Self::Exists => !bytes.is_empty(),
            Self::Absent => bytes.is_empty(),
            Self::Equals(value) => text_equals(bytes, value),
            Self::NotEquals(value) => !text_equals(bytes, value),
            Self::Compare(side) => number_in(bytes).is_some_and(|number| side.holds(number)),
            Self::Contains(part) => memchr::memmem::find(bytes, part.as_bytes()).is_some(),
            Self::Matches(pattern) => pattern.0.is_match(bytes),
        }
    }

    fn holds_json(&self, query: &JsonQuery, document: &Document<'_>) -> bool {
        match self {
            Self::Exists => document.any(query, true, |_| true),
            Self::Absent => !document.any(query, true, |_| true),
            Self::NotEquals(value) => !document.any(query, false, |node| node_equals(node, value)),
            _ => document.any(query, false, |node| self.holds_node(node)),
        }
    }

    /// On a node of a document.
    fn holds_node(&self, node: &Node<'_>) -> bool {
        match (self, node) {
            (Self::Equals(value), node) => node_equals(node, value),
            (Self::Compare(side), Node::Text(text)) => {
                number_in(text.as_bytes()).is_some_and(|number| side.holds(number))
            }
            (Self::Compare(side), Node::Other(value)) => {
                value.as_f64().is_some_and(|number| side.holds(number))
            }
            (Self::Contains(part), Node::Text(text)) => text.contains(&**part),
            (Self::Contains(part), Node::Other(value)) => match &**value {
                Value::Array(items) => items.iter().any(|item| match item {
                    Value::String(text) => **text == **part,
                    other => {
                        let text = other.to_string();
                        text == **part
                    }
                }),
                Value::Object(object) => object.contains_key(&**part),
                _ => false,
            },
            (Self::Matches(pattern), Node::Text(text)) => pattern.0.is_match(text.as_bytes()),
            (Self::Matches(pattern), Node::Other(value)) => {
                pattern.0.is_match(value.to_string().as_bytes())
            }
            _ => false,
        }
    }
}

impl super::Number {
    /// Whether a number is on that side.
    #[must_use]
    pub fn holds(&self, number: f64) -> bool {
        (self.or_equal && number == self.limit)
            || if self.less { number < self.limit } else { number > self.limit }
    }
}

fn number_in(bytes: &[u8]) -> Option<f64> {
    std::str::from_utf8(bytes).ok()?.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

fn text_equals(bytes: &[u8], value: &Value) -> bool {
    match value {
        Value::String(text) => bytes == text.as_bytes(),
        Value::Number(number) => number_in(bytes) == number.as_f64(),
        other => bytes == other.to_string().as_bytes(),
    }
}

fn node_equals(node: &Node<'_>, value: &Value) -> bool {
    match (node, value) {
        (Node::Text(text), Value::String(expected)) => **text == **expected,
        (Node::Other(found), expected) => json_equals(found, expected),
        (Node::Text(_) | Node::Present, _) => false,
    }
}

/// Numbers are equal by value, however they are written.
fn json_equals(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| json_equals(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| json_equals(a, b)))
        }
        (a, b) => a == b,
    }
}

impl Extract {
    /// Tells the value, or the default; false if there is neither.
    fn run<A: Answer>(&self, answer: &A, document: &Document<'_>, sink: &mut impl Sink) -> bool {
        let found = match &self.from {
            ExtractFrom::Json(query) => document.first(query).map(|node| match node {
                Node::Text(Cow::Borrowed(text)) => Cow::Borrowed(text.as_bytes()),
                Node::Text(Cow::Owned(text)) => Cow::Owned(text.into_bytes()),
                Node::Other(value) => Cow::Owned(value.to_string().into_bytes()),
                Node::Present => Cow::Borrowed(&b""[..]),
            }),
            ExtractFrom::Header(name) => answer.header(name).map(Cow::Borrowed),
            ExtractFrom::Regex { pattern, group } => {
                let captures = pattern.0.captures(document.body);
                captures.and_then(|c| c.get(*group)).map(|found| Cow::Borrowed(found.as_bytes()))
            }
            ExtractFrom::Cookie(name) => answer
                .set_cookies()
                .find_map(|cookie| cookie_value(cookie, name))
                .map(Cow::Borrowed),
            ExtractFrom::Body => Some(Cow::Borrowed(document.body)),
            ExtractFrom::Status => Some(Cow::Owned(answer.status().to_string().into_bytes())),
        };
        let Some(value) = found.as_deref().or(self.default.as_deref()) else { return false };
        sink.extracted(self.slot, value);
        true
    }
}

impl ExtractFrom {
    fn missing<A: Answer>(&self, answer: &A) -> String {
        match self {
            Self::Json(query) => {
                format!("nothing at {} in {}", query.as_str(), shortened(answer.body()))
            }
            Self::Header(name) => format!("no header {name}"),
            Self::Regex { pattern, .. } => {
                format!("no match of {} in {}", pattern.0.as_str(), shortened(answer.body()))
            }
            Self::Cookie(name) => format!("no cookie {name}"),
            Self::Body | Self::Status => String::new(),
        }
    }
}

/// The value in a `set-cookie` header, if it is of that name.
fn cookie_value<'c>(header: &'c [u8], name: &str) -> Option<&'c [u8]> {
    let pair = header.split(|b| *b == b';').next()?;
    let at = memchr::memchr(b'=', pair)?;
    (pair[..at].trim_ascii() == name.as_bytes()).then(|| pair[at + 1..].trim_ascii())
}

impl CacheRule {
    fn is_hit<A: Answer>(&self, answer: &A, document: &Document<'_>) -> bool {
        match self {
            Self::Json { query, condition } => condition.holds_json(query, document),
            Self::Header { name, condition } => condition.holds_text(answer.header(name)),
        }
    }
}
