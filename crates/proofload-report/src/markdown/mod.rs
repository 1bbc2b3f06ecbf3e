//! A summary in Markdown: for the comment on a pull request and the page of a job.
//!
//! It is read from the top by people in a hurry, so the verdict comes first, then what is broken, then
//! figures; what is long is folded away. GitHub refuses comments beyond 65,536 characters: the summary
//! stays below [`MAX_BYTES`], and what had to be left out is counted where it is missing.
//!
//! Names and messages come from plans and servers. They are shown as code, where neither HTML nor
//! mentions nor links mean anything (see `text`).

mod comparison;
mod improvement;
mod repeats;
mod sections;
mod suite;
mod table;
mod text;

use proofload_core::result::RunResult;
use proofload_core::suite::SuiteResult;

use self::table::Section;

/// The most that is written, with room for what others add to a comment.
pub const MAX_BYTES: usize = 60_000;

/// The summary of a run, with a final line break.
#[must_use]
pub fn markdown(result: &RunResult) -> String {
    written(sections::all(result), &sections::foot(result))
}

/// The summary of a suite: the requirement matrix and its tests.
#[must_use]
pub fn markdown_suite(result: &SuiteResult) -> String {
    written(suite::sections(result), "")
}

/// As much as there is room for.
fn written(sections: Vec<Section>, foot: &str) -> String {
    let mut out = String::new();
    let room = MAX_BYTES - foot.len() - 1;
    for section in sections {
        section.write(&mut out, room);
    }
    out.push_str(foot);
    out
}
