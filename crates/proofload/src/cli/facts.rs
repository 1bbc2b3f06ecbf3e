//! What is written down about a run besides its measurements: what was run, when and where.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Zoned;
use proofload_core::plan::{Plan, Target};
use proofload_core::result::RunInfo;
use proofload_engine::run::{RunFacts, RunOutcome};

/// What is known of a run that begins.
pub(super) fn begun(plan: &Plan, began: &Zoned) -> RunInfo {
    RunInfo {
        name: plan.name.to_string(),
        target: match &plan.target {
            Target::Demo => "demo".to_owned(),
            Target::Url(url) => url.to_string(),
        },
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

/// Where the load generator runs.
pub(super) fn environment(run: RunFacts) -> BTreeMap<String, String> {
    BTreeMap::from([
        ("os".to_owned(), std::env::consts::OS.to_owned()),
        ("arch".to_owned(), std::env::consts::ARCH.to_owned()),
        ("workers".to_owned(), run.workers.to_string()),
        ("seed".to_owned(), run.seed.to_string()),
        ("open_files_limit".to_owned(), run.descriptor_limit.soft.to_string()),
    ])
}

/// RFC 3339, UTC, to the millisecond.
pub(super) fn time(zoned: &Zoned) -> String {
    zoned.timestamp().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}
