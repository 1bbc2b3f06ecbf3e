//! Phases: who makes load, what it must hold, when it ends early.

use std::sync::Arc;
use std::time::Duration;

use super::Reader;
use crate::plan::diagnostic::{Diagnostic, Location};
use crate::plan::model::{Burst, BurstSize, Load, OtherKind, Phase, StopRule};
use crate::plan::spec::{BURST, PHASE};
use crate::plan::tree::{Entry, Node, Value};
use crate::plan::words::nearest;
use crate::schedule::MixEntry;
use crate::verdict::{Bound, Expectation, ExpressionError, Measure};

impl Reader<'_> {
    /// `[[phase]]`.
    pub(super) fn phases(&mut self, node: Option<&Node>, users: &[OtherKind]) -> Vec<Phase> {
        let Some(node) = node else { return Vec::new() };
        let items = self.list(node, "phases: write [[phase]]");
        if items.is_empty() {
            self.wrong::<()>(node, "expected at least one phase");
        }
        let mut phases: Vec<(Phase, Location)> = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let Some(phase) = self.phase(item, index, users) else { continue };
            let at = item.get("name").map_or(item.at, |name| name.at);
            if let Some((first, first_at)) = phases.iter().find(|(p, _)| p.name == phase.name) {
                let (name, first_at) = (Arc::clone(&first.name), *first_at);
                self.duplicate("phase", &name, at, first_at);
            }
            phases.push((phase, at));
        }
        phases.into_iter().map(|(phase, _)| phase).collect()
    }

    fn phase(&mut self, node: &Node, index: usize, users: &[OtherKind]) -> Option<Phase> {
        let fields = self.open(node, &PHASE)?;
        let name = match fields.get("name") {
            Some(node) => self.name(node)?.into(),
            None => format!("Phase {}", index + 1).into(),
        };
        let shaped = self.load(&fields);
        let kinds = self.mix(fields.get("mix"), users);
        let expect = fields.get("expect").map(|node| self.expectations(node)).unwrap_or_default();
        let mut stop_when = fields.get("until").map(|node| self.until(node)).unwrap_or_default();
        let graceful_stop = fields.get("graceful_stop").and_then(|node| self.duration(node));
        let think_time = fields.get("think_time").and_then(|node| self.think_time(node));
        let abort = fields.get("abort_on_fail");
        let abort_delay = match abort.map(|node| (node, &node.value)) {
            None => None,
            Some((_, Value::Bool(on))) => on.then_some(Duration::ZERO),
            Some((node, _)) => self.duration(node),
        };
        let shaped = shaped?;
        if stop_when.is_empty() {
            stop_when = shaped.stop_when;
        }
        let bursts = match fields.get("burst") {
            Some(node) => self.bursts(node, &shaped.load),
            None => Vec::new(),
        };
        Some(Phase {
            name,
            load: shaped.load,
            kinds,
            bursts,
            expect,
            stop_when,
            step_every: shaped.step_every,
            graceful_stop: graceful_stop.unwrap_or(Duration::from_secs(30)),
            think_time,
            abort_on_fail: abort_delay.is_some(),
            abort_delay: abort_delay.unwrap_or(Duration::ZERO),
        })
    }

    fn mix(&mut self, node: Option<&Node>, users: &[OtherKind]) -> Vec<MixEntry> {
        let own =
            |kind: usize| MixEntry { kind, weight: users[kind].weight, count: users[kind].count };
        let Some(node) = node else { return (0..users.len()).map(own).collect() };
        let mut entries = Vec::new();
        match &node.value {
            Value::List(items) => {
                for item in items {
                    let Some(name) = self.text(item) else { continue };
                    if let Some(kind) = self.user_named(name, item.at, users) {
                        let own = own(kind);
                        // Naming a user of weight 0 is how it takes part.
                        let weight =
                            if own.count.is_none() { own.weight.max(1) } else { own.weight };
                        entries.push(MixEntry { weight, ..own });
                    }
                }
            }
            Value::Table(table) => {
                for entry in table {
                    let kind = self.user_named(&entry.key, entry.key_at, users);
                    let weight = self.whole_u32(&entry.node, 0);
                    if let (Some(kind), Some(weight)) = (kind, weight) {
                        entries.push(MixEntry { kind, weight, count: None });
                    }
                }
            }
            _ => {
                return self
                    .wrong_help(
                        node,
                        format!("expected users, found {}", node.kind()),
                        "such as [\"member\"] or { member = 3, guest = 1 }",
                    )
                    .unwrap_or_default();
            }
        }
        if entries.iter().all(|e| e.weight == 0 && e.count.unwrap_or(0) == 0) && !users.is_empty() {
            self.wrong::<()>(node, "no user would take part");
        }
        entries
    }

    fn user_named(&mut self, name: &str, at: Location, users: &[OtherKind]) -> Option<usize> {
        let found = users.iter().position(|user| &*user.name == name);
        if found.is_none() {
            let names: Vec<&str> = users.iter().map(|user| &*user.name).collect();
            let help = match nearest(name, names.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are {}", names.join(", ")),
            };
            self.error(Diagnostic::at(at, format!("unknown user `{name}`")).help(help));
        }
        found
    }

    fn expectations(&mut self, node: &Node) -> Vec<Expectation> {
        let entries = self.map(node, "a table of expectations, such as { p95 = \"<300ms\" }");
        entries.iter().filter_map(|entry| self.expectation(entry)).collect()
    }

    fn expectation(&mut self, entry: &Entry) -> Option<Expectation> {
        let measure = self.measure(entry)?;
        let Value::Table(levels) = &entry.node.value else {
            let bound = self.bound(&entry.node, &measure)?;
            return Some(Expectation::bare(measure, bound));
        };
        let (mut target, mut limit) = (None, None);
        for level in levels {
            match level.key.as_str() {
                "target" => target = Some(self.bound(&level.node, &measure)?),
                "limit" => limit = Some(self.bound(&level.node, &measure)?),
                other => {
                    self.error(
                        Diagnostic::at(
                            level.key_at,
                            format!("unknown key `{other}` in an expectation"),
                        )
                        .help(match other {
                            "max" | "maximum" | "critical" | "threshold" => {
                                "here it is called limit"
                            }
                            "goal" | "want" => "here it is called target",
                            _ => "known keys are target, limit",
                        }),
                    );
                    return None;
                }
            }
        }
        match Expectation::two_level(measure, target, limit) {
            Ok(expectation) => Some(expectation),
            Err(error) => {
                let mut diagnostic = Diagnostic::at(entry.node.at, error.message);
                diagnostic.help = error.help;
                self.error(diagnostic);
                None
            }
        }
    }

    pub(super) fn measure(&mut self, entry: &Entry) -> Option<Measure> {
        match Measure::parse(&entry.key) {
            Ok(measure) => Some(measure),
            Err(error) => {
                let mut diagnostic = Diagnostic::at(entry.key_at, error.message);
                diagnostic.help = error.help;
                self.error(diagnostic);
                None
            }
        }
    }

    pub(super) fn bound(&mut self, node: &Node, measure: &Measure) -> Option<Bound> {
        let read = match &node.value {
            Value::Text(text) => Bound::parse(&text.text, measure),
            Value::Whole(number) => Bound::from_number(*number as f64, measure),
            Value::Float(number) => Bound::from_number(*number, measure),
            _ => {
                return self.wrong_help(
                    node,
                    format!("expected a bound, found {}", node.kind()),
                    "such as \"<300ms\" or \">99%\"",
                );
            }
        };
        read.map_or_else(|error| self.expression_error(node, error), Some)
    }

    /// Tells what is wrong with an expression that is a value's text.
    pub(super) fn expression_error<T>(&mut self, node: &Node, error: ExpressionError) -> Option<T> {
        let at = if node.as_text().is_some_and(|text| text.text == error.text) {
            node.part(&error.range)
        } else {
            node.at
        };
        let mut diagnostic = Diagnostic::at(at, error.message);
        diagnostic.help = error.help;
        self.error(diagnostic);
        None
    }

    fn until(&mut self, node: &Node) -> Vec<StopRule> {
        let entries = self.map(node, "a table of limits, such as { error_rate = \">5%\" }");
        let mut rules = Vec::new();
        for entry in entries {
            let Some(measure) = self.measure(entry) else { continue };
            let has_operator = entry
                .node
                .as_text()
                .is_some_and(|t| t.text.trim().starts_with(['<', '>', '=', '!']));
            if !has_operator {
                self.wrong_help::<()>(
                    &entry.node,
                    "a limit that ends the phase needs an operator",
                    format!("such as {} = \">…\" or \"<…\"", entry.key),
                );
                continue;
            }
            if let Some(bound) = self.bound(&entry.node, &measure) {
                rules.push(StopRule { measure, bound });
            }
        }
        if entries.is_empty() {
            self.wrong::<()>(node, "expected at least one limit");
        }
        rules
    }

    fn bursts(&mut self, node: &Node, load: &Load) -> Vec<Burst> {
        let items = match &node.value {
            Value::List(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        items.iter().filter_map(|item| self.burst(item, load)).collect()
    }

    fn burst(&mut self, node: &Node, load: &Load) -> Option<Burst> {
        let fields = self.open(node, &BURST)?;
        let is_open = matches!(load, Load::Arrivals(_));
        let Some(size) = self.one_of(&fields, &["requests", "users", "rate"]) else {
            return self.wrong(node, "expected one of requests, users or rate");
        };
        let lasts = fields.get("for");
        if size.key == "requests" && lasts.is_some() {
            self.error(
                Diagnostic::at(fields.at, "`for` does not go with `requests`: they start at once")
                    .help("use `rate` for requests over a while"),
            );
        }
        let lasts = |reader: &mut Self| match lasts {
            Some(node) => reader.positive_duration(node),
            None => reader.wrong(node, "expected `for`: how long the burst lasts"),
        };
        let size = match size.key.as_str() {
            "requests" => BurstSize::Requests(self.whole_u32(&size.node, 1)?),
            "users" if is_open => return self.burst_model(size, "rate", "open"),
            "users" => BurstSize::Users { users: self.users(&size.node, 1)?, lasts: lasts(self)? },
            _ if !is_open => return self.burst_model(size, "users", "closed"),
            _ => {
                BurstSize::Rate { per_second: self.positive_rate(&size.node)?, lasts: lasts(self)? }
            }
        };
        let every = match fields.get("every") {
            Some(node) => Some(self.positive_duration(node)?),
            None => None,
        };
        let first_at = match fields.get("at") {
            Some(node) => self.duration(node)?,
            None => every.unwrap_or_else(|| load.duration().unwrap_or_default() / 2),
        };
        if let (BurstSize::Users { lasts, .. } | BurstSize::Rate { lasts, .. }, Some(every)) =
            (size, every)
            && every <= lasts
        {
            return self.wrong(node, "`every` has to be longer than `for`");
        }
        if load.duration().is_some_and(|duration| first_at >= duration) {
            return self.wrong(node, "the burst would begin after the end of the phase");
        }
        Some(Burst { size, first_at, every })
    }

    fn burst_model<T>(&mut self, entry: &Entry, instead: &str, model: &str) -> Option<T> {
        let message = format!("a burst of `{}` does not go with {model}-model load", entry.key);
        self.error(
            Diagnostic::at(entry.key_at, message).help(format!("use `{instead}`, or `requests`")),
        );
        None
    }
}
