//! The Grafana dashboard and the alert rules of the kit's metrics.
//!
//! - `panels`, `alerts`: what is shown and what is alerted on, as data;
//! - `promql`: their expressions for one service;
//! - `dashboard`, `rules`: the files.

mod alerts;
mod dashboard;
mod panels;
mod promql;
mod rules;

use promql::PromQl;

use crate::BuildError;

/// Makes the Grafana dashboard and the Prometheus alert rules of a service that shows the kit's metrics.
///
/// ```
/// use proofload_kit::registry::Monitoring;
///
/// # fn main() -> Result<(), proofload_kit::BuildError> {
/// let shop = Monitoring::new("Shop").label("job", "shop")?;
/// let dashboard_json: String = shop.dashboard();
/// let rules_yaml: String = shop.rules();
/// assert!(rules_yaml.contains(r#"rate(pool_leaks_total{job="shop"}[10m])"#));
/// # Ok(()) }
/// ```
///
/// Parts a service does not have leave their panels empty and their rules silent. The rules' bounds are where to begin:
/// a file is made to be edited.
#[derive(Clone, Debug)]
pub struct Monitoring {
    title: String,
    promql: PromQl,
}

impl Monitoring {
    /// For the service of this title, whatever labels its series have.
    #[must_use]
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), promql: PromQl::default() }
    }

    /// Only series with this label: `job`, `namespace` or whatever tells services apart.
    ///
    /// # Errors
    /// When `name` is no name of a label.
    pub fn label(mut self, name: &str, value: &str) -> Result<Self, BuildError> {
        if !super::own::is_word(name, false) {
            let allowed = "a word of letters, digits and `_` that does not begin with a digit";
            return Err(BuildError::new("label", name, allowed));
        }
        self.promql.add_matcher(name, value);
        Ok(self)
    }

    /// The kit's registry is part of one with this prefix: `shop` for `shop_cache_hits_total`.
    ///
    /// # Errors
    /// When metrics cannot begin with it.
    pub fn prefix(mut self, prefix: &str) -> Result<Self, BuildError> {
        if !super::own::is_word(prefix, true) {
            let allowed = "a word of letters, digits, `_` and `:` that does not begin with a digit";
            return Err(BuildError::new("prefix", prefix, allowed));
        }
        self.promql.set_prefix(prefix);
        Ok(self)
    }

    /// A Grafana dashboard as JSON, to import or to provision. It asks for its data source when imported.
    #[must_use]
    pub fn dashboard(&self) -> String {
        dashboard::write(&self.title, &self.promql)
    }

    /// Alert rules for Prometheus as YAML, one group.
    #[must_use]
    pub fn rules(&self) -> String {
        rules::write(&self.title, &self.promql)
    }
}

/// All expressions, as they stand in the data.
#[cfg(test)]
pub(super) fn expressions() -> impl Iterator<Item = &'static str> {
    let panels = panels::SECTIONS.iter().flat_map(|section| section.panels);
    let queries = panels.flat_map(|panel| panel.queries).map(|&(expr, _)| expr);
    queries.chain(alerts::ALERTS.iter().map(|alert| alert.expr))
}

#[cfg(test)]
mod tests {
    use super::promql::words;
    use super::*;
    use crate::registry::catalogue;

    /// Words of expressions that are functions, keywords, labels and their values.
    const OTHER_WORDS: &[&str] = &[
        "and",
        "avg_over_time",
        "by",
        "histogram_quantile",
        "increase",
        "max",
        "min",
        "rate",
        "sum",
        "topk",
        "breaker",
        "cache",
        "kind",
        "le",
        "limiter",
        "outcome",
        "pool",
        "reason",
        "redis",
        "retry",
        "route",
        "state",
        "status",
        "closed",
        "connect_error",
        "connect_timeout",
        "error",
        "open",
        "wait_timeout",
        "exhausted",
        "deadline",
        "budget",
        "forced_open",
        "forced_closed",
        "w",
    ];

    #[test]
    fn only_metrics_that_exist() {
        for expression in expressions() {
            let unknown: Vec<&str> = words(expression)
                .filter(|word| word.starts_with(|c: char| c.is_ascii_alphabetic()))
                .filter(|word| !catalogue::is_series(word) && !OTHER_WORDS.contains(word))
                .collect();
            assert_eq!(unknown, [""; 0], "{expression}");
            let metrics = words(expression).filter(|word| catalogue::is_series(word)).count();
            let places = expression.matches("$}").count();
            assert_eq!(places, metrics, "each metric takes the labels: {expression}");
        }
    }

    #[test]
    fn labels_and_prefix_are_checked() {
        let monitoring = || Monitoring::new("Shop");
        assert!(monitoring().label("job name", "x").is_err());
        assert!(monitoring().prefix("1").is_err());
        let rules = monitoring().prefix("shop").unwrap().label("job", "it's").unwrap().rules();
        assert!(rules.contains("rate(shop_pool_leaks_total{job=\"it''s\"}[10m])"), "{rules}");
    }
}
