//! From a plan to production: what a load test must hold becomes what is watched for ever after.
//!
//! [`prometheus_rules`] writes alert rules and [`grafana`] a dashboard. A target that is missed is a
//! warning, a limit that is broken is critical. Whether a measure of the load test exists in production,
//! and under which metric, is said in [`MetricNames`]; what does not exist there is left out and told.
//!
//! Where phases expect different things of a measure, the loosest bound is taken: a service that keeps
//! what the plan allows under its heaviest load raises no alert. [`Settings::phases`] chooses others.

mod dashboard;
mod goals;
mod names;
mod promql;
mod rules;

use std::time::Duration;

use proofload_core::plan::Plan;

pub use names::{MetricNames, Selector};

/// How a plan is turned into rules and dashboards.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// What metrics are called in production.
    pub names: MetricNames,
    /// Which series are those of the service.
    pub selector: Selector,
    /// Time over which rates and quantiles are taken; whole seconds.
    pub window: Duration,
    /// How long something must be wrong before there is an alert; whole seconds.
    pub hold: Duration,
    /// Share of the throughput of an hour ago below which there is an alert, between 0 and 1.
    pub drop_share: f64,
    /// Names of the phases whose expectations are taken, case ignored; if empty, all of them and the
    /// thresholds of the run.
    pub phases: Vec<String>,
    /// Measures that are left out, by name.
    pub skip: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            names: MetricNames::default(),
            selector: Selector::default(),
            window: Duration::from_secs(300),
            hold: Duration::from_secs(300),
            drop_share: 0.5,
            phases: Vec::new(),
            skip: Vec::new(),
        }
    }
}

/// A file, and what its reader should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// The file, with a final line break.
    pub text: String,
    /// What was left out, and what was chosen where there was a choice.
    pub notes: Vec<String>,
}

/// Why nothing could be exported.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExportError {
    /// No such metric can be named.
    #[error("unknown metric `{name}`: known are {known}, and the names of the plan's monitors")]
    UnknownMetric {
        /// What was given.
        name: String,
        /// What there is.
        known: String,
    },
    /// A name that Prometheus does not allow.
    #[error("`{name}` must be the name of a {what}: letters, digits and `_`, no digit in front")]
    BadName {
        /// What was given.
        name: String,
        /// Of what it should be the name.
        what: &'static str,
    },
    /// An empty expression, or one that cannot be one.
    #[error("the expression for `{name}` {why}")]
    BadExpression {
        /// The measure.
        name: String,
        /// What is wrong.
        why: &'static str,
    },
    /// A selector that is not a list of label matchers.
    #[error(
        "`{text}` is no selector: expected label matchers such as job=\"api\",env=~\"prod|test\""
    )]
    BadSelector {
        /// What was given.
        text: String,
    },
    /// A phase that the plan does not have.
    #[error("the plan has no phase `{name}`; it has {known}")]
    UnknownPhase {
        /// What was given.
        name: String,
        /// What there is.
        known: String,
    },
    /// A time that Prometheus cannot write.
    #[error("{what} must be whole seconds, at least one")]
    BadTime {
        /// Which.
        what: &'static str,
    },
}

/// Alert rules for Prometheus, as the YAML of a rule file.
///
/// # Errors
/// When the settings do not fit the plan or Prometheus.
pub fn prometheus_rules(plan: &Plan, settings: &Settings) -> Result<Exported, ExportError> {
    let goals = goals::of(plan, settings)?;
    Ok(rules::write(plan, settings, goals))
}

/// A dashboard for Grafana, as the JSON that its import reads.
///
/// # Errors
/// When the settings do not fit the plan or Prometheus.
pub fn grafana(plan: &Plan, settings: &Settings) -> Result<Exported, ExportError> {
    let goals = goals::of(plan, settings)?;
    Ok(dashboard::write(plan, settings, goals))
}
