//! The top level of a plan.

use std::sync::Arc;

use super::Reader;
use super::inspect::HitRule;
use super::scope::UserScope;
use crate::plan::diagnostic::Diagnostic;
use crate::plan::model::{
    CheckId, DataFeed, GroupId, Header, HealthCheck, OtherKind, Plan, RequestUrl, Target, UserKind,
};
use crate::plan::spec::{HEALTH, PLAN};
use crate::plan::tree::{Node, Value};
use crate::template::Escape;

/// What requests of all users share while they are read.
pub(super) struct Shared<'t> {
    pub(super) feeds: &'t [DataFeed],
    pub(super) plan_variables: Option<&'t Node>,
    /// `[http]`: default headers and credentials, compiled for each request.
    pub(super) http: Option<&'t Node>,
    pub(super) cache: Option<HitRule>,
    pub(super) groups: Names,
    pub(super) checks: Names,
}

/// Names with their indices, without duplicates.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) all: Vec<Arc<str>>,
    index: std::collections::HashMap<Arc<str>, u32>,
}

impl Names {
    fn id(&mut self, name: &str) -> u32 {
        if let Some(id) = self.index.get(name) {
            return *id;
        }
        let (id, name) = (self.all.len() as u32, Arc::<str>::from(name));
        self.all.push(Arc::clone(&name));
        self.index.insert(name, id);
        id
    }

    pub(super) fn group(&mut self, name: &str) -> GroupId {
        GroupId(self.id(name))
    }

    pub(super) fn check(&mut self, name: &str) -> CheckId {
        CheckId(self.id(name))
    }
}

