//! What is wrong with a plan, shown where it stands.

use std::fmt::{self, Write as _};
use std::sync::Arc;

/// A file that a plan was read from.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Path, as the user gave it or joined from an `include`.
    pub path: Arc<str>,
    /// The text.
    pub text: Arc<str>,
}

/// A place in one of the files of a plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Location {
    /// Index into [`PlanErrors::sources`].
    pub file: u16,
    /// First byte.
    pub start: u32,
    /// Byte after the last.
    pub end: u32,
}

impl Location {
    /// Whether it is a part of the other, and not all of it.
    fn is_inside(self, other: Self) -> bool {
        self != other
            && self.file == other.file
            && (other.start..=other.end).contains(&self.start)
            && (other.start..=other.end).contains(&self.end)
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What is wrong.
    pub message: String,
    /// Where; `None` for what stands in no file, such as a flag.
    pub location: Option<Location>,
    /// What to do about it.
    pub help: Option<String>,
    /// Another place that has to do with it, and how.
    pub related: Option<(Location, String)>,
}

impl Diagnostic {
    /// Something wrong at a place.
    pub(crate) fn at(location: Location, message: impl Into<String>) -> Self {
        Self { message: message.into(), location: Some(location), help: None, related: None }
    }

    /// Something wrong that stands in no file.
    pub(crate) fn general(message: impl Into<String>) -> Self {
        Self { message: message.into(), location: None, help: None, related: None }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn related(mut self, at: Location, how: impl Into<String>) -> Self {
        self.related = Some((at, how.into()));
        self
    }
}

/// Everything that is wrong with a plan, with the texts to show it in.
#[derive(Clone, Debug)]
pub struct PlanErrors {
    /// The files that were read.
    pub sources: Vec<SourceFile>,
    /// In the order of the files; never empty.
    pub diagnostics: Vec<Diagnostic>,
}

impl std::error::Error for PlanErrors {}

/// As [`PlanErrors::render`] without colours.
impl fmt::Display for PlanErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(Colours::Plain))
    }
}

/// Whether messages are coloured with ANSI escapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    /// Text only.
    Plain,
    /// For a terminal.
    Ansi,
}

struct Style {
    error: &'static str,
    frame: &'static str,
    help: &'static str,
    bold: &'static str,
    reset: &'static str,
}

const PLAIN: Style = Style { error: "", frame: "", help: "", bold: "", reset: "" };
const ANSI: Style = Style {
    error: "\x1b[1;31m",
    frame: "\x1b[34m",
    help: "\x1b[36m",
    bold: "\x1b[1m",
    reset: "\x1b[0m",
};

impl PlanErrors {
    pub(super) fn new(sources: Vec<SourceFile>, mut diagnostics: Vec<Diagnostic>) -> Self {
        // Default headers are compiled once a request: their mistakes are told once.
        let mut seen = std::collections::HashSet::new();
        diagnostics.retain(|d| seen.insert((d.location, d.message.clone())));
        // What is said of a whole table often only follows from a mistake inside of it.
        let places: Vec<Location> = diagnostics.iter().filter_map(|d| d.location).collect();
        diagnostics.retain(|d| d.location.is_none_or(|at| !places.iter().any(|p| p.is_inside(at))));
        diagnostics.sort_by_key(|d| d.location.map_or((u16::MAX, 0), |at| (at.file, at.start)));
        Self { sources, diagnostics }
    }

    /// File, line and column (both from 1, the column in characters) of a place.
    #[must_use]
    pub fn position(&self, at: Location) -> (&str, usize, usize) {
        let Some(source) = self.sources.get(usize::from(at.file)) else { return ("", 1, 1) };
        let before = &source.text[..floor_boundary(&source.text, at.start as usize)];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
        (&source.path, line, before[line_start..].chars().count() + 1)
    }

    /// The text that people read: for each mistake what is wrong, file, line, column, the line
    /// itself with the place marked, and what to do. Ends without a line break.
    #[must_use]
    pub fn render(&self, colours: Colours) -> String {
        let style = if colours == Colours::Ansi { &ANSI } else { &PLAIN };
        let mut text = String::new();
        for diagnostic in &self.diagnostics {
            self.render_one(diagnostic, style, &mut text);
            text.push('\n');
        }
        if self.diagnostics.len() > 1 {
            let _ = write!(text, "{} mistakes found", self.diagnostics.len());
        }
        text.truncate(text.trim_end().len());
        text
    }

    fn render_one(&self, diagnostic: &Diagnostic, style: &Style, text: &mut String) {
        let Style { error, bold, help, reset, .. } = style;
        // Writing into a String cannot fail.
        let _ = writeln!(text, "{error}error{reset}{bold}: {}{reset}", diagnostic.message);
        if let Some(at) = diagnostic.location {
            self.render_place(at, "", style, text);
        }
        if let Some((at, how)) = &diagnostic.related {
            self.render_place(*at, how, style, text);
        }
        if let Some(advice) = &diagnostic.help {
            let _ = writeln!(text, "  {help}help{reset}: {advice}");
        }
    }

    fn render_place(&self, at: Location, label: &str, style: &Style, text: &mut String) {
        let Style { error, frame, reset, .. } = style;
        let (path, line, column) = self.position(at);
        let Some(source) = self.sources.get(usize::from(at.file)) else { return };
        let start = floor_boundary(&source.text, at.start as usize);
        let line_start = source.text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let content = source.text[line_start..].lines().next().unwrap_or("");
        let gutter = line.to_string().len();
        let end = floor_boundary(&source.text, at.end as usize).max(start);
        let marked = &source.text[start..end.min(line_start + content.len()).max(start)];
        let width = marked.chars().count().max(1);
        let window = Window::around(content, column - 1, width);
        let _ = writeln!(text, "{:gutter$}{frame}-->{reset} {path}:{line}:{column}", "");
        let _ = writeln!(text, "{:gutter$} {frame}|{reset}", "");
        let _ = writeln!(text, "{frame}{line} |{reset} {}", window.text);
        let _ = write!(
            text,
            "{:gutter$} {frame}|{reset} {:pad$}{error}{}{reset}",
            "",
            "",
            "^".repeat(window.width),
            pad = window.column
        );
        if !label.is_empty() {
            let _ = write!(text, " {label}");
        }
        text.push('\n');
    }
}

/// The part of a long line that is shown.
struct Window {
    text: String,
    column: usize,
    width: usize,
}

/// Most characters of a line that are shown.
const MAX_SHOWN: usize = 110;

impl Window {
    fn around(content: &str, column: usize, width: usize) -> Self {
        // A tab is shown as one blank, so that the mark stands below its place.
        let chars: Vec<char> =
            content.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        if chars.len() <= MAX_SHOWN {
            let width = width.min(chars.len().saturating_sub(column).max(1));
            return Self { text: chars.into_iter().collect(), column, width };
        }
        let first = column.saturating_sub(MAX_SHOWN / 3);
        let shown: String = chars.iter().skip(first).take(MAX_SHOWN).collect();
        let before = if first > 0 { "…" } else { "" };
        let after = if first + MAX_SHOWN < chars.len() { "…" } else { "" };
        let column = column - first + before.chars().count();
        let width = width.min((MAX_SHOWN + 1).saturating_sub(column).max(1));
        Self { text: format!("{before}{shown}{after}"), column, width }
    }
}

/// The nearest character boundary at or before `at`.
fn floor_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
