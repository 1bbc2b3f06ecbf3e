//! The lines of a journal.

use std::sync::Arc;
use std::time::Duration;

use proofload_core::event::{ControlState, Mark, RunEvent};
use proofload_core::metrics::IntervalSnapshot;
use proofload_core::record::RunRecord;
use proofload_core::redact::Redactor;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Header;

/// A line: an object of one key, which says what it is.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line {
    /// Always the first line, and only that.
    Header(Box<Header>),
    /// Everything before it; the second line of a journal that was made smaller.
    Checkpoint(Box<RunRecord>),
    /// As the event.
    PhaseStarted { phase: usize, at: Duration, shards: u32 },
    /// As the event.
    Snapshot(Arc<IntervalSnapshot>),
    /// As the event.
    PhaseEnded { phase: usize, at: Duration, early: Option<String> },
    /// As the event.
    Mark(Mark),
    /// As the event.
    Control(ControlState),
    /// As the event.
    Notice(String),
    /// The run came to its end.
    End {},
}

impl Line {
    /// The line of an event; none for what follows from others.
    pub(super) fn of(event: &RunEvent) -> Option<Self> {
        Some(match event.clone() {
            RunEvent::PhaseStarted { phase, at, shards } => {
                Self::PhaseStarted { phase, at, shards }
            }
            RunEvent::Snapshot(snapshot) => Self::Snapshot(snapshot),
            RunEvent::PhaseEnded { phase, at, early } => Self::PhaseEnded { phase, at, early },
            RunEvent::Mark(mark) => Self::Mark(mark),
            RunEvent::Control(state) => Self::Control(state),
            RunEvent::Notice(text) => Self::Notice(text),
            RunEvent::Interval(_) => return None,
        })
    }

    /// The event it tells of.
    pub(super) fn into_event(self) -> Option<RunEvent> {
        Some(match self {
            Self::PhaseStarted { phase, at, shards } => {
                RunEvent::PhaseStarted { phase, at, shards }
            }
            Self::Snapshot(snapshot) => RunEvent::Snapshot(snapshot),
            Self::PhaseEnded { phase, at, early } => RunEvent::PhaseEnded { phase, at, early },
            Self::Mark(mark) => RunEvent::Mark(mark),
            Self::Control(state) => RunEvent::Control(state),
            Self::Notice(text) => RunEvent::Notice(text),
            Self::Header(_) | Self::Checkpoint(_) | Self::End {} => return None,
        })
    }

    /// Its JSON without secrets and with its line break.
    pub(super) fn to_json(&self, redactor: &Redactor) -> serde_json::Result<String> {
        let mut json = serde_json::to_string(self)?;
        if redactor.text(&json) != json {
            let mut value = serde_json::to_value(self)?;
            redact(&mut value, redactor);
            json = value.to_string();
        }
        json.push('\n');
        Ok(json)
    }
}

/// Keys whose texts people wrote or services answered; histograms are texts, too, and a secret may look
/// like a part of one.
const TEXTS: &[&str] = &[
    "user", "task", "name", "url", "group", "checks", "request", "message", "text", "early",
    "notice",
];

/// Takes secrets out of the texts in a line.
fn redact(value: &mut Value, redactor: &Redactor) {
    match value {
        Value::Object(items) => {
            for (key, item) in items {
                if TEXTS.contains(&key.as_str()) {
                    redactor.json(item);
                } else {
                    redact(item, redactor);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| redact(item, redactor)),
        _ => {}
    }
}
