//! Runs as compressed text: JSON, gzip, base64 in lines.

use crate::compare::RunEvidence;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use std::io::{Read, Write};

/// Blocks of time that a baseline keeps of each phase: enough for intervals, and small.
const MAX_BLOCKS: usize = 16;
/// Columns of a line.
const COLUMNS: usize = 100;
/// What is unpacked at most: hundreds of runs.
const MAX_UNPACKED_BYTES: u64 = 256 << 20;

/// The text of runs; lines end with a line break.
pub(super) fn pack(runs: &[RunEvidence]) -> String {
    let coarse: Vec<RunEvidence> =
        runs.iter().map(|run| run.with_blocks_at_most(MAX_BLOCKS)).collect();
    // Without a time in it: the same runs give the same bytes.
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    // Writing into memory does not fail, and evidence is made of numbers and texts only.
    let written = serde_json::to_writer(&mut gzip, &coarse).map_err(std::io::Error::from);
    let bytes =
        written.and_then(|()| gzip.flush()).and_then(|()| gzip.finish()).unwrap_or_default();
    let text = STANDARD.encode(bytes);
    let mut lines = String::with_capacity(text.len() + text.len() / COLUMNS + 1);
    for at in (0..text.len()).step_by(COLUMNS) {
        // Base64 is ASCII: any place is a boundary.
        lines.push_str(&text[at..text.len().min(at + COLUMNS)]);
        lines.push('\n');
    }
    lines
}

/// The runs of a text; what is wrong with it otherwise. gzip's checksum finds damage.
pub(super) fn unpack(text: &str) -> Result<Vec<RunEvidence>, String> {
    let packed: String = text.split_whitespace().collect();
    let bytes = STANDARD.decode(packed).map_err(|error| error.to_string())?;
    let mut json = Vec::new();
    let mut gzip = GzDecoder::new(&bytes[..]).take(MAX_UNPACKED_BYTES + 1);
    gzip.read_to_end(&mut json).map_err(|error| error.to_string())?;
    if json.len() as u64 > MAX_UNPACKED_BYTES {
        return Err("it unpacks to more than any baseline holds".to_owned());
    }
    let runs: Vec<RunEvidence> =
        serde_json::from_slice(&json).map_err(|error| error.to_string())?;
    let is_sound = |run: &RunEvidence| {
        run.phases.iter().all(|phase| {
            let seconds = [phase.all.seconds, phase.block_seconds];
            seconds.iter().all(|s| s.is_finite() && *s >= 0.0)
        })
    };
    if runs.is_empty() || !runs.iter().all(is_sound) {
        return Err("it holds no run".to_owned());
    }
    Ok(runs)
}
