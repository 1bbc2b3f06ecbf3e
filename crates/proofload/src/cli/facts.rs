//! What is written down about a run besides its measurements: what was run, when and where.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use jiff::Zoned;
use proofload_core::plan::{Plan, Target};
use proofload_core::result::RunInfo;
use proofload_engine::run::{RunFacts, RunOutcome};
use proofload_engine::system::Machine;
use ring::digest::{SHA256, digest};

/// What is known of a run that begins.
pub(super) fn begun(plan: &Plan, began: &Zoned) -> RunInfo {
    RunInfo {
        name: plan.name.to_string(),
        target: match &plan.target {
            Target::Demo => "demo".to_owned(),
            Target::Url(url) => url.to_string(),
        },
        plan_hash: plan_hash(plan),
        started: time(began),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        ..RunInfo::default()
    }
}

/// The same at its end, which is now.
pub(super) fn ended(begun: RunInfo, length: Duration, outcome: &RunOutcome) -> RunInfo {
    RunInfo {
        ended: time(&Zoned::now()),
        duration_seconds: length.as_secs_f64(),
        interrupted: outcome.interrupted,
        incomplete: outcome.workers_lost > 0,
        ..begun
    }
}

/// Where the load generator runs: what has to be equal for results to be comparable, and more.
pub(super) fn environment(run: RunFacts) -> BTreeMap<String, String> {
    let mut facts = machine();
    facts.insert("workers".to_owned(), run.workers.to_string());
    facts.insert("seed".to_owned(), run.seed.to_string());
    facts.insert("open_files_limit".to_owned(), run.descriptor_limit.soft.to_string());
    facts
}

/// What is known of it before the run.
pub(super) fn machine() -> BTreeMap<String, String> {
    let machine = Machine::detect();
    let facts = [
        ("os", Some(std::env::consts::OS.to_owned())),
        ("arch", Some(std::env::consts::ARCH.to_owned())),
        ("cpu_model", machine.cpu_model),
        ("cpu_cores", machine.cores.map(|cores| cores.to_string())),
        ("kernel", machine.kernel),
    ];
    facts.into_iter().filter_map(|(name, fact)| Some((name.to_owned(), fact?))).collect()
}

/// The digest of what a plan puts on its target, with the name of the algorithm.
fn plan_hash(plan: &Plan) -> String {
    let digest = digest(&SHA256, plan.load_text().as_bytes());
    let mut text = "sha256:".to_owned();
    for byte in digest.as_ref() {
        // Writing into a text cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// RFC 3339, UTC, to the millisecond.
pub(super) fn time(zoned: &Zoned) -> String {
    zoned.timestamp().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}
