//! A dashboard of Grafana: the service in production with the plan's bounds as lines, and below it the
//! load test itself, as Proofload's own metrics tell it.

use proofload_core::plan::Plan;
use proofload_core::verdict::{Bound, Comparison};
use serde_json::{Value, json};

use super::goals::{Goal, Goals};
use super::promql::{PromQl, Query, Unit, value};
use super::{Exported, Settings};
use crate::style::Style;
use crate::text::clean;

/// Grafana computes it from the resolution of the picture.
const WINDOW: &str = "$__rate_interval";
/// The grid has 24 columns.
const COLUMNS: usize = 24;
/// Three panels beside each other.
const PANEL_WIDTH: usize = 8;
const PANEL_HEIGHT: usize = 8;

pub(super) fn write(plan: &Plan, settings: &Settings, goals: Goals) -> Exported {
    let Goals { list, mut notes } = goals;
    let promql = PromQl::new(settings, WINDOW);
    let name = clean(&plan.name, &Style::plain());
    let mut grid = Grid::default();
    grid.row(&format!("{name}: the service"));
    overview(&mut grid, promql);
    for goal in &list {
        let quantity = goal.limit.or(goal.target).map(|bound| bound.quantity);
        let quantity = quantity.unwrap_or(goal.measure.quantity());
        match promql.measure(&goal.measure, quantity) {
            Ok(query) => grid.panel(of_goal(goal, &query)),
            Err(why) => notes.push(format!("`{}` is left out: {why}", goal.measure)),
        }
    }
    grid.row("Proofload: the load test");
    load_test(&mut grid);
    let dashboard = json!({
        "uid": uid(&plan.name),
        "title": format!("{name} (Proofload)"),
        "description": format!("What the load test \"{name}\" expects, in production."),
        "tags": ["proofload"],
        "schemaVersion": 39,
        "version": 1,
        "editable": true,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": { "from": "now-6h", "to": "now" },
        "timezone": "browser",
        "annotations": { "list": [] },
        "links": [],
        "templating": { "list": [datasource(), phase()] },
        "panels": grid.panels,
    });
    let text = format!("{dashboard:#}\n");
    Exported { text, notes }
}

/// What one looks at first, bounds or not.
fn overview(grid: &mut Grid, promql: PromQl<'_>) {
    let throughput = Target::new(promql.throughput(), "requests");
    grid.panel(panel("Throughput", Unit::PerSecond, &[throughput]));
    grid.panel(panel("Errors", Unit::Share, &[Target::new(promql.error_rate(), "failed")]));
    let quantiles = [(0.5, "p50"), (0.95, "p95"), (0.99, "p99")];
    let quantiles = quantiles.map(|(q, name)| Target::new(promql.quantile(q), name));
    grid.panel(panel("Latency", Unit::Seconds, &quantiles));
    grid.panel(panel("Queue", Unit::Number, &[Target::new(promql.queue_depth(), "waiting")]));
}

/// A measure with its bounds as lines.
fn of_goal(goal: &Goal, query: &Query) -> Value {
    let name = clean(&goal.measure.to_string(), &Style::plain());
    let target = Target::new(query.expr.clone(), &name);
    let bounds: Vec<String> = [("target", goal.target), ("limit", goal.limit)]
        .into_iter()
        .filter_map(|(level, bound)| Some(format!("{level} {}", bound?)))
        .collect();
    let sources: Vec<String> =
        goal.sources.iter().map(|name| clean(name, &Style::plain())).collect();
    let mut panel = panel(&format!("{name}: {}", bounds.join(", ")), query.unit, &[target]);
    panel["description"] = json!(format!("Expected by {}.", sources.join(", ")));
    panel["fieldConfig"]["defaults"]["thresholds"] = thresholds(goal);
    panel["fieldConfig"]["defaults"]["custom"]["thresholdsStyle"] = json!({ "mode": "line" });
    panel
}

/// Steps from below: where less is better green, yellow, red; where more is better the other way.
fn thresholds(goal: &Goal) -> Value {
    let number = |bound: &Bound| value(bound).parse::<f64>().unwrap_or(0.0);
    let is_upper =
        |bound: &Bound| matches!(bound.comparison, Comparison::Less | Comparison::LessOrEqual);
    let levels = [(goal.target, "yellow"), (goal.limit, "red")];
    let present = levels.into_iter().filter_map(|(bound, colour)| Some((bound?, colour)));
    let mut bounds: Vec<(Bound, &str)> = present.collect();
    let mut steps = Vec::new();
    if bounds.iter().all(|(bound, _)| is_upper(bound)) {
        steps.push(json!({ "color": "green", "value": null }));
        steps.extend(
            bounds.iter().map(|(b, colour)| json!({ "color": colour, "value": number(b) })),
        );
    } else {
        // What lies below the limit is red, below the target yellow, above it green.
        bounds.reverse();
        let mut below = None;
        for (bound, colour) in &bounds {
            steps.push(json!({ "color": colour, "value": below }));
            below = Some(number(bound));
        }
        steps.push(json!({ "color": "green", "value": below }));
    }
    json!({ "mode": "absolute", "steps": steps })
}

