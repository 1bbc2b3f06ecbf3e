//! The caches of functions that have one of their own.
//!
//! A static in a function cannot name the type parameters of the function, nor those of the `impl` around it, of
//! which an attribute on a method knows nothing. So a slot holds caches of any type, told apart by the place they
//! belong to: the name of the type of a closure in the function, in which the compiler writes the function's path
//! and all parameters.

use std::any::{Any, type_name};
use std::fmt;
use std::sync::{OnceLock, PoisonError, RwLock};
use std::time::Duration;

use super::{Keepable, Shape};
use crate::{BuildError, Cache, Registry, Ttl};

/// The caches of one function: one, or one for each set of type parameters.
pub struct Slot {
    /// All there is when nothing is generic.
    first: OnceLock<Held>,
    others: RwLock<Vec<Held>>,
}

#[derive(Clone, Copy)]
struct Held {
    place: &'static str,
    own: &'static (dyn Any + Send + Sync),
}

/// A function's own cache.
pub struct Own<V> {
    cache: Cache<V>,
    place: &'static str,
}

impl<V> Own<V> {
    /// The cache.
    pub fn cache(&self) -> &Cache<V> {
        &self.cache
    }

    /// The function's path: `my_app::users::find`.
    pub fn place(&self) -> &'static str {
        self.place
    }
}

/// Where a closure stands, as the compiler writes it.
pub fn place_of<T>(_: &T) -> &'static str {
    type_name::<T>()
}

/// What the attribute says about the cache.
#[derive(Debug)]
pub struct Settings {
    /// How long answers are fresh.
    pub ttl: Ttl,
    /// A share of the ttl.
    pub jitter: Option<f64>,
    /// How many entries at most.
    pub max_entries: Option<usize>,
    /// How long absence is remembered.
    pub negative_ttl: Option<Ttl>,
    /// See the builder of caches.
    pub fail_safe: Option<Duration>,
    /// See the builder of caches.
    pub stale_while_revalidate: Option<Duration>,
    /// See the builder of caches.
    pub soft_timeout: Option<Duration>,
    /// See the builder of caches.
    pub hard_timeout: Option<Duration>,
}

impl Settings {
    /// Nothing is said but this.
    pub fn new(ttl: Ttl) -> Self {
        Self {
            ttl,
            jitter: None,
            max_entries: None,
            negative_ttl: None,
            fail_safe: None,
            stale_while_revalidate: None,
            soft_timeout: None,
            hard_timeout: None,
        }
    }

    fn build<V: Keepable>(self, name: &str) -> Result<Cache<V>, BuildError> {
        let ttl = self.jitter.map_or(self.ttl, |jitter| self.ttl.jitter(jitter));
        let mut builder = Cache::builder(name, ttl).registry(Registry::global());
        if let Some(entries) = self.max_entries {
            builder = builder.max_entries(entries);
        }
        if let Some(ttl) = self.negative_ttl {
            builder = builder.negative_ttl(ttl);
        }
        if let Some(window) = self.fail_safe {
            builder = builder.fail_safe(window);
        }
        if let Some(window) = self.stale_while_revalidate {
            builder = builder.stale_while_revalidate(window);
        }
        if let Some(timeout) = self.soft_timeout {
            builder = builder.soft_timeout(timeout);
        }
        if let Some(timeout) = self.hard_timeout {
            builder = builder.hard_timeout(timeout);
        }
        builder.build()
    }
}

impl Slot {
    /// A slot without caches.
    #[expect(clippy::new_without_default, reason = "written by the macro only, into a static")]
    pub const fn new() -> Self {
        Self { first: OnceLock::new(), others: RwLock::new(Vec::new()) }
    }

