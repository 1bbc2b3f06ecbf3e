//! `[http]`: settings, default headers and credentials.

use std::sync::Arc;

use super::Reader;
use super::scope::UserScope;
use crate::plan::model::{
    Encoding, Header, HttpSettings, HttpVersion, PemFile, Redirects, StaticHost, Tls,
};
use crate::plan::spec::{BASIC, HTTP, TLS};
use crate::plan::tree::{Entry, Node, Value};
use crate::plan::words::is_token;
use crate::redact::is_secret_name;
use crate::template::{Escape, Expr, Filter, Segment, Source, Template};

impl Reader<'_> {
    /// `[http]`.
    pub(super) fn http(&mut self, node: &Node) -> HttpSettings {
        let mut http = HttpSettings::default();
        let Some(fields) = self.open(node, &HTTP) else { return http };
        if let Some(timeout) = fields.get("timeout").and_then(|n| self.positive_duration(n)) {
            http.timeout = timeout;
        }
        let connect_timeout = fields.get("connect_timeout").and_then(|n| self.positive_duration(n));
        http.connect_timeout = connect_timeout.unwrap_or(http.connect_timeout);
        if let Some(redirects) = fields.get("follow_redirects").and_then(|n| self.redirects(n)) {
            http.redirects = redirects;
        }
        if let Some(version) = fields.get("version").and_then(|n| self.word(n, HttpVersion::WORDS))
        {
            http.version = version;
        }
        if let Some(cookies) = fields.get("cookies").and_then(|n| self.boolean(n)) {
            http.cookies = cookies;
        }
        if let Some(keep_alive) = fields.get("keep_alive").and_then(|n| self.boolean(n)) {
            http.keep_alive = keep_alive;
        }
        if let Some(node) = fields.get("compression") {
            http.compression = self.compression(node);
        }
        if let Some(bytes) = fields.get("max_body").and_then(|n| self.bytes(n)) {
            http.max_body_bytes = bytes;
        }
        if let Some(node) = fields.get("user_agent") {
            http.user_agent = match node.value {
                Value::Bool(false) => None,
                _ => self.header_text(node),
            };
        }
        if let Some(node) = fields.get("resolve") {
            let entries = self.map(node, "a table of hosts");
            http.hosts = entries.iter().filter_map(|entry| self.static_host(entry)).collect();
        }
        if let Some(node) = fields.get("tls") {
            http.tls = self.tls(node);
        }
        http
    }

    /// How many redirects are followed.
    pub(super) fn redirects(&mut self, node: &Node) -> Option<Redirects> {
        match node.value {
            Value::Bool(true) => Some(Redirects(10)),
            Value::Bool(false) => Some(Redirects(0)),
            _ => self.whole(node, 0, 100).map(|n| Redirects(n as u16)),
        }
    }

    fn compression(&mut self, node: &Node) -> Vec<Encoding> {
        match &node.value {
            Value::Bool(true) => Encoding::WORDS.iter().map(|(_, encoding)| *encoding).collect(),
            Value::Bool(false) => Vec::new(),
            _ => {
                let items = self.list(node, "encodings, or true or false");
                items.iter().filter_map(|item| self.word(item, Encoding::WORDS)).collect()
            }
        }
    }

    /// A text that may stand in a header.
    fn header_text(&mut self, node: &Node) -> Option<Arc<str>> {
        let text = self.plain_text(node)?;
        if text.chars().any(char::is_control) {
            return self.wrong(node, "a header has no line breaks and control characters");
        }
        Some(text)
    }

    fn static_host(&mut self, entry: &Entry) -> Option<StaticHost> {
        let (host, port) = match entry.key.rsplit_once(':') {
            Some((host, port)) => match port.parse::<u16>() {
                Ok(port) => (host, Some(port)),
                Err(_) => {
                    return self.wrong(&entry.node, format!("`{port}` is not a port"));
                }
            },
            None => (entry.key.as_str(), None),
        };
        let items = match &entry.node.value {
            Value::List(items) => items.as_slice(),
            _ => std::slice::from_ref(&entry.node),
        };
        let mut addresses = Vec::new();
        for item in items {
            let text = self.text(item)?;
            match text.trim_start_matches('[').trim_end_matches(']').parse() {
                Ok(address) => addresses.push(address),
                Err(_) => {
                    return self.wrong_help(
                        item,
                        format!("`{text}` is not an IP address"),
                        "such as \"127.0.0.1\" or \"::1\"",
                    );
                }
            }
        }
        if addresses.is_empty() {
            return self.wrong(&entry.node, "expected at least one address");
        }
        Some(StaticHost { host: host.to_ascii_lowercase().into(), port, addresses })
    }

    fn tls(&mut self, node: &Node) -> Tls {
        let Some(fields) = self.open(node, &TLS) else { return Tls::default() };
        let tls = Tls {
            ca: fields.get("ca").and_then(|n| self.pem(n)),
            client_cert: fields.get("client_cert").and_then(|n| self.pem(n)),
            client_key: fields.get("client_key").and_then(|n| self.pem(n)),
            insecure: fields.get("insecure").and_then(|n| self.boolean(n)).unwrap_or(false),
            server_name: fields.get("server_name").and_then(|n| self.name(n)).map(Arc::from),
        };
        match (fields.get("client_cert"), fields.get("client_key")) {
            (Some(node), None) => {
                self.wrong_help::<()>(node, "client_cert without client_key", "give both")
            }
            (None, Some(node)) => {
                self.wrong_help::<()>(node, "client_key without client_cert", "give both")
            }
            _ => None,
        };
        tls
    }

    fn pem(&mut self, node: &Node) -> Option<PemFile> {
        let (path, bytes) = self.load_file(node)?;
        if !bytes.windows(10).any(|window| window == b"-----BEGIN") {
            return self.wrong_help(
                node,
                format!("`{path}` is not a PEM file"),
                "it has no line that begins with -----BEGIN",
            );
        }
        Some(PemFile { path: path.into(), bytes: bytes.into() })
    }

    /// Headers and credentials of every request; those that are secrets are for the target only.
    pub(super) fn default_headers(
        &mut self,
        http: Option<&Node>,
        scope: &mut UserScope<'_>,
    ) -> Vec<Header> {
        let Some(http) = http.filter(|node| node.as_table().is_some()) else { return Vec::new() };
        let mut headers = match http.get("headers") {
            Some(node) => self.headers(node, scope),
            None => Vec::new(),
        };
        headers.extend(self.credentials(http.get("basic"), http.get("bearer"), scope));
        for header in &mut headers {
            header.target_only = is_secret_name(&header.name);
        }
        headers
    }

    /// A table of headers.
    pub(super) fn headers(&mut self, node: &Node, scope: &mut UserScope<'_>) -> Vec<Header> {
        let entries = self.map(node, "a table of headers");
        let mut headers = Vec::new();
        for entry in entries {
            if !self.header_name(entry) {
                continue;
            }
            let items = match &entry.node.value {
                Value::List(items) => items.as_slice(),
                _ => std::slice::from_ref(&entry.node),
            };
            for item in items {
                if let Some(value) = self.header_value(item, scope) {
                    let name = entry.key.as_str().into();
                    headers.push(Header { name, value, target_only: false });
                }
            }
        }
        headers
    }

    fn header_name(&mut self, entry: &Entry) -> bool {
        let message = match entry.key.to_ascii_lowercase().as_str() {
            "content-length" | "transfer-encoding" | "connection" | "keep-alive" | "upgrade" => {
                format!("`{}` is set by Proofload itself", entry.key)
            }
            "accept-encoding" => "`accept-encoding` is set by [http] compression".to_owned(),
            name if !is_token(name) => format!("`{}` is not a header name", entry.key),
            _ => return true,
        };
        self.error(crate::plan::diagnostic::Diagnostic::at(entry.key_at, message));
        false
    }

    /// The value of a header.
    fn header_value(&mut self, node: &Node, scope: &mut UserScope<'_>) -> Option<Template> {
        let template = self.template(node, Escape::Header, scope)?;
        let is_wrong = template.segments().iter().any(|segment| {
            matches!(segment, Segment::Literal(bytes)
                if bytes.iter().any(|b| matches!(b, b'\r' | b'\n' | 0)))
        });
        if is_wrong {
            return self.wrong(node, "a header value has no line breaks");
        }
        Some(template)
    }

    /// The `authorization` header of user and password, or of a token.
    pub(super) fn credentials(
        &mut self,
        basic: Option<&Node>,
        bearer: Option<&Node>,
        scope: &mut UserScope<'_>,
    ) -> Option<Header> {
        let literal = |text: &str| Segment::Literal(text.as_bytes().into());
        let parts = match (basic, bearer) {
            (Some(_), Some(bearer)) => {
                return self.wrong(bearer, "`basic` and `bearer` exclude each other");
            }
            (Some(basic), None) => {
                let pair = self.basic_pair(basic, scope)?;
                let coded = Expr {
                    source: Source::Group(pair),
                    filters: [Filter::Base64].into(),
                    escape: Escape::Header,
                };
                vec![literal("Basic "), Template::folded(coded)]
            }
            (None, Some(bearer)) => {
                let token = self.header_value(bearer, scope)?;
                let mut parts = vec![literal("Bearer ")];
                parts.extend(token.segments().iter().cloned());
                parts
            }
            (None, None) => return None,
        };
        let (name, value) = ("authorization".into(), Template::from_segments(parts));
        Some(Header { name, value, target_only: false })
    }

    /// `user:password`.
    fn basic_pair(&mut self, node: &Node, scope: &mut UserScope<'_>) -> Option<Template> {
        if let Some(text) = node.as_text() {
            if !text.text.contains(':') {
                return self.wrong_help(
                    node,
                    "expected \"user:password\"",
                    "or a table: { user = \"…\", password = \"…\" }",
                );
            }
            return self.template(node, Escape::None, scope);
        }
        let fields = self.open(node, &BASIC)?;
        let (Some(user), Some(password)) = (fields.get("user"), fields.get("password")) else {
            return self.wrong(node, "expected both user and password");
        };
        let user = self.template(user, Escape::None, scope)?;
        let password = self.template(password, Escape::None, scope)?;
        let colon = [Segment::Literal(b":".as_slice().into())];
        let parts = user.segments().iter().chain(&colon).chain(password.segments()).cloned();
        Some(Template::from_segments(parts))
    }
}
