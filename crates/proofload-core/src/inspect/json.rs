//! Places in a JSON body (RFC 9535 JSONPath).
//!
//! Most paths in plans can give a single node only (`$.a.b[0]`). Those are found by walking over
//! the bytes: nothing is built, and the walk ends at the node. Everything else goes through
//! `serde_json_path` on the parsed document.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::Value;
use serde_json_path::JsonPath;

/// A compiled JSONPath.
#[derive(Clone)]
pub struct JsonQuery {
    text: Arc<str>,
    path: Arc<JsonPath>,
    /// The steps, if the path can give a single node only.
    steps: Option<Arc<[Step]>>,
}

/// One step of a singular path.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Name(Box<str>),
    Index(usize),
}

impl PartialEq for JsonQuery {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl fmt::Debug for JsonQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JsonQuery({})", self.text)
    }
}

/// A node of a document.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node<'d> {
    /// There is one, but its value was not asked for.
    Present,
    /// A text.
    Text(Cow<'d, str>),
    /// Anything else.
    Other(Cow<'d, Value>),
}

impl<'d> From<&'d Value> for Node<'d> {
    fn from(value: &'d Value) -> Self {
        match value {
            Value::String(text) => Self::Text(Cow::Borrowed(text)),
            other => Self::Other(Cow::Borrowed(other)),
        }
    }
}

impl JsonQuery {
    /// Compiles a JSONPath.
    ///
    /// # Errors
    /// The position (in bytes) and what is wrong.
    pub fn parse(text: &str) -> Result<Self, serde_json_path::ParseError> {
        let path = JsonPath::parse(text)?;
        let steps = singular_steps(text).map(Arc::from);
        Ok(Self { text: text.into(), path: Arc::new(path), steps })
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the path can give a single node only, so that the document need not be built.
    pub(super) fn is_singular(&self) -> bool {
        self.steps.is_some()
    }

    /// Every node of the document at that place.
    pub(super) fn nodes<'v>(&self, document: &'v Value) -> Vec<&'v Value> {
        self.path.query(document).all()
    }

    /// The node of a singular path, by walking over the bytes. With `only_presence` its value is
    /// not read. `None` if there is none, the bytes up to it are no JSON, or the path is not
    /// singular. What stands behind the node is not looked at.
    pub(super) fn walk<'d>(&self, body: &'d [u8], only_presence: bool) -> Option<Node<'d>> {
        let mut found = None;
        let steps = self.steps.as_deref()?;
        let mut reader = serde_json::Deserializer::from_slice(body);
        // The walk ends with an error on purpose when the node has been found.
        let _ = Walk { steps, only_presence, found: &mut found }.deserialize(&mut reader);
        found
    }
}

/// The steps of a path such as `$.a['b'][0]`; `None` if it is not singular or has escapes or
/// negative indices in it.
fn singular_steps(text: &str) -> Option<Vec<Step>> {
    let mut rest = text.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            let name = &after[..end];
            let is_plain =
                !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
            steps.push(Step::Name(is_plain.then_some(name)?.into()));
            rest = &after[end..];
        } else {
            let inner = rest.strip_prefix('[')?;
            if let Some(quote @ ('\'' | '"')) = inner.chars().next() {
                let end = inner[1..].find(quote)? + 1;
                let name = &inner[1..end];
                if name.contains('\\') {
                    return None;
                }
                steps.push(Step::Name(name.into()));
                rest = inner[end + 1..].strip_prefix(']')?;
            } else {
                let end = inner.find(']')?;
                steps.push(Step::Index(inner[..end].parse().ok()?));
                rest = &inner[end + 1..];
            }
        }
    }
    Some(steps)
}

/// Walks down the steps and puts the node aside.
struct Walk<'s, 'd, 'f> {
    steps: &'s [Step],
    only_presence: bool,
    found: &'f mut Option<Node<'d>>,
}

impl<'d> DeserializeSeed<'d> for Walk<'_, 'd, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'d>>(self, reader: D) -> Result<(), D::Error> {
        if self.steps.is_empty() && self.only_presence {
            *self.found = Some(Node::Present);
            return Err(D::Error::custom(""));
        }
        reader.deserialize_any(self)
    }
}

impl<'d> Walk<'_, 'd, '_> {
    fn scalar<E>(self, value: Value) -> Result<(), E> {
        if self.steps.is_empty() {
            *self.found = Some(Node::Other(Cow::Owned(value)));
        }
        Ok(())
    }
}

