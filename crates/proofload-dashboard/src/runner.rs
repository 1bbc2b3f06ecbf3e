//! What the page may ask of whoever runs plans.

use std::time::Duration;

use proofload_core::plan::{Load, Plan, Target};
use proofload_core::result::RunResult;
use proofload_core::verdict::Grade;
use proofload_report::load_text;
use serde::Deserialize;

/// Runs plans. All of it is called from the dashboard's threads; what takes long is to be started, not
/// waited for.
pub trait Runner: Send + Sync + 'static {
    /// The plans that may be started. Does not change while the dashboard serves.
    fn plans(&self) -> Vec<PlanInfo>;

    /// Starts a plan. How it goes is told to the dashboard by its [`Running`](crate::Running).
    ///
    /// # Errors
    /// Why it was not started.
    fn start(&self, request: &StartRequest) -> Result<(), Refusal>;

    /// Steers the run that is under way.
    ///
    /// # Errors
    /// Why it was not done.
    fn control(&self, control: Control) -> Result<(), Refusal>;

    /// Runs that have ended, the latest first; a bounded number of them.
    fn past_runs(&self) -> Vec<PastRun>;

    /// The result of a run by its [`PastRun::id`]. The id comes from the page: it is to be looked up among
    /// those of [`Runner::past_runs`], never to be made a path of.
    fn past_result(&self, id: &str) -> Option<RunResult>;
}

/// Why something was not done, for the user.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(pub String);

impl Refusal {
    /// A refusal for this reason.
    #[must_use]
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

/// A plan that may be started.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PlanInfo {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// The service under test, without credentials.
    pub target: String,
    /// Its phases.
    pub phases: Vec<PhaseInfo>,
    /// Conditions on the whole run, in k6's words.
    pub thresholds: Vec<String>,
}

/// A phase of a plan.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PhaseInfo {
    /// Its name.
    pub name: String,
    /// Its load in a few words.
    pub load: String,
    /// How long it lasts by the clock; none if it ends when its work is done.
    pub duration: Option<Duration>,
    /// Its peak number of users, or the most it may take in open load.
    pub users: u32,
    /// Its peak rate a second, in open load.
    pub rate: Option<f64>,
    /// What is expected, one text each.
    pub expectations: Vec<String>,
}

impl PlanInfo {
    /// What there is to say of a plan.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        Self {
            name: plan.name.to_string(),
            description: plan.description.as_deref().map(str::to_owned),
            target: match &plan.target {
                Target::Demo => "the built-in demo service".to_owned(),
                Target::Url(url) => url.to_string(),
            },
            phases: plan.phases.iter().map(PhaseInfo::of).collect(),
            thresholds: plan
                .thresholds
                .iter()
                .map(|threshold| format!("{}: {}", threshold.metric_text, threshold.condition_text))
                .collect(),
        }
    }
}

impl PhaseInfo {
    fn of(phase: &proofload_core::plan::Phase) -> Self {
        let expectation = |expectation: &proofload_core::verdict::Expectation| {
            let bound = expectation.target().or(expectation.limit());
            let bound = bound.map(ToString::to_string).unwrap_or_default();
            format!("{} {bound}", expectation.measure())
        };
        Self {
            name: phase.name.to_string(),
            load: load_text(phase),
            duration: match &phase.load {
                Load::SharedIterations { .. } => None,
                load => load.duration(),
            },
            users: phase.load.peak_users(),
            rate: phase.load.peak_rate(),
            expectations: phase.expect.iter().map(expectation).collect(),
        }
    }
}

/// What the page asks to be started: one of the plans it was given, nothing else. There is no way to name
/// another target.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StartRequest {
    /// Index into [`Runner::plans`].
    pub plan: usize,
    /// Indices of the phases to run; all of them if empty.
    #[serde(default)]
    pub phases: Vec<usize>,
    /// Another peak number of users.
    #[serde(default)]
    pub users: Option<u32>,
    /// Another peak rate of open load, a second.
    #[serde(default)]
    pub rate: Option<f64>,
    /// Another length of every phase.
    #[serde(default)]
    pub duration_seconds: Option<f64>,
}

/// Largest factor by which the page scales a load.
pub(crate) const MAX_SCALE: f64 = 100.0;
/// Most users, and most arrivals a second, that the page starts.
const MAX_LOAD: f64 = 10_000_000.0;
/// Longest phase that the page starts, in seconds: a year.
const MAX_SECONDS: f64 = 366.0 * 86_400.0;

