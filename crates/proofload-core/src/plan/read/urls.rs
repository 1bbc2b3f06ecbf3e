//! URLs: what is known when the plan is read, and what only when a request is made.

use std::ops::Range;

use super::Reader;
use super::scope::UserScope;
use crate::plan::diagnostic::Diagnostic;
use crate::plan::model::{BaseUrl, RequestUrl, Scheme};
use crate::plan::tree::{Entry, Node, Value};
use crate::template::{Escape, Segment, Template, find_outside_expressions};

/// Reads `http://host:port/prefix`. Also for `--target`.
///
/// # Errors
/// What is wrong, and what to do about it.
pub(in crate::plan) fn parse_base_url(text: &str) -> Result<BaseUrl, (String, String)> {
    let form = || "a URL has the form http://host:port or https://host/prefix".to_owned();
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (Scheme::Http, rest),
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => (Scheme::Https, rest),
        Some((scheme, _)) => {
            return Err((
                format!("unknown scheme `{scheme}`"),
                "use http:// or https://".to_owned(),
            ));
        }
        None if text.is_empty() => return Err(("an empty text is no URL".to_owned(), form())),
        None => {
            let help = format!("write \"http://{}\"", text.trim_start_matches('/'));
            return Err((format!("`{text}` has no scheme"), help));
        }
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    if path.contains(['?', '#']) {
        let help = "write the path and query into the requests".to_owned();
        return Err(("a target has no query and no fragment".to_owned(), help));
    }
    if authority.contains('@') {
        let help = "use `basic = \"user:password\"` instead".to_owned();
        return Err(("a URL has no user and password here".to_owned(), help));
    }
    let (host, port) = split_port(authority).ok_or_else(|| {
        (format!("`{authority}` is not host:port"), "a port is a number from 1 to 65535".to_owned())
    })?;
    check_host(host)?;
    Ok(BaseUrl {
        scheme,
        host: host.to_ascii_lowercase().into(),
        port: port.unwrap_or(scheme.default_port()),
        prefix: encode_literal(path.trim_end_matches('/')).into(),
    })
}

/// Host and port. `None` if the port is not one.
fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let after_v6 = authority.rfind(']').map_or(0, |end| end + 1);
    match authority[after_v6..].rfind(':') {
        Some(colon) => {
            let colon = after_v6 + colon;
            let port: u16 = authority[colon + 1..].parse().ok()?;
            (port > 0).then_some((&authority[..colon], Some(port)))
        }
        None => Some((authority, None)),
    }
}

fn check_host(host: &str) -> Result<(), (String, String)> {
    let wrong =
        |help: &str| Err((format!("`{host}` is not a host name or address"), help.to_owned()));
    if host.is_empty() {
        return Err(("the URL has no host".to_owned(), "such as http://127.0.0.1:8000".to_owned()));
    }
    if let Some(v6) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return match v6.parse::<std::net::Ipv6Addr>() {
            Ok(_) => Ok(()),
            Err(_) => wrong("an IPv6 address in brackets, such as [::1]"),
        };
    }
    if !host.is_ascii() {
        return wrong("write international names in their ASCII form (xn--…)");
    }
    let is_fine = host.len() <= 253
        && host.split('.').all(|label| label.len() <= 63)
        && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
    if is_fine { Ok(()) } else { wrong("letters, digits, `-` and `.` only") }
}

