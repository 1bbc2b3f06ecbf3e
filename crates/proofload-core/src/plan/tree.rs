//! The file as it was written: a tree of values that know where they stand.
//!
//! This is the raw mirror of a plan. It is read with `toml`'s own spanned parser, which goes on
//! after a mistake, so that all of them can be told at once. `${KEY}` and `${KEY:-default}` are
//! replaced here, in every text value.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::diagnostic::{Diagnostic, Location};
use super::words::is_variable_name;

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) at: Location,
    pub(super) value: Value,
}

/// A value.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Text(Text),
    Whole(i64),
    Float(f64),
    Bool(bool),
    Datetime(String),
    List(Vec<Node>),
    Table(Vec<Entry>),
}

/// A text.
#[derive(Clone, Debug)]
pub(super) struct Text {
    pub(super) text: String,
    /// Where its first byte stands, if it stands there byte for byte (no escapes, nothing
    /// replaced).
    verbatim_at: Option<u32>,
    /// A `${…}` was replaced in it: it may stand for a number too.
    pub(super) replaced: bool,
}

/// A key and its value, in the order of the file.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_at: Location,
    pub(super) node: Node,
}

impl Node {
    /// What it is, for messages.
    pub(super) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Text(_) => "a text",
            Value::Whole(_) => "a whole number",
            Value::Float(_) => "a number",
            Value::Bool(_) => "true or false",
            Value::Datetime(_) => "a date",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
        }
    }

    pub(super) fn as_text(&self) -> Option<&Text> {
        if let Value::Text(text) = &self.value { Some(text) } else { None }
    }

    pub(super) fn as_table(&self) -> Option<&[Entry]> {
        if let Value::Table(entries) = &self.value { Some(entries) } else { None }
    }

    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        self.as_table()?.iter().find(|entry| entry.key == key).map(|entry| &entry.node)
    }

    /// Where a part of the text stands; the whole value if that cannot be said.
    pub(super) fn part(&self, range: &Range<usize>) -> Location {
        let start = self.as_text().and_then(|text| text.verbatim_at);
        start.map_or(self.at, |start| Location {
            file: self.at.file,
            start: start + range.start as u32,
            end: start + range.end as u32,
        })
    }
}

/// Gives the value of a variable.
pub(super) type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Reads a file's text.
pub(super) struct TreeReader<'a> {
    pub(super) file: u16,
    pub(super) text: &'a str,
    pub(super) lookup: Lookup<'a>,
    pub(super) errors: &'a mut Vec<Diagnostic>,
    /// Whether the file was free of mistakes of syntax, once it has been read.
    pub(super) is_toml: bool,
}

impl TreeReader<'_> {
    /// The tree of the whole file; what could not be read is left out and told.
    pub(super) fn read(&mut self) -> Node {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        self.is_toml = errors.is_empty();
        for error in &errors {
            let span = error.span().unwrap_or(self.text.len()..self.text.len());
            let message = error.message().trim().to_owned();
            self.errors.push(Diagnostic::at(self.locate(&span), format!("not TOML: {message}")));
        }
        let at = self.locate(&table.span());
        Node { at, value: self.table(table.get_ref()) }
    }

    fn locate(&self, span: &Range<usize>) -> Location {
        Location { file: self.file, start: span.start as u32, end: span.end as u32 }
    }

    fn table(&mut self, table: &DeTable<'_>) -> Value {
        let mut entries: Vec<Entry> = table
            .iter()
            .map(|(key, value)| Entry {
                key: key.get_ref().clone().into_owned(),
                key_at: self.locate(&key.span()),
                node: self.node(value),
            })
            .collect();
        entries.sort_by_key(|entry| entry.key_at);
        Value::Table(entries)
    }

    fn node(&mut self, value: &Spanned<DeValue<'_>>) -> Node {
        let at = self.locate(&value.span());
        let value = match value.get_ref() {
            DeValue::String(text) => self.string(text, at),
            DeValue::Integer(number) => {
                let read = i64::from_str_radix(number.as_str(), number.radix());
                if read.is_err() {
                    self.errors.push(Diagnostic::at(at, "number too large"));
                }
                Value::Whole(read.unwrap_or(1))
            }
            DeValue::Float(number) => Value::Float(number.as_str().parse().unwrap_or(f64::NAN)),
            DeValue::Boolean(value) => Value::Bool(*value),
            DeValue::Datetime(date) => Value::Datetime(date.to_string()),
            DeValue::Array(list) => Value::List(list.iter().map(|item| self.node(item)).collect()),
            DeValue::Table(table) => self.table(table),
        };
        Node { at, value }
    }

    fn string(&mut self, text: &str, at: Location) -> Value {
        let raw = self.text.get(at.start as usize..at.end as usize).unwrap_or("");
        let open = raw.find(|c| c != '"' && c != '\'').unwrap_or(raw.len()).min(3);
        let open = if raw[open..].starts_with("\r\n") {
            open + 2
        } else {
            open + usize::from(open == 3 && raw[open..].starts_with('\n'))
        };
        let is_verbatim = raw[open..].starts_with(text);
        let mut text = Text {
            text: text.to_owned(),
            verbatim_at: is_verbatim.then_some(at.start + open as u32),
            replaced: false,
        };
        if text.text.contains("${") {
            self.replace(&mut text, at);
        }
        Value::Text(text)
    }

    /// Replaces `${KEY}`, `${KEY:-default}`; `$${` stands for `${` itself.
    fn replace(&mut self, text: &mut Text, at: Location) {
        let source = std::mem::take(&mut text.text);
        let place = |range: Range<usize>| match text.verbatim_at {
            Some(start) => Location {
                file: at.file,
                start: start + range.start as u32,
                end: start + range.end as u32,
            },
            None => at,
        };
        let mut out = String::with_capacity(source.len());
        let mut rest = 0;
        while let Some(found) = source[rest..].find("${") {
            let open = rest + found;
            if source[rest..open].ends_with('$') {
                out.push_str(&source[rest..open]);
                out.push('{');
                rest = open + 2;
                continue;
            }
            out.push_str(&source[rest..open]);
            let Some(length) = source[open..].find('}') else {
                self.errors.push(
                    Diagnostic::at(place(open..source.len()), "`${` without `}`")
                        .help("write `$${` for a literal `${`"),
                );
                rest = source.len();
                break;
            };
            let end = open + length + 1;
            let inner = &source[open + 2..end - 1];
            let (key, default) = match inner.split_once(":-") {
                Some((key, default)) => (key, Some(default)),
                None => (inner, None),
            };
            match (self.lookup)(key).filter(|v| default.is_none() || !v.is_empty()) {
                Some(value) => out.push_str(&value),
                None if default.is_some() => out.push_str(default.unwrap_or_default()),
                None => self.errors.push(missing(key, place(open..end))),
            }
            text.replaced = true;
            rest = end;
        }
        out.push_str(&source[rest..]);
        text.text = out;
        text.verbatim_at = None;
    }
}

fn missing(key: &str, at: Location) -> Diagnostic {
    if is_variable_name(key) {
        Diagnostic::at(at, format!("`{key}` is not set")).help(format!(
            "pass `-e {key}=VALUE`, set it in the environment, or give a default: `${{{key}:-…}}`"
        ))
    } else {
        Diagnostic::at(at, format!("`{key}` cannot name a variable"))
            .help("names have letters, digits and `_`; write `$${` for a literal `${`")
    }
}
