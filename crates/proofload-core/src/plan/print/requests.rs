//! Users and their requests as TOML.

use super::toml_text::{self, InlineTable, Writer, list, quote};
use super::{Secrets, url_text};
use crate::inspect::{CacheRule, Check, CheckKind, Condition, Extract, ExtractFrom};
use crate::plan::model::{
    Header, Plan, Redirects, RequestSpec, Sign, Step, TaskOrder, ThinkTime, UserKind,
};
use crate::template::{Escape, Segment, Source, Template};
use crate::units::duration_text;

pub(super) fn print_user(out: &mut Writer, plan: &Plan, user: &UserKind, secrets: Secrets) {
    out.section("[[user]]");
    out.text("name", &user.name);
    if user.weight != 1 {
        out.raw("weight", &user.weight.to_string());
    }
    if let Some(count) = user.count {
        out.raw("count", &count.to_string());
    }
    if user.think_time != ThinkTime::None {
        out.text("think_time", &think_time_text(user.think_time));
    }
    if user.order == TaskOrder::Sequential {
        out.text("order", "sequential");
    }
    let mut variables = InlineTable::default();
    for variable in &user.variables {
        if let Some(initial) = &variable.initial {
            variables.text(&variable.name, &initial.to_text(Escape::None));
        }
    }
    if !variables.is_empty() {
        out.raw("variables", &variables.finish());
    }
    let printer = Printer { plan, secrets };
    for step in &user.on_start {
        out.section("[[user.on_start]]");
        printer.step(out, step, true);
    }
    for task in &user.tasks {
        out.section("[[user.task]]");
        if task.weight != 1 {
            out.raw("weight", &task.weight.to_string());
        }
        if let Some(think_time) = task.think_time {
            out.text("think_time", &think_time_text(think_time));
        }
        // A single request gives the task its name.
        if let [Step::Request(request)] = &*task.steps
            && plan.groups[request.group.0 as usize] == task.name
        {
            printer.request(out, request, false);
            continue;
        }
        out.text("name", &task.name);
        for step in &task.steps {
            out.section("[[user.task.step]]");
            printer.step(out, step, false);
        }
    }
    for step in &user.on_stop {
        out.section("[[user.on_stop]]");
        printer.step(out, step, false);
    }
}

pub(super) fn think_time_text(think_time: ThinkTime) -> String {
    match think_time {
        ThinkTime::None => "none".to_owned(),
        ThinkTime::Constant(pause) => duration_text(pause),
        ThinkTime::Uniform { min, max } => {
            format!("{}..{}", duration_text(min), duration_text(max))
        }
    }
}

/// What requests need to know to be printed.
pub(super) struct Printer<'p> {
    pub(super) plan: &'p Plan,
    pub(super) secrets: Secrets,
}

impl Printer<'_> {
    fn step(&self, out: &mut Writer, step: &Step, is_start: bool) {
        match step {
            Step::Pause(pause) => out.text("pause", &think_time_text(*pause)),
            Step::Request(request) => self.request(out, request, is_start),
        }
    }

    fn request(&self, out: &mut Writer, request: &RequestSpec, is_start: bool) {
        out.text("name", &self.plan.groups[request.group.0 as usize]);
        let url = url_text(&request.url);
        let method = request.method.as_str();
        if matches!(method, "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "HEAD" | "OPTIONS") {
            out.text(&method.to_ascii_lowercase(), &url);
        } else {
            out.text("method", method);
            out.text("url", &url);
        }
        let (for_target, headers): (Vec<_>, Vec<_>) =
            request.headers.iter().cloned().partition(|header| header.target_only);
        for (key, headers) in [("headers", headers), ("target_headers", for_target)] {
            if !headers.is_empty() {
                out.raw(key, &self.headers(&headers));
            }
        }
        if let Some(body) = &request.body {
            out.text("body", &body.content.to_text(Escape::None));
        }
        if let Some(Sign::Twilio { auth_token }) = &request.sign {
            let mut table = InlineTable::default();
            table.text("twilio", &self.secret(auth_token, Escape::None));
            out.raw("sign", &table.finish());
        }
        if let Some(timeout) = request.timeout {
            out.text("timeout", &duration_text(timeout));
        }
        if let Some(Redirects(count)) = request.redirects {
            out.raw("follow_redirects", &count.to_string());
        }
        self.inspection(out, request, is_start);
    }

    fn inspection(&self, out: &mut Writer, request: &RequestSpec, is_start: bool) {
        let inspect = &request.inspect;
        let own_required = inspect.extracts.iter().any(|extract| extract.default.is_none());
        if !is_start && request.required != own_required {
            out.raw("required", &request.required.to_string());
        }
        if !inspect.extracts.is_empty() {
            let mut table = InlineTable::default();
            for extract in &inspect.extracts {
                table.raw(&extract.name, &extract_text(extract));
            }
            out.raw("extract", &table.finish());
        }
        if !inspect.checks.is_empty() {
            out.raw("check", &list(inspect.checks.iter().map(check_text)));
        }
        if inspect.cache != self.plan.cache {
            match &inspect.cache {
                Some(rule) => out.raw("cache", &cache_text(rule)),
                None => out.raw("cache", "false"),
            }
        }
    }

    pub(super) fn headers(&self, headers: &[Header]) -> String {
        let mut table = InlineTable::default();
        let mut names: Vec<&str> = Vec::new();
        for header in headers {
            if names.contains(&&*header.name) {
                continue;
            }
            names.push(&header.name);
            let mut values: Vec<String> = headers
                .iter()
                .filter(|other| other.name == header.name)
                .map(|other| self.header_value(other))
                .collect();
            if values.len() == 1 {
                table.raw(&header.name, &values.remove(0));
            } else {
                table.raw(&header.name, &list(values));
            }
        }
        table.finish()
    }

    fn header_value(&self, header: &Header) -> String {
        let is_secret = matches!(
            header.name.to_ascii_lowercase().as_str(),
            "authorization" | "proxy-authorization" | "cookie" | "x-api-key" | "api-key"
        ) || header.name.to_ascii_lowercase().contains("token");
        if is_secret {
            quote(&self.secret(&header.value, Escape::Header))
        } else {
            quote(&header.value.to_text(Escape::Header))
        }
    }

    /// A value that is fixed, or made from something fixed, is hidden; variables are not.
    fn secret(&self, value: &Template, escape: Escape) -> String {
        let mut is_made = false;
        value.visit(&mut |expr| is_made |= matches!(expr.source, Source::Group(_)));
        let is_fixed = value.as_literal().is_some() || is_made;
        if self.secrets == Secrets::Hide && is_fixed {
            return "***".to_owned();
        }
        value.to_text(escape)
    }
}

