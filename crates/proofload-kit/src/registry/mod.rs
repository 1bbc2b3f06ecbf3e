//! What a service is made of: the caches, breakers, limiters and pools that were registered, found
//! again for their metrics and for invalidation by name.
//!
//! - `component`: what a part of the kit is to its registry;
//! - `families`: the samples that parts hand over, in groups of one name.

mod component;
mod families;

use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

pub(crate) use component::Component;
pub(crate) use families::{Families, Value};

/// The parts of one service. Cheap to clone; clones are the same registry.
///
/// A registry does not keep its parts alive: one that is dropped is no longer shown.
#[derive(Clone, Default)]
pub struct Registry {
    parts: Arc<Mutex<Vec<Weak<dyn Component>>>>,
}

impl Registry {
    /// A registry without parts.
    pub fn new() -> Self {
        Self::default()
    }

    /// The registry of the process: where functions under `#[cached]` put their caches.
    ///
    /// The only global of this crate: an attribute on a function has nobody to be handed one by.
    pub fn global() -> &'static Self {
        static GLOBAL: LazyLock<Registry> = LazyLock::new(Registry::new);
        &GLOBAL
    }

    pub(crate) fn add(&self, part: Weak<dyn Component>) {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        parts.retain(|part| part.strong_count() > 0);
        parts.push(part);
    }

    /// The parts that are still in use, in the order of their registration.
    pub(crate) fn parts(&self) -> Vec<Arc<dyn Component>> {
        let parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        parts.iter().filter_map(Weak::upgrade).collect()
    }

    /// Samples of all parts.
    pub(crate) fn families(&self) -> Families {
        let mut families = Families::default();
        for part in self.parts() {
            part.collect(&mut families);
        }
        families
    }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts = self.parts();
        f.debug_list().entries(parts.iter().map(|part| part.name())).finish()
    }
}
