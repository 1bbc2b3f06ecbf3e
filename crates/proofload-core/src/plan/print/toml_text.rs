//! Writing TOML.

use std::fmt::Write as _;

/// A TOML document in the making.
#[derive(Debug, Default)]
pub(super) struct Writer {
    text: String,
}

impl Writer {
    /// A table's head, with an empty line before it.
    pub(super) fn section(&mut self, head: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(head);
        self.text.push('\n');
    }

    /// A key with a text.
    pub(super) fn text(&mut self, key: &str, value: &str) {
        self.raw(key, &quote(value));
    }

    /// A key with a value that is TOML already.
    pub(super) fn raw(&mut self, key: &str, value: &str) {
        // Writing into a String cannot fail.
        let _ = writeln!(self.text, "{} = {value}", self::key(key));
    }

    pub(super) fn finish(self) -> String {
        self.text
    }
}

/// `{ a = 1, b = 2 }` in the making.
#[derive(Debug, Default)]
pub(super) struct InlineTable {
    entries: Vec<String>,
}

impl InlineTable {
    pub(super) fn text(&mut self, key: &str, value: &str) {
        self.raw(key, &quote(value));
    }

    pub(super) fn raw(&mut self, key: &str, value: &str) {
        self.entries.push(format!("{} = {value}", self::key(key)));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn finish(self) -> String {
        if self.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", self.entries.join(", ")) }
    }
}

/// `[a, b]`.
pub(super) fn list(items: impl IntoIterator<Item = String>) -> String {
    format!("[{}]", items.into_iter().collect::<Vec<_>>().join(", "))
}

/// A key, in quotes where it needs them.
pub(super) fn key(key: &str) -> String {
    let is_bare =
        !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if is_bare { key.to_owned() } else { quoted(key) }
}

/// A text, so that no `${` in it is taken for a variable.
pub(in crate::plan) fn quote(text: &str) -> String {
    quoted(&text.replace("${", "$${"))
}

fn quoted(text: &str) -> String {
    let is_plain = !text.chars().any(char::is_control);
    if is_plain && text.contains(['"', '\\']) && !text.contains('\'') {
        return format!("'{text}'");
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// A float that is read back as one.
pub(super) fn float(number: f64) -> String {
    if number.fract() == 0.0 { format!("{number:.1}") } else { number.to_string() }
}

/// JSON as TOML; `None` where there is a null in it.
pub(super) fn json(value: &serde_json::Value) -> Option<String> {
    use serde_json::Value;
    Some(match value {
        Value::Null => return None,
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => number.to_string(),
            (None, Some(number)) => float(number),
            (None, None) => return None,
        },
        Value::String(text) => quote(text),
        Value::Array(items) => list(items.iter().map(json).collect::<Option<Vec<_>>>()?),
        Value::Object(object) => {
            let mut table = InlineTable::default();
            for (key, value) in object {
                table.raw(key, &json(value)?);
            }
            table.finish()
        }
    })
}

/// The word of a value.
pub(super) fn word<T: PartialEq + Copy>(words: &[(&'static str, T)], wanted: T) -> &'static str {
    words.iter().find(|(_, value)| *value == wanted).map_or("", |(word, _)| word)
}
