//! What a part of the kit is to its registry.

use crate::cache::Invalidate;

use super::Families;

/// A cache, breaker, limiter, retry policy or pool, as its registry sees it.
pub(crate) trait Component: Send + Sync {
    /// The name it was given: the value of the label that tells it from others of its kind.
    fn name(&self) -> &str;

    /// Hands over what it counts. Called at every scrape; must not wait.
    fn collect(&self, families: &mut Families);

    /// Itself, if it is a cache.
    fn as_cache(&self) -> Option<&dyn Invalidate> {
        None
    }
}
