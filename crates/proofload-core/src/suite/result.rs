//! The serialised result of a suite.
//!
//! Units and rules are those of [`RunResult`](crate::result::RunResult): times in milliseconds, shares between 0
//! and 1, a figure without data is `null`, keys are only added within a version.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::result::{BoundRow, Comparison, ResultError, Versioned, has_key, read};
use crate::verdict::Grade;

/// How a suite came out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SuiteResult {
    /// Version of this format.
    pub suite_schema: u32,
    /// When the suite ended, RFC 3339.
    #[serde(default)]
    pub timestamp: String,
    /// What was run.
    #[serde(default)]
    pub suite: SuiteInfo,
    /// The tests, in the order of the file, those that were not run included.
    #[serde(default)]
    pub tests: Vec<TestRow>,
    /// The requirements, in the order of the file.
    #[serde(default)]
    pub requirements: Vec<RequirementRow>,
    /// The whole suite in a few figures.
    #[serde(default)]
    pub summary: SuiteSummary,
}

/// What was run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SuiteInfo {
    /// Name of the suite.
    pub name: String,
    /// The suite file, as it was named on the command line.
    pub file: String,
    /// Start, RFC 3339.
    pub started: String,
    /// End, RFC 3339.
    pub ended: String,
    /// From start to end.
    pub duration_seconds: f64,
    /// Kinds of tests that were asked for; empty for all.
    pub only: Vec<String>,
    /// Whether the user stopped it before its end.
    pub interrupted: bool,
    /// Version of Proofload.
    pub tool_version: String,
}

/// The whole suite in a few figures.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SuiteSummary {
    /// The worst grade of the tests that were run; POOR too where a test could not start or a requirement
    /// failed; `null` if nothing was expected.
    pub grade: Option<Grade>,
    /// The exit code.
    pub exit_code: u8,
    /// Tests of the suite.
    pub total_tests: u64,
    /// Of these, those that ran to their end.
    pub tests_run: u64,
    /// Of these, those that are not POOR.
    pub tests_passed: u64,
    /// Tests that could not start.
    pub tests_failed_to_start: u64,
    /// Requirements of the suite.
    pub requirements: u64,
    /// Of these, proven.
    pub proven: u64,
    /// Of these, failed.
    pub failed: u64,
    /// Of these, neither.
    pub unproven: u64,
    /// Whether nothing speaks against any measurement.
    pub trustworthy: bool,
}

/// What became of a test.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TestState {
    /// It ran to its end.
    Finished,
    /// The user stopped it while it ran.
    Interrupted,
    /// It could not start, or no result came of it.
    Failed,
    /// It was not run: not asked for, or the suite ended before.
    #[default]
    NotRun,
}

/// A test and how it came out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TestRow {
    /// Its name.
    pub name: String,
    /// `webhook`, `load`, `redis`, `postgres`, `capacity` or `baseline`.
    pub kind: String,
    /// What became of it.
    pub state: TestState,
    /// Why it was not run or failed to start, in words; nothing if it ran.
    pub reason: Option<String>,
    /// The exit code that it would have had alone; `null` if it was not run.
    pub exit_code: Option<u8>,
    /// Its grade; `null` if nothing was expected or it was not run.
    pub grade: Option<Grade>,
    /// Whether nothing speaks against its measurement.
    pub trustworthy: bool,
    /// Time it took.
    pub duration_seconds: f64,
    /// Finished requests.
    pub total_requests: u64,
    /// Of these, failures.
    pub failed: u64,
    /// 95th percentile of the response times of all its phases together, in milliseconds.
    pub p95_latency_ms: Option<f64>,
    /// Its targets.
    pub targets: u32,
    /// Of these, met.
    pub targets_met: u32,
    /// Its limits.
    pub limits: u32,
    /// Of these, kept.
    pub limits_met: u32,
    /// Where its own result was written.
    pub result_path: Option<String>,
    /// Of kind baseline: what was compared, and what became of it. Rules count as limits, goals as targets.
    pub comparison: Option<Comparison>,
}

/// What is shown of a requirement.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ProofVerdict {
    /// Measured by a trustworthy measurement, and kept.
    Proven,
    /// Nobody has shown that it holds or that it does not.
    #[default]
    Unproven,
    /// Measured by a trustworthy measurement, and broken.
    Failed,
}

impl ProofVerdict {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Proven => "proven",
            Self::Unproven => "unproven",
            Self::Failed => "failed",
        }
    }
}

/// A requirement and what has become of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RequirementRow {
    /// Its number or name.
    pub id: String,
    /// What is required, in words.
    pub text: String,
    /// Failed if any proof failed, proven if there are proofs and all hold, else unproven.
    pub verdict: ProofVerdict,
    /// Why it is unproven; `null` otherwise.
    pub reason: Option<String>,
    /// One row for each bound.
    pub proofs: Vec<ProofRow>,
}

/// A bound and what was measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ProofRow {
    /// Name of the test.
    pub test: String,
    /// Phase of the test; `null` for all of them together.
    pub phase: Option<String>,
    /// The measure; empty where the test's own limits are the proof.
    pub measure: String,
    /// Unit of `measured` and of the bound's value, as in results of runs.
    pub unit: String,
    /// What was measured; `null` without data.
    pub measured: Option<f64>,
    /// The same for people.
    pub measured_text: String,
    /// The bound; `null` where the test's own limits are the proof.
    pub bound: Option<BoundRow>,
    /// What has become of it.
    pub verdict: ProofVerdict,
    /// Why it is unproven; `null` otherwise.
    pub reason: Option<String>,
}

impl Versioned for SuiteResult {
    const KEY: &'static str = "suite_schema";
    const KNOWN: u32 = Self::SCHEMA;

    fn version(&self) -> u32 {
        self.suite_schema
    }
}

impl SuiteResult {
    /// Version of the format that this build writes.
    pub const SCHEMA: u32 = 1;

    /// Indented JSON with a final line break.
    ///
    /// # Errors
    /// When a number is not finite, which a bug would be.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// Reads a result of a suite; unknown keys are ignored, absent ones have their default.
    ///
    /// # Errors
    /// When it is not one, or one of a later version.
    pub fn from_json(text: &str) -> Result<Self, ResultError> {
        read(text)
    }

    /// Whether a text is meant to be the result of a suite, not of a run.
    #[must_use]
    pub fn is_meant_by(text: &str) -> bool {
        has_key(text, Self::KEY)
    }

    /// JSON Schema of the format.
    #[must_use]
    pub fn json_schema() -> serde_json::Value {
        schemars::schema_for!(Self).to_value()
    }
}
