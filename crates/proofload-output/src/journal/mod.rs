//! The journal: what a run has measured, on disk while it runs, so that a crash loses next to nothing.
//!
//! One file, [`FILE_NAME`] in the folder of the run: newline-delimited JSON. The first line is the
//! [`Header`]; then come the events of the run as they happen, each snapshot, phase, mark and notice.
//! When the file has grown by some tens of megabytes, a new one is written beside it that begins
//! with a checkpoint (everything measured so far in one line) and takes its place by a rename: a run of
//! 24 hours takes no more disk than one of some minutes, and at any instant there is one whole journal.
//!
//! What is lost:
//!
//! - when the process dies (`kill -9`, a crash, no memory): what shards had not reported yet, which is
//!   less than a second each, and what is written together with a second that was not complete. A line
//!   that was being written is torn, and the reader leaves it out;
//! - when the machine dies (power): also what was written since the file was last told to be on the disk,
//!   at most [`SYNC_EVERY`]. Not every second: syncing stalls the disk for others, and the service under
//!   test may be one of them;
//! - when the disk is full or the folder disappears: nothing as long as the run lives. The journal keeps
//!   the record of the run in memory and writes all of it as a checkpoint as soon as it can.

mod header;
mod line;
mod read;
mod write;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use header::Header;
pub use read::{JournalError, Recovered, SkippedLine, read};
pub use write::Journal;

/// Name of the journal in the folder of a run.
pub const FILE_NAME: &str = "journal.ndjson";
/// How often the journal is told to be on the disk, at most.
pub const SYNC_EVERY: Duration = Duration::from_secs(10);

/// Where the journal of a run is.
#[must_use]
pub fn path_in(folder: &Path) -> PathBuf {
    folder.join(FILE_NAME)
}

/// Removes the journal of a run whose result is safely written.
///
/// # Errors
/// When it is there and cannot be removed.
pub fn discard(folder: &Path) -> io::Result<()> {
    let found = [path_in(folder), write::draft_path(folder)];
    for path in found {
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
