//! The baseline file, written and read.

use super::data::{pack, unpack};
use super::figures::{PhaseTable, tables};
use crate::compare::{RunEvidence, Side};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One or more runs that were accepted.
#[derive(Clone, Debug, PartialEq)]
pub struct Baseline {
    /// Name of the plan.
    pub name: String,
    /// When it was accepted, RFC 3339.
    pub accepted: String,
    /// The files of the results it was made of.
    pub sources: Vec<String>,
    /// What was measured.
    pub runs: Vec<RunEvidence>,
}

/// Why a text is not a baseline that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BaselineError {
    /// Something else.
    #[error("this is not a baseline of Proofload{}", .0.as_ref().map(|why| format!(": {why}")).unwrap_or_default())]
    NotABaseline(Option<String>),
    /// Written by a later Proofload.
    #[error(
        "this baseline has version {found}, this build reads version {known}: use a newer Proofload, or \
         accept a result again with this one"
    )]
    OtherVersion {
        /// Version of the file.
        found: i64,
        /// Version of this build.
        known: u32,
    },
    /// A baseline, but what it holds cannot be read.
    #[error("this baseline is damaged ({0}): restore it, or accept a result again")]
    Damaged(String),
}

/// The head, as it is written.
#[derive(Serialize)]
struct Head<'a> {
    proofload_baseline: u32,
    name: &'a str,
    accepted: &'a str,
    from: &'a [String],
    started: Vec<&'a str>,
    target: &'a str,
    plan: &'a str,
    version: &'a str,
    environment: &'a BTreeMap<String, String>,
    phase: Vec<PhaseTable>,
}

/// What is read of the file.
#[derive(Deserialize)]
struct Read {
    #[serde(default)]
    name: String,
    #[serde(default)]
    accepted: String,
    #[serde(default)]
    from: Vec<String>,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    runs: String,
}

impl Baseline {
    /// Version of the format that this build writes and reads.
    pub const VERSION: u32 = 1;

