//! Alert rules of Prometheus.

use std::collections::BTreeMap;

use proofload_core::plan::Plan;
use proofload_core::units::duration_text;
use proofload_core::verdict::{Bound, Comparison, Measure, Statistic, Timing};
use serde::Serialize;

use super::goals::{Goal, Goals};
use super::promql::{PromQl, broken, value, window};
use super::{Exported, Settings};
use crate::style::Style;
use crate::text::clean;

/// A rule file, in the order in which people write one.
#[derive(Debug, Serialize)]
struct File {
    groups: Vec<Group>,
}

#[derive(Debug, Serialize)]
struct Group {
    name: String,
    rules: Vec<Rule>,
}

#[derive(Debug, Serialize)]
struct Rule {
    alert: String,
    expr: String,
    #[serde(rename = "for")]
    hold: String,
    labels: BTreeMap<&'static str, String>,
    annotations: BTreeMap<&'static str, String>,
}

pub(super) fn write(plan: &Plan, settings: &Settings, goals: Goals) -> Exported {
    let Goals { list, mut notes } = goals;
    let window = window(settings);
    let promql = PromQl::new(settings, &window);
    let writer = Writer { plan, promql, hold: duration_text(settings.hold) };
    let mut rules = Vec::new();
    for goal in &list {
        match writer.of_goal(goal) {
            Ok(of_goal) => rules.extend(of_goal),
            Err(why) => notes.push(format!("`{}` is left out: {why}", goal.measure)),
        }
    }
    let name = format!("proofload {}", one_line(&plan.name));
    let groups = vec![
        Group { name: name.clone(), rules },
        Group { name: format!("{name}, changes"), rules: writer.changes(settings) },
    ];
    let groups = groups.into_iter().filter(|group| !group.rules.is_empty()).collect();
    let mut text = format!("# What the plan \"{}\" must hold, as alerts.\n", one_line(&plan.name));
    for note in &notes {
        text.push_str(&format!("# {}\n", one_line(note)));
    }
    // Strings and lists of them always have a form in YAML.
    text.push_str(&serde_saphyr::to_string(&File { groups }).unwrap_or_default());
    Exported { text, notes }
}

/// For comments and names.
fn one_line(text: &str) -> String {
    clean(text, &Style::plain())
}

/// Annotations and labels are templates in Prometheus; a text must not become one.
fn literal(text: &str) -> String {
    clean(text, &Style::plain()).replace("{{", "{{ \"{{\" }}")
}

struct Writer<'a> {
    plan: &'a Plan,
    promql: PromQl<'a>,
    hold: String,
}

impl Writer<'_> {
    fn of_goal(&self, goal: &Goal) -> Result<Vec<Rule>, &'static str> {
        let levels = [("warning", goal.target), ("critical", goal.limit)];
        let levels = levels.into_iter().filter_map(|(severity, bound)| Some((severity, bound?)));
        levels.map(|(severity, bound)| self.of_bound(goal, severity, &bound)).collect()
    }

    fn of_bound(&self, goal: &Goal, severity: &str, bound: &Bound) -> Result<Rule, &'static str> {
        let query = self.promql.measure(&goal.measure, bound.quantity)?;
        let wanted = match severity {
            "critical" => "must be",
            _ => "should be",
        };
        let summary = format!(
            "{} is {}, {wanted} {bound}",
            literal(&goal.measure.to_string()),
            query.unit.template()
        );
        let sources: Vec<String> = goal.sources.iter().map(|name| literal(name)).collect();
        let description = format!(
            "The load test \"{}\" expects {} {bound} ({}).",
            literal(&self.plan.name),
            literal(&goal.measure.to_string()),
            sources.join(", ")
        );
        // A comparison binds tighter than `and`, looser than arithmetic: no brackets needed.
        let expr = format!("{} {} {}", query.expr, broken(bound.comparison), value(bound));
        Ok(self.rule(
            alert_name(&goal.measure, bound.comparison),
            expr,
            severity,
            summary,
            description,
        ))
    }

    fn rule(
        &self,
        alert: String,
        expr: String,
        severity: &str,
        summary: String,
        description: String,
    ) -> Rule {
        let labels =
            BTreeMap::from([("severity", severity.to_owned()), ("plan", literal(&self.plan.name))]);
        let annotations = BTreeMap::from([("summary", summary), ("description", description)]);
        Rule { alert, expr, hold: self.hold.clone(), labels, annotations }
    }

    /// What no bound in a plan can say.
    fn changes(&self, settings: &Settings) -> Vec<Rule> {
        let share = settings.drop_share * 100.0;
        vec![
            self.rule(
                "ThroughputDropped".to_owned(),
                self.promql.dropped(),
                "critical",
                format!(
                    "throughput is {{{{ $value | humanize }}}}/s, below {share}% of an hour ago"
                ),
                "Requests no longer reach the service, or it no longer answers them.".to_owned(),
            ),
            self.rule(
                "QueueGrowing".to_owned(),
                self.promql.queue_growing(),
                "warning",
                "the queue has not been empty for 10 minutes and grows".to_owned(),
                "More comes in than the service can do.".to_owned(),
            ),
            self.rule(
                "MetricsMissing".to_owned(),
                self.promql.missing(),
                "warning",
                "there are no metrics of requests: no other alert can fire".to_owned(),
                "The service is not scraped, or its metrics have other names than these rules."
                    .to_owned(),
            ),
        ]
    }
}

/// `LatencyP95TooHigh`
fn alert_name(measure: &Measure, comparison: Comparison) -> String {
    let statistic = |statistic: &Statistic| match statistic {
        Statistic::Average => "Average".to_owned(),
        other => other.to_string().replace('.', "_").to_uppercase(),
    };
    let base = match measure {
        Measure::Time(Timing::Response, of) => format!("Latency{}", statistic(of)),
        Measure::Time(timing, of) => format!("{}{}", camel(timing.prefix()), statistic(of)),
        Measure::RequestsPerSecond => "Throughput".to_owned(),
        other => camel(&other.to_string()),
    };
    let direction = match comparison {
        Comparison::Less | Comparison::LessOrEqual => "TooHigh",
        Comparison::Greater | Comparison::GreaterOrEqual => "TooLow",
        Comparison::Equal | Comparison::NotEqual => "Wrong",
    };
    base + direction
}

/// `db_connections` → `DbConnections`; nothing but letters and digits.
fn camel(text: &str) -> String {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words
        .map(|word| {
            let mut chars = word.chars();
            chars.next().map_or(String::new(), |first| {
                first.to_uppercase().chain(chars).collect::<String>()
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_have_names() {
        let check = |measure: &str, bound: &str, expect: &str| {
            let measure = Measure::parse_with(measure, &["my pool"]).unwrap();
            let bound = Bound::parse(bound, &measure).unwrap();
            assert_eq!(alert_name(&measure, bound.comparison), expect);
        };
        check("p95", "<300ms", "LatencyP95TooHigh");
        check("p99.9", "<300ms", "LatencyP99_9TooHigh");
        check("avg", "<=300ms", "LatencyAverageTooHigh");
        check("service_p95", "<1s", "ServiceP95TooHigh");
        check("error_rate", "<1%", "ErrorRateTooHigh");
        check("success_rate", ">99%", "SuccessRateTooLow");
        check("rps", "1000", "ThroughputTooLow");
        check("db_connections", "<80", "DbConnectionsTooHigh");
        check("my pool", "==3", "MyPoolWrong");
    }

    #[test]
    fn texts_are_no_templates() {
        assert_eq!(literal("a {{ .B }}\nc"), "a {{ \"{{\" }} .B }} c");
    }
}