impl Reader<'_> {
    pub(super) fn plan(&mut self, tree: &Node) -> Option<Plan> {
        let fields = self.open(tree, &PLAN)?;
        let name = match fields.get("name") {
            Some(node) => self.name(node).unwrap_or_default().to_owned(),
            None => self.file_stem(),
        };
        let description = fields.get("description").and_then(|n| self.text(n)).map(Arc::from);
        let target = self.target(fields.get("target"));
        let seed = fields.get("seed").and_then(|node| self.whole(node, 0, u64::MAX));
        let http = fields.get("http").map(|node| self.http(node)).unwrap_or_default();
        let feeds = self.feeds(fields.get("data"));
        let hit_rule = fields.get("cache").and_then(|node| self.cache_rule(node));
        let mut shared = Shared {
            feeds: &feeds,
            plan_variables: fields.get("variables"),
            http: fields.get("http"),
            cache: hit_rule.clone(),
            groups: Names::default(),
            checks: Names::default(),
        };
        let users = self.user_kinds(fields.get("user"), &mut shared);
        let health = fields.get("health").and_then(|node| self.health(node, &shared));
        let headers = self.constant_headers(&shared);
        let Shared { groups, checks, .. } = shared;
        let kinds = self.all_kinds(&users);
        let phases = self.phases(fields.get("phase"), &kinds);
        let thresholds = self.thresholds(fields.get("thresholds"));
        let grading = self.grading(fields.get("grading"));
        let comparison = self.comparison_rules(fields.get("regression"), fields.get("goals"));
        let alerts = self.alerts(fields.get("alerts"));
        let cost = fields.get("cost").and_then(|node| self.cost(node));
        if fields.get("user").is_none() && kinds.is_empty() {
            self.error(
                Diagnostic::general("the plan has no users")
                    .help("add [[user]] with at least one [[user.task]]"),
            );
        }
        if fields.get("phase").is_none() {
            self.error(
                Diagnostic::general("the plan has no phases")
                    .help("add [[phase]] with a load, such as users = 10 and duration = \"30s\""),
            );
        }
        Some(Plan {
            name: name.into(),
            description,
            target: target?,
            health,
            http,
            headers,
            users,
            other_kinds: self.inputs.kinds.to_vec(),
            phases,
            thresholds,
            grading,
            comparison,
            alerts,
            cache: hit_rule,
            cost,
            groups: groups.all,
            checks: checks.all,
            seed,
            feeds,
        })
    }

    /// The plan's kinds of users and those that run with it.
    fn all_kinds(&mut self, users: &[UserKind]) -> Vec<OtherKind> {
        let own = users.iter().map(|kind| OtherKind {
            name: Arc::clone(&kind.name),
            weight: kind.weight,
            count: kind.count,
        });
        let kinds: Vec<_> = own.chain(self.inputs.kinds.iter().cloned()).collect();
        if !self.inputs.kinds.is_empty()
            && kinds.iter().all(|kind| kind.weight == 0 && kind.count.unwrap_or(0) == 0)
        {
            self.error(
                Diagnostic::general("all users have weight 0: none would ever run")
                    .help("give at least one a weight or a count"),
            );
        }
        kinds
    }

    /// The default headers that are the same for all requests.
    fn constant_headers(&mut self, shared: &Shared<'_>) -> Vec<Header> {
        let inputs = self.inputs;
        let lookup = |key: &str| inputs.lookup(key);
        let mut headers = self.health_headers(shared, &mut UserScope::new(None, &[], &lookup));
        headers.retain(|header| header.value.as_literal().is_some());
        headers
    }

    /// A plan without a name is called as its file.
    pub(super) fn file_stem(&self) -> String {
        let path = self.sources.first().map_or("plan", |source| &source.path);
        let file = path.rsplit(['/', '\\']).next().unwrap_or(path);
        file.strip_suffix(".toml").unwrap_or(file).to_owned()
    }

    fn target(&mut self, node: Option<&Node>) -> Option<Target> {
        // An override makes the plan's own target unimportant, even a missing one; it is read
        // where all overrides are.
        if self.overrides.target.is_some() {
            return Some(Target::Demo);
        }
        match node {
            Some(node) if node.as_text().is_some_and(|text| text.text == "demo") => {
                Some(Target::Demo)
            }
            Some(node) => self.base_url(node).map(Target::Url),
            None => {
                self.error(
                    Diagnostic::general("the plan has no target").help(
                        "set target = \"http://host:port\" (or \"demo\"), or pass --target URL",
                    ),
                );
                None
            }
        }
    }

    fn health(&mut self, node: &Node, shared: &Shared<'_>) -> Option<HealthCheck> {
        let inputs = self.inputs;
        let lookup = |key: &str| inputs.lookup(key);
        let mut scope = UserScope::new(None, &[], &lookup);
        let seconds = std::time::Duration::from_secs;
        let headers = self.health_headers(shared, &mut scope);
        if matches!(node.value, Value::Text(_)) {
            let url = self.request_url(node, None, &mut scope)?;
            let (timeout, wait) = (seconds(5), seconds(0));
            return Some(HealthCheck { url, headers, status: None, timeout, wait });
        }
        let fields = self.open(node, &HEALTH)?;
        let url = match fields.get("url") {
            Some(url) => self.request_url(url, None, &mut scope)?,
            None => RequestUrl::Path {
                origin: None,
                path: crate::template::Template::literal(b"/".as_slice()),
            },
        };
        let status = fields.get("status").and_then(|node| self.whole(node, 100, 599));
        let timeout = fields.get("timeout").and_then(|node| self.positive_duration(node));
        let wait = fields.get("wait").and_then(|node| self.duration(node));
        Some(HealthCheck {
            url,
            headers,
            status: status.map(|status| status as u16),
            timeout: timeout.unwrap_or(seconds(5)),
            wait: wait.unwrap_or(seconds(0)),
        })
    }

    /// The default headers that need no user; others are left out of the health check.
    fn health_headers(&mut self, shared: &Shared<'_>, scope: &mut UserScope<'_>) -> Vec<Header> {
        let known = self.errors.len();
        let headers = self.default_headers(shared.http, scope);
        self.errors.truncate(known);
        headers
    }

    /// A template outside of any user.
    pub(super) fn plain_text(&mut self, node: &Node) -> Option<Arc<str>> {
        let inputs = self.inputs;
        let lookup = |key: &str| inputs.lookup(key);
        let mut scope = UserScope::new(None, &[], &lookup);
        let template = self.template(node, Escape::None, &mut scope)?;
        match template.as_literal().map(std::str::from_utf8) {
            Some(Ok(text)) => Some(text.into()),
            _ => self.wrong(node, "this has to be the same for all requests"),
        }
    }
}