impl StartRequest {
    /// Says what is wrong with it, before anybody else has to.
    pub(crate) fn check(&self, plans: &[PlanInfo]) -> Result<(), Refusal> {
        let Some(plan) = plans.get(self.plan) else {
            return Err(Refusal::new("there is no such plan on this page"));
        };
        if self.phases.iter().any(|phase| *phase >= plan.phases.len()) {
            return Err(Refusal::new("the plan has no such phase"));
        }
        if self.users.is_some_and(|users| users == 0 || f64::from(users) > MAX_LOAD) {
            return Err(Refusal::new("the number of users must be from 1 to 10,000,000"));
        }
        let is_in = |value: f64, most: f64| value > 0.0 && value <= most;
        if self.rate.is_some_and(|rate| !is_in(rate, MAX_LOAD)) {
            return Err(Refusal::new("the rate must be above 0 and at most 10,000,000/s"));
        }
        if self.duration_seconds.is_some_and(|seconds| !is_in(seconds, MAX_SECONDS)) {
            return Err(Refusal::new("the duration must be above 0 and at most a year"));
        }
        Ok(())
    }
}

/// What can be done to a run that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", tag = "do", deny_unknown_fields)]
pub enum Control {
    /// End it in good order: requests in flight may finish.
    Stop,
    /// End it now.
    StopNow,
    /// Make no more requests until told to go on.
    Pause,
    /// Go on.
    Resume,
    /// Multiply users and rates of the plan by this from now on; above 0, at most 100.
    Scale {
        /// 1 is the plan's own load.
        factor: f64,
    },
    /// End the phase that is under way and go on with the next.
    EndPhase,
}

impl Control {
    /// Says what is wrong with it.
    pub(crate) fn check(self) -> Result<(), Refusal> {
        match self {
            Self::Scale { factor } if !(factor > 0.0 && factor <= MAX_SCALE) => {
                Err(Refusal::new("the load can be scaled to above 0 and at most 100 times"))
            }
            _ => Ok(()),
        }
    }
}

/// A run that has ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PastRun {
    /// What it is called in addresses: letters, digits, `-`, `_` and `.`, not beginning with a `.`.
    pub id: String,
    /// Name of the plan.
    pub name: String,
    /// Start, RFC 3339.
    pub started: String,
    /// How long it took.
    pub duration_seconds: f64,
    /// Its grade, if anything was expected.
    pub grade: Option<Grade>,
    /// Finished requests.
    pub requests: u64,
    /// Of these, failures.
    pub failed: u64,
    /// Somebody stopped it.
    pub is_interrupted: bool,
}

/// Whether a text has the form of a [`PastRun::id`]: nothing that means something in a path.
pub(crate) fn is_run_id(text: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    !text.is_empty() && text.len() <= 200 && !text.starts_with('.') && text.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_of_the_page_are_checked() {
        let plans = [PlanInfo { phases: vec![PhaseInfo::default()], ..PlanInfo::default() }];
        let check = |json: &str, is_fine: bool| {
            let request = serde_json::from_str::<StartRequest>(json);
            let fine = request.is_ok_and(|request| request.check(&plans).is_ok());
            assert_eq!(fine, is_fine, "{json}");
        };
        check(r#"{"plan":0}"#, true);
        check(r#"{"plan":0,"phases":[0],"users":5,"rate":0.5,"duration_seconds":1}"#, true);
        check(r#"{"plan":1}"#, false);
        check(r#"{"plan":0,"phases":[1]}"#, false);
        check(r#"{"plan":0,"users":0}"#, false);
        check(r#"{"plan":0,"rate":-1}"#, false);
        check(r#"{"plan":0,"duration_seconds":1e300}"#, false);
        check(r#"{"plan":0,"target":"http://elsewhere"}"#, false);
    }

    #[test]
    fn controls_as_the_page_sends_them() {
        let check = |json: &str, expect: Option<Control>| {
            let control = serde_json::from_str::<Control>(json).ok();
            assert_eq!(control.filter(|control| control.check().is_ok()), expect, "{json}");
        };
        check(r#"{"do":"stop"}"#, Some(Control::Stop));
        check(r#"{"do":"end_phase"}"#, Some(Control::EndPhase));
        check(r#"{"do":"scale","factor":2}"#, Some(Control::Scale { factor: 2.0 }));
        check(r#"{"do":"scale","factor":0}"#, None);
        check(r#"{"do":"scale","factor":101}"#, None);
        check(r#"{"do":"scale"}"#, None);
        check(r#"{"do":"format"}"#, None);
    }

    #[test]
    fn ids_are_no_paths() {
        for id in ["dchat-20260101-120000", "größe-1", "a.b_c"] {
            assert!(is_run_id(id), "{id}");
        }
        for id in ["", ".", "..", "../x", "a/b", "a\\b", "a b", "a\0b", ".hidden", "C:"] {
            assert!(!is_run_id(id), "{id}");
        }
        assert!(!is_run_id(&"x".repeat(201)));
    }
}