impl<'d> Visitor<'d> for Walk<'_, 'd, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.scalar(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.scalar(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.scalar(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.scalar(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.scalar(value.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        if self.steps.is_empty() {
            *self.found = Some(Node::Text(Cow::Owned(text.to_owned())));
        }
        Ok(())
    }

    fn visit_borrowed_str<E>(self, text: &'d str) -> Result<(), E> {
        if self.steps.is_empty() {
            *self.found = Some(Node::Text(Cow::Borrowed(text)));
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'d>>(self, mut items: A) -> Result<(), A::Error> {
        let Some((step, below)) = self.steps.split_first() else {
            let mut list = Vec::new();
            while let Some(item) = items.next_element::<Value>()? {
                list.push(item);
            }
            *self.found = Some(Node::Other(Cow::Owned(Value::Array(list))));
            return Ok(());
        };
        if let Step::Index(index) = step {
            for _ in 0..*index {
                if items.next_element::<IgnoredAny>()?.is_none() {
                    return Ok(());
                }
            }
            let Self { only_presence, found, .. } = self;
            if items.next_element_seed(Walk { steps: below, only_presence, found })?.is_none() {
                return Ok(());
            }
            return Err(A::Error::custom(""));
        }
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'d>>(self, mut entries: A) -> Result<(), A::Error> {
        let Some((step, below)) = self.steps.split_first() else {
            let mut object = serde_json::Map::new();
            while let Some((key, value)) = entries.next_entry()? {
                object.insert(key, value);
            }
            *self.found = Some(Node::Other(Cow::Owned(Value::Object(object))));
            return Ok(());
        };
        let Step::Name(name) = step else {
            while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(());
        };
        while let Some(is_it) = entries.next_key_seed(IsKey(name))? {
            if is_it {
                let Self { only_presence, found, .. } = self;
                entries.next_value_seed(Walk { steps: below, only_presence, found })?;
                return Err(A::Error::custom(""));
            }
            entries.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

/// Whether a key is the one that is looked for, without keeping it.
struct IsKey<'k>(&'k str);

impl<'d> DeserializeSeed<'d> for IsKey<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'d>>(self, reader: D) -> Result<bool, D::Error> {
        reader.deserialize_str(self)
    }
}

impl Visitor<'_> for IsKey<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<bool, E> {
        Ok(key == self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn singular_paths_are_walked() {
        let body =
            r#"{"a":{"b":[{"c":"x\ny"},2,[3,null,true]],"c":{}},"a.b":1.5,"ä":"z","l":{"a":9}}"#;
        let check = |path: &str, expect: Option<&str>| {
            let query = JsonQuery::parse(path).expect(path);
            assert!(query.is_singular(), "{path}");
            let walked = query.walk(body.as_bytes(), false).map(|node| match node {
                Node::Text(text) => Value::from(&*text).to_string(),
                Node::Other(value) => value.to_string(),
                Node::Present => "present".to_owned(),
            });
            assert_eq!(walked.as_deref(), expect, "{path}");
            assert_eq!(query.walk(body.as_bytes(), true).is_some(), expect.is_some(), "{path}");
            let document: Value = serde_json::from_str(body).expect("JSON");
            let nodes = query.nodes(&document);
            assert_eq!(nodes.first().map(ToString::to_string).as_deref(), expect, "{path}");
        };
        check("$.a.b[0].c", Some("\"x\\ny\""));
        check("$.a.b[1]", Some("2"));
        check("$.a.b[2]", Some("[3,null,true]"));
        check("$.a.b[2][1]", Some("null"));
        check("$.a.b[2][2]", Some("true"));
        check("$.a.b[3]", None);
        check("$.a.c", Some("{}"));
        check("$['a.b']", Some("1.5"));
        check("$[\"ä\"]", Some("\"z\""));
        check("$.ä", Some("\"z\""));
        check("$.l.a", Some("9"));
        check("$.l.b", None);
        check("$.l[0]", None);
        check("$.a.b.c", None);
        check("$.a.b[0].c.d", None);
    }

    #[test]
    fn other_paths_are_not_singular() {
        for path in ["$.*", "$..a", "$[-1]", "$.a[0:2]", "$.a[?@.b]", "$['a\\'b']", "$.a['b','c']"]
        {
            assert!(!JsonQuery::parse(path).expect(path).is_singular(), "{path}");
        }
        assert!(JsonQuery::parse("$.a[").is_err());
        assert!(JsonQuery::parse("a").is_err());
    }

    #[test]
    fn the_walk_ends_at_the_node() {
        let query = JsonQuery::parse("$.a").expect("a path");
        assert!(query.walk(b"{\"a\":1, this is cut o", false).is_some());
        assert_eq!(query.walk(b"{\"b\":1, this is cut o", false), None);
        assert_eq!(query.walk(b"", false), None);
        assert_eq!(query.walk(b"<html>", false), None);
    }

    proptest! {
        #[test]
        fn no_body_makes_the_walk_panic(body in proptest::collection::vec(any::<u8>(), 0..60)) {
            let query = JsonQuery::parse("$.a[0].b").expect("a path");
            let _ = query.walk(&body, false);
        }
    }
}
