//! Runs that have left a folder with a result.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use proofload_core::result::{RunInfo, RunResult, Summary};
use proofload_dashboard::PastRun;
use proofload_report::json;
use serde::Deserialize;

/// Runs that are listed, the latest.
const MAX_RUNS: usize = 100;
/// Larger files are no results.
const MAX_BYTES: u64 = 256 * 1024 * 1024;

/// The runs below a folder. Files that have not changed are not read again.
#[derive(Debug)]
pub(super) struct PastRuns {
    root: PathBuf,
    known: Mutex<HashMap<String, (SystemTime, PastRun)>>,
}

/// What the list shows of a result; the rest of the file is skipped.
#[derive(Deserialize)]
struct Glance {
    #[serde(default)]
    run: RunInfo,
    #[serde(default)]
    summary: Summary,
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
        json::from_bytes(&read(&path)?).ok()
    }

    /// Folders with a result: name, last change, file.
    fn files(&self) -> Vec<(String, SystemTime, PathBuf)> {
        let Ok(entries) = fs::read_dir(&self.root) else { return Vec::new() };
        let file = |entry: fs::DirEntry| {
            let id = entry.file_name().into_string().ok()?;
            let path = entry.path().join("result.json");
            let changed = fs::metadata(&path).ok()?.modified().ok()?;
            Some((id, changed, path))
        };
        entries.flatten().filter_map(file).collect()
    }
}

fn read(path: &Path) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(MAX_BYTES).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

fn glance(id: &str, path: &Path) -> Option<PastRun> {
    let Glance { run, summary } = serde_json::from_slice(&read(path)?).ok()?;
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
