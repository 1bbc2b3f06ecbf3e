//! Bodies: JSON, forms, multipart, raw text and files all become one template.

use super::Reader;
use super::scope::UserScope;
use super::table::Fields;
use crate::plan::diagnostic::Diagnostic;
use crate::plan::model::Body;
use crate::plan::spec::MULTIPART_PART;
use crate::plan::tree::{Entry, Node, Value};
use crate::template::{Escape, Segment, Template, json_text};

/// A body with the content type it asks for.
pub(super) struct TypedBody {
    pub(super) body: Body,
    pub(super) content_type: Option<Template>,
}

const BODY_KEYS: &[&str] = &["json", "form", "multipart", "body", "body_file", "body_template"];

fn literal(text: &str) -> Segment {
    Segment::Literal(text.as_bytes().into())
}

impl Reader<'_> {
    pub(super) fn body(
        &mut self,
        fields: &Fields<'_>,
        scope: &mut UserScope<'_>,
    ) -> Option<TypedBody> {
        let chosen = fields.get("content_type").and_then(|node| self.plain_text(node));
        let entry = self.one_of(fields, BODY_KEYS);
        let Some(Entry { key, node, .. }) = entry else {
            if let Some(entry) = fields.entry("content_type") {
                self.error(
                    Diagnostic::at(entry.key_at, "`content_type` without a body")
                        .help("add json, form, multipart, body, body_file or body_template"),
                );
            }
            return None;
        };
        let (content, own_type) = match key.as_str() {
            "json" => (self.json_template(node, scope)?, Some("application/json".to_owned())),
            "form" => {
                let fields = self.query_segments(node, scope);
                let own_type = "application/x-www-form-urlencoded".to_owned();
                (Template::from_segments(fields), Some(own_type))
            }
            "multipart" => {
                let (content, boundary) = self.multipart(node, scope)?;
                (content, Some(format!("multipart/form-data; boundary={boundary}")))
            }
            "body" => (self.template(node, Escape::None, scope)?, None),
            "body_file" => {
                let (path, bytes) = self.load_file(node)?;
                (Template::literal(bytes), type_of_file(&path).map(str::to_owned))
            }
            _ => self.body_template(node, scope)?,
        };
        let content_type = chosen
            .map(|text| text.to_string())
            .or(own_type)
            .map(|text| Template::literal(text.into_bytes()));
        Some(TypedBody { body: Body { content }, content_type })
    }

    fn body_template(
        &mut self,
        node: &Node,
        scope: &mut UserScope<'_>,
    ) -> Option<(Template, Option<String>)> {
        let (path, bytes) = self.load_file(node)?;
        let Ok(text) = String::from_utf8(bytes) else {
            return self.wrong_help(
                node,
                format!("`{path}` is not text"),
                "send it as it is with body_file",
            );
        };
        let own_type = type_of_file(&path);
        let escape = if own_type == Some("application/json") { Escape::Json } else { Escape::None };
        match Template::parse(&text, escape, scope) {
            Ok(template) => Some((template, own_type.map(str::to_owned))),
            Err(errors) => {
                for error in errors {
                    let line = text[..error.range.start].matches('\n').count() + 1;
                    let message = format!("`{path}`, line {line}: {}", error.message);
                    let mut diagnostic = Diagnostic::at(node.at, message);
                    diagnostic.help = error.help;
                    self.error(diagnostic);
                }
                None
            }
        }
    }

    fn json_template(&mut self, node: &Node, scope: &mut UserScope<'_>) -> Option<Template> {
        let mut segments = Vec::new();
        self.json(node, scope, &mut segments)?;
        Some(Template::from_segments(segments))
    }

    fn json(
        &mut self,
        node: &Node,
        scope: &mut UserScope<'_>,
        out: &mut Vec<Segment>,
    ) -> Option<()> {
        match &node.value {
            Value::Text(text) => match Template::parse_json_string(&text.text, scope) {
                Ok(segments) => out.extend(segments),
                Err(errors) => {
                    for error in errors {
                        let mut diagnostic = Diagnostic::at(node.part(&error.range), error.message);
                        diagnostic.help = error.help;
                        self.error(diagnostic);
                    }
                    return None;
                }
            },
            Value::Whole(number) => out.push(literal(&number.to_string())),
            Value::Float(number) if number.is_finite() => {
                out.push(literal(&serde_json::Value::from(*number).to_string()));
            }
            Value::Float(_) => return self.wrong(node, "JSON has no such number"),
            Value::Bool(value) => out.push(literal(&value.to_string())),
            Value::Datetime(date) => out.push(literal(&json_text(date))),
            Value::List(items) => {
                out.push(literal("["));
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        out.push(literal(","));
                    }
                    self.json(item, scope, out)?;
                }
                out.push(literal("]"));
            }
            Value::Table(entries) => {
                out.push(literal("{"));
                for (at, entry) in entries.iter().enumerate() {
                    let comma = if at > 0 { "," } else { "" };
                    out.push(literal(&format!("{comma}{}:", json_text(&entry.key))));
                    self.json(&entry.node, scope, out)?;
                }
                out.push(literal("}"));
            }
        }
        Some(())
    }

    /// The body and its boundary (RFC 7578).
    fn multipart(&mut self, node: &Node, scope: &mut UserScope<'_>) -> Option<(Template, String)> {
        let mut parts = Vec::new();
        for entry in self.map(node, "a table of parts") {
            parts.push(self.part(entry, scope)?);
        }
        if parts.is_empty() {
            return self.wrong(node, "expected at least one part");
        }
        let boundary = boundary_outside(&parts);
        let mut segments = Vec::new();
        for part in parts {
            segments.push(literal(&format!("--{boundary}\r\n{}\r\n", part.head)));
            segments.extend(part.content.segments().iter().cloned());
            segments.push(literal("\r\n"));
        }
        segments.push(literal(&format!("--{boundary}--\r\n")));
        Some((Template::from_segments(segments), boundary))
    }

    fn part(&mut self, entry: &Entry, scope: &mut UserScope<'_>) -> Option<Part> {
        let name = quoted_parameter(&entry.key);
        let disposition = format!("Content-Disposition: form-data; name=\"{name}\"");
        if entry.node.as_table().is_none() {
            let content = self.template(&entry.node, Escape::None, scope)?;
            return Some(Part { head: format!("{disposition}\r\n"), content });
        }
        let fields = self.open(&entry.node, &MULTIPART_PART)?;
        let filename = fields.get("filename").and_then(|node| self.text(node));
        let content_type = fields.get("content_type").and_then(|node| self.plain_text(node));
        let Some(source) = self.one_of(&fields, &["file", "value"]) else {
            return self.wrong(&entry.node, "expected `file` or `value`");
        };
        let mut filename = filename.map(str::to_owned);
        let mut content_type = content_type.map(|text| text.to_string());
        let content = if source.key == "file" {
            let (path, bytes) = self.load_file(&source.node)?;
            let own = path.rsplit(['/', '\\']).next().unwrap_or(&path).to_owned();
            filename = filename.or(Some(own));
            let known = type_of_file(&path).unwrap_or("application/octet-stream");
            content_type = content_type.or_else(|| Some(known.to_owned()));
            Template::literal(bytes)
        } else {
            self.template(&source.node, Escape::None, scope)?
        };
        let mut head = disposition;
        if let Some(filename) = filename {
            head.push_str(&format!("; filename=\"{}\"", quoted_parameter(&filename)));
        }
        head.push_str("\r\n");
        if let Some(content_type) = content_type {
            head.push_str(&format!("Content-Type: {content_type}\r\n"));
        }
        Some(Part { head, content })
    }
}

