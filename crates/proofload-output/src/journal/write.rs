//! Writing the journal while a run is under way.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use proofload_core::event::RunEvent;
use proofload_core::record::RunRecord;
use proofload_core::redact::Redactor;
use proofload_core::result::RunResult;

use super::line::Line;
use super::{FILE_NAME, Header, SYNC_EVERY, path_in};
use crate::output::{Interest, Output, OutputError, Trouble};

/// Bytes of events after which the journal is made smaller, unless its checkpoint is large.
const SEGMENT_BYTES: u64 = 32 << 20;
/// How much larger than its checkpoint a journal may become: writing checkpoints takes at most a
/// quarter of all writing.
const GROWTH: u64 = 4;
/// Bytes that are written without waiting for the end of the second.
const BUFFER_BYTES: usize = 256 << 10;
/// How long nothing is tried after a failure.
const RETRY_AFTER: Duration = Duration::from_secs(5);
/// Intervals that may be half reported while the journal waits for a good moment to become smaller.
const MAX_PENDING: usize = 8;

/// Writes the events of a run into its folder. See the [module](super).
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    header: Header,
    redactor: Redactor,
    file: File,
    /// Lines that are not written yet: those of a second that is not complete.
    buffer: Vec<u8>,
    /// Everything heard: what a checkpoint is made of.
    record: RunRecord,
    /// Intervals of which some shards have not told yet. A checkpoint would cut them in two.
    pending: BTreeSet<u64>,
    /// Bytes of events in the file.
    written: u64,
    segment_bytes: u64,
    synced: Instant,
    /// The file is not what it should be: the next thing to do is a fresh one.
    trouble: Option<(OutputError, Instant)>,
}

pub(super) fn draft_path(folder: &Path) -> PathBuf {
    folder.join(format!("{FILE_NAME}.draft"))
}

impl Journal {
    /// Begins a journal in a folder that exists.
    ///
    /// # Errors
    /// When it cannot be written there.
    pub fn create(folder: &Path, header: Header, redactor: Redactor) -> io::Result<Self> {
        let record = RunRecord::default();
        let (file, _) = fresh_file(folder, &header, &redactor, None)?;
        Ok(Self {
            folder: folder.to_owned(),
            header,
            redactor,
            file,
            buffer: Vec::new(),
            record,
            pending: BTreeSet::new(),
            written: 0,
            segment_bytes: SEGMENT_BYTES,
            synced: Instant::now(),
            trouble: None,
        })
    }

    /// For tests: another size at which the journal is made smaller.
    #[cfg(test)]
    pub(super) fn with_segments_of(self, bytes: u64) -> Self {
        Self { segment_bytes: bytes, ..self }
    }

    /// Keeps the record; whether this is a good moment to write: everything heard belongs to whole
    /// seconds.
    fn keep(&mut self, event: &RunEvent) -> bool {
        let RunEvent::Snapshot(snapshot) = event else {
            self.pending.clear();
            self.record.hear(event);
            return true;
        };
        self.pending.insert(snapshot.start_ns);
        // One that cannot be merged is not counted by the run either.
        if let Ok(Some(interval)) = self.record.add(snapshot) {
            self.pending.remove(&u64::try_from(interval.start.as_nanos()).unwrap_or(u64::MAX));
            return true;
        }
        false
    }

    fn put(&mut self, line: &Line) -> Result<(), OutputError> {
        let json = line.to_json(&self.redactor).map_err(|error| bug(&error))?;
        self.buffer.extend_from_slice(json.as_bytes());
        Ok(())
    }

