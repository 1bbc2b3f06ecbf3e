//! Text and figures in the page.

use maud::{Markup, html};
use proofload_core::units::{human_count, human_ns, human_rate, human_ratio};
use proofload_core::verdict::Grade;

pub(super) use crate::chart::label;

/// Characters of a name that are shown.
const NAME: usize = 160;
/// Characters of a message that are shown.
const MESSAGE: usize = 400;

/// A name from elsewhere, isolated: one that is written from right to left does not turn its neighbours.
pub(super) fn name(text: &str) -> Markup {
    html! { bdi { (label(text, NAME)) } }
}

/// A message from elsewhere.
pub(super) fn message(text: &str) -> Markup {
    html! { bdi { (label(text, MESSAGE)) } }
}

/// A time in milliseconds.
pub(super) fn ms(ms: Option<f64>) -> String {
    ms.map_or_else(dash, |ms| human_ns(ms * 1e6))
}

/// A length of time in seconds.
pub(super) fn seconds(seconds: f64) -> String {
    human_ns(seconds * 1e9)
}

/// `2026-11-21 09:32:07 UTC` from RFC 3339; anything else as it is.
pub(super) fn when(timestamp: &str) -> String {
    let text = label(timestamp, 40);
    match (text.split_once('T'), text.ends_with('Z')) {
        (Some((date, time)), true) => {
            let time = time.trim_end_matches('Z').split('.').next().unwrap_or_default();
            format!("{date} {time} UTC")
        }
        _ => text,
    }
}

/// A share.
pub(super) fn ratio(share: Option<f64>) -> String {
    share.map_or_else(dash, human_ratio)
}

/// A rate a second.
pub(super) fn rate(per_second: Option<f64>) -> String {
    per_second.map_or_else(dash, human_rate)
}

/// A count.
pub(super) fn count(count: u64) -> String {
    human_count(count)
}

/// What stands where there is no figure.
pub(super) fn dash() -> String {
    "–".to_owned()
}

/// `1 limit`, `2 limits`.
pub(super) fn counted(count: u64, noun: &str) -> String {
    crate::load_text::counted(count, noun)
}

/// A cell of numbers, with what it sorts by.
pub(super) fn cell(text: &str, sort: Option<f64>) -> Markup {
    let sort = sort.filter(|value| value.is_finite());
    html! { td.n data-s=[sort.map(|value| format!("{value}"))] { (text) } }
}

/// A cell with a time in milliseconds.
pub(super) fn ms_cell(value: Option<f64>) -> Markup {
    cell(&ms(value), value)
}

/// How something came out, by sign, colour and word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Good,
    Missed,
    Broken,
    Same,
    Unknown,
}

impl Outcome {
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Good => "o-good",
            Self::Missed => "o-missed",
            Self::Broken => "o-broken",
            Self::Same => "o-same",
            Self::Unknown => "o-unknown",
        }
    }

    const fn sign(self) -> &'static str {
        match self {
            Self::Good => "✓",
            Self::Missed => "!",
            Self::Broken => "✗",
            Self::Same => "=",
            Self::Unknown => "?",
        }
    }

    /// The sign, and the word for those who do not see it.
    pub(super) fn mark(self, word: &str) -> Markup {
        html! { span class={ "mark-sign " (self.class()) } { span aria-hidden="true" { (self.sign()) } span.vh { (word) } } }
    }
}

/// The sign of a grade.
pub(super) const fn grade_sign(grade: Option<Grade>) -> &'static str {
    match grade {
        Some(Grade::Excellent) => "★",
        Some(Grade::Good) => "✓",
        Some(Grade::Fair) => "!",
        Some(Grade::Poor) => "✗",
        None => "○",
    }
}

/// The class of the colour of a verdict: a good grade for figures that are in doubt is no reason for green.
pub(super) fn verdict_class(grade: Option<Grade>, is_suspect: bool) -> &'static str {
    let doubt = grade.filter(|_| is_suspect).map(|_| Grade::Fair);
    grade_class(Grade::worse(grade, doubt))
}

/// The class of a grade's colour.
pub(super) const fn grade_class(grade: Option<Grade>) -> &'static str {
    match grade {
        Some(Grade::Excellent) => "g-excellent",
        Some(Grade::Good) => "g-good",
        Some(Grade::Fair) => "g-fair",
        Some(Grade::Poor) => "g-poor",
        None => "g-none",
    }
}

/// A grade as a small sign with its word.
pub(super) fn grade_badge(grade: Option<Grade>) -> Markup {
    let word = grade.map_or("NO GRADE", Grade::name);
    html! { span class={ "badge " (grade_class(grade)) } { span aria-hidden="true" { (grade_sign(grade)) " " } (word) } }
}

/// `and 7 more rows` below a table that was cut.
pub(super) fn and_more(all: usize, shown: usize, what: &str) -> Markup {
    let more = all.saturating_sub(shown) as u64;
    html! { @if more > 0 { p.note { "and " (count(more)) " more " (what) ", see the result file" } } }
}

/// A table in a box that scrolls sideways when it must; reachable by keyboard.
pub(super) fn scroll(caption: &str, table: &Markup) -> Markup {
    html! { div.scroll tabindex="0" role="region" aria-label=(caption) { (table) } }
}
