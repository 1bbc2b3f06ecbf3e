//! `[alerts]`.

use super::Reader;
use crate::plan::model::AlertRules;
use crate::plan::spec::ALERTS;
use crate::plan::tree::{Node, Value};
use crate::units;

impl Reader<'_> {
    /// `[alerts]`, or `alerts = false`.
    pub(super) fn alerts(&mut self, node: Option<&Node>) -> AlertRules {
        let mut rules = AlertRules::default();
        let Some(node) = node else { return rules };
        if matches!(node.value, Value::Bool(_)) {
            rules.enabled = self.boolean(node).unwrap_or(true);
            return rules;
        }
        let Some(fields) = self.open(node, &ALERTS) else { return rules };
        if let Some(window) = fields.get("window").and_then(|node| self.positive_duration(node)) {
            rules.window = window;
        }
        if let Some(least) = fields.get("min_requests").and_then(|n| self.whole(n, 1, u64::MAX)) {
            rules.min_requests = least;
        }
        let shares = [
            ("throughput_drop", &mut rules.throughput_drop),
            ("error_burst", &mut rules.error_burst),
            ("queue", &mut rules.queue),
        ];
        for (key, share) in shares {
            if let Some(node) = fields.get(key)
                && let Some(given) = self.share_or_off(node)
            {
                *share = given;
            }
        }
        rules.webhook = fields.get("webhook").and_then(|node| self.webhook(node)).map(Into::into);
        rules
    }

    /// A share above 0, or `false` for none; `true` is whatever stands there without it.
    fn share_or_off(&mut self, node: &Node) -> Option<Option<f64>> {
        let share = match &node.value {
            Value::Bool(false) => return Some(None),
            Value::Bool(true) => return None,
            Value::Text(text) => units::parse_ratio(&text.text).map_err(|error| error.to_string()),
            Value::Float(share) => Ok(*share),
            _ => Err(format!("expected a share such as \"50%\" or false, found {}", node.kind())),
        };
        match share {
            Ok(share) if share > 0.0 && share <= 1.0 => Some(Some(share)),
            Ok(_) => self.wrong(node, "must be above 0% and at most 100%"),
            Err(message) => self.wrong(node, message),
        }
    }

    fn webhook<'t>(&mut self, node: &'t Node) -> Option<&'t str> {
        let url = self.name(node)?;
        // The masked one is that of a plan that was printed without secrets.
        if url.starts_with("http://") || url.starts_with("https://") || url == "***" {
            return Some(url);
        }
        // What it is is not repeated: it may be a secret.
        self.wrong_help(node, "this is no URL", "such as \"https://hooks.slack.com/services/…\"")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::plan::{AlertRules, Inputs, Overrides, Plan, PlanErrors, Secrets};

    fn plan(alerts: &str) -> Result<Plan, PlanErrors> {
        let text = format!(
            "target = \"http://127.0.0.1:1\"\n{alerts}\n[[user]]\n[[user.task]]\nget = \"/\"\n\
             [[phase]]\nname = \"p\"\nusers = 1\nduration = \"1s\"\n"
        );
        Plan::parse("plan.toml", &text, &Overrides::default(), &Inputs::NONE)
    }

    #[test]
    fn what_is_read_is_printed_and_read_again() {
        let check = |text: &str, expect: AlertRules| {
            let plan = plan(text).unwrap_or_else(|errors| panic!("{text}: {errors}"));
            assert_eq!(plan.alerts, expect, "{text}");
            let printed = plan.to_toml(Secrets::Show);
            let again = Plan::parse("p", &printed, &Overrides::default(), &Inputs::NONE);
            assert_eq!(
                again.unwrap_or_else(|errors| panic!("{errors}")).alerts,
                expect,
                "{printed}"
            );
        };
        let default = AlertRules::default;
        check("", default());
        check("alerts = true", default());
        check("alerts = false", AlertRules { enabled: false, ..default() });
        check(
            "alerts = { window = \"5s\", min_requests = 7, throughput_drop = false, queue = \"100%\" }",
            AlertRules {
                window: Duration::from_secs(5),
                min_requests: 7,
                throughput_drop: None,
                queue: Some(1.0),
                ..default()
            },
        );
        check(
            "alerts = { error_burst = 0.25, webhook = \"https://host/x\" }",
            AlertRules {
                error_burst: Some(0.25),
                webhook: Some("https://host/x".into()),
                ..default()
            },
        );
    }

    #[test]
    fn what_is_wrong_is_told() {
        let check = |text: &str, expect: &str| {
            let message = plan(text).expect_err(text).to_string();
            assert!(message.contains(expect), "{text}: {message}");
        };
        check("alerts = { window = \"0s\" }", "must be longer than 0s");
        check("alerts = { queue = \"0%\" }", "must be above 0%");
        check("alerts = { queue = 3 }", "expected a share");
        check("alerts = { webhook = \"host/x\" }", "this is no URL");
        check("alerts = { slack = \"x\" }", "here that is webhook");
    }

    #[test]
    fn the_webhook_is_a_secret() {
        let plan = plan("alerts = { webhook = \"https://host/hunter2\" }").expect("a plan");
        let hidden = plan.to_toml(Secrets::Hide);
        assert!(!hidden.contains("hunter2"), "{hidden}");
        assert!(Plan::parse("p", &hidden, &Overrides::default(), &Inputs::NONE).is_ok());
    }
}
