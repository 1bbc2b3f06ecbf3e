//! A bounded sample of failures, so that a report can show what a kind of error looked like.

use super::ErrorKind;
use serde::{Deserialize, Serialize};

/// Samples kept of each kind.
pub const SAMPLES_PER_KIND: usize = 5;
/// A sample's message is cut to at most this many bytes.
pub const MAX_MESSAGE_BYTES: usize = 300;

/// One failed request. Ordered by time first: of a kind, the earliest are kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ErrorSample {
    /// When it failed, in nanoseconds from the start of the phase.
    pub at_ns: u64,
    /// What kind of failure.
    pub kind: ErrorKind,
    /// Name of the request.
    pub request: String,
    /// What went wrong, in words, redacted by the engine.
    pub message: String,
    /// HTTP status, 0 without an answer.
    pub status: u16,
    /// How long the request took, in nanoseconds.
    pub elapsed_ns: u64,
}

/// The earliest [`SAMPLES_PER_KIND`] failures of each kind, and how many were not kept. Which ones
/// are kept does not depend on the order in which they are added or merged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ErrorSamples {
    samples: Vec<ErrorSample>,
    dropped: u64,
}

impl ErrorSamples {
    /// Whether a sample of this kind would be kept now, so that a busy caller need not build the
    /// message of one that would not. Such a caller counts it with [`ErrorSamples::skip`].
    #[must_use]
    pub fn wants(&self, kind: ErrorKind) -> bool {
        self.samples.iter().filter(|sample| sample.kind == kind).count() < SAMPLES_PER_KIND
    }

    /// Counts a failure of which no sample is given.
    pub fn skip(&mut self) {
        self.dropped = self.dropped.saturating_add(1);
    }

    /// Adds a sample; a later one of the same kind makes way for it if there are too many.
    pub fn add(&mut self, mut sample: ErrorSample) {
        if sample.message.len() > MAX_MESSAGE_BYTES {
            sample.message.truncate(sample.message.floor_char_boundary(MAX_MESSAGE_BYTES));
            sample.message.push('…');
        }
        let kind = sample.kind;
        let at = self.samples.partition_point(|kept| *kept <= sample);
        self.samples.insert(at, sample);
        let mut of_kind = self.samples.iter().enumerate().filter(|(_, kept)| kept.kind == kind);
        if let Some((surplus, _)) = of_kind.nth(SAMPLES_PER_KIND) {
            self.samples.remove(surplus);
            self.skip();
        }
    }

    /// Adds the samples of another.
    pub fn merge(&mut self, other: &Self) {
        self.dropped = self.dropped.saturating_add(other.dropped);
        for sample in &other.samples {
            self.add(sample.clone());
        }
    }

    /// The samples kept, earliest first.
    #[must_use]
    pub fn samples(&self) -> &[ErrorSample] {
        &self.samples
    }

    /// How many failures are not among the samples.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Heap memory in bytes, for accounting.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.samples.capacity() * size_of::<ErrorSample>()
            + self
                .samples
                .iter()
                .map(|s| s.message.capacity() + s.request.capacity())
                .sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(at_ns: u64, kind: ErrorKind) -> ErrorSample {
        ErrorSample {
            at_ns,
            kind,
            request: "login".to_owned(),
            message: "m".to_owned(),
            status: 0,
            elapsed_ns: 1,
        }
    }

    #[test]
    fn the_earliest_are_kept_in_any_order() {
        let mut forward = ErrorSamples::default();
        let mut backward = ErrorSamples::default();
        for at in 0..20 {
            forward.add(sample(at, ErrorKind::Timeout));
            backward.add(sample(19 - at, ErrorKind::Timeout));
        }
        assert!(!forward.wants(ErrorKind::Timeout));
        assert!(forward.wants(ErrorKind::Dns));
        assert_eq!(forward, backward);
        assert_eq!(forward.samples().len(), SAMPLES_PER_KIND);
        assert_eq!(forward.samples()[4].at_ns, 4);
        assert_eq!(forward.dropped(), 15);
    }

    #[test]
    fn messages_are_cut_at_a_character() {
        let mut samples = ErrorSamples::default();
        samples.add(ErrorSample { message: "ä".repeat(1000), ..sample(0, ErrorKind::Io) });
        let message = &samples.samples()[0].message;
        assert_eq!(message.chars().count(), MAX_MESSAGE_BYTES / 2 + 1);
        assert!(message.ends_with('…'));
    }
}