    /// Writes what is in the buffer, in one go.
    fn write(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        self.file.write_all(&self.buffer)?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// Writing to a file that was removed succeeds, and helps nobody.
    fn is_there(&self) -> io::Result<()> {
        if path_in(&self.folder).exists() {
            return Ok(());
        }
        Err(io::Error::new(io::ErrorKind::NotFound, "it was removed"))
    }

    fn sync_if_due(&mut self, now: bool) -> io::Result<()> {
        if !now && self.synced.elapsed() < SYNC_EVERY {
            return Ok(());
        }
        self.synced = Instant::now();
        self.file.sync_data()
    }

    /// Writes a fresh file that begins with everything so far, and puts it in the place of the old one.
    fn compact(&mut self) -> io::Result<()> {
        let fresh = fresh_file(&self.folder, &self.header, &self.redactor, Some(&self.record));
        let (file, bytes) = fresh?;
        self.file = file;
        self.written = 0;
        self.segment_bytes = self.segment_bytes.max(bytes.saturating_mul(GROWTH));
        self.buffer.clear();
        self.synced = Instant::now();
        Ok(())
    }

    /// Brings to the disk what can be brought there.
    fn store(&mut self, sync: bool) -> Result<(), OutputError> {
        if let Some((error, at)) = &self.trouble {
            if at.elapsed() < RETRY_AFTER && !sync {
                self.buffer.clear();
                return Err(error.clone());
            }
            // What is on the disk may end anywhere, and what came since is only in the record.
            let done = self.compact();
            return self.settle(done);
        }
        let is_whole = self.pending.is_empty() || self.pending.len() > MAX_PENDING;
        let done = match self.write().and_then(|()| self.is_there()) {
            Ok(()) if self.written > self.segment_bytes && is_whole => self.compact(),
            Ok(()) => self.sync_if_due(sync),
            Err(error) => Err(error),
        };
        self.settle(done)
    }

    fn settle(&mut self, done: io::Result<()>) -> Result<(), OutputError> {
        let error = match done {
            Ok(()) => {
                self.trouble = None;
                return Ok(());
            }
            Err(error) => OutputError::file(&error),
        };
        self.buffer.clear();
        self.trouble = Some((error.clone(), Instant::now()));
        Err(error)
    }
}

impl Output for Journal {
    fn name(&self) -> String {
        format!("journal {}", path_in(&self.folder).display())
    }

    fn interest(&self) -> Interest {
        Interest::SNAPSHOTS
    }

    fn hear(&mut self, event: &RunEvent) -> Result<(), OutputError> {
        let is_whole = self.keep(event);
        if let Some(line) = Line::of(event) {
            self.put(&line)?;
        }
        if is_whole || self.buffer.len() > BUFFER_BYTES {
            let ends_phase = matches!(event, RunEvent::PhaseEnded { .. });
            return self.store(ends_phase);
        }
        self.trouble.as_ref().map_or(Ok(()), |(error, _)| Err(error.clone()))
    }

    fn tick(&mut self) -> Result<(), OutputError> {
        self.store(false)
    }

    fn finish(&mut self, _result: Option<&RunResult>) -> Result<(), OutputError> {
        // After trouble the first attempt brings the record to the disk, and only then comes the end.
        self.store(true)?;
        self.put(&Line::End {})?;
        self.store(true)
    }
}

fn bug(error: &serde_json::Error) -> OutputError {
    OutputError::new(Trouble::Other, format!("an event cannot be written as JSON: {error}"))
}

/// A new journal, complete on the disk before it has its name. Gives out the size of what it begins
/// with.
fn fresh_file(
    folder: &Path,
    header: &Header,
    redactor: &Redactor,
    record: Option<&RunRecord>,
) -> io::Result<(File, u64)> {
    let draft = draft_path(folder);
    let written = write_draft(&draft, header, redactor, record);
    let done = written.and_then(|found| fs::rename(&draft, path_in(folder)).map(|()| found));
    if done.is_err() {
        let _ = fs::remove_file(&draft);
    }
    sync_folder(folder);
    done
}

fn write_draft(
    draft: &Path,
    header: &Header,
    redactor: &Redactor,
    record: Option<&RunRecord>,
) -> io::Result<(File, u64)> {
    let mut text = Line::Header(Box::new(header.clone())).to_json(redactor)?;
    if let Some(record) = record {
        text += &Line::Checkpoint(Box::new(record.clone())).to_json(redactor)?;
    }
    // What is left of an earlier attempt is not appended to.
    let _ = fs::remove_file(draft);
    let mut file = OpenOptions::new().create_new(true).append(true).open(draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok((file, text.len() as u64))
}

/// Brings a rename to the disk. Not every file system can; the file itself is there then.
fn sync_folder(folder: &Path) {
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}
