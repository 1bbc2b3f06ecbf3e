//! The kit as its users see it.

#[cfg(feature = "macros")]
mod cache_invalidate;
#[cfg(feature = "macros")]
mod cached;
#[cfg(feature = "macros")]
mod cached_loads;
#[cfg(feature = "tower")]
mod response;
#[cfg(feature = "tower")]
mod response_rules;
#[cfg(feature = "macros")]
mod ui;
