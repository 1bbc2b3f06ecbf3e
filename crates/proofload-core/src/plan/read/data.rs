//! Data feeds: rows from CSV, JSON and NDJSON files, or from the plan itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Reader;
use crate::plan::model::{DataFeed, FeedMode, Row};
use crate::plan::spec::FEED;
use crate::plan::tree::{Entry, Node};
use crate::plan::words::is_variable_name;

/// Columns and rows as they were read.
type Rows = (Vec<Arc<str>>, Vec<Row>);

impl Reader<'_> {
    /// `[data]`.
    pub(super) fn feeds(&mut self, node: Option<&Node>) -> Vec<DataFeed> {
        let Some(node) = node else { return Vec::new() };
        let entries = self.map(node, "a table of data feeds");
        entries.iter().filter_map(|entry| self.feed(entry)).collect()
    }

    fn feed(&mut self, entry: &Entry) -> Option<DataFeed> {
        let fields = self.open(&entry.node, &FEED)?;
        if !is_variable_name(&entry.key) {
            self.wrong::<()>(&entry.node, format!("`{}` cannot name a data feed", entry.key));
        }
        let mode = fields.get("mode").and_then(|node| self.word(node, FeedMode::WORDS));
        let mode = mode.unwrap_or(FeedMode::Sequential);
        let source = self.one_of(&fields, &["file", "rows"]);
        let Some(source) = source else {
            return self.wrong_help(
                &entry.node,
                format!("data feed `{}` has no rows", entry.key),
                "give it `file = \"rows.csv\"` or `rows = [{ … }]`",
            );
        };
        let mut file = None;
        let delimiter = fields.get("delimiter").and_then(|node| self.delimiter(node));
        let (columns, rows) = if source.key == "file" {
            let (path, bytes) = self.load_file(&source.node)?;
            let rows = self.parse_file(&source.node, &path, &bytes, delimiter)?;
            file = Some(path.into());
            rows
        } else {
            self.inline_rows(&source.node)?
        };
        if rows.is_empty() {
            let message = match &file {
                Some(path) => format!("`{path}` has no rows"),
                None => "there are no rows".to_owned(),
            };
            return self.wrong_help(&source.node, message, "a feed needs at least one");
        }
        Some(DataFeed {
            name: entry.key.as_str().into(),
            file,
            delimiter,
            mode,
            columns,
            rows: rows.into(),
        })
    }

    fn delimiter(&mut self, node: &Node) -> Option<u8> {
        match self.text(node)?.as_bytes() {
            [byte] => Some(*byte),
            _ => self.wrong(node, "a delimiter is one character, such as \";\" or \"\\t\""),
        }
    }

    fn parse_file(
        &mut self,
        node: &Node,
        path: &str,
        bytes: &[u8],
        delimiter: Option<u8>,
    ) -> Option<Rows> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension);
        let read = match extension.to_ascii_lowercase().as_str() {
            "csv" | "txt" => read_csv(bytes, delimiter.unwrap_or(b',')),
            "tsv" => read_csv(bytes, delimiter.unwrap_or(b'\t')),
            "json" => read_json(bytes),
            "ndjson" | "jsonl" => read_ndjson(bytes),
            other => {
                return self.wrong_help(
                    node,
                    format!("unknown kind of data file `.{other}`"),
                    "known are .csv, .tsv, .json and .ndjson",
                );
            }
        };
        match read {
            Ok(rows) => Some(rows),
            Err(message) => self.wrong(node, format!("`{path}`: {message}")),
        }
    }

    fn inline_rows(&mut self, node: &Node) -> Option<Rows> {
        let items = self.list(node, "rows");
        let mut objects = Vec::new();
        for item in items {
            let mut object = BTreeMap::new();
            for entry in self.map(item, "a row, such as { name = \"a\" }") {
                object.insert(entry.key.clone(), self.scalar_text(&entry.node)?.into_bytes());
            }
            objects.push(object);
        }
        match table_of(objects) {
            Ok(rows) => Some(rows),
            Err(message) => self.wrong(node, message),
        }
    }
}

fn read_csv(bytes: &[u8], delimiter: u8) -> Result<Rows, String> {
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(bytes);
    let head = reader.byte_headers().map_err(|error| error.to_string())?.clone();
    let columns: Vec<Arc<str>> =
        head.iter().map(|name| String::from_utf8_lossy(name).trim().into()).collect();
    if columns.iter().any(|name| name.is_empty()) {
        return Err("the first line has to name every column".to_owned());
    }
    let unique: std::collections::BTreeSet<_> = columns.iter().collect();
    if unique.len() != columns.len() {
        return Err("two columns have the same name".to_owned());
    }
    let mut rows = Vec::new();
    for record in reader.byte_records() {
        let record = record.map_err(|error| error.to_string())?;
        rows.push(record.iter().map(Arc::from).collect());
    }
    Ok((columns, rows))
}

type JsonObject = serde_json::Map<String, serde_json::Value>;

fn read_json(bytes: &[u8]) -> Result<Rows, String> {
    let objects: Vec<JsonObject> =
        serde_json::from_slice(bytes).map_err(|error| format!("not a list of objects: {error}"))?;
    table_of(objects.into_iter().map(cells).collect())
}

fn read_ndjson(bytes: &[u8]) -> Result<Rows, String> {
    let mut objects = Vec::new();
    for (at, line) in bytes.split(|b| *b == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let object: JsonObject = serde_json::from_slice(line)
            .map_err(|error| format!("line {} is not an object: {error}", at + 1))?;
        objects.push(cells(object));
    }
    table_of(objects)
}

/// Texts go in without quotes, everything else as JSON.
fn cells(object: JsonObject) -> BTreeMap<String, Vec<u8>> {
    let cell = |value| match value {
        serde_json::Value::String(text) => text.into_bytes(),
        other => other.to_string().into_bytes(),
    };
    object.into_iter().map(|(key, value)| (key, cell(value))).collect()
}

/// All rows have the columns of the first.
fn table_of(objects: Vec<BTreeMap<String, Vec<u8>>>) -> Result<Rows, String> {
    let Some(first) = objects.first() else { return Ok((Vec::new(), Vec::new())) };
    let columns: Vec<Arc<str>> = first.keys().map(|key| key.as_str().into()).collect();
    if columns.is_empty() {
        return Err("the first row has no columns".to_owned());
    }
    let mut rows = Vec::with_capacity(objects.len());
    for (at, object) in objects.into_iter().enumerate() {
        if object.len() != columns.len()
            || !columns.iter().all(|column| object.contains_key(&**column))
        {
            let names: Vec<&str> = columns.iter().map(|column| &**column).collect();
            return Err(format!(
                "row {} does not have the same columns as the first ({})",
                at + 1,
                names.join(", ")
            ));
        }
        rows.push(object.into_values().map(Arc::from).collect());
    }
    Ok((columns, rows))
}
