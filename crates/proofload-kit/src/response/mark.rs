//! `"cached": true` in answers that are JSON objects.
//!
//! The body is not parsed into values and written again, which would change numbers and the order of fields: the
//! fields of the outermost object are walked over, and the one field is put in or replaced.

use bytes::Bytes;

/// The body with the field set; None when it is not a JSON object.
pub(super) fn mark(body: &[u8], field: &str, value: bool) -> Option<Bytes> {
    let found = find(body, field)?;
    let literal: &[u8] = if value { b"true" } else { b"false" };
    let mut marked = Vec::with_capacity(body.len() + field.len() + 10);
    match found {
        Found::Field { from, to } => {
            marked.extend_from_slice(&body[..from]);
            marked.extend_from_slice(literal);
            marked.extend_from_slice(&body[to..]);
        }
        Found::Object { inside, empty } => {
            marked.extend_from_slice(&body[..inside]);
            marked.push(b'"');
            marked.extend_from_slice(field.as_bytes());
            marked.extend_from_slice(b"\":");
            marked.extend_from_slice(literal);
            if !empty {
                marked.push(b',');
            }
            marked.extend_from_slice(&body[inside..]);
        }
    }
    Some(marked.into())
}

/// Where the mark goes.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    /// In the place of the value that is there.
    Field { from: usize, to: usize },
    /// Behind the opening brace.
    Object { inside: usize, empty: bool },
}

/// Walks over the outermost object. What is behind a wrong place in the text is not looked at: the answer is marked as
/// far as it can be understood, and broken JSON stays broken.
fn find(body: &[u8], field: &str) -> Option<Found> {
    let mut at = blank(body, 0);
    if body.get(at) != Some(&b'{') {
        return None;
    }
    let inside = at + 1;
    at = blank(body, inside);
    if body.get(at) == Some(&b'}') {
        return Some(Found::Object { inside, empty: true });
    }
    loop {
        let end = string(body, at)?;
        // A name with escapes is another name, as far as its letters go: the field's own has none.
        let is_field = &body[at + 1..end - 1] == field.as_bytes();
        at = blank(body, end);
        if body.get(at) != Some(&b':') {
            return None;
        }
        let from = blank(body, at + 1);
        let to = value(body, from)?;
        if is_field {
            return Some(Found::Field { from, to });
        }
        at = blank(body, to);
        match body.get(at)? {
            b',' => at = blank(body, at + 1),
            b'}' => return Some(Found::Object { inside, empty: false }),
            _ => return None,
        }
    }
}

/// The first place that is not white space.
fn blank(body: &[u8], mut at: usize) -> usize {
    while matches!(body.get(at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
        at += 1;
    }
    at
}

/// The end of the string that begins here.
fn string(body: &[u8], at: usize) -> Option<usize> {
    if body.get(at) != Some(&b'"') {
        return None;
    }
    let mut at = at + 1;
    loop {
        match body.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// The end of the value that begins here.
fn value(body: &[u8], from: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = from;
    loop {
        match body.get(at)? {
            b'"' => at = string(body, at)?,
            b'{' | b'[' => {
                depth += 1;
                at += 1;
                continue;
            }
            b'}' | b']' if depth > 0 => {
                depth -= 1;
                at += 1;
            }
            b',' | b':' if depth > 0 => {
                at += 1;
                continue;
            }
            b' ' | b'\t' | b'\n' | b'\r' if depth > 0 => {
                at += 1;
                continue;
            }
            b'}' | b']' | b',' | b':' => return None,
            _ => at = word(body, at),
        }
        if depth == 0 {
            return Some(at);
        }
    }
}

/// The end of a number, `true`, `false` or `null`.
fn word(body: &[u8], from: usize) -> usize {
    let ends = |byte: &u8| {
        matches!(
            byte,
            b',' | b':' | b'}' | b']' | b'{' | b'[' | b'"' | b' ' | b'\t' | b'\n' | b'\r'
        )
    };
    body[from..].iter().position(ends).map_or(body.len(), |length| from + length)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, Value};

    use super::mark;

    #[test]
    fn objects_are_marked() {
        let check = |body: &str, expect: Option<&str>| {
            let marked = mark(body.as_bytes(), "cached", true);
            assert_eq!(marked.as_deref(), expect.map(str::as_bytes), "{body:?}");
        };
        check("{}", Some(r#"{"cached":true}"#));
        check(" { } ", Some(r#" {"cached":true } "#));
        check(r#"{"a":1}"#, Some(r#"{"cached":true,"a":1}"#));
        check(r#"{"cached":false}"#, Some(r#"{"cached":true}"#));
        check(r#"{"cached" : null , "a":1}"#, Some(r#"{"cached" : true , "a":1}"#));
        check(r#"{"a":{"cached":false}}"#, Some(r#"{"cached":true,"a":{"cached":false}}"#));
        check(
            r#"{"a":"\"cached\":1,}","cached":{"x":[1,2]}}"#,
            Some(r#"{"a":"\"cached\":1,}","cached":true}"#),
        );
        check(r#"{"a":1.50e+3,"b":[]}"#, Some(r#"{"cached":true,"a":1.50e+3,"b":[]}"#));
        check("[]", None);
        check("null", None);
        check("", None);
        check("{", None);
        check(r#"{"a"}"#, None);
        check(r#"{"a":}"#, None);
        check(r#"{"a":1"#, None);
        check(r#"{"a":1 2}"#, None);
        check(r#"{"a\"#, None);
        check("cached", None);
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[a-z\"\\\\{}\\[\\],: é]{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            let name = prop_oneof![Just("cached".to_owned()), "[a-z\"\\\\{}:]{0,4}"];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(name, inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn only_the_field_changes(document in json(), pretty: bool, value: bool) {
            let text = if pretty { serde_json::to_string_pretty(&document) } else { serde_json::to_string(&document) };
            let marked = mark(text.unwrap().as_bytes(), "cached", value);
            let expect = document.as_object().map(|object| {
                let mut object: Map<String, Value> = object.clone();
                object.insert("cached".to_owned(), value.into());
                Value::Object(object)
            });
            let marked: Option<Value> = marked.map(|marked| serde_json::from_slice(&marked).unwrap());
            prop_assert_eq!(marked, expect);
        }

        #[test]
        fn no_bytes_are_too_strange(body in proptest::collection::vec(any::<u8>(), 0..40), text in "[{}\\[\\]\",:a\\\\]{0,20}") {
            let _ = mark(&body, "cached", true);
            let _ = mark(text.as_bytes(), "a", true);
        }
    }
}
