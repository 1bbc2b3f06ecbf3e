//! What an output is, and what can go wrong with one.

use std::fmt;
use std::io;

use proofload_core::event::RunEvent;
use proofload_core::redact::Redactor;
use proofload_core::result::RunResult;

/// Something that takes the events of a run somewhere. It lives on a thread of its own, so it may wait
/// for disks and networks; what it does not keep up with is dropped and counted by the
/// [`Hub`](crate::Hub).
///
/// An error does not end it: it hears the next event all the same, unless the error
/// [is final](OutputError::is_final).
pub trait Output: Send {
    /// What it is and where it goes, for people: `prometheus remote write to http://host/…`. Without
    /// secrets.
    fn name(&self) -> String;

    /// Which events it wants to hear. Asked once, before the first one.
    fn interest(&self) -> Interest {
        Interest::INTERVALS
    }

    /// Something happened.
    ///
    /// # Errors
    /// When it could not be passed on. An output that holds something back which it could not pass on
    /// says so again at every call, until it can: no error means that all is well.
    fn hear(&mut self, event: &RunEvent) -> Result<(), OutputError>;

    /// About a second has passed. For what has to be done on time even if nothing happens.
    ///
    /// # Errors
    /// Like [`Output::hear`].
    fn tick(&mut self) -> Result<(), OutputError> {
        Ok(())
    }

    /// The run is over: everything held back goes out now. The last call.
    ///
    /// # Errors
    /// When something could not be passed on and is lost.
    fn finish(&mut self, result: Option<&RunResult>) -> Result<(), OutputError>;

    /// How much was lost on the way, in [`Output::lost_what`]; the queue's losses are not its own.
    fn lost(&self) -> u64 {
        0
    }

    /// What [`Output::lost`] counts, in the plural.
    fn lost_what(&self) -> &'static str {
        "events"
    }
}

/// Which measurements an output wants to hear; phases, marks and notices are told to all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interest {
    /// What each shard measured: large, and the whole truth.
    pub snapshots: bool,
    /// What all shards measured in an interval together.
    pub intervals: bool,
}

impl Interest {
    /// Neither: phases, marks and notices only.
    pub const MARKS: Self = Self { snapshots: false, intervals: false };
    /// Intervals, not snapshots.
    pub const INTERVALS: Self = Self { snapshots: false, intervals: true };
    /// Snapshots, not intervals, which follow from them.
    pub const SNAPSHOTS: Self = Self { snapshots: true, intervals: false };
    /// Both.
    pub const ALL: Self = Self { snapshots: true, intervals: true };

    /// Whether this event is among them.
    #[must_use]
    pub fn includes(self, event: &RunEvent) -> bool {
        match event {
            RunEvent::Snapshot(_) => self.snapshots,
            RunEvent::Interval(_) => self.intervals,
            _ => true,
        }
    }
}

/// What sort of thing went wrong: the same trouble is told to the user once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trouble {
    /// A file could not be written.
    File(io::ErrorKind),
    /// The other side is not there.
    Connect,
    /// The other side took too long.
    Timeout,
    /// The other side answered with this HTTP status.
    Status(u16),
    /// Anything else.
    Other,
}

/// Why something was not passed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputError {
    /// What sort of thing.
    pub trouble: Trouble,
    /// In words, without the output's name.
    pub text: String,
    /// Whether it makes no sense to go on. The output hears nothing more, not even the end.
    pub is_final: bool,
}

impl OutputError {
    /// Trouble that may pass.
    #[must_use]
    pub fn new(trouble: Trouble, text: impl Into<String>) -> Self {
        Self { trouble, text: text.into(), is_final: false }
    }

    /// A file could not be written, or read back.
    #[must_use]
    pub fn file(error: &io::Error) -> Self {
        Self::new(Trouble::File(error.kind()), error.to_string())
    }

    /// The same trouble, for good.
    #[must_use]
    pub fn for_good(self) -> Self {
        Self { is_final: true, ..self }
    }
}

impl fmt::Display for OutputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for OutputError {}

impl From<io::Error> for OutputError {
    fn from(error: io::Error) -> Self {
        Self::file(&error)
    }
}

/// A URL for people: without user, password, and without a query, which often has a token in it.
#[must_use]
pub fn url_for_people(url: &str) -> String {
    let url = Redactor::default().text(url).into_owned();
    match url.split_once(['?', '#']) {
        Some((before, _)) => format!("{before}?…"),
        None => url,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_no_secrets() {
        let check = |url: &str, expect: &str| assert_eq!(url_for_people(url), expect);
        check("http://host:1/a", "http://host:1/a");
        check("http://user:hunter2@host/a?token=hunter2", "http://***@host/a?…");
        check("http://host/a#hunter2", "http://host/a?…");
    }
}
