//! Requests.

use super::Reader;
use super::plan::Shared;
use super::scope::UserScope;
use super::table::Fields;
use crate::inspect::{CacheRule, Inspector};
use crate::plan::diagnostic::Diagnostic;
use crate::plan::model::{Header, Method, RequestSpec, RequestUrl, Sign};
use crate::plan::spec::SIGN;
use crate::plan::tree::{Node, Value};
use crate::template::Escape;

const METHODS: &[&str] = &["get", "post", "put", "patch", "delete", "head", "options"];

impl Reader<'_> {
    pub(super) fn request(
        &mut self,
        fields: &Fields<'_>,
        is_start: bool,
        scope: &mut UserScope<'_>,
        shared: &mut Shared<'_>,
    ) -> Option<RequestSpec> {
        let target = self.method_and_url(fields);
        let url = target
            .as_ref()
            .and_then(|(_, node)| self.request_url(node, fields.get("query"), scope));
        let own_headers = fields.get("headers").map(|n| self.headers(n, scope)).unwrap_or_default();
        let credentials = self.credentials(fields.get("basic"), fields.get("bearer"), scope);
        let body = self.body(fields, scope);
        let sign = fields.get("sign").and_then(|node| self.sign(node, scope));
        let timeout = fields.get("timeout").and_then(|node| self.positive_duration(node));
        let redirects = fields.get("follow_redirects").and_then(|node| self.redirects(node));
        let extracts =
            fields.get("extract").map(|node| self.extracts(node, scope)).unwrap_or_default();
        let checks = fields
            .get("check")
            .map(|node| self.checks(node, &mut shared.checks))
            .unwrap_or_default();
        let cache = self.request_cache(fields.get("cache"), shared);
        let required = fields.get("required").and_then(|node| self.boolean(node));
        let required = is_start
            || required.unwrap_or_else(|| extracts.iter().any(|extract| extract.default.is_none()));

        let mut headers = own_headers;
        if let Some(node) = fields.get("target_headers") {
            let for_target = self.headers(node, scope);
            headers.extend(for_target.into_iter().map(|h| Header { target_only: true, ..h }));
        }
        if let Some(authorization) = credentials {
            if has(&headers, "authorization")
                && let Some(entry) = fields.present(&["basic", "bearer"]).first()
            {
                self.error(
                    Diagnostic::at(entry.key_at, "there is an authorization header already")
                        .help(format!("keep the header or `{}`", entry.key)),
                );
            }
            headers.push(authorization);
        }
        if let Some(content_type) = body.as_ref().and_then(|body| body.content_type.clone())
            && !has(&headers, "content-type")
        {
            headers.push(Header {
                name: "content-type".into(),
                value: content_type,
                target_only: false,
            });
        }
        let mut defaults = self.default_headers(shared.http, scope);
        defaults.retain(|header| !has(&headers, &header.name));
        headers.extend(defaults);
        match &url {
            // Another service has no business with what opens the doors of this one.
            Some(RequestUrl::Path { origin: Some(_), .. }) => {
                headers.retain(|header| !header.target_only);
            }
            Some(RequestUrl::Path { origin: None, .. }) | None => {
                headers.iter_mut().for_each(|header| header.target_only = false);
            }
            Some(RequestUrl::Whole(_)) => {}
        }
        let (method, url_node) = target?;
        let name = match fields.get("name") {
            Some(node) => self.name(node)?.to_owned(),
            None => format!("{} {}", method.as_str(), self.text(url_node)?),
        };
        Some(RequestSpec {
            group: shared.groups.group(&name),
            method,
            url: url?,
            headers,
            body: body.map(|body| body.body),
            sign,
            timeout,
            redirects,
            required,
            inspect: Inspector { checks: checks.into(), extracts: extracts.into(), cache },
        })
    }

    fn method_and_url<'t>(&mut self, fields: &Fields<'t>) -> Option<(Method, &'t Node)> {
        let mut keys = METHODS.to_vec();
        keys.push("url");
        let Some(entry) = self.one_of(fields, &keys) else {
            self.error(
                Diagnostic::at(fields.at, "there is no request here").help(
                    "write one of get, post, put, patch, delete, head or options with a path",
                ),
            );
            return None;
        };
        let method = match fields.entry("method") {
            Some(method) if entry.key != "url" => {
                self.error(
                    Diagnostic::at(method.key_at, "`method` goes with `url`")
                        .help(format!("remove it, or write url instead of {}", entry.key)),
                );
                return None;
            }
            Some(method) => {
                let token = self.text(&method.node)?;
                let Some(method) = Method::new(token) else {
                    return self.wrong(&method.node, format!("`{token}` is not a method"));
                };
                method
            }
            None if entry.key == "url" => Method::new("GET")?,
            None => Method::new(&entry.key.to_ascii_uppercase())?,
        };
        Some((method, &entry.node))
    }

    fn sign(&mut self, node: &Node, scope: &mut UserScope<'_>) -> Option<Sign> {
        let fields = self.open(node, &SIGN)?;
        let Some(token) = fields.get("twilio") else {
            return self.wrong(node, "expected { twilio = \"AUTH TOKEN\" }");
        };
        let auth_token = self.template(token, Escape::None, scope)?;
        if auth_token.is_empty() {
            return self.wrong(token, "the auth token is empty");
        }
        Some(Sign::Twilio { auth_token })
    }

    fn request_cache(&mut self, node: Option<&Node>, shared: &Shared<'_>) -> Option<CacheRule> {
        match node {
            None => shared.cache.clone(),
            Some(Node { value: Value::Bool(false), .. }) => None,
            Some(Node { value: Value::Bool(true), .. }) => shared.cache.clone(),
            Some(node) => self.cache_rule(node),
        }
    }
}

fn has(headers: &[Header], name: &str) -> bool {
    headers.iter().any(|header| header.name.eq_ignore_ascii_case(name))
}