struct Part {
    head: String,
    content: Template,
}

/// As browsers write names into `Content-Disposition` (WHATWG, multipart/form-data encoding).
fn quoted_parameter(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

/// A boundary that none of the parts has in its literal bytes. Always the same for the same parts.
fn boundary_outside(parts: &[Part]) -> String {
    let is_in = |boundary: &str| {
        let finder = memchr::memmem::Finder::new(boundary.as_bytes());
        parts.iter().flat_map(|part| part.content.segments()).any(
            |segment| matches!(segment, Segment::Literal(bytes) if finder.find(bytes).is_some()),
        )
    };
    (0_u32..)
        .map(|number| format!("proofload-part-{number:08x}"))
        .find(|boundary| !is_in(boundary))
        .unwrap_or_default()
}

/// The content type that a file's name speaks of.
fn type_of_file(path: &str) -> Option<&'static str> {
    let (_, extension) = path.rsplit_once('.')?;
    Some(match extension.to_ascii_lowercase().as_str() {
        "json" => "application/json",
        "xml" => "application/xml",
        "html" | "htm" => "text/html; charset=utf-8",
        "txt" => "text/plain; charset=utf-8",
        "csv" => "text/csv",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "svg" => "image/svg+xml",
        "pdf" => "application/pdf",
        "zip" => "application/zip",
        "gz" => "application/gzip",
        "mp3" => "audio/mpeg",
        "mp4" => "video/mp4",
        _ => return None,
    })
}
