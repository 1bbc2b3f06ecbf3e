//! The JSON Schema of a plan, for editors.

use serde_json::{Map as JsonMap, Value, json};

use super::{PLAN, SUITE, TableSpec, Takes};

/// JSON Schema (draft 2020-12) of a plan file, with descriptions, examples and words.
///
/// It accepts every plan that parses. A `${KEY}` may stand for any number or duration, so texts with
/// `${` are accepted in their places.
#[must_use]
pub fn json_schema() -> Value {
    schema_of(&PLAN, "Proofload plan")
}

/// JSON Schema (draft 2020-12) of a suite file, as that of a plan.
#[must_use]
pub fn suite_json_schema() -> Value {
    schema_of(&SUITE, "Proofload suite")
}

fn schema_of(spec: &TableSpec, title: &str) -> Value {
    let mut definitions = JsonMap::new();
    let mut root = table(spec, &mut definitions);
    if let Value::Object(object) = &mut root {
        object.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        object.insert("title".to_owned(), json!(title));
        object.insert("$defs".to_owned(), Value::Object(definitions));
    }
    root
}

fn table(spec: &TableSpec, definitions: &mut JsonMap<String, Value>) -> Value {
    let mut properties = JsonMap::new();
    for key in spec.keys {
        let mut schema = takes(key.takes, definitions);
        if let Value::Object(object) = &mut schema {
            object.insert("description".to_owned(), json!(key.doc));
            if let Some(example) = example(key.example) {
                object.insert("examples".to_owned(), json!([example]));
            }
        }
        properties.insert(key.name.to_owned(), schema);
    }
    let mut schema = json!({
        "type": "object",
        "description": spec.doc,
        "properties": properties,
        "additionalProperties": false,
    });
    if !spec.prefixes.is_empty() {
        let patterns: JsonMap<String, Value> = spec
            .prefixes
            .iter()
            .map(|prefix| (format!("^{}", regex::escape(prefix)), json!({})))
            .collect();
        schema["patternProperties"] = Value::Object(patterns);
    }
    schema
}

/// The example of a key as JSON.
fn example(toml_value: &str) -> Option<Value> {
    let table: toml::Table = format!("x = {toml_value}").parse().ok()?;
    serde_json::to_value(table.get("x")?).ok()
}

fn takes(takes: Takes, definitions: &mut JsonMap<String, Value>) -> Value {
    match takes {
        Takes::Text => json!({ "type": "string" }),
        Takes::Template => json!({ "type": ["string", "integer", "number", "boolean"] }),
        Takes::Any => json!({}),
        Takes::Bool => or_variable(json!({ "type": "boolean" })),
        Takes::Whole => or_variable(json!({ "type": "integer", "minimum": 0 })),
        Takes::Amount => or_variable(json!({ "type": "number", "minimum": 0 })),
        Takes::Duration => or_variable(json!({ "type": "string", "pattern": DURATION })),
        Takes::ThinkTime => or_variable(json!({
            "type": "string",
            "pattern": format!("{DURATION}|^\\s*[0-9].*\\.\\..*[a-zµμ]\\s*$|^none$"),
        })),
        Takes::Rate => or_variable(json!({ "type": "string", "pattern": "^\\s*[0-9._]+\\s*/.+$" })),
        Takes::Bytes => or_variable(json!({ "type": ["string", "integer"] })),
        Takes::Word(words) => or_variable(json!({ "enum": words })),
        Takes::List(item) => {
            json!({ "type": "array", "items": self::takes(*item, definitions) })
        }
        Takes::Map(value) => {
            json!({ "type": "object", "additionalProperties": self::takes(*value, definitions) })
        }
        Takes::Table(spec) => {
            let name = spec.what.trim_start_matches("a ").trim_start_matches("an ");
            // Two tables with the same words for people are told apart by their keys.
            let name = format!("{}-{}", name.replace(['[', ']', ' '], "-"), spec.keys.len());
            if !definitions.contains_key(&name) {
                definitions.insert(name.clone(), Value::Null);
                let schema = table(spec, definitions);
                definitions.insert(name.clone(), schema);
            }
            json!({ "$ref": format!("#/$defs/{name}") })
        }
        Takes::Either(options) => {
            let options: Vec<Value> =
                options.iter().map(|option| self::takes(*option, definitions)).collect();
            json!({ "anyOf": options })
        }
    }
}

const DURATION: &str = "^\\s*([0-9._]+\\s*(ns|us|µs|μs|ms|s|sec|m|min|h|d)\\s*)+$|^\\s*0\\s*$";

/// The same, or a text with a variable in it.
fn or_variable(schema: Value) -> Value {
    let mut options = vec![schema];
    options.push(json!({ "type": "string", "pattern": "\\$\\{" }));
    json!({ "anyOf": options })
}
