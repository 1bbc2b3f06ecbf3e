//! An improvement as it stands in `result.json`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::result::GoalOutcome;
use crate::suite::{ProofVerdict, RequirementRow};

/// What a change has brought, measured by the same plan before and after it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Improvement {
    /// Where the result of the run before is, as seen from this one; empty if it was not kept.
    pub before: String,
    /// What is different, and what is not: how the service was set up in both runs.
    pub settings: Vec<SettingRow>,
    /// What was claimed of the change.
    pub claims: Vec<ClaimRow>,
    /// What the run after proves.
    pub requirements: Vec<RequirementRow>,
    /// What has to be known to read the figures.
    pub notes: Vec<String>,
}

/// How something was set up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SettingRow {
    /// What.
    pub name: String,
    /// Before.
    pub before: String,
    /// After.
    pub after: String,
}

/// A claim and what was measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ClaimRow {
    /// What it is about: `P99 of a rush`.
    pub name: String,
    /// What was claimed, in the words of whoever did: `14 s → 2 s`.
    pub claimed: String,
    /// Unit of `before` and `after`: `ms`, `ratio`, `users`, or that of an amount of money; nothing for
    /// a factor.
    pub unit: String,
    /// What was measured before.
    pub before: Option<f64>,
    /// What was measured after.
    pub after: Option<f64>,
    /// The same for people.
    pub before_text: String,
    /// The same for people.
    pub after_text: String,
    /// The change for people: `−97.1%`, `25 times`.
    pub change_text: String,
    /// How certain that is, for people: its 99 % confidence interval, or the reason why there is none.
    pub confidence_text: String,
    /// Whether the claim is met.
    pub outcome: GoalOutcome,
    /// Why it is not, or cannot be told.
    pub why: Option<String>,
}

impl Improvement {
    /// Whether a requirement has failed.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.requirements.iter().any(|row| row.verdict == ProofVerdict::Failed)
    }

    /// How many claims came out so.
    #[must_use]
    pub fn claims_with(&self, outcome: GoalOutcome) -> usize {
        self.claims.iter().filter(|claim| claim.outcome == outcome).count()
    }
}
