//! The comparison of a run with earlier ones, as it stands in `result.json`.
//!
//! Values are in the unit that each row names: milliseconds for times, shares between 0 and 1 for
//! rates. A change is relative to the old value (0.05 is 5 % more), or, for what is a share already,
//! the difference of the shares (0.005 is half a percentage point more); `scale` says which.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How new runs compare with old ones.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Comparison {
    /// What was compared with.
    pub old: SideRow,
    /// What was compared.
    pub new: SideRow,
    /// How certain intervals are, 0…1.
    pub level: f64,
    /// Expected share of false ones among all changes that are called better or worse; if nothing
    /// changed, the chance of any.
    pub false_discovery_rate: f64,
    /// One entry for each phase, and for each request of it.
    pub entries: Vec<ComparisonEntry>,
    /// The rules of what counts as a regression.
    pub rules: Vec<RuleRow>,
    /// What was wanted of the change.
    pub goals: Vec<GoalRow>,
    /// What speaks against taking the changes for those of the service.
    pub warnings: Vec<String>,
    /// Whether a rule fired.
    pub has_regressed: bool,
    /// What more could be done to know more; `null` if nothing.
    pub hint: Option<String>,
}

/// One side of a comparison.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SideRow {
    /// Name of the file, or of the baseline.
    pub label: String,
    /// Target without credentials.
    pub target: String,
    /// When each run began, RFC 3339; empty where it is not known.
    pub runs: Vec<String>,
    /// Requests of all runs.
    pub requests: u64,
}

/// The changes of a phase, or of one request in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ComparisonEntry {
    /// Name of the phase.
    pub phase: String,
    /// The request; `null` for the phase as a whole.
    pub request: Option<RequestName>,
    /// Its measures.
    pub changes: Vec<ChangeRow>,
}

/// What tells a request from others.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(default)]
pub struct RequestName {
    /// Name of the request.
    pub name: String,
    /// Kind of user.
    pub user: String,
    /// Task.
    pub task: String,
}

/// What became of a measure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeVerdict {
    /// It is better, and that is no chance.
    Better,
    /// It is worse, and that is no chance.
    Worse,
    /// Whatever changed is too small to matter: the whole interval lies within the margin.
    NoChange,
    /// The measurement does not tell.
    #[default]
    CannotTell,
}

impl ChangeVerdict {
    /// In words: `no change`.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::NoChange => "no change",
            Self::CannotTell => "cannot tell",
        }
    }
}

/// What a change is measured in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeScale {
    /// As a share of the old value.
    #[default]
    Relative,
    /// As the difference of two shares; people read it in percentage points.
    Points,
}

/// The change of a measure.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ChangeRow {
    /// The measure, such as `p95`.
    pub measure: String,
    /// Unit of `old` and `new`: `ms`, `ratio`, `1/s`, or nothing for a monitor's own.
    pub unit: String,
    /// Old value; of several runs their mean (of times and rates a second the geometric one).
    pub old: Option<f64>,
    /// New value.
    pub new: Option<f64>,
    /// The old value for people.
    pub old_text: String,
    /// The new value for people.
    pub new_text: String,
    /// What `change`, `low` and `high` are measured in.
    pub scale: ChangeScale,
    /// From old to new.
    pub change: Option<f64>,
    /// Lower end of the change's confidence interval; `null` if it is not bounded.
    pub low: Option<f64>,
    /// Upper end of the change's confidence interval; `null` if it is not bounded.
    pub high: Option<f64>,
    /// The change for people: `+12.3%`, `+0.50 points`.
    pub change_text: String,
    /// The interval for people: `+8% … +17%`.
    pub interval_text: String,
    /// Chance of a change at least as large if nothing had changed.
    pub p_value: Option<f64>,
    /// The same, corrected for the number of measures compared (Benjamini and Hochberg).
    pub adjusted_p_value: Option<f64>,
    /// What became of it.
    pub verdict: ChangeVerdict,
    /// Why it cannot be told, where more is to be said than that the interval is wide.
    pub why: Option<String>,
}

/// A rule of what counts as a regression.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RuleRow {
    /// What it watches: `p95 of every phase`, `avg of every request`.
    pub text: String,
    /// The measure.
    pub measure: String,
    /// The change that is too much: `+20%`.
    pub limit: String,
    /// Whether the change passed its size and is no chance, somewhere.
    pub fired: bool,
    /// Where it fired, with what was measured.
    pub places: Vec<String>,
    /// Where the change passed its size, but may be chance.
    pub undecided: Vec<String>,
}

/// What was wanted of the change.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct GoalRow {
    /// The measure.
    pub measure: String,
    /// The change that is wanted: `-85%`.
    pub goal: String,
    /// Name of the phase.
    pub phase: String,
    /// What was measured: `-87.1% (-88% … -86%)`.
    pub measured: String,
    /// Whether it is reached.
    pub outcome: GoalOutcome,
}

/// Whether a goal is reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GoalOutcome {
    /// The whole interval lies beyond the goal.
    Reached,
    /// The whole interval falls short of it.
    NotReached,
    /// The goal lies within the interval.
    #[default]
    CannotTell,
}

impl GoalOutcome {
    /// In words: `not reached`.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Reached => "reached",
            Self::NotReached => "not reached",
            Self::CannotTell => "cannot tell",
        }
    }
}
