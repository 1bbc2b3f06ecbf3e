//! What happened at moments of a run, bounded.

use serde::{Deserialize, Serialize};

use crate::event::Mark;

/// Marks kept; further ones are counted.
pub const MAX_MARKS: usize = 500;
/// A mark's text is cut to at most this many bytes.
const MAX_TEXT_BYTES: usize = 400;

/// The first [`MAX_MARKS`] marks of a run, in the order in which they were told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Marks {
    all: Vec<Mark>,
    dropped: u64,
}

impl Marks {
    /// Adds a mark, or the end of one that is there.
    pub fn add(&mut self, mut mark: Mark) {
        if mark.text.len() > MAX_TEXT_BYTES {
            mark.text.truncate(mark.text.floor_char_boundary(MAX_TEXT_BYTES));
            mark.text.push('…');
        }
        if let Some(known) = self.all.iter_mut().rev().find(|known| known.is_same(&mark)) {
            known.until = known.until.max(mark.until);
        } else if self.all.len() < MAX_MARKS {
            self.all.push(mark);
        } else {
            self.dropped = self.dropped.saturating_add(1);
        }
    }

    /// Those that are kept.
    #[must_use]
    pub fn all(&self) -> &[Mark] {
        &self.all
    }

    /// How many were not kept.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped
    }
}