/// Percent-encodes what may not stand in a URL; what is encoded already stays.
fn encode_literal(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

fn encode_segments(template: &Template) -> Vec<Segment> {
    let encoded = template.segments().iter().map(|segment| match segment {
        Segment::Literal(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Segment::Literal(encode_literal(text).into_bytes().into()),
            Err(_) => segment.clone(),
        },
        Segment::Expr(_) => segment.clone(),
    });
    encoded.collect()
}

impl Reader<'_> {
    /// A base URL.
    pub(super) fn base_url(&mut self, node: &Node) -> Option<BaseUrl> {
        let text = self.text(node)?.trim();
        match parse_base_url(text) {
            Ok(url) => Some(url),
            Err((message, help)) => self.wrong_help(node, message, help),
        }
    }

    /// The URL of a request, with its query.
    pub(super) fn request_url(
        &mut self,
        node: &Node,
        query: Option<&Node>,
        scope: &mut UserScope<'_>,
    ) -> Option<RequestUrl> {
        let text = self.text(node)?.to_owned();
        let query = query.map(|query| self.query_segments(query, scope));
        if text.trim() != text || text.is_empty() {
            return self.wrong_help(
                node,
                "a URL is not empty and has no blanks around it",
                "write a path such as \"/\"",
            );
        }
        if text.starts_with("{{") {
            return self.whole_url(node, &text, query, scope);
        }
        if text.starts_with('/') {
            let path = self.path_template(node, &text, 0, query, scope)?;
            return Some(RequestUrl::Path { origin: None, path });
        }
        if !text.contains("://") {
            let help =
                format!("a path begins with `/`: \"/{text}\"; anything else is a URL with http://");
            return self.wrong_help(node, format!("`{text}` is neither a path nor a URL"), help);
        }
        let authority_at = text.find("://").map_or(0, |at| at + 3);
        let path_at = find_outside_expressions(&text[authority_at..], &['/', '?', '#'])
            .map_or(text.len(), |at| authority_at + at);
        if text[..path_at].contains("{{") {
            return self.whole_url(node, &text, query, scope);
        }
        let origin = match parse_base_url(&text[..path_at]) {
            Ok(origin) => origin,
            Err((message, help)) => return self.wrong_help(node, message, help),
        };
        let path = self.path_template(node, &text, path_at, query, scope)?;
        Some(RequestUrl::Path { origin: Some(origin), path })
    }

    /// A URL that begins with an expression: nothing is known about it yet, and its leading
    /// expressions go in as they are.
    fn whole_url(
        &mut self,
        node: &Node,
        text: &str,
        query: Option<Vec<Segment>>,
        scope: &mut UserScope<'_>,
    ) -> Option<RequestUrl> {
        let after_scheme = text.find("://").map_or(0, |at| at + 3);
        let path_at = find_outside_expressions(&text[after_scheme..], &['/', '?', '#'])
            .map_or(text.len(), |at| after_scheme + at);
        let mut segments =
            self.template_part(node, text, 0..path_at, Escape::None, scope)?.segments().to_vec();
        if path_at < text.len() || query.is_some() {
            let path = self.path_template(node, text, path_at, query, scope)?;
            segments.extend(path.segments().iter().cloned());
        }
        Some(RequestUrl::Whole(Template::from_segments(segments)))
    }

    /// Path and query from `from` on, with more query to add.
    fn path_template(
        &mut self,
        node: &Node,
        text: &str,
        from: usize,
        query: Option<Vec<Segment>>,
        scope: &mut UserScope<'_>,
    ) -> Option<Template> {
        let rest = &text[from..];
        if find_outside_expressions(rest, &['#']).is_some() {
            return self.wrong_help(
                node,
                "a fragment (`#…`) is never sent",
                "remove it, or write %23 for a literal #",
            );
        }
        let query_at = find_outside_expressions(rest, &['?']).map_or(text.len(), |at| from + at);
        let path = self.template_part(node, text, from..query_at, Escape::Path, scope)?;
        let own = self.template_part(node, text, query_at..text.len(), Escape::Query, scope)?;
        let mut segments = encode_segments(&path);
        // In front of a whole URL's rest nothing has to be added; a path cannot be empty.
        if segments.is_empty() && !text.starts_with("{{") {
            segments.push(Segment::Literal(b"/".as_slice().into()));
        }
        segments.extend(encode_segments(&own));
        if let Some(query) = query.filter(|query| !query.is_empty()) {
            let joint = if own.is_empty() { "?" } else { "&" };
            segments.push(Segment::Literal(joint.as_bytes().into()));
            segments.extend(query);
        }
        Some(Template::from_segments(segments))
    }

    /// `a=1&b=2` from a table: for queries and forms.
    pub(super) fn query_segments(
        &mut self,
        node: &Node,
        scope: &mut UserScope<'_>,
    ) -> Vec<Segment> {
        let mut segments = Vec::new();
        let entries: &[Entry] = self.map(node, "a table of fields");
        for entry in entries {
            let values: &[Node] = match &entry.node.value {
                Value::List(items) => items,
                _ => std::slice::from_ref(&entry.node),
            };
            for value in values {
                let joint = if segments.is_empty() { "" } else { "&" };
                let key = encode_query(&entry.key);
                segments.push(Segment::Literal(format!("{joint}{key}=").into_bytes().into()));
                segments.extend(self.field_value(value, scope));
            }
        }
        Template::from_segments(segments).segments().to_vec()
    }

    fn field_value(&mut self, node: &Node, scope: &mut UserScope<'_>) -> Vec<Segment> {
        let Some(text) = self.scalar_text(node) else { return Vec::new() };
        let part = self.template_part(node, &text, 0..text.len(), Escape::Query, scope);
        let Some(template) = part else { return Vec::new() };
        let encode = |segment: &Segment| match segment {
            Segment::Literal(bytes) => {
                Segment::Literal(encode_query_bytes(bytes).into_bytes().into())
            }
            Segment::Expr(_) => segment.clone(),
        };
        template.segments().iter().map(encode).collect()
    }

    /// A text, number or truth value as text.
    pub(super) fn scalar_text(&mut self, node: &Node) -> Option<String> {
        match &node.value {
            Value::Text(text) => Some(text.text.clone()),
            Value::Whole(number) => Some(number.to_string()),
            Value::Float(number) => Some(number.to_string()),
            Value::Bool(value) => Some(value.to_string()),
            Value::Datetime(date) => Some(date.clone()),
            Value::List(_) | Value::Table(_) => {
                self.wrong(node, format!("expected a text or a number, found {}", node.kind()))
            }
        }
    }

    /// Compiles a part of a value's text.
    pub(super) fn template_part(
        &mut self,
        node: &Node,
        text: &str,
        part: Range<usize>,
        escape: Escape,
        scope: &mut UserScope<'_>,
    ) -> Option<Template> {
        match Template::parse(&text[part.clone()], escape, scope) {
            Ok(template) => Some(template),
            Err(errors) => {
                for error in errors {
                    let range = part.start + error.range.start..part.start + error.range.end;
                    let at = if node.as_text().is_some() { node.part(&range) } else { node.at };
                    let mut diagnostic = Diagnostic::at(at, error.message);
                    diagnostic.help = error.help;
                    self.error(diagnostic);
                }
                None
            }
        }
    }

    /// Compiles a value's text.
    pub(super) fn template(
        &mut self,
        node: &Node,
        escape: Escape,
        scope: &mut UserScope<'_>,
    ) -> Option<Template> {
        let text = self.scalar_text(node)?;
        self.template_part(node, &text, 0..text.len(), escape, scope)
    }
}

fn encode_query(text: &str) -> String {
    encode_query_bytes(text.as_bytes())
}

fn encode_query_bytes(bytes: &[u8]) -> String {
    let mut encoded = String::with_capacity(bytes.len());
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
