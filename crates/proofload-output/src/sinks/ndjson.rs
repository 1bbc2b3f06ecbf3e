//! The course of a run as newline-delimited JSON: a line for each interval, and one for each request of
//! the plan in it.
//!
//! With a name that ends in `.zst` it is compressed, in frames of some seconds each: what is there of a
//! file whose run was killed can be read to the end of its last frame.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use proofload_core::event::{Interval, Mark, RunEvent};
use proofload_core::metrics::{Histogram, IntervalSnapshot, RequestStats, SeriesMeta};
use proofload_core::redact::Redactor;
use proofload_core::result::{RunInfo, RunResult};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use serde::Serialize;
use serde_json::json;

use crate::output::{Interest, Output, OutputError, Trouble};

/// Version of the lines, in the first one.
const SCHEMA: u32 = 1;
/// A compressed frame is written when it has so many bytes, …
const FRAME_BYTES: usize = 1 << 20;
/// … or is so old.
const FRAME_AGE: Duration = Duration::from_secs(5);
/// Intervals whose snapshots are kept until the interval is complete.
const MAX_PENDING: usize = 16;

/// Writes the lines.
#[derive(Debug)]
pub struct NdJson {
    path: PathBuf,
    file: File,
    is_compressed: bool,
    phases: Vec<Arc<str>>,
    /// When the phase that runs began.
    began: Duration,
    redactor: Redactor,
    /// What the shards have told of each interval, by request.
    pending: BTreeMap<u64, BTreeMap<Arc<SeriesMeta>, RequestStats>>,
    /// Not written yet.
    buffer: Vec<u8>,
    buffered_lines: u64,
    written: Instant,
    lost: u64,
    /// The last line in the file may be torn.
    is_torn: bool,
}

/// What is written of requests, in an interval line and in a request line.
#[derive(Debug, Serialize)]
struct Figures {
    requests: u64,
    failed: u64,
    requests_per_second: f64,
    avg_ms: Option<f64>,
    p50_ms: Option<f64>,
    p95_ms: Option<f64>,
    p99_ms: Option<f64>,
    max_ms: Option<f64>,
    bytes_sent: u64,
    bytes_received: u64,
    statuses: BTreeMap<u16, u64>,
    errors: BTreeMap<&'static str, u64>,
}

impl Figures {
    fn of(stats: &RequestStats, seconds: f64) -> Self {
        let response: Histogram = stats.response();
        let ms = |ns: Option<u64>| ns.map(|ns| ns as f64 / 1e6);
        let requests = stats.requests();
        Self {
            requests,
            failed: stats.failed(),
            requests_per_second: if seconds > 0.0 { requests as f64 / seconds } else { 0.0 },
            avg_ms: response.mean().map(|ns| ns / 1e6),
            p50_ms: ms(response.value_at_quantile(0.5)),
            p95_ms: ms(response.value_at_quantile(0.95)),
            p99_ms: ms(response.value_at_quantile(0.99)),
            max_ms: ms(response.max()),
            bytes_sent: stats.bytes_sent,
            bytes_received: stats.bytes_received,
            statuses: stats.statuses.iter().collect(),
            errors: stats.errors.iter().map(|(kind, count)| (kind.id(), count)).collect(),
        }
    }
}

#[derive(Debug, Serialize)]
struct IntervalLine<'a> {
    r#type: &'static str,
    phase: &'a str,
    start_seconds: f64,
    length_seconds: f64,
    users: u32,
    #[serde(flatten)]
    figures: Figures,
    iterations: u64,
    iterations_dropped: u64,
    iterations_queued: u64,
    generator_cpu_share: Option<f64>,
}

#[derive(Debug, Serialize)]
struct RequestLine<'a> {
    r#type: &'static str,
    phase: &'a str,
    start_seconds: f64,
    length_seconds: f64,
    user: &'a str,
    task: &'a str,
    name: &'a str,
    method: &'a str,
    #[serde(flatten)]
    figures: Figures,
}

