//! What the terminal shows at the end of a run.
//!
//! One file for each section, in the order in which they are shown: from what was run to the grade,
//! which stands last because that is where eyes are when a command has ended. Sections without
//! content are left out.

mod cost;
mod details;
mod errors;
mod expectations;
pub(crate) mod grade;
mod head;
mod latency;
mod phases;
mod repeats;
mod requests;
mod steps;
mod timings;
mod traffic;

use proofload_core::result::{PhaseResult, RunResult};
use proofload_core::units::{human_ns, human_ratio};
use proofload_core::verdict::{ExitCode, Grade};

use crate::style::{Style, Tone};
use crate::text::{Line, clean, joined};

pub use details::details;

/// Rows of a table before the rest is only counted.
const MAX_ROWS: usize = 15;
/// Phases that are shown one by one.
const MAX_PHASES: usize = 50;

/// What the summary says that the result does not know.
#[derive(Clone, Copy, Debug)]
pub struct SummaryOptions<'a> {
    /// What the terminal can show.
    pub style: Style,
    /// The exit code of this process.
    pub exit_code: ExitCode,
    /// Where the result was written.
    pub result_path: Option<&'a str>,
    /// Where the report with pictures was written.
    pub report_path: Option<&'a str>,
}

/// The summary of a run: lines that end with a line break, none wider than the style allows.
#[must_use]
pub fn summary(result: &RunResult, options: &SummaryOptions<'_>) -> String {
    let style = &options.style;
    let phases: Vec<&PhaseResult> = result.test_results.iter().filter(|p| p.was_run).collect();
    let sections = [
        head::lines(style, result),
        phases::lines(style, result),
        repeats::lines(style, result),
        steps::lines(style, result),
        requests::lines(style, &phases),
        latency::lines(style, &phases),
        timings::parts(style, &phases),
        timings::service(style, &phases),
        traffic::lines(style, &phases),
        cost::lines(style, result),
        errors::kinds(style, &phases),
        errors::checks(style, &phases),
        expectations::lines(style, result),
        grade::lines(style, result, options),
    ];
    joined(&sections)
}

/// The runs of a result, where there are several, and how far they lie apart: lines that end with a line break.
#[must_use]
pub fn runs(result: &RunResult, style: &Style) -> String {
    joined(&[repeats::lines(style, result)])
}

/// The heading of a section, with a remark behind it.
pub(crate) fn heading(style: &Style, text: &str, remark: &str) -> Line {
    let mut line = Line::new(style);
    line.push(text, Tone::Bold);
    if !remark.is_empty() {
        line.dim(&format!("  {remark}"));
    }
    line
}

/// `… and 7 more` below a table, if there are more.
pub(crate) fn and_more(style: &Style, more: usize, what: &str) -> Option<Line> {
    (more > 0).then(|| {
        let mut line = Line::new(style);
        line.dim(&format!("  {} and {more} more {what}", style.symbols().ellipsis));
        line
    })
}

/// A text over as many lines as it needs; all but the first, which goes on after `intro`, begin at
/// column `indent`.
pub(crate) fn wrapped(
    style: &Style,
    intro: Line,
    text: &str,
    tone: Tone,
    indent: usize,
) -> Vec<Line> {
    let (mut lines, mut line) = (Vec::new(), intro);
    for word in clean(text, style).split_whitespace() {
        let mut part = Line::new(style);
        part.push(word, tone).text(" ");
        // The blank at the end may stand beyond the edge: it is not written.
        if part.width() > line.room() + 1 && line.width() > indent {
            lines.push(std::mem::replace(&mut line, Line::new(style)));
            line.pad_to(indent);
        }
        line.append(&part);
    }
    lines.push(line);
    lines
}

/// A time in milliseconds, for people.
pub(crate) fn ms_text(ms: Option<f64>) -> String {
    ms.map_or_else(|| "–".to_owned(), |ms| human_ns(ms * 1e6))
}

/// A cell with a time in milliseconds.
pub(crate) fn ms_cell(ms: Option<f64>) -> (String, Tone) {
    let tone = if ms.is_some() { Tone::Plain } else { Tone::Dim };
    (ms_text(ms), tone)
}

/// A cell with the share of failures: quiet where there are none.
pub(crate) fn errors_cell(failed: u64, total: u64) -> (String, Tone) {
    match failed {
        _ if total == 0 => ("–".to_owned(), Tone::Dim),
        0 => ("0%".to_owned(), Tone::Dim),
        _ => (human_ratio(failed as f64 / total as f64), Tone::Bad),
    }
}

/// The colour of a grade.
pub(crate) const fn grade_tone(grade: Grade) -> Tone {
    match grade {
        Grade::Excellent | Grade::Good => Tone::LoudGood,
        Grade::Fair => Tone::LoudFair,
        Grade::Poor => Tone::LoudBad,
    }
}
