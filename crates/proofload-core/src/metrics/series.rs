//! The static tags of a request series, and the helper that keeps their number bounded.

use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;

/// How many series are told apart; further ones are counted in [`SeriesMeta::other`].
pub const MAX_SERIES: usize = 2_000;

/// The static tags of a request series: what is known of a request before it is sent. Two requests
/// with equal tags are measured together. Shared as an `Arc`, hashable, and ordered as in the plan.
///
/// The phase is not part of it: snapshots carry it, so that phases share the tags.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct SeriesMeta {
    /// Position in the plan; only orders the rows of a report.
    pub position: u32,
    /// Kind of user.
    pub user: String,
    /// Task.
    pub task: String,
    /// Name of the request, for grouping and for people.
    pub name: String,
    /// HTTP method, or the command of another protocol.
    pub method: String,
    /// URL template as in the plan, before values are filled in. Redacted by the engine.
    pub url: String,
    /// k6's group path; empty if none.
    pub group: String,
    /// Names of the checks; [`super::RequestStats::checks`] has their counts by index.
    pub checks: Vec<String>,
}

impl SeriesMeta {
    /// Name of the series that takes what is over [`MAX_SERIES`].
    pub const OTHER: &'static str = "(other)";

    /// The series that takes everything over the bound.
    #[must_use]
    pub fn other() -> Self {
        Self { position: u32::MAX, name: Self::OTHER.to_owned(), ..Self::default() }
    }

    /// Whether this is [`SeriesMeta::other`].
    #[must_use]
    pub fn is_other(&self) -> bool {
        self.position == u32::MAX && self.name == Self::OTHER
    }
}

/// A registered series: an index into [`SeriesRegistry::all`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SeriesId(pub u32);

impl SeriesId {
    /// As an index.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Hands out series identifiers, at most [`MAX_SERIES`] and one for the rest.
#[derive(Clone, Debug)]
pub struct SeriesRegistry {
    all: Vec<Arc<SeriesMeta>>,
    ids: HashMap<Arc<SeriesMeta>, SeriesId>,
    other: Option<SeriesId>,
    limit: usize,
    overflowed: u64,
}

impl Default for SeriesRegistry {
    fn default() -> Self {
        Self::with_limit(MAX_SERIES)
    }
}

impl SeriesRegistry {
    /// A registry with another bound than [`MAX_SERIES`].
    #[must_use]
    pub fn with_limit(limit: usize) -> Self {
        Self { all: Vec::new(), ids: HashMap::new(), other: None, limit, overflowed: 0 }
    }

    /// The identifier of a series, registered if it is new. Over the bound it is that of
    /// [`SeriesMeta::other`].
    pub fn register(&mut self, meta: &SeriesMeta) -> SeriesId {
        if let Some(&id) = self.ids.get(meta) {
            return id;
        }
        if self.ids.len() >= self.limit {
            self.overflowed += 1;
            if let Some(id) = self.other {
                return id;
            }
            let id = self.push(Arc::new(SeriesMeta::other()));
            self.other = Some(id);
            return id;
        }
        let meta = Arc::new(meta.clone());
        let id = self.push(Arc::clone(&meta));
        self.ids.insert(meta, id);
        id
    }

    fn push(&mut self, meta: Arc<SeriesMeta>) -> SeriesId {
        let id = SeriesId(u32::try_from(self.all.len()).unwrap_or(u32::MAX));
        self.all.push(meta);
        id
    }

    /// The tags of a series.
    #[must_use]
    pub fn get(&self, id: SeriesId) -> Option<&Arc<SeriesMeta>> {
        self.all.get(id.index())
    }

    /// All series in the order of registration, [`SeriesMeta::other`] among them once needed.
    #[must_use]
    pub fn all(&self) -> &[Arc<SeriesMeta>] {
        &self.all
    }

    /// How many registrations were over the bound, to be shown in the report.
    #[must_use]
    pub fn overflowed(&self) -> u64 {
        self.overflowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> SeriesMeta {
        SeriesMeta { name: name.to_owned(), ..SeriesMeta::default() }
    }

    #[test]
    fn equal_tags_share_a_series_and_the_rest_falls_into_other() {
        let mut registry = SeriesRegistry::with_limit(2);
        let a = registry.register(&named("a"));
        let b = registry.register(&named("b"));
        assert_ne!(a, b);
        assert_eq!(registry.register(&named("a")), a);
        let other = registry.register(&named("c"));
        assert_eq!(registry.register(&named("d")), other);
        assert_eq!(registry.register(&named("b")), b);
        assert!(registry.get(other).is_some_and(|meta| meta.is_other()));
        assert_eq!(registry.all().len(), 3);
        assert_eq!(registry.overflowed(), 2);
        assert_eq!(registry.get(SeriesId(9)), None);
    }
}
