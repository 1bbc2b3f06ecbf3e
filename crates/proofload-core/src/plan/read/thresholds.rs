//! `[thresholds]` in k6's words, and the rule of the grade.

use std::time::Duration;

use super::Reader;
use crate::plan::diagnostic::Diagnostic;
use crate::plan::tree::{Entry, Node, Value};
use crate::verdict::{GradingRule, Ladder, Measure, Threshold};

impl Reader<'_> {
    /// `[thresholds]`.
    pub(super) fn thresholds(&mut self, node: Option<&Node>) -> Vec<Threshold> {
        let Some(node) = node else { return Vec::new() };
        let mut thresholds = Vec::new();
        for entry in self.map(node, "a table of thresholds") {
            let items = match &entry.node.value {
                Value::List(items) => items.as_slice(),
                _ => std::slice::from_ref(&entry.node),
            };
            for item in items {
                thresholds.extend(self.threshold(entry, item));
            }
        }
        thresholds
    }

    fn threshold(&mut self, entry: &Entry, item: &Node) -> Option<Threshold> {
        let Value::Table(fields) = &item.value else {
            return self.threshold_text(entry, item);
        };
        let (mut threshold, mut abort, mut delay) = (None, false, Duration::ZERO);
        for field in fields {
            match field.key.as_str() {
                "threshold" => threshold = Some(self.threshold_text(entry, &field.node)?),
                "abortOnFail" | "abort_on_fail" => abort = self.boolean(&field.node)?,
                "delayAbortEval" | "delay_abort_eval" => delay = self.duration(&field.node)?,
                other => {
                    self.error(
                        Diagnostic::at(
                            field.key_at,
                            format!("unknown key `{other}` in a threshold"),
                        )
                        .help("known keys are threshold, abort_on_fail, delay_abort_eval"),
                    );
                    return None;
                }
            }
        }
        match threshold {
            Some(threshold) => Some(threshold.with_abort(abort, delay)),
            None => self.wrong_help(
                item,
                "there is no threshold here",
                "such as { threshold = \"rate<0.01\", abort_on_fail = true }",
            ),
        }
    }

    fn threshold_text(&mut self, entry: &Entry, node: &Node) -> Option<Threshold> {
        let text = self.text(node)?;
        match Threshold::parse(&entry.key, text) {
            Ok(threshold) => Some(threshold),
            Err(error) if error.text == text => self.expression_error(node, error),
            Err(error) => {
                let mut diagnostic = Diagnostic::at(entry.key_at, error.message);
                diagnostic.help = error.help;
                self.error(diagnostic);
                None
            }
        }
    }

    /// `[grading]`.
    pub(super) fn grading(&mut self, node: Option<&Node>) -> GradingRule {
        let mut grading = GradingRule::default();
        let Some(node) = node else { return grading };
        let Some(fields) = self.open(node, &crate::plan::spec::GRADING) else { return grading };
        if let Some(node) = fields.get("good") {
            grading.good_share = self.share(node).unwrap_or(grading.good_share);
        }
        grading.ladder = fields.get("ladder").and_then(|node| self.ladder(node));
        grading
    }

    /// `{ measure = "avg", excellent = "<3s", good = "<5s", fair = "<10s" }`
    fn ladder(&mut self, node: &Node) -> Option<Ladder> {
        let fields = self.open(node, &crate::plan::spec::LADDER)?;
        let Some(named) = fields.get("measure") else {
            let help = "such as { measure = \"avg\", excellent = \"<3s\", good = \"<5s\", fair = \"<10s\" }";
            return self.wrong_help(node, "the ladder does not say of which `measure` it is", help);
        };
        let text = self.text(named)?;
        let measure = match Measure::parse(text) {
            Ok(measure) => measure,
            Err(error) => return self.expression_error(named, error),
        };
        let mut rung = |key: &str| match fields.get(key) {
            Some(node) => self.bound(node, &measure),
            None => {
                let help = "all three are needed: excellent, good and fair; what keeps none of them is POOR";
                self.wrong_help(node, format!("the ladder has no `{key}`"), help)
            }
        };
        let (excellent, good, fair) = (rung("excellent"), rung("good"), rung("fair"));
        let ladder = Ladder::new(measure, excellent?, good?, fair?);
        ladder.map_or_else(|error| self.expression_error(node, error), Some)
    }
}
