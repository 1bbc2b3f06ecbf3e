//! `[regression]` and `[goals]`: what a change from a baseline may be, and should be.

use super::Reader;
use crate::compare::{ChangeSize, ComparisonRules, Goal, Intent, Rule, Scope};
use crate::plan::tree::{Entry, Node, Value};
use crate::verdict::Measure;

/// The key under which rules are about requests.
const REQUEST: &str = "request";

impl Reader<'_> {
    /// Rules that are given stand instead of the usual ones, all of them: what a release fails on is
    /// then in the plan.
    pub(super) fn comparison_rules(
        &mut self,
        regression: Option<&Node>,
        goals: Option<&Node>,
    ) -> ComparisonRules {
        let mut read = ComparisonRules::default();
        if let Some(node) = regression {
            read.rules = self.rules(node);
        }
        for entry in goals.map_or(&[][..], |node| self.map(node, "a table of goals")) {
            if let Some((measure, size)) = self.change(entry, Intent::Goal) {
                read.goals.push(Goal { measure, size });
            }
        }
        read
    }

    fn rules(&mut self, node: &Node) -> Vec<Rule> {
        let mut rules = Vec::new();
        for entry in self.map(node, "a table of rules, such as { p95 = \"+20%\" }") {
            let (scope, entries) = if entry.key == REQUEST {
                (Scope::Request, self.map(&entry.node, "a table of rules for requests"))
            } else {
                (Scope::Phase, std::slice::from_ref(entry))
            };
            for entry in entries {
                if let Some((measure, limit)) = self.change(entry, Intent::Regression) {
                    rules.push(Rule { scope, measure, limit });
                }
            }
        }
        rules
    }

    fn change(&mut self, entry: &Entry, intent: Intent) -> Option<(Measure, ChangeSize)> {
        let measure = self.measure(entry)?;
        let Value::Text(text) = &entry.node.value else {
            return self.wrong_help(
                &entry.node,
                format!("expected a change, found {}", entry.node.kind()),
                "such as \"+20%\" or \"+0.5 points\"",
            );
        };
        match ChangeSize::parse(&text.text, &measure, intent) {
            Ok(size) => Some((measure, size)),
            Err(error) => self.expression_error(&entry.node, error),
        }
    }
}
