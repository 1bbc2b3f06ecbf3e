//! What is looked at in answers: checks, extractions, cache hits.

use super::Reader;
use super::conditions::Bare;
use super::plan::Names;
use super::scope::UserScope;
use super::table::Fields;
use crate::inspect::{
    CacheRule, Check, CheckKind, Condition, Extract, ExtractFrom, JsonQuery, StatusSet,
};
use crate::plan::diagnostic::Diagnostic;
use crate::plan::spec::{CACHE, CHECK, CHECK_NAMED, EXTRACT};
use crate::plan::tree::{Entry, Node, Value};
use crate::plan::words::is_token;

/// How a cache hit is known.
pub(super) type HitRule = CacheRule;

impl Reader<'_> {
    /// `check`, in its short or long form.
    pub(super) fn checks(&mut self, node: &Node, names: &mut Names) -> Vec<Check> {
        let mut checks = Vec::new();
        if node.as_table().is_some() {
            if let Some(fields) = self.open(node, &CHECK) {
                self.short_checks(&fields, None, names, &mut checks);
            }
            return checks;
        }
        for item in self.list(node, "checks, or a table of conditions") {
            let Some(fields) = self.open(item, &CHECK_NAMED) else { continue };
            let name = fields.get("name").and_then(|node| self.name(node)).map(str::to_owned);
            let before = checks.len();
            self.short_checks(&fields, name.as_deref(), names, &mut checks);
            if checks.len() > before + 1 && name.is_some() {
                self.wrong_help::<()>(
                    item,
                    "a check with a name has one condition",
                    "write one [[…check]] for each",
                );
            }
        }
        checks
    }

    fn short_checks(
        &mut self,
        fields: &Fields<'_>,
        name: Option<&str>,
        names: &mut Names,
        checks: &mut Vec<Check>,
    ) {
        let before = checks.len();
        let mut add = |found: Option<(CheckKind, String)>| {
            if let Some((kind, own_name)) = found {
                let name = name.unwrap_or(&own_name);
                checks.push(Check { id: names.check(name), name: name.into(), kind });
            }
        };
        let mut any = false;
        for entry in fields.entries() {
            any |= entry.key != "name";
            match entry.key.as_str() {
                "name" => {}
                "status" => add(self.status_check(&entry.node)),
                "duration" => add(self.duration_check(&entry.node)),
                "body" => {
                    let found = self.condition(&entry.node, Bare::Contains);
                    add(found.map(|(c, text)| (CheckKind::Body(c), format!("body {text}"))));
                }
                "header" => {
                    for header in self.map(&entry.node, "a table of headers with conditions") {
                        add(self.header_check(&header.key, header));
                    }
                }
                key if key.starts_with('$') => add(self.json_check(entry)),
                key => {
                    if let Some(header) = key.strip_prefix("header.") {
                        add(self.header_check(header, entry));
                    }
                }
            }
        }
        if !any && checks.len() == before {
            self.error(
                Diagnostic::at(fields.at, "there is no condition here")
                    .help("such as { status = 200, \"$.id\" = \"exists\" }"),
            );
        }
    }

    fn status_check(&mut self, node: &Node) -> Option<(CheckKind, String)> {
        let items = match &node.value {
            Value::List(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        let mut ranges = Vec::new();
        let mut words = Vec::new();
        for item in items {
            let (range, word) = match &item.value {
                Value::Whole(_) => {
                    let status = self.whole(item, 100, 599)? as u16;
                    ((status, status), status.to_string())
                }
                Value::Text(text) => match status_range(text.text.trim()) {
                    Some(range) => (range, text.text.trim().to_owned()),
                    None => {
                        return self.wrong_help(
                            item,
                            format!("`{}` is not a status", text.text),
                            "such as 200, \"2xx\", \"<400\", \"200..299\" or [200, 201]",
                        );
                    }
                },
                _ => {
                    return self.wrong_help(
                        item,
                        format!("expected a status, found {}", item.kind()),
                        "such as 200, \"2xx\", \"<400\", \"200..299\" or [200, 201]",
                    );
                }
            };
            ranges.push(range);
            words.push(word);
        }
        if ranges.is_empty() {
            return self.wrong(node, "expected at least one status");
        }
        Some((
            CheckKind::Status(StatusSet(ranges.into())),
            format!("status {}", words.join(" or ")),
        ))
    }

    fn duration_check(&mut self, node: &Node) -> Option<(CheckKind, String)> {
        let (less, or_equal, limit) = self.time_limit(node)?;
        let text = self.text(node)?.trim();
        Some((CheckKind::Duration { less, or_equal, limit }, format!("duration {text}")))
    }

    fn header_check(&mut self, name: &str, entry: &Entry) -> Option<(CheckKind, String)> {
        let name = self.answer_header(name, entry)?;
        let (condition, text) = self.condition(&entry.node, Bare::Equals)?;
        let label = format!("header {name} {text}");
        Some((CheckKind::Header { name: name.into(), condition }, label))
    }

    fn json_check(&mut self, entry: &Entry) -> Option<(CheckKind, String)> {
        let query = self.json_path_key(entry)?;
        let (condition, text) = self.condition(&entry.node, Bare::Equals)?;
        let is_word = matches!(condition, Condition::Equals(_))
            && !text.starts_with("is ")
            && !text.starts_with("==");
        let label = if is_word {
            format!("{} is {text}", entry.key)
        } else {
            format!("{} {text}", entry.key)
        };
        Some((CheckKind::Json { query, condition }, label))
    }

    fn json_path_key(&mut self, entry: &Entry) -> Option<JsonQuery> {
        match JsonQuery::parse(&entry.key) {
            Ok(query) => Some(query),
            Err(error) => {
                self.error(
                    Diagnostic::at(entry.key_at, format!("not a JSONPath: {error}")).help(PATHS),
                );
                None
            }
        }
    }

    /// A JSONPath.
    fn json_path(&mut self, node: &Node) -> Option<JsonQuery> {
        let text = self.text(node)?;
        match JsonQuery::parse(text) {
            Ok(query) => Some(query),
            Err(error) => self.wrong_help(node, format!("not a JSONPath: {error}"), PATHS),
        }
    }

    /// The name of a header in an answer, in lower case.
    fn answer_header(&mut self, name: &str, entry: &Entry) -> Option<String> {
        if is_token(name) {
            return Some(name.to_ascii_lowercase());
        }
        self.error(Diagnostic::at(entry.key_at, format!("`{name}` is not a header name")));
        None
    }

    /// `extract`.
    pub(super) fn extracts(&mut self, node: &Node, scope: &mut UserScope<'_>) -> Vec<Extract> {
        let entries = self.map(node, "a table of variables, such as { token = \"$.token\" }");
        let mut extracts = Vec::new();
        for entry in entries {
            if let Some((from, default)) = self.extraction(&entry.node) {
                let (slot, name) = (scope.declare(&entry.key), entry.key.as_str().into());
                extracts.push(Extract { slot, name, from, default });
            }
        }
        extracts
    }

    fn extraction(&mut self, node: &Node) -> Option<(ExtractFrom, Option<std::sync::Arc<[u8]>>)> {
        if let Some(text) = node.as_text() {
            let from = match text.text.as_str() {
                "body" => ExtractFrom::Body,
                "status" => ExtractFrom::Status,
                path if path.starts_with('$') => ExtractFrom::Json(self.json_path(node)?),
                other => {
                    return self.wrong_help(
                        node,
                        format!("`{other}` does not say where the value comes from"),
                        "a JSONPath (\"$.token\"), \"body\", \"status\", or a table: { header = \
                         \"location\" }, { cookie = \"session\" }, { regex = 'id=(\\d+)' }",
                    );
                }
            };
            return Some((from, None));
        }
        let fields = self.open(node, &EXTRACT)?;
        let default = match fields.get("default") {
            Some(node) => Some(self.scalar_text(node)?.into_bytes().into()),
            None => None,
        };
        let Some(entry) = self.one_of(&fields, &["json", "header", "regex", "cookie"]) else {
            return self.wrong(node, "expected one of json, header, regex or cookie");
        };
        let from = match entry.key.as_str() {
            "json" => ExtractFrom::Json(self.json_path(&entry.node)?),
            "header" => {
                let name = self.text(&entry.node)?;
                if !is_token(name) {
                    return self.wrong(&entry.node, format!("`{name}` is not a header name"));
                }
                ExtractFrom::Header(name.to_ascii_lowercase().into())
            }
            "cookie" => ExtractFrom::Cookie(self.name(&entry.node)?.into()),
            _ => {
                let text = self.text(&entry.node)?;
                let pattern = self.pattern(&entry.node, text)?;
                let groups = pattern.0.captures_len() - 1;
                let group = match fields.get("group") {
                    Some(node) if groups == 0 => {
                        return self.wrong(node, "the regular expression has no groups");
                    }
                    Some(node) => self.whole(node, 0, groups as u64)? as usize,
                    None => groups.min(1),
                };
                ExtractFrom::Regex { pattern, group }
            }
        };
        if fields.get("group").is_some() && !matches!(from, ExtractFrom::Regex { .. }) {
            return self.wrong(node, "`group` goes with `regex`");
        }
        Some((from, default))
    }

    /// `cache`.
    pub(super) fn cache_rule(&mut self, node: &Node) -> Option<CacheRule> {
        let fields = self.open(node, &CACHE)?;
        let Some(entry) = self.one_of(&fields, &["json", "header"]) else {
            return self.wrong_help(
                node,
                "a cache rule looks at `json` or `header`",
                "such as { json = \"$.cached\", equals = true }",
            );
        };
        // Nothing else said, a field of JSON is true on a hit.
        let has_condition =
            !fields.present(&["exists", "equals", "not_equals", "contains", "matches"]).is_empty();
        let condition = if entry.key == "json" && !has_condition {
            Condition::Equals(true.into())
        } else {
            self.condition_of(&fields, node)?.0
        };
        if entry.key == "json" {
            return Some(CacheRule::Json { query: self.json_path(&entry.node)?, condition });
        }
        let name = self.text(&entry.node)?;
        if !is_token(name) {
            return self.wrong(&entry.node, format!("`{name}` is not a header name"));
        }
        Some(CacheRule::Header { name: name.to_ascii_lowercase().into(), condition })
    }
}

const PATHS: &str = "a path begins with `$`, such as $.items[0].id (RFC 9535)";

/// `200`, `2xx`, `<400`, `>=200`, `200..299`.
fn status_range(text: &str) -> Option<(u16, u16)> {
    let status = |text: &str| text.trim().parse::<u16>().ok().filter(|s| (100..=599).contains(s));
    if let [class @ b'1'..=b'5', b'x' | b'X', b'x' | b'X'] = text.as_bytes() {
        let first = u16::from(class - b'0') * 100;
        return Some((first, first + 99));
    }
    if let Some((low, high)) = text.split_once("..").or_else(|| text.split_once('-')) {
        let (low, high) = (status(low)?, status(high.trim_start_matches('='))?);
        return (low <= high).then_some((low, high));
    }
    if let Some(limit) = text.strip_prefix("<=") {
        return Some((100, status(limit)?));
    }
    if let Some(limit) = text.strip_prefix('<') {
        return status(limit).filter(|limit| *limit > 100).map(|limit| (100, limit - 1));
    }
    if let Some(limit) = text.strip_prefix(">=") {
        return Some((status(limit)?, 599));
    }
    if let Some(limit) = text.strip_prefix('>') {
        return status(limit).filter(|limit| *limit < 599).map(|limit| (limit + 1, 599));
    }
    status(text).map(|status| (status, status))
}