impl NdJson {
    /// Into this file, which is made anew.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn create(
        path: &Path,
        run: &RunInfo,
        phases: Vec<Arc<str>>,
        redactor: Redactor,
    ) -> io::Result<Self> {
        let is_compressed = path.extension().is_some_and(|extension| extension == "zst");
        let mut sink = Self {
            path: path.to_owned(),
            file: File::create(path)?,
            is_compressed,
            phases,
            began: Duration::ZERO,
            redactor,
            pending: BTreeMap::new(),
            buffer: Vec::new(),
            buffered_lines: 0,
            written: Instant::now(),
            lost: 0,
            is_torn: false,
        };
        sink.line(&json!({
            "type": "run",
            "schema": SCHEMA,
            "name": run.name,
            "target": run.target,
            "started": run.started,
            "tool_version": run.tool_version,
        }))?;
        sink.write()?;
        Ok(sink)
    }

    /// Adds a line. Secrets are taken out of its texts only: a number may look like one.
    fn line(&mut self, line: &impl Serialize) -> io::Result<()> {
        let mut json = serde_json::to_string(line)?;
        if self.redactor.text(&json) != json {
            let mut value = serde_json::to_value(line)?;
            self.redactor.json(&mut value);
            json = value.to_string();
        }
        self.buffer.extend_from_slice(json.as_bytes());
        self.buffer.push(b'\n');
        self.buffered_lines += 1;
        Ok(())
    }

    fn phase(&self, index: usize) -> Arc<str> {
        self.phases.get(index).cloned().unwrap_or_else(|| index.to_string().into())
    }

    fn snapshot(&mut self, snapshot: &IntervalSnapshot) {
        let requests = self.pending.entry(snapshot.start_ns).or_default();
        for series in &snapshot.series {
            requests.entry(Arc::clone(&series.meta)).or_default().merge(&series.stats);
        }
        while self.pending.len() > MAX_PENDING {
            self.pending.pop_first();
        }
    }

    fn interval(&mut self, interval: &Interval) -> io::Result<()> {
        let (phase, began) = (self.phase(interval.phase), self.began);
        let start_seconds = (began + interval.start).as_secs_f64();
        let length_seconds = interval.length.as_secs_f64();
        self.line(&IntervalLine {
            r#type: "interval",
            phase: &phase,
            start_seconds,
            length_seconds,
            users: interval.users_active,
            figures: Figures::of(&interval.requests, length_seconds),
            iterations: interval.iterations.completed,
            iterations_dropped: interval.iterations.dropped,
            iterations_queued: interval.iterations.queued,
            generator_cpu_share: interval.generator.busy_share(),
        })?;
        let start_ns = u64::try_from(interval.start.as_nanos()).unwrap_or(u64::MAX);
        for (meta, stats) in self.pending.remove(&start_ns).unwrap_or_default() {
            self.line(&RequestLine {
                r#type: "request",
                phase: &phase,
                start_seconds,
                length_seconds,
                user: &meta.user,
                task: &meta.task,
                name: &meta.name,
                method: &meta.method,
                figures: Figures::of(&stats, length_seconds),
            })?;
        }
        Ok(())
    }

    fn mark(&mut self, mark: &Mark) -> io::Result<()> {
        self.line(&json!({
            "type": "mark",
            "kind": mark.kind.id(),
            "level": mark.level.id(),
            "at_seconds": mark.at.as_secs_f64(),
            "until_seconds": mark.until.map(|until| until.as_secs_f64()),
            "text": mark.text,
        }))
    }

    fn put(&mut self, event: &RunEvent) -> io::Result<()> {
        match event {
            RunEvent::Snapshot(snapshot) => self.snapshot(snapshot),
            RunEvent::Interval(interval) => self.interval(interval)?,
            RunEvent::PhaseStarted { phase, at, .. } => {
                (self.began, self.pending) = (*at, BTreeMap::new());
                let phase = self.phase(*phase);
                self.line(&json!({
                    "type": "phase_started", "phase": phase, "at_seconds": at.as_secs_f64(),
                }))?;
            }
            RunEvent::PhaseEnded { phase, at, early } => {
                let phase = self.phase(*phase);
                self.line(&json!({
                    "type": "phase_ended", "phase": phase, "at_seconds": at.as_secs_f64(),
                    "ended_early": early,
                }))?;
            }
            RunEvent::Mark(mark) => self.mark(mark)?,
            RunEvent::Notice(text) => self.line(&json!({ "type": "notice", "text": text }))?,
            RunEvent::Control(state) => {
                self.line(&json!({
                    "type": "control", "paused": state.paused, "scale": state.scale,
                }))?;
            }
        }
        Ok(())
    }

    /// Writes what is in the buffer; what cannot be written is lost.
    fn write(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let mut bytes = std::mem::take(&mut self.buffer);
        if self.is_torn {
            bytes.insert(0, b'\n');
        }
        if self.is_compressed {
            bytes = compress_to_vec(bytes.as_slice(), CompressionLevel::Fastest);
        }
        let lines = std::mem::take(&mut self.buffered_lines);
        self.written = Instant::now();
        let done = self.file.write_all(&bytes);
        self.is_torn = done.is_err();
        if done.is_err() {
            self.lost += lines;
        }
        done
    }

    fn is_due(&self) -> bool {
        !self.is_compressed
            || self.buffer.len() >= FRAME_BYTES
            || self.written.elapsed() >= FRAME_AGE
    }
}

impl Output for NdJson {
    fn name(&self) -> String {
        format!("ndjson file {}", self.path.display())
    }

    fn interest(&self) -> Interest {
        Interest::ALL
    }

    fn hear(&mut self, event: &RunEvent) -> Result<(), OutputError> {
        self.put(event)?;
        if self.is_due() { Ok(self.write()?) } else { Ok(()) }
    }

    fn finish(&mut self, result: Option<&RunResult>) -> Result<(), OutputError> {
        if let Some(result) = result {
            let grade = result.summary.grade;
            self.line(&json!({
                "type": "end", "grade": grade, "ended": result.run.ended,
                "duration_seconds": result.run.duration_seconds,
                "total_requests": result.summary.total_requests, "failed": result.summary.failed,
            }))?;
        }
        self.write()?;
        self.file.sync_all().map_err(|error| {
            // Pipes and devices cannot be synced, and need not be.
            OutputError::new(Trouble::File(error.kind()), error.to_string())
        })
    }

    fn lost(&self) -> u64 {
        self.lost
    }

    fn lost_what(&self) -> &'static str {
        "lines"
    }
}