    /// The cache of this place. The first call builds it.
    ///
    /// # Panics
    /// When the settings are refused.
    #[inline]
    pub fn own<S>(
        &'static self,
        place: &'static str,
        name: Option<&str>,
        _: S,
        settings: impl FnOnce() -> Settings,
    ) -> &'static Own<S::Value>
    where
        S: Shape,
    {
        match self.first.get().and_then(|first| first.at(place)) {
            Some(own) => own,
            None => self.own_of_many(place, name, settings),
        }
    }

    #[cold]
    fn own_of_many<V: Keepable>(
        &'static self,
        place: &'static str,
        name: Option<&str>,
        settings: impl FnOnce() -> Settings,
    ) -> &'static Own<V> {
        let find = |held: &Vec<Held>| held.iter().find_map(|held| held.at(place));
        if let Some(own) = find(&self.others.read().unwrap_or_else(PoisonError::into_inner)) {
            return own;
        }
        let mut others = self.others.write().unwrap_or_else(PoisonError::into_inner);
        let first = self.first.get().and_then(|first| first.at(place));
        if let Some(own) = first.or_else(|| find(&others)) {
            return own;
        }
        let own = make(place, name, settings);
        let held = Held { place, own };
        if self.first.set(held).is_err() {
            others.push(held);
        }
        own
    }
}

/// Built under the slot's lock, so that no cache is made twice; the only foreign code it runs are the expressions of
/// the attribute's settings.
fn make<V: Keepable>(
    place: &'static str,
    name: Option<&str>,
    settings: impl FnOnce() -> Settings,
) -> &'static Own<V> {
    let path = path_of(place);
    let name = free_name(name, path);
    let cache = settings()
        .build(&name)
        .unwrap_or_else(|error| panic!("the cache of `{path}` cannot be made: {error}"));
    // It lives as long as the static that refers to it.
    Box::leak(Box::new(Own { cache, place: path }))
}

impl Held {
    #[inline]
    fn at<V: 'static>(&self, place: &'static str) -> Option<&'static Own<V>> {
        // The same text is nearly always the same constant.
        let same = std::ptr::eq(self.place, place) || self.place == place;
        if same { self.own.downcast_ref() } else { None }
    }
}

/// The function of a place: `my_app::find::{{closure}}::{{closure}}` is in `my_app::find`.
fn path_of(place: &'static str) -> &'static str {
    let mut path = place;
    while let Some(outer) = path.strip_suffix("::{{closure}}") {
        path = outer;
    }
    path
}

/// The name of a new cache: what it was given, unless its function has one for each of several types, or another
/// cache was faster; then the function stands behind it.
fn free_name(given: Option<&str>, path: &str) -> String {
    let Some(given) = given else { return path.to_owned() };
    let taken = Registry::global().parts().iter().any(|part| part.name() == given);
    if taken || path.contains('<') { format!("{given} ({path})") } else { given.to_owned() }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot").finish_non_exhaustive()
    }
}

impl<V> fmt::Debug for Own<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Own").field("place", &self.place).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_in_a_function() {
        let check = |place, expect| assert_eq!(path_of(place), expect);
        check("my_app::find", "my_app::find");
        check("my_app::find::{{closure}}", "my_app::find");
        check("my_app::find::{{closure}}::{{closure}}", "my_app::find");
        check(
            "<my_app::Repo<u8> as my_app::Find>::find::{{closure}}",
            "<my_app::Repo<u8> as my_app::Find>::find",
        );
    }

    #[test]
    fn a_place_carries_type_parameters() {
        struct Repo<T>(std::marker::PhantomData<T>);
        impl<T> Repo<T> {
            fn place() -> &'static str {
                place_of(&|| {})
            }
        }
        #[expect(clippy::extra_unused_type_parameters, reason = "it is what this is about")]
        fn place<T>() -> &'static str {
            place_of(&|| {})
        }
        assert_ne!(Repo::<u8>::place(), Repo::<u16>::place());
        assert_ne!(place::<u8>(), place::<u16>());
        assert_ne!(place::<u8>(), Repo::<u8>::place());
    }
}
