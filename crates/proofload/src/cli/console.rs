//! Writing to the terminal. Nobody reading any more is not an error.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use proofload_core::redact::Redactor;
use proofload_report::{Style, ascii};

use super::failure::Failure;

/// Standard output and standard error, and what they can show.
#[derive(Debug)]
pub(super) struct Console {
    output: Style,
    error: Style,
    error_is_terminal: bool,
    /// Whatever is written here goes through it.
    secrets: Mutex<Redactor>,
}

impl Console {
    /// Looks at what the process's streams are.
    pub(super) fn new() -> Self {
        let variable = |name: &str| std::env::var(name).ok();
        let of = |is_terminal: bool| columns().or(Some(80)).filter(|_| is_terminal);
        let error_is_terminal = io::stderr().is_terminal();
        Self {
            output: Style::detect(of(io::stdout().is_terminal()), variable),
            error: Style::detect(of(error_is_terminal), variable),
            error_is_terminal,
            secrets: Mutex::default(),
        }
    }

    /// Never shows this value from now on.
    pub(super) fn hide(&self, value: &str) {
        self.redactor().hide(value);
    }

    /// What takes secrets out of everything that people get to see.
    pub(super) fn redactor(&self) -> MutexGuard<'_, Redactor> {
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What standard output can show.
    pub(super) fn output_style(&self) -> Style {
        self.output
    }

    /// What standard error can show.
    pub(super) fn error_style(&self) -> Style {
        self.error
    }

    /// Whether standard error is a terminal on which lines can be drawn over.
    pub(super) fn is_live(&self) -> bool {
        self.error_is_terminal
    }

    /// Columns of the terminal now; it may have been resized.
    pub(super) fn columns(&self) -> Option<usize> {
        columns().filter(|_| self.error_is_terminal)
    }

    /// A line on standard output.
    pub(super) fn line(&self, text: &str) {
        self.print(&format!("{}\n", text.trim_end_matches('\n')));
    }

    /// Text on standard output.
    pub(super) fn print(&self, text: &str) {
        self.print_result(&self.redactor().text(text));
    }

    /// A result on standard output. Secrets have been taken out of its values; its keys must stay.
    pub(super) fn print_result(&self, text: &str) {
        let mut out = io::stdout().lock();
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }

    /// Text on standard error.
    pub(super) fn print_error(&self, text: &str) {
        let text = self.redactor().text(text).into_owned();
        let mut out = io::stderr().lock();
        // What is on standard error is for people; on standard output plans and JSON have to stay as they are.
        let text = if self.error.unicode { Cow::Borrowed(&*text) } else { ascii(&text) };
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }

    /// Why a command ended without a verdict.
    pub(super) fn error(&self, failure: &Failure) {
        let (bold, plain) = if self.error.color { ("\x1b[1;31m", "\x1b[0m") } else { ("", "") };
        let prefix =
            if failure.is_rendered { String::new() } else { format!("{bold}error{plain}: ") };
        self.print_error(&format!("{prefix}{}\n", failure.message.trim_end()));
    }

    /// Something to know, not an error.
    pub(super) fn notice(&self, message: &str) {
        let (bold, plain) = if self.error.color { ("\x1b[1;33m", "\x1b[0m") } else { ("", "") };
        self.print_error(&format!("{bold}note{plain}: {message}\n"));
    }
}

/// Columns of the terminal, whichever of the standard streams it is on.
fn columns() -> Option<usize> {
    let (width, _) = terminal_size::terminal_size()?;
    Some(usize::from(width.0))
}
