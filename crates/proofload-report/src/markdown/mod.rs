//! A summary in Markdown: for the comment on a pull request and the page of a job.
//!
//! It is read from the top by people in a hurry, so the verdict comes first, then what is broken, then
//! figures; what is long is folded away. GitHub refuses comments beyond 65,536 characters: the summary
//! stays below [`MAX_BYTES`], and what had to be left out is counted where it is missing.
//!
//! Names and messages come from plans and servers. They are shown as code, where neither HTML nor
//! mentions nor links mean anything (see `text`).

mod comparison;
mod sections;
mod table;
mod text;

use proofload_core::result::RunResult;

/// The most that is written, with room for what others add to a comment.
pub const MAX_BYTES: usize = 60_000;

/// The summary, with a final line break.
#[must_use]
pub fn markdown(result: &RunResult) -> String {
    let mut out = String::new();
    let foot = sections::foot(result);
    let room = MAX_BYTES - foot.len() - 1;
    for section in sections::all(result) {
        section.write(&mut out, room);
    }
    out.push_str(&foot);
    out
}
