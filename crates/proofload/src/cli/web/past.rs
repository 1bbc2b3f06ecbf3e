//! Runs that have left a folder with a result.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use proofload_core::result::{RunDigest, RunResult};
use proofload_dashboard::PastRun;
use proofload_report::json;

use crate::cli::runs::{self, Entry, Kept};

/// Runs that are listed, the latest.
const MAX_RUNS: usize = 100;

/// The runs below a folder. Files that have not changed are not read again.
#[derive(Debug)]
pub(super) struct PastRuns {
    root: PathBuf,
    known: Mutex<HashMap<String, (SystemTime, PastRun)>>,
}

impl PastRuns {
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root, known: Mutex::default() }
    }

    /// The latest runs, the last one first. What cannot be read is left out.
    pub(super) fn list(&self) -> Vec<PastRun> {
        let mut files = self.files();
        files.sort_by_key(|(_, changed, _)| std::cmp::Reverse(*changed));
        files.truncate(MAX_RUNS);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|id, _| files.iter().any(|(found, ..)| found == id));
        for (id, changed, path) in files {
            let is_known = known.get(&id).is_some_and(|(then, _)| *then == changed);
            if !is_known && let Some(run) = glance(&id, &path) {
                known.insert(id, (changed, run));
            }
        }
        let mut runs: Vec<PastRun> = known.values().map(|(_, run)| run.clone()).collect();
        runs.sort_by(|a, b| b.started.cmp(&a.started).then_with(|| b.id.cmp(&a.id)));
        runs
    }

    /// The result of a run in this folder. The id is compared with the names of folders; no path is made
    /// of it.
    pub(super) fn result(&self, id: &str) -> Option<RunResult> {
        let (_, _, path) = self.files().into_iter().find(|(found, ..)| found == id)?;
        json::from_bytes(&runs::bytes(&path).ok()?).ok()
    }

    /// Runs, and repeated runs as one: name of the folder, last change, file.
    fn files(&self) -> Vec<(String, SystemTime, PathBuf)> {
        let file = |entry: Entry| {
            let (Kept::Run(path) | Kept::Repeats { together: Some(path), .. }) = entry.kept else {
                return None;
            };
            let changed = fs::metadata(&path).ok()?.modified().ok()?;
            Some((entry.name, changed, path))
        };
        runs::entries(&self.root).unwrap_or_default().into_iter().filter_map(file).collect()
    }
}

fn glance(id: &str, path: &Path) -> Option<PastRun> {
    let RunDigest { run, summary, .. } = runs::digest(path).ok()?;
    Some(PastRun {
        id: id.to_owned(),
        name: run.name,
        started: run.started,
        duration_seconds: run.duration_seconds,
        grade: summary.grade,
        requests: summary.total_requests,
        failed: summary.failed,
        is_interrupted: run.interrupted,
    })
}
