//! What a template is compiled to.

use std::fmt;
use std::sync::Arc;

use crate::plan::{CounterSlot, DataCell, VarSlot};

/// Text with expressions, compiled: literal bytes and values in turn.
///
/// Two literals never stand next to each other and none is empty, so a template without expressions
/// has at most one segment.
#[derive(Clone, Default, PartialEq)]
pub struct Template {
    pub(super) segments: Box<[Segment]>,
}

/// As text.
impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Template({:?})", self.to_text(Escape::None))
    }
}

/// One part of a template.
#[derive(Clone, Debug, PartialEq)]
pub enum Segment {
    /// Bytes that are always the same. Shared: a file's content is held once.
    Literal(Arc<[u8]>),
    /// A value, different each time.
    Expr(Expr),
}

/// A value, what is done to it, and how it is written where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// Where the value comes from.
    pub source: Source,
    /// Applied in this order.
    pub filters: Box<[Filter]>,
    /// Applied last.
    pub escape: Escape,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// A variable of the virtual user.
    Variable {
        /// Which one.
        slot: VarSlot,
        /// Its name, for messages.
        name: Arc<str>,
    },
    /// A cell of the feed row that the virtual user holds.
    Data {
        /// Which one.
        cell: DataCell,
        /// `feed.column`, for messages.
        name: Arc<str>,
    },
    /// A whole number, evenly distributed, both ends included.
    RandomInt {
        /// Smallest.
        min: i64,
        /// Largest; not below `min`.
        max: i64,
    },
    /// A number, evenly distributed, written with three decimals.
    RandomFloat {
        /// Smallest.
        min: f64,
        /// Largest; not below `min`.
        max: f64,
    },
    /// So many lower-case hexadecimal digits.
    RandomHex(u16),
    /// So many letters and digits.
    RandomAlnum(u16),
    /// A version 4 UUID.
    RandomUuid,
    /// One of these.
    RandomChoice(Choices),
    /// The virtual user's own count, from 1 upwards: each use is one more.
    Counter {
        /// Which one.
        slot: CounterSlot,
        /// Its name.
        name: Arc<str>,
    },
    /// Number of the virtual user, from 0.
    UserId,
    /// How many iterations the virtual user has begun before this one, from 0.
    Iteration,
    /// Unix time in whole seconds.
    NowSeconds,
    /// Unix time in milliseconds.
    NowMillis,
    /// Time in UTC as `2026-11-20T23:53:21.123Z`.
    NowIso,
    /// Several segments taken together, so that filters apply to the whole.
    Group(Template),
}

/// The values of `random.choice`; at least one.
pub type Choices = Box<[Arc<[u8]>]>;

/// What is done to a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    /// Base64 with padding (RFC 4648, section 4).
    Base64,
    /// ASCII letters to upper case.
    Upper,
    /// ASCII letters to lower case.
    Lower,
    /// Nothing, but the value must be a JSON number, else rendering fails.
    Number,
}

impl Filter {
    /// Every filter with its word.
    pub const WORDS: &'static [(&'static str, Self)] = &[
        ("base64", Self::Base64),
        ("upper", Self::Upper),
        ("lower", Self::Lower),
        ("number", Self::Number),
    ];
}

/// How a value is written where it stands, so that it cannot break out of its place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Escape {
    /// As it is.
    #[default]
    None,
    /// Inside of a JSON string (RFC 8259): `"`, `\` and control characters.
    Json,
    /// In the query of a URL or a form field: everything but unreserved characters is
    /// percent-encoded.
    Query,
    /// In the path of a URL: like `Query`, but `/` and the other characters that a path may have
    /// (`:@!$&'()*+,;=`) stay.
    Path,
    /// In a header value: CR, LF and NUL are refused, nothing is changed.
    Header,
}

impl Escape {
    /// Every way with its word. A plan rarely needs them: where an expression stands says it.
    pub const WORDS: &'static [(&'static str, Self)] = &[
        ("raw", Self::None),
        ("json", Self::Json),
        ("urlencode", Self::Query),
        ("path", Self::Path),
        ("header", Self::Header),
    ];
}

impl Template {
    /// A template that always gives these bytes.
    #[must_use]
    pub fn literal(bytes: impl Into<Arc<[u8]>>) -> Self {
        let bytes = bytes.into();
        let segments = if bytes.is_empty() { Vec::new() } else { vec![Segment::Literal(bytes)] };
        Self { segments: segments.into() }
    }

    /// Joins parts; literals that meet become one.
    #[must_use]
    pub fn from_segments(parts: impl IntoIterator<Item = Segment>) -> Self {
        let mut segments: Vec<Segment> = Vec::new();
        for part in parts {
            match (segments.last_mut(), part) {
                (_, Segment::Literal(bytes)) if bytes.is_empty() => {}
                (Some(Segment::Literal(before)), Segment::Literal(bytes)) => {
                    *before = [&**before, &*bytes].concat().into();
                }
                (_, part) => segments.push(part),
            }
        }
        Self { segments: segments.into() }
    }

    /// The parts.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The bytes, if they are always the same.
    #[must_use]
    pub fn as_literal(&self) -> Option<&[u8]> {
        match &*self.segments {
            [] => Some(&[]),
            [Segment::Literal(bytes)] => Some(bytes),
            _ => None,
        }
    }

    /// Whether the template gives nothing at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// Calls `visit` for every expression, also those inside of groups.
    pub fn visit(&self, visit: &mut impl FnMut(&Expr)) {
        for segment in &self.segments {
            if let Segment::Expr(expr) = segment {
                visit(expr);
                if let Source::Group(inner) = &expr.source {
                    inner.visit(visit);
                }
            }
        }
    }
}