    /// The file.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let nothing = RunEvidence::default();
        let ground = &self.runs.first().unwrap_or(&nothing).ground;
        let head = Head {
            proofload_baseline: Self::VERSION,
            name: &self.name,
            accepted: &self.accepted,
            from: &self.sources,
            started: self.runs.iter().map(|run| run.started.as_str()).collect(),
            target: &ground.target,
            plan: &ground.plan_hash,
            version: &ground.tool_version,
            environment: &ground.environment,
            phase: tables(&self.runs),
        };
        // Texts, numbers and tables in an order that TOML allows: there is nothing that could fail.
        let head = toml::to_string(&head).unwrap_or_default();
        format!(
            "# A baseline of Proofload: what later runs are compared with. Written by `proofload baseline \
             accept`;\n# compare with `proofload baseline check` or `proofload run PLAN --baseline`. The \
             figures are for\n# people, the comparison reads [data].\n\n{head}\n[data]\n# JSON, gzip, \
             base64\nruns = \"\"\"\n{}\"\"\"\n",
            pack(&self.runs)
        )
    }

    /// Whether a text says that it is a baseline, of whatever version and in whatever state.
    #[must_use]
    pub fn is_meant_by(text: &str) -> bool {
        text.lines().any(|line| line.trim_start().starts_with("proofload_baseline"))
    }

    /// Reads the file.
    ///
    /// # Errors
    /// When it is not a baseline, one of another version, or damaged.
    pub fn parse(text: &str) -> Result<Self, BaselineError> {
        if !Self::is_meant_by(text) {
            return Err(BaselineError::NotABaseline(None));
        }
        let damaged = |why: &str| BaselineError::Damaged(why.trim().replace('\n', " "));
        let table: toml::Table =
            text.parse().map_err(|error: toml::de::Error| damaged(error.message()))?;
        let Some(version) = table.get("proofload_baseline").and_then(toml::Value::as_integer)
        else {
            return Err(BaselineError::NotABaseline(Some("its version is no number".to_owned())));
        };
        if version != i64::from(Self::VERSION) {
            return Err(BaselineError::OtherVersion { found: version, known: Self::VERSION });
        }
        let read: Read =
            table.try_into().map_err(|error: toml::de::Error| damaged(error.message()))?;
        let runs = unpack(&read.data.runs).map_err(|why| damaged(&format!("its data: {why}")))?;
        Ok(Self { name: read.name, accepted: read.accepted, sources: read.from, runs })
    }

    /// As the old side of a comparison.
    #[must_use]
    pub fn side(self, label: String) -> Side {
        Side { label, runs: self.runs }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::evidence::{Block, Figures, PhaseEvidence, RequestEvidence};
    use crate::compare::{ComparisonRules, Ground, compare};
    use crate::metrics::Histogram;
    use crate::result::{ChangeVerdict, RequestName};

    fn figures(ms: u64) -> Figures {
        Figures {
            response: (1..=300).map(|at| ms * 1_000_000 + at * 10_000).collect(),
            failed: 3,
            seconds: 30.0,
            cache_hit_rate: Some(0.5),
        }
    }

    fn baseline(ms: u64) -> Baseline {
        let block = |at: u64| {
            let response: Histogram = (1..=10).map(|i| (ms + at % 3) * 1_000_000 + i).collect();
            Block { response, failed: at % 2 }
        };
        let request = |name: &str| RequestEvidence {
            name: RequestName { name: name.to_owned(), ..RequestName::default() },
            figures: figures(ms),
        };
        let run = RunEvidence {
            started: "2026-01-02T03:04:05.000Z".to_owned(),
            ground: Ground {
                target: "http://127.0.0.1:8000".to_owned(),
                plan_hash: "sha256:00".to_owned(),
                tool_version: "0.1.0".to_owned(),
                environment: BTreeMap::from([("os".to_owned(), "linux".to_owned())]),
            },
            phases: vec![PhaseEvidence {
                name: "Normal \"load\"".to_owned(),
                all: figures(ms),
                block_seconds: 1.0,
                blocks: (0..30).map(block).collect(),
                monitors: BTreeMap::from([("memory".to_owned(), 1e8)]),
                is_trustworthy: true,
                requests: vec![request("GET /a"), request("GET /b")],
            }],
        };
        Baseline {
            name: "dchat".to_owned(),
            accepted: "2026-01-02T03:05:00Z".to_owned(),
            sources: vec!["proofload-results/dchat/result.json".to_owned()],
            runs: vec![run],
        }
    }

    #[test]
    fn the_head_is_for_people() {
        let text = baseline(20).to_toml();
        let head = text.split("runs = \"\"\"").next().unwrap();
        insta::assert_snapshot!(head);
    }

    #[test]
    fn it_reads_back_with_blocks_half_as_many() {
        let written = baseline(20);
        let text = written.to_toml();
        let read = Baseline::parse(&text).unwrap();
        assert_eq!((&read.name, &read.sources), (&written.name, &written.sources));
        let (old, new) = (&written.runs[0].phases[0], &read.runs[0].phases[0]);
        assert_eq!(new.all, old.all);
        assert_eq!(new.requests, old.requests);
        assert_eq!((new.blocks.len(), new.block_seconds), (15, 2.0));
        assert_eq!(new.blocks[0].failed, old.blocks[0].failed + old.blocks[1].failed);
        assert_eq!(read.runs[0].ground, written.runs[0].ground);
        // Written again it is the same, byte for byte.
        assert_eq!(read.to_toml(), text);
        assert!(text.len() < 10_000, "{} bytes", text.len());
    }

    #[test]
    fn it_takes_part_in_comparisons() {
        let old = Baseline::parse(&baseline(20).to_toml()).unwrap().side("baseline".to_owned());
        let rules = ComparisonRules::default();
        let new = |ms| Side { label: "new".to_owned(), runs: baseline(ms).runs };
        let found = compare(&old, &new(40), &rules, &[]).unwrap();
        assert_eq!(found.entries[0].changes[0].verdict, ChangeVerdict::Worse);
        assert!(found.has_regressed);
        assert!(!compare(&old, &new(20), &rules, &[]).unwrap().has_regressed);
    }

    #[test]
    fn what_is_wrong_is_told() {
        let good = baseline(20).to_toml();
        let check = |text: &str, message: &str| {
            let error = Baseline::parse(text).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        };
        check("", "not a baseline");
        check("{\"schema\": 1}", "not a baseline");
        check("name = \"a plan\"\n[[phase]]\nusers = 5", "not a baseline");
        check(&good.replace("proofload_baseline = 1", "proofload_baseline = 2"), "has version 2");
        check(&good.replace("proofload_baseline = 1", "proofload_baseline = \"x\""), "no number");
        check(&good.replace("[data]", "[dta]"), "damaged (missing field `data`)");
        check(&good[..good.len() / 2], "damaged");
        check(&good.replacen("runs = \"\"\"\n", "runs = \"\"\"\n!!", 1), "damaged (its data:");
        // One letter changed somewhere: gzip's checksum, if nothing else, finds it.
        let at = good.len() - 200;
        let other = if &good[at..=at] == "A" { "B" } else { "A" };
        check(&format!("{}{other}{}", &good[..at], &good[at + 1..]), "damaged (its data:");
        let empty = Baseline { runs: Vec::new(), ..baseline(20) };
        check(&empty.to_toml(), "it holds no run");
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "(proofload_baseline = [0-9a\"]{0,3}\n)?\\PC{0,200}") {
            let _ = Baseline::parse(&text);
        }

        #[test]
        fn no_damage_panics_or_goes_unnoticed(at in 0_usize..6000, byte in 32_u8..127) {
            let good = baseline(20).to_toml();
            let at = at % good.len();
            if good.is_char_boundary(at) && good.is_char_boundary(at + 1) {
                let text = format!("{}{}{}", &good[..at], byte as char, &good[at + 1..]);
                if let Ok(read) = Baseline::parse(&text) {
                    // The head may be changed, the measurement not.
                    let good = Baseline::parse(&good).unwrap();
                    proptest::prop_assert_eq!(read.runs, good.runs);
                }
            }
        }
    }
}