/// The load test, by the metrics that Proofload itself has for Prometheus.
fn load_test(grid: &mut Grid) {
    let series = |metric: &str| format!("{metric}{{phase=~\"$phase\"}}");
    let rate = |metric: &str| format!("sum(rate({}[{WINDOW}]))", series(metric));
    let quantile = |q: f64, metric: &str| {
        let buckets = series(&format!("{metric}_bucket"));
        format!("histogram_quantile({q}, sum by (le) (rate({buckets}[{WINDOW}])))")
    };
    let requests = [
        Target::new(rate("proofload_requests_total"), "requests"),
        Target::new(rate("proofload_failed_requests_total"), "failed"),
    ];
    grid.panel(panel("Load: requests", Unit::PerSecond, &requests));
    let quantiles = [(0.5, "p50"), (0.95, "p95"), (0.99, "p99")]
        .map(|(q, name)| Target::new(quantile(q, "proofload_request_duration_seconds"), name));
    grid.panel(panel("Load: response time", Unit::Seconds, &quantiles));
    // These two are of the whole load generator, whatever the phase.
    let users = Target::new("sum(proofload_users)".to_owned(), "users");
    grid.panel(panel("Load: virtual users", Unit::Number, &[users]));
    let iterations = [
        Target::new(rate("proofload_iterations_total"), "completed"),
        Target::new(rate("proofload_queued_iterations_total"), "had to wait"),
        Target::new(rate("proofload_dropped_iterations_total"), "dropped"),
    ];
    grid.panel(panel("Load: iterations", Unit::PerSecond, &iterations));
    let by_name = format!("sum by (name) (rate({}[{WINDOW}]))", series("proofload_requests_total"));
    let by_name = Target::new(by_name, "{{name}}");
    grid.panel(panel("Load: requests by name", Unit::PerSecond, &[by_name]));
    let alerts = Target::new("sum(proofload_alerts_active)".to_owned(), "alerts");
    grid.panel(panel("Load: alerts of the load test", Unit::Number, &[alerts]));
    let cpu = Target::new("max(proofload_generator_cpu_ratio)".to_owned(), "processor");
    grid.panel(panel("Load generator: processor", Unit::Share, &[cpu]));
    let lag = Target::new(quantile(0.99, "proofload_start_lag_seconds"), "p99");
    grid.panel(panel("Load generator: start lag", Unit::Seconds, &[lag]));
}

/// A line of a panel.
struct Target {
    expr: String,
    legend: String,
}

impl Target {
    fn new(expr: String, legend: &str) -> Self {
        Self { expr, legend: legend.to_owned() }
    }
}

fn panel(title: &str, unit: Unit, targets: &[Target]) -> Value {
    let letters = ('A'..='Z').map(String::from);
    let targets: Vec<Value> = targets
        .iter()
        .zip(letters)
        .map(|(target, letter)| {
            json!({
                "refId": letter,
                "datasource": { "type": "prometheus", "uid": "${datasource}" },
                "editorMode": "code",
                "expr": target.expr,
                "legendFormat": target.legend,
                "range": true,
            })
        })
        .collect();
    json!({
        "type": "timeseries",
        "title": title,
        "datasource": { "type": "prometheus", "uid": "${datasource}" },
        "fieldConfig": {
            "defaults": {
                "unit": unit.grafana(),
                "min": 0,
                "custom": { "lineWidth": 2, "fillOpacity": 8, "showPoints": "never" },
            },
            "overrides": [],
        },
        "options": {
            "legend": { "displayMode": "list", "placement": "bottom", "showLegend": true },
            "tooltip": { "mode": "multi", "sort": "desc" },
        },
        "targets": targets,
    })
}

/// Puts panels beside and below each other.
#[derive(Default)]
struct Grid {
    panels: Vec<Value>,
    x: usize,
    y: usize,
}

impl Grid {
    fn row(&mut self, title: &str) {
        if self.x > 0 {
            (self.x, self.y) = (0, self.y + PANEL_HEIGHT);
        }
        let row = json!({ "type": "row", "title": title, "collapsed": false, "panels": [] });
        self.place(row, COLUMNS, 1);
    }

    fn panel(&mut self, panel: Value) {
        self.place(panel, PANEL_WIDTH, PANEL_HEIGHT);
    }

    fn place(&mut self, mut panel: Value, width: usize, height: usize) {
        panel["id"] = json!(self.panels.len() + 1);
        panel["gridPos"] = json!({ "x": self.x, "y": self.y, "w": width, "h": height });
        self.panels.push(panel);
        self.x += width;
        if self.x >= COLUMNS {
            (self.x, self.y) = (0, self.y + height);
        }
    }
}

fn datasource() -> Value {
    json!({
        "name": "datasource",
        "label": "Prometheus",
        "type": "datasource",
        "query": "prometheus",
        "refresh": 1,
        "hide": 0,
    })
}

fn phase() -> Value {
    json!({
        "name": "phase",
        "label": "Phase of the load test",
        "type": "query",
        "datasource": { "type": "prometheus", "uid": "${datasource}" },
        "definition": "label_values(proofload_requests_total, phase)",
        "query": { "query": "label_values(proofload_requests_total, phase)", "refId": "phase" },
        "includeAll": true,
        "allValue": ".*",
        "multi": true,
        "refresh": 2,
        "sort": 1,
        "hide": 0,
    })
}

/// The same plan gives the same dashboard: it is replaced, not doubled. At most 40 characters, as
/// Grafana wants it; a checksum tells plans apart whose names look alike in it.
fn uid(name: &str) -> String {
    // FNV-1a, 32 bits.
    let sum = name
        .bytes()
        .fold(0x811c_9dc5_u32, |sum, byte| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let words: String = name.chars().take(20).map(plain).collect();
    format!("proofload-{}-{sum:08x}", words.trim_matches('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_short_plain_and_stable() {
        let check = |name: &str, expect: &str| assert_eq!(uid(name), expect);
        check("dchat", "proofload-dchat-506aa7ad");
        check("", "proofload--811c9dc5");
        assert!(uid(&"日本語".repeat(50)).len() <= 40);
        assert!(uid(&"x".repeat(50)).len() <= 40);
        assert_ne!(uid("a b"), uid("a-b"));
    }
}
