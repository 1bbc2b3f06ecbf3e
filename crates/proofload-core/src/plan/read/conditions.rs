//! Conditions on values: `"exists"`, `"> 5"`, `"contains x"`, a value, or a table.

use std::time::Duration;

use super::Reader;
use super::table::Fields;
use crate::inspect::{Condition, Number, Pattern};
use crate::plan::spec::CONDITION;
use crate::plan::tree::{Node, Value};
use crate::units;

/// What a text means that begins with no operator.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Bare {
    /// The value is equal to it.
    Equals,
    /// The value has it in it.
    Contains,
}

/// The operators of a condition's table.
const OPERATORS: &[&str] = &["exists", "equals", "not_equals", "contains", "matches"];

impl Reader<'_> {
    /// A condition, and how it reads in the name of its check.
    pub(super) fn condition(&mut self, node: &Node, bare: Bare) -> Option<(Condition, String)> {
        match &node.value {
            Value::Text(text) => self.text_condition(node, &text.text, bare),
            Value::Table(_) => {
                let fields = self.open(node, &CONDITION)?;
                self.condition_of(&fields, node)
            }
            _ => {
                let value = self.json_value(node)?;
                let text = value.to_string();
                Some((Condition::Equals(value), text))
            }
        }
    }

    /// The condition in a table that has one of the operators.
    pub(super) fn condition_of(
        &mut self,
        fields: &Fields<'_>,
        node: &Node,
    ) -> Option<(Condition, String)> {
        let Some(entry) = self.one_of(fields, OPERATORS) else {
            return self.wrong_help(
                node,
                "there is no condition here",
                format!("add one of {}", OPERATORS.join(", ")),
            );
        };
        let node = &entry.node;
        match entry.key.as_str() {
            "exists" => Some(match self.boolean(node)? {
                true => (Condition::Exists, "exists".to_owned()),
                false => (Condition::Absent, "absent".to_owned()),
            }),
            "contains" => {
                let text = self.text(node)?;
                Some((Condition::Contains(text.into()), format!("contains {text}")))
            }
            "matches" => {
                let text = self.text(node)?;
                Some((Condition::Matches(self.pattern(node, text)?), format!("matches {text}")))
            }
            "equals" => {
                let value = self.json_value(node)?;
                let name = value.to_string();
                Some((Condition::Equals(value), name))
            }
            _ => {
                let value = self.json_value(node)?;
                let name = format!("!= {value}");
                Some((Condition::NotEquals(value), name))
            }
        }
    }

    fn text_condition(
        &mut self,
        node: &Node,
        text: &str,
        bare: Bare,
    ) -> Option<(Condition, String)> {
        let trimmed = text.trim();
        let name = trimmed.to_owned();
        match trimmed {
            "exists" => return Some((Condition::Exists, name)),
            "absent" => return Some((Condition::Absent, name)),
            _ => {}
        }
        if let Some(part) = trimmed.strip_prefix("contains ") {
            return Some((Condition::Contains(unquoted(part).into()), name));
        }
        if let Some(pattern) = trimmed.strip_prefix("matches ") {
            let pattern = self.pattern(node, unquoted(pattern))?;
            return Some((Condition::Matches(pattern), name));
        }
        if let Some(rest) = trimmed.strip_prefix("!=") {
            return Some((Condition::NotEquals(scalar(unquoted(rest.trim()))), name));
        }
        if let Some(rest) = trimmed.strip_prefix("==") {
            return Some((Condition::Equals(scalar(unquoted(rest.trim()))), name));
        }
        let side = comparison(trimmed);
        // A body is often markup that begins with `<`.
        let side = side.filter(|s| bare == Bare::Equals || s.2.parse::<f64>().is_ok());
        if let Some((less, or_equal, rest)) = side {
            let Some(limit) = rest.parse::<f64>().ok().filter(|limit| limit.is_finite()) else {
                return self.wrong_help(
                    node,
                    format!("`{rest}` is not a number to compare with"),
                    "for a text that begins with < or >, write { equals = \"…\" }",
                );
            };
            return Some((Condition::Compare(Number { less, or_equal, limit }), name));
        }
        Some(match bare {
            Bare::Equals => (Condition::Equals(text.into()), format!("is {text}")),
            Bare::Contains => (Condition::Contains(text.into()), format!("contains {text}")),
        })
    }

    /// A limit of a time: `"<500ms"`.
    pub(super) fn time_limit(&mut self, node: &Node) -> Option<(bool, bool, Duration)> {
        let text = self.text(node)?.trim();
        let (less, or_equal, rest) = comparison(text).unwrap_or((true, true, text));
        match units::parse_duration(rest) {
            Ok(limit) if limit.is_zero() => self.wrong(node, "a limit of 0s cannot be met"),
            Ok(limit) => Some((less, or_equal, limit)),
            Err(error) => self.wrong_help(node, error.to_string(), "such as \"<500ms\""),
        }
    }

    /// A regular expression.
    pub(super) fn pattern(&mut self, node: &Node, text: &str) -> Option<Pattern> {
        match regex::bytes::Regex::new(text) {
            Ok(regex) => Some(Pattern(regex)),
            Err(error) => {
                // The message draws the expression over several lines; its last says what is wrong.
                let message = error.to_string();
                let last = message.lines().last().unwrap_or("not valid");
                let last = last.trim().trim_start_matches("error: ");
                self.wrong_help(
                    node,
                    format!("not a regular expression: {last}"),
                    "in TOML, single quotes keep backslashes: '\\d+'",
                )
            }
        }
    }

    /// A value as JSON, without templates.
    pub(super) fn json_value(&mut self, node: &Node) -> Option<serde_json::Value> {
        use serde_json::Value as Json;
        Some(match &node.value {
            Value::Text(text) => Json::String(text.text.clone()),
            Value::Whole(number) => Json::from(*number),
            Value::Float(number) if number.is_finite() => Json::from(*number),
            Value::Float(_) => return self.wrong(node, "JSON has no such number"),
            Value::Bool(value) => Json::Bool(*value),
            Value::Datetime(date) => Json::String(date.clone()),
            Value::List(items) => {
                Json::Array(items.iter().map(|item| self.json_value(item)).collect::<Option<_>>()?)
            }
            Value::Table(entries) => {
                let mut object = serde_json::Map::new();
                for entry in entries {
                    object.insert(entry.key.clone(), self.json_value(&entry.node)?);
                }
                Json::Object(object)
            }
        })
    }
}

/// `<`, `<=`, `>` or `>=` (less, or equal) and what follows.
fn comparison(text: &str) -> Option<(bool, bool, &str)> {
    let less = match text.as_bytes().first()? {
        b'<' => true,
        b'>' => false,
        _ => return None,
    };
    let rest = &text[1..];
    let or_equal = rest.starts_with('=');
    Some((less, or_equal, rest.trim_start_matches('=').trim()))
}

fn unquoted(text: &str) -> &str {
    let text = text.trim();
    ['"', '\'']
        .into_iter()
        .find_map(|quote| text.strip_prefix(quote)?.strip_suffix(quote))
        .unwrap_or(text)
}

/// A number, truth value or null where the text is one, else the text.
fn scalar(text: &str) -> serde_json::Value {
    match serde_json::from_str(text) {
        Ok(
            value @ (serde_json::Value::Number(_)
            | serde_json::Value::Bool(_)
            | serde_json::Value::Null),
        ) => value,
        _ => text.into(),
    }
}
