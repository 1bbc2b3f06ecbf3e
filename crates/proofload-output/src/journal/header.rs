//! The first line of a journal: what is being run, and what it must hold.

use std::collections::BTreeMap;

use proofload_core::plan::{
    AlertRules, HttpSettings, Inputs, OtherKind, Overrides, Plan, PlanErrors, Secrets,
};
use proofload_core::redact::Redactor;
use proofload_core::result::RunInfo;
use serde::{Deserialize, Serialize};

/// What a journal begins with. Without secrets.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// Version of the journal's format.
    pub version: u32,
    /// What is run; without its end.
    #[serde(default)]
    pub run: RunInfo,
    /// Where the load generator runs.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// The whole plan as TOML, for people.
    #[serde(default)]
    pub plan: String,
    /// Of the plan what the verdict needs, as TOML: no users, no files, no headers. It can be read where
    /// the files that the plan names are gone.
    #[serde(default)]
    outline: String,
    /// All kinds of users, those of the plan and those written in Rust: the outline has none.
    #[serde(default)]
    kinds: Vec<Kind>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Kind {
    name: String,
    weight: u32,
    count: Option<u32>,
}

impl Header {
    /// Version of the format that this build writes and reads.
    pub const VERSION: u32 = 1;

    /// The header for a run of `plan`.
    #[must_use]
    pub fn new(
        plan: &Plan,
        run: RunInfo,
        environment: BTreeMap<String, String>,
        redactor: &Redactor,
    ) -> Self {
        let text = |text: &str| redactor.text(text).into_owned();
        let outline = outline(plan);
        let kind = |kind: &OtherKind| Kind {
            name: text(&kind.name),
            weight: kind.weight,
            count: kind.count,
        };
        Self {
            version: Self::VERSION,
            run: RunInfo { name: text(&run.name), target: text(&run.target), ..run },
            environment,
            plan: text(&plan.to_toml(Secrets::Hide)),
            outline: text(&outline.to_toml(Secrets::Hide)),
            kinds: outline.other_kinds.iter().map(kind).collect(),
        }
    }

    /// The plan as far as a verdict needs it: its phases, what they must hold, and the thresholds. Its
    /// users make no requests.
    ///
    /// # Errors
    /// When it cannot be read, such as by a build that has other words.
    pub fn outline(&self) -> Result<Plan, PlanErrors> {
        let kind = |kind: &Kind| OtherKind {
            name: kind.name.as_str().into(),
            weight: kind.weight,
            count: kind.count,
        };
        let kinds: Vec<OtherKind> = self.kinds.iter().map(kind).collect();
        let inputs = Inputs { kinds: &kinds, ..Inputs::NONE };
        Plan::parse("<journal>", &self.outline, &Overrides::default(), &inputs)
    }
}

/// The plan without anything that makes requests. Kinds keep their indices.
fn outline(plan: &Plan) -> Plan {
    let own = plan.users.iter().map(|user| OtherKind {
        name: user.name.clone(),
        weight: user.weight,
        count: user.count,
    });
    Plan {
        alerts: AlertRules::default(),
        other_kinds: own.chain(plan.other_kinds.iter().cloned()).collect(),
        users: Vec::new(),
        health: None,
        http: HttpSettings::default(),
        headers: Vec::new(),
        feeds: Vec::new(),
        cache: None,
        ..plan.clone()
    }
}