/// Path and query; what values escape to by default changes at the `?`. A whole URL's origin takes
/// values as they are.
pub(super) fn path_text(template: &Template, is_whole: bool) -> String {
    let mut place = if is_whole { Escape::None } else { Escape::Path };
    let mut text = String::new();
    // After a scheme two slashes are no path yet.
    let mut slashes_to_come = 0_usize;
    for segment in template.segments() {
        let Segment::Literal(bytes) = segment else {
            text.push_str(&Template::from_segments([segment.clone()]).to_text(place));
            continue;
        };
        for &byte in &**bytes {
            match (place, byte) {
                (Escape::None, b':') => slashes_to_come = 2,
                (Escape::None, b'/') if slashes_to_come > 0 => slashes_to_come -= 1,
                (Escape::None, b'/') => place = Escape::Path,
                (Escape::None | Escape::Path, b'?') => place = Escape::Query,
                (Escape::None, _) => slashes_to_come = 0,
                _ => {}
            }
        }
        text.push_str(&String::from_utf8_lossy(bytes));
    }
    text
}

fn extract_text(extract: &Extract) -> String {
    let mut table = InlineTable::default();
    match &extract.from {
        ExtractFrom::Body => return quote("body"),
        ExtractFrom::Status => return quote("status"),
        ExtractFrom::Json(query) => table.text("json", query.as_str()),
        ExtractFrom::Header(name) => table.text("header", name),
        ExtractFrom::Cookie(name) => table.text("cookie", name),
        ExtractFrom::Regex { pattern, group } => {
            table.text("regex", pattern.0.as_str());
            if pattern.0.captures_len() > 1 {
                table.raw("group", &group.to_string());
            }
        }
    }
    if let Some(default) = &extract.default {
        table.text("default", &String::from_utf8_lossy(default));
    }
    table.finish()
}

fn check_text(check: &Check) -> String {
    let mut table = InlineTable::default();
    table.text("name", &check.name);
    match &check.kind {
        CheckKind::Status(set) => {
            let ranges = set.0.iter().map(|(low, high)| match low == high {
                true => low.to_string(),
                false => quote(&format!("{low}..{high}")),
            });
            table.raw("status", &list(ranges));
        }
        CheckKind::Body(condition) => table.raw("body", &condition_text(condition)),
        CheckKind::Json { query, condition } => {
            table.raw(query.as_str(), &condition_text(condition));
        }
        CheckKind::Header { name, condition } => {
            table.raw(&format!("header.{name}"), &condition_text(condition));
        }
        CheckKind::Duration { less, or_equal, limit } => {
            let text = format!("{}{}", side(*less, *or_equal), duration_text(*limit));
            table.text("duration", &text);
        }
    }
    table.finish()
}

fn side(less: bool, or_equal: bool) -> &'static str {
    match (less, or_equal) {
        (true, false) => "<",
        (true, true) => "<=",
        (false, false) => ">",
        (false, true) => ">=",
    }
}

fn condition_text(condition: &Condition) -> String {
    match condition {
        Condition::Compare(number) => {
            quote(&format!("{} {}", side(number.less, number.or_equal), number.limit))
        }
        Condition::Equals(serde_json::Value::Null) => quote("== null"),
        Condition::NotEquals(serde_json::Value::Null) => quote("!= null"),
        other => {
            let mut table = InlineTable::default();
            add_condition(&mut table, other);
            table.finish()
        }
    }
}

fn add_condition(table: &mut InlineTable, condition: &Condition) {
    match condition {
        Condition::Exists => table.raw("exists", "true"),
        Condition::Absent => table.raw("exists", "false"),
        Condition::Equals(value) => {
            table.raw("equals", &toml_text::json(value).unwrap_or_else(|| quote("null")));
        }
        Condition::NotEquals(value) => {
            table.raw("not_equals", &toml_text::json(value).unwrap_or_else(|| quote("null")));
        }
        Condition::Contains(text) => table.text("contains", text),
        Condition::Matches(pattern) => table.text("matches", pattern.0.as_str()),
        // Has no key of its own, and no place where it could come from.
        Condition::Compare(_) => {}
    }
}

pub(super) fn cache_text(rule: &CacheRule) -> String {
    let mut table = InlineTable::default();
    let condition = match rule {
        CacheRule::Json { query, condition } => {
            table.text("json", query.as_str());
            condition
        }
        CacheRule::Header { name, condition } => {
            table.text("header", name);
            condition
        }
    };
    add_condition(&mut table, condition);
    table.finish()
}
