//! Bounded counters of a request series: failures by kind, answers by status, checks.

use super::ErrorKind;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

/// How many requests failed, by [`ErrorKind`]. Counting is an array index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorCounts([u64; ErrorKind::COUNT]);

impl Default for ErrorCounts {
    fn default() -> Self {
        Self([0; ErrorKind::COUNT])
    }
}

impl ErrorCounts {
    /// Counts one failure.
    #[inline]
    pub fn record(&mut self, kind: ErrorKind) {
        self.add(kind, 1);
    }

    /// Counts many failures of a kind.
    #[inline]
    pub fn add(&mut self, kind: ErrorKind, count: u64) {
        let counter = &mut self.0[kind as usize];
        *counter = counter.saturating_add(count);
    }

    /// Failures of this kind.
    #[must_use]
    pub fn get(&self, kind: ErrorKind) -> u64 {
        self.0[kind as usize]
    }

    /// Kinds that occurred, with their counts, in the order of declaration.
    pub fn iter(&self) -> impl Iterator<Item = (ErrorKind, u64)> {
        ErrorKind::ALL.iter().map(|&kind| (kind, self.get(kind))).filter(|&(_, count)| count > 0)
    }

    /// Failures of all kinds.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().fold(0, |sum, &count| sum.saturating_add(count))
    }

    /// Adds the counts of another.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            *mine = mine.saturating_add(*theirs);
        }
    }
}

/// A map from the kind's identifier to its count, so that a new kind does not shift the others.
impl Serialize for ErrorCounts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().map(|(kind, count)| (kind.id(), count)))
    }
}

/// Kinds that this build does not know are counted as [`ErrorKind::Io`], so that totals hold.
impl<'de> Deserialize<'de> for ErrorCounts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut counts = Self::default();
        for (id, count) in BTreeMap::<String, u64>::deserialize(deserializer)? {
            counts.add(ErrorKind::from_id(&id).unwrap_or(ErrorKind::Io), count);
        }
        Ok(counts)
    }
}

/// How many answers had which status, sorted by status. At most 1,000 different ones are told
/// apart: numbers above 999 do not exist in HTTP and are counted as 999.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "BTreeMap<u16, u64>", into = "BTreeMap<u16, u64>")]
pub struct StatusCounts(Vec<(u16, u64)>);

impl From<BTreeMap<u16, u64>> for StatusCounts {
    fn from(map: BTreeMap<u16, u64>) -> Self {
        let mut counts = Self::default();
        for (status, count) in map {
            counts.add(status, count);
        }
        counts
    }
}

impl From<StatusCounts> for BTreeMap<u16, u64> {
    fn from(counts: StatusCounts) -> Self {
        counts.0.into_iter().collect()
    }
}

impl StatusCounts {
    /// Counts one answer.
    #[inline]
    pub fn record(&mut self, status: u16) {
        // A service answers with a handful of statuses, so a scan beats a search.
        match self.0.iter_mut().find(|(known, _)| *known == status) {
            Some((_, count)) => *count = count.wrapping_add(1),
            None => self.add(status, 1),
        }
    }

    /// Counts many answers with a status. Allocates when the status is new.
    pub fn add(&mut self, status: u16, count: u64) {
        let status = status.min(999);
        match self.0.binary_search_by_key(&status, |&(known, _)| known) {
            Ok(at) => self.0[at].1 = self.0[at].1.saturating_add(count),
            Err(_) if count == 0 => {}
            Err(at) => self.0.insert(at, (status, count)),
        }
    }

    /// Answers with this status.
    #[must_use]
    pub fn get(&self, status: u16) -> u64 {
        self.iter().find(|&(known, _)| known == status).map_or(0, |(_, count)| count)
    }

    /// Statuses that occurred, with their counts, in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = (u16, u64)> {
        self.0.iter().copied().filter(|&(_, count)| count > 0)
    }

    /// Adds the counts of another.
    pub fn merge(&mut self, other: &Self) {
        for (status, count) in other.iter() {
            self.add(status, count);
        }
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.0.capacity() * size_of::<(u16, u64)>()
    }
}

/// How often a check passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckCount {
    /// Times the check held.
    pub passes: u64,
    /// Times it did not.
    pub fails: u64,
}

impl CheckCount {
    /// Adds the counts of another.
    pub fn merge(&mut self, other: Self) {
        self.passes = self.passes.saturating_add(other.passes);
        self.fails = self.fails.saturating_add(other.fails);
    }

    /// How often it was evaluated.
    #[must_use]
    pub fn total(self) -> u64 {
        self.passes.saturating_add(self.fails)
    }

    /// Passes divided by evaluations; none if it was never evaluated.
    #[must_use]
    pub fn rate(self) -> Option<f64> {
        (self.total() > 0).then(|| self.passes as f64 / self.total() as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_stay_sorted_and_bounded() {
        let mut counts = StatusCounts::default();
        for status in [500, 200, 404, 200, 65_535, 1_000, 200] {
            counts.record(status);
        }
        assert_eq!(counts.iter().collect::<Vec<_>>(), [(200, 3), (404, 1), (500, 1), (999, 2)]);
        assert_eq!(counts.get(200), 3);
        assert_eq!(counts.get(201), 0);
        let text = serde_json::to_string(&counts).unwrap();
        assert_eq!(text, r#"{"200":3,"404":1,"500":1,"999":2}"#);
        assert_eq!(serde_json::from_str::<StatusCounts>(&text).unwrap(), counts);
    }

    #[test]
    fn errors_are_a_map_by_identifier() {
        let mut counts = ErrorCounts::default();
        counts.record(ErrorKind::Timeout);
        counts.add(ErrorKind::Dns, 2);
        let text = serde_json::to_string(&counts).unwrap();
        assert_eq!(text, r#"{"dns":2,"timeout":1}"#);
        assert_eq!(serde_json::from_str::<ErrorCounts>(&text).unwrap(), counts);
        let newer: ErrorCounts = serde_json::from_str(r#"{"from_the_future":3}"#).unwrap();
        assert_eq!(newer.total(), 3);
    }

    #[test]
    fn a_check_that_never_ran_has_no_rate() {
        assert_eq!(CheckCount::default().rate(), None);
        assert_eq!(CheckCount { passes: 3, fails: 1 }.rate(), Some(0.75));
    }
}
