//! Whether an alert is on: it does not flap.

use std::time::Duration;

use crate::event::{Mark, MarkKind, MarkLevel};

/// How things stand with something that is looked for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Reading {
    /// It is there; what there is to say of it.
    Broken(String),
    /// It is not there.
    Fine,
    /// Neither is clear: an alert that is on stays on, one that is not stays off.
    Unclear,
}

/// Whether an alert is on.
#[derive(Clone, Debug, Default)]
pub(super) struct Latch {
    raised: Option<Mark>,
    /// When it was over the last time.
    ended: Option<Duration>,
}

impl Latch {
    pub(super) fn is_raised(&self) -> bool {
        self.raised.is_some()
    }

    /// Takes note of how things stand; gives out what begins or ends.
    pub(super) fn update(
        &mut self,
        reading: Reading,
        at: Duration,
        window: Duration,
        level: MarkLevel,
        phase: &str,
    ) -> Option<Mark> {
        match reading {
            Reading::Broken(text) if self.raised.is_none() => {
                if self.ended.is_some_and(|ended| at < ended + window) {
                    return None;
                }
                let text = format!("{phase}: {text}");
                let mark = Mark { at, until: None, kind: MarkKind::Alert, level, text };
                self.raised = Some(mark.clone());
                Some(mark)
            }
            Reading::Fine => self.end(at),
            Reading::Broken(_) | Reading::Unclear => None,
        }
    }

    /// It is over, if it was on.
    pub(super) fn end(&mut self, at: Duration) -> Option<Mark> {
        let mark = self.raised.take()?;
        self.ended = Some(at);
        Some(Mark { until: Some(at), ..mark })
    }
}
