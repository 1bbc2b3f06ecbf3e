//! Whether two runs may be compared at all: the same machine, plan and target.

use crate::result::RunResult;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// The facts of the environment that have to be equal, and what they are called.
const ENVIRONMENT: [(&str, &str); 6] = [
    ("cpu_model", "processor"),
    ("cpu_cores", "cores"),
    ("kernel", "kernel"),
    ("os", "operating system"),
    ("arch", "architecture"),
    ("workers", "workers"),
];

/// What has to be equal for runs to be comparable.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ground {
    /// Target without credentials.
    pub target: String,
    /// Digest of the plan; empty if it is not known.
    pub plan_hash: String,
    /// Version of Proofload; empty if it is not known.
    pub tool_version: String,
    /// Where the load generator ran.
    pub environment: BTreeMap<String, String>,
}

/// What may be told to be allowed to differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Aspect {
    /// Machine and version of Proofload.
    Environment,
    /// The load.
    Plan,
    /// The service under test.
    Target,
}

impl Aspect {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Environment, Self::Plan, Self::Target];

    /// As it is written: `environment`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Environment => "environment",
            Self::Plan => "plan",
            Self::Target => "target",
        }
    }
}

impl FromStr for Aspect {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|aspect| aspect.word() == text)
            .ok_or_else(|| format!("`{text}` is none of environment, plan, target"))
    }
}

/// One thing that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What kind of thing.
    pub aspect: Aspect,
    /// What it is called: `processor`.
    pub what: &'static str,
    /// On the old side.
    pub old: String,
    /// On the new side.
    pub new: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} → {}", self.what, shown(&self.old), shown(&self.new))
    }
}

/// Digests are long: their beginning tells them apart.
fn shown(value: &str) -> &str {
    match value.strip_prefix("sha256:") {
        Some(digest) => digest.get(..12).unwrap_or(digest),
        None => value,
    }
}

/// Why runs are not compared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the runs are not comparable:{}\n  to compare them all the same: --allow-different {}", .differences.iter().map(|one| format!("\n  {one}")).collect::<String>(), words(.differences))]
pub struct NotComparable {
    /// What differs without being allowed to.
    pub differences: Vec<Difference>,
}

fn words(differences: &[Difference]) -> String {
    let aspects: std::collections::BTreeSet<_> = differences.iter().map(|one| one.aspect).collect();
    aspects.into_iter().map(Aspect::word).collect::<Vec<_>>().join(",")
}

impl Ground {
    /// The facts of a result.
    #[must_use]
    pub fn of(result: &RunResult) -> Self {
        let known = ENVIRONMENT.iter().filter_map(|(key, _)| {
            Some(((*key).to_owned(), result.environment.get(*key)?.clone()))
        });
        Self {
            target: result.run.target.clone(),
            plan_hash: result.run.plan_hash.clone(),
            tool_version: result.run.tool_version.clone(),
            environment: known.collect(),
        }
    }

    /// What differs between an old and a new run. A fact that one of them does not know is no
    /// difference; [`Ground::unknown`] names it.
    #[must_use]
    pub fn differences(&self, new: &Self) -> Vec<Difference> {
        let mut all = Vec::new();
        let mut add = |aspect, what, old: &str, new: &str| {
            if !old.is_empty() && !new.is_empty() && old != new {
                all.push(Difference { aspect, what, old: old.to_owned(), new: new.to_owned() });
            }
        };
        for (key, what) in ENVIRONMENT {
            add(Aspect::Environment, what, self.fact(key), new.fact(key));
        }
        let (old_version, new_version) = (&self.tool_version, &new.tool_version);
        if generation(old_version) != generation(new_version) {
            add(Aspect::Environment, "version of Proofload", old_version, new_version);
        }
        add(Aspect::Plan, "plan (digest of its load)", &self.plan_hash, &new.plan_hash);
        add(Aspect::Target, "target", &self.target, &new.target);
        all
    }

    /// Facts that this or the other run does not know, so that nobody can say whether they differ.
    #[must_use]
    pub fn unknown(&self, new: &Self) -> Vec<&'static str> {
        let mut unknown = Vec::new();
        for (key, what) in ENVIRONMENT {
            if self.fact(key).is_empty() || new.fact(key).is_empty() {
                unknown.push(what);
            }
        }
        if self.plan_hash.is_empty() || new.plan_hash.is_empty() {
            unknown.push("plan");
        }
        unknown
    }

    fn fact(&self, key: &str) -> &str {
        self.environment.get(key).map_or("", String::as_str)
    }
}

/// The part of a version in which builds may measure differently: the major number, and before 1.0
/// the minor one with it, as in semantic versioning.
fn generation(version: &str) -> &str {
    let end =
        |dots: usize| version.match_indices('.').nth(dots).map_or(version.len(), |(at, _)| at);
    if version.starts_with("0.") { &version[..end(1)] } else { &version[..end(0)] }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ground() -> Ground {
        let facts =
            [("cpu_model", "A"), ("cpu_cores", "2"), ("kernel", "Linux 6"), ("os", "linux")];
        let mut environment: BTreeMap<String, String> =
            facts.iter().map(|(key, fact)| ((*key).to_owned(), (*fact).to_owned())).collect();
        environment.extend([
            ("arch".to_owned(), "x86_64".to_owned()),
            ("workers".to_owned(), "2".to_owned()),
        ]);
        Ground {
            target: "demo".to_owned(),
            plan_hash: "sha256:0123456789abcdef".to_owned(),
            tool_version: "0.1.0".to_owned(),
            environment,
        }
    }

    #[test]
    fn what_differs_is_named() {
        let check = |change: fn(&mut Ground), expect: &[&str]| {
            let mut new = ground();
            change(&mut new);
            let found: Vec<_> =
                ground().differences(&new).iter().map(ToString::to_string).collect();
            assert_eq!(found, expect);
        };
        check(|_| {}, &[]);
        check(|g| g.target = "other".into(), &["target: demo → other"]);
        check(
            |g| g.plan_hash = "sha256:ffff456789abcdef".into(),
            &["plan (digest of its load): 0123456789ab → ffff456789ab"],
        );
        check(|g| drop(g.environment.insert("cpu_cores".into(), "8".into())), &["cores: 2 → 8"]);
        check(|g| g.tool_version = "0.1.9".into(), &[]);
        check(|g| g.tool_version = "0.2.0".into(), &["version of Proofload: 0.1.0 → 0.2.0"]);
        // What is not known does not differ, but is told.
        check(|g| g.environment.clear(), &[]);
        assert_eq!(ground().unknown(&ground()), Vec::<&str>::new());
        let mut sparse = ground();
        sparse.environment.remove("kernel");
        sparse.plan_hash.clear();
        assert_eq!(ground().unknown(&sparse), ["kernel", "plan"]);
    }

    #[test]
    fn versions_are_cut_where_their_generation_ends() {
        let check = |version: &str, expect: &str| assert_eq!(generation(version), expect);
        check("0.1.0", "0.1");
        check("1.2.3", "1");
        check("12", "12");
        check("0.", "0.");
        check("", "");
    }

    #[test]
    fn the_refusal_says_what_to_do() {
        let mut new = ground();
        new.target = "http://b".into();
        new.environment.insert("workers".into(), "4".into());
        let refusal = NotComparable { differences: ground().differences(&new) };
        assert_eq!(
            refusal.to_string(),
            "the runs are not comparable:\n  workers: 2 → 4\n  target: demo → http://b\n  \
             to compare them all the same: --allow-different environment,target"
        );
    }
}
